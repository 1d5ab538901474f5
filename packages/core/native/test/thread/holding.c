/*
 * holding.c - threads that others find in a table, hold, interrupt and schedule while they end: the structure stays until the last has let go, and nobody's
 * else's thread is meant. Also under ThreadSanitizer.
 */
#include <stdatomic.h>

#define RFORKS 2
#include "rforks.h"

#define SLOTS 8
#define LIVES (40 * SCALE)

static struct lwkt_serialize table_lock;
static lwkt_thread_t table[SLOTS]; /* under the lock */
static _Atomic unsigned lives, interrupts, working;

static void lives_once(void *arg)
{
	lwkt_thread_t *slot = arg;
	int error;

	CHECK_EQ(lwkt_serialize_enter(&table_lock), 0);
	*slot = lwkt_curthread();
	CHECK_EQ(lwkt_serialize_exit(&table_lock), 0);
	error = lwkt_nanosleep(200000);
	CHECK(error == 0 || error == EINTR);
	if (error)
		atomic_fetch_add(&interrupts, 1);
	CHECK_EQ(lwkt_serialize_enter(&table_lock), 0);
	*slot = NULL; /* nobody begins to hold it any more */
	CHECK_EQ(lwkt_serialize_exit(&table_lock), 0);
	atomic_fetch_add(&lives, 1);
}

static void lives_again_and_again(void *arg)
{
	for (int i = 0; i < LIVES; i++)
		CHECK_EQ(lwkt_join(start_on(rforks[i % (RFORKS + 1)], lives_once, arg, TDF_JOINABLE | (i % 2 ? TDF_MIGRATABLE : 0))), 0);
	atomic_fetch_sub(&working, 1);
}

static void pokes(void *arg)
{
	unsigned n = (unsigned)(uintptr_t)arg;

	while (atomic_load(&working)) {
		lwkt_thread_t td;

		CHECK_EQ(lwkt_serialize_enter(&table_lock), 0);
		td = table[n++ % SLOTS];
		if (td)
			lwkt_hold(td);
		CHECK_EQ(lwkt_serialize_exit(&table_lock), 0);
		if (td) {
			int error = n % 3 ? lwkt_interrupt(td) : lwkt_schedule(td);

			CHECK(error == 0 || error == EINVAL);
			if (n % 5 == 0)
				lwkt_yield();
			lwkt_rele(td);
		}
		lwkt_yield();
	}
}

static void found_in_a_table(void)
{
	lwkt_thread_t tds[SLOTS + RFORKS + 1];

	begin_rforks();
	lwkt_serialize_init(&table_lock);
	atomic_store(&working, SLOTS);
	for (int i = 0; i < SLOTS; i++)
		tds[i] = start_on(rforks[i % RFORKS], lives_again_and_again, &table[i], TDF_JOINABLE);
	for (int i = 0; i <= RFORKS; i++)
		tds[SLOTS + i] = start_on(rforks[i], pokes, (void *)(uintptr_t)i, TDF_JOINABLE);
	for (int i = 0; i < SLOTS + RFORKS + 1; i++)
		CHECK_EQ(lwkt_join(tds[i]), 0);
	CHECK_EQ(atomic_load(&lives), SLOTS * LIVES);
	CHECK(atomic_load(&interrupts) > 0);
	end_rforks();
}

/* ---------------------------------------------------------------- one by one */

static void nothing(void *arg)
{
	(void)arg;
}

static void the_last_one_frees(void)
{
	lwkt_thread_t td, other;

	td = start(nothing, NULL, TDF_JOINABLE);
	lwkt_hold(td);
	lwkt_hold(td);
	CHECK_EQ(lwkt_join(td), 0);
	CHECK(td->td_flags & TDF_EXITING);
	CHECK_EQ(lwkt_schedule(td), EINVAL);
	CHECK_EQ(lwkt_interrupt(td), EINVAL);
	other = start(nothing, NULL, 0);
	CHECK(other != td); /* its structure is not used again */
	lwkt_rele(td);
	CHECK(td->td_flags & TDF_EXITING);
	lwkt_rele(td); /* AddressSanitizer looks for what is not given back */
	run_all();
	td = start(nothing, NULL, 0);
	lwkt_hold(td);
	lwkt_rele(td); /* before it ends */
	run_all();
	other = start(nothing, NULL, 0);
	CHECK(other == td);
	run_all();
}

static lwkt_thread_t held; /* by thread0, while its rfork ends */

static void is_held(void *arg)
{
	(void)arg;
	held = lwkt_curthread();
	lwkt_hold(held);
}

static void longer_than_its_rfork(void)
{
	globaldata_t gd;

	CHECK_EQ(lwkt_rfork_create(is_held, NULL, &gd, NULL), 0);
	CHECK_EQ(lwkt_rfork_join(gd), 0);
	CHECK(held->td_flags & TDF_EXITING);
	CHECK_EQ(lwkt_schedule(held), ESRCH);
	CHECK_EQ(lwkt_interrupt(held), ESRCH);
	CHECK_EQ(lwkt_rfork_create(NULL, NULL, &gd, NULL), 0); /* perhaps with the same area */
	CHECK(lwkt_schedule(held) == 0 || gd != held->td_gd);
	CHECK_EQ(lwkt_rfork_join(gd), 0);
	lwkt_rele(held);
}

static _Atomic int asleep;

static void sleeps_until_interrupted(void *arg)
{
	(void)arg;
	CHECK_EQ(lwkt_take_interrupt(), 0);
	CHECK_EQ(lwkt_interrupt(lwkt_curthread()), 0);
	CHECK_EQ(lwkt_take_interrupt(), EINTR); /* this one is nobody's any more */
	CHECK_EQ(lwkt_take_interrupt(), 0);
	CHECK_EQ(lwkt_nanosleep(1000), 0);
	atomic_store(&asleep, 1);
	CHECK_EQ(lwkt_nanosleep(UINT64_MAX), EINTR);
}

static void of_another_rfork(void)
{
	globaldata_t gd;
	lwkt_thread_t td;

	CHECK_EQ(lwkt_rfork_create(NULL, NULL, &gd, NULL), 0);
	td = start_on(gd, sleeps_until_interrupted, NULL, TDF_JOINABLE);
	while (!atomic_load(&asleep))
		usleep(100);
	CHECK_EQ(lwkt_interrupt(td), 0);
	CHECK_EQ(lwkt_join(td), 0);
	CHECK_EQ(lwkt_rfork_join(gd), 0);
}

int main(void)
{
	ON_RFORK(the_last_one_frees);
	ON_RFORK(longer_than_its_rfork);
	ON_RFORK(of_another_rfork);
	ON_RFORK(found_in_a_table);
	return 0;
}
