/* deadlock.c - a thread that waits for a mutex which nobody lets go of, and one that waits for that thread. */
#define _GNU_SOURCE
#include <pthread.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static void *wait_for_it(void *arg)
{
	pthread_setname_np(pthread_self(), "waiter");
	pthread_mutex_lock(&mutex);
	return arg;
}

int main(void)
{
	pthread_t thread;

	pthread_mutex_lock(&mutex);
	pthread_create(&thread, NULL, wait_for_it, NULL);
	pthread_join(thread, NULL);
	return 0;
}
