/*
 * waits.c - what an rfork has for its userthreads that wait, and its loop's look at it. Whatever comes from another kernel thread (a helper that has made a call)
 * is put on a list first, and the rfork is woken then (lwkt_cpu_wake).
 */
#include "wait/ready.h"

static struct waits all[LWKT_CPU_MAX]; /* by lwkt_cpuid() */

struct waits *waits_self(void)
{
	struct waits *self = &all[lwkt_cpuid()];

	if (__builtin_expect(self->gd != lwkt_mycpu(), 0))
		self->gd = lwkt_mycpu(); /* an rfork that has ended may have had the number before */
	return self;
}

static bool has_done(const struct waits *self)
{
	return __atomic_load_n(&self->done, __ATOMIC_RELAXED) != NULL;
}

void waits_look(bool thoroughly)
{
	struct waits *self = waits_self();

	if (has_done(self))
		offload_reap(self);
	if (self->nwaits)
		self->way->look(self->queue, thoroughly);
}

unsigned waits_count(void)
{
	struct waits *self = waits_self();

	return self->nwaits + self->nhelped;
}

unsigned waits_helped(void)
{
	return waits_self()->nhelped;
}

unsigned waits_ending(void)
{
	return waits_self()->nending;
}

void waits_idle(void)
{
	struct waits *self = waits_self();

	if (self->nwaits)
		ready_idle(self);
	else
		lwkt_cpu_idle();
}

bool waits_are_due(void)
{
	const struct waits *self = &all[lwkt_cpuid()];

	return has_done(self) || (self->nwaits && self->way->is_due(self->queue));
}

void waits_end(void)
{
	struct waits *self = waits_self();

	offload_end_idle();
	ready_forget(self);
	*self = (struct waits){0};
}

void waits_forked(void)
{
	for (struct waits *waits = all; waits < all + LWKT_CPU_MAX; waits++)
		ready_forget(waits);
	memset(all, 0, sizeof(all));
}
