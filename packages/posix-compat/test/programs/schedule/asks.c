/*
 * asks.c - a thread asks again and again, by calls that never wait, whether another one has done what it is to do.
 *
 *   asks [MILLISECONDS]: the other one sleeps before
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static atomic_int done;

static void *other(void *milliseconds)
{
	if (*(int *)milliseconds)
		usleep((unsigned)*(int *)milliseconds * 1000u);
	done = 1;
	return NULL;
}

int main(int argc, char **argv)
{
	int milliseconds = argc > 1 ? atoi(argv[1]) : 0;
	pthread_t thread;

	pthread_create(&thread, NULL, other, &milliseconds);
	while (!done)
		getppid();
	pthread_join(thread, NULL);
	puts("done");
	return 0;
}
