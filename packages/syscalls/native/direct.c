/*
 * direct.c - the direct port: makes a system call in place, so that it cannot wait, or answers what must be waited for.
 *
 * Three rules: what the caller would see is what the blocking call shows (a pipe's write is whole, a short read of a file means its
 * end); a descriptor that the program has made non-blocking itself behaves so; and where the kernel offers no way to ask
 * without waiting, the call goes to a helper thread (offload.c).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>
#include <linux/openat2.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "descriptors.h"
#include "syscalls.h"

#define PAGE 4096
#define SECTOR 512 /* what O_DIRECT asks for at least, mostly */
#define WRITE_IN_PLACE 65536 /* bytes of a file's write that go to the page cache in place */

static struct environment *environment_of(lwkt_port_t port) { return port->mp_data; }

static long answer_of(long result) { return result < 0 ? -errno : result; }

static long plain(const struct sysmsg *message)
{
	const long *a = message->sm_args;

	return answer_of(syscall(message->sm_number, a[0], a[1], a[2], a[3], a[4], a[5]));
}

static int is_nonblocking(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	return flags >= 0 && (flags & O_NONBLOCK);
}

static int is_ready(int fd, short events)
{
	struct pollfd poller = {fd, events, 0};

	return poll(&poller, 1, 0) > 0;
}

/** Whether fd lies on a file system that keeps its data in memory, where a read never waits for a device. */
static int is_in_memory(int fd)
{
	struct statfs about;

	if (fstatfs(fd, &about) != 0)
		return 0;
	switch ((unsigned)about.f_type) {
	case 0x9fa0:     /* proc */
	case 0x62656572: /* sysfs */
	case 0x01021994: /* tmpfs */
	case 0x858458f6: /* ramfs */
	case 0x27e0eb:   /* cgroup */
	case 0x63677270: /* cgroup2 */
	case 0x1cd1:     /* devpts */
		return 1;
	default:
		return 0;
	}
}

static int is_stream(int fd)
{
	int type = 0;
	socklen_t size = sizeof type;

	return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_STREAM;
}

static long suspend(struct environment *environment, int answer, long done)
{
	environment->status[STATUS_DONE] = (double)done;
	environment->status[STATUS_HELD] = -1;
	return answer;
}

/** Whether fd, a socket whose reads wait, is a stream; it is known as one from now on. */
static int found_stream(int fd)
{
	if (!stream_is_known(fd) && !is_stream(fd))
		return 0;
	stream_found(fd);
	return 1;
}

/** A plain read of a stream socket that waits and has nothing at present. */
static long wait_for_data(struct environment *environment)
{
	return suspend(environment, ring_receives(environment) ? ANSWER_RECEIVE : ANSWER_READABLE, 0);
}

/* ---------------------------------------------------------------- files, pipes, whatever can be read and written */

/** The call's buffers as an iovec: one for read and pread64, the caller's for readv. */
static int vector_of(const struct sysmsg *message, struct iovec *one, struct iovec **iov, long *total)
{
	if (call_is_vector(message->sm_number)) {
		*iov = (struct iovec *)message->sm_args[1];
		*total = 0;
		for (long i = 0; i < message->sm_args[2]; i++)
			*total += (long)(*iov)[i].iov_len;
		return (int)message->sm_args[2];
	}
	one->iov_base = (void *)message->sm_args[1];
	one->iov_len = (size_t)message->sm_args[2];
	*iov = one;
	*total = message->sm_args[2];
	return 1;
}

int call_is_vector(long number)
{
	switch (number) {
	case SYS_readv: case SYS_writev: case SYS_preadv: case SYS_pwritev: case SYS_preadv2: case SYS_pwritev2: return 1;
	default: return 0;
	}
}

int call_has_offset(long number, const long *args)
{
	switch (number) {
	case SYS_pread64: case SYS_pwrite64: case SYS_preadv: case SYS_pwritev: return 1;
	case SYS_preadv2: case SYS_pwritev2: return args[3] != -1; /* which stands for the position */
	default: return 0;
	}
}

/** RWF_* that the caller has given. */
static int rwf_of(const struct sysmsg *message)
{
	return message->sm_number == SYS_preadv2 || message->sm_number == SYS_pwritev2 ? (int)message->sm_args[5] : 0;
}

static int is_on_device(int fd)
{
	struct stat about;

	return fstat(fd, &about) == 0 && (S_ISREG(about.st_mode) || S_ISBLK(about.st_mode));
}

/**
 * Whether a read or write goes to the device and waits for it: RWF_NOWAIT keeps it only from waiting for anything else. Asked only where the
 * memory is aligned as devices want it, which a buffer that was not made for the purpose is not. not_for: the mode in which the call fails.
 */
static int is_direct(int fd, const struct iovec *iov, long total, int not_for)
{
	if (((uintptr_t)iov->iov_base | (uintptr_t)total) % SECTOR != 0 || total == 0)
		return 0;
	int flags = fcntl(fd, F_GETFL);
	return flags >= 0 && (flags & O_DIRECT) && (flags & O_ACCMODE) != not_for && is_on_device(fd);
}

/**
 * Whether EINVAL was said of the memory: JavaScript can't make any that is aligned for O_DIRECT; the copy that the call works on elsewhere is
 * (copied.c).
 */
static int refuses_memory(int fd, long total, int error)
{
	if (error != EINVAL || total <= 0 || total % SECTOR != 0 || !(fcntl(fd, F_GETFL) & O_DIRECT))
		return 0;
	direct_found(fd);
	return 1;
}

/** Whether a file has refused such memory before. */
static int would_refuse_memory(int fd, const struct iovec *iov, long total)
{
	if (!direct_is_known(fd) || total == 0 || total % SECTOR != 0 || (uintptr_t)iov->iov_base % SECTOR == 0)
		return 0;
	if (is_on_device(fd))
		return 1;
	descriptor_forget((unsigned)fd, (unsigned)fd);
	return 0;
}

/** A short read that did not wait: the end of the file, or the end of what is in the page cache? The latter ends at a page. */
static int read_is_whole(const struct sysmsg *message, int fd, long got)
{
	struct stat about;
	off_t position = call_has_offset(message->sm_number, message->sm_args) ? message->sm_args[3] + got : lseek(fd, 0, SEEK_CUR);

	if (position < 0 || position % PAGE != 0)
		return 1;
	return fstat(fd, &about) != 0 || !S_ISREG(about.st_mode) || position >= about.st_size;
}

static long do_read(struct environment *environment, const struct sysmsg *message)
{
	struct iovec one, *iov;
	struct stat about;
	long total;
	int fd = (int)message->sm_args[0];
	int n = vector_of(message, &one, &iov, &total);
	off_t offset = call_has_offset(message->sm_number, message->sm_args) ? message->sm_args[3] : -1;

	int is_plain = message->sm_number == SYS_read && total > 0;
	if (is_plain && stream_is_empty(fd))
		return wait_for_data(environment);
	if (call_has_offset(message->sm_number, message->sm_args) && offset < 0)
		return -EINVAL; /* -1 means "the position" to preadv2 */
	int flags = rwf_of(message);
	if (flags & RWF_NOWAIT)
		return plain(message);
	if (n > 0 && (would_refuse_memory(fd, iov, total) || is_direct(fd, iov, total, O_WRONLY)))
		return suspend(environment, ANSWER_OFFLOAD, 0);
	long got = preadv2(fd, iov, n, offset, flags | RWF_NOWAIT);
	if (got > 0 && stream_is_known(fd)) {
		stream_read(fd, got, total);
		return got;
	}
	if (got > 0 && got < total && !read_is_whole(message, fd, got))
		return suspend(environment, ANSWER_OFFLOAD, got);
	if (got == 0 && total == 0 && fstat(fd, &about) == 0 && S_ISDIR(about.st_mode))
		return plain(message); /* EISDIR, which preadv2 does not say of nothing */
	if (got >= 0)
		return got;
	if (refuses_memory(fd, total, errno))
		return suspend(environment, ANSWER_OFFLOAD, 0);
	if (errno != EAGAIN && errno != EOPNOTSUPP)
		return -errno;
	int unsupported = errno == EOPNOTSUPP;
	if (fstat(fd, &about) != 0)
		return -errno;
	if (S_ISREG(about.st_mode) || S_ISBLK(about.st_mode))
		return unsupported && is_in_memory(fd) ? plain(message) : suspend(environment, ANSWER_OFFLOAD, 0);
	if (S_ISDIR(about.st_mode))
		return plain(message); /* EISDIR */
	if (is_nonblocking(fd))
		return unsupported ? plain(message) : -EAGAIN;
	if (unsupported && is_ready(fd, POLLIN))
		return plain(message); /* a terminal or a device: it says that it won't wait */
	if (is_plain && S_ISSOCK(about.st_mode) && found_stream(fd))
		return wait_for_data(environment);
	return suspend(environment, ANSWER_READABLE, 0);
}

/** Drops the first n bytes of an iovec. */
static void advance(struct iovec **iov, int *count, size_t n)
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

static long do_write(struct environment *environment, const struct sysmsg *message)
{
	struct iovec one, *iov;
	struct stat about;
	long total, done = 0;
	int fd = (int)message->sm_args[0];
	int n = vector_of(message, &one, &iov, &total);
	off_t offset = call_has_offset(message->sm_number, message->sm_args) ? message->sm_args[3] : -1;

	if (call_has_offset(message->sm_number, message->sm_args) && offset < 0)
		return -EINVAL;
	int flags = rwf_of(message);
	if (flags & RWF_NOWAIT)
		return plain(message);
	if (n > 0 && (would_refuse_memory(fd, iov, total) || is_direct(fd, iov, total, O_RDONLY)))
		return suspend(environment, ANSWER_OFFLOAD, 0);
	for (;;) {
		long put = pwritev2(fd, iov, n, offset, flags | RWF_NOWAIT);
		if (put < 0)
			break;
		done += put;
		if (done >= total || put == 0)
			return done;
		if (call_has_offset(message->sm_number, message->sm_args))
			offset += put;
		advance(&iov, &n, (size_t)put);
	}
	if (done == 0 && refuses_memory(fd, total, errno))
		return suspend(environment, ANSWER_OFFLOAD, 0);
	if (errno != EAGAIN && errno != EOPNOTSUPP)
		return done ? done : -errno;
	int unsupported = errno == EOPNOTSUPP;
	if (fstat(fd, &about) != 0)
		return -errno;
	if (S_ISREG(about.st_mode) || S_ISBLK(about.st_mode) || S_ISDIR(about.st_mode)) {
		if (done == 0 && (total <= WRITE_IN_PLACE || is_in_memory(fd))) {
			long put = plain(message);
			if (put >= 0 || !refuses_memory(fd, total, (int)-put))
				return put;
		}
		return suspend(environment, ANSWER_OFFLOAD, done);
	}
	if (is_nonblocking(fd))
		return unsupported && done == 0 ? plain(message) : done ? done : -EAGAIN;
	if (unsupported && done == 0 && is_ready(fd, POLLOUT))
		return plain(message);
	return suspend(environment, ANSWER_WRITABLE, done);
}

/* ---------------------------------------------------------------- sockets */

static long do_send(struct environment *environment, const struct sysmsg *message)
{
	const long *a = message->sm_args;
	int fd = (int)a[0], flags = (int)a[3];
	long done = 0;

	for (;;) {
		long put = sendto(fd, (const char *)a[1] + done, (size_t)(a[2] - done), flags | MSG_DONTWAIT, (struct sockaddr *)a[4],
		                  (socklen_t)a[5]);
		if (put < 0)
			break;
		done += put;
		if (done >= a[2] || (flags & MSG_DONTWAIT))
			return done;
	}
	if (errno != EAGAIN || (flags & MSG_DONTWAIT) || is_nonblocking(fd))
		return done ? done : -errno;
	return suspend(environment, ANSWER_WRITABLE, done);
}

static long do_recv(struct environment *environment, const struct sysmsg *message)
{
	const long *a = message->sm_args;
	int fd = (int)a[0], flags = (int)a[3];
	int is_plain = flags == 0 && a[4] == 0 && a[2] > 0;

	if (is_plain && stream_is_empty(fd))
		return wait_for_data(environment);
	long got = recvfrom(fd, (void *)a[1], (size_t)a[2], flags | MSG_DONTWAIT, (struct sockaddr *)a[4], (socklen_t *)a[5]);
	int waits = !(flags & MSG_DONTWAIT) && !(flags & MSG_ERRQUEUE);

	if (got > 0 && is_plain)
		stream_read(fd, got, a[2]);
	if (got < 0 && errno == EAGAIN && waits && !is_nonblocking(fd))
		return is_plain && found_stream(fd) ? wait_for_data(environment) : suspend(environment, ANSWER_READABLE, 0);
	if (got > 0 && got < a[2] && waits && (flags & MSG_WAITALL) && !(flags & MSG_PEEK) && is_stream(fd) && !is_nonblocking(fd))
		return suspend(environment, ANSWER_READABLE, got);
	return answer_of(got);
}

/** Bytes of a message's data. */
static long bytes_of(const struct msghdr *header)
{
	long total = 0;

	for (size_t i = 0; i < header->msg_iovlen; i++)
		total += (long)header->msg_iov[i].iov_len;
	return total;
}

static long do_sendmsg(struct environment *environment, const struct sysmsg *message)
{
	int fd = (int)message->sm_args[0], flags = (int)message->sm_args[2];
	struct msghdr *header = (struct msghdr *)message->sm_args[1];
	long total = bytes_of(header), done = 0;

	for (;;) {
		long put = sendmsg(fd, header, flags | MSG_DONTWAIT);
		if (put < 0)
			break;
		done += put;
		if (done >= total || (flags & MSG_DONTWAIT))
			return done;
		int count = (int)header->msg_iovlen;
		advance(&header->msg_iov, &count, (size_t)put);
		header->msg_iovlen = (size_t)count;
		header->msg_control = NULL; /* went along with the first byte */
		header->msg_controllen = 0;
	}
	if (errno != EAGAIN || (flags & MSG_DONTWAIT) || is_nonblocking(fd))
		return done ? done : -errno;
	return suspend(environment, ANSWER_WRITABLE, done);
}

static long do_recvmsg(struct environment *environment, const struct sysmsg *message)
{
	int fd = (int)message->sm_args[0], flags = (int)message->sm_args[2];
	struct msghdr *header = (struct msghdr *)message->sm_args[1];
	long got = recvmsg(fd, header, flags | MSG_DONTWAIT);
	int waits = !(flags & (MSG_DONTWAIT | MSG_ERRQUEUE)) && !is_nonblocking(fd);

	if (got < 0 && errno == EAGAIN && waits)
		return suspend(environment, ANSWER_READABLE, 0);
	if (got > 0 && got < bytes_of(header) && waits && (flags & MSG_WAITALL) && !(flags & MSG_PEEK) && is_stream(fd))
		return suspend(environment, ANSWER_READABLE, got);
	return answer_of(got);
}

/** sendmmsg and recvmmsg: what has been moved is counted in messages. */
static long do_messages(struct environment *environment, const struct sysmsg *message)
{
	int sends = message->sm_number == SYS_sendmmsg;
	int fd = (int)message->sm_args[0], flags = (int)message->sm_args[3];
	struct mmsghdr *list = (struct mmsghdr *)message->sm_args[1];
	unsigned count = (unsigned)message->sm_args[2], done = 0;
	int moved = 0;

	while (done < count) {
		unsigned some = flags | MSG_DONTWAIT;
		moved = sends ? sendmmsg(fd, list + done, count - done, (int)some) : recvmmsg(fd, list + done, count - done, (int)some, NULL);
		if (moved <= 0)
			break;
		done += (unsigned)moved;
		if (flags & (MSG_DONTWAIT | MSG_WAITFORONE))
			return done;
	}
	if (count > 0 && done == count)
		return done;
	if (count == 0)
		return plain(message);
	if (errno != EAGAIN || (flags & MSG_DONTWAIT) || is_nonblocking(fd))
		return done ? (long)done : -errno;
	return suspend(environment, sends ? ANSWER_WRITABLE : ANSWER_READABLE, done);
}

/** Makes a call on fd that has no flag for it without waiting. The file status flags are the description's, so another process
 *  that shares it could see O_NONBLOCK for a moment. */
static long without_waiting(const struct sysmsg *message, int fd, int flags)
{
	fcntl(fd, F_SETFL, flags | O_NONBLOCK);
	long result = plain(message);
	fcntl(fd, F_SETFL, flags);
	return result;
}

static long do_accept(struct environment *environment, const struct sysmsg *message)
{
	int fd = (int)message->sm_args[0];
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || (flags & O_NONBLOCK))
		return plain(message);
	long result = without_waiting(message, fd, flags);
	return result == -EAGAIN ? suspend(environment, ANSWER_READABLE, 0) : result;
}

static long do_connect(struct environment *environment, const struct sysmsg *message)
{
	int fd = (int)message->sm_args[0];
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || (flags & O_NONBLOCK))
		return plain(message);
	long result = without_waiting(message, fd, flags);
	/* Asked again when the socket is writable, the kernel says how it went, and only then has the socket done with this connect. */
	if (result == -EINPROGRESS || result == -EALREADY)
		return suspend(environment, ANSWER_CONNECTING, 0);
	if (result == -EAGAIN) /* a local socket whose listener's queue is full: nothing tells when it has room */
		return suspend(environment, ANSWER_OFFLOAD, 0);
	return result;
}

/* ---------------------------------------------------------------- open */

/** A call that opens, whichever it is. */
struct opening {
	int dirfd;
	const char *path;
	struct open_how how;
};

static struct opening opening_of(const struct sysmsg *message)
{
	const long *a = message->sm_args;
	struct opening opening = {.dirfd = AT_FDCWD};
	int at = message->sm_number == SYS_openat || message->sm_number == SYS_openat2;

	if (at)
		opening.dirfd = (int)a[0];
	opening.path = (const char *)a[at];
	if (message->sm_number == SYS_openat2) {
		opening.how = *(const struct open_how *)a[2];
	} else if (message->sm_number == SYS_creat) {
		opening.how.flags = O_CREAT | O_WRONLY | O_TRUNC;
		opening.how.mode = (mode_t)a[1];
	} else {
		opening.how.flags = (unsigned)a[at + 1];
		opening.how.mode = (mode_t)a[at + 2];
	}
	return opening;
}

/** Opens with more flags. */
static int open_with(const struct sysmsg *message, const struct opening *opening, int flags)
{
	struct open_how how = opening->how;

	how.flags |= (unsigned)flags;
	if (message->sm_number == SYS_openat2)
		return (int)syscall(SYS_openat2, opening->dirfd, opening->path, &how, sizeof how);
	return openat(opening->dirfd, opening->path, (int)how.flags, (mode_t)how.mode);
}

static long do_open(struct environment *environment, const struct sysmsg *message)
{
	struct opening opening = opening_of(message);
	int flags = (int)opening.how.flags;

	/* None of these waits for another process. */
	if ((flags & (O_NONBLOCK | O_PATH | O_DIRECTORY)) || (flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL))
		return plain(message);

	int fd = open_with(message, &opening, O_NONBLOCK);
	if (fd < 0) {
		int error = errno;
		struct stat about;
		/* ENXIO: a FIFO that nobody reads, among others. EWOULDBLOCK: a lease is being broken. */
		if (error == EWOULDBLOCK || (error == ENXIO && fstatat(opening.dirfd, opening.path, &about, 0) == 0 && S_ISFIFO(about.st_mode)))
			return suspend(environment, ANSWER_OFFLOAD, 0);
		return -error;
	}
	if ((flags & O_ACCMODE) == O_RDONLY && lseek(fd, 0, SEEK_CUR) < 0 && errno == ESPIPE) {
		struct stat about;
		/* A FIFO opened for reading waits for its first writer. This descriptor stays open meanwhile, as writers may have seen it. */
		if (fstat(fd, &about) == 0 && S_ISFIFO(about.st_mode) && !is_ready(fd, POLLIN)) {
			suspend(environment, ANSWER_OFFLOAD, 0);
			environment->status[STATUS_HELD] = fd;
			return ANSWER_OFFLOAD;
		}
	}
	/* All that F_SETFL looks at, without O_NONBLOCK; O_ASYNC has no effect in open. */
	fcntl(fd, F_SETFL, flags & (O_APPEND | O_DIRECT | O_NOATIME));
	return fd;
}

/* ---------------------------------------------------------------- the rest */

/** Whether a call that waits for descriptors is not to wait at all, and the same call so that it doesn't. */
static int without_timeout(const struct sysmsg *message, struct sysmsg *now)
{
	static const struct timespec zero;
	int which = 2;

	*now = *message;
	switch (message->sm_number) {
	case SYS_epoll_wait:
	case SYS_epoll_pwait:
		which = 3;
		/* fall through */
	case SYS_poll:
		now->sm_args[which] = 0;
		return (int)message->sm_args[which] == 0;
	case SYS_epoll_pwait2:
		which = 3;
		break;
	case SYS_select:
	case SYS_pselect6:
		which = 4;
		break;
	}
	const struct timespec *timeout = (const struct timespec *)message->sm_args[which]; /* select's timeval has the same zero */
	now->sm_args[which] = (long)&zero;
	return timeout != NULL && timeout->tv_sec == 0 && timeout->tv_nsec == 0;
}

/** What ppoll and its like say of a timeout that is none. */
static int is_bad_timeout(const struct sysmsg *message)
{
	const struct timespec *timeout;
	long limit = message->sm_number == SYS_select ? LONG_MAX : 999999999; /* select carries microseconds over */

	switch (message->sm_number) {
	case SYS_ppoll: timeout = (const struct timespec *)message->sm_args[2]; break;
	case SYS_epoll_pwait2: timeout = (const struct timespec *)message->sm_args[3]; break;
	case SYS_select:
	case SYS_pselect6: timeout = (const struct timespec *)message->sm_args[4]; break;
	default: return 0;
	}
	return timeout != NULL && (timeout->tv_sec < 0 || timeout->tv_nsec < 0 || timeout->tv_nsec > limit);
}

static long do_poll(struct environment *environment, const struct sysmsg *message)
{
	struct sysmsg now;

	if (is_bad_timeout(message))
		return -EINVAL;
	int at_once = without_timeout(message, &now);
	long result = plain(&now);
	return result == 0 && !at_once ? suspend(environment, ANSWER_POLL, 0) : result;
}

static long do_select(struct environment *environment, const struct sysmsg *message)
{
	fd_set sets[3];
	struct timeval zero = {0, 0}; /* which the kernel writes, too */
	struct sysmsg now;

	if (is_bad_timeout(message))
		return -EINVAL;
	int at_once = without_timeout(message, &now);
	if (message->sm_number == SYS_select)
		now.sm_args[4] = (long)&zero;
	for (int i = 0; i < 3; i++)
		if (message->sm_args[1 + i] != 0)
			sets[i] = *(const fd_set *)message->sm_args[1 + i];
	long result = plain(&now);
	if (result != 0 || at_once)
		return result;
	for (int i = 0; i < 3; i++) /* the kernel has cleared them */
		if (message->sm_args[1 + i] != 0)
			*(fd_set *)message->sm_args[1 + i] = sets[i];
	return suspend(environment, ANSWER_POLL, 0);
}

static long do_wait(struct environment *environment, const struct sysmsg *message)
{
	struct sysmsg now = *message;
	int which = message->sm_number == SYS_waitid ? 3 : 2;
	siginfo_t *info = (siginfo_t *)message->sm_args[2]; /* waitid's */

	if (message->sm_args[which] & WNOHANG)
		return plain(message);
	now.sm_args[which] |= WNOHANG;
	if (message->sm_number == SYS_waitid)
		info->si_pid = 0;
	long result = plain(&now);
	int nobody = result == 0 && (message->sm_number == SYS_wait4 || info->si_pid == 0);
	return nobody ? suspend(environment, ANSWER_OFFLOAD, 0) : result;
}

static long do_lock(struct environment *environment, const struct sysmsg *message)
{
	struct sysmsg now = *message;
	int command = (int)message->sm_args[1];

	if (message->sm_number == SYS_flock) {
		if (command & LOCK_NB)
			return plain(message);
		now.sm_args[1] = command | LOCK_NB;
	} else {
		if (command == F_SETLKW || command == F_OFD_SETLKW)
			now.sm_args[1] = command == F_SETLKW ? F_SETLK : F_OFD_SETLK;
		else if (command != F_SETLK)
			return plain(message);
	}
	long result = plain(&now);
	if (result == 0 && now.sm_number == SYS_fcntl && now.sm_args[1] == F_SETLK)
		offload_note_posix_lock();
	if (command == F_SETLK && message->sm_number == SYS_fcntl)
		return result;
	return result == -EAGAIN || result == -EACCES ? suspend(environment, ANSWER_OFFLOAD, 0) : result;
}

static long do_splice(struct environment *environment, const struct sysmsg *message)
{
	struct sysmsg now = *message;
	int which = message->sm_number == SYS_splice ? 5 : 3;

	if (message->sm_args[which] & SPLICE_F_NONBLOCK)
		return plain(message);
	now.sm_args[which] |= SPLICE_F_NONBLOCK;
	long result = plain(&now);
	return result == -EAGAIN ? suspend(environment, ANSWER_OFFLOAD, 0) : result;
}

static long do_sleep(struct environment *environment, const struct sysmsg *message)
{
	int clocked = message->sm_number == SYS_clock_nanosleep;
	const struct timespec *request = (const struct timespec *)message->sm_args[clocked ? 2 : 0];

	if (request->tv_sec < 0 || request->tv_nsec < 0 || request->tv_nsec > 999999999)
		return -EINVAL;
	if (clocked) {
		struct timespec now;
		int clock = (int)message->sm_args[0];
		if (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC && clock != CLOCK_BOOTTIME && clock != CLOCK_TAI)
			return clock_gettime(clock, &now) == 0 ? -EOPNOTSUPP : -EINVAL;
	}
	return suspend(environment, ANSWER_SLEEP, 0);
}

/** What the ring waits for on a descriptor ends before that is closed. */
static void closing(struct environment *environment, unsigned first, unsigned last)
{
	descriptor_forget(first, last);
	if (environment->ring != NULL)
		ring_closing(environment, first, last);
}

static void before_call(struct environment *environment, const struct sysmsg *message)
{
	const long *a = message->sm_args;

	switch (message->sm_number) {
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
static void after_call(const struct sysmsg *message, long result)
{
	const int *pair = (const int *)message->sm_args[3];

	switch (message->sm_number) {
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

int direct_putport(lwkt_port_t port, lwkt_msg_t msg)
{
	struct environment *environment = environment_of(port);
	struct sysmsg *message = (struct sysmsg *)msg;
	long result;

	before_call(environment, message);
	switch (call_row_of((double)message->sm_number)->block) {
	case BLOCK_READ: result = do_read(environment, message); break;
	case BLOCK_WRITE: result = do_write(environment, message); break;
	case BLOCK_RECV: result = do_recv(environment, message); break;
	case BLOCK_SEND: result = do_send(environment, message); break;
	case BLOCK_RECVMSG:
		result = message->sm_number == SYS_recvmsg ? do_recvmsg(environment, message) : do_messages(environment, message);
		break;
	case BLOCK_SENDMSG:
		result = message->sm_number == SYS_sendmsg ? do_sendmsg(environment, message) : do_messages(environment, message);
		break;
	case BLOCK_ACCEPT: result = do_accept(environment, message); break;
	case BLOCK_CONNECT: result = do_connect(environment, message); break;
	case BLOCK_OPEN: result = do_open(environment, message); break;
	case BLOCK_POLL:
	case BLOCK_EPOLL: result = do_poll(environment, message); break;
	case BLOCK_SELECT: result = do_select(environment, message); break;
	case BLOCK_WAIT: result = do_wait(environment, message); break;
	case BLOCK_LOCK: result = do_lock(environment, message); break;
	case BLOCK_SPLICE: result = do_splice(environment, message); break;
	case BLOCK_OFFLOAD: result = suspend(environment, ANSWER_OFFLOAD, 0); break;
	case BLOCK_SLEEP: result = do_sleep(environment, message); break;
	default: result = plain(message); break;
	}
	if (result >= 0)
		after_call(message, result);
	message->sm_result = result;
	return 0;
}

long direct_blocking(const struct call_row *row, const struct sysmsg *message, int held)
{
	char path[32];
	long result;

	if (row->block != BLOCK_OPEN || held < 0) {
		do
			result = plain(message);
		while (result == -EINTR);
		return result;
	}
	/* The reading end of a FIFO: a writer that has come (and perhaps gone) since makes the held descriptor the answer. */
	int flags = (int)opening_of(message).how.flags;
	if (is_ready(held, POLLIN)) {
		int now = fcntl(held, F_GETFL);
		fcntl(held, F_SETFL, now & ~O_NONBLOCK);
		return held;
	}
	snprintf(path, sizeof path, "/proc/self/fd/%d", held);
	do
		result = answer_of(open(path, flags & ~O_NOFOLLOW));
	while (result == -EINTR);
	close(held);
	return result;
}
