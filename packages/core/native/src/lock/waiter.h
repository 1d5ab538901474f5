/*
 * waiter.h - what threads of several rforks share without an owner: a thread that waits for what a locked word guards (serializers,
 * spin ports).
 *
 * Invariant: a waiter lies on the waiting thread's stack. Whoever takes it out of its place, under the lock, owes it a wake-up, and it stays until that
 * has come: only so is the thread still there when it is woken. `woken` is written on the thread's own rfork.
 */
#ifndef LWKT_WAITER_H
#define LWKT_WAITER_H

#include "internal.h"

struct lwkt_waiter {
	struct lwkt_list link;      /* in a list of those who wait, or */
	struct lwkt_waiter **place; /* the one place that points to it; both under the lock. In neither: somebody has taken it */
	lwkt_thread_t td;
	bool woken;
};

LWKT_HIDDEN void lwkt_waiter_init(struct lwkt_waiter *waiter);
LWKT_HIDDEN void lwkt_waiter_wake(void *waiter);
LWKT_HIDDEN int lwkt_waiter_wait(struct lwkt_waiter *waiter, uint32_t *word, const char *wmesg, bool timed);

/** Takes the first waiter of a list; NULL where there is none. Under the lock. */
static inline struct lwkt_waiter *lwkt_waiter_take(struct lwkt_list *list)
{
	struct lwkt_waiter *first = LIST_ENTRY(list->next, struct lwkt_waiter, link);

	if (list_empty(list))
		return NULL;
	list_remove(&first->link);
	return first;
}

#endif
