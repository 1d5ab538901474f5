/* robust.c - robust mutexes: what becomes of those whose owner has ended. */
#include "../conformance.h"

#include <stdatomic.h>

static pthread_mutex_t mutex, second;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static atomic_int waiting, locked;

static void make_one(pthread_mutex_t *one, int type, int pshared)
{
	pthread_mutexattr_t attr;

	OK(pthread_mutexattr_init(&attr));
	OK(pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST));
	OK(pthread_mutexattr_settype(&attr, type));
	OK(pthread_mutexattr_setpshared(&attr, pshared));
	OK(pthread_mutex_init(one, &attr));
}

static void make(void) { make_one(&mutex, PTHREAD_MUTEX_NORMAL, PTHREAD_PROCESS_PRIVATE); }

static void *ends_with_it(void *arg)
{
	OK(pthread_mutex_lock(&mutex));
	return arg;
}

static void *tries(void *arg)
{
	(void)arg;
	return (void *)(long)pthread_mutex_trylock(&mutex);
}

static void *locks(void *arg)
{
	(void)arg;
	return (void *)(long)pthread_mutex_lock(&mutex);
}

BEHAVIOUR(robust_attr, "The attribute is PTHREAD_MUTEX_STALLED at first; other values are EINVAL")
{
	pthread_mutexattr_t attr;
	int value;

	OK(pthread_mutexattr_init(&attr));
	OK(pthread_mutexattr_getrobust(&attr, &value));
	CHECK(value == PTHREAD_MUTEX_STALLED);
	OK(pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST));
	OK(pthread_mutexattr_getrobust(&attr, &value));
	CHECK(value == PTHREAD_MUTEX_ROBUST);
	GIVES(EINVAL, pthread_mutexattr_setrobust(&attr, 77));
}

BEHAVIOUR(robust_lock, "lock gives EOWNERDEAD, and the mutex, after its owner has ended")
{
	make();
	end(begin(ends_with_it, NULL));
	GIVES(EOWNERDEAD, pthread_mutex_lock(&mutex));
	GIVES(EBUSY, end(begin(tries, NULL)));
}

BEHAVIOUR(robust_trylock, "trylock gives EOWNERDEAD")
{
	make();
	end(begin(ends_with_it, NULL));
	GIVES(EOWNERDEAD, pthread_mutex_trylock(&mutex));
}

BEHAVIOUR(robust_timedlock, "timedlock gives EOWNERDEAD")
{
	struct timespec time = from_now(CLOCK_REALTIME, 10000);

	make();
	end(begin(ends_with_it, NULL));
	GIVES(EOWNERDEAD, pthread_mutex_timedlock(&mutex, &time));
}

BEHAVIOUR(robust_consistent, "Made consistent, it is a mutex as before")
{
	make();
	end(begin(ends_with_it, NULL));
	GIVES(EOWNERDEAD, pthread_mutex_lock(&mutex));
	OK(pthread_mutex_consistent(&mutex));
	OK(pthread_mutex_unlock(&mutex));
	OK(pthread_mutex_lock(&mutex));
	OK(pthread_mutex_unlock(&mutex));
}

BEHAVIOUR(robust_unrecoverable, "Unlocked without that, it is ENOTRECOVERABLE for everybody")
{
	struct timespec time = from_now(CLOCK_REALTIME, 10000);

	make();
	end(begin(ends_with_it, NULL));
	GIVES(EOWNERDEAD, pthread_mutex_lock(&mutex));
	OK(pthread_mutex_unlock(&mutex));
	GIVES(ENOTRECOVERABLE, pthread_mutex_lock(&mutex));
	GIVES(ENOTRECOVERABLE, pthread_mutex_timedlock(&mutex, &time));
	GIVES(ENOTRECOVERABLE, end(begin(tries, NULL)));
	OK(pthread_mutex_destroy(&mutex));
}

BEHAVIOUR(robust_unrecoverable_waiter, "Who waits for it then gets ENOTRECOVERABLE, too")
{
	pthread_t thread;

	make();
	end(begin(ends_with_it, NULL));
	GIVES(EOWNERDEAD, pthread_mutex_lock(&mutex));
	thread = begin(locks, NULL);
	moment();
	OK(pthread_mutex_unlock(&mutex));
	GIVES(ENOTRECOVERABLE, end(thread));
}

static void *ends_with_it_later(void *arg)
{
	OK(pthread_mutex_lock(&mutex));
	locked = 1;
	UNTIL(waiting);
	moment();
	return arg;
}

BEHAVIOUR(robust_waiter, "A thread that waits already is given the mutex of one that ends, with EOWNERDEAD")
{
	pthread_t owner;

	make();
	owner = begin(ends_with_it_later, NULL);
	UNTIL(locked);
	waiting = 1;
	GIVES(EOWNERDEAD, pthread_mutex_lock(&mutex));
	end(owner);
}

static void *waits_for_ever(void *arg)
{
	OK(pthread_mutex_lock(&mutex));
	locked = 1;
	for (;;)
		pause();
	return arg;
}

BEHAVIOUR(robust_cancelled, "A cancelled owner has ended")
{
	pthread_t owner;

	make();
	owner = begin(waits_for_ever, NULL);
	UNTIL(locked);
	OK(pthread_cancel(owner));
	GIVES(EOWNERDEAD, pthread_mutex_lock(&mutex));
	end(owner);
}

static void *ends_with_two(void *arg)
{
	OK(pthread_mutex_lock(&mutex));
	OK(pthread_mutex_lock(&second));
	return arg;
}

BEHAVIOUR(robust_two, "All of the mutexes that a thread had give EOWNERDEAD")
{
	make();
	make_one(&second, PTHREAD_MUTEX_ERRORCHECK, PTHREAD_PROCESS_PRIVATE);
	end(begin(ends_with_two, NULL));
	GIVES(EOWNERDEAD, pthread_mutex_lock(&second));
	GIVES(EOWNERDEAD, pthread_mutex_lock(&mutex));
}

BEHAVIOUR(robust_recursive, "A recursive robust mutex whose owner has ended is locked once by who gets it")
{
	make_one(&mutex, PTHREAD_MUTEX_RECURSIVE, PTHREAD_PROCESS_PRIVATE);
	end(begin(ends_with_it, NULL));
	GIVES(EOWNERDEAD, pthread_mutex_lock(&mutex));
	OK(pthread_mutex_consistent(&mutex));
	OK(pthread_mutex_unlock(&mutex));
	OK(end(begin(tries, NULL)));
}

static void *waits_for_cond(void *arg)
{
	int error;

	(void)arg;
	OK(pthread_mutex_lock(&mutex));
	waiting = 1;
	error = pthread_cond_wait(&cond, &mutex);
	return (void *)(long)error;
}

static void *signals_and_ends(void *arg)
{
	OK(pthread_mutex_lock(&mutex));
	OK(pthread_cond_signal(&cond));
	return arg;
}

BEHAVIOUR(robust_cond, "pthread_cond_wait gives EOWNERDEAD, with the mutex, where its last owner has ended")
{
	pthread_t thread;

	make();
	thread = begin(waits_for_cond, NULL);
	UNTIL(waiting);
	end(begin(signals_and_ends, NULL));
	GIVES(EOWNERDEAD, end(thread));
}

BEHAVIOUR(robust_not_inconsistent, "pthread_mutex_consistent of a mutex that is consistent, or not robust, is EINVAL")
{
	pthread_mutex_t other = PTHREAD_MUTEX_INITIALIZER;

	make();
	GIVES(EINVAL, pthread_mutex_consistent(&mutex));
	OK(pthread_mutex_lock(&mutex));
	GIVES(EINVAL, pthread_mutex_consistent(&mutex));
	GIVES(EINVAL, pthread_mutex_consistent(&other));
}

BEHAVIOUR(robust_unlock, "Unlocking a robust mutex that another has is EPERM")
{
	make();
	ends_with_it(NULL);
	GIVES(EPERM, end(begin((void *(*)(void *))(void *)pthread_mutex_unlock, &mutex)));
}

static void own_in_child(pthread_mutex_t *both, atomic_int *has, int sig)
{
	OK(pthread_mutex_lock(both));
	*has = 1;
	if (!sig)
		_exit(0);
	for (;;)
		pause();
}

static void process_ends(int sig)
{
	struct in_both {
		pthread_mutex_t mutex;
		atomic_int has;
	} *both = shared(4096);
	pid_t child;

	make_one(&both->mutex, PTHREAD_MUTEX_NORMAL, PTHREAD_PROCESS_SHARED);
	child = fork();
	if (!child)
		own_in_child(&both->mutex, &both->has, sig);
	UNTIL(both->has);
	if (sig)
		OK(kill(child, sig));
	GIVES(EOWNERDEAD, pthread_mutex_lock(&both->mutex));
	OK(pthread_mutex_consistent(&both->mutex));
	OK(pthread_mutex_unlock(&both->mutex));
	status_of(child);
}

BEHAVIOUR(robust_process_exits, "A mutex of a process that has ended gives EOWNERDEAD in another")
{
	process_ends(0);
}

BEHAVIOUR(robust_process_killed, "So does one of a process that was killed")
{
	process_ends(SIGKILL);
}

static void *owns_in_thread(void *arg)
{
	own_in_child(arg, (atomic_int *)((pthread_mutex_t *)arg + 1), SIGKILL);
	return NULL;
}

BEHAVIOUR(robust_process_thread_killed, "So does one of another thread of a process that was killed")
{
	pthread_mutex_t *both = shared(4096);
	atomic_int *has = (atomic_int *)(both + 1);
	pid_t child;

	make_one(both, PTHREAD_MUTEX_NORMAL, PTHREAD_PROCESS_SHARED);
	child = fork();
	if (!child) {
		begin(owns_in_thread, both);
		for (;;)
			pause();
	}
	UNTIL(*has);
	moment();
	OK(kill(child, SIGKILL));
	GIVES(EOWNERDEAD, pthread_mutex_lock(both));
	status_of(child);
}
