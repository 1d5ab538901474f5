/*
 * direct.h - what direct.c and its parts share: each makes the calls of its kind in place, so that they can't wait, or answers what must be waited for.
 *
 * Three rules: what the caller would see is what the blocking call shows (a pipe's write is whole, a short read of a file means its
 * end); a descriptor that the program has made non-blocking itself behaves so; and where the kernel offers no way to ask
 * without waiting, the call goes to a helper thread (offload.c). How a call is made without waiting: src/table/nowait.h.
 */
#ifndef LIBCR_SYSCALLS_DIRECT_H
#define LIBCR_SYSCALLS_DIRECT_H

#include <sys/syscall.h>

#include "../descriptors.h"
#include "kernel.h"
#include "../syscalls.h"
#include "table/nowait.h"

/** The call as it is. */
static inline long direct_plain(const struct call *call)
{
	const long *a = call->args;

	return kernel_call(call->number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

/** What has to be waited for, and the bytes that have been moved. */
static inline long direct_suspend(struct environment *environment, int answer, long done)
{
	environment->status[STATUS_DONE] = (double)done;
	environment->status[STATUS_HELD] = -1;
	return answer;
}

/* direct.c */
int is_nonblocking(int fd);
int is_ready(int fd, short events);
int is_stream(int fd);
/** Whether fd, a socket whose reads wait, is a stream; it is known as one from now on. */
int found_stream(int fd);
/** A plain read of a stream socket that waits and has nothing at present. */
long direct_wait_for_data(struct environment *environment);
/** Drops the first n bytes of an iovec. */
void iovec_advance(struct iovec **iov, int *count, size_t n);

/* data.c, socket.c, open.c, wait.c: by block_class */
long direct_read(struct environment *environment, const struct call *call);
long direct_write(struct environment *environment, const struct call *call);
long direct_recv(struct environment *environment, const struct call *call);
long direct_send(struct environment *environment, const struct call *call);
long direct_recvmsg(struct environment *environment, const struct call *call);
long direct_sendmsg(struct environment *environment, const struct call *call);
long direct_accept(struct environment *environment, const struct call *call);
long direct_connect(struct environment *environment, const struct call *call);
long direct_open(struct environment *environment, const struct call *call);
/** An opening that continues from a descriptor of its own: the reading end of a FIFO. */
long direct_open_held(const struct call *call, int held);
long direct_poll(struct environment *environment, const struct call *call);
long direct_select(struct environment *environment, const struct call *call);
long direct_children(struct environment *environment, const struct call *call);
long direct_lock(struct environment *environment, const struct call *call);
long direct_splice(struct environment *environment, const struct call *call);
long direct_sleep(struct environment *environment, const struct call *call);

#endif
