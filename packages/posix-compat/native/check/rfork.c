/* rfork.c - invariants of an rfork (check.c says which), on itself: nobody else may look at them. */
#include "check.h"

#define EACH_NODE(node, list) (const struct lwkt_list *node = (list)->next; node != (list); node = node->next)

static void runq_linked(const struct delivery *d)
{
	for (int pri = 0; pri <= TDPRI_MAX; pri++)
		for EACH_NODE(node, &d->gd->gd_tdrunq[pri]) {
			lwkt_thread_t td = LIST_ENTRY(node, struct lwkt_thread, td_threadq);

			HOLDS(node->next->prev == node && node->prev->next == node, "the queue %d is no ring at %p", pri, (void *)td);
			HOLDS(td->td_pri == pri && owner_of(td) == d->gd, "%p of the priority %d and the rfork %p is in the queue %d of %p", (void *)td, td->td_pri, (void *)owner_of(td),
			      pri, (void *)d->gd);
			HOLDS((td->td_flags & (TDF_RUNQ | TDF_EXITING | TDF_THREAD0 | TDF_MIGRATING)) == TDF_RUNQ, "%p is in the queue %d with the flags 0x%x", (void *)td, pri, td->td_flags);
		}
}

static bool spoil_runq_linked(const struct delivery *d)
{
	d->gd->gd_curthread->td_pri ^= 1;
	return true;
}

static void runq_marked(const struct delivery *d)
{
	for (int pri = 0; pri <= TDPRI_MAX; pri++)
		HOLDS((d->gd->gd_runqmask >> pri & 1) == !list_empty(&d->gd->gd_tdrunq[pri]), "the queue %d is %s, and the marks are 0x%x", pri,
		      list_empty(&d->gd->gd_tdrunq[pri]) ? "empty" : "not empty", d->gd->gd_runqmask);
}

static bool spoil_runq_marked(const struct delivery *d)
{
	d->gd->gd_runqmask ^= 1;
	return true;
}

static void runq_counted(const struct delivery *d)
{
	unsigned n = 0, migratable = 0;

	for (int pri = 0; pri <= TDPRI_MAX; pri++)
		for EACH_NODE(node, &d->gd->gd_tdrunq[pri]) {
			n++;
			migratable += (LIST_ENTRY(node, struct lwkt_thread, td_threadq)->td_flags & TDF_MIGRATABLE) != 0;
		}
	HOLDS(n == d->gd->gd_stats.st_runnable && migratable == d->gd->gd_migratable, "%u threads are on queues, %u of them migratable, and counted are %u and %u", n, migratable,
	      d->gd->gd_stats.st_runnable, d->gd->gd_migratable);
}

static bool spoil_runq_counted(const struct delivery *d)
{
	d->gd->gd_migratable++;
	return true;
}

static void threads_owned(const struct delivery *d)
{
	unsigned runnable = 0, running = 0, alive = 0;

	for EACH_NODE(node, &d->gd->gd_tdallq) {
		lwkt_thread_t td = LIST_ENTRY(node, struct lwkt_thread, td_allq);

		HOLDS(node->next->prev == node, "the list of all threads is none at %p", (void *)td);
		HOLDS(owner_of(td) == d->gd && !(td->td_flags & TDF_MIGRATING), "%p, with the flags 0x%x, is the rfork %p's, and in the list of %p", (void *)td, td->td_flags,
		      (void *)owner_of(td), (void *)d->gd);
		HOLDS(!(td->td_flags & TDF_RUNNING) || td == d->gd->gd_curthread, "%p runs, and %p is the one that does", (void *)td, (void *)d->gd->gd_curthread);
		HOLDS(!td->td_timer.tm_link || !(td->td_flags & TDF_TIMEOUT), "%p waits for a time that is up", (void *)td);
		runnable += (td->td_flags & TDF_RUNQ) != 0;
		running += (td->td_flags & TDF_RUNNING) != 0;
		alive += !(td->td_flags & TDF_EXITING);
	}
	HOLDS(running == 1, "%u threads run", running);
	HOLDS(runnable == d->gd->gd_stats.st_runnable, "%u threads are runnable, and %u on queues", runnable, d->gd->gd_stats.st_runnable);
	HOLDS(alive == d->gd->gd_stats.st_alive, "%u threads are alive, and %u are counted", alive, d->gd->gd_stats.st_alive);
}

static bool spoil_threads_owned(const struct delivery *d)
{
	d->gd->gd_stats.st_alive++;
	return true;
}

/** A timer and those that are ordered by it. How many. */
static unsigned look_at_timer(const struct delivery *d, const struct lwkt_timer *timer, const struct lwkt_timer *parent)
{
	unsigned n = 0;

	for (; timer; timer = timer->tm_next) {
		lwkt_thread_t td = LIST_ENTRY(timer, struct lwkt_thread, td_timer);

		HOLDS(*timer->tm_link == timer, "nothing points to %p's timer", (void *)td);
		HOLDS(!parent || parent->tm_deadline <= timer->tm_deadline, "%p's timer, for %llu, is after one for %llu", (void *)td, (unsigned long long)timer->tm_deadline,
		      (unsigned long long)parent->tm_deadline);
		HOLDS(owner_of(td) == d->gd && timer->tm_deadline, "%p's timer, for %llu, is the rfork %p's, and in the heap of %p", (void *)td,
		      (unsigned long long)timer->tm_deadline, (void *)owner_of(td), (void *)d->gd);
		n += 1 + look_at_timer(d, timer->tm_child, timer);
	}
	return n;
}

static void timers_ordered(const struct delivery *d)
{
	unsigned n = look_at_timer(d, d->gd->gd_timers, NULL);

	HOLDS(n == d->gd->gd_stats.st_timers, "%u timers are in the heap, and %u are counted", n, d->gd->gd_stats.st_timers);
}

static bool spoil_timers_ordered(const struct delivery *d)
{
	if (d->gd->gd_timers)
		d->gd->gd_stats.st_timers++;
	return d->gd->gd_timers != NULL;
}

static void deadline_first(const struct delivery *d)
{
	const struct lwkt_timer *first = d->gd->gd_timers;

	HOLDS(!first || (d->gd->gd_deadline && d->gd->gd_deadline <= first->tm_deadline), "thread0's turn is at %llu, and the first timer is for %llu",
	      (unsigned long long)d->gd->gd_deadline, (unsigned long long)(first ? first->tm_deadline : 0));
}

static bool spoil_deadline_first(const struct delivery *d)
{
	if (d->gd->gd_timers)
		d->gd->gd_deadline = 0;
	return d->gd->gd_timers != NULL;
}

static void no_ipi(const struct delivery *d)
{
	HOLDS(!d->gd->gd_ipi_depth, "%u IPI functions are under way", d->gd->gd_ipi_depth);
}

static bool spoil_no_ipi(const struct delivery *d)
{
	d->gd->gd_ipi_depth++;
	return true;
}

const struct invariant rfork_invariants[] = {
	{"runq-linked", runq_linked, spoil_runq_linked},
	{"runq-marked", runq_marked, spoil_runq_marked},
	{"runq-counted", runq_counted, spoil_runq_counted},
	{"threads-owned", threads_owned, spoil_threads_owned},
	{"timers-ordered", timers_ordered, spoil_timers_ordered},
	{"deadline-first", deadline_first, spoil_deadline_first},
	{"no-ipi", no_ipi, spoil_no_ipi},
	{0},
};
