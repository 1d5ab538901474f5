/*
 * receive.c - stream sockets that have been read empty: the kernel receives what comes next, so that a message costs no read that finds nothing, no
 * wait, and no second read.
 *
 * The data comes into buffers that all receives share (IORING_REGISTER_PBUF_RING): the kernel takes one when there is data for it, so a connection that is
 * idle holds none. Longer messages than a buffer take their rest from the socket itself. Where more sockets have data at once than there are buffers, the
 * others' reads go on as if there were no ring, and there are twice as many buffers from then on, up to 8 MiB.
 *
 * Nothing is lost where a thread is interrupted: its receive is recalled, which is a call into the kernel that ends with an answer. Either the receive has
 * taken nothing, or it has, and then the read returns that, as a signal interrupts no read(2) that has data.
 *
 * Invariant: a buffer is the kernel's, or that of one operation (op->buffer) from its completion until its data has been taken or nobody wants it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "ring.h"
#include "../descriptors.h"

#define BLOCK 256 /* buffers that come at once */
#define BUFFERS (BLOCK * BUFFER_BLOCKS) /* at most; a power of two */
#define BUFFER_BYTES 2048
#define BLOCK_BYTES ((size_t)BLOCK * BUFFER_BYTES)
#define GROUP 0
#define QUEUE_BYTES (BUFFERS * sizeof(struct io_uring_buf))
#define RECALL_TRIES 100000

static char *buffer_at(const struct ring *ring, int buffer) { return ring->buffer_blocks[buffer / BLOCK] + (size_t)(buffer % BLOCK) * BUFFER_BYTES; }

void ring_give_buffer(struct ring *ring, int buffer)
{
	struct io_uring_buf *entry = &ring->buffers->bufs[ring->buffers_tail & (BUFFERS - 1)];

	/* Not the whole struct: the first one's last field is the tail that the kernel reads. */
	entry->addr = (uintptr_t)buffer_at(ring, buffer);
	entry->len = BUFFER_BYTES;
	entry->bid = (uint16_t)buffer;
	__atomic_store_n(&ring->buffers->tail, ++ring->buffers_tail, __ATOMIC_RELEASE);
}

static void *map(size_t bytes)
{
	void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

static int add_block(struct ring *ring)
{
	int block = ring->buffer_block_count;
	char *memory = block < BUFFER_BLOCKS ? map(BLOCK_BYTES) : NULL;

	if (memory == NULL)
		return 0;
	ring->buffer_blocks[ring->buffer_block_count++] = memory;
	for (int i = 0; i < BLOCK; i++)
		ring_give_buffer(ring, block * BLOCK + i);
	return 1;
}

/** Answers whether the kernel takes them. */
static int make_buffers(struct ring *ring)
{
	void *queue = map(QUEUE_BYTES);

	if (queue == NULL)
		return 0;
	struct io_uring_buf_reg about = {.ring_addr = (uintptr_t)queue, .ring_entries = BUFFERS, .bgid = GROUP};
	if (syscall(SYS_io_uring_register, ring->queue.fd, IORING_REGISTER_PBUF_RING, &about, 1) < 0) {
		munmap(queue, QUEUE_BYTES);
		return 0;
	}
	ring->buffers = queue;
	return add_block(ring);
}

void ring_more_buffers(struct ring *ring)
{
	for (int more = ring->buffer_block_count; more > 0 && add_block(ring); more--)
		;
}

void ring_free_buffers(struct ring *ring)
{
	if (ring->buffers != NULL)
		munmap(ring->buffers, QUEUE_BYTES);
	while (ring->buffer_block_count > 0)
		munmap(ring->buffer_blocks[--ring->buffer_block_count], BLOCK_BYTES);
}

int ring_receives(const struct environment *environment)
{
	return environment->ring != NULL && !environment->ring->cannot_receive && environment->ring->supported[IORING_OP_RECV];
}

double ring_receive(struct environment *environment, int fd, size_t length)
{
	struct ring *ring = environment->ring;

	if (ring->buffers == NULL && !make_buffers(ring))
		ring->cannot_receive = 1;
	struct ring_op *op = ring_receives(environment) ? op_new(ring) : NULL;
	struct io_uring_sqe *sqe = op == NULL ? NULL : ring_entries(ring, 1);
	if (sqe == NULL) {
		if (op != NULL)
			op_free(ring, op);
		return ANSWER_READABLE;
	}
	sqe->opcode = op->opcode = IORING_OP_RECV;
	sqe->fd = fd;
	sqe->len = length < BUFFER_BYTES ? (uint32_t)length : BUFFER_BYTES;
	sqe->flags = IOSQE_BUFFER_SELECT;
	sqe->buf_group = GROUP;
	sqe->ioprio = IORING_RECVSEND_POLL_FIRST;
	sqe->user_data = op_tag(op);
	op->receives = 1;
	op_of_fd(ring, op, fd);
	return op_given(ring, op);
}

/** What the kernel has received goes to data, and is followed by what is in the socket behind it. */
static long take(struct ring *ring, const struct ring_op *op, char *data, size_t length)
{
	long got = op->result;
	int more = 0;

	if (got > (long)length)
		return ANSWER_BAD_RANGE;
	if (got > 0)
		memcpy(data, buffer_at(ring, op->buffer), (size_t)got);
	/* Only what is certainly there: a read that found an error instead would have taken it from the next one. */
	if (got == BUFFER_BYTES && length > BUFFER_BYTES && !op->closed && ioctl(op->fd, FIONREAD, &more) == 0 && more > 0) {
		long rest = recv(op->fd, data + got, length - (size_t)got, MSG_DONTWAIT);
		if (rest > 0)
			got += rest;
	}
	if (!op->closed)
		stream_read(op->fd, got, (long)length);
	return got;
}

long ring_take(struct environment *environment, double id, char *data, size_t length)
{
	struct ring *ring = environment->ring;
	struct ring_op *op = ring == NULL ? NULL : op_by_number(ring, id);

	if (op == NULL || op->state != OP_REPORTED)
		return ANSWER_BAD_RANGE;
	long got = take(ring, op, data, length);
	op_free(ring, op);
	return got;
}

long ring_recall(struct environment *environment, double id, char *data, size_t length)
{
	struct ring *ring = environment->ring;
	struct ring_op *op = ring == NULL ? NULL : op_by_number(ring, id);

	if (op == NULL || op->abandoned || (op->state != OP_GIVEN && op->state != OP_READY))
		return -ECANCELED;
	struct io_uring_sqe *sqe = op->state == OP_GIVEN ? ring_entries(ring, 1) : NULL;
	if (sqe != NULL) {
		op_fill_cancel(sqe, op);
		ring_flush(ring, 1);
		ring_reap(ring);
		/* Another CPU may be about to complete it; that does not take long. */
		for (int i = 0; op->state == OP_GIVEN && i < RECALL_TRIES; i++) {
			sched_yield();
			ring_enter(ring);
			ring_reap(ring);
		}
	}
	long result = op->state == OP_READY ? ring_result(op) : -ECANCELED;
	if (result > 0)
		result = take(ring, op, data, length);
	ring_abandon(environment, id);
	return result;
}
