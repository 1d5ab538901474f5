/* mutex-protocol.c - mutexes that change their owner's priority: PTHREAD_PRIO_INHERIT, PTHREAD_PRIO_PROTECT. */
#include "mutex.h"

static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static atomic_int waiting;

static void make(int protocol, int type, int robust)
{
	pthread_mutexattr_t attr;

	OK(pthread_mutexattr_init(&attr));
	OK(pthread_mutexattr_setprotocol(&attr, protocol));
	OK(pthread_mutexattr_settype(&attr, type));
	OK(pthread_mutexattr_setrobust(&attr, robust));
	OK(pthread_mutex_init(&mutex, &attr));
}

/* A thread's own priority must be one of SCHED_FIFO for a ceiling to mean something. */
static void become_realtime(int priority)
{
	struct sched_param param = {.sched_priority = priority};
	int error = pthread_setschedparam(pthread_self(), SCHED_FIFO, &param);

	if (error == EPERM)
		skip("real-time scheduling is not allowed");
	OK(error);
}

static void inherits(int type) { make(PTHREAD_PRIO_INHERIT, type, PTHREAD_MUTEX_STALLED); }

BEHAVIOUR(protocol_attr, "The protocol is PTHREAD_PRIO_NONE at first, and one of three; other values are EINVAL or ENOTSUP")
{
	pthread_mutexattr_t attr;
	int value, error;

	OK(pthread_mutexattr_init(&attr));
	OK(pthread_mutexattr_getprotocol(&attr, &value));
	CHECK(value == PTHREAD_PRIO_NONE);
	OK(pthread_mutexattr_setprotocol(&attr, PTHREAD_PRIO_INHERIT));
	OK(pthread_mutexattr_getprotocol(&attr, &value));
	CHECK(value == PTHREAD_PRIO_INHERIT);
	OK(pthread_mutexattr_setprotocol(&attr, PTHREAD_PRIO_PROTECT));
	error = pthread_mutexattr_setprotocol(&attr, 77);
	CHECK(error == EINVAL || error == ENOTSUP);
}

BEHAVIOUR(protocol_ceiling_attr, "The priority ceiling of attributes is what was set, within the range of SCHED_FIFO")
{
	pthread_mutexattr_t attr;
	int value, most = sched_get_priority_max(SCHED_FIFO);

	OK(pthread_mutexattr_init(&attr));
	OK(pthread_mutexattr_setprioceiling(&attr, most));
	OK(pthread_mutexattr_getprioceiling(&attr, &value));
	CHECK(value == most);
	GIVES(EINVAL, pthread_mutexattr_setprioceiling(&attr, most + 1));
}

BEHAVIOUR(inherit_excludes, "One thread at a time has a PTHREAD_PRIO_INHERIT mutex")
{
	inherits(PTHREAD_MUTEX_NORMAL);
	add_by_many();
}

BEHAVIOUR(inherit_trylock, "trylock of a locked PTHREAD_PRIO_INHERIT mutex is EBUSY")
{
	inherits(PTHREAD_MUTEX_NORMAL);
	OK(pthread_mutex_lock(&mutex));
	GIVES(EBUSY, end(begin(tries, NULL)));
	OK(pthread_mutex_unlock(&mutex));
	OK(end(begin(tries, NULL)));
}

BEHAVIOUR(inherit_waits, "lock of a PTHREAD_PRIO_INHERIT mutex waits until it is free")
{
	pthread_t thread;

	inherits(PTHREAD_MUTEX_NORMAL);
	OK(pthread_mutex_lock(&mutex));
	thread = begin(locks, NULL);
	moment();
	CHECK(!locked);
	OK(pthread_mutex_unlock(&mutex));
	end(thread);
}

BEHAVIOUR(inherit_timedlock, "timedlock of a PTHREAD_PRIO_INHERIT mutex ends with ETIMEDOUT, not before its time")
{
	inherits(PTHREAD_MUTEX_NORMAL);
	OK(pthread_mutex_lock(&mutex));
	GIVES(ETIMEDOUT, end(begin(times_out, NULL)));
	OK(pthread_mutex_unlock(&mutex));
}

BEHAVIOUR(inherit_recursive, "A recursive PTHREAD_PRIO_INHERIT mutex is free after as many unlocks as locks")
{
	inherits(PTHREAD_MUTEX_RECURSIVE);
	OK(pthread_mutex_lock(&mutex));
	OK(pthread_mutex_lock(&mutex));
	OK(pthread_mutex_unlock(&mutex));
	GIVES(EBUSY, end(begin(tries, NULL)));
	OK(pthread_mutex_unlock(&mutex));
	OK(end(begin(tries, NULL)));
}

BEHAVIOUR(inherit_errorcheck, "An error-checking PTHREAD_PRIO_INHERIT mutex: EDEADLK, EPERM")
{
	inherits(PTHREAD_MUTEX_ERRORCHECK);
	GIVES(EPERM, pthread_mutex_unlock(&mutex));
	OK(pthread_mutex_lock(&mutex));
	GIVES(EDEADLK, pthread_mutex_lock(&mutex));
	OK(pthread_mutex_unlock(&mutex));
}

static void *waits_for_cond(void *arg)
{
	OK(pthread_mutex_lock(&mutex));
	waiting++;
	OK(pthread_cond_wait(&cond, &mutex));
	plain++;
	OK(pthread_mutex_unlock(&mutex));
	return arg;
}

BEHAVIOUR(inherit_cond, "Condition variables work with PTHREAD_PRIO_INHERIT mutexes")
{
	pthread_t threads[5];

	inherits(PTHREAD_MUTEX_NORMAL);
	for (int i = 0; i < 5; i++)
		threads[i] = begin(waits_for_cond, NULL);
	UNTIL(waiting == 5);
	OK(pthread_mutex_lock(&mutex));
	OK(pthread_cond_broadcast(&cond));
	OK(pthread_mutex_unlock(&mutex));
	for (int i = 0; i < 5; i++)
		end(threads[i]);
	CHECK(plain == 5);
}

static void *ends_with_it(void *arg)
{
	OK(pthread_mutex_lock(&mutex));
	return arg;
}

BEHAVIOUR(inherit_robust, "A robust PTHREAD_PRIO_INHERIT mutex whose owner has ended gives EOWNERDEAD")
{
	make(PTHREAD_PRIO_INHERIT, PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_ROBUST);
	end(begin(ends_with_it, NULL));
	GIVES(EOWNERDEAD, pthread_mutex_lock(&mutex));
	OK(pthread_mutex_consistent(&mutex));
	OK(pthread_mutex_unlock(&mutex));
	OK(end(begin(tries, NULL)));
}

BEHAVIOUR(inherit_shared, "A process-shared PTHREAD_PRIO_INHERIT mutex is one for several processes")
{
	struct in_both {
		pthread_mutex_t mutex;
		long plain;
	} *both = shared(4096);
	pthread_mutexattr_t attr;
	pid_t child;

	OK(pthread_mutexattr_init(&attr));
	OK(pthread_mutexattr_setprotocol(&attr, PTHREAD_PRIO_INHERIT));
	OK(pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED));
	OK(pthread_mutex_init(&both->mutex, &attr));
	child = fork();
	for (int i = 0; i < 2000; i++) {
		OK(pthread_mutex_lock(&both->mutex));
		both->plain++;
		OK(pthread_mutex_unlock(&both->mutex));
	}
	if (!child)
		_exit(0);
	OK(status_of(child));
	CHECK(both->plain == 4000);
}

static int order[3];
static atomic_int norder, tid;

/* Whether a thread of this process sleeps. */
static int sleeps(int who)
{
	char path[64], text[256] = "";
	FILE *stat;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", who);
	stat = fopen(path, "r");
	CHECK(stat && fgets(text, sizeof(text), stat));
	fclose(stat);
	return strrchr(text, ')')[2] == 'S';
}

static void *waits_at_priority(void *arg)
{
	become_realtime((int)(long)arg);
	tid = gettid();
	OK(pthread_mutex_lock(&mutex));
	order[norder++] = (int)(long)arg;
	OK(pthread_mutex_unlock(&mutex));
	return NULL;
}

BEHAVIOUR(inherit_order, "Of those who wait for a PTHREAD_PRIO_INHERIT mutex the thread with the highest priority gets it first")
{
	static const long priorities[3] = {2, 7, 4};
	pthread_t threads[3];

	inherits(PTHREAD_MUTEX_NORMAL);
	OK(pthread_mutex_lock(&mutex));
	for (int i = 0; i < 3; i++) {
		threads[i] = begin(waits_at_priority, (void *)priorities[i]);
		UNTIL(tid && sleeps(tid));
		tid = 0;
	}
	OK(pthread_mutex_unlock(&mutex));
	for (int i = 0; i < 3; i++)
		end(threads[i]);
	CHECK(order[0] == 7 && order[1] == 4 && order[2] == 2);
}

static void protects(int ceiling)
{
	pthread_mutexattr_t attr;

	OK(pthread_mutexattr_init(&attr));
	OK(pthread_mutexattr_setprotocol(&attr, PTHREAD_PRIO_PROTECT));
	OK(pthread_mutexattr_setprioceiling(&attr, ceiling));
	OK(pthread_mutex_init(&mutex, &attr));
}

BEHAVIOUR(protect_lock, "A PTHREAD_PRIO_PROTECT mutex is locked by a thread below its ceiling, and excludes others")
{
	become_realtime(2);
	protects(5);
	OK(pthread_mutex_lock(&mutex));
	GIVES(EBUSY, end(begin(tries, NULL)));
	OK(pthread_mutex_unlock(&mutex));
}

BEHAVIOUR(protect_above, "Locking a PTHREAD_PRIO_PROTECT mutex by a thread above its ceiling is EINVAL")
{
	become_realtime(6);
	protects(5);
	GIVES(EINVAL, pthread_mutex_lock(&mutex));
}

BEHAVIOUR(protect_ceiling, "The ceiling of a PTHREAD_PRIO_PROTECT mutex can be read, and changed")
{
	int value;

	become_realtime(2);
	protects(5);
	OK(pthread_mutex_getprioceiling(&mutex, &value));
	CHECK(value == 5);
	OK(pthread_mutex_setprioceiling(&mutex, 7, &value));
	CHECK(value == 5);
	OK(pthread_mutex_getprioceiling(&mutex, &value));
	CHECK(value == 7);
}
