/* check-then-act.c - an account under a mutex, which is looked at and then taken from: each is locked, both together are not. Ends with 1 below zero. */
#include <pthread.h>
#include <stdio.h>

#define WANTED 80

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static long balance = 100;

static long look(void)
{
	long found;

	pthread_mutex_lock(&mutex);
	found = balance;
	pthread_mutex_unlock(&mutex);
	return found;
}

static void *withdraw(void *arg)
{
	if (look() < WANTED)
		return arg;
	pthread_mutex_lock(&mutex);
	balance -= WANTED;
	pthread_mutex_unlock(&mutex);
	return arg;
}

int main(void)
{
	pthread_t threads[2];

	for (int i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, withdraw, NULL);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	printf("balance %ld\n", balance);
	return balance < 0;
}
