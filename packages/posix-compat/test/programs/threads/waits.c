/*
 * waits.c - threads that wait for descriptors of all kinds while the main one goes on: reads, writes in pieces, readiness of several, with timeouts,
 * ended by signals; what a program sees of its descriptors meanwhile, and what a child of fork has.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <pty.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LARGE (1 << 20)
#define PIECES 5
#define WAITERS 50

static int fds[2], others[2];
static volatile int handled;

static pthread_t start(void *(*func)(void *), void *arg)
{
	pthread_t thread;

	pthread_create(&thread, NULL, func, arg);
	usleep(20000);
	return thread;
}

static long join(pthread_t thread)
{
	void *result;

	pthread_join(thread, &result);
	return (long)result;
}

static void two(int of[2]) { socketpair(AF_UNIX, SOCK_STREAM, 0, of); }

static void close_two(int of[2])
{
	close(of[0]);
	close(of[1]);
}

/* ---------------------------------------------------------------- reads of all kinds */

static void *reads(void *arg)
{
	char data[512];

	return (void *)(long)read((int)(long)arg, data, sizeof data);
}

static void one_kind(const char *what, int reader, int writer, const void *data, size_t size)
{
	pthread_t thread = start(reads, (void *)(long)reader);

	if (writer >= 0 && write(writer, data, size) != (ssize_t)size)
		perror(what);
	printf("%s: %ld\n", what, join(thread));
}

static void kinds(const char *folder)
{
	struct itimerspec soon = {.it_value.tv_nsec = 30000000};
	int timer = timerfd_create(CLOCK_MONOTONIC, 0), event = eventfd(0, 0), changes = inotify_init(), master, terminal, files[2];
	pthread_t thread;
	char name[100];

	pipe(files);
	one_kind("pipe", files[0], files[1], "abc", 3);
	two(fds);
	one_kind("socket", fds[0], fds[1], "abcd", 4);
	one_kind("eventfd", event, event, &(uint64_t){1}, 8);
	timerfd_settime(timer, 0, &soon, NULL);
	one_kind("timerfd", timer, -1, NULL, 0);
	openpty(&master, &terminal, NULL, NULL, NULL);
	one_kind("terminal", terminal, master, "line\n", 5);
	inotify_add_watch(changes, folder, IN_CREATE);
	thread = start(reads, (void *)(long)changes);
	snprintf(name, sizeof name, "%s/file", folder);
	close(open(name, O_CREAT | O_RDWR, 0600));
	unlink(name);
	printf("inotify: %d\n", join(thread) > 0);
	close_two(files);
	close_two(fds);
	close(timer), close(event), close(changes), close(master), close(terminal);
}

static void *reads_one(void *arg)
{
	char c;

	return (void *)(long)read((int)(long)arg, &c, 1);
}

/** All wait for one descriptor, and one at a time gets something. */
static void many_for_one(void)
{
	pthread_t threads[WAITERS];
	int files[2];
	long sum = 0;

	pipe(files);
	for (int i = 0; i < WAITERS; i++)
		pthread_create(&threads[i], NULL, reads_one, (void *)(long)files[0]);
	usleep(30000);
	for (int i = 0; i < WAITERS; i++)
		write(files[1], "x", 1);
	for (int i = 0; i < WAITERS; i++)
		sum += join(threads[i]);
	printf("%d for one: %ld\n", WAITERS, sum);
	close_two(files);
}

/* ---------------------------------------------------------------- writes in pieces */

static void *writes_pieces(void *arg)
{
	struct iovec pieces[PIECES];
	struct msghdr message = {.msg_iov = pieces, .msg_iovlen = PIECES};
	char *data = malloc(LARGE);

	for (int i = 0; i < LARGE; i++)
		data[i] = (char)(i * 7 % 251);
	for (int i = 0; i < PIECES; i++)
		pieces[i] = (struct iovec){data + i * (LARGE / PIECES), i < PIECES - 1 ? LARGE / PIECES : LARGE - i * (LARGE / PIECES)};
	return (void *)(long)(arg ? sendmsg(fds[1], &message, 0) : writev(fds[1], pieces, PIECES));
}

static void *sends(void *arg)
{
	(void)arg;
	return (void *)(long)send(fds[1], calloc(1, LARGE), LARGE, 0);
}

static void take_all(const char *what, pthread_t thread, int check)
{
	static char data[4096];
	long got = 0, wrong = 0;

	while (got < LARGE) {
		long n = read(fds[0], data, sizeof data);

		for (long i = 0; check && i < n; i++)
			wrong += data[i] != (char)((got + i) * 7 % 251);
		got += n;
	}
	printf("%s: %ld of %ld, %ld wrong\n", what, join(thread), got, wrong);
}

static void pieces(void)
{
	two(fds);
	take_all("sendmsg", start(writes_pieces, "message"), 1);
	take_all("writev, socket", start(writes_pieces, NULL), 1);
	take_all("send", start(sends, NULL), 0);
	close_two(fds);
	pipe(fds);
	take_all("writev, pipe", start(writes_pieces, NULL), 1);
	close_two(fds);
}

/* ---------------------------------------------------------------- readiness of several */

static void *polls(void *arg)
{
	struct pollfd list[] = {{.fd = fds[0], .events = POLLIN}, {.fd = -1}, {.fd = others[0], .events = POLLIN}, {.fd = others[0], .events = POLLIN | POLLPRI}};
	int n = poll(list, 4, (int)(long)arg);

	return (void *)(long)(n < 0 ? -errno : n * 10000 + list[0].revents * 1000 + list[2].revents * 100 + list[3].revents * 10 + list[1].revents);
}

static void *selects(void *arg)
{
	struct timeval time = {.tv_usec = 50000};
	fd_set in, out;
	int n;

	FD_ZERO(&in);
	FD_ZERO(&out);
	FD_SET(fds[0], &in);
	FD_SET(others[0], &in);
	n = select(1 + (fds[0] > others[0] ? fds[0] : others[0]), &in, &out, NULL, arg ? NULL : &time);
	return (void *)(long)(n < 0 ? -errno : n * 1000 + !!FD_ISSET(fds[0], &in) * 100 + !!FD_ISSET(others[0], &in) * 10 + (!arg && time.tv_usec == 0));
}

static int set;

static void *waits_for_events(void *arg)
{
	struct epoll_event event = {0};
	int n = epoll_wait(set, &event, 1, (int)(long)arg);

	return (void *)(n < 0 ? -(long)errno : n * 10 + (long)event.data.u32);
}

static void *sleeps_in_poll(void *arg)
{
	return (void *)(long)poll(NULL, 0, (int)(long)arg);
}

static void readiness(void)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.u32 = 3};
	char data[16];
	pthread_t thread;

	two(fds);
	two(others);
	set = epoll_create1(0);
	epoll_ctl(set, EPOLL_CTL_ADD, others[0], &event);
	printf("late: %ld", join(start(polls, (void *)50)));
	printf(" %ld", join(start(selects, NULL)));
	printf(" %ld", join(start(waits_for_events, (void *)50)));
	printf(" %ld\n", join(start(sleeps_in_poll, (void *)50)));
	thread = start(polls, (void *)-1);
	write(others[1], "x", 1);
	printf("poll: %ld", join(thread));
	printf(", epoll %ld", join(start(waits_for_events, (void *)10000)));
	printf(", again %ld", join(start(waits_for_events, (void *)10)));
	read(others[0], data, sizeof data);
	thread = start(selects, "");
	write(fds[1], "x", 1);
	printf(", select %ld", join(thread));
	read(fds[0], data, sizeof data);
	thread = start(polls, (void *)10000);
	close(others[1]);
	printf(", hung up %ld\n", join(thread));
	close_two(fds);
	close(others[0]);
	close(set);
}

/* ---------------------------------------------------------------- signals */

static void on_signal(int sig)
{
	(void)sig;
	handled++;
}

static void *reads_or_not(void *arg)
{
	char c;
	long n = read((int)(long)arg, &c, 1);

	return (void *)(n < 0 ? -(long)errno : n);
}

static void *accepts(void *arg)
{
	int fd = accept((int)(long)arg, NULL, NULL);

	return (void *)(long)(fd < 0 ? -errno : close(fd) + 1);
}

static void *writes_much(void *arg)
{
	long n = write((int)(long)arg, calloc(1, LARGE), LARGE);

	return (void *)(n < 0 ? -(long)errno : n > 0 && n < LARGE ? 2 : n);
}

static void interrupted(const char *what, void *(*func)(void *), void *arg)
{
	pthread_t thread = start(func, arg);
	int before = handled;
	struct timespec soon;
	void *result;

	do { /* again, if it came before the call */
		pthread_kill(thread, SIGUSR1);
		clock_gettime(CLOCK_MONOTONIC, &soon);
		soon.tv_sec++;
	} while (pthread_clockjoin_np(thread, &result, CLOCK_MONOTONIC, &soon));
	printf(" %s %ld", what, (long)result);
	printf("/%d", handled > before);
}

/** A handler has run, and the call goes on. */
static void restarted(const char *what, void *(*func)(void *), int reader, int writer)
{
	pthread_t thread = start(func, (void *)(long)reader);
	int before = handled;

	for (int i = 0; i < 3; i++) { /* not before the last one is handled: two that wait are one */
		pthread_kill(thread, SIGUSR2);
		while (handled == before + i)
			usleep(1000);
	}
	if (writer >= 0)
		write(writer, "x", 1);
	printf(" %s %ld", what, join(thread));
	printf("/%d", handled - before);
}

static void signals(void)
{
	struct sigaction action = {.sa_handler = on_signal};
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int files[2], listener = socket(AF_UNIX, SOCK_STREAM, 0);

	sigaction(SIGUSR1, &action, NULL);
	action.sa_flags = SA_RESTART;
	sigaction(SIGUSR2, &action, NULL);
	bind(listener, (struct sockaddr *)&address, sizeof(sa_family_t));
	listen(listener, 5);
	pipe(files);
	two(fds);
	two(others);
	set = epoll_create1(0);
	printf("interrupted:");
	interrupted("pipe", reads_or_not, (void *)(long)files[0]);
	interrupted("socket", reads_or_not, (void *)(long)fds[0]);
	interrupted("accept", accepts, (void *)(long)listener);
	interrupted("poll", polls, (void *)-1);
	interrupted("select", selects, "");
	interrupted("epoll", waits_for_events, (void *)-1);
	interrupted("write", writes_much, (void *)(long)files[1]);
	close_two(files);
	pipe(files);
	printf("\nrestarted:");
	restarted("pipe", reads_or_not, files[0], files[1]);
	restarted("socket", reads_or_not, fds[0], fds[1]);
	printf("\n");
	close_two(files);
	close_two(fds);
	close_two(others);
	close(set);
	close(listener);
}

/** Signals and data race: each byte is read once, each read that fails has had its handler. */
static int torrent[2];
static volatile int over;

static void *drinks(void *arg)
{
	long got = 0;
	char c;

	(void)arg;
	for (;;) {
		long n = read(torrent[0], &c, 1);

		if (n == 0)
			break;
		got += n > 0;
	}
	over = 1;
	return (void *)got;
}

static void *stings(void *arg)
{
	while (!over) {
		pthread_kill(*(pthread_t *)arg, SIGUSR1);
		sched_yield();
	}
	return NULL;
}

static void race(void)
{
	pthread_t thread, other;

	pipe(torrent);
	thread = start(drinks, NULL);
	other = start(stings, &thread);
	for (int i = 0; i < 2000; i++) {
		write(torrent[1], "x", 1);
		if (i % 7 == 0)
			sched_yield();
	}
	close(torrent[1]);
	pthread_join(other, NULL);
	printf("race: %ld\n", join(thread));
	close(torrent[0]);
}

/* ---------------------------------------------------------------- sockets' own */

static void *receives_in_time(void *arg)
{
	char c;
	long n = recv(fds[0], &c, 1, 0);

	(void)arg;
	return (void *)(n < 0 ? -(long)errno : n);
}

static void timeouts(void)
{
	struct timeval time = {.tv_usec = 40000};
	pthread_t thread;

	two(fds);
	thread = start(receives_in_time, NULL);
	write(fds[1], "x", 1);
	printf("without a timeout: %ld", join(thread));
	setsockopt(fds[0], SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time);
	printf(", with: %ld\n", join(start(receives_in_time, NULL)));
	close_two(fds);
}

/** To an address whose queue is full, which poll does not tell: the sender is not connected. */
static struct sockaddr_un full = {.sun_family = AF_UNIX};

static void *sends_datagrams(void *arg)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	long sent = 0;

	(void)arg;
	for (int i = 0; i < 100; i++)
		sent += sendto(fd, "datagram", 8, 0, (struct sockaddr *)&full, sizeof full) == 8;
	close(fd);
	return (void *)sent;
}

static void datagrams(void)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	pthread_t thread;
	char data[16];
	long got = 0;

	snprintf(full.sun_path + 1, sizeof full.sun_path - 1, "libcr-waits-%d", getpid());
	bind(fd, (struct sockaddr *)&full, sizeof full);
	thread = start(sends_datagrams, NULL);
	for (int i = 0; i < 100; i++)
		got += recv(fd, data, sizeof data, 0);
	printf("datagrams: %ld, %ld bytes\n", join(thread), got);
	close(fd);
}

/* ---------------------------------------------------------------- the program's descriptors */

static void *ends(void *arg)
{
	return arg;
}

/** libcr's own are not in their way, and can't be closed. */
static void numbers(void)
{
	pthread_t thread;
	int files[2], high = 1023;

	pipe(fds);
	thread = start(reads_one, (void *)(long)fds[0]);
	pipe(files);
	printf("numbers: %d", files[0] - fds[1]);
	for (int fd = files[1] + 1; fd <= high; fd++)
		close(fd);
	close_range((unsigned)files[1] + 1, ~0u, 0);
	close_two(files);
	write(fds[1], "x", 1);
	printf(", %ld", join(thread));
	thread = start(reads_one, (void *)(long)fds[0]);
	write(fds[1], "x", 1);
	printf(", %ld", join(thread));
	/* one number, another file: what was known of it is not known any more */
	close_two(fds);
	files[0] = open("/proc/self/exe", O_RDONLY);
	printf(", %d", files[0] == fds[0]);
	thread = start(reads, (void *)(long)files[0]);
	printf(" %ld", join(thread));
	pipe(others);
	dup2(others[0], files[0]);
	thread = start(reads, (void *)(long)files[0]);
	write(others[1], "four", 4);
	printf(" %ld\n", join(thread));
	close_two(others);
	close(files[0]);
}

static void child(void)
{
	pthread_t waiting, thread;
	int files[2], status = 0;
	pid_t pid;

	pipe(fds);
	pipe(files);
	waiting = start(reads_one, (void *)(long)fds[0]);
	fflush(stdout);
	pid = fork();
	if (!pid) {
		thread = start(reads, (void *)(long)files[0]);
		write(files[1], "child", 5);
		_exit((int)join(thread));
	}
	waitpid(pid, &status, 0);
	printf("child: %d", WEXITSTATUS(status));
	write(fds[1], "x", 1);
	printf(", parent: %ld, %ld\n", join(waiting), join(start(ends, (void *)7)));
	close_two(fds);
	close_two(files);
}

/** /dev/zero gives all that is asked for, also where others want the processor and another thread waits. */
static void whole(void)
{
	static char buffer[8 * LARGE];
	int zero = open("/dev/zero", O_RDONLY), parts = 0;
	pid_t busy[4];

	pipe(fds);
	pthread_t waiting = start(reads_one, (void *)(long)fds[0]);
	for (int i = 0; i < 4; i++)
		if (!(busy[i] = fork()))
			for (;;)
				;
	for (int i = 0; i < 20; i++)
		parts += read(zero, buffer, sizeof(buffer)) != sizeof(buffer);
	for (int i = 0; i < 4; i++) {
		kill(busy[i], SIGKILL);
		waitpid(busy[i], NULL, 0);
	}
	printf("of /dev/zero in parts: %d\n", parts);
	write(fds[1], "x", 1);
	join(waiting);
	close_two(fds);
	close(zero);
}

/** The process ends while threads wait. */
int main(void)
{
	char folder[] = "/tmp/libcr-waits-XXXXXX";
	static pthread_t forever;

	setvbuf(stdout, NULL, _IOLBF, 0);
	mkdtemp(folder);
	kinds(folder);
	many_for_one();
	pieces();
	readiness();
	signals();
	race();
	timeouts();
	datagrams();
	numbers();
	child();
	whole();
	rmdir(folder);
	pipe(fds);
	forever = start(reads_one, (void *)(long)fds[0]);
	(void)forever;
	return 3;
}
