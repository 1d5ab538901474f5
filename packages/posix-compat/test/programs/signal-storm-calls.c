/*
 * signal-storm-calls.c - the calls in which the threads of the storm wait. The results are looked at: of what the feeder has given each thing comes to one thread, once,
 * whatever interrupts those that wait for it; a lock is one thread's at a time; who waits for a time waits so long.
 */
#include "signal-storm.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <linux/io_uring.h>
#include <mqueue.h>
#include <poll.h>
#include <sched.h>
#include <stddef.h>
#include <semaphore.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <sys/wait.h>

#define BYTE 0x5a
#define LONG_S 1000      /* nobody waits so long */
#define SHORT_NS 2000000
#define SLACK_NS 1000000 /* that the kernel adds to a sleep, at most */
#define FEW 4            /* are fed at a time, at most */

pid_t holder;

/* ---------------------------------------------------------------- times */

static int64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ll + ts.tv_nsec;
}

static struct timespec how_long(bool for_long)
{
	return for_long ? (struct timespec){LONG_S, 0} : (struct timespec){0, SHORT_NS};
}

static struct timespec until(clockid_t clock, bool for_long)
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
static void was_long_enough(const struct kind *self, int64_t began, bool for_long)
{
	int64_t took = now_ns() - began;

	if (for_long || took < SHORT_NS)
		complain(self->name, SHORT_NS, for_long ? -1 : took);
}

/* ---------------------------------------------------------------- what is counted */

static int has_got(struct kind *self, long result)
{
	if (result < 0)
		return errno;
	self->got++;
	return 0;
}

/** The same, of a call that reads one byte. */
static int has_read(struct kind *self, long result, char byte)
{
	if (result >= 0 && (result != 1 || byte != BYTE))
		complain(self->name, BYTE, result == 1 ? byte : -result);
	return has_got(self, result);
}

static void has_fed(struct kind *self, long result)
{
	if (result >= 0)
		self->fed++;
}

static bool set_nonblocking(int fd)
{
	return fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) == 0;
}

static long bytes_in(int fd)
{
	int n = 0;

	ioctl(fd, FIONREAD, &n);
	return n;
}

static bool make_pipe(struct kind *self) { return pipe(self->fds) == 0 && set_nonblocking(self->fds[1]); }
static bool make_socketpair(struct kind *self) { return socketpair(AF_UNIX, SOCK_STREAM, 0, self->fds) == 0 && set_nonblocking(self->fds[1]); }
static long left_in(struct kind *self) { return bytes_in(self->fds[0]); }

static void write_some(struct kind *self)
{
	const char byte = BYTE;

	for (unsigned i = choose(FEW); i; i--)
		has_fed(self, write(self->fds[1], &byte, 1));
}

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

/* ---------------------------------------------------------------- polling: a pipe that is read by nobody else, without waiting */

static int take_polled(struct kind *self)
{
	char byte = 0;
	long n = read(self->fds[0], &byte, 1);

	return n < 0 && errno == EAGAIN ? 0 : has_read(self, n, byte); /* another was faster */
}

static bool make_polled(struct kind *self) { return make_pipe(self) && set_nonblocking(self->fds[0]); }

static int was_ready(struct kind *self, int n, bool for_long, int64_t began)
{
	if (n > 0)
		return take_polled(self);
	if (n < 0)
		return errno;
	was_long_enough(self, began, for_long);
	return 0;
}

static int poll_one(struct kind *self, bool for_long)
{
	struct pollfd polled[2] = {{self->fds[0], POLLIN, 0}, {self->fds[1], 0, 0}};
	int64_t began = now_ns();

	return was_ready(self, poll(polled, 2, for_long ? LONG_S * 1000 : SHORT_NS / 1000000), for_long, began);
}

/* A mask for the time of a call only: all is blocked before and after it. So a handler runs exactly if the call says EINTR. */
static __thread sigset_t mask_within;
static __thread unsigned ran_before;

static const sigset_t *block_all(void)
{
	sigset_t all;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &mask_within);
	ran_before = handlers_run();
	return &mask_within;
}

static int unblock(const struct kind *self, int result)
{
	int error = result < 0 ? errno : 0;
	unsigned ran = handlers_run() - ran_before;
	sigset_t mask;

	pthread_sigmask(SIG_SETMASK, &mask_within, &mask);
	if (!sigismember(&mask, SIGUSR1) || !sigismember(&mask, WAITED_FOR))
		complain("the mask of a call is still there", 0, 1);
	if (self->ending == BREAKS ? ran && error != EINTR : (ran > 0) != (error == EINTR))
		complain(self->name, ran ? EINTR : 0, error);
	errno = error;
	return result;
}

static int ppoll_one(struct kind *self, bool for_long)
{
	struct pollfd polled = {self->fds[0], POLLIN, 0};
	struct timespec ts = how_long(for_long);
	const sigset_t *mask = block_all();
	int64_t began = now_ns();

	return was_ready(self, unblock(self, ppoll(&polled, 1, &ts, mask)), for_long, began);
}

static int select_one(struct kind *self, bool for_long)
{
	struct timeval tv = {for_long ? LONG_S : 0, for_long ? 0 : SHORT_NS / 1000};
	int64_t began = now_ns();
	fd_set set;

	FD_ZERO(&set);
	FD_SET(self->fds[0], &set);
	return was_ready(self, select(self->fds[0] + 1, &set, NULL, NULL, &tv), for_long, began);
}

static int pselect_one(struct kind *self, bool for_long)
{
	struct timespec ts = how_long(for_long);
	const sigset_t *mask = block_all();
	int64_t began = now_ns();
	fd_set set;

	FD_ZERO(&set);
	FD_SET(self->fds[0], &set);
	return was_ready(self, unblock(self, pselect(self->fds[0] + 1, &set, NULL, NULL, &ts, mask)), for_long, began);
}

/** words[0] is the epoll set. */
static bool make_epoll(struct kind *self)
{
	struct epoll_event event = {.events = EPOLLIN};

	if (!make_polled(self))
		return false;
	self->words[0] = (uint32_t)epoll_create1(0);
	return !epoll_ctl((int)self->words[0], EPOLL_CTL_ADD, self->fds[0], &event);
}

static int epoll_one(struct kind *self, bool for_long)
{
	struct epoll_event event;
	int64_t began = now_ns();

	return was_ready(self, epoll_wait((int)self->words[0], &event, 1, for_long ? LONG_S * 1000 : SHORT_NS / 1000000), for_long, began);
}

static int epoll_pwait_one(struct kind *self, bool for_long)
{
	const sigset_t *mask = block_all();
	struct epoll_event event;
	int64_t began = now_ns();

	return was_ready(self, unblock(self, epoll_pwait((int)self->words[0], &event, 1, for_long ? LONG_S * 1000 : SHORT_NS / 1000000, mask)), for_long, began);
}

/* ---------------------------------------------------------------- futexes: as many have been woken as were said to have been */

static int futex(uint32_t *word, int op, uint32_t value, const struct timespec *ts, uint32_t value3)
{
	return (int)syscall(SYS_futex, word, op, value, ts, NULL, value3);
}

static int was_woken(struct kind *self, int result)
{
	return result < 0 && errno == EAGAIN ? 0 : has_got(self, result);
}

static uint32_t word_of(struct kind *self) { return __atomic_load_n(&self->words[0], __ATOMIC_SEQ_CST); }

static void wake_by(struct kind *self, int flag)
{
	int n;

	__atomic_fetch_add(&self->words[0], 1, __ATOMIC_SEQ_CST);
	n = futex(&self->words[0], FUTEX_WAKE_BITSET | flag, choose(FEW), NULL, 1u << choose(2) | 4);
	if (n > 0)
		self->fed += n;
}

static void wake_private(struct kind *self) { wake_by(self, FUTEX_PRIVATE_FLAG); }
static void wake_shared(struct kind *self) { wake_by(self, 0); }
static long nobody_left(struct kind *self) { (void)self; return 0; }

static int futex_private(struct kind *self, bool for_long)
{
	(void)for_long;
	return was_woken(self, futex(&self->words[0], FUTEX_WAIT_PRIVATE, word_of(self), NULL, 0));
}

static int futex_shared(struct kind *self, bool for_long)
{
	(void)for_long;
	return was_woken(self, futex(&self->words[0], FUTEX_WAIT, word_of(self), NULL, 0));
}

static int futex_bitset(struct kind *self, bool for_long)
{
	(void)for_long;
	return was_woken(self, futex(&self->words[0], FUTEX_WAIT_BITSET_PRIVATE, word_of(self), NULL, 2 | 8));
}

/** A futex's wait for a time: its time may be up. */
static int timed_futex(struct kind *self, int result, bool for_long, int64_t began)
{
	if (result >= 0 || errno != ETIMEDOUT)
		return was_woken(self, result);
	was_long_enough(self, began, for_long);
	return 0;
}

static int futex_timed(struct kind *self, bool for_long)
{
	struct timespec ts = how_long(for_long);
	int64_t began = now_ns();

	return timed_futex(self, futex(&self->words[0], FUTEX_WAIT_PRIVATE, word_of(self), &ts, 0), for_long, began);
}

static int futex_shared_timed(struct kind *self, bool for_long)
{
	struct timespec ts = how_long(for_long);
	int64_t began = now_ns();

	return timed_futex(self, futex(&self->words[0], FUTEX_WAIT, word_of(self), &ts, 0), for_long, began);
}

static int futex_bitset_timed(struct kind *self, bool for_long)
{
	int64_t began = now_ns();
	struct timespec ts = until(CLOCK_MONOTONIC, for_long);

	return timed_futex(self, futex(&self->words[0], FUTEX_WAIT_BITSET_PRIVATE, word_of(self), &ts, 1 | 8), for_long, began);
}

#ifndef SYS_futex_waitv
#define SYS_futex_waitv 449
#endif
struct waitv {
	uint64_t value, address;
	uint32_t flags, reserved;
};

static bool has_waitv(struct kind *self)
{
	(void)self;
	return syscall(SYS_futex_waitv, NULL, 0, 0, NULL, 0) < 0 && errno != ENOSYS;
}

/** Only the first word is ever woken. */
static int wait_vector(struct kind *self, bool for_long, uint32_t flag)
{
	struct waitv words[2] = {{word_of(self), (uintptr_t)&self->words[0], 2 | flag, 0}, {0, (uintptr_t)&self->words[1], 2 | FUTEX_PRIVATE_FLAG, 0}};
	int64_t began = now_ns();
	struct timespec ts = until(CLOCK_MONOTONIC, for_long);
	int result = (int)syscall(SYS_futex_waitv, words, 2, 0, &ts, CLOCK_MONOTONIC);

	if (result > 0)
		complain(self->name, 0, result);
	return timed_futex(self, result, for_long, began);
}

static int futex_waitv_private(struct kind *self, bool for_long) { return wait_vector(self, for_long, FUTEX_PRIVATE_FLAG); }
static int futex_waitv_shared(struct kind *self, bool for_long) { return wait_vector(self, for_long, 0); }

/* ---------------------------------------------------------------- locks: words[1] says how many are inside */

static void inside(struct kind *self)
{
	uint32_t others = __atomic_fetch_add(&self->words[1], 1, __ATOMIC_SEQ_CST);

	if (others)
		complain(self->name, 0, others);
	if (!choose(8))
		sched_yield();
	__atomic_fetch_sub(&self->words[1], 1, __ATOMIC_SEQ_CST);
}

static int lock_pi(struct kind *self, bool for_long)
{
	uint32_t tid = (uint32_t)gettid(), free = 0;

	(void)for_long;
	if (!__atomic_compare_exchange_n(&self->words[0], &free, tid, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST) &&
	    futex(&self->words[0], FUTEX_LOCK_PI_PRIVATE, 0, NULL, 0) < 0)
		return errno;
	inside(self);
	if (!__atomic_compare_exchange_n(&self->words[0], &tid, 0, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST) &&
	    futex(&self->words[0], FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, 0) < 0)
		return errno;
	return 0;
}

static int lock_mutex(struct kind *self, bool for_long)
{
	static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
	int error = pthread_mutex_lock(&mutex);

	(void)for_long;
	if (error)
		return error;
	inside(self);
	return pthread_mutex_unlock(&mutex);
}

static pthread_mutex_t cond_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;

static int wait_cond(struct kind *self, bool for_long)
{
	struct timespec ts = until(CLOCK_REALTIME, false);
	int error;

	(void)for_long;
	pthread_mutex_lock(&cond_mutex);
	error = pthread_cond_timedwait(&cond, &cond_mutex, &ts);
	inside(self);
	pthread_mutex_unlock(&cond_mutex);
	return error == ETIMEDOUT ? 0 : error;
}

static void signal_cond(struct kind *self)
{
	(void)self;
	pthread_cond_signal(&cond);
}

static sem_t semaphores[2];

static bool make_sem(struct kind *self)
{
	self->words[0] = !strcmp(self->name, "sem_timedwait");
	return !sem_init(&semaphores[self->words[0]], 0, 0);
}

static void post_sem(struct kind *self) { has_fed(self, sem_post(&semaphores[self->words[0]])); }

static long sem_left(struct kind *self)
{
	int n = 0;

	sem_getvalue(&semaphores[self->words[0]], &n);
	return n;
}

static int wait_sem(struct kind *self, bool for_long)
{
	(void)for_long;
	return has_got(self, sem_wait(&semaphores[self->words[0]]));
}

static int wait_sem_timed(struct kind *self, bool for_long)
{
	struct timespec ts = until(CLOCK_REALTIME, for_long);
	int error = has_got(self, sem_timedwait(&semaphores[self->words[0]], &ts));

	return error == ETIMEDOUT && !for_long ? 0 : error;
}

/* The holder has the file "held" locked in every way, for ever; "free" is the threads'. */
static int held, ofd_held;

static int try_flock(struct kind *self, bool for_long)
{
	int fd = open(for_long ? "held" : "free", O_RDWR), error;

	if (fd < 0)
		return errno;
	error = flock(fd, LOCK_EX) ? errno : 0;
	if (!error && for_long)
		complain("flock of what another has", 1, 0);
	if (!error)
		inside(self);
	close(fd);
	return error;
}

static int try_posix_lock(struct kind *self, bool for_long)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 1};

	(void)for_long;
	if (!fcntl(held, F_SETLKW, &lock))
		complain(self->name, -1, 0);
	return errno;
}

static int try_ofd_lock(struct kind *self, bool for_long)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 1, .l_len = 1};
	int fd, error;

	if (for_long) {
		if (!fcntl(ofd_held, F_OFD_SETLKW, &lock))
			complain(self->name, -1, 0);
		return errno;
	}
	fd = open("free", O_RDWR);
	if (fd < 0)
		return errno;
	error = fcntl(fd, F_OFD_SETLKW, &lock) ? errno : 0;
	if (!error)
		inside(self);
	close(fd);
	return error;
}

pid_t holder_begins(void)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 1};
	int fds[2];
	char byte;

	close(open("held", O_CREAT | O_RDWR, 0600));
	close(open("free", O_CREAT | O_RDWR, 0600));
	if (pipe(fds))
		return -1;
	holder = fork();
	if (holder) {
		close(fds[1]);
		if (read(fds[0], &byte, 1) != 1)
			return -1;
		close(fds[0]);
		held = open("held", O_RDWR);
		ofd_held = open("held", O_RDWR);
		return holder;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	held = open("held", O_RDWR);
	if (flock(held, LOCK_EX) || fcntl(held, F_SETLK, &lock))
		_exit(1);
	lock.l_start = 1;
	if (fcntl(open("held", O_RDWR), F_OFD_SETLK, &lock) || write(fds[1], "x", 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

/* ---------------------------------------------------------------- time, signals, children */

static int sleep_a_while(struct kind *self, bool for_long)
{
	struct timespec ts = how_long(for_long), left = {-1, 0};
	int64_t began = now_ns(), rest, whole;

	if (!nanosleep(&ts, &left)) {
		was_long_enough(self, began, for_long);
		return 0;
	}
	rest = left.tv_sec * 1000000000ll + left.tv_nsec;
	whole = ts.tv_sec * 1000000000ll + ts.tv_nsec;
	if (errno == EINTR && (left.tv_sec < 0 || rest > whole + SLACK_NS || rest + (now_ns() - began) < whole))
		complain("what is left of a sleep", ts.tv_sec * 1000, rest / 1000000);
	return errno;
}

static int sleep_until(struct kind *self, bool for_long)
{
	int64_t began = now_ns();
	struct timespec ts = until(CLOCK_MONOTONIC, for_long);
	int error = clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);

	if (!error)
		was_long_enough(self, began, for_long);
	return error;
}

static int suspend(struct kind *self, bool for_long)
{
	(void)for_long;
	unblock(self, sigsuspend(block_all()));
	return errno;
}

static int pause_there(struct kind *self, bool for_long)
{
	(void)self;
	(void)for_long;
	pause();
	return errno;
}

static int wait_for_signal(struct kind *self, bool for_long)
{
	struct timespec ts = how_long(for_long);
	int64_t began = now_ns();
	siginfo_t info;
	sigset_t set;
	int sig;

	sigemptyset(&set);
	sigaddset(&set, WAITED_FOR);
	sig = sigtimedwait(&set, &info, &ts);
	if (sig == WAITED_FOR) {
		waited_for(&info);
		return 0;
	}
	if (sig > 0)
		complain(self->name, WAITED_FOR, sig);
	if (errno != EAGAIN)
		return errno;
	was_long_enough(self, began, for_long);
	return 0;
}

static int wait_for_holder(struct kind *self, bool for_long)
{
	int status;

	(void)for_long;
	if (wait4(holder, &status, 0, NULL) >= 0)
		complain(self->name, -1, status);
	return errno;
}

static int waitid_for_holder(struct kind *self, bool for_long)
{
	siginfo_t info;

	(void)for_long;
	if (!waitid(P_PID, (id_t)holder, &info, WEXITED | WNOWAIT))
		complain(self->name, -1, info.si_status);
	return errno;
}

/** A child of its own, seldom: a fork stops all rforks. */
static int wait_for_child(struct kind *self, bool for_long)
{
	int code = (int)choose(100), status = 0;
	pid_t child;

	(void)for_long;
	if (choose(8))
		return 0;
	child = fork();
	if (child < 0)
		return errno;
	if (!child)
		_exit(code);
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			complain("waitpid", EINTR, errno);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != code)
		complain(self->name, code, status);
	return 0;
}

/* ---------------------------------------------------------------- System V, POSIX queues, FIFOs, io_uring */

static bool make_messages(struct kind *self)
{
	self->fds[0] = msgget(IPC_PRIVATE, 0600);
	return self->fds[0] >= 0;
}

static void send_message(struct kind *self)
{
	struct { long type; char byte; } message = {1 + (long)choose(3), BYTE};

	has_fed(self, msgsnd(self->fds[0], &message, 1, IPC_NOWAIT));
}

static int receive_message(struct kind *self, bool for_long)
{
	struct { long type; char byte; } message = {0, 0};
	long n = msgrcv(self->fds[0], &message, 1, for_long ? 0 : -2, 0);

	return has_read(self, n, message.byte);
}

static long messages_left(struct kind *self)
{
	struct msqid_ds about = {0};

	msgctl(self->fds[0], IPC_STAT, &about);
	msgctl(self->fds[0], IPC_RMID, NULL);
	return (long)about.msg_qnum;
}

static bool make_semop(struct kind *self)
{
	self->fds[0] = semget(IPC_PRIVATE, 1, 0600);
	return self->fds[0] >= 0;
}

static void raise_semop(struct kind *self)
{
	struct sembuf up = {0, 1, IPC_NOWAIT};

	has_fed(self, semop(self->fds[0], &up, 1));
}

static int lower_semop(struct kind *self, bool for_long)
{
	struct sembuf down = {0, -1, 0};
	struct timespec ts = how_long(for_long);
	int error = has_got(self, for_long ? semop(self->fds[0], &down, 1) : semtimedop(self->fds[0], &down, 1, &ts));

	return error == EAGAIN && !for_long ? 0 : error;
}

static long semop_left(struct kind *self)
{
	int n = semctl(self->fds[0], 0, GETVAL);

	semctl(self->fds[0], 0, IPC_RMID);
	return n;
}

static bool make_mq(struct kind *self)
{
	struct mq_attr attr = {.mq_maxmsg = 4, .mq_msgsize = 1};
	char name[40];

	sprintf(name, "/libcr-storm-%d", getpid());
	self->fds[0] = mq_open(name, O_CREAT | O_RDWR, 0600, &attr);
	if (self->fds[0] < 0)
		return false;
	self->fds[1] = mq_open(name, O_RDWR | O_NONBLOCK);
	return !mq_unlink(name);
}

static void send_mq(struct kind *self)
{
	const char byte = BYTE;

	has_fed(self, mq_send(self->fds[1], &byte, 1, choose(3)));
}

static int receive_mq(struct kind *self, bool for_long)
{
	struct timespec ts = until(CLOCK_REALTIME, for_long);
	char byte = 0;
	long n = choose(2) ? mq_receive(self->fds[0], &byte, 1, NULL) : mq_timedreceive(self->fds[0], &byte, 1, NULL, &ts);

	return n < 0 && errno == ETIMEDOUT && !for_long ? 0 : has_read(self, n, byte);
}

static long mq_left(struct kind *self)
{
	struct mq_attr attr = {0};

	mq_getattr(self->fds[0], &attr);
	return attr.mq_curmsgs;
}

static bool make_fifo(struct kind *self)
{
	(void)self;
	return !mkfifo("fifo", 0600);
}

static int open_fifo(struct kind *self, bool for_long)
{
	int fd = open("fifo", O_RDONLY);

	(void)self;
	(void)for_long;
	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

static void open_other_end(struct kind *self)
{
	int fd = open("fifo", O_WRONLY | O_NONBLOCK);

	(void)self;
	if (fd >= 0)
		close(fd);
}

static struct ring {
	int fd;
	uint32_t *sq_tail, *sq_mask, *sq_array, *cq_head, *cq_tail;
	struct io_uring_sqe *sqes;
} ring;

static bool make_ring(struct kind *self)
{
	struct io_uring_params params = {0};
	char *sq, *cq;

	ring.fd = (int)syscall(SYS_io_uring_setup, 4, &params);
	if (ring.fd < 0)
		return false;
	sq = mmap(NULL, params.sq_off.array + params.sq_entries * 4, PROT_READ | PROT_WRITE, MAP_SHARED, ring.fd, IORING_OFF_SQ_RING);
	cq = mmap(NULL, params.cq_off.cqes + params.cq_entries * 16, PROT_READ | PROT_WRITE, MAP_SHARED, ring.fd, IORING_OFF_CQ_RING);
	ring.sqes = mmap(NULL, params.sq_entries * sizeof(*ring.sqes), PROT_READ | PROT_WRITE, MAP_SHARED, ring.fd, IORING_OFF_SQES);
	if (sq == MAP_FAILED || cq == MAP_FAILED || ring.sqes == MAP_FAILED)
		return false;
	ring.sq_tail = (uint32_t *)(sq + params.sq_off.tail);
	ring.sq_mask = (uint32_t *)(sq + params.sq_off.ring_mask);
	ring.sq_array = (uint32_t *)(sq + params.sq_off.array);
	ring.cq_head = (uint32_t *)(cq + params.cq_off.head);
	ring.cq_tail = (uint32_t *)(cq + params.cq_off.tail);
	self->fds[0] = ring.fd;
	return true;
}

/** One operation that does nothing: whoever waits for a completion sees it. The one of the last time is taken away before. */
static void complete_one(struct kind *self)
{
	uint32_t tail = *ring.sq_tail, at = tail & *ring.sq_mask;

	(void)self;
	__atomic_store_n(ring.cq_head, __atomic_load_n(ring.cq_tail, __ATOMIC_ACQUIRE), __ATOMIC_RELEASE);
	if (choose(4))
		return;
	memset(&ring.sqes[at], 0, sizeof(ring.sqes[at]));
	ring.sqes[at].opcode = IORING_OP_NOP;
	ring.sq_array[at] = at;
	__atomic_store_n(ring.sq_tail, tail + 1, __ATOMIC_RELEASE);
	syscall(SYS_io_uring_enter, ring.fd, 1, 0, 0, NULL, 0);
}

static int enter_ring(struct kind *self, bool for_long)
{
	long n = syscall(SYS_io_uring_enter, ring.fd, 0, 1, IORING_ENTER_GETEVENTS, NULL, 0);

	(void)for_long;
	if (n > 0)
		complain(self->name, 0, n);
	return n < 0 ? errno : 0;
}

/* ---------------------------------------------------------------- no wait at all */

static int yield(struct kind *self, bool for_long)
{
	(void)self;
	for (unsigned i = for_long ? 50 : 5; i; i--)
		sched_yield();
	return 0;
}

static int compute_a_while(struct kind *self, bool for_long)
{
	(void)self;
	compute(for_long && !choose(16) ? 200 : 1);
	return 0;
}

struct kind kinds[] = {
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
	{"poll", ENDS, make_polled, poll_one, write_some, left_in},
	{"ppoll", ENDS, make_polled, ppoll_one, write_some, left_in},
	{"select", ENDS, make_polled, select_one, write_some, left_in},
	{"pselect", ENDS, make_polled, pselect_one, write_some, left_in},
	{"epoll_wait", BREAKS, make_epoll, epoll_one, write_some, left_in},
	{"epoll_pwait", BREAKS, make_epoll, epoll_pwait_one, write_some, left_in},
	{"futex", GOES_ON, NULL, futex_private, wake_private, nobody_left},
	{"futex with a time", ENDS, NULL, futex_timed, wake_private, nobody_left},
	{"futex, shared", GOES_ON, NULL, futex_shared, wake_shared, nobody_left},
	{"futex, shared, with a time", ENDS, NULL, futex_shared_timed, wake_shared, nobody_left},
	{"futex with a set", GOES_ON, NULL, futex_bitset, wake_private, nobody_left},
	{"futex with a set, until a time", ENDS, NULL, futex_bitset_timed, wake_private, nobody_left},
	{"futex_waitv", GOES_ON, has_waitv, futex_waitv_private, wake_private, nobody_left},
	{"futex_waitv, shared", GOES_ON, has_waitv, futex_waitv_shared, wake_shared, nobody_left},
	{"futex with priority inheritance", NEVER, NULL, lock_pi, NULL, NULL},
	{"a mutex", NEVER, NULL, lock_mutex, NULL, NULL},
	{"a condition", NEVER, NULL, wait_cond, signal_cond, NULL},
	{"sem_wait", GOES_ON, make_sem, wait_sem, post_sem, sem_left},
	{"sem_timedwait", ENDS, make_sem, wait_sem_timed, post_sem, sem_left},
	{"nanosleep", ENDS, NULL, sleep_a_while, NULL, NULL},
	{"clock_nanosleep", ENDS, NULL, sleep_until, NULL, NULL},
	{"sigsuspend", ENDS, NULL, suspend, NULL, NULL},
	{"pause", ENDS, NULL, pause_there, NULL, NULL},
	{"sigtimedwait", BREAKS, NULL, wait_for_signal, NULL, NULL},
	{"wait4", GOES_ON, NULL, wait_for_holder, NULL, NULL},
	{"waitid", GOES_ON, NULL, waitid_for_holder, NULL, NULL},
	{"a child of its own", NEVER, NULL, wait_for_child, NULL, NULL},
	{"msgrcv", ENDS, make_messages, receive_message, send_message, messages_left},
	{"semop", BREAKS, make_semop, lower_semop, raise_semop, semop_left},
	{"mq_receive", GOES_ON, make_mq, receive_mq, send_mq, mq_left},
	{"flock", GOES_ON, NULL, try_flock, NULL, NULL},
	{"fcntl", GOES_ON, NULL, try_posix_lock, NULL, NULL},
	{"fcntl, of a description", GOES_ON, NULL, try_ofd_lock, NULL, NULL},
	{"open of a FIFO", GOES_ON, make_fifo, open_fifo, open_other_end, NULL},
	{"io_uring_enter", BREAKS, make_ring, enter_ring, complete_one, NULL},
	{"sched_yield", NEVER, NULL, yield, NULL, NULL},
	{"computing", NEVER, NULL, compute_a_while, NULL, NULL},
};
const unsigned nkinds = sizeof(kinds) / sizeof(kinds[0]);
