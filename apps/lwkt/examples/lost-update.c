/* lost-update.c: two threads add to a number without a lock. Mostly it is 100 in the end. */
#include <pthread.h>
#include <stdio.h>

static volatile long number;

static void *add(void *arg)
{
	for (int i = 0; i < 50; i++)
		number = number + 1;
	return arg;
}

int main(void)
{
	pthread_t threads[2];

	for (int i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, add, NULL);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	printf("%ld\n", number);
	return 0;
}
