/*
 * ready.c - a userthread waits until a descriptor is ready, and its rfork goes on with others: in the rfork's io_uring (ring.c) or, where that can't be had, in its
 * epoll set (epoll.c).
 *
 * What has been waited for may be gone again when the userthread runs: whoever waits tries again, without waiting (until.c).
 *
 * Invariant: a userthread is pinned from the beginning of a wait to its end, and its end comes when nothing of it is left with the kernel.
 */
#include "wait/ready.h"

#include "ring/operation.h"

/* Any rfork's, by atomic operations. */
static const struct ready_way *way = &ready_ring;
static bool refused; /* neither can be had */

void waits_by_readiness(bool on)
{
	__atomic_store_n(&way, on ? &ready_epoll : &ready_ring, __ATOMIC_RELAXED);
}

static void open_queue(struct waits *self, const struct ready_way *by, int bell)
{
	self->way = by;
	self->queue = by->open(bell);
}

/** The rfork's queue; NULL: there is none. The first that asks finds out which way there is. */
static void *queue_of(struct waits *self)
{
	int bell;

	if (self->queue || __atomic_load_n(&refused, __ATOMIC_RELAXED))
		return self->queue;
	bell = lwkt_doorbell();
	if (bell >= 0)
		open_queue(self, __atomic_load_n(&way, __ATOMIC_RELAXED), bell);
	if (!self->queue && self->way == &ready_ring) {
		waits_by_readiness(true);
		open_queue(self, &ready_epoll, bell);
	}
	if (!self->queue)
		__atomic_store_n(&refused, true, __ATOMIC_RELAXED);
	return self->queue;
}

void ready_forget(struct waits *waits)
{
	if (waits->queue)
		waits->way->forget(waits->queue);
}

void ready_idle(struct waits *self)
{
	uint64_t ask = lwkt_share_ask(), timer = lwkt_next_timer();

	if (!lwkt_runnable() && ask)
		self->way->idle(self->queue, ask < timer ? ask : timer);
}

/** Until the wait is over, a signal is there, or the time is up; and until it has ended. Whether there is a signal. */
static bool wait(struct caller *caller, struct waits *self, struct ready *ready, struct ready_fd *fds, unsigned n, const char *wmesg)
{
	bool signalled = false;

	self->nwaits++;
	while (!ready->over && !signalled && !lwkt_timed_is_up(ready->td))
		signalled = call_user->wait(caller, wmesg, &ready->over);
	self->way->end(self->queue, ready, fds, n);
	while (ready->left) {
		call_user->look();
		if (ready->missed)
			self->way->end(self->queue, ready, fds, n);
		else if (ready->left)
			lwkt_wait_once(wmesg);
	}
	self->nwaits--;
	return signalled;
}

long ready_wait(struct caller *caller, const struct pollfd *polled, unsigned n, const char *wmesg)
{
	struct ready ready = {.td = lwkt_curthread()};
	struct ready_fd fds[n + 1];
	struct waits *self;
	unsigned nfds = 0;
	long error = -EOPNOTSUPP;

	for (unsigned i = 0; i < n; i++)
		if (polled[i].fd >= 0)
			fds[nfds++] = (struct ready_fd){.ready = &ready, .fd = polled[i].fd, .events = (uint16_t)polled[i].events};
	lwkt_pin();
	self = waits_self();
	if (queue_of(self) && !self->way->begin(self->queue, &ready, fds, nfds))
		error = wait(caller, self, &ready, fds, nfds, wmesg) ? -ERESTARTSYS : 0;
	lwkt_unpin();
	return error;
}

long ready_operate(struct caller *caller, const struct call *call, bool tried, const char *wmesg)
{
	const struct operation *operation = operation_of(call);
	struct ready ready = {.td = lwkt_curthread()};
	struct ready_fd fd = {.ready = &ready, .fd = fd_of(call)};
	struct waits *self;

	lwkt_pin();
	self = waits_self();
	if (!operation || !queue_of(self) || self->way != &ready_ring) {
		lwkt_unpin();
		return -EOPNOTSUPP;
	}
	operation_fill(operation, call, ring_operation(self->queue, &fd), NULL);
	if (!tried)
		self->way->look(self->queue, true);
	wait(caller, self, &ready, &fd, 1, wmesg);
	lwkt_unpin();
	return ready.result == -ECANCELED || ready.result == -EINTR ? -ERESTARTSYS : ready.result;
}
