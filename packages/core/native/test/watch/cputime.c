/*
 * cputime.c - how long threads have run: to the nanosecond, on a clock that only the threads themselves move; and that nothing of the count stays when it is
 * off, nor when a trace ends that ran beside it.
 */
#include <time.h>

#define RFORKS 2
#include "rforks.h"

static bool clock_is_ours;
static uint64_t our_time = 1000000000u;

int __real_clock_gettime(clockid_t clock, struct timespec *ts);
int __wrap_clock_gettime(clockid_t clock, struct timespec *ts);
int __wrap_clock_gettime(clockid_t clock, struct timespec *ts)
{
	if (!clock_is_ours || clock != CLOCK_MONOTONIC)
		return __real_clock_gettime(clock, ts);
	ts->tv_sec = (time_t)(our_time / 1000000000u);
	ts->tv_nsec = (long)(our_time % 1000000000u);
	return 0;
}

static void yields(void *arg)
{
	for (int i = 0; i < 3; i++) {
		our_time += (uint64_t)(uintptr_t)arg;
		CHECK_EQ(lwkt_switch(), 0);
	}
}

static void blocks(void *arg)
{
	our_time += (uint64_t)(uintptr_t)arg;
	CHECK_EQ(lwkt_block("the test"), 0);
	our_time += (uint64_t)(uintptr_t)arg;
}

static void asks_itself(void *arg)
{
	uint64_t before = lwkt_cputime(lwkt_curthread());

	(void)arg;
	our_time += 11;
	CHECK_EQ(lwkt_cputime(lwkt_curthread()), before + 11);
	CHECK_EQ(lwkt_cputime(lwkt_curthread()), before + 11);
}

static void ends_at_once(void *arg)
{
	our_time += (uint64_t)(uintptr_t)arg;
}

static void each_has_its_own(void)
{
	lwkt_thread_t early, a, b;

	topic("each thread has the time that passed while it ran, thread0 too");
	early = start(blocks, (void *)1000000L, 0);
	run_all();
	CHECK_EQ(lwkt_cputime(early), 0);
	CHECK_EQ(lwkt_cputime_counted(), 0);
	CHECK_EQ(lwkt_cputime_start(), 0);
	CHECK_EQ(lwkt_cputime_start(), EALREADY);
	a = start(yields, (void *)10L, TDF_JOINABLE);
	b = start(yields, (void *)100L, TDF_JOINABLE);
	our_time += 5;
	run_all();
	CHECK_EQ(lwkt_cputime(a), 30);
	CHECK_EQ(lwkt_cputime(b), 300);
	CHECK_EQ(lwkt_cputime(lwkt_thread0()), 5);
	CHECK_EQ(lwkt_cputime(early), 0); /* it has left the CPU before */
	lwkt_schedule(early);
	for (int i = 0; i < 3; i++) /* one after the other on one stack */
		start(ends_at_once, (void *)7L, 0);
	start(asks_itself, NULL, 0);
	run_all();
	lwkt_cputime_idle(1);
	our_time += 1000;
	lwkt_cputime_idle(0);
	our_time += 2;
	CHECK_EQ(lwkt_cputime(lwkt_thread0()), 7);
	CHECK_EQ(lwkt_cputime_counted(), 5 + 330 + 1000000 + 21 + 11 + 1000 + 2);
	CHECK_EQ(lwkt_join(a), 0);
	CHECK_EQ(lwkt_join(b), 0);
	CHECK_EQ(lwkt_cputime_stop(), 0);
	CHECK_EQ(lwkt_cputime_stop(), ESRCH);
}

static void begins_at_zero(void)
{
	lwkt_thread_t td = start(blocks, (void *)10L, TDF_JOINABLE);

	topic("off, it stays as it is; on again, it begins at zero");
	CHECK_EQ(lwkt_cputime_start(), 0);
	run_all();
	CHECK_EQ(lwkt_cputime(td), 10);
	CHECK_EQ(lwkt_cputime_stop(), 0);
	our_time += 500;
	CHECK_EQ(lwkt_cputime(td), 10);
	CHECK_EQ(lwkt_cputime_start(), 0);
	CHECK_EQ(lwkt_cputime(td), 0);
	CHECK_EQ(lwkt_cputime(lwkt_thread0()), 0);
	lwkt_schedule(td);
	run_all();
	CHECK_EQ(lwkt_cputime(td), 10);
	CHECK_EQ(lwkt_cputime_stop(), 0);
	CHECK_EQ(lwkt_join(td), 0);
}

static void beside_a_trace(void)
{
	void (*of_thread0)(struct lwkt_context *, struct lwkt_context *) = lwkt_thread0()->td_switch;
	void (*of_thread)(struct lwkt_context *, struct lwkt_context *);
	struct lwkt_trace_event events[64];
	lwkt_thread_t td = start(blocks, (void *)10L, 0);

	topic("beside a trace, whichever ends first; then no thread has another td_switch than before");
	of_thread = td->td_switch;
	for (int trace_first = 0; trace_first < 2; trace_first++) {
		CHECK_EQ(lwkt_cputime_start(), 0);
		CHECK_EQ(lwkt_trace_start(64), 0);
		lwkt_schedule(td);
		run_all();
		CHECK(lwkt_trace_read(events, 64, NULL) > 3);
		CHECK_EQ(trace_first ? lwkt_trace_stop() : lwkt_cputime_stop(), 0);
		CHECK(lwkt_thread0()->td_switch != of_thread0);
		CHECK_EQ(trace_first ? lwkt_cputime_stop() : lwkt_trace_stop(), 0);
		CHECK(lwkt_thread0()->td_switch == of_thread0);
		if (!trace_first)
			CHECK(td->td_switch == of_thread);
	}
	CHECK_EQ(stats_now().st_alive, 0);
}

/* Another rfork's count, on the real clock: nothing here says how much. */

static void counts(void *arg)
{
	(void)arg;
	CHECK_EQ(lwkt_cputime_start(), 0);
}

static void travels(void *arg)
{
	(void)arg;
	for (int i = 0; i < 20 * SCALE; i++)
		CHECK_EQ(lwkt_setcpu_self(rforks[i % 2]), 0);
	CHECK_EQ(lwkt_setcpu_self(rforks[0]), 0);
	CHECK(lwkt_cputime(lwkt_curthread()) > 0);
	CHECK(lwkt_cputime_counted() > lwkt_cputime(lwkt_curthread()));
	CHECK(lwkt_cputime(lwkt_thread0()) < lwkt_cputime_counted());
	CHECK_EQ(lwkt_cputime_stop(), 0);
}

static void several_rforks(void)
{
	topic("threads that come from rforks that do not count, and go there");
	begin_rforks();
	CHECK_EQ(lwkt_join(start_on(rforks[0], counts, NULL, TDF_JOINABLE)), 0);
	CHECK_EQ(lwkt_join(start_on(rforks[1], travels, NULL, TDF_JOINABLE)), 0);
	CHECK(stats_now().st_ipis_sent > 0);
	CHECK(stats_now().st_ipis > 0);
	end_rforks();
}

int main(void)
{
	CHECK_EQ(lwkt_cpu_init(), 0);
	clock_is_ours = true;
	each_has_its_own();
	begins_at_zero();
	beside_a_trace();
	clock_is_ours = false;
	several_rforks();
	CHECK_EQ(lwkt_cputime_start(), 0); /* lwkt_cpu_fini ends it */
	CHECK_EQ(lwkt_cpu_fini(), 0);
	return 0;
}
