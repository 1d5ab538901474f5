/*
 * call.c - a call by its class (table/table.h): which way it waits.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>

#include "wait/ways.h"

const struct call_user *call_user = &call_user_plain;

static long wait_children(struct caller *caller, const struct call *call)
{
	struct nowait now;
	long result = 0;

	if (call_asks_not_to_wait(call))
		return make_call(caller, call);
	call_nowait(call, &now);
	if (call->number == SYS_wait4) /* waitid does not answer whether there was one */
		result = make_call(caller, &now.call);
	return result ? result : offload(caller, call);
}

/** The flags of an opening, and where it is. */
static uint64_t opening_of(const struct call *call, int *dirfd, long *path)
{
	bool at = call->number == SYS_openat || call->number == SYS_openat2;
	struct open_how how;

	*dirfd = at ? (int)call->args[0] : AT_FDCWD;
	*path = call->args[at];
	switch (call->number) {
	case SYS_creat: return O_CREAT | O_WRONLY | O_TRUNC;
	case SYS_openat2: return copy_in(&how, call->args[2], sizeof(how.flags)) ? O_PATH : how.flags;
	default: return (uint64_t)call->args[at + 1];
	}
}

/** A FIFO's other end may not be there yet. */
static long wait_open(struct caller *caller, const struct call *call)
{
	struct stat about;
	int dirfd;
	long path;

	if ((opening_of(call, &dirfd, &path) & (O_NONBLOCK | O_PATH)) || kernel_call(SYS_newfstatat, dirfd, path, &about, 0) || !S_ISFIFO(about.st_mode))
		return make_call(caller, call);
	return offload(caller, call);
}

static long wait_lock(struct caller *caller, const struct call *call)
{
	return call_asks_not_to_wait(call) ? make_call(caller, call) : offload(caller, call);
}

static const call_maker ways[] = {
	[BLOCK_READ] = wait_read,
	[BLOCK_WRITE] = wait_write,
	[BLOCK_RECV] = wait_receive,
	[BLOCK_SEND] = wait_send,
	[BLOCK_RECVMSG] = wait_receive,
	[BLOCK_SENDMSG] = wait_send,
	[BLOCK_ACCEPT] = wait_connection,
	[BLOCK_CONNECT] = wait_connection,
	[BLOCK_OPEN] = wait_open,
	[BLOCK_POLL] = wait_poll,
	[BLOCK_EPOLL] = wait_epoll,
	[BLOCK_SELECT] = wait_select,
	[BLOCK_LOCK] = wait_lock,
	[BLOCK_SPLICE] = offload,
	[BLOCK_WAIT] = wait_children,
	[BLOCK_OFFLOAD] = offload,
	[BLOCK_SLEEP] = wait_sleep,
	[BLOCK_SIGNAL] = NULL, /* in place: only the user knows signals */
};

bool call_may_wait(long number)
{
	return ways[call_class(number)] != NULL;
}

long call_waiting(struct caller *caller, const struct call *call)
{
	call_maker way = ways[call_class(call->number)];

	return way ? way(caller, call) : make_call(caller, call);
}
