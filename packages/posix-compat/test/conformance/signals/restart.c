/*
 * restart.c - which calls a handler ends with EINTR, and which go on, by the tables of signal(7).
 *
 * Each call is made four times, in a process each: by the only thread, with a signal from another process, and by one of several with a signal for
 * it; with SA_RESTART and without. Another process holds what the call waits for, and lets it go when three handlers have run.
 */
#include "../conformance.h"

#include <stdbool.h>

#include <fcntl.h>
#include <limits.h>
#include <linux/aio_abi.h>
#include <linux/futex.h>
#include <mqueue.h>
#include <poll.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/un.h>

enum outcome { GOES_ON, ENDS }; /* with SA_RESTART */
enum without { ENDS_WITHOUT, NEVER_ENDS };

static struct {
	atomic_int held, go, ended, handled;
	sem_t sem;
	pthread_mutex_t mutex;
	pthread_cond_t cond;
	int word;
} *common;

static int result, fds[2];
static int (*the_call)(void);

static void notes(int sig)
{
	(void)sig;
	common->handled++;
}

static void *calls(void *arg)
{
	result = the_call();
	common->ended = 1;
	return arg;
}

static void nothing(void) {}

/* Three signals, or as many as it takes to end the call; then what it waits for comes. */
static void send_signals(bool ends, pid_t pid, pthread_t thread)
{
	for (int i = 0; i < 3 || (ends && !common->ended); i++) {
		moment();
		if (pid)
			kill(pid, SIGUSR1);
		else
			pthread_kill(thread, SIGUSR1);
		UNTIL(common->handled > i || common->ended);
	}
	if (!ends && common->ended)
		fail("it ended with %s, though nothing has come", strerror(result));
	common->go = 1;
}

static void phase(void (*hold)(void), int (*call)(void), void (*release)(void), bool alone, int flags, bool ends)
{
	pid_t self = getpid(), other;

	the_call = call;
	catch_with(SIGUSR1, notes, flags);
	other = fork();
	if (!other) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		hold();
		common->held = 1;
		if (alone)
			send_signals(ends, self, 0);
		UNTIL(common->go);
		release();
		_exit(0);
	}
	UNTIL(common->held);
	if (alone) {
		calls(NULL);
	} else {
		pthread_t thread = begin(calls, NULL);

		send_signals(ends, 0, thread);
		end(thread);
	}
	if (result != (ends ? EINTR : 0))
		fail("%s, %s SA_RESTART: it ends with %d (%s)", alone ? "alone" : "one of several", flags ? "with" : "without", result, strerror(result));
	kill(other, SIGKILL);
	_exit(0);
}

static void try_each(void (*prepare)(void), void (*hold)(void), int (*call)(void), void (*release)(void), enum outcome with, enum without without)
{
	pid_t children[4];

	for (int i = 0; i < 4; i++) {
		common = shared(sizeof(*common));
		children[i] = fork();
		if (!children[i]) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			bool restarts = i & 2;

			prepare();
			phase(hold, call, release, i & 1, restarts ? SA_RESTART : 0, restarts ? with == ENDS : without == ENDS_WITHOUT);
		}
	}
	for (int i = 0; i < 4; i++)
		GIVES(0, status_of(children[i]));
}

#define CALL(id, with, without, sentence, prepare_it, hold_it, call_it, ...)                               \
	static void try_##id##_prepare(void) { prepare_it; }                                                     \
	static void try_##id##_hold(void) { hold_it; }                                                           \
	static int try_##id##_call(void) { return (long)(call_it) == -1 ? errno : 0; }                           \
	static void try_##id##_release(void) { __VA_ARGS__; }                                                    \
	BEHAVIOUR(restart_##id, sentence)                                                                  \
	{                                                                                                  \
		try_each(try_##id##_prepare, try_##id##_hold, try_##id##_call, try_##id##_release, with, without);                 \
	}
#define WITH_RESTART(id, name, prepare_it, hold_it, call_it, ...) \
	CALL(id, GOES_ON, ENDS_WITHOUT, name ": EINTR, or restarted with SA_RESTART", prepare_it, hold_it, call_it, __VA_ARGS__)
#define NEVER_RESTARTED(id, name, prepare_it, call_it) CALL(id, ENDS, ENDS_WITHOUT, name ": EINTR, with SA_RESTART too", prepare_it, nothing(), call_it, nothing())
#define NEVER_ENDED(id, name, prepare_it, hold_it, call_it, ...) CALL(id, GOES_ON, NEVER_ENDS, name ": goes on after a handler in any case", prepare_it, hold_it, call_it, __VA_ARGS__)

static char bytes[1 << 16];

static void make_pipe(void) { OK(pipe(fds)); }

static void fill(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	OK(fcntl(fd, F_SETFL, flags | O_NONBLOCK));
	while (write(fd, bytes, sizeof(bytes)) > 0)
		;
	OK(fcntl(fd, F_SETFL, flags));
}

static void make_full_pipe(void)
{
	make_pipe();
	fill(fds[1]);
}

static void drain(int fd)
{
	for (int i = 0; i < 16; i++)
		CHECK(read(fd, bytes, sizeof(bytes)) > 0);
}

static void make_sockets(int type) { OK(socketpair(AF_UNIX, type, 0, fds)); }

static void make_full_sockets(void)
{
	make_sockets(SOCK_STREAM);
	fill(fds[1]);
}

static void with_timeout(int option)
{
	struct timeval tv = {15, 0};

	make_full_sockets();
	OK(setsockopt(fds[1], SOL_SOCKET, option, &tv, sizeof(tv)));
}

static void put_byte(void) { CHECK(write(fds[1], "x", 1) == 1); }

static void make_terminal(void)
{
	fds[1] = posix_openpt(O_RDWR | O_NOCTTY);
	OK(grantpt(fds[1]));
	OK(unlockpt(fds[1]));
	fds[0] = open(ptsname(fds[1]), O_RDWR | O_NOCTTY);
	CHECK(fds[0] >= 0);
}

static struct sockaddr_un address = {.sun_family = AF_UNIX};

static void listen_there(void)
{
	sprintf(address.sun_path + 1, "libcr-restart-%d", getpid());
	fds[0] = socket(AF_UNIX, SOCK_STREAM, 0);
	OK(bind(fds[0], (struct sockaddr *)&address, sizeof(address)));
	OK(listen(fds[0], 0));
}

static int connect_there(void) { return connect(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&address, sizeof(address)); }

static void listen_full(void)
{
	listen_there();
	OK(connect_there());
}

static void listen_timed(void)
{
	struct timeval tv = {15, 0};

	listen_there();
	OK(setsockopt(fds[0], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)));
}

static char path[64];

static void make_fifo(void)
{
	sprintf(path, "/tmp/libcr-restart-%d", getpid());
	unlink(path); /* of an earlier process with this number, that was killed */
	OK(mkfifo(path, 0600));
}

static void make_file(void)
{
	sprintf(path, "/tmp/libcr-restart-%d", getpid());
	fds[0] = open(path, O_RDWR | O_CREAT, 0600);
	CHECK(fds[0] >= 0);
}

static void hold_flock(void) { OK(flock(open(path, O_RDWR), LOCK_EX)); unlink(path); }

static int lock_file(int fd, int cmd, short type)
{
	struct flock lock = {.l_type = type, .l_whence = SEEK_SET};

	return fcntl(fd, cmd, &lock);
}

static void hold_record(void) { OK(lock_file(fds[0], F_SETLK, F_WRLCK)); unlink(path); }

static mqd_t queue;

static void make_mq(bool full)
{
	struct mq_attr attr = {.mq_maxmsg = 1, .mq_msgsize = 8};

	sprintf(path, "/libcr-restart-%d", getpid());
	queue = mq_open(path, O_RDWR | O_CREAT | O_EXCL, 0600, &attr);
	if (queue == (mqd_t)-1)
		skip("there are no message queues");
	mq_unlink(path);
	if (full)
		OK(mq_send(queue, "x", 1, 0));
}

static struct timespec late(void) { return from_now(CLOCK_REALTIME, 15000); }

static int ipc;
static struct { long type; char text[1]; } message = {1, "x"};

static void make_msg(void) { ipc = msgget(IPC_PRIVATE, 0600); CHECK(ipc >= 0); }
static int msg_call(void) { int got = (int)msgrcv(ipc, &message, 1, 0, 0), error = errno; msgctl(ipc, IPC_RMID, NULL); errno = error; return got; }
static void make_sem(void) { ipc = semget(IPC_PRIVATE, 1, 0600); CHECK(ipc >= 0); }

static int sem_call(bool timed)
{
	struct sembuf op = {.sem_op = -1};
	struct timespec ts = {15, 0};
	int got = timed ? semtimedop(ipc, &op, 1, &ts) : semop(ipc, &op, 1), error = errno;

	semctl(ipc, 0, IPC_RMID);
	errno = error;
	return got;
}

static int sleep_call(int clock, int flags)
{
	struct timespec ts = {15, 0}, left = {0, 0};
	int error;

	if (flags)
		ts = from_now(clock, 15000);
	error = clock_nanosleep(clock, flags, &ts, &left);
	CHECK(flags ? !left.tv_sec : left.tv_sec > 5 && left.tv_sec < 15);
	errno = error;
	return error ? -1 : 0;
}

static void block_around(void)
{
	sigset_t set;

	make_pipe();
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	OK(pthread_sigmask(SIG_BLOCK, &set, NULL));
}

static int wait_set(int how)
{
	struct pollfd poll_one = {fds[0], POLLIN, 0};
	struct timespec ts = {15, 0};
	struct timeval tv = {15, 0};
	struct epoll_event event = {.events = EPOLLIN};
	sigset_t none;
	fd_set set;
	int epoll;

	FD_ZERO(&set);
	FD_SET(fds[0], &set);
	sigemptyset(&none);
	switch (how) {
	case 0: return poll(&poll_one, 1, 15000);
	case 1: return ppoll(&poll_one, 1, &ts, NULL);
	case 2: return ppoll(&poll_one, 1, NULL, &none);
	case 3: return select(fds[0] + 1, &set, NULL, NULL, &tv);
	case 4: return pselect(fds[0] + 1, &set, NULL, NULL, &ts, &none);
	}
	epoll = epoll_create1(0);
	OK(epoll_ctl(epoll, EPOLL_CTL_ADD, fds[0], &event));
	return how == 5 ? epoll_wait(epoll, &event, 1, 15000) : epoll_pwait(epoll, &event, 1, -1, &none);
}

static int sigwait_call(void)
{
	struct timespec ts = {15, 0};
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	return sigtimedwait(&set, NULL, &ts);
}

static int suspend_call(void)
{
	sigset_t set;

	sigemptyset(&set);
	return sigsuspend(&set);
}

static int aio_call(void)
{
	aio_context_t context = 0;
	struct io_event event;
	struct timespec ts = {15, 0};

	if (syscall(SYS_io_setup, 1, &context))
		skip("there is no io_setup");
	return (int)syscall(SYS_io_getevents, context, 1, 1, &event, &ts);
}

static pid_t child;

static void make_child(void)
{
	pid_t parent = getpid();

	child = fork();
	if (!child) {
		UNTIL(common->go || getppid() != parent);
		_exit(0);
	}
}

static int waitid_call(void)
{
	siginfo_t info;

	return waitid(P_PID, (id_t)child, &info, WEXITED);
}

static int own_futex_call(int op)
{
	static int word;
	struct timespec ts = op == FUTEX_WAIT_PRIVATE ? (struct timespec){15, 0} : from_now(CLOCK_MONOTONIC, 15000);

	return (int)syscall(SYS_futex, &word, op, 0, &ts, NULL, FUTEX_BITSET_MATCH_ANY);
}

static int futex_call(int op, bool timed)
{
	struct timespec ts = {15, 0};

	int result = (int)syscall(SYS_futex, &common->word, op, 0, timed ? &ts : NULL, NULL, 0);

	return result && errno == EAGAIN && common->word ? 0 : result; /* it has come before the call was made again */
}

static void futex_release(void)
{
	common->word = 1;
	syscall(SYS_futex, &common->word, FUTEX_WAKE, 9);
}

static void make_mutex(void)
{
	pthread_mutexattr_t attr;
	pthread_condattr_t condattr;

	OK(pthread_mutexattr_init(&attr));
	OK(pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED));
	OK(pthread_mutex_init(&common->mutex, &attr));
	OK(pthread_condattr_init(&condattr));
	OK(pthread_condattr_setpshared(&condattr, PTHREAD_PROCESS_SHARED));
	OK(pthread_cond_init(&common->cond, &condattr));
}

static int lock_call(bool timed)
{
	struct timespec ts = late();

	errno = timed ? pthread_mutex_timedlock(&common->mutex, &ts) : pthread_mutex_lock(&common->mutex);
	return errno ? -1 : 0;
}

static int cond_call(void)
{
	OK(pthread_mutex_lock(&common->mutex));
	while (!common->word)
		OK(pthread_cond_wait(&common->cond, &common->mutex));
	return 0;
}

static void cond_release(void)
{
	OK(pthread_mutex_lock(&common->mutex));
	common->word = 1;
	OK(pthread_mutex_unlock(&common->mutex));
	OK(pthread_cond_broadcast(&common->cond));
}

static void make_sem_t(void) { OK(sem_init(&common->sem, 1, 0)); }
static void hold_mutex(void) { OK(pthread_mutex_lock(&common->mutex)); }
static int timed_sem(void) { struct timespec ts = late(); return sem_timedwait(&common->sem, &ts); }
static int timed_mq(bool sends) { struct timespec ts = late(); return sends ? mq_timedsend(queue, "x", 1, 0, &ts) : (int)mq_timedreceive(queue, bytes, 8, NULL, &ts); }
static void make_inotify(void)
{
	make_file();
	fds[0] = inotify_init1(0);
	CHECK(inotify_add_watch(fds[0], path, IN_ALL_EVENTS & ~IN_ACCESS) >= 0);
}

static void make_eventfd(void) { fds[0] = eventfd(0, 0); CHECK(fds[0] >= 0); }
static void make_timerfd(void) { fds[0] = timerfd_create(CLOCK_MONOTONIC, 0); CHECK(fds[0] >= 0); }

static void set_timerfd(void)
{
	struct itimerspec times = {.it_value = {0, 1}};

	OK(timerfd_settime(fds[0], 0, &times, NULL));
}

WITH_RESTART(read_pipe, "read of a pipe", make_pipe(), nothing(), read(fds[0], bytes, 1), put_byte())
WITH_RESTART(write_pipe, "write to a full pipe", make_full_pipe(), nothing(), write(fds[1], "x", 1), drain(fds[0]))
WITH_RESTART(read_socket, "read of a socket", make_sockets(SOCK_STREAM), nothing(), read(fds[0], bytes, 1), put_byte())
WITH_RESTART(read_terminal, "read of a terminal", make_terminal(), nothing(), read(fds[0], bytes, 1), CHECK(write(fds[1], "x\n", 2) == 2))
WITH_RESTART(read_eventfd, "read of an eventfd", make_eventfd(), nothing(), read(fds[0], bytes, 8), eventfd_write(fds[0], 1))
WITH_RESTART(read_timerfd, "read of a timerfd", make_timerfd(), nothing(), read(fds[0], bytes, 8), set_timerfd())
WITH_RESTART(read_inotify, "read of an inotify descriptor", make_inotify(), nothing(), read(fds[0], bytes, 1000), unlink(path))
WITH_RESTART(recv, "recv", make_sockets(SOCK_DGRAM), nothing(), recv(fds[0], bytes, 1, 0), put_byte())
WITH_RESTART(recvmsg, "recvmsg", make_sockets(SOCK_DGRAM), nothing(), recvmsg(fds[0], &(struct msghdr){.msg_iov = &(struct iovec){bytes, 1}, .msg_iovlen = 1}, 0), put_byte())
WITH_RESTART(send, "send", make_full_sockets(), nothing(), send(fds[1], "x", 1, 0), drain(fds[0]))
NEVER_RESTARTED(recv_timeout, "recv of a socket with SO_RCVTIMEO", with_timeout(SO_RCVTIMEO), recv(fds[1], bytes, 1, 0))
NEVER_RESTARTED(send_timeout, "send on a socket with SO_SNDTIMEO", with_timeout(SO_SNDTIMEO), send(fds[1], "x", 1, 0))
WITH_RESTART(accept, "accept", listen_there(), nothing(), accept(fds[0], NULL, NULL), OK(connect_there()); moment())
NEVER_RESTARTED(accept_timeout, "accept on a socket with SO_RCVTIMEO", listen_timed(), accept(fds[0], NULL, NULL))
WITH_RESTART(connect, "connect", listen_full(), nothing(), connect_there(), CHECK(accept(fds[0], NULL, NULL) >= 0); moment())
WITH_RESTART(open_fifo, "open of a FIFO", make_fifo(), nothing(), open(path, O_RDONLY), CHECK(open(path, O_WRONLY) >= 0); unlink(path); moment())
WITH_RESTART(wait4, "waitpid", make_child(), nothing(), waitpid(child, NULL, 0), nothing())
WITH_RESTART(waitid, "waitid", make_child(), nothing(), waitid_call(), nothing())
WITH_RESTART(flock, "flock", make_file(), hold_flock(), flock(fds[0], LOCK_EX), _exit(0))
WITH_RESTART(record_lock, "fcntl with F_SETLKW", make_file(), hold_record(), lock_file(fds[0], F_SETLKW, F_WRLCK), _exit(0))
WITH_RESTART(mq_receive, "mq_receive", make_mq(false), nothing(), mq_receive(queue, bytes, 8, NULL), OK(mq_send(queue, "x", 1, 0)))
WITH_RESTART(mq_send, "mq_send", make_mq(true), nothing(), mq_send(queue, "x", 1, 0), CHECK(mq_receive(queue, bytes, 8, NULL) == 1))
WITH_RESTART(mq_timedreceive, "mq_timedreceive", make_mq(false), nothing(), timed_mq(false), OK(mq_send(queue, "x", 1, 0)))
WITH_RESTART(mq_timedsend, "mq_timedsend", make_mq(true), nothing(), timed_mq(true), CHECK(mq_receive(queue, bytes, 8, NULL) == 1))
WITH_RESTART(futex, "futex, FUTEX_WAIT without a timeout", nothing(), nothing(), futex_call(FUTEX_WAIT, false), futex_release())
NEVER_RESTARTED(futex_timeout, "futex, FUTEX_WAIT with a timeout", nothing(), futex_call(FUTEX_WAIT, true))
NEVER_RESTARTED(futex_private_timeout, "futex, FUTEX_WAIT with a timeout, of one process", nothing(), own_futex_call(FUTEX_WAIT_PRIVATE))
NEVER_RESTARTED(futex_private_until, "futex, FUTEX_WAIT_BITSET until a time, of one process", nothing(), own_futex_call(FUTEX_WAIT_BITSET_PRIVATE))
WITH_RESTART(sem_wait, "sem_wait", make_sem_t(), nothing(), sem_wait(&common->sem), OK(sem_post(&common->sem)))
NEVER_RESTARTED(sem_timedwait, "sem_timedwait", make_sem_t(), timed_sem())
NEVER_ENDED(mutex, "pthread_mutex_lock", make_mutex(), hold_mutex(), lock_call(false), OK(pthread_mutex_unlock(&common->mutex)))
NEVER_ENDED(mutex_timed, "pthread_mutex_timedlock", make_mutex(), hold_mutex(), lock_call(true), OK(pthread_mutex_unlock(&common->mutex)))
NEVER_ENDED(cond, "pthread_cond_wait", make_mutex(), nothing(), cond_call(), cond_release())
NEVER_RESTARTED(nanosleep, "clock_nanosleep, which says what is left", nothing(), sleep_call(CLOCK_MONOTONIC, 0))
NEVER_RESTARTED(nanosleep_until, "clock_nanosleep until a time", nothing(), sleep_call(CLOCK_REALTIME, TIMER_ABSTIME))
NEVER_RESTARTED(usleep, "usleep", nothing(), usleep(900000000))
NEVER_RESTARTED(poll, "poll", make_pipe(), wait_set(0))
NEVER_RESTARTED(ppoll, "ppoll with a timeout", make_pipe(), wait_set(1))
NEVER_RESTARTED(ppoll_mask, "ppoll with a mask", make_pipe(), wait_set(2))
NEVER_RESTARTED(select, "select", make_pipe(), wait_set(3))
NEVER_RESTARTED(pselect, "pselect", make_pipe(), wait_set(4))
NEVER_RESTARTED(epoll_wait, "epoll_wait", make_pipe(), wait_set(5))
NEVER_RESTARTED(epoll_pwait, "epoll_pwait", make_pipe(), wait_set(6))
NEVER_RESTARTED(ppoll_within, "ppoll, by a signal that its mask alone lets through", block_around(), wait_set(2))
NEVER_RESTARTED(pselect_within, "pselect, by a signal that its mask alone lets through", block_around(), wait_set(4))
NEVER_RESTARTED(epoll_pwait_within, "epoll_pwait, by a signal that its mask alone lets through", block_around(), wait_set(6))
NEVER_RESTARTED(sigtimedwait, "sigtimedwait, by another signal than those it waits for", nothing(), sigwait_call())
NEVER_RESTARTED(sigsuspend, "sigsuspend", nothing(), suspend_call())
NEVER_RESTARTED(pause, "pause", nothing(), pause())
NEVER_RESTARTED(msgrcv, "msgrcv", make_msg(), msg_call())
NEVER_RESTARTED(semop, "semop", make_sem(), sem_call(false))
NEVER_RESTARTED(semtimedop, "semtimedop", make_sem(), sem_call(true))
NEVER_RESTARTED(io_getevents, "io_getevents", nothing(), aio_call())
