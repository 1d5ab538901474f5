/*
 * ring.c - the beginning and the end of an environment's io_uring (src/ring/queue.h).
 *
 * The end: what has not completed is cancelled, and waited for for END_SECONDS at most. What is still in the kernel's hands then (a disk
 * that does not answer) keeps its memory for good; the process does not wait for it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "ring.h"

#define END_SECONDS 1

/* Without these there is no sense in a ring. */
static const uint8_t needed[] = {IORING_OP_POLL_ADD, IORING_OP_ASYNC_CANCEL, IORING_OP_TIMEOUT, IORING_OP_LINK_TIMEOUT, IORING_OP_READ,
                                 IORING_OP_WRITE};

/** Answers 0, or -EOPNOTSUPP where something is missing that libcr can't do without. */
static int probe(struct ring *ring)
{
	long error = ring->queue.cq_flags == NULL ? -EOPNOTSUPP : ring_queue_probe(&ring->queue, ring->supported); /* without, an eventfd can't be silenced */

	for (size_t i = 0; i < sizeof needed && error == 0; i++)
		if (!ring->supported[needed[i]])
			error = -EOPNOTSUPP;
	return (int)error;
}

static void close_queue(struct ring *ring)
{
	ring_queue_unmap(&ring->queue);
	close(ring->queue.fd);
}

/** Why there is no ring, in words. */
static void explain(int error, char *why, size_t size)
{
	switch (-error) {
	case ENOSYS: snprintf(why, size, "the kernel has no io_uring, or a seccomp filter hides it (ENOSYS)"); break;
	case EPERM: snprintf(why, size, "io_uring is forbidden, by sysctl kernel.io_uring_disabled or by a seccomp filter (EPERM)"); break;
	case EACCES: snprintf(why, size, "io_uring is forbidden (EACCES)"); break;
	case ENOMEM: snprintf(why, size, "no memory for io_uring, or a limit on locked memory (ENOMEM)"); break;
	case EMFILE: snprintf(why, size, "too many open files for io_uring (EMFILE)"); break;
	case EOPNOTSUPP: snprintf(why, size, "the kernel's io_uring is too old"); break;
	default: snprintf(why, size, "io_uring: %s", strerror(-error));
	}
}

int ring_open(struct environment *environment, char *why, size_t size)
{
	struct ring *ring = calloc(1, sizeof *ring);
	int error = ring == NULL ? -ENOMEM : 0;

	if (!error) {
		ring->environment = environment;
		ring->ready_end = &ring->ready;
		error = (int)ring_queue_open(&ring->queue, RING_ENTRIES, RING_COMPLETIONS, 0);
	}
	if (!error) {
		error = probe(ring);
		if (!error)
			error = ring_loop_init(ring);
		if (error)
			close_queue(ring);
	}
	if (error) {
		free(ring);
		explain(error, why, size);
		return error;
	}
	environment->ring = ring;
	return 0;
}

void ring_names_missing(const struct environment *environment, char *text, size_t size)
{
	text[0] = 0;
	if (environment->ring != NULL)
		ring_missing(environment->ring, text, size);
}

/** Whether the kernel may still write into memory of an operation. */
static int has_memory(const struct ring_op *op) { return op->state == OP_GIVEN && (op->has_call || op->receives); }

static unsigned with_memory(const struct ring *ring)
{
	unsigned count = 0;

	for (int i = 0; i < ring->slot_count; i++)
		if (ring->slots[i] != NULL && has_memory(ring->slots[i]))
			count++;
	return count;
}

/** Cancels everything and waits until no operation is left that has memory, or END_SECONDS have passed. */
static void cancel_all(struct ring *ring)
{
	struct timespec now, end;

	for (int i = 0; i < ring->slot_count; i++) {
		struct ring_op *op = ring->slots[i];
		struct io_uring_sqe *sqe = op != NULL && op->state == OP_GIVEN ? ring_entries(ring, 1) : NULL;
		if (sqe == NULL)
			continue;
		op_fill_cancel(sqe, op);
	}
	ring_flush(ring, 1);
	ring_reap(ring);
	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += END_SECONDS;
	while (with_memory(ring) > 0) {
		clock_gettime(CLOCK_MONOTONIC, &now);
		if (now.tv_sec > end.tv_sec || (now.tv_sec == end.tv_sec && now.tv_nsec >= end.tv_nsec))
			return;
		nanosleep(&(struct timespec){.tv_nsec = 100000}, NULL);
		ring_flush(ring, 1);
		ring_reap(ring);
	}
}

void ring_close(struct environment *environment)
{
	struct ring *ring = environment->ring;

	if (ring == NULL)
		return;
	cancel_all(ring);
	environment->ring = NULL;
	ring_loop_close(ring);
}

void ring_free(struct ring *ring)
{
	int receives = 0;

	for (int i = 0; i < ring->slot_count; i++) {
		struct ring_op *op = ring->slots[i];
		if (op != NULL && op->state == OP_GIVEN && op->receives)
			receives = 1;
		if (op != NULL && !has_memory(op))
			op_free(ring, op);
	}
	close_queue(ring);
	if (!receives)
		ring_free_buffers(ring);
	while (ring->spare != NULL) {
		struct ring_op *op = ring->spare;
		ring->spare = op->next;
		free(op);
	}
	free(ring->slots);
	free(ring->free_slots);
	free(ring);
}
