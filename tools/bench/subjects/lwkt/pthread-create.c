/*
 * pthread-create.c - kernel threads: 1,000 that do next to nothing, then joined, with stacks of the size that ours have by default:
 * nanoseconds for one, from its creation to its end.
 */
#include <pthread.h>

#include "sample.h"

#define BATCH 1000
#define STACK_SIZE (256 * 1024)

static pthread_attr_t attr;
static long left;

static void *run(void *arg)
{
	__atomic_sub_fetch(&left, 1, __ATOMIC_RELAXED);
	return arg;
}

static void stretch(void)
{
	static pthread_t threads[BATCH];

	left = BATCH;
	for (int i = 0; i < BATCH; i++)
		MUST(pthread_create(&threads[i], &attr, run, NULL) == 0);
	for (int i = 0; i < BATCH; i++)
		MUST(pthread_join(threads[i], NULL) == 0);
	MUST(left == 0);
}

int main(void)
{
	MUST(pthread_attr_init(&attr) == 0);
	MUST(pthread_attr_setstacksize(&attr, STACK_SIZE) == 0);
	sample(BATCH, stretch);
	return 0;
}
