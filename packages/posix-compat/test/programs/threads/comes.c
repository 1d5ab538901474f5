/* comes.c - threads that come and go, without end, on two rforks' worth of them at a time: for who looks from outside. */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>

static void *nothing(void *arg)
{
	pthread_setname_np(pthread_self(), "comes");
	return arg;
}

int main(void)
{
	pthread_t threads[200];

	setvbuf(stdout, NULL, _IONBF, 0);
	for (int round = 0;; round++) {
		for (int i = 0; i < 200; i++)
			pthread_create(&threads[i], NULL, nothing, NULL);
		for (int i = 0; i < 200; i++)
			pthread_join(threads[i], NULL);
		if (round == 0)
			puts("up");
	}
}
