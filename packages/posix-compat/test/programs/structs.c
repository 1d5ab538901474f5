/* structs.c - calls with structs, whose text in a trace is compared with strace's; what differs from run to run is left out. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/sendfile.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static char buffer[256];

static void sockets(void)
{
	const struct linger linger = {1, 2};
	struct linger now;
	socklen_t length = sizeof(now);
	int one = 1, pair[2], s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct iovec vectors[2] = {{"ab", 2}, {"cd", 2}};
	struct mmsghdr messages[2] = {{.msg_hdr = {.msg_iov = &vectors[0], .msg_iovlen = 1}}, {.msg_hdr = {.msg_iov = &vectors[1], .msg_iovlen = 1}}};

	setsockopt(s, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	getsockopt(s, SOL_SOCKET, SO_LINGER, &now, &length);
	setsockopt(s, IPPROTO_IP, IP_TTL, &one, sizeof(one));
	setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	setsockopt(s, IPPROTO_IPV6, 26, &one, sizeof(one));
	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	sendmmsg(pair[0], messages, 2, MSG_NOSIGNAL);
	vectors[0].iov_base = buffer;
	vectors[1].iov_base = buffer + 8;
	recvmmsg(pair[1], messages, 2, MSG_DONTWAIT, NULL);
	recvmmsg(pair[1], messages, 2, MSG_DONTWAIT, NULL);
	close(pair[0]);
	close(pair[1]);
	close(s);
}

static void waits(void)
{
	const struct timespec moment = {0, 1000};
	const sigset_t mask = {{2}};
	struct epoll_event event = {.events = EPOLLIN | EPOLLET};
	struct pollfd none = {-1, 0, 0};
	int epoll = epoll_create1(0), fds[2];
	fd_set set;

	pipe(fds);
	epoll_ctl(epoll, EPOLL_CTL_ADD, fds[0], &event);
	epoll_pwait(epoll, &event, 4, 1, &mask);
	ppoll(&none, 1, &moment, &mask);
	FD_ZERO(&set);
	FD_SET(fds[0], &set);
	pselect(fds[0] + 1, &set, NULL, NULL, &moment, &mask);
	ioctl(fds[0], FIOCLEX);
	ioctl(fds[0], 0x80041234, 1);
	fcntl(fds[0], F_SETOWN, 1);
	fcntl(fds[0], F_GETOWN);
}

static void files(void)
{
	const int file = open("file", O_RDWR | O_CREAT, 0600);
	struct iovec vector = {"q", 1};
	struct statfs about;
	off_t offset = 2;
	int fds[2];

	statfs("/proc", &about);
	write(file, "some text", 9);
	pipe(fds);
	sendfile(fds[1], file, &offset, 2);
	sendfile(fds[1], file, NULL, 2);
	vmsplice(fds[1], &vector, 1, SPLICE_F_NONBLOCK);
	mknod("fifo", S_IFIFO | 0600, 0);
	mknod("null", S_IFCHR | 0600, 0x103);
}

static void processes(void)
{
	struct sched_param parameters = {0};
	struct {
		uint32_t size, policy;
		uint64_t flags;
		int32_t nice;
		uint32_t priority;
		uint64_t times[3];
	} attributes = {.size = 48, .policy = SCHED_BATCH};
	gid_t groups[3] = {1, 2, 3};
	int sig;

	sched_getparam(0, &parameters);
	sched_setscheduler(0, SCHED_BATCH, &parameters);
	sched_getscheduler(0);
	syscall(SYS_sched_setattr, 0, &attributes, 0);
	prctl(PR_SET_NAME, "name");
	prctl(PR_GET_NAME, buffer);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	prctl(PR_GET_PDEATHSIG, &sig);
	prctl(PR_SET_DUMPABLE, 1);
	prctl(PR_GET_DUMPABLE);
	prctl(PR_CAPBSET_READ, 0);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	syscall(SYS_setgroups, 2, groups);
	syscall(SYS_mlock2, buffer, sizeof(buffer), 1);
	syscall(SYS_io_uring_setup, 0, NULL);
	syscall(SYS_membarrier, -1, 0);
}

/** Of objects that are not there: their numbers would be others each time. */
static void ipc(void)
{
	struct sembuf op = {0, 1, IPC_NOWAIT};
	struct {
		long type;
		char text[5];
	} message = {1, "text"};

	shmget(0x1234567, 1 << 30, 0600);
	shmat(-1, NULL, SHM_RDONLY);
	shmdt(buffer);
	shmctl(-1, IPC_RMID, NULL);
	semget(IPC_PRIVATE, -1, IPC_CREAT | 0600);
	semop(-1, &op, 1);
	semctl(-1, 0, SETVAL, 3);
	msgsnd(-1, &message, 4, IPC_NOWAIT);
	msgrcv(-1, &message, 4, 0, IPC_NOWAIT);
	msgctl(-1, IPC_STAT, NULL);
}

int main(void)
{
	sockets();
	waits();
	files();
	processes();
	ipc();
	return 0;
}
