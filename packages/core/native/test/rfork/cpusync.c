/*
 * cpusync.c - sets of rforks that are brought to a standstill: while they run, while they sleep, while they end, and by several masters at once.
 * Also under ThreadSanitizer, which knows of every plain access here whether something orders it.
 */
#include <stdatomic.h>

#define RFORKS 3
#include "lwkt_kernel.h"
#include "rforks.h"

#define ALL (RFORKS + 1)
#define ROUNDS (40 * SCALE)
#define ROUNDS_BUSY (4 * SCALE) /* where threads run all the time: each takes the kernel some turns */

static unsigned ran[ALL]; /* plain: each rfork's own, and the master's while that stands still */

static unsigned here(void)
{
	unsigned i = 0;

	while (rforks[i] != lwkt_mycpu())
		CHECK(++i < ALL);
	return i;
}

static void counts(void *arg)
{
	ran[here()] += *(unsigned *)arg;
	CHECK_EQ(lwkt_block("in an IPI function"), EDEADLK);
	CHECK_EQ(lwkt_cpusync_simple(rforks, ALL, counts, arg), EDEADLK);
}

static void check_all_ran(unsigned times)
{
	for (unsigned i = 0; i < ALL; i++)
		CHECK_EQ(ran[i], times);
	memset(ran, 0, sizeof(ran));
}

static void simple(void)
{
	unsigned step = 3;

	begin_rforks();
	usleep(20000); /* they sleep in the kernel now */
	CHECK_EQ(lwkt_cpusync_simple(rforks, ALL, counts, &step), 0);
	check_all_ran(3);
	for (int n = 0; n < 100; n++)
		CHECK_EQ(lwkt_cpusync_simple(rforks, ALL, counts, &step), 0);
	check_all_ran(300);
	CHECK_EQ(lwkt_cpusync_simple(rforks, 0, counts, &step), 0);
	check_all_ran(0);
	CHECK_EQ(lwkt_cpusync_simple(&rforks[1], 1, counts, &step), 0);
	CHECK_EQ(ran[1], 3);
	ran[1] = 0;
	check_all_ran(0);
	end_rforks();
}

/* ---------------------------------------------------------------- standing still */

static unsigned turns[ALL]; /* plain, as above */
static _Atomic bool over;

static void runs(void *arg)
{
	(void)arg;
	while (!atomic_load(&over)) {
		turns[here()]++;
		lwkt_yield();
	}
}

static void reset(void *arg)
{
	(void)arg;
	CHECK_EQ(turns[here()], 7777); /* what the master wrote */
	turns[here()] = 0;
}

static void set(void *flag)
{
	atomic_store((_Atomic bool *)flag, true);
}

static void stops_them(void *arg)
{
	unsigned before[ALL];
	struct lwkt_cpusync cs;

	lwkt_cpusync_init(&cs, rforks, ALL, reset, arg);
	CHECK_EQ(lwkt_cpusync_deinterlock(&cs), EPERM);
	for (int n = 0; n < ROUNDS_BUSY; n++) {
		_Atomic bool flag = false;
		uint64_t seq;

		CHECK_EQ(lwkt_cpusync_interlock(&cs), 0);
		memcpy(before, turns, sizeof(turns));
		CHECK_EQ(lwkt_cpusync_interlock(&cs), EDEADLK);
		CHECK_EQ(lwkt_block("while they stand still"), EDEADLK);
		CHECK_EQ(lwkt_send_ipiq(rforks[0], set, &flag, &seq), 0); /* IPI functions still run there */
		CHECK_EQ(lwkt_wait_ipiq(rforks[0], seq), EDEADLK);
		while (!atomic_load(&flag))
			;
		for (unsigned i = 0; i < ALL; i++) {
			CHECK_EQ(turns[i], before[i]);
			turns[i] = 7777;
		}
		CHECK_EQ(lwkt_cpusync_deinterlock(&cs), 0);
		CHECK_EQ(lwkt_cpusync_deinterlock(&cs), EPERM);
		CHECK_EQ(lwkt_wait_ipiq(rforks[0], seq), 0);
		lwkt_yield();
	}
	atomic_store(&over, true);
}

static void standing_still(void)
{
	lwkt_thread_t tds[2 * ALL + 1];

	begin_rforks();
	memset(turns, 0, sizeof(turns));
	atomic_store(&over, false);
	for (unsigned i = 0; i < 2 * ALL; i++)
		tds[i] = start_on(rforks[i % ALL], runs, NULL, TDF_JOINABLE);
	tds[2 * ALL] = start(stops_them, NULL, TDF_JOINABLE); /* its own rfork's threads don't run in between either */
	for (unsigned i = 0; i <= 2 * ALL; i++)
		CHECK_EQ(lwkt_join(tds[i]), 0);
	end_rforks();
}

/* ---------------------------------------------------------------- masters at each other */

static unsigned shared; /* plain: guarded by all others standing still */
static unsigned one = 1;

static void masters(void *arg)
{
	struct lwkt_cpusync cs;
	unsigned first = (unsigned)(uintptr_t)arg;

	lwkt_cpusync_init(&cs, rforks, ALL, counts, &one);
	for (unsigned n = 0; n < ROUNDS; n++) {
		unsigned was;

		CHECK_EQ(lwkt_cpusync_interlock(&cs), 0);
		was = shared++;
		for (unsigned i = 0; i < ALL; i++)
			ran[i]++;
		CHECK_EQ(shared, was + 1);
		CHECK_EQ(lwkt_cpusync_deinterlock(&cs), 0);
		if ((n + first) % 4 == 0)
			lwkt_yield();
	}
}

static void at_each_other(void)
{
	lwkt_thread_t tds[2 * ALL];

	begin_rforks();
	shared = 0;
	for (unsigned i = 0; i < 2 * ALL; i++)
		tds[i] = start_on(rforks[i % ALL], masters, (void *)(uintptr_t)i, TDF_JOINABLE);
	for (unsigned i = 0; i < 2 * ALL; i++)
		CHECK_EQ(lwkt_join(tds[i]), 0);
	CHECK_EQ(shared, 2 * ALL * ROUNDS);
	check_all_ran(2 * 2 * ALL * ROUNDS);
	end_rforks();
}

/* ---------------------------------------------------------------- one that computes */

static _Atomic bool interrupted[ALL];
static _Atomic unsigned synced;

static void interrupts(globaldata_t to)
{
	unsigned i = 0;

	while (rforks[i] != to)
		CHECK(++i < ALL);
	atomic_store(&interrupted[i], true);
}

/** Looks at what has come only when it is interrupted. */
static void computes(void *arg)
{
	(void)arg;
	while (atomic_load(&synced) < 2) {
		if (atomic_exchange(&interrupted[here()], false))
			lwkt_yield();
	}
}

static void syncs(void *arg)
{
	for (unsigned n = 0; n < ROUNDS; n++)
		CHECK_EQ(lwkt_cpusync_simple(rforks, ALL, counts, arg), 0);
	atomic_fetch_add(&synced, 1);
}

/* Who waits for its turn must not have interrupted the others before: they go on computing. */
static void who_computes_is_told(void)
{
	lwkt_thread_t tds[3];

	begin_rforks();
	atomic_store(&synced, 0);
	lwkt_cpusync_told = interrupts;
	tds[0] = start_on(rforks[0], computes, NULL, TDF_JOINABLE);
	tds[1] = start_on(rforks[1], syncs, &one, TDF_JOINABLE);
	tds[2] = start_on(rforks[2], syncs, &one, TDF_JOINABLE);
	for (unsigned i = 0; i < 3; i++)
		CHECK_EQ(lwkt_join(tds[i]), 0);
	lwkt_cpusync_told = NULL;
	check_all_ran(2 * ROUNDS);
	end_rforks();
}

/* ---------------------------------------------------------------- an rfork that ends */

static _Atomic unsigned elsewhere;
static globaldata_t ending[3]; /* one that ends, the joiner's, one that stays */

static void counts_anywhere(void *arg)
{
	(void)arg;
	atomic_fetch_add(&elsewhere, 1);
}

static void syncs_until_over(void *arg)
{
	unsigned n = 0;

	do {
		CHECK_EQ(lwkt_cpusync_simple(ending, 3, counts_anywhere, NULL), 0);
		n++;
		lwkt_yield();
	} while (!atomic_load(&over));
	CHECK_EQ(lwkt_cpusync_simple(ending, 3, counts_anywhere, NULL), 0); /* the one that has ended is left out */
	*(unsigned *)arg = n;
}

/* The joiner is in the set, and waits for the end of the other in the kernel: that one must not be held up. */
static void ends_meanwhile(void)
{
	struct lwkt_rfork_args args = {.name = "ends"};
	lwkt_thread_t td;
	unsigned n;

	begin_rforks();
	for (int round = 0; round < 10 * SCALE; round++) {
		atomic_store(&over, false);
		atomic_store(&elsewhere, 0);
		CHECK_EQ(lwkt_rfork_create(NULL, NULL, &ending[0], &args), 0);
		ending[1] = rforks[RFORKS];
		ending[2] = rforks[1];
		td = start_on(rforks[0], syncs_until_over, &n, TDF_JOINABLE);
		if (round % 2)
			usleep(100);
		CHECK_EQ(lwkt_rfork_join(ending[0]), 0);
		atomic_store(&over, true);
		CHECK_EQ(lwkt_join(td), 0);
		CHECK(atomic_load(&elsewhere) >= 2 * (n + 1));
		CHECK(atomic_load(&elsewhere) < 3 * (n + 1));
	}
	end_rforks();
}

int main(void)
{
	ON_RFORK(simple);
	ON_RFORK(standing_still);
	ON_RFORK(at_each_other);
	ON_RFORK(who_computes_is_told);
	ON_RFORK(ends_meanwhile);
	return 0;
}
