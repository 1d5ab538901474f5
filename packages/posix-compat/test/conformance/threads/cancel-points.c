/*
 * cancel-points.c - the functions that "shall be cancellation points" (2.9.5.2), of those that can wait: each is cancelled while it waits, and is
 * called with a cancel pending. What a function needs is made before.
 */
#include "../conformance.h"

#include <aio.h>
#include <fcntl.h>
#include <mqueue.h>
#include <poll.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <sys/file.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>

#pragma GCC diagnostic ignored "-Wunused-result"

static atomic_int ready, go, cleaned;

static int fds[2];     /* a pipe; full: its writer would wait */
static int sockets[2]; /* the same of stream sockets */
static int listener, queue;
static char path[64], bytes[1 << 16];
static sem_t sem;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static pthread_t forever;
static mqd_t mq;
static pid_t child;
static struct iovec iov = {bytes, sizeof(bytes)};
static struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
static struct timespec late;
static sigset_t usr2;
static struct {
	long type;
	char text[8];
} message = {1, "x"};

static void clean(void *arg)
{
	(void)arg;
	cleaned++;
}

static void *runs(void *call)
{
	OK(pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL));
	ready = 1;
	UNTIL(go);
	OK(pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL));
	pthread_cleanup_push(clean, NULL);
	((void (*)(void))call)();
	pthread_cleanup_pop(0);
	return NULL;
}

static void be_point(void (*call)(void))
{
	for (int pending = 0; pending < 2; pending++) {
		pthread_t thread;

		ready = go = cleaned = 0;
		thread = begin(runs, (void *)call);
		UNTIL(ready);
		if (pending) {
			OK(pthread_cancel(thread));
			go = 1;
		} else {
			go = 1;
			moment();
			OK(pthread_cancel(thread));
		}
		if (end(thread) != PTHREAD_CANCELED)
			fail(pending ? "it returns with a cancel pending" : "it returns though it is cancelled while it waits");
		CHECK(cleaned == 1);
	}
}

static void fill(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	OK(fcntl(fd, F_SETFL, flags | O_NONBLOCK));
	while (write(fd, bytes, sizeof(bytes)) > 0)
		;
	while (write(fd, bytes, 1) > 0)
		;
	OK(fcntl(fd, F_SETFL, flags));
}

static void *never_ends(void *arg)
{
	for (;;)
		pause();
	return arg;
}

static void need_nothing(void) {}
static void need_pipe(void) { OK(pipe(fds)); }
static void need_sockets(void) { OK(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets)); }

static void need_full_pipe(void)
{
	need_pipe();
	fill(fds[1]);
}

static void need_full_sockets(void)
{
	need_sockets();
	fill(sockets[0]);
}

static void need_listener(void)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};

	listener = socket(AF_UNIX, SOCK_STREAM, 0);
	OK(bind(listener, (struct sockaddr *)&name, sizeof(sa_family_t)));
	OK(listen(listener, 1));
}

static void need_path(void)
{
	snprintf(path, sizeof(path), "/tmp/cancel-points-%d", (int)getpid());
}

static void need_fifo(void)
{
	need_path();
	OK(mkfifo(path, 0600));
}

static void need_queue(void) { CHECK((queue = msgget(IPC_PRIVATE, 0600)) >= 0); }

static void need_full_queue(void)
{
	need_queue();
	while (!msgsnd(queue, &message, 8, IPC_NOWAIT))
		;
}

static void need_mq(void)
{
	struct mq_attr attr = {.mq_maxmsg = 1, .mq_msgsize = 8};

	snprintf(path, sizeof(path), "/cancel-points-%d", (int)getpid());
	mq = mq_open(path, O_CREAT | O_RDWR, 0600, &attr);
	CHECK(mq != (mqd_t)-1);
	OK(mq_unlink(path));
}

static void need_full_mq(void)
{
	need_mq();
	OK(mq_send(mq, "x", 1, 0));
}

static void need_child(void)
{
	child = fork();
	if (!child)
		never_ends(NULL);
}

/* A region of a file that another process has. */
static void need_locked_file(void)
{
	need_path();
	fds[0] = open(path, O_RDWR | O_CREAT, 0600);
	CHECK(fds[0] >= 0);
	OK(unlink(path));
	OK(pipe(sockets));
	child = fork();
	if (!child) {
		OK(lockf(fds[0], F_LOCK, 0));
		write(sockets[1], "", 1);
		never_ends(NULL);
	}
	CHECK(read(sockets[0], bytes, 1) == 1);
}

static void need_thread(void) { forever = begin(never_ends, NULL); }
static void need_sem(void) { OK(sem_init(&sem, 0, 0)); }
static void need_late(void) { late = from_now(CLOCK_REALTIME, 15000); }

static void need_sem_late(void)
{
	need_sem();
	need_late();
}

static void need_mq_late(void)
{
	need_mq();
	need_late();
}

static void need_full_mq_late(void)
{
	need_full_mq();
	need_late();
}

static void need_usr2(void)
{
	sigemptyset(&usr2);
	sigaddset(&usr2, SIGUSR2);
	OK(pthread_sigmask(SIG_BLOCK, &usr2, NULL));
}

static struct aiocb aio;

static void need_aio(void)
{
	need_pipe();
	aio.aio_fildes = fds[0];
	aio.aio_buf = bytes;
	aio.aio_nbytes = 1;
	OK(aio_read(&aio));
}

static void unlock(void *arg) { OK(pthread_mutex_unlock(arg)); }

static void wait_cond(const struct timespec *time)
{
	OK(pthread_mutex_lock(&mutex));
	pthread_cleanup_push(unlock, &mutex);
	if (time)
		pthread_cond_timedwait(&cond, &mutex, time);
	else
		pthread_cond_wait(&cond, &mutex);
	pthread_cleanup_pop(1);
}

/* What is left behind when the process is ended. */
static void leave(void)
{
	if (child > 0)
		kill(child, SIGKILL);
	if (path[0] == '/' && path[1] == 't')
		unlink(path);
	if (queue > 0)
		msgctl(queue, IPC_RMID, NULL);
}

#define POINT(function, need, ...)                                                                       \
	static void function##_waits(void) { __VA_ARGS__; }                                               \
	BEHAVIOUR(point_##function, #function " is a cancellation point: waiting, and with a cancel pending") \
	{                                                                                                 \
		need();                                                                                   \
		be_point(function##_waits);                                                               \
		leave();                                                                                  \
	}

POINT(accept, need_listener, accept(listener, NULL, NULL))
POINT(aio_suspend, need_aio, const struct aiocb *list[1] = {&aio}; aio_suspend(list, 1, NULL))
POINT(clock_nanosleep, need_nothing, struct timespec ts = {15, 0}; clock_nanosleep(CLOCK_MONOTONIC, 0, &ts, NULL))
POINT(clock_nanosleep_absolute, need_late, clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &late, NULL))
POINT(fcntl, need_locked_file, struct flock all = {.l_type = F_WRLCK, .l_whence = SEEK_SET}; fcntl(fds[0], F_SETLKW, &all))
POINT(lockf, need_locked_file, lockf(fds[0], F_LOCK, 0))
POINT(mq_receive, need_mq, mq_receive(mq, bytes, 8, NULL))
POINT(mq_send, need_full_mq, mq_send(mq, "x", 1, 0))
POINT(mq_timedreceive, need_mq_late, mq_timedreceive(mq, bytes, 8, NULL, &late))
POINT(mq_timedsend, need_full_mq_late, mq_timedsend(mq, "x", 1, 0, &late))
POINT(msgrcv, need_queue, msgrcv(queue, &message, 8, 0, 0))
POINT(msgsnd, need_full_queue, msgsnd(queue, &message, 8, 0))
POINT(nanosleep, need_nothing, struct timespec ts = {15, 0}; nanosleep(&ts, NULL))
POINT(open, need_fifo, open(path, O_RDONLY))
POINT(openat, need_fifo, openat(AT_FDCWD, path, O_WRONLY))
POINT(pause, need_nothing, pause())
POINT(poll, need_pipe, struct pollfd one = {.fd = fds[0], .events = POLLIN}; poll(&one, 1, -1))
POINT(pselect, need_nothing, pselect(0, NULL, NULL, NULL, NULL, NULL))
POINT(pthread_cond_timedwait, need_late, wait_cond(&late))
POINT(pthread_cond_wait, need_nothing, wait_cond(NULL))
POINT(pthread_join, need_thread, pthread_join(forever, NULL))
POINT(read, need_pipe, read(fds[0], bytes, 1))
POINT(readv, need_pipe, readv(fds[0], &iov, 1))
POINT(recv, need_sockets, recv(sockets[0], bytes, 1, 0))
POINT(recvfrom, need_sockets, recvfrom(sockets[0], bytes, 1, 0, NULL, NULL))
POINT(recvmsg, need_sockets, recvmsg(sockets[0], &msg, 0))
POINT(select, need_pipe, fd_set set; FD_ZERO(&set); FD_SET(fds[0], &set); select(fds[0] + 1, &set, NULL, NULL, NULL))
POINT(sem_timedwait, need_sem_late, sem_timedwait(&sem, &late))
POINT(sem_wait, need_sem, sem_wait(&sem))
POINT(send, need_full_sockets, send(sockets[0], bytes, sizeof(bytes), 0))
POINT(sendmsg, need_full_sockets, sendmsg(sockets[0], &msg, 0))
POINT(sendto, need_full_sockets, sendto(sockets[0], bytes, sizeof(bytes), 0, NULL, 0))
POINT(sigsuspend, need_nothing, sigset_t none; sigemptyset(&none); sigsuspend(&none))
POINT(sigtimedwait, need_usr2, struct timespec ts = {15, 0}; sigtimedwait(&usr2, NULL, &ts))
POINT(sigwait, need_usr2, int sig; sigwait(&usr2, &sig))
POINT(sigwaitinfo, need_usr2, sigwaitinfo(&usr2, NULL))
POINT(sleep, need_nothing, sleep(15))
POINT(system, need_nothing, system("exec sleep 15"))
POINT(wait, need_child, wait(NULL))
POINT(waitid, need_child, siginfo_t info; waitid(P_PID, (id_t)child, &info, WEXITED))
POINT(waitpid, need_child, waitpid(child, NULL, 0))
POINT(write, need_full_pipe, write(fds[1], bytes, sizeof(bytes)))
POINT(writev, need_full_pipe, writev(fds[1], &iov, 1))

static void close_waits(void) { close(dup(1)); }
static void fsync_waits(void) { fsync(fds[0]); }

static void pending_only(void (*call)(void))
{
	pthread_t thread = begin(runs, (void *)call);

	UNTIL(ready);
	OK(pthread_cancel(thread));
	go = 1;
	CHECK(end(thread) == PTHREAD_CANCELED);
}

BEHAVIOUR(point_close, "close is a cancellation point with a cancel pending")
{
	pending_only(close_waits);
}

BEHAVIOUR(point_fsync, "fsync is a cancellation point with a cancel pending")
{
	need_path();
	fds[0] = open(path, O_RDWR | O_CREAT, 0600);
	OK(unlink(path));
	pending_only(fsync_waits);
}
