/*
 * sleeps.c: a thread sleeps beside some that compute, which do so until they are interrupted for it. How much they have computed then is counted, not how long
 * it was: beside one it is not more than beside two, but for a factor.
 */
#include <pthread.h>
#include <stdio.h>
#include <time.h>

#define SLEEPS 8
#define FACTOR 2

static volatile int stop;

static void *compute(void *arg)
{
	while (!stop)
		;
	return arg;
}

static double computed(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double beside(int count)
{
	pthread_t threads[2];
	double before;

	stop = 0;
	for (int i = 0; i < count; i++)
		pthread_create(&threads[i], NULL, compute, NULL);
	before = computed();
	for (int i = 0; i < SLEEPS; i++)
		nanosleep(&(struct timespec){0, 1000000}, NULL);
	before = computed() - before;
	stop = 1;
	for (int i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
	return before;
}

int main(void)
{
	double two = beside(2), one = beside(1);

	if (one > FACTOR * two)
		printf("%.0f ms of computing beside one, %.0f beside two\n", one * 1e3, two * 1e3);
	else
		puts("as soon");
	return one > FACTOR * two;
}
