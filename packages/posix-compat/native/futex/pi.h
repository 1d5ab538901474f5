/*
 * pi.h - the queues of futexes with priority inheritance, as pi.c keeps them.
 */
#ifndef FUTEX_PI_H
#define FUTEX_PI_H

#include "posix.h"

#define PI_BUCKETS 64u

struct pi_waiter {
	struct lwkt_list link;  /* in a bucket, by the place where it waits; under pi_lock */
	uint64_t place;         /* the lock's word; or, before it is moved, FUTEX_WAIT_REQUEUE_PI's first one; under pi_lock */
	uint64_t lock;          /* the word of the lock that it is to have */
	struct lwp *lwp;
	int priority;
	int owner;              /* the tid of who has the lock, while it waits for that; under pi_lock */
	bool queued;            /* under pi_lock */
	long result;            /* written by who takes it out */
	bool told;              /* written on the waiter's rfork */
};

extern uint32_t pi_lock;
extern struct lwkt_list pi_buckets[PI_BUCKETS]; /* under pi_lock */
extern unsigned pi_nwaiters;                    /* under pi_lock; looked at without it by lwps that end */

struct lwkt_list *pi_bucket_of(uint64_t place);

#endif
