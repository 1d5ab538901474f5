/*
 * doorbell.c - how an IPI message wakes an rfork whose thread0 is an event loop: that sleeps in a poll of its own and not in a futex.
 *
 * The doorbell is an eventfd which the loop polls with everything else. Senders ring it only if the loop has said that it is about to sleep, and the
 * first of them only: so a busy loop costs its senders no system call.
 *
 * Invariants:
 *  - The descriptor belongs to the per-CPU area, which is never freed: a late ring wakes a later owner of the area for nothing, and never writes
 *    into somebody else's file.
 *  - lwkt_loop_sleeps says so first and looks for messages then; a sender publishes first and looks for sleepers then.
 */
#include "internal.h"

#define LOOP_SPINS 4000u /* looks before a loop sleeps that expects an answer: some 40 us, which is what two wake-ups cost */

int lwkt_doorbell(void)
{
	struct shared *self = &lwkt_arch_mycpu()->gd_shared;
	int fd = atomic_load_explicit(&self->doorbell, memory_order_relaxed) - 1;

	if (fd >= 0)
		return fd;
	fd = lwkt_os_bell();
	if (fd < 0)
		return fd;
	atomic_store(&self->doorbell, fd + 1);
	return fd;
}

void lwkt_doorbell_ring(globaldata_t target)
{
	lwkt_os_bell_ring(atomic_load(&target->gd_shared.doorbell) - 1);
}

int lwkt_loop_sleeps(int expecting)
{
	globaldata_t gd = lwkt_arch_mycpu();
	struct shared *self = &gd->gd_shared;

	if (ipi_pending(gd) || (expecting && lwkt_ipiq_look(gd, LOOP_SPINS)))
		return 0;
	atomic_exchange(&self->sleeping, SLEEP_LOOP); /* as in lwkt_ipiq_idle */
	if (!atomic_load(&self->pending)) {
		gd->gd_stats.st_sleeps++;
		return 1;
	}
	atomic_store_explicit(&self->sleeping, SLEEP_NOT, memory_order_relaxed);
	return 0;
}

int lwkt_loop_wakes(void)
{
	globaldata_t gd = lwkt_arch_mycpu();

	atomic_store_explicit(&gd->gd_shared.sleeping, SLEEP_NOT, memory_order_relaxed);
	return ipi_pending(gd);
}
