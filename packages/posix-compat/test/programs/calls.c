/* calls.c - system calls of all kinds, with one thread and always the same, for a trace of them to be compared. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void files(void)
{
	char buffer[100];
	struct stat stat;
	struct statx statx_buffer;
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 1, .l_len = 10};
	struct iovec iov[2] = {{(void *)"one ", 4}, {(void *)"two\t\"three\"\\ \001\0019\377", 17}};
	struct timespec times[2] = {{.tv_nsec = UTIME_NOW}, {.tv_sec = 1000, .tv_nsec = 7}};
	int fd = open("file", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);

	writev(fd, iov, 2);
	write(fd, "a line that is longer than what is shown\n", 41);
	lseek(fd, 0, SEEK_SET);
	read(fd, buffer, 6);
	pread(fd, buffer, 40, 2);
	pwrite(fd, "x", 1, 99999999999);
	lseek(fd, -1, SEEK_END);
	iov[0].iov_base = buffer;
	iov[1] = (struct iovec){buffer + 50, 20};
	preadv(fd, iov, 2, 1);
	fcntl(fd, F_GETFD);
	fcntl(fd, F_SETFD, 0);
	fcntl(fd, F_GETFD);
	fcntl(fd, F_GETFL);
	fcntl(fd, F_SETFL, O_APPEND | O_NONBLOCK);
	fcntl(fd, F_SETLK, &lock);
	fcntl(fd, F_GETLK, &lock);
	close(fcntl(fd, F_DUPFD_CLOEXEC, 20));
	close(dup3(fd, 30, O_CLOEXEC));
	dup2(fd, 31);
	close(31);
	fstat(fd, &stat);
	lstat("/dev/null", &stat);
	stat.st_mode = 0;
	fstatat(AT_FDCWD, "nosuch", &stat, AT_SYMLINK_NOFOLLOW);
	statx(fd, "", AT_EMPTY_PATH, STATX_SIZE | STATX_MODE, &statx_buffer);
	ftruncate(fd, 10);
	fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 100);
	fsync(fd);
	fchmod(fd, 04755);
	fstat(fd, &stat);
	fchown(fd, (uid_t)-1, (gid_t)-1);
	futimens(fd, times);
	posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	close(fd);
	close(fd);
	access("file", R_OK | W_OK);
	access("nosuch", F_OK);
	faccessat(AT_FDCWD, "file", X_OK, AT_EACCESS);
	symlink("file", "link");
	readlink("link", buffer, sizeof(buffer));
	rename("link", "name \"with\" \n signs \303\244");
	unlink("name \"with\" \n signs \303\244");
	mkdir("folder", 0700);
	chdir("folder");
	getcwd(buffer, sizeof(buffer));
	chdir("..");
	rmdir("folder");
	umask(umask(027));
	chmod("file", 0);
	unlink("file");
	open((char *)8, O_RDONLY);
	ioctl(0, TIOCGWINSZ, buffer);
	ioctl(0, TCGETS, buffer);
	openat(AT_FDCWD, ".", O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
	open(".", O_TMPFILE | O_RDWR, 0600);
}

static void handler(int sig)
{
	(void)sig;
}

static void signals(void)
{
	struct sigaction act = {.sa_handler = handler, .sa_flags = SA_RESTART | SA_NODEFER};
	struct itimerval timer = {.it_value = {1000, 5}};
	sigset_t set;

	sigemptyset(&act.sa_mask);
	sigaddset(&act.sa_mask, SIGUSR2);
	sigaction(SIGUSR1, &act, NULL);
	act.sa_handler = SIG_IGN;
	sigaction(SIGUSR1, &act, &act);
	sigfillset(&set);
	sigprocmask(SIG_SETMASK, &set, NULL);
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGRTMIN + 2);
	sigprocmask(SIG_SETMASK, &set, &set);
	sigpending(&set);
	setitimer(ITIMER_REAL, &timer, NULL);
	alarm(0);
	kill(getpid(), 0);
}

static void memory(void)
{
	char *at = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	mprotect(at, 4096, PROT_NONE);
	madvise(at, 8192, MADV_DONTNEED);
	at = mremap(at + 4096, 4096, 8192, MREMAP_MAYMOVE);
	msync(at, 4096, MS_SYNC);
	munmap(at, 8192);
	mmap(NULL, 0, PROT_EXEC, MAP_SHARED, 0, 0);
}

static void sockets(void)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(9), .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	struct sockaddr_un un = {.sun_family = AF_UNIX, .sun_path = "socket"};
	struct sockaddr_storage name;
	socklen_t length = sizeof(name);
	int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP), pair[2];
	char buffer[40], control[CMSG_SPACE(sizeof(int))] = {0};
	struct iovec iov = {(void *)"data", 4};
	struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	bind(fd, (struct sockaddr *)&in, sizeof(in));
	listen(fd, 5);
	length = sizeof(one);
	getsockopt(fd, SOL_SOCKET, SO_TYPE, &one, &length);
	fcntl(fd, F_SETFL, O_NONBLOCK);
	length = sizeof(name);
	accept4(fd, (struct sockaddr *)&name, &length, SOCK_CLOEXEC);
	shutdown(fd, SHUT_RDWR);
	close(fd);
	fd = socket(AF_INET6, SOCK_DGRAM, 0);
	connect(fd, (struct sockaddr *)&in6, sizeof(in6));
	close(fd);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	connect(fd, (struct sockaddr *)&un, sizeof(un));
	bind(fd, (struct sockaddr *)&un, sizeof(un));
	length = sizeof(name);
	getsockname(fd, (struct sockaddr *)&name, &length);
	close(fd);
	unlink("socket");
	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	send(pair[0], "hello", 5, MSG_NOSIGNAL);
	recv(pair[1], buffer, sizeof(buffer), 0);
	recv(pair[1], buffer, sizeof(buffer), MSG_DONTWAIT);
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(header), &pair[0], sizeof(int));
	sendmsg(pair[0], &message, 0);
	iov = (struct iovec){buffer, sizeof(buffer)};
	recvmsg(pair[1], &message, 0);
	close(pair[0]);
	close(pair[1]);
}

static void waits(void)
{
	struct timespec little = {0, 1000};
	struct itimerspec timer = {.it_value = {1, 0}};
	struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data = {.u64 = 7}};
	struct pollfd fds[2] = {{.fd = -1}};
	struct timeval none = {0, 0};
	int pair[2], epoll = epoll_create1(EPOLL_CLOEXEC);
	uint64_t count = 3;
	fd_set set;

	pipe2(pair, O_CLOEXEC);
	fds[1] = (struct pollfd){.fd = pair[0], .events = POLLIN | POLLOUT};
	poll(fds, 2, 0);
	epoll_ctl(epoll, EPOLL_CTL_ADD, pair[0], &event);
	epoll_wait(epoll, &event, 1, 0);
	write(pair[1], "!", 1);
	poll(fds, 2, 100);
	epoll_wait(epoll, &event, 1, -1);
	FD_ZERO(&set);
	FD_SET(pair[0], &set);
	select(pair[0] + 1, &set, NULL, NULL, &none);
	read(pair[0], &count, 1);
	select(pair[0] + 1, &set, NULL, NULL, &none);
	nanosleep(&little, NULL);
	clock_nanosleep(CLOCK_MONOTONIC, 0, &little, NULL);
	close(eventfd(5, EFD_NONBLOCK));
	close(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK));
	timerfd_settime(pair[0], TFD_TIMER_ABSTIME, &timer, NULL);
	close(pair[0]);
	close(pair[1]);
	close(epoll);
}

static void processes(void)
{
	struct rlimit limit;
	struct utsname name;
	char buffer[100];
	int status;

	getrlimit(RLIMIT_CORE, &limit);
	setrlimit(RLIMIT_CORE, &limit);
	uname(&name);
	getuid();
	setuid(getuid());
	getpriority(PRIO_PROCESS, 0);
	prctl(PR_SET_NAME, "another name");
	getrandom(buffer, 4, GRND_NONBLOCK);
	wait4(-1, &status, WNOHANG, NULL);
	waitpid(-1, NULL, 0);
	execl("/nosuch/program", "program", "argument", NULL);
}

int main(void)
{
	files();
	signals();
	memory();
	sockets();
	waits();
	processes();
	return 3;
}
