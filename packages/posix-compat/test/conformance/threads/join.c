/* join.c - pthread_join, pthread_detach, pthread_exit. */
#include "../conformance.h"

#include <stdatomic.h>

static atomic_int ended, cleaned, release, handled;

static void *gives_back(void *arg) { return arg; }

static void *waits(void *arg)
{
	UNTIL(release);
	ended = 1;
	return arg;
}

static void *exits(void *arg)
{
	pthread_exit(arg);
}

BEHAVIOUR(join_value, "join gives what start_routine returned")
{
	CHECK(end(begin(gives_back, &ended)) == &ended);
}

BEHAVIOUR(join_exit_value, "join gives what was given to pthread_exit")
{
	CHECK(end(begin(exits, &ended)) == &ended);
}

BEHAVIOUR(join_null, "The value may be left out")
{
	OK(pthread_join(begin(gives_back, &ended), NULL));
}

static void *joins(void *thread)
{
	end(*(pthread_t *)thread);
	return (void *)(long)ended;
}

BEHAVIOUR(join_waits, "join suspends its caller until the thread has ended")
{
	pthread_t thread = begin(waits, NULL), joiner = begin(joins, &thread);

	moment();
	CHECK(!ended);
	release = 1;
	CHECK(end(joiner) == (void *)1);
}

BEHAVIOUR(join_ended, "A thread that has ended long ago can be joined")
{
	pthread_t thread = begin(gives_back, &ended);

	moment();
	CHECK(end(thread) == &ended);
}

BEHAVIOUR(join_self, "Joining oneself is EDEADLK")
{
	GIVES(EDEADLK, pthread_join(pthread_self(), NULL));
}

static pthread_t first;

static void *joins_first(void *arg)
{
	(void)arg;
	_exit(end(first) == &first ? 3 : 4);
}

BEHAVIOUR(join_main, "The first thread can be joined by another")
{
	pid_t child = fork();

	if (!child) {
		first = pthread_self();
		begin(joins_first, NULL);
		pthread_exit(&first);
	}
	CHECK(status_of(child) == 3 << 8);
}

static void *joins_previous(void *arg)
{
	pthread_t *previous = arg;

	return previous ? (void *)((long)end(*previous) + 1) : (void *)1;
}

BEHAVIOUR(join_chain, "Threads may join one another in a chain")
{
	pthread_t threads[50];

	for (int i = 0; i < 50; i++)
		threads[i] = begin(joins_previous, i ? &threads[i - 1] : NULL);
	CHECK(end(threads[49]) == (void *)50);
}

static long plain[1000];

static void *writes_all(void *arg)
{
	for (int i = 0; i < 1000; i++)
		plain[i] = (long)arg + i;
	return NULL;
}

BEHAVIOUR(join_memory, "What a thread has written is seen after its join")
{
	for (long round = 1; round < 100; round++) {
		end(begin(writes_all, (void *)round));
		for (int i = 0; i < 1000; i++)
			CHECK(plain[i] == round + i);
	}
}

static void clean(void *arg)
{
	(void)arg;
	moment();
	cleaned++;
}

static pthread_key_t key;

static void *leaves_work(void *arg)
{
	pthread_setspecific(key, arg);
	pthread_cleanup_push(clean, NULL);
	pthread_exit(NULL);
	pthread_cleanup_pop(0);
	return NULL;
}

BEHAVIOUR(join_after_cleanup, "join waits for the cleanup handlers and destructors, too")
{
	OK(pthread_key_create(&key, clean));
	end(begin(leaves_work, &key));
	CHECK(cleaned == 2);
}

BEHAVIOUR(join_cancelled, "join of a cancelled thread gives PTHREAD_CANCELED")
{
	pthread_t thread = begin(waits, NULL);

	OK(pthread_cancel(thread));
	CHECK(end(thread) == PTHREAD_CANCELED);
}

BEHAVIOUR(join_cancel_joiner, "A joiner that is cancelled leaves the other thread joinable")
{
	pthread_t thread = begin(waits, &thread), joiner = begin(joins, &thread);

	moment();
	OK(pthread_cancel(joiner));
	CHECK(end(joiner) == PTHREAD_CANCELED);
	release = 1;
	CHECK(end(thread) == &thread);
}

static void on_signal(int sig)
{
	(void)sig;
	handled++;
}

BEHAVIOUR(join_signal, "join does not end with EINTR")
{
	pthread_t thread = begin(waits, NULL), joiner;

	catch_with(SIGUSR1, on_signal, 0);
	joiner = begin(joins, &thread);
	moment();
	OK(pthread_kill(joiner, SIGUSR1));
	UNTIL(handled);
	release = 1;
	CHECK(end(joiner) == (void *)1);
}

BEHAVIOUR(detach_running, "A running thread can be detached, and goes on")
{
	pthread_t thread = begin(waits, NULL);

	OK(pthread_detach(thread));
	release = 1;
	UNTIL(ended);
}

BEHAVIOUR(detach_ended, "A thread that has ended can be detached")
{
	pthread_t thread = begin(gives_back, NULL);

	moment();
	OK(pthread_detach(thread));
}

static void *detaches_itself(void *arg)
{
	OK(pthread_detach(pthread_self()));
	ended++;
	return arg;
}

BEHAVIOUR(detach_frees, "The storage of detached threads is reclaimed when they end")
{
	for (int i = 1; i <= 3000; i++) {
		begin(detaches_itself, NULL);
		if (i % 100 == 0)
			UNTIL(ended == i);
	}
}
