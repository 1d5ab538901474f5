/* mutex.c - mutexes of all types: normal, error-checking, recursive, default. */
#include "mutex.h"

static atomic_int handled;

static void make(int type)
{
	pthread_mutexattr_t attr;

	OK(pthread_mutexattr_init(&attr));
	OK(pthread_mutexattr_settype(&attr, type));
	OK(pthread_mutex_init(&mutex, &attr));
	OK(pthread_mutexattr_destroy(&attr));
}

static int other_tries(void) { return (int)(long)end(begin(tries, NULL)); }

static void *unlocks(void *arg)
{
	(void)arg;
	return (void *)(long)pthread_mutex_unlock(&mutex);
}

BEHAVIOUR(mutex_static, "PTHREAD_MUTEX_INITIALIZER is a mutex with default attributes")
{
	add_by_many();
	OK(pthread_mutex_destroy(&mutex));
}

BEHAVIOUR(mutex_normal, "One thread at a time has a normal mutex")
{
	make(PTHREAD_MUTEX_NORMAL);
	add_by_many();
}

BEHAVIOUR(mutex_errorcheck, "One thread at a time has an error-checking mutex")
{
	make(PTHREAD_MUTEX_ERRORCHECK);
	add_by_many();
}

BEHAVIOUR(mutex_recursive, "One thread at a time has a recursive mutex")
{
	make(PTHREAD_MUTEX_RECURSIVE);
	add_by_many();
}

BEHAVIOUR(mutex_waits, "lock waits until the mutex is free")
{
	pthread_t thread;

	OK(pthread_mutex_lock(&mutex));
	thread = begin(locks, NULL);
	moment();
	CHECK(!locked);
	OK(pthread_mutex_unlock(&mutex));
	end(thread);
	CHECK(locked);
}

BEHAVIOUR(mutex_trylock, "trylock of a locked mutex is EBUSY, for its owner too")
{
	make(PTHREAD_MUTEX_NORMAL);
	OK(pthread_mutex_trylock(&mutex));
	GIVES(EBUSY, other_tries());
	GIVES(EBUSY, pthread_mutex_trylock(&mutex));
	OK(pthread_mutex_unlock(&mutex));
	OK(other_tries());
}

BEHAVIOUR(mutex_normal_relock, "Locking a normal mutex again deadlocks: the timed lock times out")
{
	struct timespec time = from_now(CLOCK_REALTIME, 20);

	make(PTHREAD_MUTEX_NORMAL);
	OK(pthread_mutex_lock(&mutex));
	GIVES(ETIMEDOUT, pthread_mutex_timedlock(&mutex, &time));
}

BEHAVIOUR(mutex_errorcheck_relock, "Locking an error-checking mutex again is EDEADLK")
{
	struct timespec time = from_now(CLOCK_REALTIME, 1000);

	make(PTHREAD_MUTEX_ERRORCHECK);
	OK(pthread_mutex_lock(&mutex));
	GIVES(EDEADLK, pthread_mutex_lock(&mutex));
	GIVES(EDEADLK, pthread_mutex_timedlock(&mutex, &time));
	OK(pthread_mutex_unlock(&mutex));
}

BEHAVIOUR(mutex_errorcheck_unlock, "Unlocking an error-checking mutex that one does not have is EPERM")
{
	make(PTHREAD_MUTEX_ERRORCHECK);
	GIVES(EPERM, pthread_mutex_unlock(&mutex));
	OK(pthread_mutex_lock(&mutex));
	GIVES(EPERM, end(begin(unlocks, NULL)));
	OK(pthread_mutex_unlock(&mutex));
}

BEHAVIOUR(mutex_recursive_count, "A recursive mutex is free after as many unlocks as locks")
{
	make(PTHREAD_MUTEX_RECURSIVE);
	for (int i = 0; i < 10; i++)
		OK(i % 2 ? pthread_mutex_lock(&mutex) : pthread_mutex_trylock(&mutex));
	for (int i = 0; i < 10; i++) {
		GIVES(EBUSY, other_tries());
		OK(pthread_mutex_unlock(&mutex));
	}
	OK(other_tries());
}

BEHAVIOUR(mutex_recursive_unlock, "Unlocking a recursive mutex that one does not have is EPERM")
{
	make(PTHREAD_MUTEX_RECURSIVE);
	GIVES(EPERM, pthread_mutex_unlock(&mutex));
	OK(pthread_mutex_lock(&mutex));
	GIVES(EPERM, end(begin(unlocks, NULL)));
}

BEHAVIOUR(mutex_timedlock, "timedlock ends with ETIMEDOUT, not before its time on CLOCK_REALTIME")
{
	OK(pthread_mutex_lock(&mutex));
	GIVES(ETIMEDOUT, end(begin(times_out, NULL)));
}

static void *timed(void *arg)
{
	struct timespec *time = arg;

	return (void *)(long)pthread_mutex_timedlock(&mutex, time);
}

BEHAVIOUR(mutex_timedlock_gets, "timedlock gets the mutex that becomes free in time")
{
	struct timespec time = from_now(CLOCK_REALTIME, 10000);
	pthread_t thread;

	OK(pthread_mutex_lock(&mutex));
	thread = begin(timed, &time);
	moment();
	OK(pthread_mutex_unlock(&mutex));
	OK(end(thread));
}

BEHAVIOUR(mutex_timedlock_past, "timedlock of a free mutex does not look at the time; else one that has passed is ETIMEDOUT")
{
	struct timespec time = {1, 0}, bad = {1, -1};

	OK(pthread_mutex_timedlock(&mutex, &time));
	GIVES(ETIMEDOUT, end(begin(timed, &time)));
	OK(pthread_mutex_unlock(&mutex));
	OK(pthread_mutex_timedlock(&mutex, &bad));
}

BEHAVIOUR(mutex_timedlock_invalid, "timedlock that would wait with nanoseconds out of range is EINVAL")
{
	struct timespec time = from_now(CLOCK_REALTIME, 1000);

	time.tv_nsec = 1000000000;
	OK(pthread_mutex_lock(&mutex));
	GIVES(EINVAL, end(begin(timed, &time)));
	time.tv_nsec = -1;
	GIVES(EINVAL, end(begin(timed, &time)));
}

static void on_signal(int sig)
{
	(void)sig;
	handled++;
}

BEHAVIOUR(mutex_signal, "A signal's handler runs in a thread that waits for a mutex, which then waits on")
{
	pthread_t thread;

	catch_with(SIGUSR1, on_signal, 0);
	OK(pthread_mutex_lock(&mutex));
	thread = begin(locks, NULL);
	moment();
	OK(pthread_kill(thread, SIGUSR1));
	UNTIL(handled);
	moment();
	CHECK(!locked);
	OK(pthread_mutex_unlock(&mutex));
	end(thread);
}

BEHAVIOUR(mutex_cancel, "lock is no cancellation point")
{
	pthread_t thread;

	OK(pthread_mutex_lock(&mutex));
	thread = begin(locks, &mutex);
	moment();
	OK(pthread_cancel(thread));
	moment();
	OK(pthread_mutex_unlock(&mutex));
	CHECK(end(thread) == &mutex);
}

BEHAVIOUR(mutex_all_waiters, "Every one of many waiters gets the mutex")
{
	pthread_t threads[100];

	OK(pthread_mutex_lock(&mutex));
	for (int i = 0; i < 100; i++)
		threads[i] = begin(locks, NULL);
	moment();
	OK(pthread_mutex_unlock(&mutex));
	for (int i = 0; i < 100; i++)
		end(threads[i]);
}

BEHAVIOUR(mutex_attr, "Attributes: PTHREAD_MUTEX_DEFAULT and PTHREAD_PROCESS_PRIVATE at first; other values are EINVAL")
{
	pthread_mutexattr_t attr;
	int value;

	OK(pthread_mutexattr_init(&attr));
	OK(pthread_mutexattr_gettype(&attr, &value));
	CHECK(value == PTHREAD_MUTEX_DEFAULT);
	OK(pthread_mutexattr_getpshared(&attr, &value));
	CHECK(value == PTHREAD_PROCESS_PRIVATE);
	GIVES(EINVAL, pthread_mutexattr_settype(&attr, 77));
	GIVES(EINVAL, pthread_mutexattr_setpshared(&attr, 77));
	OK(pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED));
	OK(pthread_mutexattr_getpshared(&attr, &value));
	CHECK(value == PTHREAD_PROCESS_SHARED);
}

struct in_both {
	pthread_mutex_t mutex;
	long plain;
};

static void *adds_shared(void *arg)
{
	struct in_both *both = arg;

	for (int i = 0; i < 2000; i++) {
		OK(pthread_mutex_lock(&both->mutex));
		both->plain++;
		OK(pthread_mutex_unlock(&both->mutex));
	}
	return NULL;
}

static void add_by_two(struct in_both *both)
{
	pthread_t one = begin(adds_shared, both), two = begin(adds_shared, both);

	end(one);
	end(two);
}

BEHAVIOUR(mutex_shared, "A process-shared mutex is one for the threads of several processes")
{
	struct in_both *both = shared(4096);
	pthread_mutexattr_t attr;
	pid_t child;

	OK(pthread_mutexattr_init(&attr));
	OK(pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED));
	OK(pthread_mutex_init(&both->mutex, &attr));
	child = fork();
	if (!child) {
		add_by_two(both);
		_exit(0);
	}
	add_by_two(both);
	OK(status_of(child));
	CHECK(both->plain == 4 * 2000);
}

struct of_other {
	pthread_mutex_t mutex;
	atomic_int has, looked;
};

static void *has_it(void *arg)
{
	struct of_other *both = arg;

	OK(pthread_mutex_lock(&both->mutex));
	both->has = 1;
	UNTIL(both->looked);
	OK(pthread_mutex_unlock(&both->mutex));
	return NULL;
}

static void *has_it_not(void *arg)
{
	struct of_other *both = arg;

	UNTIL(both->has);
	GIVES(EBUSY, pthread_mutex_trylock(&both->mutex));
	GIVES(EPERM, pthread_mutex_unlock(&both->mutex));
	both->looked = 1;
	OK(pthread_mutex_lock(&both->mutex));
	OK(pthread_mutex_unlock(&both->mutex));
	return NULL;
}

BEHAVIOUR(mutex_shared_owner, "An owner in another process is another thread: EPERM for whoever unlocks its error-checking mutex")
{
	struct of_other *both = shared(4096);
	pthread_mutexattr_t attr;
	pid_t child;

	OK(pthread_mutexattr_init(&attr));
	OK(pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED));
	OK(pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_ERRORCHECK));
	OK(pthread_mutex_init(&both->mutex, &attr));
	child = fork();
	if (!child) {
		end(begin(has_it_not, both));
		_exit(0);
	}
	end(begin(has_it, both));
	OK(status_of(child));
}
