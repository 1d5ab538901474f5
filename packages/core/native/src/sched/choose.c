/*
 * choose.c - whose turn it is, for somebody who decides that himself: a search through orders, or one of them again. The scheduler is as it is; who is chosen comes to the head of
 * his queue, and the pass ends when he gives way.
 *
 * Invariant: nothing of this is asked at a switch. Whoever does not choose does not pay for it.
 */
#include "debug.h"

unsigned lwkt_candidates(lwkt_thread_t *tds, unsigned max)
{
	globaldata_t gd = lwkt_arch_mycpu();
	struct lwkt_list *queue;
	unsigned n = 0;

	if (gd->gd_curthread != &gd->gd_thread0 || !gd->gd_runqmask)
		return 0;
	queue = &gd->gd_tdrunq[31 - __builtin_clz(gd->gd_runqmask)];
	for (struct lwkt_list *node = queue->next; node != queue; node = node->next, n++)
		if (n < max)
			tds[n] = LIST_ENTRY(node, struct lwkt_thread, td_threadq);
	return n;
}

unsigned lwkt_dispatch_next(lwkt_thread_t td)
{
	globaldata_t gd = lwkt_arch_mycpu();
	struct lwkt_list *queue;

	if (owner_of(td) == gd && (td->td_flags & TDF_RUNQ) && gd->gd_curthread == &gd->gd_thread0) {
		queue = &gd->gd_tdrunq[td->td_pri];
		list_remove(&td->td_threadq);
		list_append(queue->next, &td->td_threadq); /* before the first */
	}
	return lwkt_dispatch(LWKT_DISPATCH_ONE);
}
