/* cond.c - condition variables, timed by both clocks. */
#include "../conformance.h"

#include <stdatomic.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static int waiting, woken, tokens; /* under the mutex */
static atomic_int handled, cleaned;

static void *waits(void *arg)
{
	OK(pthread_mutex_lock(&mutex));
	waiting++;
	while (!tokens)
		OK(pthread_cond_wait(&cond, &mutex));
	tokens--;
	woken++;
	OK(pthread_mutex_unlock(&mutex));
	return arg;
}

static int get(const int *word)
{
	int value;

	OK(pthread_mutex_lock(&mutex));
	value = *word;
	OK(pthread_mutex_unlock(&mutex));
	return value;
}

static void give(int n, int (*wake)(pthread_cond_t *))
{
	OK(pthread_mutex_lock(&mutex));
	tokens += n;
	OK(wake(&cond));
	OK(pthread_mutex_unlock(&mutex));
}

BEHAVIOUR(cond_signal, "signal unblocks at least one of those who wait")
{
	pthread_t threads[10];

	for (int i = 0; i < 10; i++)
		threads[i] = begin(waits, NULL);
	UNTIL(get(&waiting) == 10);
	for (int i = 1; i <= 10; i++) {
		give(1, pthread_cond_signal);
		UNTIL(get(&woken) == i);
	}
	for (int i = 0; i < 10; i++)
		end(threads[i]);
}

BEHAVIOUR(cond_broadcast, "broadcast unblocks all who wait")
{
	pthread_t threads[50];

	for (int i = 0; i < 50; i++)
		threads[i] = begin(waits, NULL);
	UNTIL(get(&waiting) == 50);
	give(50, pthread_cond_broadcast);
	for (int i = 0; i < 50; i++)
		end(threads[i]);
}

BEHAVIOUR(cond_without_mutex, "signal may be called without the mutex")
{
	pthread_t thread = begin(waits, NULL);

	UNTIL(get(&waiting));
	OK(pthread_mutex_lock(&mutex));
	tokens = 1;
	OK(pthread_mutex_unlock(&mutex));
	OK(pthread_cond_signal(&cond));
	end(thread);
}

BEHAVIOUR(cond_nobody, "signal and broadcast have no effect where nobody waits")
{
	struct timespec time = from_now(CLOCK_REALTIME, 20);

	OK(pthread_cond_signal(&cond));
	OK(pthread_cond_broadcast(&cond));
	OK(pthread_mutex_lock(&mutex));
	GIVES(ETIMEDOUT, pthread_cond_timedwait(&cond, &mutex, &time));
}

BEHAVIOUR(cond_mutex, "wait releases the mutex, and has it again when it returns")
{
	pthread_t thread = begin(waits, NULL);

	UNTIL(get(&waiting)); /* the mutex is free while it waits */
	OK(pthread_mutex_lock(&mutex));
	tokens = 1;
	OK(pthread_cond_signal(&cond));
	moment();
	CHECK(!woken);
	OK(pthread_mutex_unlock(&mutex));
	end(thread);
	CHECK(woken);
}

static int turn;

static void *plays(void *arg)
{
	int me = (int)(long)arg;

	OK(pthread_mutex_lock(&mutex));
	for (int i = 0; i < 5000; i++) {
		while (turn != me)
			OK(pthread_cond_wait(&cond, &mutex));
		turn = !me;
		OK(pthread_cond_broadcast(&cond));
	}
	OK(pthread_mutex_unlock(&mutex));
	return arg;
}

BEHAVIOUR(cond_turns, "No signal is lost between two threads that take turns")
{
	pthread_t one = begin(plays, (void *)0), other = begin(plays, (void *)1);

	end(one);
	end(other);
}

static void use_clock(clockid_t clock)
{
	pthread_condattr_t attr;
	clockid_t got;

	OK(pthread_condattr_init(&attr));
	OK(pthread_condattr_setclock(&attr, clock));
	OK(pthread_condattr_getclock(&attr, &got));
	CHECK(got == clock);
	OK(pthread_cond_init(&cond, &attr));
	OK(pthread_condattr_destroy(&attr));
}

static void time_out(clockid_t clock)
{
	struct timespec time = from_now(clock, 30);

	OK(pthread_mutex_lock(&mutex));
	while (!has_come(clock, &time))
		OK(pthread_cond_timedwait(&cond, &mutex, &time) % ETIMEDOUT);
	GIVES(ETIMEDOUT, pthread_cond_timedwait(&cond, &mutex, &time));
	OK(pthread_mutex_unlock(&mutex));
}

static void *answers_late(void *arg)
{
	UNTIL(get(&waiting));
	moment();
	give(1, pthread_cond_signal);
	return arg;
}

static void be_in_time(clockid_t clock)
{
	struct timespec time = from_now(clock, 10000);
	pthread_t thread = begin(answers_late, NULL);

	OK(pthread_mutex_lock(&mutex));
	waiting = 1;
	while (!tokens)
		OK(pthread_cond_timedwait(&cond, &mutex, &time));
	OK(pthread_mutex_unlock(&mutex));
	end(thread);
}

BEHAVIOUR(cond_timedwait_realtime, "timedwait ends with ETIMEDOUT, not before its time on CLOCK_REALTIME")
{
	use_clock(CLOCK_REALTIME);
	time_out(CLOCK_REALTIME);
}

BEHAVIOUR(cond_timedwait_monotonic, "timedwait ends with ETIMEDOUT, not before its time on CLOCK_MONOTONIC")
{
	use_clock(CLOCK_MONOTONIC);
	time_out(CLOCK_MONOTONIC);
}

BEHAVIOUR(cond_timedwait_realtime_woken, "timedwait on CLOCK_REALTIME is unblocked by a signal")
{
	use_clock(CLOCK_REALTIME);
	be_in_time(CLOCK_REALTIME);
}

BEHAVIOUR(cond_timedwait_monotonic_woken, "timedwait on CLOCK_MONOTONIC is unblocked by a signal")
{
	use_clock(CLOCK_MONOTONIC);
	be_in_time(CLOCK_MONOTONIC);
}

BEHAVIOUR(cond_timedwait_default, "The clock is CLOCK_REALTIME where none was set")
{
	pthread_condattr_t attr;
	clockid_t clock;

	OK(pthread_condattr_init(&attr));
	OK(pthread_condattr_getclock(&attr, &clock));
	CHECK(clock == CLOCK_REALTIME);
	time_out(CLOCK_REALTIME);
}

BEHAVIOUR(cond_clock_invalid, "A clock of CPU time is EINVAL")
{
	pthread_condattr_t attr;

	OK(pthread_condattr_init(&attr));
	GIVES(EINVAL, pthread_condattr_setclock(&attr, CLOCK_PROCESS_CPUTIME_ID));
}

BEHAVIOUR(cond_timedwait_past, "timedwait for a time that has passed is ETIMEDOUT, and has the mutex")
{
	struct timespec time = {1, 0};

	OK(pthread_mutex_lock(&mutex));
	GIVES(ETIMEDOUT, pthread_cond_timedwait(&cond, &mutex, &time));
	GIVES(EBUSY, pthread_mutex_trylock(&mutex));
}

BEHAVIOUR(cond_timedwait_invalid, "Nanoseconds out of range are EINVAL")
{
	struct timespec time = from_now(CLOCK_REALTIME, 1000);

	time.tv_nsec = 1000000000;
	OK(pthread_mutex_lock(&mutex));
	GIVES(EINVAL, pthread_cond_timedwait(&cond, &mutex, &time));
	time.tv_nsec = -1;
	GIVES(EINVAL, pthread_cond_timedwait(&cond, &mutex, &time));
}

static void *has_mutex(void *arg)
{
	struct timespec until = from_now(CLOCK_REALTIME, 60);

	OK(pthread_mutex_lock(&mutex));
	waiting = 1;
	while (!has_come(CLOCK_REALTIME, &until))
		usleep(1000);
	woken = 1;
	OK(pthread_mutex_unlock(&mutex));
	return arg;
}

BEHAVIOUR(cond_timedwait_mutex, "timedwait that times out waits until it has the mutex again")
{
	struct timespec time = from_now(CLOCK_REALTIME, 20);
	pthread_t thread;

	OK(pthread_mutex_lock(&mutex));
	thread = begin(has_mutex, NULL);
	GIVES(ETIMEDOUT, pthread_cond_timedwait(&cond, &mutex, &time));
	CHECK(!waiting || woken);
	OK(pthread_mutex_unlock(&mutex));
	end(thread);
}

static void has_it(void *arg)
{
	(void)arg;
	cleaned = pthread_mutex_trylock(&mutex) == EBUSY;
	OK(pthread_mutex_unlock(&mutex));
}

static void *waits_cleanly(void *arg)
{
	OK(pthread_mutex_lock(&mutex));
	waiting++;
	pthread_cleanup_push(has_it, NULL);
	for (;;)
		OK(pthread_cond_wait(&cond, &mutex));
	pthread_cleanup_pop(0);
	return arg;
}

BEHAVIOUR(cond_cancel, "A waiter that is cancelled has the mutex again when its cleanup handlers run")
{
	pthread_t thread = begin(waits_cleanly, NULL);

	UNTIL(get(&waiting));
	OK(pthread_cancel(thread));
	CHECK(end(thread) == PTHREAD_CANCELED);
	CHECK(cleaned);
}

BEHAVIOUR(cond_cancel_signal, "A waiter that is cancelled does not consume a signal that another could have")
{
	for (int round = 0; round < 50; round++) {
		pthread_t cancelled = begin(waits_cleanly, NULL), other = begin(waits, NULL);

		waiting = 0;
		UNTIL(get(&waiting) == 2 || (usleep(2000), 1));
		OK(pthread_cancel(cancelled));
		do { /* it may have been given to the first before it was cancelled, which then does not look for tokens */
			give(!get(&tokens), pthread_cond_signal);
			usleep(1000);
		} while (get(&woken) == round);
		CHECK(end(cancelled) == PTHREAD_CANCELED);
		end(other);
	}
}

static void on_signal(int sig)
{
	(void)sig;
	handled++;
}

BEHAVIOUR(cond_handler, "wait does not end with EINTR: it goes on, or returns 0, after a signal's handler")
{
	pthread_t thread;

	catch_with(SIGUSR1, on_signal, 0);
	thread = begin(waits, NULL);
	UNTIL(get(&waiting));
	for (int i = 1; i <= 5; i++) {
		OK(pthread_kill(thread, SIGUSR1));
		UNTIL(handled == i);
	}
	CHECK(!get(&woken));
	give(1, pthread_cond_signal);
	end(thread);
}

BEHAVIOUR(cond_destroy, "A condition variable may be destroyed as soon as all who waited are unblocked")
{
	for (int round = 0; round < 200; round++) {
		pthread_t threads[4];

		waiting = 0;
		for (int i = 0; i < 4; i++)
			threads[i] = begin(waits, NULL);
		UNTIL(get(&waiting) == 4);
		OK(pthread_mutex_lock(&mutex));
		tokens = 4;
		OK(pthread_cond_broadcast(&cond));
		OK(pthread_mutex_unlock(&mutex));
		OK(pthread_cond_destroy(&cond)); /* waits until they are out of it */
		memset(&cond, 0xff, sizeof(cond));
		for (int i = 0; i < 4; i++)
			end(threads[i]);
		OK(pthread_cond_init(&cond, NULL));
	}
}

BEHAVIOUR(cond_errorcheck, "wait with an error-checking mutex that one does not have is EPERM")
{
	pthread_mutexattr_t attr;

	OK(pthread_mutexattr_init(&attr));
	OK(pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_ERRORCHECK));
	OK(pthread_mutex_init(&mutex, &attr));
	GIVES(EPERM, pthread_cond_wait(&cond, &mutex));
}

BEHAVIOUR(cond_attr, "Attributes: PTHREAD_PROCESS_PRIVATE at first; other values are EINVAL")
{
	pthread_condattr_t attr;
	int value;

	OK(pthread_condattr_init(&attr));
	OK(pthread_condattr_getpshared(&attr, &value));
	CHECK(value == PTHREAD_PROCESS_PRIVATE);
	GIVES(EINVAL, pthread_condattr_setpshared(&attr, 77));
}

struct in_both {
	pthread_mutex_t mutex;
	pthread_cond_t cond;
	int turn;
};

static void play(struct in_both *both, int me)
{
	OK(pthread_mutex_lock(&both->mutex));
	for (int i = 0; i < 200; i++) {
		while (both->turn != me)
			OK(pthread_cond_wait(&both->cond, &both->mutex));
		both->turn = !me;
		OK(pthread_cond_signal(&both->cond));
	}
	OK(pthread_mutex_unlock(&both->mutex));
}

static void *plays_shared(void *arg)
{
	play(arg, 0);
	return NULL;
}

BEHAVIOUR(cond_shared, "A process-shared condition variable is one for the threads of several processes")
{
	struct in_both *both = shared(4096);
	pthread_mutexattr_t mutexattr;
	pthread_condattr_t condattr;
	pid_t child;

	OK(pthread_mutexattr_init(&mutexattr));
	OK(pthread_mutexattr_setpshared(&mutexattr, PTHREAD_PROCESS_SHARED));
	OK(pthread_mutex_init(&both->mutex, &mutexattr));
	OK(pthread_condattr_init(&condattr));
	OK(pthread_condattr_setpshared(&condattr, PTHREAD_PROCESS_SHARED));
	OK(pthread_cond_init(&both->cond, &condattr));
	child = fork();
	if (!child) {
		play(both, 1);
		_exit(0);
	}
	end(begin(plays_shared, both));
	OK(status_of(child));
}
