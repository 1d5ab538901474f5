/*
 * mutex.c - a pthread mutex, locked and unlocked while nobody else wants it: nanoseconds for both. An idle kernel thread stands by:
 * without a second one the C library leaves the atomic operations out.
 */
#include <pthread.h>

#include "sample.h"

#define TIMES 2000000L

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static long counter;

static void *stand_by(void *arg)
{
	pause();
	return arg;
}

static void stretch(void)
{
	for (long i = 0; i < TIMES; i++) {
		pthread_mutex_lock(&mutex);
		counter++;
		pthread_mutex_unlock(&mutex);
	}
}

int main(void)
{
	pthread_t thread;

	MUST(pthread_create(&thread, NULL, stand_by, NULL) == 0);
	sample(TIMES, stretch);
	MUST(counter == TIMES * (WARMUPS + SAMPLES));
	return 0;
}
