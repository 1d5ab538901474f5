/*
 * waits.c - wait queues: who is woken, in which order; the generation; and signals, timeouts and aborts of several rforks at the same moment,
 * none of which may get lost. Also under ThreadSanitizer.
 */
#include <stdatomic.h>

#define RFORKS 3
#include "random.h"
#include "rforks.h"

#define MS 1000000u
#define HOUR (3600ull * 1000 * MS)

static struct lwkt_wait queue;

/* ---------------------------------------------------------------- on one rfork */

static int order[8];
static unsigned woken;

static void waits_once(void *arg)
{
	uint32_t gen = lwkt_wait_gen(&queue);

	CHECK_EQ(lwkt_wait_block(&queue, "test", &gen), 0);
	CHECK_EQ(gen, lwkt_wait_gen(&queue));
	order[woken++] = (int)(uintptr_t)arg;
}

static void in_order(void)
{
	lwkt_thread_t tds[8];

	lwkt_wait_init(&queue);
	woken = 0;
	CHECK_EQ(lwkt_wait_signal(&queue, -1), 0); /* nobody is there, and nobody will be woken by it */
	for (uintptr_t i = 0; i < 8; i++)
		tds[i] = start(waits_once, (void *)i, 0);
	run_all();
	CHECK_EQ(woken, 0);
	CHECK_EQ(lwkt_wait_signal(&queue, 0), 0);
	CHECK_EQ(lwkt_schedule(tds[3]), 0); /* not a signal */
	run_all();
	CHECK_EQ(woken, 0);
	CHECK_EQ(lwkt_wait_signal(&queue, 1), 1);
	run_all();
	CHECK_EQ(woken, 1);
	CHECK_EQ(lwkt_wait_signal(&queue, 3), 3);
	CHECK_EQ(woken, 1); /* it does not switch */
	run_all();
	CHECK_EQ(woken, 4);
	CHECK_EQ(lwkt_wait_signal(&queue, -1), 4);
	run_all();
	CHECK_EQ(lwkt_wait_signal(&queue, 100), 0);
	CHECK_EQ(woken, 8);
	for (int i = 0; i < 8; i++)
		CHECK_EQ(order[i], i);
}

static void signals_in_function(void *arg)
{
	CHECK_EQ(lwkt_wait_signal(&queue, 1), (uintptr_t)arg);
}

static void refused_in_function(void *arg)
{
	uint32_t gen = lwkt_wait_gen(&queue), old = gen - 1;

	(void)arg;
	CHECK_EQ(lwkt_wait_block(&queue, "test", &gen), EDEADLK);
	CHECK_EQ(lwkt_wait_block(&queue, "test", &old), 0); /* that is no waiting */
	CHECK_EQ(old, gen);
}

static void ends(void *arg)
{
	uint32_t gen = lwkt_wait_gen(&queue), first = gen;

	(void)arg;
	CHECK_EQ(lwkt_wait_signal(&queue, 1), 0); /* between the look and the wait */
	CHECK_EQ(lwkt_wait_block(&queue, "test", &gen), 0);
	CHECK_EQ(gen, first + 1);
	CHECK_EQ(lwkt_wait_block_timed(&queue, "test", &gen, 0), EWOULDBLOCK);
	CHECK_EQ(lwkt_wait_block_timed(&queue, "test", &gen, 1000), EWOULDBLOCK);
	CHECK_EQ(gen, first + 1);
	CHECK_EQ(lwkt_interrupt(lwkt_curthread()), 0);
	CHECK_EQ(lwkt_wait_block(&queue, "test", &gen), EINTR);
	CHECK_EQ(lwkt_wait_block_timed(&queue, "test", &gen, 1000), EWOULDBLOCK); /* the abort is used up */
	CHECK_EQ(lwkt_wait_signal(&queue, -1), 0); /* whoever gave up is not in the queue */
	CHECK_EQ(lwkt_send_ipiq(lwkt_mycpu(), refused_in_function, NULL, NULL), 0);
	CHECK_EQ(stats_now().st_timers, 0);
}

static void interrupted(void *arg)
{
	uint32_t gen = lwkt_wait_gen(&queue);

	CHECK_EQ(lwkt_wait_block_timed(&queue, "test", &gen, HOUR), arg ? 0 : EINTR);
	CHECK_EQ(lwkt_curthread()->td_flags & TDF_INTR, arg ? TDF_INTR : 0); /* one that came too late is still pending */
}

static void ends_of_a_wait(void)
{
	lwkt_thread_t td;
	uint32_t gen;

	lwkt_wait_init(&queue);
	CHECK_EQ(lwkt_join(start(ends, NULL, TDF_JOINABLE)), 0);
	td = start(interrupted, NULL, 0);
	run_all();
	CHECK_EQ(lwkt_interrupt(td), 0);
	run_all();
	CHECK_EQ(lwkt_wait_signal(&queue, 1), 0);
	td = start(interrupted, td, 0);
	run_all();
	CHECK_EQ(lwkt_wait_signal(&queue, 1), 1);
	CHECK_EQ(lwkt_interrupt(td), 0);
	run_all();
	start(waits_once, NULL, 0);
	woken = 0;
	run_all();
	CHECK_EQ(lwkt_send_ipiq(lwkt_mycpu(), signals_in_function, (void *)1, NULL), 0);
	run_all();
	CHECK_EQ(woken, 1);
	gen = lwkt_wait_gen(&queue);
	CHECK_EQ(lwkt_wait_block(&queue, "test", &gen), EDEADLK); /* thread0, and nobody else is there */
	CHECK_EQ(lwkt_wait_block_timed(&queue, "test", &gen, 1000), EWOULDBLOCK);
	CHECK_EQ(lwkt_wait_signal(&queue, -1), 0);
}

/* ---------------------------------------------------------------- on several */

enum { THREADS = 12, ITEMS = 300 * SCALE };

static _Atomic long items, produced, consumed;
static _Atomic unsigned zeros, gave_up;

/* Takes an item without a lock, or says that there is none. */
static bool take_item(void)
{
	long have = atomic_load(&items);

	while (have > 0)
		if (atomic_compare_exchange_weak(&items, &have, have - 1))
			return true;
	return false;
}

static void moves_sometimes(uint64_t *random)
{
	if (random_below(random, 16) == 0)
		CHECK_EQ(lwkt_setcpu_self(rforks[random_below(random, RFORKS + 1)]), 0);
}

/* One signal for each item, and no time limit: a signal that is lost leaves somebody waiting for ever. */
static void produces(void *arg)
{
	uint64_t random = seed_of((uintptr_t)arg);

	for (int n = 0; n < ITEMS; n++) {
		atomic_fetch_add(&items, 1);
		atomic_fetch_add(&produced, 1);
		lwkt_wait_signal(&queue, 1);
		if (random_below(&random, 4) == 0)
			lwkt_yield();
		moves_sometimes(&random);
	}
}

static void consumes(void *arg)
{
	uint64_t random = seed_of(100 + (uintptr_t)arg);

	for (int n = 0; n < ITEMS; n++) {
		uint32_t gen = lwkt_wait_gen(&queue);

		while (!take_item())
			CHECK_EQ(lwkt_wait_block(&queue, "item", &gen), 0);
		atomic_fetch_add(&consumed, 1);
		moves_sometimes(&random);
	}
}

/* The same by those that give up after a little while, or are interrupted, and come back. */
static void consumes_impatiently(void *arg)
{
	uint64_t random = seed_of(200 + (uintptr_t)arg);

	for (int n = 0; n < ITEMS; n++) {
		uint32_t gen = lwkt_wait_gen(&queue);

		while (!take_item()) {
			int error;

			if (random_below(&random, 8) == 0)
				CHECK_EQ(lwkt_interrupt(lwkt_curthread()), 0);
			error = lwkt_wait_block_timed(&queue, "item", &gen, random_below(&random, 40 * 1000));
			CHECK(error == 0 || error == EWOULDBLOCK || error == EINTR);
			atomic_fetch_add(error ? &gave_up : &zeros, 1);
		}
		atomic_fetch_add(&consumed, 1);
		moves_sometimes(&random);
	}
}

static void run_both(void (*consume)(void *))
{
	lwkt_thread_t tds[2 * THREADS];

	lwkt_wait_init(&queue);
	atomic_store(&items, 0);
	atomic_store(&produced, 0);
	atomic_store(&consumed, 0);
	begin_rforks();
	for (uintptr_t i = 0; i < THREADS; i++) {
		tds[2 * i] = start_on(rforks[i % (RFORKS + 1)], consume, (void *)i, TDF_JOINABLE);
		tds[2 * i + 1] = start_on(rforks[i * 7 / 2 % (RFORKS + 1)], produces, (void *)i, TDF_JOINABLE);
	}
	for (int i = 0; i < 2 * THREADS; i++)
		CHECK_EQ(lwkt_join(tds[i]), 0);
	CHECK_EQ(atomic_load(&produced), THREADS * ITEMS);
	CHECK_EQ(atomic_load(&consumed), THREADS * ITEMS);
	CHECK_EQ(atomic_load(&items), 0);
	CHECK_EQ(lwkt_wait_signal(&queue, -1), 0); /* nobody is left in it */
	CHECK_EQ(stats_now().st_timers, 0);
	end_rforks();
}

static void patient(void)
{
	run_both(consumes);
}

static void impatient(void)
{
	atomic_store(&zeros, 0);
	atomic_store(&gave_up, 0);
	run_both(consumes_impatiently);
	printf("    %u signalled, %u gave up\n", atomic_load(&zeros), atomic_load(&gave_up));
}

/* Exactly as many answer 0 as were signalled. No signal comes before all of them wait or have given up, so it is not the generation that answers. */
static _Atomic unsigned waiting, signalled;

static void nothing(void *arg)
{
	(void)arg;
}

/* Whoever has said that it will wait does so, or has, when this returns: an IPI function runs between two threads. */
static void all_wait(void)
{
	uint64_t seq;

	while (atomic_load(&waiting) < THREADS)
		CHECK_EQ(lwkt_nanosleep(10 * 1000), 0);
	for (int i = 0; i < RFORKS; i++) {
		CHECK_EQ(lwkt_send_ipiq(rforks[i], nothing, NULL, &seq), 0);
		CHECK_EQ(lwkt_wait_ipiq(rforks[i], seq), 0);
	}
}

static void waits_a_round(void *arg)
{
	uint64_t random = seed_of(300 + (uintptr_t)arg);
	uint32_t gen = lwkt_wait_gen(&queue);
	int error;

	atomic_fetch_add(&waiting, 1);
	error = lwkt_wait_block_timed(&queue, "test", &gen, random_below(&random, 2 * MS));
	CHECK(error == 0 || error == EWOULDBLOCK);
	atomic_fetch_add(error ? &gave_up : &signalled, 1);
}

static void handed_on(void)
{
	uint64_t random = seed_of(400);
	lwkt_thread_t tds[THREADS];
	unsigned sum, all_signalled = 0, all_gave_up = 0;

	begin_rforks();
	for (uintptr_t n = 0; n < 15 * SCALE; n++) {
		lwkt_wait_init(&queue);
		atomic_store(&waiting, 0);
		atomic_store(&signalled, 0);
		atomic_store(&gave_up, 0);
		for (uintptr_t i = 0; i < THREADS; i++)
			tds[i] = start_on(rforks[i % RFORKS], waits_a_round, (void *)(n * THREADS + i), TDF_JOINABLE);
		all_wait();
		CHECK_EQ(lwkt_nanosleep(random_below(&random, MS)), 0);
		sum = 0;
		for (uint32_t i = 0; i < THREADS / 2; i++)
			sum += lwkt_wait_signal(&queue, (int)random_below(&random, 3));
		for (int i = 0; i < THREADS; i++)
			CHECK_EQ(lwkt_join(tds[i]), 0);
		CHECK_EQ(atomic_load(&signalled) + atomic_load(&gave_up), THREADS);
		CHECK_EQ(atomic_load(&signalled), sum);
		all_signalled += atomic_load(&signalled);
		all_gave_up += atomic_load(&gave_up);
	}
	printf("    %u signalled, %u gave up\n", all_signalled, all_gave_up);
	end_rforks();
}

/* thread0 waits, and is woken by another rfork. */
static _Atomic int ready;

static void says_ready(void *arg)
{
	(void)arg;
	atomic_store(&ready, 1);
	CHECK(lwkt_wait_signal(&queue, 1) <= 1);
}

static void thread0_waits(void)
{
	uint32_t gen;

	lwkt_wait_init(&queue);
	begin_rforks();
	for (int n = 0; n < 30 * SCALE; n++) {
		lwkt_thread_t td;

		atomic_store(&ready, 0);
		td = start_on(rforks[n % RFORKS], says_ready, NULL, TDF_JOINABLE);
		gen = lwkt_wait_gen(&queue);
		while (!atomic_load(&ready))
			CHECK_EQ(lwkt_wait_block(&queue, "ready", &gen), 0);
		CHECK_EQ(lwkt_join(td), 0);
	}
	end_rforks();
}

int main(int argc, char **argv)
{
	begin_random(argc, argv);
	ON_RFORK(in_order);
	ON_RFORK(ends_of_a_wait);
	ON_RFORK(patient);
	ON_RFORK(impatient);
	ON_RFORK(handed_on);
	ON_RFORK(thread0_waits);
	return 0;
}
