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

/* Newer than the oldest <linux/io_uring.h> that this is to build with; the numbers are the kernel's. */
#define OP_FUTEX_WAIT 51 /* Linux 6.7 */
#define WORD_OF_32_BITS 2 /* FUTEX2_SIZE_U32, and not FUTEX2_PRIVATE */

/* Any rfork's, by atomic operations. */
static const struct ready_way *way = &ready_ring;
static bool refused; /* neither can be had */
static bool no_words; /* the kernel's ring can't wait for a word */

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

/** Once, whatever signal may be there. */
static bool wait_deaf(const struct ready *ready, const char *wmesg)
{
	call_user->look();
	if (!ready->over && !lwkt_timed_is_up(ready->td))
		lwkt_wait_once(wmesg);
	return false;
}

/** Until the wait is over, a signal is there (not if deaf), or the time is up; and until it has ended. Whether there is a signal. caller may be NULL: the plain library has none. */
static bool wait(struct caller *caller, struct waits *self, struct ready *ready, struct ready_fd *fds, unsigned n, const char *wmesg, bool deaf)
{
	bool signalled = false;

	self->nwaits++;
	while (!ready->over && !signalled && !lwkt_timed_is_up(ready->td))
		signalled = deaf ? wait_deaf(ready, wmesg) : call_user->wait(caller, wmesg, &ready->over);
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
		error = wait(caller, self, &ready, fds, nfds, wmesg, false) ? -ERESTARTSYS : 0;
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
	wait(caller, self, &ready, &fd, 1, wmesg, false);
	lwkt_unpin();
	return ready.result == -ECANCELED || ready.result == -EINTR ? -ERESTARTSYS : ready.result;
}

/** What the kernel answers is what FUTEX_WAIT does. */
static long wait_in_ring(struct caller *caller, struct waits *self, const volatile uint32_t *word, uint32_t value, const char *wmesg, bool deaf)
{
	struct ready ready = {.td = lwkt_curthread()};
	struct ready_fd fd = {.ready = &ready, .fd = WORD_OF_32_BITS};
	struct io_uring_sqe *sqe = ring_operation(self->queue, &fd);
	bool signalled;

	sqe->opcode = OP_FUTEX_WAIT;
	sqe->fd = fd.fd;
	sqe->addr = (uintptr_t)word;
	sqe->addr2 = value;
	sqe->addr3 = UINT32_MAX;
	signalled = wait(caller, self, &ready, &fd, 1, wmesg, deaf);
	if (ready.result == -EINVAL)
		__atomic_store_n(&no_words, true, __ATOMIC_RELAXED);
	if (ready.result == -EINVAL || ready.result != -ECANCELED)
		return ready.result == -EINVAL ? -EOPNOTSUPP : ready.result;
	return signalled ? -ERESTARTSYS : -ETIMEDOUT;
}

long word_waiting(struct caller *caller, const volatile uint32_t *word, uint32_t value, uint64_t ns, const char *wmesg, bool deaf)
{
	struct lwkt_timed timed;
	struct waits *self;
	long result = -EOPNOTSUPP;

	if (let_others() && *word != value) /* as a rule it is there by then */
		return 0;
	lwkt_pin();
	self = waits_self();
	if (!__atomic_load_n(&no_words, __ATOMIC_RELAXED) && queue_of(self) && self->way == &ready_ring) {
		lwkt_timed_begin(&timed, ns);
		result = wait_in_ring(caller, self, word, value, wmesg, deaf);
		lwkt_timed_end(&timed);
	}
	lwkt_unpin();
	return result;
}
