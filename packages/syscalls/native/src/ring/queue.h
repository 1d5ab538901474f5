/*
 * queue.h - an io_uring as the kernel has it: two queues in shared memory. How it is set up, mapped and entered, and how what has completed is found.
 *
 * What an entry says is operation.h's affair; what is done with a completion is its user's: the Node addon brings it to JavaScript, wait/ring.c wakes a userthread.
 *
 * Invariant: all of it is used by the kernel thread that has opened it, which is what IORING_SETUP_SINGLE_ISSUER asks for; but for ring_queue_has_come, which a
 * signal's handler on that thread may call, too.
 */
#ifndef SYSCALLS_RING_QUEUE_H
#define SYSCALLS_RING_QUEUE_H

#include <linux/io_uring.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RING_OPERATIONS 64 /* how many the probe asks for */

struct ring_queue {
	int fd;
	unsigned setup_flags; /* IORING_SETUP_* that the kernel has taken */
	/* What the kernel shares: head and tail of each queue are written by one side only. */
	void *map, *sqes_map;
	size_t map_size, sqes_size;
	unsigned *sq_head, *sq_tail, *sq_flags, sq_mask;
	unsigned *cq_head, *cq_tail, cq_mask;
	unsigned *cq_flags; /* NULL before Linux 5.8 */
	struct io_uring_sqe *sqes;
	struct io_uring_cqe *cqes;
	unsigned tail;      /* of the submission queue, what has not been submitted included */
	unsigned submitted; /* the tail as the kernel knows it */
};

/** Asks for all that helps, and then for less. features: IORING_FEAT_* without which there is no sense in it. 0, or -errno; -EOPNOTSUPP: the kernel's is too old. */
long ring_queue_open(struct ring_queue *queue, unsigned entries, unsigned completions, unsigned features);
void ring_queue_unmap(struct ring_queue *queue);
/** Which operations the kernel has, by opcode. 0, or -errno. */
long ring_queue_probe(const struct ring_queue *queue, unsigned char supported[RING_OPERATIONS]);

/** n zeroed entries, one after the other, to be filled before the next submission; NULL where there is no room before one. */
struct io_uring_sqe *ring_queue_entries(struct ring_queue *queue, unsigned n);
/** The i-th of the n entries that came last. */
static inline struct io_uring_sqe *ring_queue_entry(const struct ring_queue *queue, unsigned n, unsigned i)
{
	return &queue->sqes[(queue->tail - n + i) & queue->sq_mask];
}

/** One system call, which gives the kernel what has been filled and, with IORING_ENTER_GETEVENTS, takes what has come; waits for so many completions. Answers as
 *  the kernel does. */
long ring_queue_enter(struct ring_queue *queue, unsigned completions, unsigned flags, const struct io_uring_getevents_arg *arg);

static inline unsigned ring_load(const unsigned *word) { return __atomic_load_n(word, __ATOMIC_ACQUIRE); }
static inline void ring_store(unsigned *word, unsigned value) { __atomic_store_n(word, value, __ATOMIC_RELEASE); }

static inline unsigned ring_queue_filled(const struct ring_queue *queue) { return queue->tail - queue->submitted; }

/** Whether the kernel has completions that it puts into the queue when it is entered. */
static inline bool ring_queue_wants_entering(const struct ring_queue *queue)
{
	return ring_load(queue->sq_flags) & (IORING_SQ_TASKRUN | IORING_SQ_CQ_OVERFLOW);
}

/** Whether something has completed. */
static inline bool ring_queue_has_come(const struct ring_queue *queue)
{
	return *queue->cq_head != ring_load(queue->cq_tail) || ring_queue_wants_entering(queue);
}

/** The first completion in the queue, or NULL; it is the kernel's again after ring_queue_taken. */
static inline const struct io_uring_cqe *ring_queue_first(const struct ring_queue *queue)
{
	unsigned head = *queue->cq_head;

	return head == ring_load(queue->cq_tail) ? NULL : &queue->cqes[head & queue->cq_mask];
}

static inline void ring_queue_taken(struct ring_queue *queue) { ring_store(queue->cq_head, *queue->cq_head + 1); }

#endif
