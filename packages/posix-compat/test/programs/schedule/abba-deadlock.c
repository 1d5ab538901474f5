/* abba-deadlock.c - two threads take two mutexes, each in another order: each may have one and wait for the other. */
#include <pthread.h>
#include <stdio.h>

#define ROUNDS 3

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;
static int number;

static void both(pthread_mutex_t *first, pthread_mutex_t *second)
{
	for (int i = 0; i < ROUNDS; i++) {
		pthread_mutex_lock(first);
		pthread_mutex_lock(second);
		number++;
		pthread_mutex_unlock(second);
		pthread_mutex_unlock(first);
	}
}

static void *one(void *arg)
{
	both(&a, &b);
	return arg;
}

static void *other(void *arg)
{
	both(&b, &a);
	return arg;
}

int main(void)
{
	pthread_t threads[2];

	pthread_create(&threads[0], NULL, one, NULL);
	pthread_create(&threads[1], NULL, other, NULL);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	printf("number %d\n", number);
	return 0;
}
