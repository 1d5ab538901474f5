/*
 * late.c - for recordings: threads that begin long after they were made, as others have their turns first, and that know then what they were made with.
 */
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>

#define OTHERS 6 /* in pairs, of which one can run at any time */
#define THREADS 40

static _Thread_local long mine = 5;
static volatile int over;

static sem_t turns[OTHERS];

static void *others_turn(void *arg)
{
	const long me = (long)arg;

	while (!over) {
		sem_post(&turns[me ^ 1]);
		sem_wait(&turns[me]);
	}
	sem_post(&turns[me ^ 1]);
	return NULL;
}

static void *work(void *arg)
{
	return (void *)((long)arg * 3 + mine);
}

int main(void)
{
	pthread_t others[OTHERS], thread;
	long sum = 0;
	void *result;

	for (int i = 0; i < OTHERS; i++)
		sem_init(&turns[i], 0, 0);
	for (long i = 0; i < OTHERS; i++)
		pthread_create(&others[i], NULL, others_turn, (void *)i);
	for (long i = 0; i < THREADS; i++) {
		pthread_create(&thread, NULL, work, (void *)i);
		pthread_join(thread, &result);
		sum += (long)result;
	}
	over = 1;
	for (int i = 0; i < OTHERS; i++)
		pthread_join(others[i], NULL);
	printf("%ld\n", sum);
	return 0;
}
