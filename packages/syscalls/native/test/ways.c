/*
 * ways.c - each way in which a call waits: sockets, connections, poll, select, epoll, time, children, locks, messages to a port; what is non-blocking; what is
 * made in place.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>

#include "check.h"

static int pair[2];
static unsigned turns;

/** What the rfork does meanwhile. */
static void ticks(void *arg)
{
	unsigned long n = (unsigned long)arg;

	for (turns = 0; turns < n; turns++)
		lwkt_yield();
}

static void writes_late(void *arg)
{
	ticks((void *)100ul);
	CHECK(sysmsg_call(SYS_sendto, pair[1], arg, strlen(arg), 0, NULL, 0) == (long)strlen(arg));
}

/** While func waits, somebody else counts, and writes `text` to the other end of the pair then. */
static void meanwhile(void (*func)(void *arg), const char *text)
{
	lwkt_thread_t td, other;

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	td = begin(func, NULL);
	other = begin(writes_late, (void *)(uintptr_t)text);
	CHECK(sysmsg_join(td) == 0 && sysmsg_join(other) == 0);
	CHECK(turns == 100);
	close(pair[0]);
	close(pair[1]);
}

static void receives(void *arg)
{
	char text[16] = "";

	(void)arg;
	CHECK(sysmsg_call(SYS_recvfrom, pair[0], text, 16, 0, NULL, NULL) == 5 && !strcmp(text, "hello"));
}

static void receives_message(void *arg)
{
	char a[3], b[16];
	struct iovec iov[2] = {{a, 3}, {b, 16}};
	struct msghdr message = {.msg_iov = iov, .msg_iovlen = 2};

	(void)arg;
	CHECK(sysmsg_call(SYS_recvmsg, pair[0], &message, 0) == 5 && !memcmp(a, "hel", 3) && !memcmp(b, "lo", 2));
}

static void reads_pieces(void *arg)
{
	char a[3], b[16];
	struct iovec iov[2] = {{a, 3}, {b, 16}};

	(void)arg;
	CHECK(sysmsg_call(SYS_readv, pair[0], iov, 2) == 5 && !memcmp(b, "lo", 2));
}

static void polls(void *arg)
{
	struct pollfd fds[2] = {{pair[0], POLLIN, 0}, {-1, POLLIN, 0}};
	const struct timespec time = {9, 0};

	(void)arg;
	CHECK(sysmsg_call(SYS_poll, fds, 2, -1) == 1 && fds[0].revents == POLLIN);
	CHECK(sysmsg_call(SYS_ppoll, fds, 2, &time, NULL, 0) == 1);
}

static void selects(void *arg)
{
	struct timeval time = {9, 0};
	fd_set set;

	(void)arg;
	FD_ZERO(&set);
	FD_SET(pair[0], &set);
	CHECK(sysmsg_call(SYS_select, pair[0] + 1, &set, NULL, NULL, &time) == 1 && FD_ISSET(pair[0], &set));
	CHECK(time.tv_sec <= 9);
}

static void epolls(void *arg)
{
	struct epoll_event event = {.events = EPOLLIN, .data.u32 = 7};
	int set = epoll_create1(0);

	(void)arg;
	CHECK(set >= 0 && epoll_ctl(set, EPOLL_CTL_ADD, pair[0], &event) == 0);
	event.data.u32 = 0;
	CHECK(sysmsg_call(SYS_epoll_wait, set, &event, 1, -1) == 1 && event.data.u32 == 7);
	close(set);
}

/* ---------------------------------------------------------------- connections */

static struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "\0libcr-ways"};

static void accepts(void *arg)
{
	long fd = sysmsg_call(SYS_accept4, *(int *)arg, NULL, NULL, SOCK_CLOEXEC);
	char byte;

	CHECK(fd >= 0);
	CHECK(sysmsg_call(SYS_read, fd, &byte, 1) == 1 && byte == 'x');
	CHECK(sysmsg_call(SYS_close, fd) == 0);
}

static void connects(void *arg)
{
	long fd = sysmsg_call(SYS_socket, AF_UNIX, SOCK_STREAM, 0);

	(void)arg;
	CHECK(sysmsg_call(SYS_connect, fd, &address, sizeof(address)) == 0);
	CHECK(sysmsg_call(SYS_write, fd, "x", 1) == 1);
	CHECK(sysmsg_call(SYS_close, fd) == 0);
}

static void connections(void)
{
	int listener = socket(AF_UNIX, SOCK_STREAM, 0);
	lwkt_thread_t a, b;

	snprintf(address.sun_path + 1, sizeof(address.sun_path) - 1, "libcr-ways-%d", getpid());
	CHECK(bind(listener, (struct sockaddr *)&address, sizeof(address)) == 0 && listen(listener, 1) == 0);
	a = begin(accepts, &listener);
	b = begin(connects, NULL);
	CHECK(sysmsg_join(a) == 0 && sysmsg_join(b) == 0);
	close(listener);
}

/* ---------------------------------------------------------------- time, children, locks */

static void sleeps(void *arg)
{
	const struct timespec request = {0, 5000000}, none = {0, -1};
	struct timespec before, after;

	(void)arg;
	clock_gettime(CLOCK_MONOTONIC, &before);
	CHECK(sysmsg_call(SYS_nanosleep, &request, NULL) == 0);
	clock_gettime(CLOCK_MONOTONIC, &after);
	CHECK((after.tv_sec - before.tv_sec) * 1000000000 + after.tv_nsec - before.tv_nsec >= 5000000);
	CHECK(sysmsg_call(SYS_nanosleep, &none, NULL) == -EINVAL);
	CHECK(sysmsg_call(SYS_poll, NULL, 0, 5) == 0);
}

static void waits(void *arg)
{
	int status;

	CHECK(sysmsg_call(SYS_wait4, *(pid_t *)arg, &status, 0, NULL) == *(pid_t *)arg);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 7);
}

/** The child ends once the other userthread has run. */
static void children(void)
{
	int go[2];
	char byte;
	pid_t child;
	lwkt_thread_t td, other;

	CHECK(pipe(go) == 0);
	child = fork();
	if (child == 0)
		_exit(read(go[0], &byte, 1) == 1 ? 7 : 1);
	td = begin(waits, &child);
	other = begin(ticks, (void *)10ul);
	CHECK(sysmsg_join(other) == 0 && turns == 10);
	CHECK(write(go[1], "x", 1) == 1);
	CHECK(sysmsg_join(td) == 0);
	close(go[0]);
	close(go[1]);
}

static int locked[2];
static unsigned held;

static void takes_lock(void *arg)
{
	(void)arg;
	CHECK(sysmsg_call(SYS_flock, locked[1], LOCK_EX | LOCK_NB) == -EWOULDBLOCK);
	CHECK(sysmsg_call(SYS_flock, locked[1], LOCK_EX) == 0);
	CHECK(held == 1);
}

static void gives_lock(void *arg)
{
	(void)arg;
	ticks((void *)50ul);
	held = 1;
	CHECK(sysmsg_call(SYS_flock, locked[0], LOCK_UN) == 0);
}

static void locks(void)
{
	char name[] = "/tmp/libcr-ways-XXXXXX";
	lwkt_thread_t a, b;

	locked[0] = mkstemp(name);
	locked[1] = open(name, O_RDWR);
	CHECK(locked[0] >= 0 && locked[1] >= 0 && unlink(name) == 0 && flock(locked[0], LOCK_EX) == 0);
	a = begin(takes_lock, NULL);
	b = begin(gives_lock, NULL);
	CHECK(sysmsg_join(a) == 0 && sysmsg_join(b) == 0);
	close(locked[0]);
	close(locked[1]);
}

/* ---------------------------------------------------------------- the opening of a FIFO, which waits for the other end */

static char fifo[64];

static void opens(void *arg)
{
	long fd = sysmsg_call(SYS_openat, AT_FDCWD, fifo, arg ? O_WRONLY : O_RDONLY);

	CHECK(fd >= 0);
	CHECK(sysmsg_call(SYS_close, fd) == 0);
}

static void fifos(void)
{
	lwkt_thread_t a, b;

	snprintf(fifo, sizeof(fifo), "/tmp/libcr-ways-fifo-%d", getpid());
	CHECK(mkfifo(fifo, 0600) == 0);
	a = begin(opens, NULL);
	b = begin(opens, fifo);
	CHECK(sysmsg_join(a) == 0 && sysmsg_join(b) == 0);
	CHECK(unlink(fifo) == 0);
}

/* ---------------------------------------------------------------- as a message; what does not wait */

static struct lwkt_port port;

static void sends(void *arg)
{
	struct sysmsg *message = &lwkt_curthread()->td_sysmsg;
	char text[16] = "";

	(void)arg;
	lwkt_initmsg(&message->sm_msg, NULL, 0);
	message->sm_number = SYS_read;
	message->sm_args[0] = pair[0];
	message->sm_args[1] = (long)text;
	message->sm_args[2] = sizeof(text);
	CHECK(lwkt_domsg(&port, &message->sm_msg) == 0);
	CHECK(message->sm_result == 5 && !strcmp(text, "hello"));
}

static void does_not_wait(void *arg)
{
	char byte;
	int fds[2];

	(void)arg;
	CHECK(pipe2(fds, O_NONBLOCK) == 0);
	CHECK(sysmsg_call(SYS_read, fds[0], &byte, 1) == -EAGAIN);
	CHECK(sysmsg_call(SYS_close, fds[0]) == 0 && sysmsg_call(SYS_read, fds[0], &byte, 1) == -EBADF);
	CHECK(sysmsg_call(SYS_close, fds[1]) == 0);
	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
	CHECK(sysmsg_call(SYS_recvfrom, fds[0], &byte, 1, MSG_DONTWAIT, NULL, NULL) == -EAGAIN);
	close(fds[0]);
	close(fds[1]);
	CHECK(sysmsg_call(SYS_wait4, -1, NULL, WNOHANG, NULL) == -ECHILD);
	CHECK(sysmsg_call(SYS_getpid) == getpid());
	CHECK(sysmsg_call(-1) == -ENOSYS);
}

static void in_place(void)
{
	int fds[2];
	char byte;

	CHECK(pipe(fds) == 0 && sysmsg_call(SYS_write, fds[1], "x", 1) == 1);
	CHECK(sysmsg_call(SYS_read, fds[0], &byte, 1) == 1); /* on thread0 */
	close(fds[0]);
	close(fds[1]);
}

int main(int argc, char **argv)
{
	check_begins(argc, argv);
	lwkt_initport_putonly(&port, sysmsg_putport, "syscalls");
	meanwhile(receives, "hello");
	meanwhile(receives_message, "hello");
	meanwhile(reads_pieces, "hello");
	meanwhile(polls, "hello");
	meanwhile(selects, "hello");
	meanwhile(epolls, "hello");
	meanwhile(sends, "hello");
	connections();
	CHECK(sysmsg_join(begin(sleeps, NULL)) == 0);
	children();
	locks();
	fifos();
	CHECK(sysmsg_join(begin(does_not_wait, NULL)) == 0);
	in_place();
	CHECK(sysmsg_policy("allow:getppid,deny:open:EROFS,deny:get_nothing") == EINVAL);
	CHECK(sysmsg_call(SYS_openat, AT_FDCWD, "/", O_RDONLY) == -EROFS && sysmsg_call(SYS_getppid) == getppid());
	CHECK(sysmsg_policy("deny:*") == 0 && sysmsg_call(SYS_getpid) == -EACCES && sysmsg_call(SYS_getppid) == getppid());
	return 0;
}
