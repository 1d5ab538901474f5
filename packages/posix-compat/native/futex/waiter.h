/*
 * waiter.h - an lwp's place in a futex's queue, for the files that put one there: futex.c, whose queues these are, and vector.c, which waits in several
 * at once.
 */
#ifndef FUTEX_WAITER_H
#define FUTEX_WAITER_H

#include "posix.h"

#define FUTEX_BUCKETS 256u

struct bucket {
	uint32_t lock;
	struct lwkt_list waiters; /* under the lock */
} __attribute__((aligned(64)));

extern struct bucket futex_buckets[FUTEX_BUCKETS];
struct bucket *futex_bucket_of(uint64_t address);

struct waiter {
	struct lwkt_list link;          /* in a bucket, under its lock; then in a list of whoever wakes */
	struct bucket *volatile bucket; /* changes by requeue, under both locks; NULL: taken out */
	uint64_t address;
	uint32_t bitset;
	lwkt_thread_t td;
	uint32_t *kernel_word; /* or NULL: a kernel thread waits for this word on the lwp's behalf, and is to see 1 there */
	bool woken;            /* written on the waiter's rfork */
};

/** Puts the waiter into its queue, unless the word has another value. */
long waiter_join(struct waiter *waiter, uint32_t expected);
/** It does not want to wait any longer. Whether it was still in a queue: else somebody is about to write `woken`. */
bool waiter_withdraw(struct waiter *waiter);

#endif
