/* keys.c - pthread_once, and values that each thread has of its own. */
#include "../conformance.h"

#include <limits.h>
#include <stdatomic.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key, other;
static atomic_int calls, done, order;
static void *seen[2];

static void initialize(void)
{
	calls++;
	moment();
	done = 1;
}

static void *does_once(void *arg)
{
	OK(pthread_once(&once, initialize));
	CHECK(done);
	return arg;
}

BEHAVIOUR(once_once, "The routine runs once; nobody's call returns before it has")
{
	pthread_t threads[20];

	for (int i = 0; i < 20; i++)
		threads[i] = begin(does_once, NULL);
	for (int i = 0; i < 20; i++)
		end(threads[i]);
	does_once(NULL);
	CHECK(calls == 1);
}

static void waits_first(void)
{
	if (++calls == 1)
		for (;;)
			pause();
	done = 1;
}

static void *does_once_slowly(void *arg)
{
	OK(pthread_once(&once, waits_first));
	return arg;
}

BEHAVIOUR(once_cancelled, "If the routine is cancelled, it is as if it had never been called: another's call makes it")
{
	pthread_t first = begin(does_once_slowly, NULL), second;

	UNTIL(calls == 1);
	second = begin(does_once_slowly, &once);
	moment();
	OK(pthread_cancel(first));
	CHECK(end(first) == PTHREAD_CANCELED);
	CHECK(end(second) == &once);
	CHECK(calls == 2 && done);
}

static void count(void *value)
{
	(void)value;
	calls++;
}

static void *says(void *arg)
{
	(void)arg;
	return pthread_getspecific(key);
}

BEHAVIOUR(key_null, "A new key's value is NULL in all threads, and in threads that begin later")
{
	OK(pthread_key_create(&key, NULL));
	CHECK(!pthread_getspecific(key));
	OK(pthread_setspecific(key, &key));
	CHECK(!end(begin(says, NULL)));
}

static void *keeps(void *arg)
{
	for (long i = 0; i < 200; i++) {
		OK(pthread_setspecific(key, (char *)arg + i));
		usleep(50);
		CHECK(pthread_getspecific(key) == (char *)arg + i);
	}
	return NULL;
}

BEHAVIOUR(key_own, "A key's value is each thread's own")
{
	pthread_t threads[8];

	OK(pthread_key_create(&key, NULL));
	for (long i = 0; i < 8; i++)
		threads[i] = begin(keeps, (void *)(i * 1000 + 1000));
	for (int i = 0; i < 8; i++)
		end(threads[i]);
}

static void destroy(void *value)
{
	calls++;
	seen[0] = value;
	seen[1] = pthread_getspecific(key);
}

static void *sets(void *arg)
{
	OK(pthread_setspecific(key, arg));
	return arg;
}

BEHAVIOUR(key_destructor, "At a thread's end the destructor gets its value, which is NULL by then")
{
	OK(pthread_key_create(&key, destroy));
	end(begin(sets, &calls));
	CHECK(calls == 1 && seen[0] == &calls && !seen[1]);
}

BEHAVIOUR(key_destructor_null, "It is not called for NULL")
{
	OK(pthread_key_create(&key, destroy));
	end(begin(sets, NULL));
	CHECK(calls == 0);
}

static void sets_again(void *value)
{
	calls++;
	OK(pthread_setspecific(key, value));
}

BEHAVIOUR(key_iterations, "Destructors that set values again are called at least PTHREAD_DESTRUCTOR_ITERATIONS times")
{
	OK(pthread_key_create(&key, sets_again));
	end(begin(sets, &key));
	CHECK(calls >= PTHREAD_DESTRUCTOR_ITERATIONS);
}

static void *sets_and_waits(void *arg)
{
	sets(arg);
	done = 1;
	for (;;)
		pause();
	return arg;
}

BEHAVIOUR(key_cancelled, "They are called for a thread that is cancelled")
{
	pthread_t thread;

	OK(pthread_key_create(&key, destroy));
	thread = begin(sets_and_waits, &key);
	UNTIL(done);
	OK(pthread_cancel(thread));
	CHECK(end(thread) == PTHREAD_CANCELED);
	CHECK(calls == 1);
}

static void handler(void *arg)
{
	(void)arg;
	CHECK(order++ == 0);
	CHECK(pthread_getspecific(key) == &key);
}

static void destructor(void *value)
{
	(void)value;
	CHECK(order++ == 1);
}

static void *exits(void *arg)
{
	sets(&key);
	pthread_cleanup_push(handler, NULL);
	pthread_exit(arg);
	pthread_cleanup_pop(0);
}

BEHAVIOUR(key_after_cleanup, "Destructors are called after all cleanup handlers")
{
	OK(pthread_key_create(&key, destructor));
	end(begin(exits, NULL));
	CHECK(order == 2);
}

BEHAVIOUR(key_exit, "exit does not call them")
{
	atomic_int *word = shared(4096);
	pid_t child = fork();

	if (!child) {
		OK(pthread_key_create(&key, count));
		OK(pthread_setspecific(key, word));
		exit(0);
	}
	OK(status_of(child));
	CHECK(!calls);
}

static void *sets_waits_for_delete(void *arg)
{
	sets(arg);
	done = 1;
	UNTIL(order);
	return NULL;
}

BEHAVIOUR(key_delete, "Deleting a key calls no destructor, then or later")
{
	pthread_t thread;

	OK(pthread_key_create(&key, count));
	thread = begin(sets_waits_for_delete, &key);
	UNTIL(done);
	OK(pthread_key_delete(key));
	order = 1;
	end(thread);
	CHECK(!calls);
}

BEHAVIOUR(key_reuse, "The value of a key created after another was deleted is NULL")
{
	for (int i = 0; i < 10000; i++) {
		OK(pthread_key_create(&key, NULL));
		CHECK(!pthread_getspecific(key));
		OK(pthread_setspecific(key, &key));
		OK(pthread_key_delete(key));
	}
}

BEHAVIOUR(key_max, "PTHREAD_KEYS_MAX keys can exist, or EAGAIN tells that there are no more")
{
	int n = 0, error;

	while (!(error = pthread_key_create(&key, NULL)))
		CHECK(++n <= 100000);
	GIVES(EAGAIN, error);
	CHECK(n >= _POSIX_THREAD_KEYS_MAX);
}

static void sets_other(void *value)
{
	OK(pthread_setspecific(other, value));
}

BEHAVIOUR(key_sets_other, "A value that a destructor sets is destroyed, too")
{
	OK(pthread_key_create(&other, count));
	OK(pthread_key_create(&key, sets_other));
	end(begin(sets, &key));
	CHECK(calls == 1);
}

static __thread long tls = 5;
static __thread char large[100000];

static void *uses_tls(void *arg)
{
	CHECK(tls == 5 && !large[99999]);
	tls = (long)arg;
	memset(large, 1, sizeof(large));
	usleep(1000);
	CHECK(tls == (long)arg);
	return NULL;
}

BEHAVIOUR(key_tls, "Thread-local variables begin with their initializer in each thread")
{
	pthread_t threads[20];

	for (long i = 0; i < 20; i++)
		threads[i] = begin(uses_tls, (void *)(i + 10));
	for (int i = 0; i < 20; i++)
		end(threads[i]);
	CHECK(tls == 5);
}
