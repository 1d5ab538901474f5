/* threads.c - a POSIX program: threads and all that they wait for each other by. It prints the same with the kernel's threads and with userthreads. */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MANY 1000
#define TURNS 20000
#define PARTIES 64

static pthread_t threads[MANY];

static void *answer(void *arg)
{
	return (void *)((long)arg * 2);
}

static long join_all(int n)
{
	long sum = 0;

	for (int i = 0; i < n; i++) {
		void *result;

		pthread_join(threads[i], &result);
		sum += (long)result;
	}
	return sum;
}

static void start(int n, void *(*func)(void *))
{
	for (long i = 0; i < n; i++) {
		int error = pthread_create(&threads[i], NULL, func, (void *)i);

		if (error) {
			printf("pthread_create: %s\n", strerror(error));
			exit(1);
		}
	}
}

/* ---------------------------------------------------------------- mutex, condition variable, semaphore, barrier */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t conds[2] = {PTHREAD_COND_INITIALIZER, PTHREAD_COND_INITIALIZER};
static int turn;
static long counter;
static sem_t sems[2];
static pthread_barrier_t barrier;
static long serial;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static long words[2];

static void *counts(void *arg)
{
	for (int i = 0; i < TURNS; i++) {
		pthread_mutex_lock(&mutex);
		counter++;
		pthread_mutex_unlock(&mutex);
	}
	return arg;
}

static void *takes_turns(void *arg)
{
	int me = (int)(long)arg;

	for (int i = 0; i < TURNS; i++) {
		pthread_mutex_lock(&mutex);
		while (turn != me)
			pthread_cond_wait(&conds[me], &mutex);
		turn = !me;
		counter++;
		pthread_cond_signal(&conds[!me]);
		pthread_mutex_unlock(&mutex);
	}
	return NULL;
}

static void *posts(void *arg)
{
	long me = (long)arg;

	for (int i = 0; i < TURNS; i++) {
		sem_wait(&sems[me]);
		counter++;
		sem_post(&sems[!me]);
	}
	return NULL;
}

static void *meets(void *arg)
{
	for (int i = 0; i < 100; i++)
		if (pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD)
			__atomic_fetch_add(&serial, 1, __ATOMIC_SEQ_CST);
	return arg;
}

static void *reads_or_writes(void *arg)
{
	long wrong = 0;

	for (int i = 0; i < 2000; i++)
		if ((long)arg % 4 == 0) {
			pthread_rwlock_wrlock(&rwlock);
			words[0]++;
			sched_yield();
			words[1]++;
			pthread_rwlock_unlock(&rwlock);
		} else {
			pthread_rwlock_rdlock(&rwlock);
			wrong += words[0] != words[1];
			pthread_rwlock_unlock(&rwlock);
		}
	return (void *)wrong;
}

/* ---------------------------------------------------------------- time */
static struct timespec in_ms(clockid_t clock, int ms)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	ts.tv_nsec += ms * 1000000l;
	ts.tv_sec += ts.tv_nsec / 1000000000;
	ts.tv_nsec %= 1000000000;
	return ts;
}

/** Who is to wake first is begun last. The order in which they go on then is the scheduler's, on a busy machine. */
static void *sleeps(void *arg)
{
	struct timespec until = in_ms(CLOCK_MONOTONIC, 240 - 30 * (int)(long)arg), now;

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
	clock_gettime(CLOCK_MONOTONIC, &now);
	pthread_mutex_lock(&mutex);
	counter += now.tv_sec > until.tv_sec || (now.tv_sec == until.tv_sec && now.tv_nsec >= until.tv_nsec);
	pthread_mutex_unlock(&mutex);
	return NULL;
}

static void timed_waits(void)
{
	pthread_mutex_t locked = PTHREAD_MUTEX_INITIALIZER;
	struct timespec until = in_ms(CLOCK_REALTIME, 20), before, after;
	int error;

	clock_gettime(CLOCK_REALTIME, &before);
	pthread_mutex_lock(&mutex);
	error = pthread_cond_timedwait(&conds[0], &mutex, &until);
	pthread_mutex_unlock(&mutex);
	clock_gettime(CLOCK_REALTIME, &after);
	printf("cond_timedwait %s, %s\n", strerror(error), after.tv_sec > until.tv_sec || after.tv_nsec >= until.tv_nsec ? "late enough" : "too early");
	until = in_ms(CLOCK_REALTIME, 5);
	printf("sem_timedwait %d", sem_timedwait(&sems[1], &until));
	printf(" %s\n", strerror(errno));
	pthread_mutex_lock(&locked);
	until = in_ms(CLOCK_MONOTONIC, 5);
	printf("mutex_clocklock %s\n", strerror(pthread_mutex_clocklock(&locked, CLOCK_MONOTONIC, &until)));
	until = in_ms(CLOCK_MONOTONIC, 5);
	printf("clock_nanosleep %d\n", clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL));
}

/* ---------------------------------------------------------------- what computes, and never waits */
static volatile int flag;

static void *spins(void *arg)
{
	while (!flag)
		;
	return arg;
}

static void *sets_flag(void *arg)
{
	flag = 1;
	return arg;
}

static void *sums(void *arg)
{
	double a = (double)(long)arg + 1, b = a; /* in vector registers, which a preemption must keep */
	long wrong = 0;

	for (long i = 0; i < 3000000; i++) {
		a = a * 1.0000001 + 0.5;
		b = b * 1.0000001 + 0.5;
		wrong += a != b;
	}
	return (void *)wrong;
}

/* ---------------------------------------------------------------- a holder that dies, data of a thread's own, once */
static pthread_mutex_t robust;
static pthread_key_t key;
static __thread long own = 7;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void *dies(void *arg)
{
	pthread_mutex_lock(&robust);
	return arg;
}

static void destroys(void *value)
{
	__atomic_fetch_add(&counter, (long)value, __ATOMIC_SEQ_CST);
}

static void initializes(void)
{
	pthread_key_create(&key, destroys);
}

static void *has_its_own(void *arg)
{
	pthread_once(&once, initializes);
	own += (long)arg;
	sched_yield();
	pthread_setspecific(key, (void *)(long)1);
	return (void *)own;
}

static void robust_mutex(void)
{
	pthread_mutexattr_t attr;

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	pthread_mutex_init(&robust, &attr);
	start(1, dies);
	join_all(1);
	printf("robust: %s\n", strerror(pthread_mutex_lock(&robust)));
	pthread_mutex_consistent(&robust);
	pthread_mutex_unlock(&robust);
}

/* ---------------------------------------------------------------- */
static int waiting;

static void *waits_for_all(void *arg)
{
	pthread_mutex_lock(&mutex);
	waiting++;
	pthread_cond_signal(&conds[1]);
	while (turn == 0)
		pthread_cond_wait(&conds[0], &mutex);
	counter++;
	pthread_mutex_unlock(&mutex);
	return arg;
}

static void broadcasts(void)
{
	turn = counter = 0;
	start(100, waits_for_all);
	pthread_mutex_lock(&mutex);
	while (waiting < 100)
		pthread_cond_wait(&conds[1], &mutex);
	turn = 1;
	pthread_cond_broadcast(&conds[0]);
	pthread_mutex_unlock(&mutex);
	join_all(100);
	printf("broadcast %ld\n", counter);
}

static void *ends_by_itself(void *arg)
{
	pthread_join((pthread_t)arg, NULL); /* main's thread, which ends before its process does */
	printf("main has ended\n");
	exit(5);
}

int main(void)
{
	start(MANY, answer);
	printf("1000 at once %ld\n", join_all(MANY));
	for (int i = 0; i < MANY; i++) {
		start(1, answer);
		join_all(1);
	}
	for (int i = 0; i < MANY; i++) { /* two that end at the same time, where there are several processors */
		start(2, answer);
		join_all(2);
	}
	start(4, counts);
	join_all(4);
	printf("mutex %ld\n", counter);
	counter = 0;
	start(2, takes_turns);
	join_all(2);
	printf("cond %ld\n", counter);
	counter = 0;
	sem_init(&sems[0], 0, 1);
	sem_init(&sems[1], 0, 0);
	start(2, posts);
	join_all(2);
	printf("sem %ld\n", counter);
	sem_wait(&sems[0]);
	pthread_barrier_init(&barrier, NULL, PARTIES);
	start(PARTIES, meets);
	join_all(PARTIES);
	printf("barrier %ld\n", serial);
	start(8, reads_or_writes);
	printf("rwlock %ld\n", join_all(8));
	broadcasts();
	timed_waits();
	counter = 0;
	start(8, sleeps);
	join_all(8);
	printf("sleeps, none too short: %ld\n", counter);
	start(1, spins);
	pthread_create(&threads[1], NULL, sets_flag, NULL);
	join_all(2);
	printf("spun\n");
	start(4, sums);
	printf("sums %ld\n", join_all(4));
	robust_mutex();
	counter = 0;
	start(20, has_its_own);
	printf("thread-local %ld", join_all(20));
	printf(", destroyed %ld\n", counter);
	pthread_create(&threads[0], NULL, ends_by_itself, (void *)pthread_self());
	pthread_exit(NULL);
}
