/*
 * trace.c - the record of what an rfork's threads do: that each runs when it is said to and never two at a time, why each stopped, that the oldest
 * is lost where there is no room and is counted, and that nothing of it stays when it is off.
 */
#define RFORKS 2
#include "rforks.h"

#define ROUNDS (10 * SCALE) /* that a thread travels between two rforks */

static struct lwkt_trace_event events[4096];
static unsigned nevents;

static void read_events(uint64_t lost)
{
	uint64_t have;

	nevents = lwkt_trace_read(events, 4096, &have);
	CHECK_EQ(have, lost);
}

/** Replays the record: who runs is known at each event, and time never goes back. */
static void check_alternation(void)
{
	int64_t running = -1;

	for (unsigned i = 0; i < nevents; i++) {
		const struct lwkt_trace_event *event = &events[i];

		CHECK(i == 0 || event->te_time >= events[i - 1].te_time);
		switch (event->te_kind) {
		case LWKT_TRACE_BEGIN:
		case LWKT_TRACE_RUN:
		case LWKT_TRACE_WAKE:
			CHECK_EQ(running, -1);
			running = (int64_t)event->te_td;
			break;
		case LWKT_TRACE_LEAVE:
		case LWKT_TRACE_END:
		case LWKT_TRACE_SLEEP:
			CHECK_EQ(running, (int64_t)event->te_td);
			running = -1;
			break;
		}
	}
}

static unsigned count(uint32_t kind, uint64_t td, const char *text)
{
	unsigned n = 0;

	for (unsigned i = 0; i < nevents; i++)
		n += events[i].te_kind == kind && (td == ~0ull || events[i].te_td == td) && (!text || strcmp(events[i].te_text, text) == 0);
	return n;
}

static void nothing(void *arg)
{
	(void)arg;
}

static void yields(void *arg)
{
	for (long i = 0; i < (long)arg; i++)
		CHECK_EQ(lwkt_switch(), 0);
}

static void blocks(void *arg)
{
	(void)arg;
	lwkt_trace_note(77);
	CHECK_EQ(lwkt_block("the test"), 0);
}

static void runs_and_waits(void)
{
	lwkt_thread_t waiter, untraced, a, b;
	uint64_t untraced_id, waiter_id, a_id, b_id;

	topic("runs, waits and ends");
	untraced = start(blocks, NULL, 0);
	untraced_id = untraced->td_id;
	run_all();
	waiter = start(blocks, NULL, 0);
	waiter_id = waiter->td_id;
	CHECK_EQ(lwkt_trace_start(4096), 0);
	run_all();
	a = start(yields, (void *)3L, 0);
	b = start(yields, (void *)3L, 0);
	a_id = a->td_id;
	b_id = b->td_id;
	run_all();
	for (int i = 0; i < 10; i++) /* one after the other on one stack */
		start(nothing, NULL, 0);
	lwkt_schedule(untraced); /* it has left the CPU before the trace began */
	lwkt_schedule(waiter);
	run_all();
	read_events(0);
	check_alternation();
	CHECK_EQ(count(LWKT_TRACE_LEAVE, waiter_id, "the test"), 1);
	CHECK_EQ(count(LWKT_TRACE_RUN, waiter_id, NULL), 1);
	CHECK_EQ(count(LWKT_TRACE_END, waiter_id, "userthread"), 1);
	CHECK_EQ(count(LWKT_TRACE_RUN, untraced_id, NULL), 1);
	CHECK_EQ(count(LWKT_TRACE_END, untraced_id, NULL), 1);
	CHECK_EQ(count(LWKT_TRACE_LEAVE, a_id, ""), 3);
	CHECK_EQ(count(LWKT_TRACE_RUN, a_id, NULL), 3);
	CHECK_EQ(count(LWKT_TRACE_LEAVE, b_id, ""), 3);
	CHECK_EQ(count(LWKT_TRACE_BEGIN, ~0ull, NULL), 13);
	CHECK_EQ(count(LWKT_TRACE_END, ~0ull, NULL), 14);
	CHECK_EQ(count(LWKT_TRACE_NAME, 0, "thread0"), 1);
	for (unsigned i = 0; i < nevents; i++)
		if (events[i].te_kind == LWKT_TRACE_LEAVE)
			CHECK_EQ(events[i].te_number, strcmp(events[i].te_text, "the test") == 0 ? 77 : 0);
	CHECK_EQ(lwkt_trace_stop(), 0);
}

static void off_is_off(void)
{
	void (*before)(struct lwkt_context *, struct lwkt_context *) = lwkt_thread0()->td_switch;
	void (*of_thread)(struct lwkt_context *, struct lwkt_context *);
	lwkt_thread_t suspended = start(blocks, NULL, 0), later;

	topic("off, no thread has another td_switch than before");
	run_all();
	of_thread = suspended->td_switch;
	CHECK_EQ(lwkt_trace_start(4096), 0);
	CHECK(lwkt_thread0()->td_switch != before);
	CHECK(suspended->td_switch != of_thread);
	later = start(blocks, NULL, 0);
	run_all();
	CHECK(later->td_switch != of_thread);
	CHECK_EQ(lwkt_trace_stop(), 0);
	CHECK(lwkt_thread0()->td_switch == before);
	CHECK(suspended->td_switch == of_thread);
	CHECK(later->td_switch == of_thread);
	read_events(0);
	CHECK_EQ(nevents, 0);
	lwkt_schedule(suspended);
	lwkt_schedule(later); /* it has left by the traced switch */
	run_all();
	CHECK_EQ(stats_now().st_alive, 0);
}

static unsigned switches; /* by a thread with a switch of its own */

/* With something to keep on the stack, across the switch. */
static void counts(struct lwkt_context *from, struct lwkt_context *to)
{
	volatile unsigned kept = ++switches;

	lwkt_light_switch(from, to);
	CHECK(kept <= switches);
	CHECK(&lwkt_curthread()->td_ctx == from);
}

static void a_switch_of_ones_own(void)
{
	struct lwkt_create_args args = {.priority = -1, .swtch = counts};
	lwkt_thread_t td;

	topic("a thread with a td_switch of its own has it traced, and before and after");
	switches = 0;
	CHECK_EQ(lwkt_create(yields, (void *)6L, &td, &args), 0);
	CHECK(td->td_switch == counts);
	start(yields, (void *)6L, 0);
	for (int i = 0; i < 2; i++) {
		CHECK_EQ(lwkt_create(blocks, NULL, &td, &args), 0);
		run_all();
		CHECK_EQ(lwkt_trace_start(4096), 0);
		CHECK(td->td_switch != counts);
		CHECK_EQ(lwkt_schedule(td), 0);
		if (i == 0)
			run_all();
		CHECK_EQ(lwkt_trace_stop(), 0);
		CHECK(i == 0 || td->td_switch == counts);
		run_all();
	}
	CHECK_EQ(stats_now().st_alive, 0);
	CHECK_EQ(switches, 6 + 2);
	CHECK_EQ(lwkt_trace_start(4096), 0);
	CHECK_EQ(lwkt_create(yields, (void *)3L, &td, &args), 0);
	start(yields, (void *)3L, 0);
	run_all();
	CHECK_EQ(switches, 6 + 2 + 3);
	CHECK_EQ(lwkt_trace_stop(), 0);
}

static void oldest_are_lost(void)
{
	topic("where there is no room the oldest is lost, and counted");
	CHECK_EQ(lwkt_trace_start(LWKT_TRACE_EVENTS_MIN), 0);
	read_events(0);
	for (unsigned i = 0; i < 2 * LWKT_TRACE_EVENTS_MIN + 3; i++)
		CHECK_EQ(lwkt_trace_mark(LWKT_TRACE_MARK + 1, 5, i, 0), 0);
	read_events(LWKT_TRACE_EVENTS_MIN + 3);
	CHECK_EQ(nevents, LWKT_TRACE_EVENTS_MIN);
	for (unsigned i = 0; i < nevents; i++)
		CHECK_EQ(events[i].te_number, LWKT_TRACE_EVENTS_MIN + 3 + i);
	CHECK_EQ(lwkt_trace_mark(LWKT_TRACE_MARK, 5, 1, 123), 0);
	read_events(LWKT_TRACE_EVENTS_MIN + 3);
	CHECK_EQ(nevents, 1);
	CHECK_EQ(events[0].te_time, 123);
	CHECK_EQ(events[0].te_cpu, 5);
	CHECK_EQ(lwkt_trace_stop(), 0);
}

static void misuse(void)
{
	topic("misuse");
	CHECK_EQ(lwkt_trace_stop(), ESRCH);
	CHECK_EQ(lwkt_trace_mark(LWKT_TRACE_MARK, 0, 0, 0), ESRCH);
	CHECK_EQ(lwkt_trace_start(LWKT_TRACE_EVENTS_MIN - 1), EINVAL);
	CHECK_EQ(lwkt_trace_start(LWKT_TRACE_EVENTS_MAX + 1), EINVAL);
	CHECK_EQ(lwkt_trace_start(64), 0);
	CHECK_EQ(lwkt_trace_start(64), EBUSY);
	CHECK_EQ(lwkt_trace_mark(LWKT_TRACE_MARK - 1, 0, 0, 0), EINVAL);
	CHECK_EQ(lwkt_trace_stop(), 0);
}

/* Another rfork's record, read there. */

static void starts_trace(void *arg)
{
	(void)arg;
	CHECK_EQ(lwkt_trace_start(4096), 0);
}

static void reads_trace(void *arg)
{
	(void)arg;
	read_events(0);
	CHECK_EQ(lwkt_trace_stop(), 0);
}

static void travels(void *arg)
{
	(void)arg;
	for (int i = 0; i < 2 * ROUNDS; i++)
		CHECK_EQ(lwkt_setcpu_self(rforks[i % 2]), 0);
}

static lwkt_thread_t travels_by(globaldata_t rfork)
{
	return start_on(rfork, travels, NULL, TDF_JOINABLE);
}

static void several_rforks(void)
{
	uint64_t seq;

	topic("IPI messages, and threads that come from rforks that are not traced and go there");
	begin_rforks();
	CHECK_EQ(lwkt_join(start_on(rforks[0], starts_trace, NULL, TDF_JOINABLE)), 0);
	CHECK_EQ(lwkt_join(travels_by(rforks[1])), 0);
	CHECK_EQ(lwkt_join(travels_by(rforks[0])), 0);
	CHECK_EQ(lwkt_send_ipiq(rforks[0], nothing, NULL, &seq), 0);
	CHECK_EQ(lwkt_wait_ipiq(rforks[0], seq), 0);
	CHECK_EQ(lwkt_join(start_on(rforks[0], reads_trace, NULL, TDF_JOINABLE)), 0);
	check_alternation();
	CHECK(count(LWKT_TRACE_IPI_RUN, ~0ull, NULL) >= 2 * ROUNDS - 1); /* who begins there need not go there first */
	CHECK(count(LWKT_TRACE_IPI_SEND, ~0ull, NULL) >= 2 * ROUNDS - 1);
	CHECK(count(LWKT_TRACE_LEAVE, ~0ull, "migration") >= 2 * ROUNDS - 1);
	for (unsigned i = 0; i < nevents; i++)
		if (events[i].te_kind == LWKT_TRACE_IPI_RUN && events[i].te_number == (uintptr_t)nothing)
			goto found;
	CHECK(!"the IPI message's function is in the record");
found:
	end_rforks();
}

int main(void)
{
	CHECK_EQ(lwkt_cpu_init(), 0);
	misuse();
	runs_and_waits();
	off_is_off();
	a_switch_of_ones_own();
	oldest_are_lost();
	several_rforks();
	CHECK_EQ(lwkt_trace_start(64), 0); /* lwkt_cpu_fini ends it */
	CHECK_EQ(lwkt_cpu_fini(), 0);
	return 0;
}
