/*
 * ring-submit.c - operations on their way to the kernel and back: what is filled during a turn of the event loop goes in one system call (calls
 * that move data in several, a few at a time), and what has completed is taken from the queue without one.
 *
 * A descriptor is looked up by the kernel when its operation is submitted. So whoever closes one through this library submits first what
 * has been filled (ring_closing).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "ring.h"

#define EARLY 8 /* so many calls are not kept for the end of the turn: a device has something to do while the turn goes on */

static unsigned load(const unsigned *word) { return __atomic_load_n(word, __ATOMIC_ACQUIRE); }

static void store(unsigned *word, unsigned value) { __atomic_store_n(word, value, __ATOMIC_RELEASE); }

/* ---------------------------------------------------------------- operations */

/** A number for op. Answers 0 or -ENOMEM. */
static int take_slot(struct ring *ring, struct ring_op *op)
{
	if (ring->free_slot_count == 0) {
		int more = ring->slot_count ? 2 * ring->slot_count : 64;
		struct ring_op **slots = realloc(ring->slots, (size_t)more * sizeof(struct ring_op *));
		if (slots != NULL)
			ring->slots = slots;
		int *free_slots = realloc(ring->free_slots, (size_t)more * sizeof(int));
		if (free_slots != NULL)
			ring->free_slots = free_slots;
		if (slots == NULL || free_slots == NULL)
			return -ENOMEM;
		for (int i = more - 1; i >= ring->slot_count; i--) {
			ring->slots[i] = NULL;
			ring->free_slots[ring->free_slot_count++] = i;
		}
		ring->slot_count = more;
	}
	op->slot = ring->free_slots[--ring->free_slot_count];
	ring->slots[op->slot] = op;
	return 0;
}

struct ring_op *op_new(struct ring *ring)
{
	struct ring_op *op = ring->spare;

	if (op != NULL)
		ring->spare = op->next;
	else
		op = malloc(sizeof *op);
	if (op == NULL)
		return NULL;
	memset(op, 0, offsetof(struct ring_op, call));
	op->fd = op->buffer = -1;
	if (take_slot(ring, op) == 0)
		return op;
	op->next = ring->spare;
	ring->spare = op;
	return NULL;
}

static void forget_fd(struct ring_op *op)
{
	if (op->fd_previous == NULL)
		return;
	*op->fd_previous = op->fd_next;
	if (op->fd_next != NULL)
		op->fd_next->fd_previous = op->fd_previous;
	op->fd_previous = NULL;
}

void op_of_fd(struct ring *ring, struct ring_op *op, int fd)
{
	struct ring_op **bucket = &ring->by_fd[(unsigned)fd % FD_BUCKETS];

	op->fd = fd;
	op->fd_next = *bucket;
	op->fd_previous = bucket;
	if (*bucket != NULL)
		(*bucket)->fd_previous = &op->fd_next;
	*bucket = op;
}

void op_free(struct ring *ring, struct ring_op *op)
{
	if (op->has_call)
		copied_free(&op->call);
	if (op->buffer >= 0)
		ring_give_buffer(ring, op->buffer);
	forget_fd(op);
	ring->slots[op->slot] = NULL;
	ring->free_slots[ring->free_slot_count++] = op->slot;
	op->state = OP_SPARE;
	op->next = ring->spare;
	ring->spare = op;
}

static void make_ready(struct ring *ring, struct ring_op *op)
{
	op->state = OP_READY;
	op->next = NULL;
	*ring->ready_end = op;
	ring->ready_end = &op->next;
}

double op_given(struct ring *ring, struct ring_op *op)
{
	op->state = OP_GIVEN;
	ring->given++;
	ring_waiting(ring, op, 1);
	return op->slot + 1;
}

/* ---------------------------------------------------------------- the queues */

struct io_uring_sqe *ring_entries(struct ring *ring, unsigned n)
{
	if (ring->tail - load(ring->sq_head) + n > ring->sq_mask + 1) {
		ring_flush(ring, 0);
		if (ring->tail - load(ring->sq_head) + n > ring->sq_mask + 1)
			return NULL;
	}
	struct io_uring_sqe *first = NULL;
	for (unsigned i = n; i-- > 0;) {
		first = &ring->sqes[(ring->tail + i) & ring->sq_mask];
		memset(first, 0, sizeof *first);
	}
	ring->tail += n;
	return first;
}

static int enter(struct ring *ring, unsigned submit, unsigned flags)
{
	int result = (int)syscall(SYS_io_uring_enter, ring->fd, submit, 0, flags, NULL, 0);

	return result < 0 ? -errno : result;
}

void ring_enter(struct ring *ring) { enter(ring, 0, IORING_ENTER_GETEVENTS); }

void ring_flush(struct ring *ring, int reap)
{
	unsigned flags = reap ? IORING_ENTER_GETEVENTS : 0;
	int refused = 0;

	store(ring->sq_tail, ring->tail);
	while (ring->tail != ring->submitted) {
		int result = enter(ring, ring->tail - ring->submitted, flags);
		if (result >= 0) {
			ring->submitted += (unsigned)result;
			refused = 0;
		} else if ((result == -EBUSY || result == -EAGAIN) && refused++ == 0) {
			ring_reap(ring); /* makes room for completions */
		} else if (result != -EINTR) {
			return; /* no memory at present: it stays in the queue for the next turn */
		}
	}
}

int ring_has_completions(const struct ring *ring)
{
	return *ring->cq_head != load(ring->cq_tail) || (load(ring->sq_flags) & (IORING_SQ_TASKRUN | IORING_SQ_CQ_OVERFLOW));
}

void ring_reap(struct ring *ring)
{
	int asked = 0, too_few_buffers = 0;

	for (;;) {
		unsigned head = *ring->cq_head, tail = load(ring->cq_tail);
		for (; head != tail; head++) {
			const struct io_uring_cqe *cqe = &ring->cqes[head & ring->cq_mask];
			struct ring_op *op = (struct ring_op *)(uintptr_t)cqe->user_data;
			if (op == NULL)
				continue; /* a cancellation, a linked timeout */
			op->result = cqe->res;
			too_few_buffers |= cqe->res == -ENOBUFS && op->receives;
			int buffer = cqe->flags & IORING_CQE_F_BUFFER ? (int)(cqe->flags >> IORING_CQE_BUFFER_SHIFT) : -1;
			if (cqe->res > 0)
				op->buffer = buffer;
			else if (buffer >= 0) /* of the end of a stream, perhaps: nobody comes for it */
				ring_give_buffer(ring, buffer);
			ring->given--;
			if (!op->receives) /* whose descriptor is looked at once more */
				forget_fd(op);
			make_ready(ring, op);
		}
		store(ring->cq_head, head);
		if (asked || !(load(ring->sq_flags) & (IORING_SQ_TASKRUN | IORING_SQ_CQ_OVERFLOW)))
			break;
		asked = 1;
		ring_enter(ring);
	}
	if (too_few_buffers)
		ring_more_buffers(ring);
}

/* ---------------------------------------------------------------- for JavaScript */

void op_fill_cancel(struct io_uring_sqe *sqe, const struct ring_op *op)
{
	sqe->opcode = IORING_OP_ASYNC_CANCEL;
	sqe->fd = -1;
	sqe->addr = (uintptr_t)op;
}

double ring_submit(struct environment *environment, const struct marshalled *call, long done)
{
	struct ring *ring = environment->ring;

	if (ring == NULL || !ring_knows(ring, call))
		return ANSWER_OFFLOAD;
	struct ring_op *op = op_new(ring);
	if (op == NULL)
		return ANSWER_OFFLOAD;
	int error = copied_init(&op->call, call, done);
	struct io_uring_sqe *sqe = error ? NULL : ring_entries(ring, 1);
	op->has_call = !error;
	if (sqe == NULL) {
		op_free(ring, op);
		return error ? error : ANSWER_OFFLOAD;
	}
	ring_fill(op, sqe);
	op->opcode = sqe->opcode;
	sqe->user_data = (uintptr_t)op;
	double number = op_given(ring, op);
	if (ring->tail - ring->submitted >= EARLY)
		ring_flush(ring, 0);
	return number;
}

double ring_poll(struct environment *environment, int fd, uint32_t events, double nanoseconds, int background)
{
	struct ring *ring = environment->ring;
	struct ring_op *op = op_new(ring);
	int alone = fd < 0; /* only the time */
	unsigned n = nanoseconds >= 0 && !alone ? 2 : 1;
	struct io_uring_sqe *sqe = op == NULL ? NULL : ring_entries(ring, n);

	if (sqe == NULL) {
		if (op != NULL)
			op_free(ring, op);
		return -ENOMEM;
	}
	if (nanoseconds >= 0) {
		struct timespec now;
		clock_gettime(CLOCK_MONOTONIC, &now);
		double until = (double)now.tv_nsec + nanoseconds;
		op->until.tv_sec = now.tv_sec + (long)(until / 1e9);
		op->until.tv_nsec = (long)(until - (double)(long)(until / 1e9) * 1e9);
		struct io_uring_sqe *timeout = alone ? sqe : &ring->sqes[(ring->tail - 1) & ring->sq_mask];
		timeout->opcode = alone ? IORING_OP_TIMEOUT : IORING_OP_LINK_TIMEOUT;
		timeout->fd = -1;
		timeout->addr = (uintptr_t)&op->until;
		timeout->len = 1;
		timeout->timeout_flags = IORING_TIMEOUT_ABS;
		op->timed = 1;
	}
	if (!alone) {
		sqe->opcode = IORING_OP_POLL_ADD;
		sqe->fd = fd;
		sqe->poll32_events = events; /* a little-endian machine: the halves are in order */
		sqe->flags = n == 2 ? IOSQE_IO_LINK : 0;
		op_of_fd(ring, op, fd);
	}
	op->opcode = sqe->opcode;
	op->background = background != 0;
	sqe->user_data = (uintptr_t)op;
	return op_given(ring, op);
}

void ring_background(struct environment *environment, double id, int on)
{
	struct ring *ring = environment->ring;
	struct ring_op *op = ring == NULL ? NULL : op_by_number(ring, id);

	if (op == NULL || op->abandoned || op->background == (on != 0) || (op->state != OP_GIVEN && op->state != OP_READY))
		return;
	if (on)
		ring_waiting(ring, op, -1);
	op->background = on != 0;
	if (!on)
		ring_waiting(ring, op, 1);
}

struct ring_op *op_by_number(struct ring *ring, double number)
{
	int slot = (int)number - 1;

	return slot >= 0 && slot < ring->slot_count ? ring->slots[slot] : NULL;
}

int ring_finish(struct environment *environment, double id, napi_value *values, size_t nvalues)
{
	struct ring *ring = environment->ring;
	struct ring_op *op = ring == NULL ? NULL : op_by_number(ring, id);

	if (op == NULL || op->state != OP_REPORTED)
		return 0;
	int answer = copied_deliver(&op->call, ring_result(op), environment, values, nvalues);
	op_free(ring, op);
	return answer;
}

void ring_abandon(struct environment *environment, double id)
{
	struct ring *ring = environment->ring;
	struct ring_op *op = ring == NULL ? NULL : op_by_number(ring, id);

	if (op == NULL || op->abandoned)
		return;
	if (op->state == OP_REPORTED) {
		if (op->has_call || op->buffer >= 0) /* the others are freed by who reports them */
			op_free(ring, op);
		return;
	}
	op->abandoned = 1;
	ring_waiting(ring, op, -1);
	struct io_uring_sqe *sqe = op->state == OP_GIVEN ? ring_entries(ring, 1) : NULL;
	if (sqe != NULL)
		op_fill_cancel(sqe, op);
}

/** Ends the waits of one bucket for descriptors from first to last. */
static void end_waits(struct ring *ring, struct ring_op *op, unsigned first, unsigned last)
{
	for (; op != NULL; op = op->fd_next) {
		if ((unsigned)op->fd < first || (unsigned)op->fd > last || op->closed)
			continue;
		op->closed = 1;
		struct io_uring_sqe *sqe = op->state == OP_GIVEN ? ring_entries(ring, 1) : NULL;
		if (sqe != NULL)
			op_fill_cancel(sqe, op);
	}
}

void ring_closing(struct environment *environment, unsigned first, unsigned last)
{
	struct ring *ring = environment->ring;

	if (first == last) {
		end_waits(ring, ring->by_fd[first % FD_BUCKETS], first, last);
	} else {
		for (unsigned i = 0; i < FD_BUCKETS; i++)
			end_waits(ring, ring->by_fd[i], first, last);
	}
	ring_flush(ring, 0);
}
