/*
 * share.c - an rfork that has nothing to do asks a busy one for a thread (DragonFly: its scheduler of user processes, usched_dfly.c, pulls
 * threads to idle CPUs; LWKTs stay where they are, and so do those here that have not been created with TDF_MIGRATABLE).
 *
 * It takes nothing out of anybody's queue: it sends an IPI message, and the other one picks a thread and sends it off, or says no. It chooses
 * whom to ask by a hint, shared.load, which is written without any order and may be wrong; the one who is asked knows better.
 *
 * One that has been told no, or has found nobody busy, sleeps for a while before it looks again, twice as long each time. So rforks that are all
 * idle send nothing, and wake up now and then to read a word of each other's. One that has a single such thread keeps it, so none goes to and fro.
 *
 * Invariants:
 *  - There is one question at a time (gd_asking), and every question is answered. An rfork does not end before the answer has come, which may be
 *    a thread.
 *  - A thread is given away by thread0 only. Elsewhere IPI functions may run between the choice of the next thread and the switch to it.
 */
#include "internal.h"

#define PAUSE_MIN 1000000u  /* ns between questions in vain */
#define PAUSE_MAX 64000000u
#define LOOK_AT 64u /* threads of one priority that are looked at, to find one that may go */

/** The number of runnable threads that may go has changed. */
void lwkt_share_count(globaldata_t gd, int change)
{
	gd->gd_migratable += (unsigned)change;
	if (gd->gd_shares)
		atomic_store_explicit(&gd->gd_shared.load, gd->gd_migratable, memory_order_relaxed);
}

void lwkt_share_work(int on)
{
	globaldata_t gd = lwkt_arch_mycpu();

	gd->gd_shares = on != 0;
	gd->gd_share_pause = 0;
	gd->gd_share_again = 0;
	atomic_store_explicit(&gd->gd_shared.load, on ? gd->gd_migratable : 0, memory_order_relaxed);
}

static void in_vain(globaldata_t gd)
{
	gd->gd_share_pause = gd->gd_share_pause ? 2 * gd->gd_share_pause : PAUSE_MIN;
	if (gd->gd_share_pause > PAUSE_MAX)
		gd->gd_share_pause = PAUSE_MAX;
	gd->gd_share_again = now_ns() + gd->gd_share_pause;
}

/** On the rfork that has asked: it gets a thread. */
static void yes(void *td)
{
	globaldata_t gd = lwkt_arch_mycpu();

	gd->gd_asking = false;
	gd->gd_share_pause = 0;
	gd->gd_share_again = 0;
	gd->gd_stats.st_shared_in++;
	lwkt_migrate_arrive(td);
}

/** On the rfork that has asked. */
static void no(void *arg)
{
	globaldata_t gd = arg;

	gd->gd_asking = false;
	in_vain(gd);
}

/** A thread that may go: the first of the highest priority that has one. One that waits for tokens is expected where it asked for them. */
static lwkt_thread_t spare(globaldata_t gd)
{
	for (uint32_t mask = gd->gd_runqmask; mask;) {
		unsigned pri = 31u - (unsigned)__builtin_clz(mask), looked = 0;
		struct lwkt_list *queue = &gd->gd_tdrunq[pri];

		for (struct lwkt_list *n = queue->next; n != queue && looked < LOOK_AT; n = n->next, looked++) {
			lwkt_thread_t td = LIST_ENTRY(n, struct lwkt_thread, td_threadq);

			if ((td->td_flags & (TDF_MIGRATABLE | TDF_TOKWAIT | TDF_EXITING)) == TDF_MIGRATABLE)
				return td;
		}
		mask &= ~(1u << pri);
	}
	return NULL;
}

void (*lwkt_share_given)(globaldata_t to, int pri);

/** On the rfork that is asked. */
static void asked(void *arg)
{
	globaldata_t asker = arg, gd = lwkt_arch_mycpu();
	lwkt_thread_t td = NULL;
	int pri;

	if (gd->gd_shares && gd->gd_migratable > 1 && gd->gd_curthread == &gd->gd_thread0)
		td = spare(gd);
	if (!td) {
		lwkt_send_ipiq(asker, no, asker, NULL);
		return;
	}
	pri = td->td_pri;
	lwkt_dequeue(gd, td);
	gd->gd_stats.st_shared_out++;
	lwkt_migrate_send(gd, td, asker, yes); /* it is there: it waits for the answer */
	if (lwkt_share_given)
		lwkt_share_given(asker, pri);
}

/** Asks the busiest rfork, if there is one and nobody is being asked. */
static void ask(globaldata_t gd)
{
	globaldata_t busy;

	if (gd->gd_asking)
		return;
	busy = lwkt_ipiq_busiest(gd);
	gd->gd_asking = true; /* before it is sent: sending may run the answer */
	if (busy && lwkt_send_ipiq(busy, asked, gd, NULL) == 0)
		return;
	gd->gd_asking = false;
	in_vain(gd);
}

uint64_t lwkt_share_ask(void)
{
	globaldata_t gd = lwkt_arch_mycpu();
	uint64_t now;

	if (!gd->gd_shares || gd->gd_ending || gd->gd_curthread != &gd->gd_thread0 || gd->gd_ipi_depth)
		return UINT64_MAX;
	if (gd->gd_share_again && !gd->gd_asking) {
		now = now_ns();
		if (now < gd->gd_share_again)
			return gd->gd_share_again - now;
	}
	ask(gd);
	if (gd->gd_asking)
		return UINT64_MAX;
	return gd->gd_runqmask ? 0 : gd->gd_share_pause;
}
