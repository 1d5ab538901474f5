/*
 * data.c - calls of the storm that read and write: pipes, sockets, and descriptors that count, tell the time, and tell of others.
 */
#include "storm.h"

#include <fcntl.h>
#include <stddef.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/un.h>

/* ---------------------------------------------------------------- reading and writing */

static int read_one(struct kind *self, bool for_long)
{
	char byte = 0;
	long n = read(self->fds[0], &byte, 1);

	(void)for_long;
	return has_read(self, n, byte);
}

/** fds[0] is full, and the feeder makes room at fds[1]. What threads write is `fed` here, and the feeder gets it. */
static bool fill(struct kind *self)
{
	static char bytes[4096];
	int flags = fcntl(self->fds[0], F_GETFL);

	memset(bytes, BYTE, sizeof(bytes));
	fcntl(self->fds[0], F_SETFL, flags | O_NONBLOCK);
	for (size_t size = sizeof(bytes); size; size /= 2)
		for (long n; (n = write(self->fds[0], bytes, size)) > 0;)
			self->fed += n;
	return fcntl(self->fds[0], F_SETFL, flags) == 0;
}

static bool make_full_pipe(struct kind *self)
{
	int fds[2];

	if (pipe(fds))
		return false;
	self->fds[0] = fds[1];
	self->fds[1] = fds[0];
	return set_nonblocking(fds[0]) && fill(self);
}

static bool make_full_socket(struct kind *self) { return make_socketpair(self) && fill(self); }

static int write_one(struct kind *self, bool for_long)
{
	const char byte = BYTE;
	long n = write(self->fds[0], &byte, 1);

	(void)for_long;
	has_fed(self, n);
	return n < 0 ? errno : 0;
}

static int send_one(struct kind *self, bool for_long)
{
	const char byte = BYTE;
	long n = send(self->fds[0], &byte, 1, 0);

	(void)for_long;
	has_fed(self, n);
	return n < 0 ? errno : 0;
}

static void drain(struct kind *self)
{
	char bytes[5000];
	long n = read(self->fds[1], bytes, sizeof(bytes));

	if (n > 0)
		self->got += n;
}

/** A stream's rest is read, as a socket counts what it has otherwise than by bytes. */
static long drain_all(struct kind *self)
{
	char bytes[5000];
	long n, all = 0;

	while ((n = read(self->fds[1], bytes, sizeof(bytes))) > 0)
		all += n;
	return all;
}

static int splice_one(struct kind *self, bool for_long)
{
	char byte = 0;
	int fds[2];
	long n;

	(void)for_long;
	if (pipe(fds))
		return errno;
	n = splice(self->fds[0], NULL, fds[1], NULL, 1, 0);
	if (n < 0) {
		int error = errno;

		close(fds[0]);
		close(fds[1]);
		return error;
	}
	n = read(fds[0], &byte, 1);
	close(fds[0]);
	close(fds[1]);
	return has_read(self, n, byte);
}

/* ---------------------------------------------------------------- sockets */

static bool make_timed_socketpair(struct kind *self)
{
	struct timeval tv = {LONG_S, 0};

	return make_socketpair(self) && !setsockopt(self->fds[0], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
}

static int recv_one(struct kind *self, bool for_long)
{
	char byte = 0;
	long n = recv(self->fds[0], &byte, 1, 0);

	(void)for_long;
	return has_read(self, n, byte);
}

static bool make_datagrams(struct kind *self) { return socketpair(AF_UNIX, SOCK_DGRAM, 0, self->fds) == 0 && set_nonblocking(self->fds[1]); }

static int recvmsg_one(struct kind *self, bool for_long)
{
	char byte = 0, more = 0;
	struct iovec iov[2] = {{&byte, 1}, {&more, 1}};
	struct msghdr message = {.msg_iov = iov, .msg_iovlen = 2};
	long n = recvmsg(self->fds[0], &message, 0);

	(void)for_long;
	return has_read(self, n, byte);
}

static long datagrams_in(struct kind *self)
{
	char byte;
	long n = 0;

	while (recv(self->fds[0], &byte, 1, MSG_DONTWAIT) >= 0)
		n++;
	return n;
}

/** fds[0] listens. An abstract name: it goes with the process. */
static struct sockaddr_un name_of(const struct kind *self, socklen_t *length)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};

	*length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)sprintf(name.sun_path + 1, "libcr-storm-%d-%s", getpid(), self->name));
	return name;
}

static bool listens(struct kind *self)
{
	socklen_t length;
	struct sockaddr_un name = name_of(self, &length);

	self->fds[0] = socket(AF_UNIX, SOCK_STREAM, 0);
	return !bind(self->fds[0], (struct sockaddr *)&name, length) && !listen(self->fds[0], 2);
}

static int connect_to(struct kind *self, int flags)
{
	socklen_t length;
	struct sockaddr_un name = name_of(self, &length);
	int fd = socket(AF_UNIX, SOCK_STREAM | flags, 0), error;

	if (fd < 0)
		return -1;
	if (!connect(fd, (struct sockaddr *)&name, length))
		return fd;
	error = errno;
	close(fd);
	errno = error;
	return -1;
}

static int accept_one(struct kind *self, bool for_long)
{
	char byte = 0;
	long n;
	int fd = accept(self->fds[0], NULL, NULL);

	(void)for_long;
	if (fd < 0)
		return errno;
	while ((n = read(fd, &byte, 1)) < 0 && errno == EINTR)
		;
	close(fd);
	return has_read(self, n, byte);
}

static void connect_some(struct kind *self)
{
	const char byte = BYTE;
	int fd = connect_to(self, SOCK_NONBLOCK);

	if (fd < 0)
		return;
	has_fed(self, write(fd, &byte, 1));
	close(fd);
}

static long connections_in(struct kind *self)
{
	long n = 0;
	int fd;

	for (set_nonblocking(self->fds[0]); (fd = accept(self->fds[0], NULL, NULL)) >= 0; n++)
		close(fd);
	return n;
}

/** Here it is the threads that feed. */
static int connect_one(struct kind *self, bool for_long)
{
	int fd = connect_to(self, 0);

	(void)for_long;
	if (fd < 0)
		return errno;
	self->fed++;
	close(fd);
	return 0;
}

static bool listens_without_waiting(struct kind *self) { return listens(self) && set_nonblocking(self->fds[0]); }

static void accept_some(struct kind *self)
{
	int fd;

	for (unsigned i = choose(FEW); i && (fd = accept(self->fds[0], NULL, NULL)) >= 0; i--) {
		self->got++;
		close(fd);
	}
}

/* ---------------------------------------------------------------- descriptors that count, tell the time, and tell of others */

static bool make_eventfd(struct kind *self)
{
	self->fds[0] = self->fds[1] = eventfd(0, EFD_SEMAPHORE);
	return self->fds[0] >= 0;
}

static int read_event(struct kind *self, bool for_long)
{
	uint64_t value = 0;
	long n = read(self->fds[0], &value, sizeof(value));

	(void)for_long;
	if (n >= 0 && (n != sizeof(value) || value != 1))
		complain(self->name, 1, (long)value);
	return has_got(self, n);
}

static void write_event(struct kind *self)
{
	const uint64_t one = 1;

	has_fed(self, write(self->fds[1], &one, sizeof(one)));
}

static long events_in(struct kind *self)
{
	uint64_t value;
	long n = 0;

	for (set_nonblocking(self->fds[0]); read(self->fds[0], &value, sizeof(value)) > 0; n++)
		;
	return n;
}

static bool make_timerfd(struct kind *self)
{
	self->fds[0] = timerfd_create(CLOCK_MONOTONIC, 0);
	return self->fds[0] >= 0;
}

static void set_timer(struct kind *self)
{
	const struct itimerspec often = {{0, 7000000}, {0, 1000000}}, once = {{0, 0}, {0, 1000000}};

	timerfd_settime(self->fds[0], 0, choose(2) ? &often : &once, NULL);
}

static int read_timer(struct kind *self, bool for_long)
{
	uint64_t value = 0;
	long n = read(self->fds[0], &value, sizeof(value));

	(void)for_long;
	if (n >= 0 && (n != sizeof(value) || !value))
		complain(self->name, 1, (long)value);
	return n < 0 ? errno : 0;
}

static bool make_signalfd(struct kind *self)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, WAITED_FOR);
	self->fds[0] = signalfd(-1, &set, 0);
	return self->fds[0] >= 0;
}

static int read_signal(struct kind *self, bool for_long)
{
	struct signalfd_siginfo info;
	siginfo_t as_waited = {.si_signo = WAITED_FOR, .si_code = SI_QUEUE};
	long n = read(self->fds[0], &info, sizeof(info));

	(void)for_long;
	if (n < 0)
		return errno;
	if (n != sizeof(info) || info.ssi_signo != (uint32_t)WAITED_FOR || info.ssi_code != SI_QUEUE)
		complain(self->name, WAITED_FOR, (long)info.ssi_signo);
	as_waited.si_value.sival_int = info.ssi_int;
	waited_for(&as_waited);
	return 0;
}

static bool make_inotify(struct kind *self)
{
	self->fds[1] = open("watched", O_CREAT | O_RDWR, 0600);
	self->fds[0] = inotify_init();
	return self->fds[1] >= 0 && inotify_add_watch(self->fds[0], "watched", IN_MODIFY) >= 0;
}

static void modify(struct kind *self)
{
	if (pwrite(self->fds[1], "x", 1, 0) != 1)
		complain(self->name, 1, 0);
}

static int read_inotify(struct kind *self, bool for_long)
{
	struct inotify_event event[4];
	long n = read(self->fds[0], event, sizeof(event[0]));

	(void)for_long;
	if (n >= 0 && (n != sizeof(event[0]) || event[0].mask != IN_MODIFY))
		complain(self->name, sizeof(event[0]), n);
	return n < 0 ? errno : 0;
}

struct kind storm_data[] = {
	{"read of a pipe", GOES_ON, make_pipe, read_one, write_some, left_in},
	{"write to a pipe", GOES_ON, make_full_pipe, write_one, drain, drain_all},
	{"splice", GOES_ON, make_pipe, splice_one, write_some, left_in},
	{"read of a socket", GOES_ON, make_socketpair, read_one, write_some, left_in},
	{"recv with a time", BREAKS, make_timed_socketpair, recv_one, write_some, left_in},
	{"recvmsg", GOES_ON, make_datagrams, recvmsg_one, write_some, datagrams_in},
	{"send", GOES_ON, make_full_socket, send_one, drain, drain_all},
	{"accept", GOES_ON, listens, accept_one, connect_some, connections_in},
	{"connect", GOES_ON, listens_without_waiting, connect_one, accept_some, connections_in},
	{"read of an eventfd", GOES_ON, make_eventfd, read_event, write_event, events_in},
	{"read of a timerfd", GOES_ON, make_timerfd, read_timer, set_timer, NULL},
	{"read of a signalfd", GOES_ON, make_signalfd, read_signal, NULL, NULL},
	{"read of inotify's", GOES_ON, make_inotify, read_inotify, modify, NULL},
	{0},
};
