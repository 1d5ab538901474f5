/*
 * memcached-load.c - asks a memcached: PORT. Connections of one thread take turns in epoll, each with one request under way; every fourth request sets, the
 * others get. Prints nanoseconds for one request.
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CONNECTIONS 32
#define REQUESTS 200000
#define KEYS 1000
#define VALUE 100

static int sockets[CONNECTIONS];
static char value[VALUE + 1];

static void check(int ok, const char *what)
{
	if (!ok) {
		perror(what);
		exit(1);
	}
}

static void ask(int fd, unsigned n)
{
	char request[VALUE + 64];
	int size = n % 4 ? snprintf(request, sizeof(request), "get key%u\r\n", n % KEYS)
	                 : snprintf(request, sizeof(request), "set key%u 0 0 %d\r\n%s\r\n", n % KEYS, VALUE, value);

	check(write(fd, request, (size_t)size) == size, "write");
}

/** One answer: STORED, END, or a value with END behind it. */
static void take_answer(int fd)
{
	char answer[VALUE + 128];
	size_t n = 0;

	do {
		ssize_t got = read(fd, answer + n, sizeof(answer) - 1 - n);

		check(got > 0, "read");
		n += (size_t)got;
		answer[n] = 0;
	} while (strcmp(answer, "STORED\r\n") && (n < 5 || strcmp(answer + n - 5, "END\r\n")));
}

int main(int argc, char **argv)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argc > 1 ? argv[1] : "11211")), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int epoll = epoll_create1(0), one = 1;
	unsigned asked = 0, answered = 0;
	struct timespec begun, ended;

	memset(value, 'v', VALUE);
	for (int i = 0; i < CONNECTIONS; i++) {
		struct epoll_event event = {.events = EPOLLIN};

		sockets[i] = event.data.fd = socket(AF_INET, SOCK_STREAM, 0);
		check(connect(sockets[i], (struct sockaddr *)&to, sizeof(to)) == 0, "connect");
		setsockopt(sockets[i], IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		check(epoll_ctl(epoll, EPOLL_CTL_ADD, sockets[i], &event) == 0, "epoll_ctl");
	}
	clock_gettime(CLOCK_MONOTONIC, &begun);
	for (int i = 0; i < CONNECTIONS; i++)
		ask(sockets[i], asked++);
	while (answered < REQUESTS) {
		struct epoll_event events[CONNECTIONS];
		int n = epoll_wait(epoll, events, CONNECTIONS, -1);

		for (int i = 0; i < n; i++) {
			take_answer(events[i].data.fd);
			answered++;
			if (asked < REQUESTS)
				ask(events[i].data.fd, asked++);
		}
	}
	clock_gettime(CLOCK_MONOTONIC, &ended);
	printf("{\"ns\": %.0f}\n", ((double)(ended.tv_sec - begun.tv_sec) * 1e9 + (double)(ended.tv_nsec - begun.tv_nsec)) / REQUESTS);
	return 0;
}
