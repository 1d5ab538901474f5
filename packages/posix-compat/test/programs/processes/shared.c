/* shared.c - two processes, each with threads, that wait for each other by what lies in memory of both: semaphores, a mutex, a condition variable, a barrier. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define TURNS 200
#define THREADS 3

static struct shared {
	sem_t sems[2];
	pthread_mutex_t mutex;
	pthread_cond_t cond;
	pthread_barrier_t barrier;
	long counter, meetings;
	int turn;
} *shared;

static int me; /* 0: the parent */

static void *counts(void *arg)
{
	for (int i = 0; i < TURNS; i++) {
		pthread_mutex_lock(&shared->mutex);
		shared->counter++;
		if (i % 10 == 0)
			usleep(10); /* so that somebody waits */
		pthread_mutex_unlock(&shared->mutex);
	}
	if (pthread_barrier_wait(&shared->barrier) == PTHREAD_BARRIER_SERIAL_THREAD)
		shared->meetings++;
	return arg;
}

static void *takes_turns(void *arg)
{
	for (int i = 0; i < TURNS; i++) {
		sem_wait(&shared->sems[me]);
		sem_post(&shared->sems[!me]);
	}
	for (int i = 0; i < TURNS; i++) {
		pthread_mutex_lock(&shared->mutex);
		while (shared->turn != me)
			pthread_cond_wait(&shared->cond, &shared->mutex);
		shared->turn = !me;
		pthread_cond_broadcast(&shared->cond);
		pthread_mutex_unlock(&shared->mutex);
	}
	return arg;
}

static void run(void)
{
	pthread_t threads[THREADS + 1];

	for (int i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, counts, NULL);
	pthread_create(&threads[THREADS], NULL, takes_turns, NULL);
	for (int i = 0; i <= THREADS; i++)
		pthread_join(threads[i], NULL);
}

int main(void)
{
	pthread_mutexattr_t mutex;
	pthread_condattr_t cond;
	pthread_barrierattr_t barrier;
	char name[64];
	sem_t *named;
	int status;
	pid_t child;

	shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	sem_init(&shared->sems[0], 1, 1);
	sem_init(&shared->sems[1], 1, 0);
	pthread_mutexattr_init(&mutex);
	pthread_mutexattr_setpshared(&mutex, PTHREAD_PROCESS_SHARED);
	pthread_mutex_init(&shared->mutex, &mutex);
	pthread_condattr_init(&cond);
	pthread_condattr_setpshared(&cond, PTHREAD_PROCESS_SHARED);
	pthread_cond_init(&shared->cond, &cond);
	pthread_barrierattr_init(&barrier);
	pthread_barrierattr_setpshared(&barrier, PTHREAD_PROCESS_SHARED);
	pthread_barrier_init(&shared->barrier, &barrier, 2 * THREADS);
	snprintf(name, sizeof name, "/libcr-test-%d", (int)getpid());
	named = sem_open(name, O_CREAT, 0600, 0);
	child = fork();
	if (!child) {
		me = 1;
		run();
		sem_post(named);
		_exit(3);
	}
	run();
	sem_wait(named);
	sem_unlink(name);
	waitpid(child, &status, 0);
	printf("%ld %ld %d\n", shared->counter, shared->meetings, WEXITSTATUS(status));
	return 0;
}
