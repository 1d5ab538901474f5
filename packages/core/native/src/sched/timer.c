/*
 * timer.c - waits that end by themselves: one heap of timers for each rfork, and what is made of it (DragonFly: tsleep's timeout).
 *
 * A timer is a part of its thread, so starting one allocates nothing and can't fail. The heap is a pairing heap: to start a timer is O(1), to
 * stop one O(log n), amortised; one that nobody has fired past yet, as most that are stopped, goes in O(1).
 *
 * Nobody reads the clock for the timers' sake at a switch. gd_deadline, at which the scheduler looks in any case, is the earlier of the pass' end
 * and the first timer; when it has passed thread0 gets its turn and fires what is due (lwkt_dispatch). An idle rfork sleeps until then (ipiq.c),
 * an event loop asks how long it may (lwkt_next_timer).
 *
 * Invariants:
 *  - A timer is in the heap of the rfork that its thread belongs to, or in none. It goes along with a thread that migrates.
 *  - td_timer.tm_deadline is 0 unless the thread is in a timed section, from lwkt_timed_begin to lwkt_timed_end. In one, the timer is either in
 *    the heap or has fired, which is TDF_TIMEOUT (or nobody has the thread).
 *  - To fire sets that flag and schedules the thread, no more: the thread looks at its condition first, and at the flag then.
 */
#include "debug.h"

/* ---------------------------------------------------------------- the heap */

/** Makes the later of two trees the earlier one's first child; of two equals the second. Returns the root, which is linked nowhere. */
static struct lwkt_timer *meld(struct lwkt_timer *a, struct lwkt_timer *b)
{
	if (b->tm_deadline < a->tm_deadline) {
		struct lwkt_timer *earlier = b;

		b = a;
		a = earlier;
	}
	b->tm_next = a->tm_child;
	if (b->tm_next)
		b->tm_next->tm_link = &b->tm_next;
	b->tm_link = &a->tm_child;
	a->tm_child = b;
	return a;
}

/** Makes one tree of a list of siblings, NULL of none: in pairs from the front, then all pairs from the back. */
static struct lwkt_timer *meld_all(struct lwkt_timer *first)
{
	struct lwkt_timer *pairs = NULL, *root = NULL;

	while (first) {
		struct lwkt_timer *a = first, *b = a->tm_next;

		first = b ? b->tm_next : NULL;
		if (b)
			a = meld(a, b);
		a->tm_next = pairs;
		pairs = a;
	}
	while (pairs) {
		struct lwkt_timer *pair = pairs;

		pairs = pair->tm_next;
		root = root ? meld(pair, root) : pair;
	}
	return root;
}

/** Adds a tree to the heap. */
static void add(globaldata_t gd, struct lwkt_timer *tree)
{
	struct lwkt_timer *root = gd->gd_timers ? meld(gd->gd_timers, tree) : tree;

	root->tm_next = NULL;
	root->tm_link = &gd->gd_timers;
	gd->gd_timers = root;
}

static void insert(globaldata_t gd, struct lwkt_timer *timer)
{
	timer->tm_child = NULL;
	add(gd, timer);
	gd->gd_stats.st_timers++;
	if (gd->gd_timers == timer)
		lwkt_deadline_changed(gd);
}

static void take_out(globaldata_t gd, struct lwkt_timer *timer)
{
	struct lwkt_timer *rest;

	*timer->tm_link = timer->tm_next;
	if (timer->tm_next)
		timer->tm_next->tm_link = timer->tm_link;
	timer->tm_link = NULL;
	rest = meld_all(timer->tm_child);
	if (rest)
		add(gd, rest);
	gd->gd_stats.st_timers--;
}

/* ---------------------------------------------------------------- for the scheduler */

/** The pass' end or the first timer is another one. */
void lwkt_deadline_changed(globaldata_t gd)
{
	uint64_t first = gd->gd_timers ? gd->gd_timers->tm_deadline : 0;

	gd->gd_deadline = gd->gd_pass_end && (!first || gd->gd_pass_end < first) ? gd->gd_pass_end : first;
}

/** On thread0: wakes whoever's time is up, in the order of their deadlines. */
void lwkt_timers_fire(globaldata_t gd, uint64_t now)
{
	while (gd->gd_timers && gd->gd_timers->tm_deadline <= now) {
		lwkt_thread_t td = LIST_ENTRY(gd->gd_timers, struct lwkt_thread, td_timer);

		take_out(gd, &td->td_timer);
		gd->gd_stats.st_timeouts++;
		td->td_flags |= TDF_TIMEOUT;
		if (td->td_flags & TDF_THREAD0)
			gd->gd_pass_end = now; /* it waits by running passes: this was the last */
		else
			lwkt_enqueue(gd, td);
	}
	lwkt_deadline_changed(gd);
}

/** td leaves this rfork, or has ended. */
void lwkt_timer_leave(globaldata_t gd, lwkt_thread_t td)
{
	bool first = gd->gd_timers == &td->td_timer;

	if (!td->td_timer.tm_link)
		return;
	take_out(gd, &td->td_timer);
	if (first)
		lwkt_deadline_changed(gd);
}

/** td, which comes from another rfork, may be in the middle of a timed section. */
void lwkt_timer_arrive(globaldata_t gd, lwkt_thread_t td)
{
	if (td->td_timer.tm_deadline && !(td->td_flags & TDF_TIMEOUT))
		insert(gd, &td->td_timer);
}

/* ---------------------------------------------------------------- for those that wait */

/** Sections nest, as a port's vector may wait in one of its own. */
void lwkt_timed_begin(struct lwkt_timed *timed, uint64_t ns)
{
	globaldata_t gd = lwkt_arch_mycpu();
	lwkt_thread_t td = gd->gd_curthread;
	uint64_t now;

	timed->began = ns != UINT64_MAX && lwkt_may_wait(gd);
	if (!timed->began)
		return;
	timed->outer = td->td_timer.tm_deadline;
	lwkt_timer_leave(gd, td);
	td->td_flags &= ~TDF_TIMEOUT;
	now = now_ns();
	td->td_timer.tm_deadline = ns < UINT64_MAX - now ? now + ns : UINT64_MAX;
	insert(gd, &td->td_timer);
}

bool lwkt_timed_end(struct lwkt_timed *timed)
{
	globaldata_t gd = lwkt_arch_mycpu();
	lwkt_thread_t td = gd->gd_curthread;
	bool up;

	if (!timed->began)
		return false;
	up = lwkt_timed_is_up(td);
	lwkt_timer_leave(gd, td);
	td->td_flags &= ~TDF_TIMEOUT;
	td->td_timer.tm_deadline = timed->outer;
	lwkt_timer_arrive(gd, td);
	return up;
}

int lwkt_block_timed(const char *wmesg, uint64_t ns)
{
	struct lwkt_timed timed;
	int error;

	lwkt_timed_begin(&timed, ns);
	error = lwkt_wait_once(wmesg);
	if (lwkt_timed_end(&timed) && !error)
		error = EWOULDBLOCK;
	return MISUSE_IF(error == EDEADLK, error, "%s", lwkt_debug_no_wait());
}

int lwkt_nanosleep(uint64_t ns)
{
	lwkt_thread_t td = lwkt_arch_mycpu()->gd_curthread;
	struct lwkt_timed timed;
	int error = lwkt_may_wait(lwkt_arch_mycpu()) ? 0 : EDEADLK;

	lwkt_timed_begin(&timed, ns);
	while (!error && !lwkt_timed_is_up(td)) {
		error = take_interrupt(td);
		if (!error)
			error = lwkt_wait_once("nanosleep");
	}
	lwkt_timed_end(&timed);
	return MISUSE_IF(error == EDEADLK, error, "%s", lwkt_debug_no_wait());
}

uint64_t lwkt_next_timer(void)
{
	globaldata_t gd = lwkt_arch_mycpu();
	uint64_t now;

	if (!gd->gd_timers)
		return UINT64_MAX;
	now = now_ns();
	return gd->gd_timers->tm_deadline > now ? gd->gd_timers->tm_deadline - now : 0;
}
