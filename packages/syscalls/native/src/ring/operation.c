/*
 * operation.c - see operation.h.
 *
 * Not here although io_uring has it: openat. What can't be opened in place is a FIFO or the like, for which one of the kernel's few bounded workers would wait,
 * for ever perhaps, while fsync waits for a worker (docs/decisions/0009-ring.md). Helper threads, of which there are more when some are stuck, make these calls.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "ring/operation.h"

#include <fcntl.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>

#include "kernel.h"
#include "os/os.h"
#include "table/nowait.h"

/* Newer than the oldest <linux/io_uring.h> that this is to build with; the number is the kernel's. */
#define OP_FTRUNCATE 55
#define SLEEP_SECONDS_MAX 1000000000000 /* 30,000 years: added to a clock it stays far from overflow */
#define BYTES_MAX 0x7ffff000u            /* of one call: MAX_RW_COUNT of the kernel */

const struct operation operations[] = {
	{SYS_pread64, IORING_OP_READ, false, "READ"},
	{SYS_preadv, IORING_OP_READ, false, "READ"},
	{SYS_preadv2, IORING_OP_READ, false, "READ"},
	{SYS_pwrite64, IORING_OP_WRITE, false, "WRITE"},
	{SYS_pwritev, IORING_OP_WRITE, false, "WRITE"},
	{SYS_pwritev2, IORING_OP_WRITE, false, "WRITE"},
	{SYS_nanosleep, IORING_OP_TIMEOUT, false, "TIMEOUT"},
	{SYS_clock_nanosleep, IORING_OP_TIMEOUT, false, "TIMEOUT"},
	{SYS_fsync, IORING_OP_FSYNC, false, "FSYNC"},
	{SYS_fdatasync, IORING_OP_FSYNC, false, "FSYNC"},
	{SYS_sync_file_range, IORING_OP_SYNC_FILE_RANGE, false, "SYNC_FILE_RANGE"},
	{SYS_fallocate, IORING_OP_FALLOCATE, false, "FALLOCATE"},
	{SYS_fadvise64, IORING_OP_FADVISE, false, "FADVISE"},
	{SYS_ftruncate, OP_FTRUNCATE, false, "FTRUNCATE"},
	{SYS_statx, IORING_OP_STATX, false, "STATX"},
	{SYS_unlink, IORING_OP_UNLINKAT, false, "UNLINKAT"},
	{SYS_rmdir, IORING_OP_UNLINKAT, false, "UNLINKAT"},
	{SYS_unlinkat, IORING_OP_UNLINKAT, false, "UNLINKAT"},
	{SYS_rename, IORING_OP_RENAMEAT, false, "RENAMEAT"},
	{SYS_renameat, IORING_OP_RENAMEAT, false, "RENAMEAT"},
	{SYS_renameat2, IORING_OP_RENAMEAT, false, "RENAMEAT"},
	{SYS_mkdir, IORING_OP_MKDIRAT, false, "MKDIRAT"},
	{SYS_mkdirat, IORING_OP_MKDIRAT, false, "MKDIRAT"},
	{SYS_link, IORING_OP_LINKAT, false, "LINKAT"},
	{SYS_linkat, IORING_OP_LINKAT, false, "LINKAT"},
	{SYS_symlink, IORING_OP_SYMLINKAT, false, "SYMLINKAT"},
	{SYS_symlinkat, IORING_OP_SYMLINKAT, false, "SYMLINKAT"},
	{SYS_splice, IORING_OP_SPLICE, false, "SPLICE"},
	{SYS_tee, IORING_OP_TEE, false, "TEE"},
	{SYS_read, IORING_OP_READ, true, "READ"},
	{SYS_recvfrom, IORING_OP_READ, true, "READ"},
	{SYS_accept, IORING_OP_ACCEPT, true, "ACCEPT"},
	{SYS_accept4, IORING_OP_ACCEPT, true, "ACCEPT"},
	{SYS_connect, IORING_OP_CONNECT, true, "CONNECT"},
};
const unsigned operations_count = sizeof(operations) / sizeof(*operations);

/** Whether the operation does all that the call says. */
static bool fits(const struct call *call)
{
	const long *a = call->args;

	switch (call->number) {
	case SYS_splice: return a[1] == 0 && a[3] == 0; /* offsets are only read from an entry, and not written back */
	case SYS_preadv2:
	case SYS_pwritev2: return a[3] >= 0; /* -1: the file's position */
	case SYS_fadvise64: return a[2] <= UINT32_MAX;
	case SYS_recvfrom: return a[3] == 0 && a[4] == 0; /* a read, then */
	default: return true;
	}
}

const struct operation *operation_of(const struct call *call)
{
	for (unsigned i = 0; i < operations_count; i++)
		if (operations[i].number == call->number)
			return fits(call) ? &operations[i] : NULL;
	return NULL;
}

static void read_clock(int clock, struct timespec *now)
{
	uint64_t ns = clock == CLOCK_MONOTONIC ? lwkt_os_clock() : 0; /* which is no system call, as a rule */

	*now = (struct timespec){.tv_sec = (time_t)(ns / 1000000000u), .tv_nsec = (long)(ns % 1000000000u)};
	if (clock != CLOCK_MONOTONIC)
		kernel_call(SYS_clock_gettime, clock, now);
}

/** When a sleep ends: always a point in time, so that what it costs to get to the kernel makes it no longer. */
static void fill_sleep(const struct call *call, struct io_uring_sqe *sqe, struct __kernel_timespec *at)
{
	int clocked = call->number == SYS_clock_nanosleep;
	const long *a = call->args;
	struct timespec until = *(const struct timespec *)a[clocked ? 2 : 0], now, real;
	int clock = clocked ? (int)a[0] : CLOCK_MONOTONIC;

	if (until.tv_sec > SLEEP_SECONDS_MAX)
		until.tv_sec = SLEEP_SECONDS_MAX;
	if (!clocked || !(a[1] & TIMER_ABSTIME)) {
		clock = clock == CLOCK_BOOTTIME ? CLOCK_BOOTTIME : CLOCK_MONOTONIC; /* a relative sleep doesn't follow a clock that is set */
		read_clock(clock, &now);
		until.tv_sec += now.tv_sec + (until.tv_nsec + now.tv_nsec) / 1000000000;
		until.tv_nsec = (until.tv_nsec + now.tv_nsec) % 1000000000;
	} else if (clock == CLOCK_TAI) { /* whole seconds from the real time, which the kernel's operation has */
		read_clock(CLOCK_TAI, &now);
		read_clock(CLOCK_REALTIME, &real);
		until.tv_sec -= (now.tv_sec - real.tv_sec) - (now.tv_nsec - real.tv_nsec < -500000000);
	}
	if (until.tv_sec < 0)
		until.tv_sec = until.tv_nsec = 0; /* before 1970: over */
	at->tv_sec = until.tv_sec;
	at->tv_nsec = until.tv_nsec;
	sqe->fd = -1;
	sqe->addr = (uintptr_t)at;
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

static void fill_connection(const struct call *call, struct io_uring_sqe *sqe)
{
	sqe->addr = (uintptr_t)call->args[1];
	sqe->off = (uint64_t)call->args[2]; /* accept: where the length is; connect: the length */
	if (call->number == SYS_accept4)
		sqe->accept_flags = (uint32_t)call->args[3];
}

/** A call with several pieces has them as one, in its user's copy. */
static void fill_data(const struct call *call, struct io_uring_sqe *sqe)
{
	const long *a = call->args;
	const struct iovec one = {(void *)a[1], (size_t)a[2]}, *iov = call_is_vector(call->number) ? (const struct iovec *)a[1] : &one;

	sqe->addr = (uintptr_t)iov->iov_base;
	sqe->len = iov->iov_len < BYTES_MAX ? (uint32_t)iov->iov_len : BYTES_MAX;
	sqe->off = call_has_offset(call) ? (uint64_t)a[3] : ~0ull; /* the descriptor's own position */
	sqe->rw_flags = call_rwf(call);
}

void operation_fill(const struct operation *operation, const struct call *call, struct io_uring_sqe *sqe, struct __kernel_timespec *until)
{
	const long *a = call->args;

	sqe->opcode = operation->opcode;
	sqe->fd = (int)a[0];
	switch (call->number) {
	case SYS_nanosleep:
	case SYS_clock_nanosleep: fill_sleep(call, sqe, until); break;
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
		sqe->unlink_flags = call->number == SYS_rmdir ? AT_REMOVEDIR : 0;
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
		sqe->fd = (int)a[call->number == SYS_tee ? 1 : 2];
		sqe->off = sqe->splice_off_in = call->number == SYS_tee ? 0 : UINT64_MAX;
		sqe->len = (uint32_t)a[call->number == SYS_tee ? 2 : 4];
		sqe->splice_flags = (uint32_t)a[call->number == SYS_tee ? 3 : 5];
		break;
	case SYS_connect: /* fall through */
	case SYS_accept4: /* fall through */
	case SYS_accept: fill_connection(call, sqe); break;
	default: fill_data(call, sqe); break;
	}
}
