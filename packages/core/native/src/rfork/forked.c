/*
 * forked.c - the child of a fork: one kernel thread is left, with it one rfork, and of that one's userthreads the one that has called. What the others had
 * becomes this one's: their stacks, their structures, their areas.
 *
 * What they were in the middle of is not mended: a list may be half linked, unless they stood still (lwkt_cpusync_interlock), where nobody holds a word
 * or has something half done. Lost for good are threads that were on their way between two rforks then, with their stacks.
 *
 * Invariant: nothing here asks another rfork, or waits.
 */
#include "debug.h"

/** Moves all of a list to the end of another. */
static void list_move(struct lwkt_list *to, struct lwkt_list *from)
{
	while (!list_empty(from)) {
		struct lwkt_list *node = from->next;

		list_remove(node);
		list_append(to, node);
	}
}

/** The stack of a thread that is no more becomes an idle one. Whatever stood at its bottom is no more either. */
static void empty_stack(globaldata_t gd, struct lwkt_stack *stack)
{
	lwkt_sanitizer_forget(stack->st_base, stack->st_size);
	stack->st_resident = NULL;
	stack->st_unwind = false;
	gd->gd_pool_out++; /* or it was counted elsewhere */
	lwkt_pool_return(gd, stack);
}

/** All of d's threads but the running one, if d is this rfork, are no more. */
static void forget_threads(globaldata_t gd, globaldata_t d)
{
	struct lwkt_list *node = d->gd_tdallq.next, *next;

	for (; node != &d->gd_tdallq; node = next) {
		lwkt_thread_t td = LIST_ENTRY(node, struct lwkt_thread, td_allq);

		next = node->next;
		if (td == gd->gd_curthread)
			continue;
		lwkt_dequeue(d, td);
		lwkt_timer_leave(d, td);
		if (td->td_stack && !(td->td_flags & TDF_EXITING))
			empty_stack(gd, td->td_stack);
		td->td_flags |= TDF_EXITING;
		lwkt_thread_forget(gd, td);
	}
}

/** What d had is gd's. */
static void inherit(globaldata_t gd, globaldata_t d)
{
	lwkt_stack_inherit(gd, d);
	for (unsigned cls = 0; cls < STACK_CLASSES; cls++)
		list_move(&gd->gd_pool[cls], &d->gd_pool[cls]);
	gd->gd_stats.st_pooled += d->gd_stats.st_pooled;
	list_move(&gd->gd_freetd, &d->gd_freetd);
	forget_threads(gd, d);
	lwkt_os_free(d->gd_trace);
	lwkt_overrun_forget(d);
	if (d->gd_rfork)
		lwkt_rfork_forget(d->gd_rfork);
	lwkt_area_forget(d);
}

int lwkt_forked(void)
{
	globaldata_t gd = lwkt_arch_mycpu(), d;

	if (gd->gd_ipi_depth)
		return MISUSE(EDEADLK, "%s", lwkt_debug_no_wait());
	lwkt_os_forked();
	lwkt_area_forked(gd);
	lwkt_cpusync_forked(gd);
	gd->gd_leaving = NULL;
	gd->gd_homing = NULL;
	forget_threads(gd, gd);
	while ((d = lwkt_ipiq_forked(gd)) != NULL)
		inherit(gd, d);
	gd->gd_stacks_away = 0; /* they are all here now */
	gd->gd_asking = gd->gd_ending = false;
	gd->gd_stats.st_alive = gd->gd_curthread != &gd->gd_thread0;
	gd->gd_pool_out = gd->gd_pool_low = gd->gd_pool_high = gd->gd_stats.st_alive;
	return 0;
}
