/*
 * ring-operation.c - which system call is which operation of the ring, and how its arguments become an entry.
 *
 * Not here although io_uring has it (docs/decisions/0009-ring.md):
 * - read and write at a file's own position. The kernel's operations don't take the lock that keeps two of them apart (f_pos_lock), so that
 *   two threads that read one descriptor could get the same bytes. Helper threads make these calls.
 * - openat. What can't be opened in place is a FIFO or the like, for which one of the kernel's few bounded workers would wait, for ever
 *   perhaps, while fsync waits for a worker. Helper threads, of which there are more when some are stuck, make these calls.
 * - accept, connect, and reads and writes of pipes and sockets: the ring waits (ring_poll), and the call is made in place. An operation that
 *   is cancelled too late would have taken a connection or data for a caller that is gone. Reads of stream sockets are ring-receive.c's affair.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "ring.h"

#define SLEEP_SECONDS_MAX 1000000000000 /* 30,000 years: added to a clock it stays far from overflow */

static const struct known {
	long number;
	uint8_t opcode;
	const char *name; /* as <linux/io_uring.h> has it */
} known[] = {
	{SYS_pread64, IORING_OP_READ, "READ"},
	{SYS_preadv, IORING_OP_READ, "READ"},
	{SYS_preadv2, IORING_OP_READ, "READ"},
	{SYS_pwrite64, IORING_OP_WRITE, "WRITE"},
	{SYS_pwritev, IORING_OP_WRITE, "WRITE"},
	{SYS_pwritev2, IORING_OP_WRITE, "WRITE"},
	{SYS_nanosleep, IORING_OP_TIMEOUT, "TIMEOUT"},
	{SYS_clock_nanosleep, IORING_OP_TIMEOUT, "TIMEOUT"},
	{SYS_fsync, IORING_OP_FSYNC, "FSYNC"},
	{SYS_fdatasync, IORING_OP_FSYNC, "FSYNC"},
	{SYS_sync_file_range, IORING_OP_SYNC_FILE_RANGE, "SYNC_FILE_RANGE"},
	{SYS_fallocate, IORING_OP_FALLOCATE, "FALLOCATE"},
	{SYS_fadvise64, IORING_OP_FADVISE, "FADVISE"},
	{SYS_ftruncate, RING_OP_FTRUNCATE, "FTRUNCATE"},
	{SYS_statx, IORING_OP_STATX, "STATX"},
	{SYS_unlink, IORING_OP_UNLINKAT, "UNLINKAT"},
	{SYS_rmdir, IORING_OP_UNLINKAT, "UNLINKAT"},
	{SYS_unlinkat, IORING_OP_UNLINKAT, "UNLINKAT"},
	{SYS_rename, IORING_OP_RENAMEAT, "RENAMEAT"},
	{SYS_renameat, IORING_OP_RENAMEAT, "RENAMEAT"},
	{SYS_renameat2, IORING_OP_RENAMEAT, "RENAMEAT"},
	{SYS_mkdir, IORING_OP_MKDIRAT, "MKDIRAT"},
	{SYS_mkdirat, IORING_OP_MKDIRAT, "MKDIRAT"},
	{SYS_link, IORING_OP_LINKAT, "LINKAT"},
	{SYS_linkat, IORING_OP_LINKAT, "LINKAT"},
	{SYS_symlink, IORING_OP_SYMLINKAT, "SYMLINKAT"},
	{SYS_symlinkat, IORING_OP_SYMLINKAT, "SYMLINKAT"},
	{SYS_splice, IORING_OP_SPLICE, "SPLICE"},
	{SYS_tee, IORING_OP_TEE, "TEE"},
};

#define KNOWN (sizeof known / sizeof known[0])

static const struct known *known_of(long number)
{
	for (size_t i = 0; i < KNOWN; i++)
		if (known[i].number == number)
			return &known[i];
	return NULL;
}

int ring_knows(const struct ring *ring, const struct marshalled *call)
{
	const struct known *row = known_of(call->number);

	if (row == NULL || !ring->supported[row->opcode])
		return 0;
	switch (call->number) {
	case SYS_splice:
		return call->args[1] == 0 && call->args[3] == 0; /* offsets are only read from an entry, and not written back */
	case SYS_preadv2:
	case SYS_pwritev2:
		return call->args[3] >= 0; /* -1: the file's position */
	case SYS_fadvise64:
		return call->args[2] <= UINT32_MAX;
	default:
		return 1;
	}
}

void ring_missing(const struct ring *ring, char *text, size_t size)
{
	size_t used = 0;

	for (size_t i = 0; i < KNOWN; i++) {
		if (ring->supported[known[i].opcode] || (i > 0 && known[i - 1].opcode == known[i].opcode) || used >= size)
			continue;
		used += (size_t)snprintf(text + used, size - used, "%s%s", used ? "," : "", known[i].name);
	}
}

/** When a sleep ends: always a point in time, so that what it costs to get to the kernel makes it no longer. */
static void fill_sleep(struct ring_op *op, struct io_uring_sqe *sqe)
{
	int clocked = op->call.number == SYS_clock_nanosleep;
	const long *a = op->call.args;
	struct timespec until = *(const struct timespec *)a[clocked ? 2 : 0], now, real;
	int clock = clocked ? (int)a[0] : CLOCK_MONOTONIC;

	if (until.tv_sec > SLEEP_SECONDS_MAX)
		until.tv_sec = SLEEP_SECONDS_MAX;
	if (!clocked || !(a[1] & TIMER_ABSTIME)) {
		clock = clock == CLOCK_BOOTTIME ? CLOCK_BOOTTIME : CLOCK_MONOTONIC; /* a relative sleep doesn't follow a clock that is set */
		clock_gettime(clock, &now);
		until.tv_sec += now.tv_sec + (until.tv_nsec + now.tv_nsec) / 1000000000;
		until.tv_nsec = (until.tv_nsec + now.tv_nsec) % 1000000000;
	} else if (clock == CLOCK_TAI) { /* whole seconds from the real time, which the kernel's operation has */
		clock_gettime(CLOCK_TAI, &now);
		clock_gettime(CLOCK_REALTIME, &real);
		until.tv_sec -= (now.tv_sec - real.tv_sec) - (now.tv_nsec - real.tv_nsec < -500000000);
	}
	if (until.tv_sec < 0)
		until.tv_sec = until.tv_nsec = 0; /* before 1970: over */
	op->until.tv_sec = until.tv_sec;
	op->until.tv_nsec = until.tv_nsec;
	sqe->fd = -1;
	sqe->addr = (uintptr_t)&op->until;
	sqe->len = 1;
	sqe->timeout_flags = IORING_TIMEOUT_ABS;
	if (clock == CLOCK_REALTIME || clock == CLOCK_TAI)
		sqe->timeout_flags |= IORING_TIMEOUT_REALTIME;
	else if (clock == CLOCK_BOOTTIME)
		sqe->timeout_flags |= IORING_TIMEOUT_BOOTTIME;
}

/** Two paths: the directory and path of each. */
static void fill_paths(struct io_uring_sqe *sqe, long dirfd, long path, long to_dirfd, long to_path)
{
	sqe->fd = (int)dirfd;
	sqe->addr = (uintptr_t)path;
	sqe->len = (uint32_t)to_dirfd;
	sqe->addr2 = (uintptr_t)to_path;
}

static void fill_data(struct ring_op *op, struct io_uring_sqe *sqe)
{
	const long *a = op->call.args;

	sqe->fd = (int)a[0];
	sqe->addr = (uintptr_t)op->call.iov.iov_base;
	sqe->len = op->call.iov.iov_len < INT32_MAX ? (uint32_t)op->call.iov.iov_len : INT32_MAX;
	sqe->off = (uint64_t)a[3];
	if (op->call.number == SYS_preadv2 || op->call.number == SYS_pwritev2)
		sqe->rw_flags = (int)a[5];
}

void ring_fill(struct ring_op *op, struct io_uring_sqe *sqe)
{
	const long *a = op->call.args;

	sqe->opcode = known_of(op->call.number)->opcode;
	sqe->fd = (int)a[0];
	switch (op->call.number) {
	case SYS_nanosleep:
	case SYS_clock_nanosleep: fill_sleep(op, sqe); break;
	case SYS_fsync: break;
	case SYS_fdatasync: sqe->fsync_flags = IORING_FSYNC_DATASYNC; break;
	case SYS_sync_file_range:
		sqe->off = (uint64_t)a[1];
		sqe->len = (uint32_t)a[2];
		sqe->sync_range_flags = (uint32_t)a[3];
		break;
	case SYS_fallocate:
		sqe->len = (uint32_t)a[1];
		sqe->off = (uint64_t)a[2];
		sqe->addr = (uint64_t)a[3];
		break;
	case SYS_fadvise64:
		sqe->off = (uint64_t)a[1];
		sqe->len = (uint32_t)a[2];
		sqe->fadvise_advice = (uint32_t)a[3];
		break;
	case SYS_ftruncate: sqe->off = (uint64_t)a[1]; break;
	case SYS_statx:
		sqe->addr = (uintptr_t)a[1];
		sqe->statx_flags = (uint32_t)a[2];
		sqe->len = (uint32_t)a[3];
		sqe->addr2 = (uintptr_t)a[4];
		break;
	case SYS_unlink:
	case SYS_rmdir:
		sqe->fd = AT_FDCWD;
		sqe->addr = (uintptr_t)a[0];
		sqe->unlink_flags = op->call.number == SYS_rmdir ? AT_REMOVEDIR : 0;
		break;
	case SYS_unlinkat:
		sqe->addr = (uintptr_t)a[1];
		sqe->unlink_flags = (uint32_t)a[2];
		break;
	case SYS_rename: fill_paths(sqe, AT_FDCWD, a[0], AT_FDCWD, a[1]); break;
	case SYS_renameat2: sqe->rename_flags = (uint32_t)a[4]; /* fall through */
	case SYS_renameat: fill_paths(sqe, a[0], a[1], a[2], a[3]); break;
	case SYS_mkdir:
		sqe->fd = AT_FDCWD;
		sqe->addr = (uintptr_t)a[0];
		sqe->len = (uint32_t)a[1];
		break;
	case SYS_mkdirat:
		sqe->addr = (uintptr_t)a[1];
		sqe->len = (uint32_t)a[2];
		break;
	case SYS_link: fill_paths(sqe, AT_FDCWD, a[0], AT_FDCWD, a[1]); break;
	case SYS_linkat:
		fill_paths(sqe, a[0], a[1], a[2], a[3]);
		sqe->hardlink_flags = (uint32_t)a[4];
		break;
	case SYS_symlink: fill_paths(sqe, AT_FDCWD, a[0], 0, a[1]); break;
	case SYS_symlinkat: fill_paths(sqe, a[1], a[0], 0, a[2]); break;
	case SYS_splice:
	case SYS_tee:
		sqe->splice_fd_in = (int)a[0];
		sqe->fd = (int)a[op->call.number == SYS_tee ? 1 : 2];
		sqe->off = sqe->splice_off_in = op->call.number == SYS_tee ? 0 : UINT64_MAX;
		sqe->len = (uint32_t)a[op->call.number == SYS_tee ? 2 : 4];
		sqe->splice_flags = (uint32_t)a[op->call.number == SYS_tee ? 3 : 5];
		break;
	default: fill_data(op, sqe); break;
	}
}

long ring_result(const struct ring_op *op)
{
	if (op->closed && op->result == -ECANCELED)
		return -EBADF;
	if (op->timed && op->result == -ECANCELED)
		return -ETIME;
	if (op->has_call && op->call.row->block == BLOCK_SLEEP && op->result == -ETIME)
		return 0;
	return op->result;
}
