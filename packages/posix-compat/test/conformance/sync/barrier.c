/* barrier.c - barriers and spin locks. */
#include "../conformance.h"

#include <sched.h>
#include <stdatomic.h>

#define PARTIES 16

static pthread_barrier_t barrier;
static pthread_spinlock_t spin;
static atomic_int arrived, serials, handled;
static long plain;

static void *meets(void *arg)
{
	int rounds = (int)(long)arg;

	for (int round = 1; round <= rounds; round++) {
		int answer;

		arrived++;
		answer = pthread_barrier_wait(&barrier);
		CHECK(arrived >= round * PARTIES);
		CHECK(answer == 0 || answer == PTHREAD_BARRIER_SERIAL_THREAD);
		serials += answer == PTHREAD_BARRIER_SERIAL_THREAD;
		pthread_barrier_wait(&barrier); /* so that nobody is in the next round yet */
	}
	return NULL;
}

static void meet(long rounds)
{
	pthread_t threads[PARTIES];

	OK(pthread_barrier_init(&barrier, NULL, PARTIES));
	for (int i = 0; i < PARTIES; i++)
		threads[i] = begin(meets, (void *)rounds);
	for (int i = 0; i < PARTIES; i++)
		end(threads[i]);
}

BEHAVIOUR(barrier_waits, "Nobody passes until as many as it was made for have come")
{
	meet(1);
}

BEHAVIOUR(barrier_serial, "One of them, and one only, is PTHREAD_BARRIER_SERIAL_THREAD; the barrier can be used again")
{
	meet(100);
	CHECK(serials == 100);
}

BEHAVIOUR(barrier_one, "A barrier for one lets it pass, and it is the serial thread")
{
	OK(pthread_barrier_init(&barrier, NULL, 1));
	for (int i = 0; i < 3; i++)
		GIVES(PTHREAD_BARRIER_SERIAL_THREAD, pthread_barrier_wait(&barrier));
}

BEHAVIOUR(barrier_zero, "A barrier for nobody is EINVAL")
{
	GIVES(EINVAL, pthread_barrier_init(&barrier, NULL, 0));
}

static void *meets_then_leaves(void *arg)
{
	int answer = pthread_barrier_wait(arg);

	if (answer == PTHREAD_BARRIER_SERIAL_THREAD) {
		OK(pthread_barrier_destroy(arg));
		memset(arg, 0xff, sizeof(pthread_barrier_t));
	}
	return NULL;
}

BEHAVIOUR(barrier_destroy, "The serial thread may destroy the barrier at once")
{
	for (int round = 0; round < 200; round++) {
		pthread_t threads[3];

		OK(pthread_barrier_init(&barrier, NULL, 3));
		for (int i = 0; i < 3; i++)
			threads[i] = begin(meets_then_leaves, &barrier);
		for (int i = 0; i < 3; i++)
			end(threads[i]);
	}
}

static void on_signal(int sig)
{
	(void)sig;
	handled++;
}

static void *waits(void *arg)
{
	pthread_barrier_wait(&barrier);
	arrived++;
	return arg;
}

BEHAVIOUR(barrier_signal, "A signal's handler runs in a thread that waits, which then waits on")
{
	pthread_t thread;

	catch_with(SIGUSR1, on_signal, 0);
	OK(pthread_barrier_init(&barrier, NULL, 2));
	thread = begin(waits, NULL);
	moment();
	OK(pthread_kill(thread, SIGUSR1));
	UNTIL(handled);
	moment();
	CHECK(!arrived);
	pthread_barrier_wait(&barrier);
	end(thread);
}

BEHAVIOUR(barrier_cancel, "barrier_wait is no cancellation point")
{
	pthread_t thread;

	OK(pthread_barrier_init(&barrier, NULL, 2));
	thread = begin(waits, &barrier);
	moment();
	OK(pthread_cancel(thread));
	moment();
	pthread_barrier_wait(&barrier);
	CHECK(end(thread) == &barrier);
}

BEHAVIOUR(barrier_shared, "A process-shared barrier is one for several processes")
{
	pthread_barrier_t *both = shared(4096);
	pthread_barrierattr_t attr;
	int value;
	pid_t child;

	OK(pthread_barrierattr_init(&attr));
	OK(pthread_barrierattr_getpshared(&attr, &value));
	CHECK(value == PTHREAD_PROCESS_PRIVATE);
	GIVES(EINVAL, pthread_barrierattr_setpshared(&attr, 77));
	OK(pthread_barrierattr_setpshared(&attr, PTHREAD_PROCESS_SHARED));
	OK(pthread_barrier_init(both, &attr, 2));
	child = fork();
	for (int i = 0; i < 100; i++)
		pthread_barrier_wait(both);
	if (!child)
		_exit(0);
	OK(status_of(child));
}

static void *adds(void *arg)
{
	for (int i = 0; i < 5000; i++) {
		OK(pthread_spin_lock(&spin));
		plain++;
		OK(pthread_spin_unlock(&spin));
	}
	return arg;
}

BEHAVIOUR(spin_excludes, "One thread at a time has a spin lock")
{
	pthread_t threads[4];

	OK(pthread_spin_init(&spin, PTHREAD_PROCESS_PRIVATE));
	for (int i = 0; i < 4; i++)
		threads[i] = begin(adds, NULL);
	for (int i = 0; i < 4; i++)
		end(threads[i]);
	CHECK(plain == 4 * 5000);
	OK(pthread_spin_destroy(&spin));
}

static void *tries(void *arg)
{
	(void)arg;
	return (void *)(long)pthread_spin_trylock(&spin);
}

BEHAVIOUR(spin_trylock, "trylock of a locked spin lock is EBUSY")
{
	OK(pthread_spin_init(&spin, PTHREAD_PROCESS_PRIVATE));
	OK(pthread_spin_lock(&spin));
	GIVES(EBUSY, end(begin(tries, NULL)));
	OK(pthread_spin_unlock(&spin));
	OK(end(begin(tries, NULL)));
}

static void *spins(void *arg)
{
	arrived++;
	OK(pthread_spin_lock(&spin));
	plain++;
	OK(pthread_spin_unlock(&spin));
	return arg;
}

BEHAVIOUR(spin_preempted, "Those who spin do not keep the owner, who sleeps and computes meanwhile, from its processor")
{
	pthread_t threads[4];
	volatile long work = 0;

	OK(pthread_spin_init(&spin, PTHREAD_PROCESS_PRIVATE));
	OK(pthread_spin_lock(&spin));
	for (int i = 0; i < 4; i++)
		threads[i] = begin(spins, NULL);
	UNTIL(arrived == 4);
	moment();
	for (int i = 0; i < 10000000; i++)
		work++;
	OK(pthread_spin_unlock(&spin));
	for (int i = 0; i < 4; i++)
		end(threads[i]);
	CHECK(plain == 4);
}

BEHAVIOUR(spin_shared, "A process-shared spin lock is one for several processes")
{
	struct in_both {
		pthread_spinlock_t spin;
		long plain;
	} *both = shared(4096);
	pid_t child;

	OK(pthread_spin_init(&both->spin, PTHREAD_PROCESS_SHARED));
	child = fork();
	for (int i = 0; i < 5000; i++) {
		OK(pthread_spin_lock(&both->spin));
		both->plain++;
		OK(pthread_spin_unlock(&both->spin));
	}
	if (!child)
		_exit(0);
	OK(status_of(child));
	CHECK(both->plain == 10000);
}
