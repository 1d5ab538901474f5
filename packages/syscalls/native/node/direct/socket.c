/*
 * socket.c - calls on sockets in place (direct.h).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>

#include "direct.h"

long direct_send(struct environment *environment, const struct call *call)
{
	struct nowait now;
	long *rest = now.call.args, done = 0, put;
	int once = call_asks_not_to_wait(call);

	call_nowait(call, &now);
	for (;;) {
		put = direct_plain(&now.call);
		if (put < 0)
			break;
		done += put;
		if (done >= call->args[2] || once)
			return done;
		rest[1] += put;
		rest[2] -= put;
	}
	if (put != -EAGAIN || once || is_nonblocking((int)call->args[0]))
		return done ? done : put;
	return direct_suspend(environment, ANSWER_WRITABLE, done);
}

long direct_recv(struct environment *environment, const struct call *call)
{
	const long *a = call->args;
	int fd = (int)a[0], flags = (int)a[3];
	int is_plain = flags == 0 && a[4] == 0 && a[2] > 0;
	struct nowait now;

	if (is_plain && stream_is_empty(fd))
		return direct_wait_for_data(environment);
	call_nowait(call, &now);
	long got = direct_plain(&now.call);
	int waits = !call_asks_not_to_wait(call) && !(flags & MSG_ERRQUEUE);

	if (got > 0 && is_plain)
		stream_read(fd, got, a[2]);
	if (got == -EAGAIN && waits && !is_nonblocking(fd))
		return is_plain && found_stream(fd) ? direct_wait_for_data(environment) : direct_suspend(environment, ANSWER_READABLE, 0);
	if (got > 0 && got < a[2] && waits && (flags & MSG_WAITALL) && !(flags & MSG_PEEK) && is_stream(fd) && !is_nonblocking(fd))
		return direct_suspend(environment, ANSWER_READABLE, got);
	return got;
}

/** Bytes of a message's data. */
static long bytes_of(const struct msghdr *header)
{
	long total = 0;

	for (size_t i = 0; i < header->msg_iovlen; i++)
		total += (long)header->msg_iov[i].iov_len;
	return total;
}

static long send_one(struct environment *environment, const struct call *call)
{
	struct msghdr *header = (struct msghdr *)call->args[1];
	long total = bytes_of(header), done = 0, put;
	int once = call_asks_not_to_wait(call);
	struct nowait now;

	call_nowait(call, &now);
	for (;;) {
		put = direct_plain(&now.call);
		if (put < 0)
			break;
		done += put;
		if (done >= total || once)
			return done;
		int count = (int)header->msg_iovlen;
		iovec_advance(&header->msg_iov, &count, (size_t)put);
		header->msg_iovlen = (size_t)count;
		header->msg_control = NULL; /* went along with the first byte */
		header->msg_controllen = 0;
	}
	if (put != -EAGAIN || once || is_nonblocking((int)call->args[0]))
		return done ? done : put;
	return direct_suspend(environment, ANSWER_WRITABLE, done);
}

static long receive_one(struct environment *environment, const struct call *call)
{
	int fd = (int)call->args[0], flags = (int)call->args[2];
	struct msghdr *header = (struct msghdr *)call->args[1];
	struct nowait now;

	call_nowait(call, &now);
	long got = direct_plain(&now.call);
	int waits = !call_asks_not_to_wait(call) && !(flags & MSG_ERRQUEUE) && !is_nonblocking(fd);

	if (got == -EAGAIN && waits)
		return direct_suspend(environment, ANSWER_READABLE, 0);
	if (got > 0 && got < bytes_of(header) && waits && (flags & MSG_WAITALL) && !(flags & MSG_PEEK) && is_stream(fd))
		return direct_suspend(environment, ANSWER_READABLE, got);
	return got;
}

/** sendmmsg and recvmmsg: what has been moved is counted in messages. answer: what to wait for. */
static long several(struct environment *environment, const struct call *call, int answer)
{
	int once = call_asks_not_to_wait(call), flags = (int)call->args[3];
	long count = (unsigned)call->args[2], done = 0, moved = 0;
	struct nowait now;

	if (count == 0)
		return direct_plain(call);
	call_nowait(call, &now);
	if (call->number == SYS_recvmmsg)
		now.call.args[4] = 0;
	while (done < count) {
		now.call.args[1] = call->args[1] + done * (long)sizeof(struct mmsghdr);
		now.call.args[2] = count - done;
		moved = direct_plain(&now.call);
		if (moved <= 0)
			break;
		done += moved;
		if (once || (flags & MSG_WAITFORONE))
			return done;
	}
	if (done == count)
		return done;
	if (moved != -EAGAIN || once || is_nonblocking((int)call->args[0]))
		return done ? done : moved;
	return direct_suspend(environment, answer, done);
}

long direct_sendmsg(struct environment *environment, const struct call *call)
{
	return call->number == SYS_sendmsg ? send_one(environment, call) : several(environment, call, ANSWER_WRITABLE);
}

long direct_recvmsg(struct environment *environment, const struct call *call)
{
	return call->number == SYS_recvmsg ? receive_one(environment, call) : several(environment, call, ANSWER_READABLE);
}

/** Makes a call on fd that has no flag for it without waiting. The file status flags are the description's, so another process
 *  that shares it could see O_NONBLOCK for a moment. */
static long without_waiting(const struct call *call, int fd, int flags)
{
	fcntl(fd, F_SETFL, flags | O_NONBLOCK);
	long result = direct_plain(call);
	fcntl(fd, F_SETFL, flags);
	return result;
}

long direct_accept(struct environment *environment, const struct call *call)
{
	int fd = (int)call->args[0];
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || (flags & O_NONBLOCK))
		return direct_plain(call);
	long result = without_waiting(call, fd, flags);
	return result == -EAGAIN ? direct_suspend(environment, ANSWER_READABLE, 0) : result;
}

long direct_connect(struct environment *environment, const struct call *call)
{
	int fd = (int)call->args[0];
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || (flags & O_NONBLOCK))
		return direct_plain(call);
	long result = without_waiting(call, fd, flags);
	/* Asked again when the socket is writable, the kernel says how it went, and only then has the socket done with this connect. */
	if (result == -EINPROGRESS || result == -EALREADY)
		return direct_suspend(environment, ANSWER_CONNECTING, 0);
	if (result == -EAGAIN) /* a local socket whose listener's queue is full: nothing tells when it has room */
		return direct_suspend(environment, ANSWER_OFFLOAD, 0);
	return result;
}
