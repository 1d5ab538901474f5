/*
 * polls.c - calls of the storm that wait for several descriptors, for a time, a signal, a child.
 */
#include "storm.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/wait.h>

#define SLACK_NS 1000000 /* that the kernel adds to a sleep, at most */

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
	if (!child) {
		unsigned before = handlers_run();

		in_child();
		if (code % 2)
			raise(SIGUSR1);
		_exit(handlers_run() - before == (unsigned)code % 2 ? code : 200);
	}
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			complain("waitpid", EINTR, errno);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != code)
		complain(self->name, code, status);
	return 0;
}

struct kind storm_polls[] = {
	{"poll", ENDS, make_polled, poll_one, write_some, left_in},
	{"ppoll", ENDS, make_polled, ppoll_one, write_some, left_in},
	{"select", ENDS, make_polled, select_one, write_some, left_in},
	{"pselect", ENDS, make_polled, pselect_one, write_some, left_in},
	{"epoll_wait", BREAKS, make_epoll, epoll_one, write_some, left_in},
	{"epoll_pwait", BREAKS, make_epoll, epoll_pwait_one, write_some, left_in},
	{"nanosleep", ENDS, NULL, sleep_a_while, NULL, NULL},
	{"clock_nanosleep", ENDS, NULL, sleep_until, NULL, NULL},
	{"sigsuspend", ENDS, NULL, suspend, NULL, NULL},
	{"pause", ENDS, NULL, pause_there, NULL, NULL},
	{"sigtimedwait", BREAKS, NULL, wait_for_signal, NULL, NULL},
	{"wait4", GOES_ON, NULL, wait_for_holder, NULL, NULL},
	{"waitid", GOES_ON, NULL, waitid_for_holder, NULL, NULL},
	{"a child of its own", NEVER, NULL, wait_for_child, NULL, NULL},
	{0},
};
