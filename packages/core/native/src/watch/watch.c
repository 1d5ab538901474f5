/*
 * watch.c - who sees each switch of an rfork: a trace (trace.c), the count of CPU time (cputime.c), both, or nobody.
 *
 * While nobody does nothing of it is on the path of a switch: a watched thread is one whose td_switch is watched_switch. What is left is a look at
 * gd_watchers (a load and a branch) at each thread's first instruction and last, where one comes from another rfork, and before thread0 sleeps in the
 * kernel.
 *
 * Invariant: when the last watcher has gone no thread of the rfork has watched_switch as its td_switch. One that was away then puts that right when it
 * next leaves the CPU.
 */
#include "internal.h"

/**
 * A watched thread's td_switch. It leaves no frame behind: the stack of a suspended thread is as ever. The sanitizer takes what runs for the next thread
 * already, so it must not note that this function begins or ends.
 */
__attribute__((no_sanitize("thread"))) static void watched_switch(struct lwkt_context *from, struct lwkt_context *to)
{
	globaldata_t gd = lwkt_arch_mycpu();
	lwkt_thread_t td = LIST_ENTRY(from, struct lwkt_thread, td_ctx);

	if (gd->gd_watchers) {
		if (gd->gd_watchers & WATCH_CPUTIME)
			lwkt_cputime_charge(gd, td);
		if (gd->gd_watchers & WATCH_TRACE)
			lwkt_trace_switch(gd, td);
	} else {
		td->td_switch = td->td_own_switch; /* it has come here from an rfork that is watched */
	}
	td->td_own_switch(from, to);
}

void lwkt_watch(globaldata_t gd, uint32_t watcher)
{
	bool first = gd->gd_watchers == 0;

	gd->gd_watchers |= watcher;
	if (!first)
		return;
	gd->gd_thread0.td_switch = watched_switch;
	for (struct lwkt_list *node = gd->gd_tdallq.next; node != &gd->gd_tdallq; node = node->next) {
		lwkt_thread_t td = LIST_ENTRY(node, struct lwkt_thread, td_allq);

		if (!(td->td_flags & (TDF_EXITING | TDF_FRESH)))
			td->td_switch = watched_switch;
	}
}

void lwkt_unwatch(globaldata_t gd, uint32_t watcher)
{
	gd->gd_watchers &= ~watcher;
	if (gd->gd_watchers)
		return;
	gd->gd_thread0.td_switch = gd->gd_thread0.td_own_switch;
	for (struct lwkt_list *node = gd->gd_tdallq.next; node != &gd->gd_tdallq; node = node->next) {
		lwkt_thread_t td = LIST_ENTRY(node, struct lwkt_thread, td_allq);

		td->td_switch = td->td_own_switch;
	}
}

void lwkt_watch_begins(globaldata_t gd, lwkt_thread_t td, bool elsewhere)
{
	td->td_switch = watched_switch;
	if (gd->gd_watchers & WATCH_TRACE)
		lwkt_trace_thread(gd, td, elsewhere ? LWKT_TRACE_NAME : LWKT_TRACE_BEGIN, td->td_comm);
}

void lwkt_watch_ends(globaldata_t gd, lwkt_thread_t td)
{
	if (gd->gd_watchers & WATCH_CPUTIME)
		lwkt_cputime_charge(gd, td);
	if (gd->gd_watchers & WATCH_TRACE)
		lwkt_trace_thread(gd, td, LWKT_TRACE_END, td->td_comm);
}

void lwkt_watch_sleeps(globaldata_t gd, bool sleeps)
{
	if (gd->gd_watchers & WATCH_CPUTIME)
		lwkt_cputime_idle(sleeps);
	if (gd->gd_watchers & WATCH_TRACE)
		lwkt_trace_thread(gd, gd->gd_curthread, sleeps ? LWKT_TRACE_SLEEP : LWKT_TRACE_WAKE, NULL);
}
