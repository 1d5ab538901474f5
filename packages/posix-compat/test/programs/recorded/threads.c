/*
 * threads.c - for recordings: what it prints depends on the order in which its threads run, on clocks and on random numbers.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#define THREADS 6
#define ROUNDS 40

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int order[THREADS * ROUNDS], n, turn;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;

static void *work(void *arg)
{
	const int me = (int)(long)arg;
	unsigned short bits;

	for (int i = 0; i < ROUNDS; i++) {
		getrandom(&bits, sizeof(bits), 0);
		if (bits % 4 == 0)
			usleep(bits % 500);
		pthread_mutex_lock(&lock);
		order[n++] = me;
		turn = bits % THREADS;
		pthread_cond_broadcast(&changed);
		if (bits % 5 == 0) {
			struct timespec until;

			clock_gettime(CLOCK_REALTIME, &until);
			until.tv_nsec += 300000;
			until.tv_sec += until.tv_nsec / 1000000000;
			until.tv_nsec %= 1000000000;
			pthread_cond_timedwait(&changed, &lock, &until);
		}
		pthread_mutex_unlock(&lock);
		pthread_rwlock_rdlock(&rwlock);
		pthread_rwlock_unlock(&rwlock);
	}
	return NULL;
}

int main(void)
{
	pthread_t threads[THREADS];
	struct timespec now;

	for (long i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, work, (void *)i);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	for (int i = 0; i < n; i++)
		putchar('a' + order[i]);
	clock_gettime(CLOCK_MONOTONIC, &now);
	printf("\n%d %ld.%09ld %d %p\n", turn, (long)now.tv_sec, now.tv_nsec, (int)getpid(), (void *)threads);
	return 0;
}
