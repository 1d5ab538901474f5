/*
 * work.c - threads that share what locks guard. Under each lock two counters are the same whenever nobody has it; at the end each has as much as was
 * added to it.
 */
#include "soak.h"

#define WORKERS 10
#define LOCKS 6
#define ROOM 4 /* in the queue */
#define AT_ONCE 3

static struct lock {
	pthread_mutex_t mutex;
	int recursive, errorcheck;
	volatile uint64_t a, b;
} locks[LOCKS];
static uint64_t added[LOCKS]; /* by atomic operations */

static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static volatile uint64_t read_a, read_b, written;

static pthread_mutex_t queue_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t not_full = PTHREAD_COND_INITIALIZER, not_empty = PTHREAD_COND_INITIALIZER;
static uint64_t queue[ROOM], head, tail, sum_in, sum_out;

static sem_t room;
static int inside;

static pthread_key_t key;
static uint64_t destroyed, made;
static __thread uint64_t own; /* its thread's alone */

/** Work, that may be interrupted anywhere: integers, doubles, flags. */
static uint64_t compute(uint64_t from, unsigned n)
{
	double x = (double)from, y = 0.5;
	uint64_t h = from;

	for (unsigned i = 0; i < n; i++) {
		h = (h ^ i) * 0x100000001b3ull;
		h = h & 64 ? h + 7 : h - (h >> 60);
		x = x * 0.999 + (double)(h & 255);
		y = y * 1.0001 + x / 1024;
	}
	return h ^ (uint64_t)x ^ (uint64_t)y << 32;
}

#define RESULTS 8
static uint64_t results[RESULTS];

static void op_compute(void)
{
	unsigned which = (unsigned)dice(RESULTS);
	uint64_t mine = own = dice(1u << 30);

	DO("compute");
	CHECK(compute(which, 2000 + which * 1000) == results[which]);
	CHECK(own == mine);
}

static int lock_somehow(struct lock *lock)
{
	struct timespec ts;
	int error;

	switch (dice(5)) {
	case 0:
		DO("pthread_mutex_trylock");
		return pthread_mutex_trylock(&lock->mutex);
	case 1:
		DO("pthread_mutex_timedlock");
		ts = soon(CLOCK_REALTIME, (long)dice(2000));
		error = pthread_mutex_timedlock(&lock->mutex, &ts);
		CHECK(error == 0 || error == ETIMEDOUT);
		return error;
	case 2:
		DO("pthread_mutex_clocklock");
		ts = soon(CLOCK_MONOTONIC, (long)dice(2000));
		error = pthread_mutex_clocklock(&lock->mutex, CLOCK_MONOTONIC, &ts);
		CHECK(error == 0 || error == ETIMEDOUT);
		return error;
	}
	DO("pthread_mutex_lock");
	return pthread_mutex_lock(&lock->mutex);
}

static void dawdle(void)
{
	switch (dice(12)) {
	case 0:
		sched_yield();
		break;
	case 1:
		compute(1, 3000);
		break;
	case 2:
		usleep((useconds_t)dice(100));
		break;
	}
}

static void op_mutex(void)
{
	unsigned which = (unsigned)dice(LOCKS);
	struct lock *lock = &locks[which];

	if (lock_somehow(lock))
		return;
	DO("having a mutex");
	if (lock->recursive)
		OK(pthread_mutex_lock(&lock->mutex));
	if (lock->errorcheck)
		CHECK(pthread_mutex_lock(&lock->mutex) == EDEADLK);
	CHECK(lock->a == lock->b);
	lock->a++;
	dawdle();
	lock->b++;
	CHECK(lock->a == lock->b);
	if (lock->recursive)
		OK(pthread_mutex_unlock(&lock->mutex));
	OK(pthread_mutex_unlock(&lock->mutex));
	__atomic_fetch_add(&added[which], 1, __ATOMIC_RELAXED);
}

static void op_rwlock(void)
{
	struct timespec ts = soon(CLOCK_REALTIME, (long)dice(2000));

	if (dice(4)) {
		DO("pthread_rwlock_rdlock");
		if (dice(4) == 0) {
			if (pthread_rwlock_timedrdlock(&rwlock, &ts))
				return;
		} else {
			OK(pthread_rwlock_rdlock(&rwlock));
		}
		CHECK(read_a == read_b);
		dawdle();
		CHECK(read_a == read_b);
	} else {
		DO("pthread_rwlock_wrlock");
		if (dice(4) == 0) {
			if (pthread_rwlock_timedwrlock(&rwlock, &ts))
				return;
		} else {
			OK(pthread_rwlock_wrlock(&rwlock));
		}
		CHECK(read_a == read_b);
		read_a++;
		dawdle();
		read_b++;
		written++;
	}
	OK(pthread_rwlock_unlock(&rwlock));
}

/** Puts one in, and takes one out. So it can't be that all wait. */
static void op_queue(void)
{
	uint64_t value = dice(1000000), sides = dice(2);

	DO("the queue's mutex");
	OK(pthread_mutex_lock(&queue_mutex));
	DO("waiting for room");
	while (tail - head == ROOM)
		OK(pthread_cond_wait(&not_full, &queue_mutex));
	queue[tail++ % ROOM] = value;
	sum_in += value;
	if (sides)
		OK(pthread_cond_signal(&not_empty));
	OK(pthread_mutex_unlock(&queue_mutex));
	if (!sides)
		OK(pthread_cond_signal(&not_empty));
	dawdle();
	DO("the queue's mutex");
	OK(pthread_mutex_lock(&queue_mutex));
	DO("waiting for an element");
	while (tail == head)
		OK(pthread_cond_wait(&not_empty, &queue_mutex));
	sum_out += queue[head++ % ROOM];
	OK(dice(4) ? pthread_cond_signal(&not_full) : pthread_cond_broadcast(&not_full));
	OK(pthread_mutex_unlock(&queue_mutex));
}

static void op_semaphore(void)
{
	struct timespec ts = soon(CLOCK_REALTIME, (long)dice(3000));

	DO("sem_wait");
	while ((dice(3) ? sem_wait(&room) : sem_timedwait(&room, &ts)) < 0) {
		if (errno == ETIMEDOUT)
			return;
		CHECK(errno == EINTR);
	}
	CHECK(__atomic_add_fetch(&inside, 1, __ATOMIC_SEQ_CST) <= AT_ONCE);
	dawdle();
	CHECK(__atomic_sub_fetch(&inside, 1, __ATOMIC_SEQ_CST) >= 0);
	OK(sem_post(&room));
}

/** Nobody signals this: it ends by itself, and not before its time. By the clock that nobody sets. */
static void op_timeout(void)
{
	pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
	pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
	struct timespec until = soon(CLOCK_MONOTONIC, (long)dice(1500)), now;
	int error = 0;

	DO("pthread_cond_clockwait");
	OK(pthread_mutex_lock(&mutex));
	while (!error)
		error = pthread_cond_clockwait(&cond, &mutex, CLOCK_MONOTONIC, &until);
	CHECK(error == ETIMEDOUT);
	clock_gettime(CLOCK_MONOTONIC, &now);
	CHECK(now.tv_sec > until.tv_sec || (now.tv_sec == until.tv_sec && now.tv_nsec >= until.tv_nsec));
	OK(pthread_mutex_unlock(&mutex));
	OK(pthread_cond_destroy(&cond));
}

static void destroy(void *value)
{
	__atomic_fetch_add(&destroyed, (uint64_t)(uintptr_t)value, __ATOMIC_SEQ_CST);
}

static void *short_life(void *done)
{
	pthread_setspecific(key, (void *)1);
	if (done)
		sem_post(done);
	return (void *)42;
}

static void op_thread(void)
{
	pthread_t thread;
	pthread_attr_t attr;
	void *value;
	sem_t done;

	DO("a short thread");
	if (dice(3)) {
		OK(pthread_create(&thread, NULL, short_life, NULL));
		OK(pthread_join(thread, &value));
		CHECK(value == (void *)42);
	} else {
		OK(pthread_attr_init(&attr));
		OK(pthread_attr_setstacksize(&attr, 64 * 1024));
		OK(pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED));
		sem_init(&done, 0, 0);
		OK(pthread_create(&thread, &attr, short_life, &done));
		while (sem_wait(&done) < 0)
			CHECK(errno == EINTR);
	}
	__atomic_fetch_add(&made, 1, __ATOMIC_RELAXED);
}

static void op_memory(void)
{
	size_t size = 1 + dice(dice(20) ? 2000 : 300000);
	unsigned char *p = malloc(size), byte = (unsigned char)size;

	DO("malloc");
	memset(p, byte, size);
	dawdle();
	CHECK(p[0] == byte && p[size / 2] == byte && p[size - 1] == byte);
	free(p);
}

static void *worker(void *actor)
{
	static void (*const ops[])(void) = {op_mutex, op_mutex,   op_mutex,  op_queue,  op_queue,  op_rwlock, op_rwlock,
	                                    op_semaphore, op_timeout, op_thread, op_memory, op_compute, op_masked};

	begin_actor(actor);
	while (!board->stop) {
		ops[dice(sizeof(ops) / sizeof(ops[0]))]();
		me->progress++;
	}
	return end_actor();
}

void work_begins(void)
{
	static const int types[LOCKS] = {PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_RECURSIVE, PTHREAD_MUTEX_ERRORCHECK, PTHREAD_MUTEX_ADAPTIVE_NP, PTHREAD_MUTEX_NORMAL,
	                                 PTHREAD_MUTEX_NORMAL};
	pthread_mutexattr_t attr;

	for (unsigned i = 0; i < RESULTS; i++)
		results[i] = compute(i, 2000 + i * 1000);
	for (int i = 0; i < LOCKS; i++) {
		pthread_mutexattr_init(&attr);
		pthread_mutexattr_settype(&attr, types[i]);
		if (i == 4)
			pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
		if (i == 5)
			pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
		pthread_mutex_init(&locks[i].mutex, &attr);
		locks[i].recursive = i == 1;
		locks[i].errorcheck = i == 2;
	}
	pthread_key_create(&key, destroy);
	sem_init(&room, 0, AT_ONCE);
	for (int i = 0; i < WORKERS; i++)
		act("worker", i, worker);
}

void work_ends(void)
{
	DO("adding up");
	for (int i = 0; i < LOCKS; i++)
		CHECK(locks[i].a == added[i] && locks[i].b == added[i]);
	CHECK(read_a == written && read_b == written);
	CHECK(sum_in == sum_out && head == tail);
	CHECK(inside == 0);
	for (int i = 0; i < 5000 && __atomic_load_n(&destroyed, __ATOMIC_SEQ_CST) != made; i++) /* detached threads are about to end */
		usleep(1000);
	CHECK(destroyed == made);
}
