/*
 * spread.c - for recordings: reads by several buffers, sockets with addresses and control data, epoll, mapped files, memory that grows and moves.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

static void pass_descriptor(int from, int to, int fd)
{
	char room[CMSG_SPACE(sizeof(int))] = {0}, text[16] = "";
	struct iovec iov = {.iov_base = (char[]){"passed"}, .iov_len = 7};
	struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof(room)};
	struct cmsghdr *control = CMSG_FIRSTHDR(&message);
	struct stat about;
	int got;

	control->cmsg_level = SOL_SOCKET;
	control->cmsg_type = SCM_RIGHTS;
	control->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(control), &fd, sizeof(fd));
	sendmsg(from, &message, 0);
	memset(room, 0, sizeof(room));
	iov = (struct iovec){.iov_base = text, .iov_len = sizeof(text)};
	recvmsg(to, &message, 0);
	memcpy(&got, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(got));
	fstat(got, &about);
	printf("%s %d %lld\n", text, got, (long long)about.st_size);
}

int main(int argc, char **argv)
{
	const int fd = open(argv[argc - 1], O_RDONLY);
	char first[5], second[9], *mapped, *grown;
	struct iovec iov[2] = {{first, 5}, {second, 9}};
	struct epoll_event event = {.events = EPOLLIN, .data.u64 = 42}, out[4];
	struct stat about;
	int pair[2], epoll, n;

	printf("%zd %.5s %.9s\n", readv(fd, iov, 2), first, second);
	fstat(fd, &about);
	mapped = mmap(NULL, (size_t)about.st_size + 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	mapped[0] = '!';
	printf("%.10s %d\n", mapped, mapped[about.st_size]);
	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	epoll = epoll_create1(0);
	epoll_ctl(epoll, EPOLL_CTL_ADD, pair[0], &event);
	write(pair[1], "x", 1);
	n = epoll_wait(epoll, out, 4, -1);
	printf("%d %d\n", n, (int)out[0].data.u64);
	read(pair[0], first, 1);
	pass_descriptor(pair[1], pair[0], fd);
	grown = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	strcpy(grown, "kept");
	grown = mremap(grown, 65536, 64 << 20, MREMAP_MAYMOVE);
	printf("%s %p %p\n", grown, (void *)grown, sbrk(0));
	return 0;
}
