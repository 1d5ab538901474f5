/*
 * echo-load.c - the load of the echo rows, the same for every server: PORT CONNECTIONS. Each connection sends 64 bytes, waits until they have
 * come back, and begins anew. Prints nanoseconds for one round trip, over all connections.
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MESSAGE 64
#define WARMUP 20000
#define ROUNDTRIPS 100000

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

int main(int argc, char **argv)
{
	static char message[MESSAGE], back[MESSAGE];
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct epoll_event events[256];
	int one = 1, epfd = epoll_create1(0), count = argc == 3 ? atoi(argv[2]) : 0;
	int *got = calloc((size_t)count + 1, sizeof(int)), *fds = calloc((size_t)count + 1, sizeof(int));
	long done = 0;
	double start = 0;

	if (argc != 3)
		return 2;
	address.sin_port = htons((unsigned short)atoi(argv[1]));
	memset(message, 'm', sizeof message);
	for (int i = 0; i < count; i++) {
		fds[i] = socket(AF_INET, SOCK_STREAM, 0);
		if (fds[i] < 0 || connect(fds[i], (struct sockaddr *)&address, sizeof address) != 0)
			fail("connect");
		setsockopt(fds[i], IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
		struct epoll_event event = {.events = EPOLLIN, .data.u32 = (unsigned)i};
		epoll_ctl(epfd, EPOLL_CTL_ADD, fds[i], &event);
	}
	for (int i = 0; i < count; i++)
		if (send(fds[i], message, MESSAGE, 0) != MESSAGE)
			fail("send");
	while (done < WARMUP + ROUNDTRIPS) {
		int n = epoll_wait(epfd, events, 256, 10000);
		if (n <= 0)
			fail("no answer");
		for (int k = 0; k < n; k++) {
			unsigned i = events[k].data.u32;
			long r = recv(fds[i], back, (size_t)(MESSAGE - got[i]), 0);
			if (r <= 0)
				fail("recv");
			got[i] += (int)r;
			if (got[i] < MESSAGE)
				continue;
			got[i] = 0;
			if (++done == WARMUP)
				start = now();
			if (send(fds[i], message, MESSAGE, 0) != MESSAGE)
				fail("send");
		}
	}
	printf("{\"ns\": %f}\n", (now() - start) / (double)(done - WARMUP));
	return 0;
}
