/*
 * timers.c - timed waits: who is woken, in which order, by what; what the clock costs those who have no timer; and timers of several rforks
 * that are cancelled, and fire, at the same moment. Also under ThreadSanitizer.
 *
 * Where the order matters the clock is the test's own: it stands still until the test moves it. Nothing here says how late anybody may be.
 */
#include <stdatomic.h>

#define RFORKS 3
#include "random.h"
#include "rforks.h"

#define NS 1u
#define MS 1000000u
#define HOUR (3600ull * 1000 * MS)

/* ---------------------------------------------------------------- the clock */

static bool clock_is_ours;
static uint64_t our_time;
static unsigned looks; /* at our clock */

int __real_clock_gettime(clockid_t clock, struct timespec *ts);
int __wrap_clock_gettime(clockid_t clock, struct timespec *ts);
int __wrap_clock_gettime(clockid_t clock, struct timespec *ts)
{
	if (!clock_is_ours || clock != CLOCK_MONOTONIC)
		return __real_clock_gettime(clock, ts);
	looks++;
	ts->tv_sec = (time_t)(our_time / 1000000000u);
	ts->tv_nsec = (long)(our_time % 1000000000u);
	return 0;
}

static void stop_clock(void)
{
	clock_is_ours = true;
	our_time = 1000ull * 1000000000u;
	looks = 0;
}

static void start_clock(void)
{
	clock_is_ours = false;
}

static uint64_t real_time(void)
{
	struct timespec ts;

	__real_clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/* ---------------------------------------------------------------- the order */

#ifdef __SANITIZE_THREAD__
#define SLEEPERS 1000 /* it can't have more than some 8,000 stacks */
#else
#define SLEEPERS 10000
#endif

enum how { SLEEPS, BLOCKS, IS_INTERRUPTED, IS_SCHEDULED };

struct sleeper {
	lwkt_thread_t td;
	uint64_t deadline;
	enum how how;
	bool woken;
};

static struct sleeper sleepers[SLEEPERS];
static uint64_t last_woken;
static unsigned woken;

static void sleeper_main(void *arg)
{
	struct sleeper *self = arg;
	uint64_t ns = self->deadline - our_time;

	if (self->how == SLEEPS)
		CHECK_EQ(lwkt_nanosleep(ns), 0);
	else if (self->how == BLOCKS)
		CHECK_EQ(lwkt_block_timed("test", ns), EWOULDBLOCK);
	else if (self->how == IS_INTERRUPTED)
		CHECK_EQ(lwkt_nanosleep(ns), EINTR);
	else
		CHECK_EQ(lwkt_block_timed("test", ns), 0);
	CHECK_EQ(lwkt_curthread()->td_flags & (TDF_TIMEOUT | TDF_INTR), 0);
	CHECK(!self->woken);
	self->woken = true;
	woken++;
	if (self->how == SLEEPS || self->how == BLOCKS) {
		CHECK(our_time >= self->deadline);
		CHECK(self->deadline >= last_woken);
		last_woken = self->deadline;
	}
}

/** The earliest deadline of those who sleep, UINT64_MAX where nobody does. */
static uint64_t earliest(void)
{
	uint64_t first = UINT64_MAX;

	for (unsigned i = 0; i < SLEEPERS; i++)
		if (!sleepers[i].woken && sleepers[i].deadline < first)
			first = sleepers[i].deadline;
	return first;
}

/** Ends one wait before its time. */
static void cancel(struct sleeper *sleeper)
{
	if (sleeper->woken)
		return;
	if (sleeper->how == SLEEPS) /* it goes on */
		CHECK_EQ(lwkt_schedule(sleeper->td), 0);
	else if (sleeper->how == IS_INTERRUPTED)
		CHECK_EQ(lwkt_interrupt(sleeper->td), 0);
	else if (sleeper->how == IS_SCHEDULED)
		CHECK_EQ(lwkt_schedule(sleeper->td), 0);
}

static void ten_thousand(void)
{
	uint64_t random = seed_of(0);
	unsigned steps = 0;

	stop_clock();
	last_woken = 0;
	woken = 0;
	for (unsigned i = 0; i < SLEEPERS; i++) {
		struct sleeper *sleeper = &sleepers[i];

		*sleeper = (struct sleeper){.how = (enum how)random_below(&random, 4)};
		sleeper->deadline = our_time + random_below(&random, i % 8 ? 1000 * MS : 100); /* some at the same time */
		if (sleeper->how >= IS_INTERRUPTED)
			sleeper->deadline += HOUR; /* the others are long over */
		sleeper->td = start(sleeper_main, sleeper, 0);
	}
	run_all();
	while (earliest() < our_time + HOUR / 2) {
		uint64_t next = lwkt_next_timer(), first = earliest();

		CHECK_EQ(next, first > our_time ? first - our_time : 0);
		CHECK_EQ(stats_now().st_timers, SLEEPERS - woken);
		CHECK_EQ(stats_now().st_alive, SLEEPERS - woken);
		if (steps++ % 3 == 0)
			for (unsigned i = 0; i < SLEEPERS / 100; i++)
				cancel(&sleepers[random_below(&random, SLEEPERS)]);
		run_all(); /* who is runnable already would run out of turn */
		our_time += random_below(&random, 4) ? next + random_below(&random, 5 * MS) : next ? next - 1 : 0;
		run_all();
		CHECK(earliest() > our_time);
	}
	for (unsigned i = 0; i < SLEEPERS; i++)
		cancel(&sleepers[i]);
	run_all();
	CHECK_EQ(woken, SLEEPERS);
	CHECK_EQ(stats_now().st_timers, 0);
	CHECK_EQ(lwkt_next_timer(), UINT64_MAX);
	start_clock();
}

/* ---------------------------------------------------------------- the clock's price */

static bool stop;

static void yields(void *arg)
{
	for (unsigned i = 0; i < (uintptr_t)arg; i++)
		lwkt_yield();
}

static void yields_until_stopped(void *arg)
{
	(void)arg;
	while (!stop)
		lwkt_yield();
}

static void sleeps_then_stops(void *arg)
{
	CHECK_EQ(lwkt_nanosleep((uintptr_t)arg), 0);
	stop = true;
}

/* A timer that is stopped in the middle of a pass leaves no clock to look at. */
static void stops_timer(void *arg)
{
	CHECK_EQ(lwkt_schedule(arg), 0);
	lwkt_yield();
	looks = 0;
	lwkt_yield();
	for (int i = 0; i < 1000; i++)
		lwkt_yield();
	CHECK_EQ(looks, 0);
}

static void waits_an_hour(void *arg)
{
	(void)arg;
	CHECK_EQ(lwkt_block_timed("test", HOUR), 0);
}

static void looks_at_clock(void)
{
	const unsigned turns = 16000;
	lwkt_thread_t td;

	stop_clock();
	start(yields, (void *)(uintptr_t)turns, 0);
	start(yields, (void *)(uintptr_t)turns, 0);
	run_all();
	CHECK_EQ(looks, 0); /* nobody has a timer */
	stop = false;
	td = start(sleeps_then_stops, (void *)(uintptr_t)HOUR, 0);
	run_all();
	CHECK_EQ(lwkt_next_timer(), HOUR);
	looks = 0;
	start(yields, (void *)(uintptr_t)turns, 0);
	start(yields, (void *)(uintptr_t)turns, 0);
	run_all();
	CHECK(looks > 0);
	CHECK(looks < turns / 2);
	CHECK(!stop);
	our_time += HOUR - 1;
	run_all();
	CHECK_EQ(lwkt_next_timer(), 1);
	CHECK(!stop);
	our_time++;
	CHECK_EQ(lwkt_next_timer(), 0);
	CHECK(td->td_flags & TDF_RUNQ ? false : true); /* only a dispatch fires it */
	run_all();
	CHECK(stop);
	looks = 0;
	start(yields, (void *)(uintptr_t)turns, 0);
	run_all();
	CHECK_EQ(looks, 0); /* it is over */
	start(stops_timer, start(waits_an_hour, NULL, 0), 0);
	start(yields, (void *)(uintptr_t)turns, 0);
	run_all();
	start_clock();
}

static void while_others_yield(void)
{
	stop = false;
	start(yields_until_stopped, NULL, 0);
	start(sleeps_then_stops, (void *)(uintptr_t)MS, 0);
	run_all(); /* one alone */
	CHECK(stop);
	stop = false;
	for (int i = 0; i < 3; i++)
		start(yields_until_stopped, NULL, 0);
	start(sleeps_then_stops, (void *)(uintptr_t)MS, 0);
	run_all();
	CHECK(stop);
	stop = false;
	for (int i = 0; i < 3; i++)
		start(yields_until_stopped, NULL, 0);
	start(sleeps_then_stops, (void *)(uintptr_t)MS, 0);
	while (lwkt_dispatch(10 * 1000) || lwkt_next_timer() != UINT64_MAX)
		; /* passes much shorter than the sleep */
	CHECK(stop);
	CHECK_EQ(stats_now().st_timeouts, 3);
}

/* ---------------------------------------------------------------- ends of a wait */

static int step;

static void waits_for_schedule(void *arg)
{
	CHECK_EQ(lwkt_block_timed("test", (uintptr_t)arg), 0);
	CHECK_EQ(lwkt_curthread()->td_timer.tm_deadline, 0);
	step++;
}

static void no_time_at_all(void *arg)
{
	(void)arg;
	CHECK_EQ(lwkt_block_timed("test", 0), EWOULDBLOCK);
	CHECK_EQ(lwkt_nanosleep(0), 0);
	step++;
}

static void interrupted_before(void *arg)
{
	(void)arg;
	CHECK_EQ(lwkt_interrupt(lwkt_curthread()), 0);
	CHECK_EQ(lwkt_nanosleep(UINT64_MAX), EINTR);
	CHECK_EQ(lwkt_nanosleep(1), 0); /* it is used up */
	step++;
}

static void in_function(void *arg)
{
	int error;

	(void)arg;
	CHECK_EQ(lwkt_block_timed("test", 1), EDEADLK);
	CHECK_EQ(lwkt_nanosleep(1), EDEADLK);
	CHECK(lwkt_waitport_timed(&lwkt_curthread()->td_msgport, 1, &error) == NULL);
	CHECK_EQ(error, EDEADLK);
	step++;
}

static void sends_function(void *arg)
{
	(void)arg;
	CHECK_EQ(lwkt_nanosleep(1000), 0);
	CHECK_EQ(lwkt_send_ipiq(lwkt_mycpu(), in_function, NULL, NULL), 0);
}

static void ends(void)
{
	lwkt_thread_t td;

	step = 0;
	td = start(waits_for_schedule, (void *)(uintptr_t)HOUR, 0);
	run_all();
	CHECK_EQ(stats_now().st_timers, 1);
	CHECK_EQ(lwkt_schedule(td), 0);
	run_all();
	td = start(waits_for_schedule, (void *)(uintptr_t)(UINT64_MAX - 1), 0); /* some 584 years */
	run_all();
	CHECK(lwkt_next_timer() > HOUR);
	CHECK_EQ(lwkt_schedule(td), 0);
	run_all();
	td = start(waits_for_schedule, (void *)(uintptr_t)UINT64_MAX, 0);
	run_all();
	CHECK_EQ(lwkt_next_timer(), UINT64_MAX);
	CHECK_EQ(lwkt_schedule(td), 0);
	run_all();
	CHECK_EQ(step, 3);
	CHECK_EQ(stats_now().st_timeouts, 0);
	td = start(no_time_at_all, NULL, TDF_JOINABLE);
	CHECK_EQ(lwkt_join(td), 0); /* sleeps in the kernel until then: there is no other rfork, and yet something to wait for */
	td = start(interrupted_before, NULL, TDF_JOINABLE);
	CHECK_EQ(lwkt_join(td), 0);
	CHECK_EQ(step, 5);
	CHECK_EQ(stats_now().st_timers, 0);
}

static void never(struct lwkt_context *from, struct lwkt_context *to)
{
	lwkt_light_switch(from, to);
}

static void on_thread0(void)
{
	uint64_t before = real_time();

	step = 0;
	CHECK_EQ(lwkt_nanosleep(MS), 0);
	CHECK(real_time() >= before + MS);
	CHECK(stats_now().st_sleeps > 0);
	CHECK(stats_now().st_sleep_ns > 0);
	while (lwkt_block_timed("test", MS) == 0)
		;
	stop = false;
	start(yields_until_stopped, NULL, 0);
	start(yields_until_stopped, NULL, 0);
	CHECK_EQ(lwkt_nanosleep(MS), 0); /* though others never stop */
	CHECK_EQ(lwkt_runnable(), 2);
	stop = true;
	start(sends_function, NULL, 0);
	CHECK_EQ(lwkt_nanosleep(MS), 0); /* what is refused to the function leaves our own timer alone */
	run_all();
	CHECK_EQ(lwkt_send_ipiq(lwkt_mycpu(), in_function, NULL, NULL), 0);
	lwkt_thread0_is_loop(never, NULL);
	CHECK_EQ(lwkt_nanosleep(1), EDEADLK);
	CHECK_EQ(lwkt_block_timed("test", 1), EDEADLK);
	lwkt_thread0_is_loop(NULL, NULL);
	CHECK_EQ(stats_now().st_timers, 0);
}

/* ---------------------------------------------------------------- ports */

static struct lwkt_msg letter;
static lwkt_port_t server;

static void serves_late(void *arg)
{
	lwkt_msg_t msg;
	int error;

	(void)arg;
	server = &lwkt_curthread()->td_msgport;
	CHECK(lwkt_waitport_timed(server, MS, &error) == NULL);
	CHECK_EQ(error, EWOULDBLOCK);
	msg = lwkt_waitport_timed(server, HOUR, &error);
	CHECK(msg == &letter);
	CHECK_EQ(error, 0);
	CHECK_EQ(lwkt_curthread()->td_timer.tm_deadline, 0);
	CHECK_EQ(lwkt_nanosleep(MS), 0);
	CHECK_EQ(lwkt_replymsg(msg, 7), 0);
}

static void asks(void *arg)
{
	int error;

	(void)arg;
	CHECK_EQ(lwkt_nanosleep(3 * MS), 0);
	lwkt_initmsg(&letter, NULL, 0);
	CHECK_EQ(lwkt_waitmsg_timed(&letter, 1), EINVAL); /* never sent */
	CHECK_EQ(lwkt_sendmsg(server, &letter), 0);
	CHECK_EQ(lwkt_waitmsg_timed(&letter, 1000), EWOULDBLOCK);
	CHECK(!lwkt_checkmsg(&letter));
	CHECK_EQ(lwkt_waitmsg_timed(&letter, HOUR), 7);
	CHECK_EQ(lwkt_waitmsg_timed(&letter, 0), 7);
	CHECK(lwkt_waitport_timed(&lwkt_curthread()->td_msgport, 0, &error) == NULL); /* waitmsg took it off */
	CHECK_EQ(error, EWOULDBLOCK);
	CHECK(lwkt_waitport_timed(&lwkt_thread0()->td_msgport, 0, &error) == NULL);
	CHECK_EQ(error, EPERM);
	step++;
}

static void ports(void)
{
	lwkt_thread_t td;

	step = 0;
	start(serves_late, NULL, 0);
	td = start(asks, NULL, TDF_JOINABLE);
	CHECK_EQ(lwkt_join(td), 0);
	run_all();
	CHECK_EQ(step, 1);
}

/* A message that comes when the time is up already is taken. */
static void gets_it(void *arg)
{
	int error;

	(void)arg;
	CHECK(lwkt_waitport_timed(&lwkt_curthread()->td_msgport, MS, &error) == &letter);
	CHECK_EQ(error, 0);
	CHECK_EQ(lwkt_curthread()->td_flags & TDF_TIMEOUT, 0);
	CHECK_EQ(lwkt_replymsg(&letter, 0), 0);
}

static void sends_it(void *arg)
{
	CHECK_EQ(lwkt_block_timed("test", MS / 2), EWOULDBLOCK);
	lwkt_initmsg(&letter, NULL, 0);
	CHECK_EQ(lwkt_sendmsg(&((lwkt_thread_t)arg)->td_msgport, &letter), 0);
	CHECK_EQ(lwkt_waitmsg(&letter), 0);
	step++;
}

static void message_and_timeout(void)
{
	stop_clock();
	step = 0;
	start(sends_it, start(gets_it, NULL, 0), 0);
	run_all();
	our_time += 2 * MS; /* the time of both is up in one dispatch: the first that fires sends to the second */
	run_all();
	CHECK_EQ(step, 1);
	start_clock();
}

/* Sections nest: a vector that sleeps by itself, and then waits as before. */
static lwkt_msg_t (*plain_waitport)(lwkt_port_t port);
static uint64_t inner_sleep;

static lwkt_msg_t sleepy_waitport(lwkt_port_t port)
{
	CHECK_EQ(lwkt_nanosleep(inner_sleep), 0);
	return plain_waitport(port);
}

static lwkt_msg_t leaving_waitport(lwkt_port_t port)
{
	(void)port;
	lwkt_exit();
	return NULL;
}

static void nests(void *arg)
{
	lwkt_port_t port = &lwkt_curthread()->td_msgport;
	int error;

	(void)arg;
	plain_waitport = port->mp_waitport;
	port->mp_waitport = sleepy_waitport;
	inner_sleep = 5;
	CHECK(lwkt_waitport_timed(port, 10, &error) == NULL); /* the inner one ends first */
	CHECK_EQ(error, EWOULDBLOCK);
	CHECK_EQ(our_time % 1000, 10);
	step++;
	inner_sleep = 20;
	CHECK(lwkt_waitport_timed(port, 10, &error) == NULL); /* and last: it is not cut short */
	CHECK_EQ(error, EWOULDBLOCK);
	CHECK_EQ(our_time % 1000, 30);
	step++;
	port->mp_waitport = leaving_waitport;
	lwkt_waitport_timed(port, 10, NULL);
	CHECK(!"it has exited");
}

static void nested(void)
{
	stop_clock();
	step = 0;
	start(nests, NULL, 0);
	run_all();
	for (unsigned i = 0; i < 100; i++) {
		our_time++;
		run_all();
		run_all(); /* a timer that is late when it begins fires in the next */
	}
	CHECK_EQ(step, 2);
	CHECK_EQ(stats_now().st_timers, 0);
	CHECK_EQ(lwkt_next_timer(), UINT64_MAX);
	start_clock();
}

/* ---------------------------------------------------------------- several rforks */

static void sleeps_an_hour(void *arg)
{
	(void)arg;
	CHECK_EQ(lwkt_nanosleep(HOUR), EINTR);
}

static void sleeps_two_ms(void *arg)
{
	uint64_t before = real_time();

	(void)arg;
	CHECK_EQ(lwkt_nanosleep(2 * MS), 0);
	CHECK(real_time() >= before + 2 * MS);
}

static void interrupts(void *arg)
{
	CHECK_EQ(lwkt_interrupt(arg), 0);
}

static void idle_rfork(void)
{
	lwkt_thread_t far[RFORKS], near[RFORKS];

	begin_rforks();
	for (int i = 0; i < RFORKS; i++) {
		far[i] = start_on(rforks[i], sleeps_an_hour, NULL, TDF_JOINABLE);
		near[i] = start_on(rforks[i], sleeps_two_ms, NULL, TDF_JOINABLE);
	}
	for (int i = 0; i < RFORKS; i++)
		CHECK_EQ(lwkt_join(near[i]), 0); /* nobody else wakes that rfork */
	for (int i = 0; i < RFORKS; i++) {
		CHECK_EQ(lwkt_send_ipiq(rforks[i], interrupts, far[i], NULL), 0);
		CHECK_EQ(lwkt_join(far[i]), 0);
	}
	end_rforks();
}

/* A thread that is given away in the middle of a timed wait has its timer where it lives then. */
static globaldata_t gone_to;
static _Atomic int arrived;

static void wanders(void *arg)
{
	(void)arg;
	CHECK_EQ(lwkt_block_timed("test", 5 * MS), EWOULDBLOCK);
	CHECK(lwkt_mycpu() == gone_to);
	CHECK_EQ(stats_now().st_timers, 0);
	atomic_store(&arrived, 1);
	CHECK_EQ(lwkt_block_timed("test", HOUR), 0); /* no switch in between: who sees `arrived` finds it waiting */
	CHECK_EQ(lwkt_setcpu_self(rforks[0]), 0);
	CHECK_EQ(lwkt_nanosleep(MS), 0);
}

static void takes(void *arg)
{
	CHECK_EQ(lwkt_acquire(arg), 0);
	CHECK_EQ(stats_now().st_timers, 1);
}

static void sees_none(void *arg)
{
	(void)arg;
	CHECK_EQ(stats_now().st_timers, 0);
}

static void given_away(void)
{
	lwkt_thread_t td;

	begin_rforks();
	atomic_store(&arrived, 0);
	gone_to = rforks[1];
	td = start(wanders, NULL, TDF_JOINABLE);
	run_all();
	CHECK_EQ(stats_now().st_timers, 1);
	CHECK_EQ(lwkt_giveaway(td), 0);
	CHECK_EQ(stats_now().st_timers, 0);
	CHECK_EQ(lwkt_next_timer(), UINT64_MAX);
	CHECK_EQ(lwkt_send_ipiq(rforks[1], takes, td, NULL), 0);
	while (!atomic_load(&arrived))
		CHECK_EQ(lwkt_nanosleep(MS), 0);
	CHECK_EQ(lwkt_schedule(td), 0);
	CHECK_EQ(lwkt_join(td), 0);
	for (int i = 0; i < RFORKS; i++)
		CHECK_EQ(lwkt_send_ipiq(rforks[i], sees_none, NULL, NULL), 0);
	end_rforks();
}

/* Timeouts against schedules, from everywhere, at about the same moment; some move on meanwhile. */
enum { PAIRS = 12, ROUNDS = 150 * SCALE };

static struct pair {
	lwkt_thread_t waiter;
	_Atomic unsigned asked, round;
	unsigned scheduled, timed_out;
} pairs[PAIRS];

static void waiter_main(void *arg)
{
	struct pair *pair = arg;
	uint64_t random = seed_of(100 + (uint64_t)(pair - pairs));

	for (unsigned n = 0; n < ROUNDS; n++) {
		int error;

		atomic_store(&pair->round, n + 1);
		error = lwkt_block_timed("test", random_below(&random, 60 * 1000));
		CHECK(error == 0 || error == EWOULDBLOCK);
		CHECK_EQ(lwkt_curthread()->td_timer.tm_deadline, 0);
		if (error)
			pair->timed_out++;
		else
			pair->scheduled++;
		if (random_below(&random, 8) == 0)
			CHECK_EQ(lwkt_setcpu_self(rforks[random_below(&random, RFORKS + 1)]), 0);
	}
	atomic_store(&pair->round, ROUNDS + 1);
}

static void waker_main(void *arg)
{
	struct pair *pair = arg;
	uint64_t random = seed_of(200 + (uint64_t)(pair - pairs));

	while (atomic_load(&pair->round) <= ROUNDS) {
		CHECK_EQ(lwkt_schedule(pair->waiter), 0); /* it is there until it is joined */
		CHECK_EQ(lwkt_nanosleep(random_below(&random, 60 * 1000)), 0);
	}
}

static void same_moment(void)
{
	lwkt_thread_t wakers[PAIRS];
	unsigned scheduled = 0, timed_out = 0;

	begin_rforks();
	for (unsigned i = 0; i < PAIRS; i++) {
		pairs[i] = (struct pair){0};
		pairs[i].waiter = start_on(rforks[i % (RFORKS + 1)], waiter_main, &pairs[i], TDF_JOINABLE);
		wakers[i] = start_on(rforks[(i / 2 + 1) % (RFORKS + 1)], waker_main, &pairs[i], TDF_JOINABLE);
	}
	for (unsigned i = 0; i < PAIRS; i++) {
		CHECK_EQ(lwkt_join(wakers[i]), 0);
		CHECK_EQ(lwkt_join(pairs[i].waiter), 0);
		CHECK_EQ(pairs[i].scheduled + pairs[i].timed_out, ROUNDS);
		scheduled += pairs[i].scheduled;
		timed_out += pairs[i].timed_out;
	}
	printf("    %u scheduled, %u timed out\n", scheduled, timed_out);
	for (int i = 0; i < RFORKS; i++)
		CHECK_EQ(lwkt_send_ipiq(rforks[i], sees_none, NULL, NULL), 0);
	CHECK_EQ(stats_now().st_timers, 0);
	end_rforks();
}

/* Ports of nobody's: takers that give up and come back, and senders that do the same while they wait for their replies. */
static struct lwkt_port service, replies;
static _Atomic unsigned served, senders_left;

static void takes_for_a_while(void *arg)
{
	uint64_t random = seed_of(300 + (uintptr_t)arg);

	while (atomic_load(&senders_left)) {
		int error;
		lwkt_msg_t msg = lwkt_waitport_timed(&service, random_below(&random, 60 * 1000), &error);

		CHECK_EQ(error, msg ? 0 : EWOULDBLOCK);
		if (!msg)
			continue;
		if (random_below(&random, 4) == 0)
			CHECK_EQ(lwkt_nanosleep(random_below(&random, 60 * 1000)), 0);
		msg->u.ms_result++;
		atomic_fetch_add(&served, 1);
		CHECK_EQ(lwkt_replymsg(msg, 0), 0);
	}
}

static void sends_for_a_while(void *arg)
{
	uint64_t random = seed_of(400 + (uintptr_t)arg);
	struct lwkt_msg msg;

	lwkt_initmsg(&msg, &replies, 0);
	for (unsigned n = 0; n < ROUNDS; n++) {
		int error;

		CHECK_EQ(lwkt_sendmsg(&service, &msg), 0);
		while ((error = lwkt_waitmsg_timed(&msg, random_below(&random, 60 * 1000))) == EWOULDBLOCK)
			CHECK_EQ(lwkt_curthread()->td_timer.tm_deadline, 0);
		CHECK_EQ(error, 0);
		CHECK_EQ(msg.u.ms_result, n + 1);
	}
	atomic_fetch_sub(&senders_left, 1);
}

static void spin_ports(void)
{
	lwkt_thread_t tds[PAIRS];
	int error;

	begin_rforks();
	lwkt_initport_spin(&service, "service");
	lwkt_initport_spin(&replies, "replies");
	CHECK(lwkt_waitport_timed(&service, MS, &error) == NULL); /* thread0 */
	CHECK_EQ(error, EWOULDBLOCK);
	atomic_store(&served, 0);
	atomic_store(&senders_left, PAIRS / 2);
	for (uintptr_t i = 0; i < PAIRS; i++)
		tds[i] = start_on(rforks[i / 2 % (RFORKS + 1)], i % 2 ? takes_for_a_while : sends_for_a_while, (void *)i, TDF_JOINABLE);
	for (int i = 0; i < PAIRS; i++)
		CHECK_EQ(lwkt_join(tds[i]), 0);
	CHECK_EQ(atomic_load(&served), PAIRS / 2 * ROUNDS);
	CHECK_EQ(service.mp_count, 0);
	CHECK_EQ(replies.mp_count, 0);
	end_rforks();
}

/* Who gives up at a serialised port is in the serializer again, even if that takes longer than it had. */
static struct lwkt_serialize serializer;

static void keeps_serializer(void *arg)
{
	CHECK_EQ(lwkt_serialize_enter(&serializer), 0);
	step = 1;
	CHECK_EQ(lwkt_nanosleep((uintptr_t)arg), 0);
	step = 2;
	CHECK_EQ(lwkt_serialize_exit(&serializer), 0);
}

static void waits_in_serializer(void *arg)
{
	int error;

	(void)arg;
	CHECK_EQ(lwkt_serialize_enter(&serializer), 0);
	CHECK(lwkt_waitport_timed(&service, MS, &error) == NULL);
	CHECK_EQ(error, EWOULDBLOCK);
	CHECK_EQ(step, 2);
	CHECK_EQ(lwkt_serialize_exit(&serializer), 0);
	step = 3;
}

static void serialised_port(void)
{
	stop_clock();
	step = 0;
	lwkt_serialize_init(&serializer);
	lwkt_initport_serialize(&service, &serializer, "service");
	start(waits_in_serializer, NULL, 0);
	run_all();
	start(keeps_serializer, (void *)(uintptr_t)(2 * MS), 0);
	run_all();
	CHECK_EQ(step, 1);
	our_time += MS;
	run_all();
	CHECK_EQ(step, 1);
	our_time += MS;
	run_all();
	CHECK_EQ(step, 3);
	start_clock();
}

int main(int argc, char **argv)
{
	begin_random(argc, argv);
	ON_RFORK(ten_thousand);
	ON_RFORK(looks_at_clock);
	ON_RFORK(while_others_yield);
	ON_RFORK(ends);
	ON_RFORK(on_thread0);
	ON_RFORK(ports);
	ON_RFORK(message_and_timeout);
	ON_RFORK(nested);
	ON_RFORK(idle_rfork);
	ON_RFORK(given_away);
	ON_RFORK(same_moment);
	ON_RFORK(spin_ports);
	ON_RFORK(serialised_port);
	return 0;
}
