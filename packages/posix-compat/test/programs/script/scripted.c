/* scripted.c - calls that the supervisor of supervisor.c is about: scripted WHICH [N]. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#define LARGE 600000 /* bytes: more than a slot */

extern char **environ;
static unsigned char large[LARGE], other[LARGE];

static void fill(unsigned char *at, size_t n, unsigned seed)
{
	for (size_t i = 0; i < n; i++)
		at[i] = (unsigned char)((seed = seed * 1103515245 + 12345) >> 16);
}

static void same(const char *what, const void *a, const void *b, size_t n)
{
	printf("%s %s\n", what, memcmp(a, b, n) ? "DIFFERS" : "same");
}

/* ------------------------------------------------ memory of every kind */

static void files(void)
{
	char name[] = "scripted-XXXXXX", link[sizeof(name) + 2], text[64] = "", value[16] = "";
	struct iovec iov[] = {{large, 1000}, {large + 1000, 0}, {large + 1000, 250000}, {large + 251000, 49000}};
	struct iovec back[] = {{other, 7}, {other + 7, 299000}, {other + 299007, 993}};
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 5, .l_len = 7};
	struct statx about;
	struct stat st;
	struct statfs fs;
	int fd = mkstemp(name), n;

	fill(large, LARGE, 1);
	printf("write %zd\n", write(fd, large, LARGE));
	printf("pread %zd\n", pread(fd, other, LARGE, 0));
	same("pread", large, other, LARGE);
	memset(other, 0, LARGE);
	lseek(fd, 0, SEEK_SET);
	printf("read %zd\n", read(fd, other, 100000));
	same("read", large, other, 100000);
	ftruncate(fd, 0);
	lseek(fd, 0, SEEK_SET);
	printf("writev %zd\n", writev(fd, iov, 4));
	memset(other, 0, LARGE);
	lseek(fd, 0, SEEK_SET);
	printf("readv %zd\n", readv(fd, back, 3));
	same("readv", large, other, 300000);
	printf("pwritev %zd", pwritev(fd, iov, 1, 3));
	printf(" preadv %zd\n", preadv(fd, back, 1, 3));
	same("preadv", large, other, 7);
	printf("fstat %d", fstat(fd, &st));
	printf(" %ld\n", (long)st.st_size);
	printf("statx %d", statx(AT_FDCWD, name, 0, STATX_SIZE, &about));
	printf(" %llu\n", (unsigned long long)about.stx_size);
	printf("statfs %d", statfs(name, &fs));
	printf(" %d\n", fs.f_bsize > 0);
	printf("lock %d", fcntl(fd, F_SETLK, &lock));
	lock.l_type = F_RDLCK;
	printf(" %d", fcntl(fd, F_GETLK, &lock));
	printf(" %d\n", lock.l_type == F_UNLCK);
	lseek(fd, 0, SEEK_SET);
	printf("fionread %d", ioctl(fd, FIONREAD, &n));
	printf(" %d\n", n);
	sprintf(link, "%s.l", name);
	printf("symlink %d", symlink("where/ever", link));
	printf(" readlink %zd", readlink(link, text, sizeof(text)));
	printf(" %s\n", text);
	n = setxattr(name, "user.libcr", "12345", 5, 0);
	printf("xattr %d\n", n ? errno == ENOTSUP || errno == EPERM : getxattr(name, "user.libcr", value, sizeof(value)) == 5 && !memcmp(value, "12345", 5));
	sprintf(text, "%s.r", name);
	printf("rename %d", rename(link, text));
	printf(" access %d", access(name, R_OK));
	printf(" unlink %d %d\n", unlink(name), unlink(text));
	printf("open %d %d\n", open("/no/such/file", O_RDONLY), errno);
	printf("bad %ld %d\n", syscall(SYS_open, 16, O_RDONLY), errno);
	printf("bad %ld %d\n", syscall(SYS_write, fd, 16, 5), errno);
	printf("none %ld %d\n", syscall(SYS_utimensat, fd, NULL, NULL, 0), errno);
	close(fd);
}

static void message(int fds[2])
{
	char control[CMSG_SPACE(sizeof(int))], received[CMSG_SPACE(sizeof(int))];
	char name[32] = "", got[200] = "";
	struct iovec iov[] = {{"one ", 4}, {"two ", 4}, {"three", 5}}, to[] = {{got, 3}, {got + 3, 2}, {got + 5, 100}};
	struct msghdr msg = {.msg_iov = iov, .msg_iovlen = 3, .msg_control = control, .msg_controllen = sizeof(control)};
	struct msghdr in = {.msg_iov = to, .msg_iovlen = 3, .msg_control = received, .msg_controllen = sizeof(received), .msg_name = name, .msg_namelen = sizeof(name)};
	struct cmsghdr *head = CMSG_FIRSTHDR(&msg);
	int passed;

	memset(control, 0, sizeof(control));
	*head = (struct cmsghdr){.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof(int))};
	memcpy(CMSG_DATA(head), &fds[0], sizeof(int));
	printf("sendmsg %zd", sendmsg(fds[0], &msg, 0));
	printf(" recvmsg %zd", recvmsg(fds[1], &in, 0));
	memcpy(&passed, CMSG_DATA(CMSG_FIRSTHDR(&in)), sizeof(int));
	printf(" %s %d %zu %u %x %d\n", got, fcntl(passed, F_GETFD) >= 0, (size_t)in.msg_controllen, in.msg_namelen, in.msg_flags, passed != fds[0]);
	close(passed);
	memset(&in, 0, sizeof(in));
	in = (struct msghdr){.msg_iov = to, .msg_iovlen = 1};
	printf("sendto %zd", sendto(fds[0], "abcdef", 6, 0, NULL, 0));
	printf(" recvmsg %zd %d", recvmsg(fds[1], &in, 0), (in.msg_flags & MSG_TRUNC) != 0);
	printf(" %.3s\n", got);
}

static void sockets(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "\0scripted"}, peer, own;
	socklen_t size = sizeof(peer), length = sizeof(int);
	char path[64], text[16] = "";
	int fds[2], server = socket(AF_UNIX, SOCK_DGRAM, 0), client = socket(AF_UNIX, SOCK_DGRAM, 0), value = 0;

	socketpair(AF_UNIX, SOCK_DGRAM, 0, fds);
	message(fds);
	sprintf(path, "scripted-%d", getpid());
	strcpy(address.sun_path + 1, path);
	printf("bind %d", bind(server, (struct sockaddr *)&address, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(path))));
	printf(" connect %d", connect(client, (struct sockaddr *)&address, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(path))));
	printf(" getpeername %d", getpeername(client, (struct sockaddr *)&peer, &size));
	printf(" %d %s\n", size == offsetof(struct sockaddr_un, sun_path) + 1 + strlen(path), memcmp(peer.sun_path + 1, path, strlen(path)) ? "DIFFERS" : "same");
	size = 2; /* too short */
	own.sun_family = 0;
	printf("getsockname %d", getsockname(server, (struct sockaddr *)&own, &size));
	printf(" %d %d\n", own.sun_family == AF_UNIX, size > 2);
	printf("send %zd", send(client, "hello", 5, 0));
	size = sizeof(peer);
	printf(" recvfrom %zd", recvfrom(server, text, sizeof(text), 0, (struct sockaddr *)&peer, &size));
	printf(" %s %u\n", text, size);
	printf("getsockopt %d", getsockopt(server, SOL_SOCKET, SO_TYPE, &value, &length));
	printf(" %d\n", value == SOCK_DGRAM && length == sizeof(int));
	value = 1;
	printf("setsockopt %d\n", setsockopt(server, SOL_SOCKET, SO_PASSCRED, &value, sizeof(value)));
}

static void events(void)
{
	struct timeval soon = {0, 1000}, later = {50, 0};
	struct pollfd polled[2];
	struct epoll_event event = {.events = EPOLLIN, .data.u64 = 0x123456789abcull}, got[4];
	struct timespec moment = {0, 1000000};
	int fds[2], epoll = epoll_create1(0);
	fd_set set;

	pipe(fds);
	FD_ZERO(&set);
	FD_SET(fds[0], &set);
	printf("select %d", select(fds[0] + 1, &set, NULL, NULL, &soon));
	printf(" %d\n", FD_ISSET(fds[0], &set));
	write(fds[1], "x", 1);
	FD_SET(fds[0], &set);
	printf("select %d", select(fds[0] + 1, &set, NULL, NULL, &later));
	printf(" %d %d\n", FD_ISSET(fds[0], &set), later.tv_sec == 49);
	polled[0] = (struct pollfd){.fd = fds[0], .events = POLLIN};
	polled[1] = (struct pollfd){.fd = fds[1], .events = POLLIN | POLLOUT};
	printf("poll %d", poll(polled, 2, 1000));
	printf(" %d %d\n", polled[0].revents, polled[1].revents);
	printf("epoll_ctl %d", epoll_ctl(epoll, EPOLL_CTL_ADD, fds[0], &event));
	printf(" %d", epoll_wait(epoll, got, 4, 1000));
	printf(" %llx\n", (unsigned long long)got[0].data.u64);
	printf("nanosleep %d\n", nanosleep(&moment, NULL));
	printf("getrandom %zd\n", getrandom(other, 300, 0));
}

static void folder(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int n = 0;

	for (struct dirent *entry; (entry = readdir(dir));)
		n += entry->d_name[0] != '.' && atoi(entry->d_name) != dirfd(dir);
	printf("descriptors %d\n", n);
	closedir(dir);
}

static void data(void)
{
	folder();
	files();
	sockets();
	events();
}

/* ------------------------------------------------ processes */

static void processes(void)
{
	static char *const args[] = {"echo", "spawned", NULL};
	posix_spawn_file_actions_t actions;
	int status, error, fds[2];
	char text[16] = "";
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		printf("child %d\n", access("/", R_OK));
		fflush(stdout);
		_exit(3);
	}
	waitpid(pid, &status, 0);
	printf("fork %d\n", WEXITSTATUS(status));
	pid = vfork();
	if (!pid) {
		access("/", R_OK);
		_exit(4);
	}
	waitpid(pid, &status, 0);
	printf("vfork %d\n", WEXITSTATUS(status));
	fflush(stdout);
	error = posix_spawnp(&pid, "echo", NULL, NULL, args, environ);
	waitpid(pid, &status, 0);
	printf("spawn %d %d\n", error, WEXITSTATUS(status));
	fflush(stdout);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addclosefrom_np(&actions, 3);
	error = posix_spawnp(&pid, "echo", &actions, NULL, args, environ);
	waitpid(pid, &status, 0);
	printf("spawn, all closed %d %d\n", error, WEXITSTATUS(status));
	pipe(fds);
	fflush(stdout);
	pid = fork();
	if (!pid) {
		close_range(3, (unsigned)fds[0] - 1, 0);
		close_range((unsigned)fds[1] + 1, ~0u, 0);
		dup2(fds[1], 1);
		execlp("sh", "sh", "-c", "echo ex; exit 5", NULL);
		_exit(1);
	}
	close(fds[1]);
	read(fds[0], text, sizeof(text));
	waitpid(pid, &status, 0);
	printf("exec %d %s", WEXITSTATUS(status), text);
	printf("no exec %d %d\n", execl("/no/such", "x", NULL), errno);
}

/* ------------------------------------------------ threads and signals */

static void *one(void *arg)
{
	(void)arg;
	return (void *)(intptr_t)getpgid(0);
}

static void at_once(int n)
{
	pthread_t all[n];
	int right = 0;

	for (int i = 0; i < n; i++)
		pthread_create(&all[i], NULL, one, NULL);
	for (int i = 0; i < n; i++) {
		void *result;

		pthread_join(all[i], &result);
		right += (intptr_t)result == 42;
	}
	printf("%d\n", right);
}

static void *many_calls(void *arg)
{
	intptr_t wrong = 0;

	for (int i = 0; i < *(int *)arg; i++)
		wrong += getpgid(0) != getpgrp();
	return (void *)wrong;
}

static void many(int n)
{
	pthread_t all[8];
	intptr_t wrong = 0;

	for (int i = 0; i < 8; i++)
		pthread_create(&all[i], NULL, many_calls, &n);
	for (int i = 0; i < 8; i++) {
		void *result;

		pthread_join(all[i], &result);
		wrong += (intptr_t)result;
	}
	printf("wrong %ld\n", (long)wrong);
}

static volatile sig_atomic_t caught, over;

static void on_signal(int sig) { caught = sig; }

static void *send_signals(void *arg)
{
	while (!over) { /* the first may come before the call */
		usleep(5000);
		pthread_kill(*(pthread_t *)arg, SIGUSR1);
	}
	return NULL;
}

/** How a call ends that the supervisor holds until it is cancelled: one that may wait by itself (flock), or never does (getpgid). flags: of the handler. */
static void held(long number, int flags, int threads)
{
	struct sigaction act = {.sa_handler = on_signal, .sa_flags = flags};
	pthread_t me = pthread_self(), thread;
	int result;

	sigaction(SIGUSR1, &act, NULL);
	sigaction(SIGALRM, &act, NULL);
	if (threads)
		pthread_create(&thread, NULL, send_signals, &me);
	else
		ualarm(20000, 20000);
	result = (int)syscall(number, 0, 0);
	printf("%d %s %d\n", result, result < 0 ? strerror(errno) : "-", caught == (threads ? SIGUSR1 : SIGALRM));
	over = 1;
	ualarm(0, 0);
	if (threads)
		pthread_join(thread, NULL);
}

static void *ask_named(void *arg)
{
	pthread_setname_np(pthread_self(), arg);
	getpgid(0);
	return NULL;
}

/** The lwps' names, as the supervisor sees them. */
static void names(void)
{
	pthread_t thread;

	getpgid(0);
	pthread_setname_np(pthread_self(), "first");
	getpgid(0);
	pthread_create(&thread, NULL, ask_named, "second");
	pthread_join(thread, NULL);
	if (!fork())
		ask_named("child"), _exit(0);
	wait(NULL);
	getpgid(0);
}

/** What a supervisor lies about is EFAULT, and no more. */
static void lies(void)
{
	struct iovec iov[2] = {{"a", 1}, {"b", 1}};
	struct msghdr msg = {.msg_iov = iov, .msg_iovlen = 2};
	int zero = open("/dev/zero", O_RDWR), errors[6], fds[2];
	char bytes[100] = "";
	struct stat about;

	socketpair(AF_UNIX, SOCK_STREAM, 0, fds);
	getpgid(0);
	errors[0] = access("/", R_OK) ? errno : 0;
	errors[1] = read(zero, bytes, sizeof(bytes)) < 0 ? errno : 0;
	errors[2] = writev(zero, iov, 2) < 0 ? errno : 0;
	errors[3] = sendmsg(fds[0], &msg, 0) < 0 ? errno : 0;
	errors[4] = fstat(zero, &about) ? errno : 0;
	errors[5] = write(zero, bytes, sizeof(bytes)) < 0 ? errno : 0;
	getpgid(0);
	for (int i = 0; i < 6; i++)
		printf("%s%s", errors[i] == EFAULT ? "EFAULT" : strerror(errors[i]), i < 5 ? " " : "\n");
}

/** stat of a symbolic link. */
static void link_of(void)
{
	struct stat about = {0};
	int result = (int)syscall(SYS_stat, "/proc/self/exe", &about);

	printf("%d %d\n", result, S_ISLNK(about.st_mode));
}

static void *ask(void *arg)
{
	return (void *)(intptr_t)(getpgid(0) == getpgrp() ? (intptr_t)arg : 0);
}

/** Many that ask a supervisor which dies meanwhile. */
static void orphans(void)
{
	pthread_t all[8];
	intptr_t right = 0;

	for (intptr_t i = 0; i < 8; i++)
		pthread_create(&all[i], NULL, ask, (void *)1);
	for (int i = 0; i < 8; i++) {
		void *result;

		pthread_join(all[i], &result);
		right += (intptr_t)result;
	}
	printf("right %ld %d\n", (long)right, getpgid(0) == getpgrp());
}

/** ns of a call, the best of many batches. */
static void time_calls(int n)
{
	double best = 1e9;

	for (int batch = 0; batch < 50; batch++) {
		struct timespec a, b;
		double ns;

		clock_gettime(CLOCK_MONOTONIC, &a);
		for (int i = 0; i < n; i++)
			syscall(SYS_getpid);
		clock_gettime(CLOCK_MONOTONIC, &b);
		ns = ((double)(b.tv_sec - a.tv_sec) * 1e9 + (double)(b.tv_nsec - a.tv_nsec)) / n;
		best = ns < best ? ns : best;
	}
	printf("%.2f\n", best);
}

int main(int argc, char **argv)
{
	const char *which = argc > 1 ? argv[1] : "";
	const int n = argc > 2 ? atoi(argv[2]) : 0;

	if (!strcmp(which, "data"))
		data();
	else if (!strcmp(which, "processes"))
		processes();
	else if (!strcmp(which, "at-once"))
		at_once(n);
	else if (!strcmp(which, "many"))
		many(n);
	else if (!strcmp(which, "restart"))
		held(SYS_flock, SA_RESTART, n);
	else if (!strcmp(which, "interrupt"))
		held(SYS_flock, 0, n);
	else if (!strcmp(which, "never-waits"))
		held(SYS_getpgid, 0, n);
	else if (!strcmp(which, "link"))
		link_of();
	else if (!strcmp(which, "lies"))
		lies();
	else if (!strcmp(which, "names"))
		names();
	else if (!strcmp(which, "orphans"))
		orphans();
	else if (!strcmp(which, "time"))
		time_calls(n);
	return 0;
}
