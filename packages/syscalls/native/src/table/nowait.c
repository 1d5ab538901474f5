/* nowait.c - see nowait.h. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "table/nowait.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#ifndef RWF_NOWAIT
#define RWF_NOWAIT 8
#endif
#define NO_FLAGS (-1)

bool call_is_vector(long number)
{
	switch (number) {
	case SYS_readv: case SYS_writev: case SYS_preadv: case SYS_pwritev: case SYS_preadv2: case SYS_pwritev2: return true;
	default: return false;
	}
}

bool call_has_offset(const struct call *call)
{
	switch (call->number) {
	case SYS_pread64: case SYS_pwrite64: case SYS_preadv: case SYS_pwritev: return true;
	case SYS_preadv2: case SYS_pwritev2: return call->args[3] != -1; /* which stands for the position */
	default: return false;
	}
}

int call_rwf(const struct call *call)
{
	return call->number == SYS_preadv2 || call->number == SYS_pwritev2 ? (int)call->args[5] : 0;
}

/** Which argument has the flags of a call whose flags may say that it is not to wait. */
static int flags_index(const struct call *call)
{
	switch (call->number) {
	case SYS_recvmsg: case SYS_sendmsg: case SYS_wait4: return 2;
	case SYS_recvfrom: case SYS_sendto: case SYS_recvmmsg: case SYS_sendmmsg: case SYS_waitid: case SYS_tee: return 3;
	case SYS_splice: case SYS_preadv2: case SYS_pwritev2: return 5;
	default: return NO_FLAGS;
	}
}

/** And which flag says it. */
static int flag(enum block_class class)
{
	switch (class) {
	case BLOCK_READ: case BLOCK_WRITE: return RWF_NOWAIT;
	case BLOCK_RECV: case BLOCK_SEND: case BLOCK_RECVMSG: case BLOCK_SENDMSG: return MSG_DONTWAIT;
	case BLOCK_WAIT: return WNOHANG;
	case BLOCK_SPLICE: return SPLICE_F_NONBLOCK;
	default: return 0;
	}
}

bool call_asks_not_to_wait(const struct call *call)
{
	enum block_class class = call_class(call->number);
	int at = flags_index(call);

	if (class == BLOCK_LOCK)
		return call->number == SYS_flock ? call->args[1] & LOCK_NB : (int)call->args[1] != F_SETLKW && (int)call->args[1] != F_OFD_SETLKW;
	return at != NO_FLAGS && (call->args[at] & flag(class));
}

/** preadv2 or pwritev2, which do not wait. */
static void vector(const struct call *call, struct nowait *now, long number)
{
	now->call.number = number;
	if (!call_is_vector(call->number)) {
		now->one = (struct iovec){(void *)call->args[1], (size_t)call->args[2]};
		now->call.args[1] = (long)&now->one;
		now->call.args[2] = 1;
	}
	/* The offset is in two halves for machines of 32 bits; here the first is all of it. */
	now->call.args[3] = call_has_offset(call) ? call->args[3] : -1;
	now->call.args[4] = call_has_offset(call) ? call->args[4] : -1;
	now->call.args[5] = call_rwf(call) | RWF_NOWAIT;
}

static void timeout(struct nowait *now)
{
	now->none[0] = now->none[1] = 0;
	switch (now->call.number) {
	case SYS_poll: now->call.args[2] = 0; break;
	case SYS_epoll_wait: case SYS_epoll_pwait: now->call.args[3] = 0; break;
	case SYS_ppoll: now->call.args[2] = (long)now->none; break;
	case SYS_epoll_pwait2: now->call.args[3] = (long)now->none; break;
	default: now->call.args[4] = (long)now->none; break; /* select's timeval has the same zero as pselect6's timespec */
	}
}

static void lock(struct nowait *now)
{
	long *command = &now->call.args[1];

	if (now->call.number == SYS_flock)
		*command |= LOCK_NB;
	else if ((int)*command == F_SETLKW)
		*command = F_SETLK;
	else if ((int)*command == F_OFD_SETLKW)
		*command = F_OFD_SETLK;
}

bool call_nowait(const struct call *call, struct nowait *now)
{
	enum block_class class = call_class(call->number);

	now->call = *call;
	switch (class) {
	case BLOCK_READ: vector(call, now, SYS_preadv2); return true;
	case BLOCK_WRITE: vector(call, now, SYS_pwritev2); return true;
	case BLOCK_POLL: case BLOCK_EPOLL: case BLOCK_SELECT: timeout(now); return true;
	case BLOCK_LOCK: lock(now); return true;
	case BLOCK_RECV: case BLOCK_SEND: case BLOCK_RECVMSG: case BLOCK_SENDMSG: case BLOCK_WAIT: case BLOCK_SPLICE:
		now->call.args[flags_index(call)] |= flag(class);
		return true;
	default: return false;
	}
}

short call_events(const struct call *call)
{
	switch (call_class(call->number)) {
	case BLOCK_RECV: case BLOCK_RECVMSG: return call->args[flags_index(call)] & MSG_OOB ? POLLPRI : POLLIN;
	case BLOCK_READ: case BLOCK_ACCEPT: case BLOCK_EPOLL: return POLLIN;
	case BLOCK_WRITE: case BLOCK_SEND: case BLOCK_SENDMSG: case BLOCK_CONNECT: return POLLOUT;
	default: return 0;
	}
}
