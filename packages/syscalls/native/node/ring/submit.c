/*
 * submit.c - operations on their way to the kernel and back: what is filled during a turn of the event loop goes in one system call (calls
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
#include <time.h>

#include "ring.h"

#define EARLY 8 /* so many calls are not kept for the end of the turn: a device has something to do while the turn goes on */

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
		op = calloc(1, sizeof *op);
	if (op == NULL)
		return NULL;
	memset(op, 0, offsetof(struct ring_op, call));
	op->generation++;
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
	struct io_uring_sqe *first = ring_queue_entries(&ring->queue, n);

	if (first != NULL)
		return first;
	ring_flush(ring, 0);
	return ring_queue_entries(&ring->queue, n);
}

void ring_enter(struct ring *ring) { ring_queue_enter(&ring->queue, 0, IORING_ENTER_GETEVENTS, NULL); }

void ring_flush(struct ring *ring, int reap)
{
	unsigned flags = reap ? IORING_ENTER_GETEVENTS : 0;
	int refused = 0;

	while (ring_queue_filled(&ring->queue)) {
		long result = ring_queue_enter(&ring->queue, 0, flags, NULL);
		if (result >= 0)
			refused = 0;
		else if ((result == -EBUSY || result == -EAGAIN) && refused++ == 0)
			ring_reap(ring); /* makes room for completions */
		else if (result != -EINTR)
			return; /* no memory at present: it stays in the queue for the next turn */
	}
}

static void complete(struct ring *ring, struct ring_op *op, const struct io_uring_cqe *cqe)
{
	int buffer = cqe->flags & IORING_CQE_F_BUFFER ? (int)(cqe->flags >> IORING_CQE_BUFFER_SHIFT) : -1;

	op->result = cqe->res;
	if (cqe->res > 0)
		op->buffer = buffer;
	else if (buffer >= 0) /* of the end of a stream, perhaps: nobody comes for it */
		ring_give_buffer(ring, buffer);
	ring->given--;
	if (!op->receives) /* whose descriptor is looked at once more */
		forget_fd(op);
	make_ready(ring, op);
}

void ring_reap(struct ring *ring)
{
	int asked = 0, too_few_buffers = 0;

	for (;;) {
		const struct io_uring_cqe *cqe;
		while ((cqe = ring_queue_first(&ring->queue)) != NULL) {
			struct ring_op *op = op_of_tag(cqe->user_data);
			if (op != NULL) { /* or a cancellation, or a linked timeout */
				too_few_buffers |= cqe->res == -ENOBUFS && op->receives;
				complete(ring, op, cqe);
			}
			ring_queue_taken(&ring->queue);
		}
		if (asked || !ring_queue_wants_entering(&ring->queue))
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
	sqe->addr = op_tag(op);
}

double ring_submit(struct environment *environment, const struct marshalled *call, long done)
{
	struct ring *ring = environment->ring;

	struct call now = call_of(call->number, call->args);
	const struct operation *operation = ring == NULL ? NULL : ring_knows(ring, &now);
	if (operation == NULL)
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
	now = call_of(op->call.number, op->call.args);
	operation_fill(operation, &now, sqe, &op->until);
	op->opcode = sqe->opcode;
	sqe->user_data = op_tag(op);
	double number = op_given(ring, op);
	if (ring_queue_filled(&ring->queue) >= EARLY)
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
		struct io_uring_sqe *timeout = alone ? sqe : ring_queue_entry(&ring->queue, n, 1);
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
	sqe->user_data = op_tag(op);
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
