/*
 * serialize.c - serializers: locks that are kept while their holder blocks (DragonFly: lwkt_serialize.c). Any thread of any rfork may wait;
 * it blocks as a userthread does, its rfork goes on.
 *
 * Invariant: s_lock is held for a few instructions, never across anything that blocks, switches or sends. Who leaves hands over: there is no
 * moment at which a serializer with waiters is free.
 */
#define _GNU_SOURCE
#include "internal.h"

#include <sched.h>

/** On the waiting thread's stack. */
struct waiter {
	struct lwkt_list link;
	lwkt_thread_t td;
	bool in; /* written by who leaves, through td's own rfork */
};

static void lock(struct lwkt_serialize *s)
{
	unsigned spins = 0;

	while (__atomic_exchange_n(&s->s_lock, 1, __ATOMIC_ACQUIRE))
		if (++spins % 64 == 0)
			sched_yield(); /* its holder may have lost the processor */
		else
			lwkt_arch_pause();
}

static void unlock(struct lwkt_serialize *s)
{
	__atomic_store_n(&s->s_lock, 0, __ATOMIC_RELEASE);
}

void lwkt_serialize_init(struct lwkt_serialize *s)
{
	s->s_lock = 0;
	s->s_owner = NULL;
	list_init(&s->s_waiters);
}

/** Enters, or puts the waiter (if there is one) into the queue. Returns 0, EBUSY, EDEADLK. */
static int enter(struct lwkt_serialize *s, struct waiter *waiter)
{
	lwkt_thread_t td = lwkt_arch_mycpu()->gd_curthread;
	int error = 0;

	lock(s);
	if (!s->s_owner)
		s->s_owner = td;
	else if (s->s_owner == td)
		error = EDEADLK;
	else
		error = EBUSY;
	if (error == EBUSY && waiter)
		list_append(&s->s_waiters, &waiter->link);
	unlock(s);
	return error;
}

int lwkt_serialize_try(struct lwkt_serialize *s)
{
	return enter(s, NULL);
}

int lwkt_serialize_enter(struct lwkt_serialize *s)
{
	globaldata_t gd = lwkt_arch_mycpu();
	struct waiter waiter = {.td = gd->gd_curthread};
	int error = enter(s, NULL);

	if (error != EBUSY)
		return error;
	if (!lwkt_may_wait(gd))
		return EDEADLK;
	error = enter(s, &waiter);
	if (error != EBUSY)
		return error;
	while (!waiter.in)
		lwkt_wait_once("serializer");
	return 0;
}

/** On the waiter's rfork, wherever it is. */
static void let_in(void *arg)
{
	struct waiter *waiter = arg;

	if (sent_after(waiter->td, let_in, waiter))
		return;
	waiter->in = true;
	lwkt_schedule(waiter->td);
}

int lwkt_serialize_exit(struct lwkt_serialize *s)
{
	struct waiter *next = NULL;

	lock(s);
	if (s->s_owner != lwkt_arch_mycpu()->gd_curthread) {
		unlock(s);
		return EPERM;
	}
	if (!list_empty(&s->s_waiters)) {
		next = LIST_ENTRY(s->s_waiters.next, struct waiter, link);
		list_remove(&next->link);
	}
	s->s_owner = next ? next->td : NULL;
	unlock(s);
	if (next)
		let_in(next);
	return 0;
}
