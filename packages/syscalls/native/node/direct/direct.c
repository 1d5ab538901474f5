/*
 * direct.c - the direct port: makes a system call in place, so that it cannot wait, or answers what must be waited for (direct.h).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <sys/socket.h>

#include "direct.h"

int is_nonblocking(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	return flags >= 0 && (flags & O_NONBLOCK);
}

int is_ready(int fd, short events)
{
	struct pollfd poller = {fd, events, 0};

	return poll(&poller, 1, 0) > 0;
}

int is_stream(int fd)
{
	int type = 0;
	socklen_t size = sizeof type;

	return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_STREAM;
}

int found_stream(int fd)
{
	if (!stream_is_known(fd) && !is_stream(fd))
		return 0;
	stream_found(fd);
	return 1;
}

long direct_wait_for_data(struct environment *environment)
{
	return direct_suspend(environment, ring_receives(environment) ? ANSWER_RECEIVE : ANSWER_READABLE, 0);
}

void iovec_advance(struct iovec **iov, int *count, size_t n)
{
	while (*count > 0 && n >= (*iov)->iov_len) {
		n -= (*iov)->iov_len;
		++*iov;
		--*count;
	}
	if (*count > 0) {
		(*iov)->iov_base = (char *)(*iov)->iov_base + n;
		(*iov)->iov_len -= n;
	}
}

/** What the ring waits for on a descriptor ends before that is closed. */
static void closing(struct environment *environment, unsigned first, unsigned last)
{
	descriptor_forget(first, last);
	if (environment->ring != NULL)
		ring_closing(environment, first, last);
}

static void before_call(struct environment *environment, const struct call *call)
{
	const long *a = call->args;

	switch (call->number) {
	case SYS_close: closing(environment, (unsigned)a[0], (unsigned)a[0]); break;
	case SYS_dup2:
	case SYS_dup3:
		if ((int)a[0] != (int)a[1])
			closing(environment, (unsigned)a[1], (unsigned)a[1]);
		break;
	case SYS_close_range:
		if (!(a[2] & CLOSE_RANGE_CLOEXEC))
			closing(environment, (unsigned)a[0], (unsigned)a[1]);
		break;
	case SYS_fcntl: /* O_NONBLOCK, perhaps */
	case SYS_ioctl: descriptor_forget((unsigned)a[0], (unsigned)a[0]); break;
	}
}

/** A descriptor that the kernel gives is not what its number stood for before. */
static void after_call(const struct call *call, long result)
{
	const int *pair = (const int *)call->args[3];

	switch (call->number) {
	case SYS_open:
	case SYS_openat:
	case SYS_openat2:
	case SYS_creat:
	case SYS_dup:
	case SYS_socket:
	case SYS_accept:
	case SYS_accept4: descriptor_forget((unsigned)result, (unsigned)result); break;
	case SYS_socketpair:
		descriptor_forget((unsigned)pair[0], (unsigned)pair[0]);
		descriptor_forget((unsigned)pair[1], (unsigned)pair[1]);
		break;
	}
}

static long direct_call(struct environment *environment, const struct call *call)
{
	switch (call_class(call->number)) {
	case BLOCK_READ: return direct_read(environment, call);
	case BLOCK_WRITE: return direct_write(environment, call);
	case BLOCK_RECV: return direct_recv(environment, call);
	case BLOCK_SEND: return direct_send(environment, call);
	case BLOCK_RECVMSG: return direct_recvmsg(environment, call);
	case BLOCK_SENDMSG: return direct_sendmsg(environment, call);
	case BLOCK_ACCEPT: return direct_accept(environment, call);
	case BLOCK_CONNECT: return direct_connect(environment, call);
	case BLOCK_OPEN: return direct_open(environment, call);
	case BLOCK_POLL:
	case BLOCK_EPOLL: return direct_poll(environment, call);
	case BLOCK_SELECT: return direct_select(environment, call);
	case BLOCK_WAIT: return direct_children(environment, call);
	case BLOCK_LOCK: return direct_lock(environment, call);
	case BLOCK_SPLICE: return direct_splice(environment, call);
	case BLOCK_OFFLOAD:
	case BLOCK_DEVICE: return direct_suspend(environment, ANSWER_OFFLOAD, 0);
	case BLOCK_SLEEP: return direct_sleep(environment, call);
	default: return direct_plain(call);
	}
}

int direct_putport(lwkt_port_t port, lwkt_msg_t msg)
{
	struct environment *environment = port->mp_data;
	struct sysmsg *message = (struct sysmsg *)msg;
	const struct call call = call_of(message->sm_number, message->sm_args);

	before_call(environment, &call);
	message->sm_result = direct_call(environment, &call);
	if (message->sm_result >= 0)
		after_call(&call, message->sm_result);
	return 0;
}

long direct_blocking(const struct call *call, int held)
{
	long result;

	if (held >= 0)
		return direct_open_held(call, held);
	do
		result = direct_plain(call);
	while (result == -EINTR);
	return result;
}
