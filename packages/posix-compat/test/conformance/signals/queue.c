/* queue.c - signals that wait: merged or queued, in which order, how many, for whom; how they are taken without a handler. */
#include "../conformance.h"

#include <poll.h>
#include <stdatomic.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>

static atomic_int handled, ready, go;
static volatile siginfo_t seen;
static int order[16];

static sigset_t set_of(int first, int second)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, first);
	if (second)
		sigaddset(&set, second);
	return set;
}

static void mask(int how, int first, int second)
{
	sigset_t set = set_of(first, second);

	OK(pthread_sigmask(how, &set, NULL));
}

static void notes(int sig, siginfo_t *info, void *context)
{
	(void)context;
	seen = *info;
	order[handled % 16] = sig;
	handled++;
}

static void handle(int sig)
{
	struct sigaction act;

	memset(&act, 0, sizeof(act));
	act.sa_sigaction = notes;
	act.sa_flags = SA_SIGINFO | SA_RESTART;
	OK(sigaction(sig, &act, NULL));
}

static void *waits(void *arg)
{
	ready++;
	UNTIL(go);
	return arg;
}

static union sigval value(int n) { return (union sigval){.sival_int = n}; }

BEHAVIOUR(queue_merge, "Of a standard signal one waits: the first, with what came along with it; for the process, and for a thread")
{
	begin(waits, NULL);
	handle(SIGUSR1);
	mask(SIG_BLOCK, SIGUSR1, 0);
	for (int i = 1; i <= 3; i++)
		OK(pthread_sigqueue(pthread_self(), SIGUSR1, value(i)));
	mask(SIG_UNBLOCK, SIGUSR1, 0);
	CHECK(handled == 1 && seen.si_value.sival_int == 1);
	mask(SIG_BLOCK, SIGUSR1, 0);
	OK(pthread_sigqueue(pthread_self(), SIGUSR1, value(7)));
	mask(SIG_UNBLOCK, SIGUSR1, 0);
	CHECK(handled == 2 && seen.si_value.sival_int == 7);
}

BEHAVIOUR(queue_limit, "Queued signals are limited by RLIMIT_SIGPENDING: then EAGAIN; a standard signal comes nevertheless, and none of the queued is lost")
{
	struct rlimit limit = {100000, 100000};
	sigset_t set = set_of(SIGRTMIN, 0);
	siginfo_t info;
	int sent = 0;

	getrlimit(RLIMIT_SIGPENDING, &limit);
	limit.rlim_cur = 3000;
	if (setrlimit(RLIMIT_SIGPENDING, &limit))
		skip("RLIMIT_SIGPENDING is lower");
	begin(waits, NULL);
	handle(SIGUSR1);
	OK(pthread_sigmask(SIG_BLOCK, &set, NULL));
	while (!pthread_sigqueue(pthread_self(), SIGRTMIN, value(sent)))
		sent++;
	GIVES(EAGAIN, pthread_sigqueue(pthread_self(), SIGRTMIN, value(0)));
	CHECK(sent <= 3000); /* what the user's other processes have waiting counts, too */
	OK(raise(SIGUSR1));
	CHECK(handled == 1);
	for (int i = 0; i < sent; i++) {
		GIVES(SIGRTMIN, sigwaitinfo(&set, &info));
		CHECK(info.si_value.sival_int == i);
	}
	limit.rlim_cur = limit.rlim_max;
	OK(setrlimit(RLIMIT_SIGPENDING, &limit));
	OK(pthread_sigqueue(pthread_self(), SIGRTMIN, value(0)));
}

static void *blocks_and_waits(void *arg)
{
	mask(SIG_BLOCK, SIGRTMIN, SIGUSR1);
	return waits(arg);
}

static atomic_int next, wrong;

static void in_order(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	wrong += info->si_value.sival_int != next;
	next++;
}

BEHAVIOUR(queue_flood, "Twenty thousand queued signals from another process reach a thread that is slow, each, in order; their sender is told EAGAIN")
{
	struct sigaction act = {.sa_sigaction = in_order, .sa_flags = SA_SIGINFO};
	enum { MANY = 20000 };
	struct rlimit limit = {2000, 100000};
	pid_t parent = getpid(), child;

	own_user();
	getrlimit(RLIMIT_SIGPENDING, &limit);
	limit.rlim_cur = limit.rlim_max < 2000 ? limit.rlim_max : 2000; /* so that others have theirs */
	OK(sigaction(SIGRTMIN, &act, NULL));
	begin(blocks_and_waits, NULL);
	UNTIL(ready);
	child = fork();
	if (!child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (int i = 0; i < MANY; i++)
			while (getppid() == parent && sigqueue(parent, SIGRTMIN, value(i)))
				usleep(100);
		_exit(0);
	}
	OK(setrlimit(RLIMIT_SIGPENDING, &limit));
	UNTIL(next == MANY || wrong);
	CHECK(!wrong);
	OK(status_of(child));
}

static void *takes(void *arg)
{
	sigset_t set = set_of(SIGUSR1, 0);
	int sig;

	(void)arg;
	ready++;
	OK(sigwait(&set, &sig));
	return (void *)(long)sig;
}

BEHAVIOUR(queue_thread_stays, "What is for a thread waits for it, though others would take it")
{
	pthread_t blocked, taker;

	handle(SIGUSR1);
	blocked = begin(blocks_and_waits, NULL);
	UNTIL(ready);
	OK(pthread_kill(blocked, SIGUSR1));
	taker = begin(takes, NULL);
	UNTIL(ready == 2);
	moment();
	CHECK(!handled);
	mask(SIG_BLOCK, SIGUSR1, 0);
	OK(pthread_kill(taker, SIGUSR1));
	CHECK(end(taker) == (void *)SIGUSR1 && !handled);
}

BEHAVIOUR(queue_main_from_outside, "What another process sends to the main thread (tgkill) stays the main thread's")
{
	pid_t parent = getpid(), child;
	sigset_t set;

	handle(SIGUSR1);
	begin(waits, NULL);
	UNTIL(ready);
	mask(SIG_BLOCK, SIGUSR1, 0);
	child = fork();
	if (!child)
		_exit(syscall(SYS_tgkill, parent, parent, SIGUSR1) != 0);
	OK(status_of(child));
	moment();
	CHECK(!handled);
	OK(sigpending(&set));
	CHECK(sigismember(&set, SIGUSR1));
	mask(SIG_UNBLOCK, SIGUSR1, 0);
	CHECK(handled == 1 && seen.si_code == SI_TKILL && seen.si_pid == child);
}

BEHAVIOUR(queue_ignored, "A signal that is set to be ignored is pending no more, for the process and for threads; so one whose default is that")
{
	sigset_t set;

	mask(SIG_BLOCK, SIGUSR1, SIGCHLD);
	begin(waits, NULL); /* blocks them, too: it is nobody who may take the process' ones */
	handle(SIGUSR1);
	handle(SIGCHLD);
	OK(raise(SIGUSR1));
	OK(raise(SIGCHLD));
	OK(kill(getpid(), SIGUSR1));
	OK(kill(getpid(), SIGCHLD));
	CHECK(signal(SIGUSR1, SIG_IGN) != SIG_ERR && signal(SIGCHLD, SIG_DFL) != SIG_ERR);
	OK(sigpending(&set));
	CHECK(!sigismember(&set, SIGUSR1) && !sigismember(&set, SIGCHLD));
	handle(SIGUSR1);
	handle(SIGCHLD);
	mask(SIG_UNBLOCK, SIGUSR1, SIGCHLD);
	CHECK(!handled);
}

BEHAVIOUR(queue_kill_in_order, "Unblocked together, the handlers of several signals nest: the lowest signal's frame is laid first, the highest runs first")
{
	begin(waits, NULL);
	for (int i = 0; i < 3; i++) {
		handle(SIGRTMIN + i);
		mask(SIG_BLOCK, SIGRTMIN + i, 0);
		OK(pthread_kill(pthread_self(), SIGRTMIN + i));
	}
	sigset_t set = set_of(SIGRTMIN, SIGRTMIN + 1);

	sigaddset(&set, SIGRTMIN + 2);
	OK(pthread_sigmask(SIG_UNBLOCK, &set, NULL));
	CHECK(handled == 3 && order[0] == SIGRTMIN + 2 && order[2] == SIGRTMIN);
}

BEHAVIOUR(signalfd_process, "A signalfd reads what is pending for the process, one after the other, with its siginfo; poll says so")
{
	sigset_t set = set_of(SIGRTMIN, SIGUSR1);
	struct signalfd_siginfo info[4];
	struct pollfd polled;

	OK(pthread_sigmask(SIG_BLOCK, &set, NULL));
	begin(waits, NULL);
	polled.fd = signalfd(-1, &set, SFD_NONBLOCK);
	polled.events = POLLIN;
	CHECK(polled.fd >= 0);
	GIVES(0, poll(&polled, 1, 0));
	SETS(EAGAIN, read(polled.fd, info, sizeof(info)));
	OK(kill(getpid(), SIGUSR1));
	OK(sigqueue(getpid(), SIGRTMIN, value(5)));
	OK(sigqueue(getpid(), SIGRTMIN, value(6)));
	GIVES(1, poll(&polled, 1, -1));
	GIVES(3 * (int)sizeof(info[0]), read(polled.fd, info, sizeof(info)));
	CHECK(info[0].ssi_signo == SIGUSR1 && info[0].ssi_pid == (uint32_t)getpid() && info[0].ssi_code == SI_USER);
	CHECK(info[1].ssi_int == 5 && info[2].ssi_int == 6 && info[2].ssi_code == SI_QUEUE);
	GIVES(0, poll(&polled, 1, 0));
}

BEHAVIOUR(signalfd_own, "It reads what is pending for the thread that reads it")
{
	sigset_t set = set_of(SIGUSR1, 0);
	struct signalfd_siginfo info;
	int fd;

	OK(pthread_sigmask(SIG_BLOCK, &set, NULL));
	fd = signalfd(-1, &set, SFD_NONBLOCK);
	OK(raise(SIGUSR1));
	GIVES((int)sizeof(info), read(fd, &info, sizeof(info)));
	CHECK(info.ssi_signo == SIGUSR1 && info.ssi_code == SI_TKILL);
}

BEHAVIOUR(signalfd_own_polled, "poll, select and epoll say so, and a read that waits gets what comes")
{
	sigset_t set = set_of(SIGUSR1, SIGUSR2);
	struct epoll_event event = {.events = EPOLLIN};
	struct signalfd_siginfo info;
	struct pollfd polled = {.events = POLLIN};
	int epoll = epoll_create1(0);
	fd_set fds;

	OK(pthread_sigmask(SIG_BLOCK, &set, NULL));
	OK(raise(SIGUSR1)); /* before there is one */
	polled.fd = signalfd(-1, &set, 0);
	OK(epoll_ctl(epoll, EPOLL_CTL_ADD, polled.fd, &event));
	begin(waits, NULL);
	GIVES(1, poll(&polled, 1, -1));
	GIVES(1, epoll_wait(epoll, &event, 1, -1));
	GIVES((int)sizeof(info), read(polled.fd, &info, sizeof(info)));
	CHECK(info.ssi_signo == SIGUSR1);
	GIVES(0, epoll_wait(epoll, &event, 1, 0));
	OK(raise(SIGUSR2));
	FD_ZERO(&fds);
	FD_SET(polled.fd, &fds);
	GIVES(1, select(polled.fd + 1, &fds, NULL, NULL, NULL));
	GIVES((int)sizeof(info), read(polled.fd, &info, sizeof(info)));
	CHECK(info.ssi_signo == SIGUSR2 && info.ssi_code == SI_TKILL && info.ssi_pid == (uint32_t)getpid());
}

static void *unblocks_own(void *arg)
{
	sigset_t set = set_of(SIGUSR1, 0);

	OK(raise(SIGUSR1));
	CHECK(!handled);
	OK(pthread_sigmask(SIG_UNBLOCK, &set, NULL));
	CHECK(handled == 1 && seen.si_code == SI_TKILL && !seen.si_value.sival_ptr);
	return arg;
}

BEHAVIOUR(signalfd_unread, "What nobody reads is the thread's that it was sent to, when that does not block it any more")
{
	sigset_t set = set_of(SIGUSR1, 0);

	OK(pthread_sigmask(SIG_BLOCK, &set, NULL));
	handle(SIGUSR1);
	CHECK(signalfd(-1, &set, 0) >= 0);
	end(begin(unblocks_own, NULL));
	handled = 0;
	unblocks_own(NULL);
}

BEHAVIOUR(pidfd_signal, "pidfd_send_signal sends as kill does, or with a siginfo")
{
	siginfo_t info = {.si_signo = SIGUSR1, .si_code = SI_QUEUE};
	int fd = (int)syscall(SYS_pidfd_open, getpid(), 0);

	if (fd < 0)
		skip("there is no pidfd_open");
	begin(waits, NULL);
	handle(SIGUSR1);
	OK(syscall(SYS_pidfd_send_signal, fd, SIGUSR1, NULL, 0));
	UNTIL(handled == 1);
	CHECK(seen.si_code == SI_USER);
	info.si_value.sival_int = 12;
	OK(syscall(SYS_pidfd_send_signal, fd, SIGUSR1, &info, 0));
	UNTIL(handled == 2);
	CHECK(seen.si_code == SI_QUEUE && seen.si_value.sival_int == 12);
}
