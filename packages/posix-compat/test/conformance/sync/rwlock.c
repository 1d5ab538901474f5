/* rwlock.c - locks for readers and writers. */
#include "../conformance.h"

#include <stdatomic.h>

static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
static atomic_int inside, writers, got, handled;
static long plain[2];

/* What another thread is answered; it unlocks again what it got. */
static void *other(void *call)
{
	int error = ((int (*)(pthread_rwlock_t *))call)(&lock);

	if (!error)
		OK(pthread_rwlock_unlock(&lock));
	return (void *)(long)error;
}

static int by_other(int (*call)(pthread_rwlock_t *)) { return (int)(long)end(begin(other, (void *)call)); }

static void *locks(void *call)
{
	OK(((int (*)(pthread_rwlock_t *))call)(&lock));
	got++;
	OK(pthread_rwlock_unlock(&lock));
	return NULL;
}

static void *reads_together(void *arg)
{
	OK(pthread_rwlock_rdlock(&lock));
	inside++;
	UNTIL(inside == 10);
	OK(pthread_rwlock_unlock(&lock));
	return arg;
}

BEHAVIOUR(rwlock_readers, "Many threads may read at once")
{
	pthread_t threads[10];

	for (int i = 0; i < 10; i++)
		threads[i] = begin(reads_together, NULL);
	for (int i = 0; i < 10; i++)
		end(threads[i]);
}

BEHAVIOUR(rwlock_writer, "A writer keeps readers and writers out")
{
	OK(pthread_rwlock_wrlock(&lock));
	GIVES(EBUSY, by_other(pthread_rwlock_tryrdlock));
	GIVES(EBUSY, by_other(pthread_rwlock_trywrlock));
	OK(pthread_rwlock_unlock(&lock));
	OK(by_other(pthread_rwlock_trywrlock));
}

BEHAVIOUR(rwlock_reader, "A reader keeps writers out, not readers")
{
	OK(pthread_rwlock_rdlock(&lock));
	GIVES(EBUSY, by_other(pthread_rwlock_trywrlock));
	OK(by_other(pthread_rwlock_tryrdlock));
	OK(pthread_rwlock_unlock(&lock));
	OK(by_other(pthread_rwlock_trywrlock));
}

BEHAVIOUR(rwlock_recursive_read, "A thread may read several times, and unlocks as often")
{
	for (int i = 0; i < 5; i++)
		OK(pthread_rwlock_rdlock(&lock));
	for (int i = 0; i < 5; i++) {
		GIVES(EBUSY, by_other(pthread_rwlock_trywrlock));
		OK(pthread_rwlock_unlock(&lock));
	}
	OK(by_other(pthread_rwlock_trywrlock));
}

BEHAVIOUR(rwlock_writer_waits, "A writer waits until the last reader is out")
{
	pthread_t thread;

	OK(pthread_rwlock_rdlock(&lock));
	OK(pthread_rwlock_rdlock(&lock));
	thread = begin(locks, (void *)pthread_rwlock_wrlock);
	moment();
	OK(pthread_rwlock_unlock(&lock));
	moment();
	CHECK(!got);
	OK(pthread_rwlock_unlock(&lock));
	end(thread);
}

BEHAVIOUR(rwlock_readers_wait, "All readers that wait for a writer get in when it is out")
{
	pthread_t threads[20];

	OK(pthread_rwlock_wrlock(&lock));
	for (int i = 0; i < 20; i++)
		threads[i] = begin(locks, (void *)pthread_rwlock_rdlock);
	moment();
	CHECK(!got);
	OK(pthread_rwlock_unlock(&lock));
	for (int i = 0; i < 20; i++)
		end(threads[i]);
}

static void *works(void *arg)
{
	for (int i = 0; i < 2000; i++) {
		if ((i + (long)arg) % 4) {
			OK(pthread_rwlock_rdlock(&lock));
			CHECK(!writers && plain[0] == plain[1]);
		} else {
			OK(pthread_rwlock_wrlock(&lock));
			CHECK(++writers == 1);
			plain[0]++;
			plain[1]++;
			writers--;
		}
		OK(pthread_rwlock_unlock(&lock));
	}
	return NULL;
}

BEHAVIOUR(rwlock_together, "What writers write is never seen half done")
{
	pthread_t threads[8];

	for (long i = 0; i < 8; i++)
		threads[i] = begin(works, (void *)i);
	for (int i = 0; i < 8; i++)
		end(threads[i]);
	CHECK(plain[0] == 8 * 500);
}

static void *reads_until(void *time) { return (void *)(long)pthread_rwlock_timedrdlock(&lock, time); }
static void *writes_until(void *time) { return (void *)(long)pthread_rwlock_timedwrlock(&lock, time); }

static void time_out(void *(*until)(void *))
{
	struct timespec time = from_now(CLOCK_REALTIME, 30);

	GIVES(ETIMEDOUT, end(begin(until, &time)));
	CHECK(has_come(CLOCK_REALTIME, &time));
}

BEHAVIOUR(rwlock_timedrdlock, "timedrdlock ends with ETIMEDOUT, not before its time on CLOCK_REALTIME")
{
	OK(pthread_rwlock_wrlock(&lock));
	time_out(reads_until);
	OK(pthread_rwlock_unlock(&lock));
	OK(by_other(pthread_rwlock_trywrlock));
}

BEHAVIOUR(rwlock_timedwrlock, "timedwrlock ends with ETIMEDOUT, not before its time on CLOCK_REALTIME")
{
	OK(pthread_rwlock_rdlock(&lock));
	time_out(writes_until);
	OK(by_other(pthread_rwlock_rdlock)); /* it left nothing behind */
	OK(pthread_rwlock_unlock(&lock));
	OK(by_other(pthread_rwlock_trywrlock));
}

BEHAVIOUR(rwlock_timed_gets, "The timed calls get the lock that becomes free in time")
{
	struct timespec time = from_now(CLOCK_REALTIME, 10000);
	pthread_t thread;

	OK(pthread_rwlock_wrlock(&lock));
	thread = begin(reads_until, &time);
	moment();
	OK(pthread_rwlock_unlock(&lock));
	OK(end(thread));
	thread = begin(writes_until, &time);
	moment();
	OK(pthread_rwlock_unlock(&lock)); /* what the first one read */
	OK(end(thread));
}

BEHAVIOUR(rwlock_timed_past, "The timed calls look at the time only if they would wait")
{
	struct timespec time = {1, 0};

	OK(pthread_rwlock_timedrdlock(&lock, &time));
	GIVES(ETIMEDOUT, end(begin(writes_until, &time)));
	OK(pthread_rwlock_unlock(&lock));
	OK(pthread_rwlock_timedwrlock(&lock, &time));
	GIVES(ETIMEDOUT, end(begin(reads_until, &time)));
}

BEHAVIOUR(rwlock_timed_invalid, "Nanoseconds out of range are EINVAL where they would wait")
{
	struct timespec time = from_now(CLOCK_REALTIME, 1000);

	time.tv_nsec = 1000000000;
	OK(pthread_rwlock_wrlock(&lock));
	GIVES(EINVAL, end(begin(reads_until, &time)));
	GIVES(EINVAL, end(begin(writes_until, &time)));
}

static void on_signal(int sig)
{
	(void)sig;
	handled++;
}

BEHAVIOUR(rwlock_signal, "A signal's handler runs in a thread that waits, which then waits on")
{
	pthread_t threads[2];

	catch_with(SIGUSR1, on_signal, 0);
	OK(pthread_rwlock_wrlock(&lock));
	threads[0] = begin(locks, (void *)pthread_rwlock_rdlock);
	threads[1] = begin(locks, (void *)pthread_rwlock_wrlock);
	moment();
	for (int i = 0; i < 2; i++)
		OK(pthread_kill(threads[i], SIGUSR1));
	UNTIL(handled == 2);
	moment();
	CHECK(!got);
	OK(pthread_rwlock_unlock(&lock));
	for (int i = 0; i < 2; i++)
		end(threads[i]);
}

BEHAVIOUR(rwlock_init, "A lock can be initialized, used, destroyed, and initialized again")
{
	for (int i = 0; i < 3; i++) {
		OK(pthread_rwlock_init(&lock, NULL));
		OK(pthread_rwlock_wrlock(&lock));
		OK(pthread_rwlock_unlock(&lock));
		OK(pthread_rwlock_destroy(&lock));
	}
}

struct in_both {
	pthread_rwlock_t lock;
	long plain;
};

static void write_shared(struct in_both *both)
{
	for (int i = 0; i < 1000; i++) {
		OK(pthread_rwlock_wrlock(&both->lock));
		both->plain++;
		OK(pthread_rwlock_unlock(&both->lock));
	}
}

static void *writes_shared(void *arg)
{
	write_shared(arg);
	return NULL;
}

BEHAVIOUR(rwlock_shared, "A process-shared lock is one for the threads of several processes")
{
	struct in_both *both = shared(4096);
	pthread_rwlockattr_t attr;
	pid_t child;
	int value;

	OK(pthread_rwlockattr_init(&attr));
	OK(pthread_rwlockattr_getpshared(&attr, &value));
	CHECK(value == PTHREAD_PROCESS_PRIVATE);
	GIVES(EINVAL, pthread_rwlockattr_setpshared(&attr, 77));
	OK(pthread_rwlockattr_setpshared(&attr, PTHREAD_PROCESS_SHARED));
	OK(pthread_rwlock_init(&both->lock, &attr));
	child = fork();
	if (!child) {
		write_shared(both);
		_exit(0);
	}
	end(begin(writes_shared, both));
	OK(status_of(child));
	CHECK(both->plain == 2000);
}
