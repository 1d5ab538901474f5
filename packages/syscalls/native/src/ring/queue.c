/* queue.c - see queue.h. On the raw system calls; nothing about what the kernel can do is assumed. */
#include "ring/queue.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "kernel.h"

/* With IORING_SETUP_DEFER_TASKRUN the kernel does its part of a completion when this thread asks for it, and interrupts none of its other system calls
 * (docs/decisions/0009-ring.md). */
static const unsigned setups[] = {
	IORING_SETUP_SUBMIT_ALL | IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_TASKRUN_FLAG, /* Linux 6.1 */
	IORING_SETUP_SUBMIT_ALL | IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG,                               /* 5.19 */
	IORING_SETUP_SUBMIT_ALL,                                                                                       /* 5.18 */
	0,
};

static long setup(unsigned entries, unsigned completions, struct io_uring_params *params)
{
	long fd = -EINVAL;

	for (unsigned i = 0; i < sizeof(setups) / sizeof(*setups) && fd == -EINVAL; i++) {
		*params = (struct io_uring_params){.flags = setups[i] | IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP, .cq_entries = completions};
		fd = kernel_call(SYS_io_uring_setup, entries, params);
	}
	return fd;
}

/** Where it is mapped, or NULL and *error. */
static void *map(const struct ring_queue *queue, size_t size, uint64_t what, long *error)
{
	long at = kernel_call(SYS_mmap, NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, queue->fd, what);

	if (at >= 0 || at < -4095)
		return (void *)at;
	*error = at;
	return NULL;
}

static long map_queues(struct ring_queue *queue, const struct io_uring_params *params)
{
	size_t sq = params->sq_off.array + params->sq_entries * sizeof(unsigned);
	size_t cq = params->cq_off.cqes + params->cq_entries * sizeof(struct io_uring_cqe);
	long error = 0;
	unsigned *array;
	char *at;

	queue->map_size = sq > cq ? sq : cq;
	queue->sqes_size = params->sq_entries * sizeof(struct io_uring_sqe);
	queue->map = at = map(queue, queue->map_size, IORING_OFF_SQ_RING, &error);
	queue->sqes = queue->sqes_map = error ? NULL : map(queue, queue->sqes_size, IORING_OFF_SQES, &error);
	if (error)
		return error;
	queue->sq_head = (unsigned *)(at + params->sq_off.head);
	queue->sq_tail = (unsigned *)(at + params->sq_off.tail);
	queue->sq_flags = (unsigned *)(at + params->sq_off.flags);
	queue->sq_mask = *(unsigned *)(at + params->sq_off.ring_mask);
	queue->cq_head = (unsigned *)(at + params->cq_off.head);
	queue->cq_tail = (unsigned *)(at + params->cq_off.tail);
	queue->cq_flags = params->cq_off.flags ? (unsigned *)(at + params->cq_off.flags) : NULL;
	queue->cq_mask = *(unsigned *)(at + params->cq_off.ring_mask);
	queue->cqes = (struct io_uring_cqe *)(at + params->cq_off.cqes);
	array = (unsigned *)(at + params->sq_off.array);
	for (unsigned i = 0; i < params->sq_entries; i++)
		array[i] = i; /* entries are used in order */
	queue->tail = queue->submitted = *queue->sq_tail;
	return 0;
}

long ring_queue_open(struct ring_queue *queue, unsigned entries, unsigned completions, unsigned features)
{
	struct io_uring_params params;
	long fd = setup(entries, completions, &params), error;

	if (fd < 0)
		return fd;
	*queue = (struct ring_queue){.fd = (int)fd, .setup_flags = params.flags};
	/* The queues are one mapping, the kernel keeps what has no room, and what an entry points at is the caller's again after the submission. */
	features |= IORING_FEAT_SINGLE_MMAP | IORING_FEAT_NODROP | IORING_FEAT_SUBMIT_STABLE;
	error = (params.features & features) == features ? map_queues(queue, &params) : -EOPNOTSUPP;
	if (error) {
		ring_queue_unmap(queue);
		kernel_call(SYS_close, fd);
	}
	return error;
}

void ring_queue_unmap(struct ring_queue *queue)
{
	if (queue->map)
		kernel_call(SYS_munmap, queue->map, queue->map_size);
	if (queue->sqes_map)
		kernel_call(SYS_munmap, queue->sqes_map, queue->sqes_size);
}

long ring_queue_probe(const struct ring_queue *queue, unsigned char supported[RING_OPERATIONS])
{
	_Alignas(struct io_uring_probe) char memory[sizeof(struct io_uring_probe) + RING_OPERATIONS * sizeof(struct io_uring_probe_op)];
	struct io_uring_probe *probe = (struct io_uring_probe *)memory;
	long error;

	memset(memory, 0, sizeof(memory));
	error = kernel_call(SYS_io_uring_register, queue->fd, IORING_REGISTER_PROBE, probe, RING_OPERATIONS);
	for (unsigned i = 0; error >= 0 && i < probe->ops_len && i < RING_OPERATIONS; i++)
		if (probe->ops[i].op < RING_OPERATIONS)
			supported[probe->ops[i].op] = (probe->ops[i].flags & IO_URING_OP_SUPPORTED) != 0;
	return error < 0 ? error : 0;
}

struct io_uring_sqe *ring_queue_entries(struct ring_queue *queue, unsigned n)
{
	if (queue->tail - ring_load(queue->sq_head) + n > queue->sq_mask + 1)
		return NULL;
	queue->tail += n;
	for (unsigned i = 0; i < n; i++)
		memset(ring_queue_entry(queue, n, i), 0, sizeof(struct io_uring_sqe));
	return ring_queue_entry(queue, n, 0);
}

long ring_queue_enter(struct ring_queue *queue, unsigned completions, unsigned flags, const struct io_uring_getevents_arg *arg)
{
	long done;

	ring_store(queue->sq_tail, queue->tail);
	done = kernel_call(SYS_io_uring_enter, queue->fd, ring_queue_filled(queue), completions, flags, arg, arg ? sizeof(*arg) : 0);
	if (done > 0)
		queue->submitted += (unsigned)done;
	return done;
}
