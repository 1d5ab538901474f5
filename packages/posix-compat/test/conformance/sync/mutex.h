/* mutex.h - one mutex, and what threads do with it: mutex.c's and mutex-protocol.c's. */
#pragma once
#include "../conformance.h"

#include <sched.h>
#include <stdatomic.h>

#define ADDS 5000

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static atomic_int locked;
static long plain;

static void *adds(void *arg)
{
	for (int i = 0; i < ADDS; i++) {
		OK(pthread_mutex_lock(&mutex));
		plain++;
		if (i % 64 == 0)
			sched_yield();
		OK(pthread_mutex_unlock(&mutex));
	}
	return arg;
}

static void add_by_many(void)
{
	pthread_t threads[8];

	for (int i = 0; i < 8; i++)
		threads[i] = begin(adds, NULL);
	for (int i = 0; i < 8; i++)
		end(threads[i]);
	CHECK(plain == 8 * ADDS);
}

static void *tries(void *arg)
{
	int error = pthread_mutex_trylock(&mutex);

	(void)arg;
	if (!error)
		OK(pthread_mutex_unlock(&mutex));
	return (void *)(long)error;
}

static void *locks(void *arg)
{
	OK(pthread_mutex_lock(&mutex));
	locked = 1;
	OK(pthread_mutex_unlock(&mutex));
	return arg;
}

static void *times_out(void *arg)
{
	struct timespec time = from_now(CLOCK_REALTIME, 30);
	int error = pthread_mutex_timedlock(&mutex, &time);

	(void)arg;
	CHECK(has_come(CLOCK_REALTIME, &time));
	return (void *)(long)error;
}
