/*
 * ready.h - what the two ways of waiting for descriptors have in common (ready.c).
 *
 * A way has a queue for each rfork, which only that rfork's kernel thread uses: a userthread is pinned while something of its own is in there.
 */
#ifndef SYSCALLS_READY_H
#define SYSCALLS_READY_H

#include "wait/ways.h"

struct io_uring_sqe;

/** A wait under way: on its userthread's stack, until `left` is 0. */
struct ready {
	lwkt_thread_t td;
	unsigned left; /* what the kernel's ring has of it still */
	int result;    /* what came first: -errno, or whatever the operation answers */
	bool over;     /* something has come */
	bool missed;   /* something is left that could not be cancelled: it is to be tried again */
};

/** One descriptor of it, or one operation. */
struct ready_fd {
	struct ready_fd *next;
	struct ready *ready; /* the ring's: NULL once it has come back */
	int fd;
	uint32_t events;
};

struct ready_way {
	/** The rfork's queue; NULL: the kernel does not let it have one. With a doorbell, which ends idle(). */
	void *(*open)(int bell);
	/** The child of a fork has a copy, which is its parent's. */
	void (*forget)(void *queue);
	/** The userthread that runs is to be woken when one of n descriptors is ready. 0, or -errno: it won't be. */
	long (*begin)(void *queue, struct ready *ready, struct ready_fd *fds, unsigned n);
	/** It has come, or is not wanted any more: `left` will be 0 soon, or `missed` is set. */
	void (*end)(void *queue, struct ready *ready, struct ready_fd *fds, unsigned n);
	/** Wakes those for whom something has come. Cheap if nothing has, unless it is to look thoroughly. */
	void (*look)(void *queue, bool thoroughly);
	/** Whether a thorough look is due. In a signal's handler, too. */
	bool (*is_due)(const void *queue);
	/** Sleeps until something has come, the bell rings, or so many ns have passed (UINT64_MAX: for good). On thread0. */
	void (*idle)(void *queue, uint64_t ns);
};

extern const struct ready_way ready_ring, ready_epoll;

/* ring.c: an operation that waits by itself. What begin, end and the rest do for it is the same. */
struct io_uring_sqe *ring_operation(void *queue, struct ready_fd *fd);

struct offload;
struct helper;

/** What an rfork has for its userthreads that wait. Its own, where nothing else is said. */
struct waits {
	globaldata_t gd;                /* NULL: none has waited yet */
	struct offload *done;           /* calls that helpers have made, the last first: from any kernel thread, by atomic operations */
	struct helper *idle;            /* helpers that wait for work */
	unsigned nidle;
	unsigned nhelped;               /* calls that helpers are making */
	unsigned nending;               /* of them, those that were told to end */
	const struct ready_way *way;    /* how they wait for descriptors, */
	void *queue;                    /* and what they wait in; NULL: none has yet */
	unsigned nwaits;                /* that do */
};

/* waits.c */
struct waits *waits_self(void); /* the calling rfork's */

/* offload.c */
void offload_reap(struct waits *self);

/* ready.c */
void ready_forget(struct waits *waits); /* in a fork's child */
void ready_idle(struct waits *self);
/** Waits until one of n descriptors is ready, or seems so, or the userthread's timed section is over. 0; -ERESTARTSYS for a signal; -EOPNOTSUPP: there is no way. */
long ready_wait(struct caller *caller, const struct pollfd *fds, unsigned n, const char *wmesg);
/** A call that takes something (ring/operation.h), made by the ring. tried: it has to wait. What it answers; -EOPNOTSUPP: there is no ring. */
long ready_operate(struct caller *caller, const struct call *call, bool tried, const char *wmesg);

#endif
