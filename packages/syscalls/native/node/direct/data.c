/*
 * data.c - reads and writes in place: files, pipes, whatever can be read and written (direct.h).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "descriptor/device.h"
#include "direct.h"

#define PAGE 4096
#define SECTOR 512 /* what O_DIRECT asks for at least, mostly */
#define WRITE_IN_PLACE 65536 /* bytes of a file's write that go to the page cache in place */

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

/** The call's buffers as an iovec: one for read and pread64, the caller's for readv. */
static int vector_of(const struct call *call, struct iovec *one, struct iovec **iov, long *total)
{
	if (call_is_vector(call->number)) {
		*iov = (struct iovec *)call->args[1];
		*total = 0;
		for (long i = 0; i < call->args[2]; i++)
			*total += (long)(*iov)[i].iov_len;
		return (int)call->args[2];
	}
	one->iov_base = (void *)call->args[1];
	one->iov_len = (size_t)call->args[2];
	*iov = one;
	*total = call->args[2];
	return 1;
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
static int read_is_whole(const struct call *call, int fd, long got)
{
	struct stat about;
	off_t position = call_has_offset(call) ? call->args[3] + got : lseek(fd, 0, SEEK_CUR);

	if (position < 0 || position % PAGE != 0)
		return 1;
	return fstat(fd, &about) != 0 || !S_ISREG(about.st_mode) || position >= about.st_size;
}

/** A short read of a device that gives all if it isn't asked not to wait. */
static int was_cut_short(int fd, long got)
{
	struct stat about;

	return got % PAGE == 0 && fstat(fd, &about) == 0 && device_never_waits(&about);
}

long direct_read(struct environment *environment, const struct call *call)
{
	struct iovec one, *iov;
	struct nowait now;
	struct stat about;
	long total;
	int fd = (int)call->args[0];
	int n = vector_of(call, &one, &iov, &total);

	int is_plain = call->number == SYS_read && total > 0;
	if (is_plain && stream_is_empty(fd))
		return direct_wait_for_data(environment);
	if (call_has_offset(call) && call->args[3] < 0)
		return -EINVAL; /* -1 means "the position" to preadv2 */
	if (call_asks_not_to_wait(call))
		return direct_plain(call);
	if (n > 0 && (would_refuse_memory(fd, iov, total) || is_direct(fd, iov, total, O_WRONLY)))
		return direct_suspend(environment, ANSWER_OFFLOAD, 0);
	if (call_has_offset(call) && total > 0 && file_will_miss(fd))
		return direct_suspend(environment, ANSWER_OFFLOAD, 0);
	call_nowait(call, &now);
	long got = direct_plain(&now.call);
	if (got > 0 && stream_is_known(fd)) {
		stream_read(fd, got, total);
		return got;
	}
	if (got > 0 && got < total && was_cut_short(fd, got))
		return direct_plain(call);
	if (got > 0 && got < total && !read_is_whole(call, fd, got))
		return direct_suspend(environment, ANSWER_OFFLOAD, got);
	if (got == 0 && total == 0 && fstat(fd, &about) == 0 && S_ISDIR(about.st_mode))
		return direct_plain(call); /* EISDIR, which preadv2 does not say of nothing */
	if (got >= 0)
		return got;
	if (refuses_memory(fd, total, (int)-got))
		return direct_suspend(environment, ANSWER_OFFLOAD, 0);
	if (got != -EAGAIN && got != -EOPNOTSUPP)
		return got;
	int unsupported = got == -EOPNOTSUPP;
	if (fstat(fd, &about) != 0)
		return -errno;
	if (S_ISREG(about.st_mode) || S_ISBLK(about.st_mode)) {
		if (unsupported && is_in_memory(fd))
			return direct_plain(call);
		if (call_has_offset(call))
			file_missed(fd);
		return direct_suspend(environment, ANSWER_OFFLOAD, 0);
	}
	if (S_ISDIR(about.st_mode))
		return direct_plain(call); /* EISDIR */
	if (is_nonblocking(fd))
		return unsupported ? direct_plain(call) : -EAGAIN;
	if (unsupported && is_ready(fd, call_events(call)))
		return direct_plain(call); /* a terminal or a device: it says that it won't wait */
	if (is_plain && S_ISSOCK(about.st_mode) && found_stream(fd))
		return direct_wait_for_data(environment);
	return direct_suspend(environment, ANSWER_READABLE, 0);
}

long direct_write(struct environment *environment, const struct call *call)
{
	struct iovec one, *iov;
	struct nowait now;
	struct stat about;
	long total, done = 0, put;
	int fd = (int)call->args[0];
	int n = vector_of(call, &one, &iov, &total);

	if (call_has_offset(call) && call->args[3] < 0)
		return -EINVAL;
	if (call_asks_not_to_wait(call))
		return direct_plain(call);
	if (n > 0 && (would_refuse_memory(fd, iov, total) || is_direct(fd, iov, total, O_RDONLY)))
		return direct_suspend(environment, ANSWER_OFFLOAD, 0);
	call_nowait(call, &now);
	for (;;) {
		now.call.args[1] = (long)iov;
		now.call.args[2] = n;
		put = direct_plain(&now.call);
		if (put < 0)
			break;
		done += put;
		if (done >= total || put == 0)
			return done;
		if (call_has_offset(call))
			now.call.args[3] += put;
		iovec_advance(&iov, &n, (size_t)put);
	}
	if (done == 0 && refuses_memory(fd, total, (int)-put))
		return direct_suspend(environment, ANSWER_OFFLOAD, 0);
	if (put != -EAGAIN && put != -EOPNOTSUPP)
		return done ? done : put;
	int unsupported = put == -EOPNOTSUPP;
	if (fstat(fd, &about) != 0)
		return -errno;
	if (S_ISREG(about.st_mode) || S_ISBLK(about.st_mode) || S_ISDIR(about.st_mode)) {
		if (done == 0 && (total <= WRITE_IN_PLACE || is_in_memory(fd))) {
			put = direct_plain(call);
			if (put >= 0 || !refuses_memory(fd, total, (int)-put))
				return put;
		}
		return direct_suspend(environment, ANSWER_OFFLOAD, done);
	}
	if (is_nonblocking(fd))
		return unsupported && done == 0 ? direct_plain(call) : done ? done : -EAGAIN;
	if (unsupported && done == 0 && is_ready(fd, call_events(call)))
		return direct_plain(call);
	return direct_suspend(environment, ANSWER_WRITABLE, done);
}
