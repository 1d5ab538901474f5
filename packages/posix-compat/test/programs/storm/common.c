/*
 * common.c - what the calls of the storm have in common: how long they wait, and that of what the feeder has given each thing comes to one thread, once.
 */
#include "storm.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

/* ---------------------------------------------------------------- times */

int64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ll + ts.tv_nsec;
}

struct timespec how_long(bool for_long)
{
	return for_long ? (struct timespec){LONG_S, 0} : (struct timespec){0, SHORT_NS};
}

struct timespec until(clockid_t clock, bool for_long)
{
	struct timespec ts, more = how_long(for_long);

	clock_gettime(clock, &ts);
	ts.tv_sec += more.tv_sec;
	ts.tv_nsec += more.tv_nsec;
	if (ts.tv_nsec >= 1000000000) {
		ts.tv_sec++;
		ts.tv_nsec -= 1000000000;
	}
	return ts;
}

/** A wait for a time has ended by itself. */
void was_long_enough(const struct kind *self, int64_t began, bool for_long)
{
	int64_t took = now_ns() - began;

	if (for_long || took < SHORT_NS)
		complain(self->name, SHORT_NS, for_long ? -1 : took);
}

/* ---------------------------------------------------------------- what is counted */

int has_got(struct kind *self, long result)
{
	if (result < 0)
		return errno;
	self->got++;
	return 0;
}

/** The same, of a call that reads one byte. */
int has_read(struct kind *self, long result, char byte)
{
	if (result >= 0 && (result != 1 || byte != BYTE))
		complain(self->name, BYTE, result == 1 ? byte : -result);
	return has_got(self, result);
}

void has_fed(struct kind *self, long result)
{
	if (result >= 0)
		self->fed++;
}

bool set_nonblocking(int fd)
{
	return fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) == 0;
}

long bytes_in(int fd)
{
	int n = 0;

	ioctl(fd, FIONREAD, &n);
	return n;
}

bool make_pipe(struct kind *self) { return pipe(self->fds) == 0 && set_nonblocking(self->fds[1]); }
bool make_socketpair(struct kind *self) { return socketpair(AF_UNIX, SOCK_STREAM, 0, self->fds) == 0 && set_nonblocking(self->fds[1]); }
long left_in(struct kind *self) { return bytes_in(self->fds[0]); }

void write_some(struct kind *self)
{
	const char byte = BYTE;

	for (unsigned i = choose(FEW); i; i--)
		has_fed(self, write(self->fds[1], &byte, 1));
}
