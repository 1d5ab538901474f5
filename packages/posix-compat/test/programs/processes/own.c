/*
 * own.c - tries to reach libcr's own descriptors, on all ways that lead to one, while threads wait by them; and that they do all the same afterwards. Their numbers come
 * from a child, which looks at the process from outside. Natively there are none, and the output but for their count is the same. With an argument: RLIMIT_NOFILE's
 * soft limit is that first, and how many lie below it is counted.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define THREADS 8
#define OWN_MAX 100
#define MOST 4000 /* numbers that are tried blindly */

static int pipes[THREADS][2], sockets[2];
static int own[OWN_MAX], nown;

static void *echoes(void *arg)
{
	int i = (int)(long)arg;
	char c;

	while (read(pipes[i][0], &c, 1) == 1 && write(sockets[1], &c, 1) == 1)
		;
	return NULL;
}

/** All threads are woken, on whatever rfork they wait. */
static void all_echo(const char *when)
{
	int got = 0;
	char c;

	for (int round = 0; round < 20; round++) {
		for (int i = 0; i < THREADS; i++)
			write(pipes[i][1], "x", 1);
		for (int i = 0; i < THREADS; i++)
			got += read(sockets[0], &c, 1) == 1;
	}
	printf("%s: %d\n", when, got);
}

static int is_open_natively(int fd)
{
	if (fd <= 2 || fd == sockets[0] || fd == sockets[1])
		return 1;
	for (int i = 0; i < THREADS; i++)
		if (fd == pipes[i][0] || fd == pipes[i][1])
			return 1;
	return 0;
}

/** How many of a process' descriptors are none of the program's, and which. */
static int look(const char *folder_name, int *to)
{
	DIR *folder = opendir(folder_name);
	struct dirent *entry;
	int n = 0;

	while ((entry = readdir(folder)))
		if (entry->d_name[0] != '.' && (atoi(entry->d_name) != dirfd(folder) || !strstr(folder_name, "self")) && !is_open_natively(atoi(entry->d_name)) && n < OWN_MAX)
			to[n++] = atoi(entry->d_name);
	closedir(folder);
	return n;
}

static void find_own(void)
{
	char name[32];
	int *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0), status;

	snprintf(name, sizeof name, "/proc/%d/fd", (int)getpid());
	if (!fork()) {
		shared[0] = look(name, shared + 1);
		_exit(0);
	}
	wait(&status);
	nown = shared[0];
	memcpy(own, shared + 1, sizeof own);
	munmap(shared, 4096);
}

static int wrong;

static void expect_error(const char *what, int fd, long result, int error)
{
	if (result < 0 && errno == error)
		return;
	wrong++;
	printf("%s of %d: %ld errno %d\n", what, fd, result, result < 0 ? errno : 0);
}

#define BAD(what, result) expect_error(what, fd, result, EBADF)

static void sends(int fd, int many)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(2 * sizeof(int))];
	} control = {.header = {CMSG_LEN(2 * sizeof(int)), SOL_SOCKET, SCM_RIGHTS}};
	struct iovec iov = {"x", 1};
	struct mmsghdr messages[2] = {{.msg_hdr = {.msg_iov = &iov, .msg_iovlen = 1}}};
	int fds[2] = {0, fd};

	memcpy(CMSG_DATA(&control.header), fds, sizeof fds);
	messages[1].msg_hdr = (struct msghdr){.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control};
	if (!many)
		BAD("sendmsg", sendmsg(sockets[0], &messages[1].msg_hdr, MSG_DONTWAIT));
	else
		BAD("sendmmsg", sendmmsg(sockets[0], messages + 1, 1, MSG_DONTWAIT));
}

static void try_all(int fd)
{
	char bytes[8] = "";
	struct iovec iov = {bytes, sizeof bytes};
	struct stat about;
	int epoll = epoll_create1(0), number;
	struct epoll_event event = {.events = EPOLLIN};
	struct sockaddr address = {0};
	socklen_t size = sizeof address;

	BAD("close", close(fd));
	BAD("dup", dup(fd));
	BAD("F_DUPFD", fcntl(fd, F_DUPFD, 3));
	BAD("F_DUPFD_CLOEXEC", fcntl(fd, F_DUPFD_CLOEXEC, 3));
	BAD("F_GETFD", fcntl(fd, F_GETFD));
	BAD("F_SETFD", fcntl(fd, F_SETFD, 0));
	BAD("F_SETFL", fcntl(fd, F_SETFL, 0));
	BAD("dup2 from", dup2(fd, 10));
	BAD("dup3 from", dup3(fd, 10, 0));
	BAD("dup2 onto itself", dup2(fd, fd));
	BAD("read", read(fd, bytes, sizeof bytes));
	BAD("write", write(fd, bytes, sizeof bytes));
	BAD("pread", pread(fd, bytes, sizeof bytes, 0));
	BAD("pwrite", pwrite(fd, bytes, sizeof bytes, 0));
	BAD("readv", readv(fd, &iov, 1));
	BAD("writev", writev(fd, &iov, 1));
	BAD("recv", recv(fd, bytes, 8, MSG_DONTWAIT));
	BAD("getsockname", getsockname(fd, &address, &size));
	BAD("fstat", fstat(fd, &about));
	BAD("ioctl", ioctl(fd, FIONREAD, &number));
	BAD("lseek", lseek(fd, 0, SEEK_SET));
	BAD("ftruncate", ftruncate(fd, 0));
	BAD("fsync", fsync(fd));
	BAD("sendfile", sendfile(fd, pipes[0][0], NULL, 1));
	BAD("epoll_ctl add", epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event));
	BAD("epoll_ctl of", epoll_ctl(fd, EPOLL_CTL_ADD, epoll, &event));
	BAD("epoll_wait", epoll_wait(fd, &event, 1, 0));
	BAD("mmap", (long)mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0));
	BAD("io_uring_enter", syscall(SYS_io_uring_enter, fd, 0, 0, 0, NULL, 0));
	BAD("io_uring_register", syscall(SYS_io_uring_register, fd, 4, NULL, 0));
	sends(fd, 0);
	sends(fd, 1);
	if (mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, fd, 0) == MAP_FAILED)
		wrong++;
	close(epoll);
}

/** Nothing may come to lie where one of libcr's is. */
static void try_onto(int fd)
{
	BAD("dup2 onto", dup2(0, fd));
	BAD("dup3 onto", dup3(0, fd, O_CLOEXEC));
}

static void close_blindly(int last)
{
	for (int fd = 3; fd < last; fd++)
		if (!is_open_natively(fd))
			close(fd);
}

/** With close_range, around what the program needs. */
static void close_ranges(int flags)
{
	int from = 3;

	for (int fd = 3; fd < 200; fd++)
		if (is_open_natively(fd)) {
			if (fd > from)
				close_range((unsigned)from, (unsigned)fd - 1, flags);
			from = fd + 1;
		}
	printf("close_range: %d\n", close_range((unsigned)from, ~0u, flags));
}

static void *a_moment(void *arg)
{
	usleep(1000);
	return arg;
}

/** A process that shares descriptors but no memory; it has threads that wait, and ends. */
static void share_files(void)
{
	int status = -1, fds[2];
	pthread_t thread;
	pid_t child = (pid_t)syscall(SYS_clone, CLONE_FILES | SIGCHLD, NULL, NULL, NULL, NULL);

	if (!child) {
		pthread_create(&thread, NULL, a_moment, NULL);
		pthread_join(thread, NULL);
		pipe(fds);
		pthread_create(&thread, NULL, echoes, NULL); /* never woken by it: it waits for what nobody writes */
		usleep(20000);
		_exit(fds[1] < 100 ? fds[0] : 255);
	}
	waitpid(child, &status, 0);
	printf("shared: %d\n", WEXITSTATUS(status) < 255 && !fcntl(WEXITSTATUS(status), F_GETFD));
	close(WEXITSTATUS(status));
	close(WEXITSTATUS(status) + 1);
}

static int closes(void *arg)
{
	(void)arg;
	close_blindly(MOST);
	return 0;
}

/** The same without memory of its own. */
static void share_all(void)
{
	char *stack = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int status = -1;

	waitpid(clone(closes, stack + 65536, CLONE_VM | CLONE_VFORK | CLONE_FILES | SIGCHLD, NULL), &status, 0);
	printf("vfork that shares: %d\n", status);
}

static void close_pipes(void)
{
	for (int fd = 3; fd < 200; fd++)
		if (is_open_natively(fd))
			close(fd);
}

/** A file without a path is run as it is: nothing is left open for it. */
static void run_without_libcr(void)
{
	char *const argv[] = {"own", "-", NULL}, *const environment[] = {NULL};
	int from = open("/proc/self/exe", O_RDONLY), memory = memfd_create("own", MFD_CLOEXEC), status;

	while (sendfile(memory, from, NULL, 1 << 20) > 0)
		;
	close(from);
	if (!fork()) {
		close_pipes();
		fexecve(memory, argv, environment);
		_exit(1);
	}
	wait(&status);
	printf("without libcr: %d\n", status);
	close(memory);
}

static int below_limit(int limit)
{
	int n = 0;

	for (int i = 0; i < nown; i++)
		n += own[i] < limit;
	return n;
}

int main(int argc, char **argv)
{
	pthread_t threads[THREADS];
	struct rlimit limit, low;
	int found[OWN_MAX];

	setvbuf(stdout, NULL, _IONBF, 0);
	if (argc == 1 || argv[1][0] != '-')
		close_range(3, ~0u, 0); /* whoever runs this may have left some */
	getrlimit(RLIMIT_NOFILE, &limit);
	if (argc > 1 && argv[1][0] == '-')
		return look("/proc/self/fd", found);
	if (argc > 1) {
		limit.rlim_cur = (rlim_t)atoi(argv[1]);
		setrlimit(RLIMIT_NOFILE, &limit);
	}
	for (int i = 0; i < THREADS; i++)
		pipe(pipes[i]);
	socketpair(AF_UNIX, SOCK_STREAM, 0, sockets);
	for (long i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, echoes, (void *)i);
	all_echo("before");
	do {
		usleep(1000); /* until threads wait by as many as $OWN */
		find_own();
	} while (getenv("OWN") && nown < atoi(getenv("OWN")));
	fprintf(stderr, "own %d, below the limit %d\n", nown, below_limit((int)limit.rlim_cur));
	printf("seen by itself: %d %d\n", look("/proc/self/fd", found), look("/proc/thread-self/fdinfo", found));
	for (int i = 0; i < nown; i++)
		try_all(own[i]);
	for (int i = 0; i < nown && argc == 1; i++)
		try_onto(own[i]);
	printf("wrong: %d\n", wrong);
	all_echo("each");
	low = limit;
	low.rlim_cur = 64;
	setrlimit(RLIMIT_NOFILE, &low);
	all_echo("a low limit");
	close_blindly(MOST);
	setrlimit(RLIMIT_NOFILE, &limit);
	all_echo("closed blindly");
	close_ranges(0);
	all_echo("closed by range");
	close_ranges(4 /* CLOSE_RANGE_CLOEXEC */);
	share_files();
	all_echo("shared");
	share_all();
	all_echo("shared with memory");
	printf("limit: %d\n", !getrlimit(RLIMIT_NOFILE, &low) && low.rlim_cur == limit.rlim_cur && low.rlim_max == limit.rlim_max);
	run_without_libcr();
	close_ranges(0);
	close_pipes();
	execlp("sh", "sh", "-c", "ls /proc/self/fd; echo ended", NULL);
	return 1;
}
