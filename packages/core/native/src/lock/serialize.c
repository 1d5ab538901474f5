/*
 * serialize.c - serializers: locks that are kept while their holder blocks (DragonFly: lwkt_serialize.c). Any thread of any rfork may wait;
 * it blocks as a userthread does, its rfork goes on.
 *
 * Invariant: s_lock is held for a few instructions, never across anything that blocks, switches or sends. Who leaves hands over: there is no
 * moment at which a serializer with waiters is free.
 */
#include "debug.h"
#include "waiter.h"

void lwkt_serialize_init(struct lwkt_serialize *s)
{
	s->s_lock = 0;
	s->s_owner = NULL;
	list_init(&s->s_waiters);
}

/** Enters, or puts the waiter (if there is one) into the queue. Returns 0, EBUSY, EDEADLK. */
static int enter(struct lwkt_serialize *s, struct lwkt_waiter *waiter)
{
	lwkt_thread_t td = lwkt_arch_mycpu()->gd_curthread;
	int error = 0;

	lwkt_word_lock(&s->s_lock);
	if (!s->s_owner)
		s->s_owner = td;
	else if (s->s_owner == td)
		error = EDEADLK;
	else
		error = EBUSY;
	if (error == EBUSY && waiter)
		list_append(&s->s_waiters, &waiter->link);
	lwkt_word_unlock(&s->s_lock);
	return error;
}

int lwkt_serialize_try(struct lwkt_serialize *s)
{
	int error = enter(s, NULL);

	return MISUSE_IF(error == EDEADLK, error, "the thread is in serializer %p already: it does not nest", (void *)s);
}

int lwkt_serialize_enter(struct lwkt_serialize *s)
{
	struct lwkt_waiter waiter;
	int error = enter(s, NULL);

	if (error != EBUSY)
		return MISUSE_IF(error, error, "the thread is in serializer %p already: it does not nest", (void *)s);
	if (!lwkt_may_wait(lwkt_arch_mycpu()))
		return MISUSE(EDEADLK, "%s", lwkt_debug_no_wait());
	lwkt_waiter_init(&waiter);
	error = enter(s, &waiter);
	if (error != EBUSY)
		return error;
	error = lwkt_waiter_wait(&waiter, &s->s_lock, "serializer", false);
	return MISUSE_IF(error, error, "%s", lwkt_debug_no_wait());
}

int lwkt_serialize_exit(struct lwkt_serialize *s)
{
	struct lwkt_waiter *next;

	lwkt_word_lock(&s->s_lock);
	if (s->s_owner != lwkt_arch_mycpu()->gd_curthread) {
		lwkt_word_unlock(&s->s_lock);
		return MISUSE(EPERM, "the thread is not in serializer %p", (void *)s);
	}
	next = lwkt_waiter_take(&s->s_waiters);
	s->s_owner = next ? next->td : NULL;
	lwkt_word_unlock(&s->s_lock);
	if (next)
		lwkt_waiter_wake(next);
	return 0;
}

/** Whether the running thread is in. */
bool lwkt_serialize_held(struct lwkt_serialize *s)
{
	bool held;

	lwkt_word_lock(&s->s_lock);
	held = s->s_owner == lwkt_arch_mycpu()->gd_curthread;
	lwkt_word_unlock(&s->s_lock);
	return held;
}
