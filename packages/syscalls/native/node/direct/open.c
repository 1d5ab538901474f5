/*
 * open.c - openings in place: all but those of FIFOs answer at once (direct.h).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <poll.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "direct.h"

/** A call that opens, whichever it is. */
struct opening {
	int dirfd;
	const char *path;
	struct open_how how;
};

static struct opening opening_of(const struct call *call)
{
	const long *a = call->args;
	struct opening opening = {.dirfd = AT_FDCWD};
	int at = call->number == SYS_openat || call->number == SYS_openat2;

	if (at)
		opening.dirfd = (int)a[0];
	opening.path = (const char *)a[at];
	if (call->number == SYS_openat2) {
		opening.how = *(const struct open_how *)a[2];
	} else if (call->number == SYS_creat) {
		opening.how.flags = O_CREAT | O_WRONLY | O_TRUNC;
		opening.how.mode = (mode_t)a[1];
	} else {
		opening.how.flags = (unsigned)a[at + 1];
		opening.how.mode = (mode_t)a[at + 2];
	}
	return opening;
}

/** Opens with more flags. */
static int open_with(const struct call *call, const struct opening *opening, int flags)
{
	struct open_how how = opening->how;

	how.flags |= (unsigned)flags;
	if (call->number == SYS_openat2)
		return (int)syscall(SYS_openat2, opening->dirfd, opening->path, &how, sizeof how);
	return openat(opening->dirfd, opening->path, (int)how.flags, (mode_t)how.mode);
}

long direct_open(struct environment *environment, const struct call *call)
{
	struct opening opening = opening_of(call);
	int flags = (int)opening.how.flags;

	/* None of these waits for another process. */
	if ((flags & (O_NONBLOCK | O_PATH | O_DIRECTORY)) || (flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL))
		return direct_plain(call);

	int fd = open_with(call, &opening, O_NONBLOCK);
	if (fd < 0) {
		int error = errno;
		struct stat about;
		/* ENXIO: a FIFO that nobody reads, among others. EWOULDBLOCK: a lease is being broken. */
		if (error == EWOULDBLOCK || (error == ENXIO && fstatat(opening.dirfd, opening.path, &about, 0) == 0 && S_ISFIFO(about.st_mode)))
			return direct_suspend(environment, ANSWER_OFFLOAD, 0);
		return -error;
	}
	if ((flags & O_ACCMODE) == O_RDONLY && lseek(fd, 0, SEEK_CUR) < 0 && errno == ESPIPE) {
		struct stat about;
		/* A FIFO opened for reading waits for its first writer. This descriptor stays open meanwhile, as writers may have seen it. */
		if (fstat(fd, &about) == 0 && S_ISFIFO(about.st_mode) && !is_ready(fd, POLLIN)) {
			direct_suspend(environment, ANSWER_OFFLOAD, 0);
			environment->status[STATUS_HELD] = fd;
			return ANSWER_OFFLOAD;
		}
	}
	/* All that F_SETFL looks at, without O_NONBLOCK; O_ASYNC has no effect in open. */
	fcntl(fd, F_SETFL, flags & (O_APPEND | O_DIRECT | O_NOATIME));
	return fd;
}

long direct_open_held(const struct call *call, int held)
{
	char path[32];
	long result;

	/* The reading end of a FIFO: a writer that has come (and perhaps gone) since makes the held descriptor the answer. */
	int flags = (int)opening_of(call).how.flags;
	if (is_ready(held, POLLIN)) {
		int now = fcntl(held, F_GETFL);
		fcntl(held, F_SETFL, now & ~O_NONBLOCK);
		return held;
	}
	snprintf(path, sizeof path, "/proc/self/fd/%d", held);
	do
		result = kernel_call(SYS_open, path, flags & ~O_NOFOLLOW);
	while (result == -EINTR);
	close(held);
	return result;
}
