/*
 * ring.c - waiting in an io_uring: one for each rfork, which sleeps in it when none of its userthreads can run.
 *
 * What userthreads wait for is put into the submission queue and given to the kernel when the rfork falls idle, all at once, or after a few looks.
 * With IORING_SETUP_DEFER_TASKRUN the kernel does its part of a completion when it is asked to, and interrupts no call that the rfork makes.
 *
 * The Node addon's ring (../../../syscalls/native/node/ring/ring.h) stands on the same queue and operations; it brings results to JavaScript by numbers, from libuv's loop, and
 * keeps copies of all data, as memory there may be moved or given away. Here nothing of that exists.
 *
 * Invariant: user_data is a struct ready_fd, one for each operation (by it operations are cancelled, and the kernel takes the first of several), whose wait has
 * counted it in `left`, and which stays until that is 0; or a struct ready with CANCEL, for a cancellation, which is counted, too; or BELL.
 */
#include "wait/ready.h"

#include <linux/time_types.h>

#include "ring/queue.h"

#define ENTRIES 256
#define COMPLETIONS 1024 /* the kernel keeps what does not fit */
#define LOOKS 16         /* of a busy rfork, before what waits to be submitted is */
#define BELL 1
#define CANCEL 2 /* beside an address */

struct ring {
	struct ring_queue queue;
	int bell;
	unsigned looks;
	bool hears;  /* the doorbell */
	bool single; /* the kernel answers a poll once only (before Linux 5.13): the bell has to be silenced each time */
};

/* ---------------------------------------------------------------- its beginning and end */

static void forget(void *queue)
{
	struct ring *ring = queue;

	ring_queue_unmap(&ring->queue);
	close_own_descriptor(ring->queue.fd);
	lwkt_os_free(ring);
}

static void *open(int bell)
{
	struct ring *ring = lwkt_os_alloc(sizeof(*ring));

	if (!ring)
		return NULL;
	if (ring_queue_open(&ring->queue, ENTRIES, COMPLETIONS, IORING_FEAT_EXT_ARG)) {
		lwkt_os_free(ring);
		return NULL;
	}
	ring->queue.fd = own_descriptor(ring->queue.fd);
	ring->bell = bell;
	return ring;
}

/* ---------------------------------------------------------------- to the kernel and back */

/** Gives what has been filled to the kernel, which gives what has come; with wait, it waits for that. */
static void enter(struct ring *ring, bool wait, uint64_t ns)
{
	struct __kernel_timespec ts = {.tv_sec = (int64_t)(ns / 1000000000u), .tv_nsec = (int64_t)(ns % 1000000000u)};
	struct io_uring_getevents_arg arg = {.ts = ns == UINT64_MAX ? 0 : (uintptr_t)&ts};

	ring->looks = 0;
	ring_queue_enter(&ring->queue, wait, IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG, &arg);
}

static void bell_has_rung(struct ring *ring, const struct io_uring_cqe *cqe)
{
	uint64_t rung;

	ring->hears = cqe->flags & IORING_CQE_F_MORE;
	if (cqe->res < 0)
		ring->single = true;
	if (ring->single)
		kernel_call(SYS_read, ring->bell, &rung, sizeof(rung));
}

/** The kernel may not have found what it was to cancel: it is done, or was about to be tried again. */
static void cancel_is_made(struct ready *ready, int result)
{
	ready->left--;
	ready->missed |= result == -ENOENT;
	lwkt_wake(ready->td);
}

static void take(struct ring *ring, const struct io_uring_cqe *cqe)
{
	struct ready_fd *fd = (struct ready_fd *)(uintptr_t)cqe->user_data;
	struct ready *ready;

	if (cqe->user_data == BELL) {
		bell_has_rung(ring, cqe);
		return;
	}
	if (cqe->user_data & CANCEL) {
		cancel_is_made((struct ready *)(uintptr_t)(cqe->user_data & ~(uint64_t)CANCEL), cqe->res);
		return;
	}
	ready = fd->ready;
	fd->ready = NULL;
	ready->left--;
	if (!ready->over)
		ready->result = cqe->res;
	ready->over = true;
	lwkt_wake(ready->td);
}

static void reap(struct ring *ring)
{
	const struct io_uring_cqe *cqe;

	while ((cqe = ring_queue_first(&ring->queue))) {
		take(ring, cqe);
		ring_queue_taken(&ring->queue);
	}
}

/** Filled before the next entry or submission. */
static struct io_uring_sqe *entry(struct ring *ring, uint64_t user_data)
{
	struct io_uring_sqe *sqe;

	while (!(sqe = ring_queue_entries(&ring->queue, 1))) {
		enter(ring, false, 0);
		reap(ring);
	}
	sqe->user_data = user_data;
	return sqe;
}

/* ---------------------------------------------------------------- waits */

static void poll_descriptor(struct ring *ring, uint64_t user_data, int fd, uint32_t events, unsigned flags)
{
	struct io_uring_sqe *sqe = entry(ring, user_data);

	sqe->opcode = IORING_OP_POLL_ADD;
	sqe->fd = fd;
	sqe->poll32_events = events;
	sqe->len = flags;
}

static long begin(void *queue, struct ready *ready, struct ready_fd *fds, unsigned n)
{
	ready->left = n;
	for (unsigned i = 0; i < n; i++)
		poll_descriptor(queue, (uintptr_t)&fds[i], fds[i].fd, fds[i].events, 0);
	return 0;
}

struct io_uring_sqe *ring_operation(void *queue, struct ready_fd *fd)
{
	fd->ready->left = 1;
	return entry(queue, (uintptr_t)fd);
}

/** Cancels what is left. */
static void end(void *queue, struct ready *ready, struct ready_fd *fds, unsigned n)
{
	struct ring *ring = queue;

	if (!ready->left)
		return;
	ready->missed = false;
	for (unsigned i = 0; i < n; i++) {
		struct io_uring_sqe *sqe;

		if (!fds[i].ready)
			continue;
		sqe = entry(ring, (uintptr_t)ready | CANCEL);
		sqe->opcode = IORING_OP_ASYNC_CANCEL;
		sqe->addr = (uintptr_t)&fds[i];
		ready->left++;
	}
	enter(ring, false, 0);
	reap(ring);
}

static void look(void *queue, bool thoroughly)
{
	struct ring *ring = queue;

	if (ring_queue_wants_entering(&ring->queue) || (ring_queue_filled(&ring->queue) && (thoroughly || ++ring->looks >= LOOKS)))
		enter(ring, false, 0);
	reap(ring);
}

static bool is_due(const void *queue)
{
	const struct ring *ring = queue;

	return ring_queue_filled(&ring->queue) || ring_queue_has_come(&ring->queue);
}

static void idle(void *queue, uint64_t ns)
{
	struct ring *ring = queue;

	if (!ring->hears) {
		poll_descriptor(ring, BELL, ring->bell, POLLIN, ring->single ? 0 : IORING_POLL_ADD_MULTI);
		ring->hears = true;
	}
	enter(ring, lwkt_loop_sleeps(0), ns);
	lwkt_loop_wakes();
	reap(ring);
}

const struct ready_way ready_ring = {open, forget, begin, end, look, is_due, idle};
