/*
 * timeout.c - who asks waits for the answer with a timeout, and is gone after that; who answers has a few calls to make, and does not look whether it is. Ends with 1 where the
 * answer comes to one that is gone: the time of a few calls is no time on most machines.
 */
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static sem_t answered;
static atomic_bool gone, late;

static void *answer(void *arg)
{
	for (int i = 0; i < 3; i++)
		(void)getppid();
	if (gone)
		late = true;
	sem_post(&answered);
	return arg;
}

int main(void)
{
	struct timespec until;
	pthread_t thread;

	sem_init(&answered, 0, 0);
	pthread_create(&thread, NULL, answer, NULL);
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += 5;
	if (sem_timedwait(&answered, &until))
		gone = true;
	pthread_join(thread, NULL);
	printf("%s\n", late ? "late" : "in time");
	return late;
}
