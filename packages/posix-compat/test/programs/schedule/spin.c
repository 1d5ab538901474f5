/* spin.c - a thread that spins until another one, which sleeps a while, has set a flag. */
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

static volatile int flag;

static void *set(void *arg)
{
	usleep(100);
	flag = 1;
	return arg;
}

int main(void)
{
	pthread_t thread;

	pthread_create(&thread, NULL, set, NULL);
	while (!flag)
		;
	pthread_join(thread, NULL);
	puts("set");
	return 0;
}
