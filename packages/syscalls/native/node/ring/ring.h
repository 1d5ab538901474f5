/*
 * ring.h - an environment's io_uring: what its files share. The calls that have to wait and that the kernel makes by itself go there;
 * everything else, and everything where io_uring is missing or forbidden, is readiness.c's and offload.c's.
 *
 * ring.c makes the ring and ends it, operation.c says which call is which operation, submit.c hands operations to the kernel and
 * takes them back, complete.c brings the results to JavaScript, from the event loop; receive.c is for stream sockets.
 *
 * Operations that move data work on copies (copied.h says why). An operation's memory is its own from the submission until its completion
 * has been seen, whoever has given it up meanwhile: nothing that the kernel may still write into is freed.
 *
 * Invariants: all of it is used by the environment's kernel thread alone, which is what IORING_SETUP_SINGLE_ISSUER asks for. An operation
 * is in exactly one of: the submission queue or the kernel (OP_GIVEN), the list `ready` (OP_READY), JavaScript's hands (OP_REPORTED), the
 * list `spare`. A number in `slots` stands for one operation from its beginning to its op_free.
 */
#ifndef LIBCR_SYSCALLS_RING_H
#define LIBCR_SYSCALLS_RING_H

#include <linux/io_uring.h>
#include <linux/time_types.h>

#include "../copied.h"
#include "ring/operation.h"
#include "ring/queue.h"

#define RING_ENTRIES 256      /* of the submission queue: more than that are submitted in several system calls */
#define RING_COMPLETIONS 4096 /* of the completion queue; the kernel keeps what does not fit */
#define FD_BUCKETS 1024
#define BUFFER_BLOCKS 16 /* of 512 KiB, for what is received */

enum op_state { OP_GIVEN, OP_READY, OP_REPORTED, OP_SPARE };

struct ring_op {
	struct ring_op *next;                  /* in `ready` and `spare` */
	struct ring_op *fd_next, **fd_previous; /* in by_fd, while it waits for fd; NULL otherwise */
	int slot;
	int fd;
	uint8_t opcode;
	uint8_t state;     /* enum op_state */
	uint8_t abandoned; /* nobody waits for it */
	uint8_t closed;    /* its descriptor has been closed: the caller gets EBADF */
	uint8_t timed;     /* a linked timeout follows it: cancelled means late */
	uint8_t has_call;  /* call is set */
	uint8_t background; /* it does not keep the loop alive */
	uint8_t receives;  /* it is a receive: the kernel may write to one of the ring's buffers */
	int buffer;        /* the one that has what it has received; -1: none */
	int result;
	struct __kernel_timespec until; /* of timeouts; the kernel has read it when the submission returns */
	struct copied call;
	uint16_t generation; /* another one each time that it is used, see op_tag */
};

/**
 * What the kernel knows it by. A linked timeout that fires as its operation completes cancels by this, later: it must not be that of the operation which has the
 * memory then.
 */
static inline uint64_t op_tag(const struct ring_op *op) { return (uintptr_t)op | (uint64_t)op->generation << 48; }

static inline struct ring_op *op_of_tag(uint64_t tag) { return (struct ring_op *)(uintptr_t)(tag & 0xffffffffffffu); }

struct ring {
	struct environment *environment;
	struct ring_queue queue;
	unsigned char supported[RING_OPERATIONS]; /* by opcode */
	struct ring_op *by_fd[FD_BUCKETS];
	struct ring_op **slots;
	int slot_count, free_slot_count;
	int *free_slots;
	struct ring_op *spare;
	struct ring_op *ready, **ready_end;
	unsigned given;   /* operations in the state OP_GIVEN */
	unsigned waiting; /* … that somebody waits for, those that are ready included, but not in the background: they keep the loop alive */
	struct io_uring_buf_ring *buffers; /* of receives: the kernel's queue of those that are free; NULL until the first */
	uint16_t buffers_tail;
	char *buffer_blocks[BUFFER_BLOCKS]; /* their memory */
	int buffer_block_count;
	uint8_t cannot_receive; /* the kernel is too old for it */
	int eventfd;      /* the kernel writes to it when something has completed, while `wakes` is set */
	int wakes;
	uv_poll_t poll;   /* of eventfd: wakes an idle loop */
	uv_prepare_t prepare;
	uv_check_t check;
	uv_idle_t idle; /* started while `ready` is not empty when the loop is about to sleep */
};

/* ---------------------------------------------------------------- operation.c */

/** The operation for a call, which has been copied or not; NULL: the ring does not make it. */
const struct operation *ring_knows(const struct ring *ring, const struct call *call);

/** The operation's result as the system call's. */
long ring_result(const struct ring_op *op);

/** The names of the operations that libcr would use and this kernel lacks, separated by commas. */
void ring_missing(const struct ring *ring, char *text, size_t size);

/* ---------------------------------------------------------------- submit.c */

/** Room for n entries one after the other; NULL where the kernel takes none at present. */
struct io_uring_sqe *ring_entries(struct ring *ring, unsigned n);
/** Makes a system call for what has been filled, if anything; with reap, also for what waits to complete. */
void ring_flush(struct ring *ring, int reap);
/** Moves what has completed to `ready`: no system call unless the kernel asks for one. */
void ring_reap(struct ring *ring);
/** A new operation, in no state yet; NULL where there is no memory. */
struct ring_op *op_new(struct ring *ring);
void op_free(struct ring *ring, struct ring_op *op);
/** It waits for fd: a close of fd ends that. */
void op_of_fd(struct ring *ring, struct ring_op *op, int fd);
/** Its entry has been filled. Answers its number for JavaScript, which is never 0. */
double op_given(struct ring *ring, struct ring_op *op);
struct ring_op *op_by_number(struct ring *ring, double number);
void op_fill_cancel(struct io_uring_sqe *sqe, const struct ring_op *op);
/** A system call for what waits to complete, whatever the queues say. */
void ring_enter(struct ring *ring);

/* ---------------------------------------------------------------- receive.c */

/** The kernel may fill the buffer again. */
void ring_give_buffer(struct ring *ring, int buffer);
void ring_free_buffers(struct ring *ring);
/** There have not been enough: as many again, if there may be more. */
void ring_more_buffers(struct ring *ring);

/* ---------------------------------------------------------------- complete.c */

int ring_loop_init(struct ring *ring);
void ring_loop_close(struct ring *ring);
/** Somebody waits for op now (by 1), or no longer (by -1). */
void ring_waiting(struct ring *ring, const struct ring_op *op, int by);

/* ---------------------------------------------------------------- ring.c */

/** The handles of the loop are closed: the end of the ring. */
void ring_free(struct ring *ring);

#endif
