/*
 * join.c - waiting for a thread's end: before and after it, from threads and from thread0, and what becomes of threads that nobody joins.
 */
#include "check.h"

static int ended, joined;

static void ends(void *arg)
{
	for (long i = 0; i < (long)arg; i++)
		lwkt_yield();
	ended++;
}

static void sleeps(void *arg)
{
	(void)arg;
	lwkt_block("test");
	ended++;
}

static void joins(void *arg)
{
	CHECK_EQ(lwkt_join(arg), 0);
	joined++;
}

static void before_and_after(void)
{
	lwkt_thread_t td = start(ends, (void *)5L, TDF_JOINABLE), joiner;

	CHECK_EQ(lwkt_join(td), 0);
	CHECK_EQ(ended, 1);
	td = start(ends, NULL, TDF_JOINABLE);
	run_all();
	CHECK_EQ(ended, 2);
	CHECK_EQ(stats_now().st_alive, 0);
	CHECK(td->td_flags & TDF_EXITING); /* still there */
	CHECK_EQ(lwkt_join(td), 0);
	td = start(sleeps, NULL, TDF_JOINABLE);
	joiner = start(joins, td, 0);
	run_all();
	CHECK_EQ(joined, 0);
	CHECK_EQ(lwkt_schedule(joiner), 0); /* woken for nothing */
	run_all();
	CHECK_EQ(joined, 0);
	CHECK_EQ(lwkt_schedule(td), 0);
	run_all();
	CHECK_EQ(joined, 1);
}

static void joins_itself(void *arg)
{
	CHECK_EQ(lwkt_join(lwkt_curthread()), EDEADLK);
	CHECK_EQ(lwkt_join(*(lwkt_thread_t *)arg), EBUSY);
	joined++;
}

static void refusals(void)
{
	lwkt_thread_t td = start(sleeps, NULL, TDF_JOINABLE), other = start(sleeps, NULL, 0);

	joined = 0;
	run_all();
	CHECK_EQ(lwkt_join(td), EDEADLK); /* thread0, and nobody can run */
	CHECK(td->td_join == NULL);
	CHECK_EQ(lwkt_join(other), EINVAL);
	CHECK_EQ(lwkt_join(lwkt_thread0()), EDEADLK);
	start(joins, td, 0);
	run_all();
	CHECK_EQ(lwkt_join(td), EBUSY);
	start(joins_itself, &td, 0);
	run_all();
	CHECK_EQ(joined, 1);
	CHECK_EQ(lwkt_schedule(td), 0);
	CHECK_EQ(lwkt_schedule(other), 0);
	run_all();
	CHECK_EQ(joined, 2);
}

static void many(void)
{
	lwkt_thread_t all[500];

	ended = joined = 0;
	for (long i = 0; i < 500; i++)
		all[i] = start(ends, (void *)(i % 7), TDF_JOINABLE);
	for (int i = 499; i >= 0; i--) {
		if (i % 2)
			start(joins, all[i], 0);
		else
			CHECK_EQ(lwkt_join(all[i]), 0);
	}
	run_all();
	CHECK_EQ(ended, 500);
	CHECK_EQ(joined, 250);
}

/* That they are released with the rfork is looked at in failures.c. */
static void nobody_joins(void)
{
	ended = 0;
	for (int i = 0; i < 10; i++)
		start(ends, NULL, TDF_JOINABLE);
	run_all();
	CHECK_EQ(ended, 10);
}

int main(void)
{
	ON_RFORK(before_and_after);
	ON_RFORK(refusals);
	ON_RFORK(many);
	ON_RFORK(nobody_joins);
	return 0;
}
