/*
 * futex.c - two kernel threads that wake each other by futex, in turns: nanoseconds for there and back. What a wake-up costs at least.
 */
#include <linux/futex.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/syscall.h>

#include "sample.h"

#define ROUND_TRIPS 50000L

static _Atomic int turn; /* whose turn it is: 0 or 1 */

static void wait_for(int mine)
{
	while (atomic_load(&turn) != mine)
		syscall(SYS_futex, &turn, FUTEX_WAIT_PRIVATE, !mine, NULL, NULL, 0);
}

static void pass_on(int next)
{
	atomic_store(&turn, next);
	syscall(SYS_futex, &turn, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void *answer(void *arg)
{
	(void)arg;
	for (;;) {
		wait_for(1);
		pass_on(0);
	}
	return NULL;
}

static void stretch(void)
{
	for (long i = 0; i < ROUND_TRIPS; i++) {
		pass_on(1);
		wait_for(0);
	}
}

int main(void)
{
	pthread_t thread;

	MUST(pthread_create(&thread, NULL, answer, NULL) == 0);
	sample(ROUND_TRIPS, stretch);
	return 0;
}
