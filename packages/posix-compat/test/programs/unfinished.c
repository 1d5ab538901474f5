/* unfinished.c - a thread that waits in a read while the other one makes calls; then one that waits when the process ends. */
#define _GNU_SOURCE
#include <pthread.h>
#include <unistd.h>

#include "asleep.h"

static int fds[2];
static volatile int tid;

static void *wait_in_read(void *arg)
{
	char c;

	tid = gettid();
	read(fds[0], &c, 1);
	return arg;
}

int main(void)
{
	pthread_t thread;

	pipe(fds);
	pthread_create(&thread, NULL, wait_in_read, NULL);
	while (!tid)
		usleep(200);
	until_asleep(tid);
	getppid();
	write(fds[1], "x", 1);
	pthread_join(thread, NULL);
	tid = 0;
	pthread_create(&thread, NULL, wait_in_read, NULL);
	while (!tid)
		usleep(200);
	until_asleep(tid);
	_exit(3);
}
