/*
 * cputime.c - how long each thread of an rfork has run, counted at each switch while somebody wants to know (watch.c).
 *
 * It is elapsed time: what the kernel gives to other programs while a thread runs counts as the thread's, and so does a system call that waits. Asking the
 * kernel for real CPU time would be a system call at each switch.
 *
 * Invariant: while it counts, gd_cputime_since is when curthread's time was last added up.
 */
#include "internal.h"

void lwkt_cputime_charge(globaldata_t gd, lwkt_thread_t td)
{
	uint64_t now = now_ns();

	td->td_cputime += now - gd->gd_cputime_since;
	gd->gd_cputime_since = now;
}

int lwkt_cputime_start(void)
{
	globaldata_t gd = lwkt_arch_mycpu();

	if (gd->gd_watchers & WATCH_CPUTIME)
		return EALREADY;
	gd->gd_thread0.td_cputime = 0;
	for (struct lwkt_list *node = gd->gd_tdallq.next; node != &gd->gd_tdallq; node = node->next)
		LIST_ENTRY(node, struct lwkt_thread, td_allq)->td_cputime = 0;
	gd->gd_cputime_began = gd->gd_cputime_since = now_ns();
	lwkt_watch(gd, WATCH_CPUTIME);
	return 0;
}

int lwkt_cputime_stop(void)
{
	globaldata_t gd = lwkt_arch_mycpu();

	if (!(gd->gd_watchers & WATCH_CPUTIME))
		return ESRCH;
	lwkt_cputime_charge(gd, gd->gd_curthread);
	lwkt_unwatch(gd, WATCH_CPUTIME);
	return 0;
}

uint64_t lwkt_cputime_counted(void)
{
	globaldata_t gd = lwkt_arch_mycpu();

	return gd->gd_watchers & WATCH_CPUTIME ? now_ns() - gd->gd_cputime_began : 0;
}

uint64_t lwkt_cputime(lwkt_thread_t td)
{
	globaldata_t gd = lwkt_arch_mycpu();

	if (owner_of(td) != gd)
		return 0;
	if (td == gd->gd_curthread && (gd->gd_watchers & WATCH_CPUTIME))
		lwkt_cputime_charge(gd, td);
	return td->td_cputime;
}

void lwkt_cputime_idle(int idle)
{
	globaldata_t gd = lwkt_arch_mycpu();

	if (!(gd->gd_watchers & WATCH_CPUTIME))
		return;
	if (idle)
		lwkt_cputime_charge(gd, gd->gd_curthread);
	else
		gd->gd_cputime_since = now_ns();
}
