/*
 * cancelled.c - connections that have to wait, as nobody accepts them, each ended by a signal at once: what has been begun for a call is taken back, whatever has
 * become of it meanwhile.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define ROUNDS 100
#define THREADS 8

static struct sockaddr_un name = {.sun_family = AF_UNIX};
static socklen_t length;
static _Atomic int begun, ended, wrong;

static void nothing(int sig) { (void)sig; }

static int connects(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM, 0), error = connect(fd, (struct sockaddr *)&name, length) ? errno : 0;

	close(fd);
	return error;
}

static void *connects_until_it_waits(void *arg)
{
	begun++;
	if (connects() != EINTR)
		wrong++;
	ended++;
	return arg;
}

int main(void)
{
	int listener = socket(AF_UNIX, SOCK_STREAM, 0), taken = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	struct sigaction act = {.sa_handler = nothing};
	pthread_t threads[THREADS];

	sigaction(SIGUSR1, &act, NULL);
	length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)sprintf(name.sun_path + 1, "libcr-cancelled-%d", getpid()));
	if (bind(listener, (struct sockaddr *)&name, length) || listen(listener, 0) || connect(taken, (struct sockaddr *)&name, length))
		return 1;
	for (int round = 0; round < ROUNDS; round++) {
		begun = ended = 0;
		for (int i = 0; i < THREADS; i++)
			pthread_create(&threads[i], NULL, connects_until_it_waits, NULL);
		while (begun < THREADS)
			usleep(0);
		for (int n = round % 7; n > 0; n--)
			usleep(0);
		while (ended < THREADS) {
			for (int i = 0; i < THREADS; i++)
				pthread_kill(threads[i], SIGUSR1);
			usleep(50);
		}
		for (int i = 0; i < THREADS; i++)
			pthread_join(threads[i], NULL);
	}
	printf("%d connections, %d that did not end as they should\n", ROUNDS * THREADS, wrong);
	return 0;
}
