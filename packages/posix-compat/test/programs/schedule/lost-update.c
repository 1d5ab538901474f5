/* lost-update.c - two threads add to a number without a lock: what one has read may be old when it writes. Ends with 1 where that has happened. */
#include <pthread.h>
#include <stdio.h>

#define ROUNDS 50

static volatile long number;

static void *add(void *arg)
{
	for (int i = 0; i < ROUNDS; i++) {
		long value = number;

		number = value + 1;
	}
	return arg;
}

int main(void)
{
	pthread_t threads[2];

	for (int i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, add, NULL);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	printf("number %ld\n", number);
	return number != 2 * ROUNDS;
}
