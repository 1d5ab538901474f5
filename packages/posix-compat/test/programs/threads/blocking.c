/* blocking.c - calls that wait in one thread while others go on: pipes, sockets, poll, select, epoll, children, locks, a FIFO. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define MANY 200
#define LARGE (1 << 20)

static int pipes[MANY][2];
static int sockets[2];
static char fifo[64], lock[64];

static void *reads_byte(void *arg)
{
	char c = 0;

	read(pipes[(long)arg][0], &c, 1);
	return (void *)(long)c;
}

static void *writes_large(void *arg)
{
	char *data = calloc(1, LARGE);

	return (void *)write(pipes[(long)arg][1], data, LARGE);
}

static void *polls(void *arg)
{
	struct pollfd pollers[2] = {{.fd = pipes[0][0], .events = POLLIN}, {.fd = sockets[0], .events = POLLIN}};

	(void)arg;
	return (void *)(long)(poll(pollers, 2, -1) * 10 + (pollers[1].revents & POLLIN));
}

static void *selects(void *arg)
{
	fd_set set;

	(void)arg;
	FD_ZERO(&set);
	FD_SET(sockets[0], &set);
	return (void *)(long)(select(sockets[0] + 1, &set, NULL, NULL, NULL) * 10 + FD_ISSET(sockets[0], &set));
}

static void *waits_by_epoll(void *arg)
{
	int epoll = epoll_create1(0);
	struct epoll_event event = {.events = EPOLLIN, .data.u32 = 7};

	(void)arg;
	epoll_ctl(epoll, EPOLL_CTL_ADD, sockets[0], &event);
	event.data.u32 = 0;
	epoll_wait(epoll, &event, 1, -1);
	close(epoll);
	return (void *)(long)event.data.u32;
}

static void *receives(void *arg)
{
	char text[8] = "";

	(void)arg;
	return (void *)(recv(sockets[0], text, sizeof text, 0) * 1000 + text[0]);
}

static void *waits_for_child(void *arg)
{
	int status = 0;

	waitpid((pid_t)(long)arg, &status, 0);
	return (void *)(long)WEXITSTATUS(status);
}

static void *locks(void *arg)
{
	int fd = open(lock, O_RDWR);

	(void)arg;
	return (void *)(long)flock(fd, LOCK_EX);
}

static void *opens_fifo(void *arg)
{
	int fd = open(fifo, O_RDONLY);
	char c = 0;

	(void)arg;
	read(fd, &c, 1);
	return (void *)(long)c;
}

static void *connects(void *arg)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	char c = 0;

	if (connect(fd, arg, sizeof(struct sockaddr_in)))
		return (void *)-1l;
	write(fd, "c", 1);
	read(fd, &c, 1);
	close(fd);
	return (void *)(long)c;
}

static void *writes_to_nobody(void *arg)
{
	int fds[2];

	(void)arg;
	pipe(fds);
	close(fds[0]);
	return (void *)(long)(write(fds[1], "x", 1) < 0 ? errno : 0);
}

static pthread_t start(void *(*func)(void *), long arg)
{
	pthread_t thread;

	pthread_create(&thread, NULL, func, (void *)arg);
	usleep(5000);
	return thread;
}

static long join(pthread_t thread)
{
	void *result;

	pthread_join(thread, &result);
	return (long)result;
}

static void many_pipes(void)
{
	pthread_t threads[MANY];
	long sum = 0;

	for (int i = 0; i < MANY; i++)
		pthread_create(&threads[i], NULL, reads_byte, (void *)(long)i);
	usleep(20000);
	for (int i = 0; i < MANY; i++)
		write(pipes[MANY - 1 - i][1], "\1", 1);
	for (int i = 0; i < MANY; i++)
		sum += join(threads[i]);
	printf("pipes: %ld\n", sum);
}

static void a_large_write(void)
{
	pthread_t thread = start(writes_large, 1);
	char *to = malloc(LARGE);
	long got = 0;

	while (got < LARGE)
		got += read(pipes[1][0], to + got, (size_t)(LARGE - got));
	printf("a large write: %ld of %ld\n", join(thread), got);
}

static void by_readiness(const char *what, void *(*func)(void *))
{
	pthread_t thread = start(func, 0);
	char text[8];

	write(sockets[1], "data", 4);
	printf("%s: %ld\n", what, join(thread));
	recv(sockets[0], text, sizeof text, MSG_DONTWAIT);
}

static void a_child(void)
{
	pid_t child = fork();
	pthread_t thread;

	if (!child) {
		usleep(30000);
		_exit(6);
	}
	thread = start(waits_for_child, child);
	printf("meanwhile\n");
	printf("child: %ld\n", join(thread));
}

static void a_lock(void)
{
	int fd = open(lock, O_RDWR | O_CREAT, 0600);
	pthread_t thread;

	flock(fd, LOCK_EX);
	thread = start(locks, 0);
	flock(fd, LOCK_UN);
	printf("lock: %ld\n", join(thread));
}

static void a_fifo(void)
{
	pthread_t thread;
	int fd;

	mkfifo(fifo, 0600);
	thread = start(opens_fifo, 0);
	fd = open(fifo, O_WRONLY);
	write(fd, "f", 1);
	printf("fifo: %c\n", (char)join(thread));
}

static void a_connection(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof address;
	int listener = socket(AF_INET, SOCK_STREAM, 0), fd;
	pthread_t thread;
	char c = 0;

	bind(listener, (struct sockaddr *)&address, sizeof address);
	listen(listener, 1);
	getsockname(listener, (struct sockaddr *)&address, &size);
	thread = start(connects, (long)&address);
	fd = accept(listener, NULL, NULL);
	read(fd, &c, 1);
	write(fd, "s", 1);
	printf("connection: %c", c);
	printf("%c\n", (char)join(thread));
}

static void nonblocking(void)
{
	pthread_t thread = start(reads_byte, 2);
	char c;

	fcntl(pipes[3][0], F_SETFL, O_NONBLOCK);
	printf("non-blocking: %zd", read(pipes[3][0], &c, 1));
	printf(" %s\n", strerror(errno));
	write(pipes[2][1], "\2", 1);
	printf("%ld\n", join(thread));
}

int main(void)
{
	char folder[] = "/tmp/libcr-blocking-XXXXXX";

	setvbuf(stdout, NULL, _IONBF, 0);
	mkdtemp(folder);
	snprintf(fifo, sizeof fifo, "%s/fifo", folder);
	snprintf(lock, sizeof lock, "%s/lock", folder);
	for (int i = 0; i < MANY; i++)
		pipe(pipes[i]);
	socketpair(AF_UNIX, SOCK_STREAM, 0, sockets);
	many_pipes();
	a_large_write();
	by_readiness("poll", polls);
	by_readiness("select", selects);
	by_readiness("epoll", waits_by_epoll);
	by_readiness("recv", receives);
	a_child();
	a_lock();
	a_fifo();
	a_connection();
	nonblocking();
	unlink(fifo);
	unlink(lock);
	rmdir(folder);
	printf("%ld\n", join(start(writes_to_nobody, 0)));
	printf("not reached\n");
}
