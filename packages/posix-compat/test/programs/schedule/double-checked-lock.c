/* double-checked-lock.c - a pointer is looked at without the mutex, and set before what it points to is made. Ends with 1 where somebody has seen that. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define VALUE 42

struct thing {
	volatile int value;
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct thing *volatile only;
static volatile int unmade;

static struct thing *get(void)
{
	if (!only) {
		pthread_mutex_lock(&mutex);
		if (!only) {
			only = malloc(sizeof(*only));
			only->value = VALUE;
		}
		pthread_mutex_unlock(&mutex);
	}
	return only;
}

static void *use(void *arg)
{
	if (get()->value != VALUE)
		unmade = 1;
	return arg;
}

int main(void)
{
	pthread_t threads[2];

	for (int i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, use, NULL);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	printf("unmade %d\n", unmade);
	return unmade;
}
