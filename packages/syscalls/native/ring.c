/*
 * ring.c - the beginning and the end of an environment's io_uring, on the raw system calls.
 *
 * Nothing about it is assumed: the setup is asked for with everything that helps, and then with less; which operations there are the
 * kernel is asked (IORING_REGISTER_PROBE).
 *
 * IORING_SETUP_DEFER_TASKRUN, with which the kernel does its part of a completion only when this thread asks for it, fits a thread that
 * looks at the queue once in each turn of its loop, and interrupts none of its other system calls (docs/decisions/0009-ring.md).
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
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "ring.h"

#define END_SECONDS 1

static const unsigned setups[] = {
	IORING_SETUP_SUBMIT_ALL | IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_TASKRUN_FLAG, /* Linux 6.1 */
	IORING_SETUP_SUBMIT_ALL | IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG,                               /* 5.19 */
	IORING_SETUP_SUBMIT_ALL,                                                                                       /* 5.18 */
	0,
};

/* Without these there is no sense in a ring. */
#define FEATURES (IORING_FEAT_SINGLE_MMAP | IORING_FEAT_NODROP | IORING_FEAT_SUBMIT_STABLE)
static const uint8_t needed[] = {IORING_OP_POLL_ADD, IORING_OP_ASYNC_CANCEL, IORING_OP_TIMEOUT, IORING_OP_LINK_TIMEOUT, IORING_OP_READ,
                                 IORING_OP_WRITE};

/** Answers a descriptor or -errno. */
static int open_ring(struct io_uring_params *params)
{
	for (size_t i = 0; i < sizeof setups / sizeof setups[0]; i++) {
		*params = (struct io_uring_params){
			.flags = setups[i] | IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP,
			.cq_entries = RING_COMPLETIONS,
		};
		int fd = (int)syscall(SYS_io_uring_setup, RING_ENTRIES, params);
		if (fd >= 0)
			return fd;
		if (errno != EINVAL)
			return -errno;
	}
	return -EINVAL;
}

static int map_queues(struct ring *ring, const struct io_uring_params *params)
{
	size_t sq = params->sq_off.array + params->sq_entries * sizeof(unsigned);
	size_t cq = params->cq_off.cqes + params->cq_entries * sizeof(struct io_uring_cqe);

	ring->map_size = sq > cq ? sq : cq;
	ring->map_sqes_size = params->sq_entries * sizeof(struct io_uring_sqe);
	ring->map = mmap(NULL, ring->map_size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring->fd, IORING_OFF_SQ_RING);
	if (ring->map == MAP_FAILED)
		return -errno;
	ring->map_sqes = mmap(NULL, ring->map_sqes_size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring->fd, IORING_OFF_SQES);
	if (ring->map_sqes == MAP_FAILED)
		return -errno;
	char *map = ring->map;
	ring->sq_head = (unsigned *)(map + params->sq_off.head);
	ring->sq_tail = (unsigned *)(map + params->sq_off.tail);
	ring->sq_flags = (unsigned *)(map + params->sq_off.flags);
	ring->sq_mask = *(unsigned *)(map + params->sq_off.ring_mask);
	ring->cq_head = (unsigned *)(map + params->cq_off.head);
	ring->cq_tail = (unsigned *)(map + params->cq_off.tail);
	ring->cq_flags = (unsigned *)(map + params->cq_off.flags);
	ring->cq_mask = *(unsigned *)(map + params->cq_off.ring_mask);
	ring->cqes = (struct io_uring_cqe *)(map + params->cq_off.cqes);
	ring->sqes = ring->map_sqes;
	unsigned *array = (unsigned *)(map + params->sq_off.array);
	for (unsigned i = 0; i < params->sq_entries; i++)
		array[i] = i; /* entries are used in order */
	ring->tail = ring->submitted = *ring->sq_tail;
	return 0;
}

/** Answers 0, or -EOPNOTSUPP where an operation is missing that libcr can't do without. */
static int probe(struct ring *ring)
{
	_Alignas(struct io_uring_probe) char memory[sizeof(struct io_uring_probe) + RING_OPERATIONS * sizeof(struct io_uring_probe_op)] = {0};
	struct io_uring_probe *probe = (struct io_uring_probe *)memory;

	if (syscall(SYS_io_uring_register, ring->fd, IORING_REGISTER_PROBE, probe, RING_OPERATIONS) < 0)
		return -errno;
	for (int i = 0; i < probe->ops_len && i < RING_OPERATIONS; i++)
		if (probe->ops[i].op < RING_OPERATIONS)
			ring->supported[probe->ops[i].op] = (probe->ops[i].flags & IO_URING_OP_SUPPORTED) != 0;
	for (size_t i = 0; i < sizeof needed; i++)
		if (!ring->supported[needed[i]])
			return -EOPNOTSUPP;
	return 0;
}

static void unmap(struct ring *ring)
{
	if (ring->map != NULL && ring->map != MAP_FAILED)
		munmap(ring->map, ring->map_size);
	if (ring->map_sqes != NULL && ring->map_sqes != MAP_FAILED)
		munmap(ring->map_sqes, ring->map_sqes_size);
	close(ring->fd);
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
	struct io_uring_params params;
	int error = ring == NULL ? -ENOMEM : 0;

	if (!error) {
		ring->environment = environment;
		ring->ready_end = &ring->ready;
		ring->fd = open_ring(&params);
		error = ring->fd < 0 ? ring->fd : 0;
	}
	if (!error) {
		ring->setup_flags = params.flags;
		/* cq_off.flags is 0 before Linux 5.8, where an eventfd can't be silenced. */
		error = (params.features & FEATURES) == FEATURES && params.cq_off.flags != 0 ? map_queues(ring, &params) : -EOPNOTSUPP;
		if (!error)
			error = probe(ring);
		if (!error)
			error = ring_loop_init(ring);
		if (error)
			unmap(ring);
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
		sqe->opcode = IORING_OP_ASYNC_CANCEL;
		sqe->addr = (uintptr_t)op;
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
	unmap(ring);
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
