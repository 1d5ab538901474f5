/*
 * out.c - writes what libcr itself says: trace, --stats, metrics, sentences on stderr. The program has not asked for it, so it is not to be hit by what comes of it: SIGPIPE where
 * nobody reads any more, SIGXFSZ where a file may not get longer. What can't be written is said once on stderr, and the rest is dropped.
 *
 * Not here: the program's own writes.
 *
 * Invariant: a signal that such a write raises is taken by the kernel thread that has raised it, before anything of the program runs there again.
 */
#include "program.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

/** What a write to a descriptor may raise. */
enum outlet { UNKNOWN, SOCKET, NOTHING, SIGNAL };

static volatile uint8_t trace_outlet; /* options.trace's; UNKNOWN again where the program may have changed what a file may be */

uint64_t out_longest(void)
{
	struct rlimit limit = {.rlim_cur = RLIM_INFINITY};

	kernel_call(SYS_prlimit64, 0, RLIMIT_FSIZE, NULL, &limit);
	return limit.rlim_cur;
}

static enum outlet outlet_of(int fd)
{
	struct stat about;

	if (kernel_call(SYS_fstat, fd, &about))
		return SIGNAL;
	switch (about.st_mode & S_IFMT) {
	case S_IFSOCK: return SOCKET;
	case S_IFCHR: return NOTHING;
	case S_IFREG: return out_longest() == RLIM_INFINITY ? NOTHING : SIGNAL;
	default: return SIGNAL;
	}
}

void out_limits_changed(void) { trace_outlet = UNKNOWN; }

static enum outlet find_outlet(int fd)
{
	if (fd != options.trace)
		return outlet_of(fd);
	if (trace_outlet == UNKNOWN)
		trace_outlet = (uint8_t)outlet_of(fd);
	return trace_outlet;
}

/** While this kernel thread blocks what the write may raise. */
static long write_blocked(int fd, const void *data, size_t n)
{
	const uint64_t raised = SIGNAL_BIT(SIGPIPE) | SIGNAL_BIT(SIGXFSZ), now[2] = {0, 0};
	uint64_t before;
	long done;

	kernel_call(SYS_rt_sigprocmask, SIG_BLOCK, &raised, &before, 8);
	done = kernel_call(SYS_write, fd, data, n);
	if (done == -EPIPE || done == -EFBIG)
		kernel_call(SYS_rt_sigtimedwait, &raised, NULL, now, 8);
	kernel_call(SYS_rt_sigprocmask, SIG_SETMASK, &before, NULL, 8);
	return done;
}

static long write_once(int fd, const void *data, size_t n)
{
	switch (find_outlet(fd)) {
	case SOCKET: return kernel_call(SYS_sendto, fd, data, n, MSG_NOSIGNAL, NULL, 0);
	case NOTHING: return kernel_call(SYS_write, fd, data, n);
	default: return write_blocked(fd, data, n);
	}
}

long out_write(int fd, const void *data, size_t n)
{
	const char *at = data, *end = at + n;

	while (at < end) {
		const long done = write_once(fd, at, (size_t)(end - at));

		if (done == -EAGAIN) { /* somebody has made it so, and reads it */
			struct timespec moment = {.tv_nsec = 1000000};

			kernel_call(SYS_nanosleep, &moment, NULL);
		} else if (done <= 0 && done != -EINTR) {
			return done ? done : -EIO;
		} else if (done > 0) {
			at += done;
		}
	}
	return 0;
}

/* ------------------------------------------------ memory that has a descriptor */

/** How long a file may get is about the program's: for a moment it may be so long. Whether it may. */
static bool raise_limit(uint64_t end, struct rlimit *was)
{
	struct rlimit more;

	*was = (struct rlimit){.rlim_cur = RLIM_INFINITY, .rlim_max = RLIM_INFINITY};
	kernel_call(SYS_prlimit64, 0, RLIMIT_FSIZE, NULL, was);
	if (end <= was->rlim_cur)
		return true;
	more = (struct rlimit){.rlim_cur = end, .rlim_max = was->rlim_max > end ? was->rlim_max : end};
	return !kernel_call(SYS_prlimit64, 0, RLIMIT_FSIZE, &more, NULL);
}

long out_set_length(int fd, uint64_t length)
{
	struct rlimit was;
	long error;

	if (!raise_limit(length, &was))
		return -EFBIG;
	error = kernel_call(SYS_ftruncate, fd, length);
	if (length > was.rlim_cur)
		kernel_call(SYS_prlimit64, 0, RLIMIT_FSIZE, &was, NULL);
	return error;
}

void out_put(int fd, const void *data, size_t n)
{
	struct rlimit was;

	if (!raise_limit(n, &was))
		return;
	kernel_call(SYS_pwrite64, fd, data, n, 0);
	if (n > was.rlim_cur)
		kernel_call(SYS_prlimit64, 0, RLIMIT_FSIZE, &was, NULL);
}

/* ------------------------------------------------ what is said */

/**
 * All processes of a tree have one open file of it, and each of them would say so. Which signal tells of input on an open file is kept with it, and of these nobody has asked for
 * one: that it is SIGPIPE says that it has been told. A program that ends may have closed its stderr; then another one tells.
 */
void out_failed(int fd, const char *what, long error)
{
	if (kernel_call(SYS_fcntl, fd, F_GETSIG) != SIGPIPE && !print(2, "libcr: %s can't be written: %s\n", what, error_text((unsigned)-error)))
		kernel_call(SYS_fcntl, fd, F_SETSIG, SIGPIPE);
}
