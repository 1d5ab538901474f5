/* cancel.c - cancellation: states, types, cleanup handlers. Its points are in cancel-points.c. */
#include "../conformance.h"

#include <sched.h>
#include <stdatomic.h>

static atomic_int ready, go, order, handled, past;

static void *waits(void *arg)
{
	ready = 1;
	for (;;)
		pause();
	return arg;
}

BEHAVIOUR(cancel_value, "A thread that was cancelled ends with PTHREAD_CANCELED")
{
	pthread_t thread = begin(waits, NULL);

	UNTIL(ready);
	OK(pthread_cancel(thread));
	CHECK(end(thread) == PTHREAD_CANCELED);
}

/** A thread that a cancel does not end at once, but where it is past 1. */
static void cancelled_later(void *(*main)(void *))
{
	pthread_t thread = begin(main, NULL);

	UNTIL(ready);
	OK(pthread_cancel(thread));
	moment();
	go = 1;
	CHECK(end(thread) == PTHREAD_CANCELED);
	CHECK(past == 1);
}

static void *tests(void *arg)
{
	ready = 1;
	while (!go) /* no cancellation point */
		sched_yield();
	past = 1;
	pthread_testcancel();
	past = 2;
	return arg;
}

BEHAVIOUR(cancel_deferred, "A deferred cancel waits for a cancellation point; pthread_testcancel is one")
{
	cancelled_later(tests);
}

BEHAVIOUR(cancel_testcancel, "pthread_testcancel has no effect where there is nothing pending")
{
	go = 1;
	CHECK(end(begin(tests, &go)) == &go);
	CHECK(past == 2);
}

BEHAVIOUR(cancel_initial, "At first, in main too, cancellation is enabled, and deferred")
{
	int old;

	OK(pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &old));
	CHECK(old == PTHREAD_CANCEL_ENABLE);
	OK(pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &old));
	CHECK(old == PTHREAD_CANCEL_DISABLE);
	OK(pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &old));
	CHECK(old == PTHREAD_CANCEL_DEFERRED);
	OK(pthread_setcanceltype(PTHREAD_CANCEL_DEFERRED, &old));
	CHECK(old == PTHREAD_CANCEL_ASYNCHRONOUS);
}

BEHAVIOUR(cancel_invalid, "Other states and types are EINVAL")
{
	int old;

	GIVES(EINVAL, pthread_setcancelstate(77, &old));
	GIVES(EINVAL, pthread_setcanceltype(77, &old));
}

static void *disables(void *arg)
{
	(void)arg;
	OK(pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL));
	ready = 1;
	UNTIL(go); /* full of cancellation points */
	pthread_testcancel();
	past = 1;
	OK(pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL));
	pthread_testcancel();
	past = 2;
	return NULL;
}

BEHAVIOUR(cancel_disabled, "While it is disabled a cancel is held, and acted upon later")
{
	cancelled_later(disables);
}

static void *disables_for_good(void *arg)
{
	OK(pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL));
	ready = 1;
	UNTIL(go);
	return arg;
}

BEHAVIOUR(cancel_never, "A thread that has it disabled ends as it wants to")
{
	pthread_t thread = begin(disables_for_good, &go);

	UNTIL(ready);
	OK(pthread_cancel(thread));
	go = 1;
	CHECK(end(thread) == &go);
}

static void *spins(void *arg)
{
	OK(pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL));
	ready = 1;
	for (;;)
		;
	return arg;
}

BEHAVIOUR(cancel_asynchronous, "A thread that computes, with asynchronous cancellation, can be cancelled")
{
	pthread_t thread = begin(spins, NULL);

	UNTIL(ready);
	OK(pthread_cancel(thread));
	CHECK(end(thread) == PTHREAD_CANCELED);
}

static void *pending_then_asynchronous(void *arg)
{
	OK(pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL));
	ready = 1;
	UNTIL(go);
	OK(pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL));
	OK(pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL));
	for (;;)
		;
	return arg;
}

BEHAVIOUR(cancel_asynchronous_pending, "One that is pending when asynchronous cancellation is enabled is acted upon at once")
{
	pthread_t thread = begin(pending_then_asynchronous, NULL);

	UNTIL(ready);
	OK(pthread_cancel(thread));
	go = 1;
	end(thread); /* not looked at: glibc forgets the value here */
}

static void *cancels_itself(void *arg)
{
	OK(pthread_cancel(pthread_self()));
	past = 1;
	pthread_testcancel();
	past = 2;
	return arg;
}

BEHAVIOUR(cancel_self, "A thread can cancel itself")
{
	CHECK(end(begin(cancels_itself, NULL)) == PTHREAD_CANCELED);
	CHECK(past == 1);
}

static void *gives_back(void *arg) { return arg; }

BEHAVIOUR(cancel_ended, "A thread that has ended, and is not joined yet, stays as it is")
{
	pthread_t thread = begin(gives_back, &go);

	moment();
	OK(pthread_cancel(thread));
	CHECK(end(thread) == &go);
}

static void *cancels_main(void *arg)
{
	OK(pthread_cancel(*(pthread_t *)arg));
	CHECK(end(*(pthread_t *)arg) == PTHREAD_CANCELED);
	_exit(6);
}

BEHAVIOUR(cancel_main, "The first thread can be cancelled, and the process goes on")
{
	pid_t child = fork();

	if (!child) {
		static pthread_t first;

		first = pthread_self();
		begin(cancels_main, &first);
		waits(NULL);
	}
	CHECK(status_of(child) == 6 << 8);
}

static void third(void *arg) { CHECK(order++ == 2 && arg == &order); }
static void second(void *arg) { CHECK(order++ == 1 && arg == &go); }
static void first(void *arg) { CHECK(order++ == 0 && !arg); }

static void *pushes(void *arg)
{
	pthread_cleanup_push(third, &order);
	pthread_cleanup_push(second, &go);
	pthread_cleanup_push(first, NULL);
	if (arg)
		pthread_exit(arg);
	waits(NULL);
	pthread_cleanup_pop(0);
	pthread_cleanup_pop(0);
	pthread_cleanup_pop(0);
	return NULL;
}

BEHAVIOUR(cleanup_cancel, "Cleanup handlers run when a thread is cancelled, the last first")
{
	pthread_t thread = begin(pushes, NULL);

	UNTIL(ready);
	OK(pthread_cancel(thread));
	end(thread);
	CHECK(order == 3);
}

BEHAVIOUR(cleanup_exit, "They run at pthread_exit")
{
	CHECK(end(begin(pushes, &order)) == &order);
	CHECK(order == 3);
}

static void counts(void *arg)
{
	(void)arg;
	order++;
}

BEHAVIOUR(cleanup_pop, "pthread_cleanup_pop takes one out, and runs it if its argument is not 0")
{
	pthread_cleanup_push(counts, NULL);
	pthread_cleanup_pop(0);
	CHECK(order == 0);
	pthread_cleanup_push(counts, NULL);
	pthread_cleanup_pop(1);
	CHECK(order == 1);
}

static void *pops_then_waits(void *arg)
{
	pthread_cleanup_push(counts, NULL);
	pthread_cleanup_pop(0);
	return waits(arg);
}

BEHAVIOUR(cleanup_popped, "One that was taken out does not run at a cancel")
{
	pthread_t thread = begin(pops_then_waits, NULL);

	UNTIL(ready);
	OK(pthread_cancel(thread));
	end(thread);
	CHECK(order == 0);
}

static void on_signal(int sig)
{
	(void)sig;
	handled++;
}

BEHAVIOUR(cancel_with_signals, "Signals that come at the same time do not keep a cancel away")
{
	catch_with(SIGUSR1, on_signal, 0);
	for (int round = 0; round < 30; round++) {
		pthread_t thread;

		ready = 0;
		thread = begin(waits, NULL);
		UNTIL(ready);
		OK(pthread_kill(thread, SIGUSR1));
		OK(pthread_cancel(thread));
		CHECK(end(thread) == PTHREAD_CANCELED);
	}
}

BEHAVIOUR(cancel_many, "Many threads can be cancelled at once")
{
	pthread_t threads[100];

	for (int i = 0; i < 100; i++)
		threads[i] = begin(waits, NULL);
	for (int i = 0; i < 100; i++)
		OK(pthread_cancel(threads[i]));
	for (int i = 0; i < 100; i++)
		CHECK(end(threads[i]) == PTHREAD_CANCELED);
}

BEHAVIOUR(cancel_asynchronous_many, "Threads that compute, too, more of them than processors")
{
	pthread_t threads[8];

	for (int i = 0; i < 8; i++) {
		ready = 0;
		threads[i] = begin(spins, NULL);
		UNTIL(ready);
	}
	for (int i = 0; i < 8; i++)
		OK(pthread_cancel(threads[i]));
	for (int i = 0; i < 8; i++)
		CHECK(end(threads[i]) == PTHREAD_CANCELED);
}
