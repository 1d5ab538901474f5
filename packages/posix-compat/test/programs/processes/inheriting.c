/* inheriting.c - mutexes with PTHREAD_PRIO_INHERIT under stress: many threads, in one process and in two, which give up waiting and end with the mutex. Never are two
 * inside, and nobody waits for ever. The argument is the seed; with a second one there is one process alone. */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MUTEXES 3
#define THREADS 8

struct place {
	pthread_mutex_t mutex;
	_Atomic int inside;
};

static struct place *places;
static _Atomic int wrong;

static void make(int shared)
{
	pthread_mutexattr_t attr;

	places = mmap(NULL, 4096, PROT_READ | PROT_WRITE, (shared ? MAP_SHARED : MAP_PRIVATE) | MAP_ANONYMOUS, -1, 0);
	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setprotocol(&attr, PTHREAD_PRIO_INHERIT);
	pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	pthread_mutexattr_setpshared(&attr, shared ? PTHREAD_PROCESS_SHARED : PTHREAD_PROCESS_PRIVATE);
	for (int i = 0; i < MUTEXES; i++)
		pthread_mutex_init(&places[i].mutex, &attr);
}

static int lock(struct place *place, unsigned *seed)
{
	struct timespec until;

	if (rand_r(seed) % 3 == 0)
		return pthread_mutex_lock(&place->mutex);
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += rand_r(seed) % 300000;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	return pthread_mutex_timedlock(&place->mutex, &until);
}

static void *works(void *arg)
{
	unsigned seed = (unsigned)(long)arg * 2654435761u;

	for (int i = 0; i < 300; i++) {
		struct place *place = &places[rand_r(&seed) % MUTEXES];
		int error = lock(place, &seed);

		if (error == ETIMEDOUT)
			continue;
		if (error == EOWNERDEAD) {
			place->inside = 0;
			error = pthread_mutex_consistent(&place->mutex);
		}
		wrong += error || place->inside++;
		if (rand_r(&seed) % 8 == 0)
			sched_yield();
		for (volatile int j = rand_r(&seed) % 2000; j > 0; j--)
			;
		if (rand_r(&seed) % 200 == 0)
			return NULL; /* with the mutex */
		place->inside--;
		wrong += pthread_mutex_unlock(&place->mutex) != 0;
	}
	return NULL;
}

static void rounds(long seed)
{
	pthread_t threads[THREADS];

	for (int round = 0; round < 5; round++) {
		for (long i = 0; i < THREADS; i++)
			pthread_create(&threads[i], NULL, works, (void *)(seed * 1000 + round * THREADS + i));
		for (int i = 0; i < THREADS; i++)
			pthread_join(threads[i], NULL);
	}
}

int main(int argc, char **argv)
{
	long seed = argc > 1 ? atol(argv[1]) : 1;
	int status;

	alarm(200);
	make(0);
	rounds(seed);
	printf("one process: %d wrong\n", wrong);
	fflush(stdout);
	if (argc > 2)
		return wrong != 0;
	make(1);
	if (!fork()) {
		rounds(seed + 1);
		_exit(wrong != 0);
	}
	rounds(seed + 2);
	wait(&status);
	printf("two processes: %d wrong, %d\n", wrong, status);
	return 0;
}
