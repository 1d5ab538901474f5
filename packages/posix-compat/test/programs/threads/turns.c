/*
 * turns.c: who waits most of the time does not queue behind each that computes, and nobody who computes is kept from it by those.
 *
 *   turns sleeper   sleeps beside COMPUTING threads: what those have computed per sleep is counted, in slices; behind all of them it would be COMPUTING
 *   turns pair      two threads wake each other without end, until one beside them has computed for a while: kept from it, that would never be
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define COMPUTING 32
#define SLEEPS 40
#define SLICE 0.010 /* s: TICK_NS */
#define ENOUGH 0.300

static volatile int stop;
static int there[2], back[2];
static volatile long rounds;

static double used(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void *compute(void *arg)
{
	while (!stop)
		;
	return arg;
}

static void sleeper(void)
{
	pthread_t thread;
	double before;

	for (int i = 0; i < COMPUTING; i++)
		pthread_create(&thread, NULL, compute, NULL);
	before = used(CLOCK_PROCESS_CPUTIME_ID);
	for (int i = 0; i < SLEEPS; i++)
		nanosleep(&(struct timespec){0, 1000000}, NULL);
	before = used(CLOCK_PROCESS_CPUTIME_ID) - before;
	printf("%s\n", before / SLEEPS < COMPUTING / 2 * SLICE ? "before others" : "behind others");
}

static void *answer(void *arg)
{
	char c;

	while (read(there[0], &c, 1) == 1 && write(back[1], &c, 1) == 1)
		;
	return arg;
}

static void *ask(void *arg)
{
	char c = 0;

	while (write(there[1], &c, 1) == 1 && read(back[0], &c, 1) == 1)
		rounds++;
	return arg;
}

static void *compute_enough(void *arg)
{
	while (used(CLOCK_THREAD_CPUTIME_ID) < ENOUGH)
		;
	return arg;
}

static void pair(void)
{
	pthread_t thread, computes;

	if (pipe(there) || pipe(back))
		exit(1);
	pthread_create(&thread, NULL, answer, NULL);
	pthread_create(&thread, NULL, ask, NULL);
	while (!rounds)
		usleep(1000);
	pthread_create(&computes, NULL, compute_enough, NULL);
	pthread_join(computes, NULL);
	puts("has computed");
}

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "pair"))
		pair();
	else
		sleeper();
	fflush(stdout);
	_exit(0); /* the others go on */
}
