/*
 * eventfd.c - two kernel threads that send each other a number through memory and wake each other by eventfd: nanoseconds for there and back.
 */
#include <pthread.h>
#include <stdint.h>
#include <sys/eventfd.h>

#include "sample.h"

#define ROUND_TRIPS 50000L

static int there, back;
static long number;

static void ring(int fd)
{
	uint64_t one = 1;

	MUST(write(fd, &one, sizeof(one)) == sizeof(one));
}

static void hear(int fd)
{
	uint64_t count;

	MUST(read(fd, &count, sizeof(count)) == sizeof(count));
}

static void *answer(void *arg)
{
	for (;;) {
		hear(there);
		number++;
		ring(back);
	}
	return arg;
}

static void stretch(void)
{
	for (long i = 0; i < ROUND_TRIPS; i++) {
		number = i;
		ring(there);
		hear(back);
		MUST(number == i + 1);
	}
}

int main(void)
{
	pthread_t thread;

	there = eventfd(0, 0);
	back = eventfd(0, 0);
	MUST(there >= 0 && back >= 0);
	MUST(pthread_create(&thread, NULL, answer, NULL) == 0);
	sample(ROUND_TRIPS, stretch);
	return 0;
}
