/*
 * call.c - what a system call costs a program while somebody watches: nanoseconds for one getppid, the median of some samples.
 *
 *   call asleep | busy [THREADS]
 *
 * asleep: the program waits for a millisecond before each call, and so whoever answers sleeps (the wait does not count). busy: one call after the other.
 * THREADS at once: the time for all of them by the number of all their calls.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define SAMPLES 15
#define WARM_UP 15
#define ASLEEP 40    /* calls a sample */
#define BUSY 2000
#define THREADS_MAX 64

static uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static double asleep(void)
{
	uint64_t sum = 0;

	for (int i = 0; i < ASLEEP; i++) {
		usleep(1000);
		uint64_t begun = now();
		syscall(SYS_getppid);
		sum += now() - begun;
	}
	return (double)sum / ASLEEP;
}

static void *calls(void *n)
{
	for (long i = 0; i < (long)n; i++)
		syscall(SYS_getppid);
	return NULL;
}

static double busy(int threads)
{
	pthread_t list[THREADS_MAX];
	long each = BUSY / threads;
	uint64_t begun = now();

	if (threads == 1) {
		calls((void *)each);
	} else {
		for (int i = 0; i < threads; i++)
			pthread_create(&list[i], NULL, calls, (void *)each);
		for (int i = 0; i < threads; i++)
			pthread_join(list[i], NULL);
	}
	return (double)(now() - begun) / (double)(each * threads);
}

static int compare(const void *a, const void *b)
{
	return *(const double *)a < *(const double *)b ? -1 : *(const double *)a > *(const double *)b;
}

int main(int argc, char **argv)
{
	int threads = argc > 2 ? atoi(argv[2]) : 1;
	double samples[SAMPLES];

	if (argc < 2 || threads < 1 || threads > THREADS_MAX)
		return 2;
	for (int i = -WARM_UP; i < SAMPLES; i++) { /* the first do not count: what answers is compiled meanwhile */
		double sample = strcmp(argv[1], "asleep") == 0 ? asleep() : busy(threads);
		if (i >= 0)
			samples[i] = sample;
	}
	qsort(samples, SAMPLES, sizeof(*samples), compare);
	printf("{\"ns\":%.1f}\n", samples[SAMPLES / 2]);
	return 0;
}
