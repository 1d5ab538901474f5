/* fork.c - pthread_atfork, and fork in a program with threads. */
#include "../conformance.h"

#include <stdatomic.h>

static char calls[32];
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static atomic_int stop, begun;

static void note(char what) { calls[strlen(calls)] = what; }
static void prepare1(void) { note('a'); }
static void prepare2(void) { note('b'); }
static void parent1(void) { note('1'); }
static void parent2(void) { note('2'); }
static void child1(void) { note('x'); }
static void child2(void) { note('y'); }

static int in_child(int (*run)(void))
{
	pid_t child = fork();

	if (!child)
		_exit(run());
	return status_of(child);
}

static int saw_ba_xy(void) { return strcmp(calls, "baxy") ? 1 : 0; }

BEHAVIOUR(atfork_order, "prepare handlers are called in reverse order, those of parent and child in the order of their registration")
{
	OK(pthread_atfork(prepare1, parent1, child1));
	OK(pthread_atfork(prepare2, parent2, child2));
	OK(in_child(saw_ba_xy));
	CHECK(!strcmp(calls, "ba12"));
}

static int saw_y(void) { return strcmp(calls, "by") ? 1 : 0; }

BEHAVIOUR(atfork_null, "A handler may be left out")
{
	OK(pthread_atfork(NULL, parent1, NULL));
	OK(pthread_atfork(prepare2, NULL, child2));
	OK(in_child(saw_y));
	CHECK(!strcmp(calls, "b1"));
}

static void lock(void) { OK(pthread_mutex_lock(&mutex)); }
static void unlock(void) { OK(pthread_mutex_unlock(&mutex)); }

static void *locks_all_the_time(void *arg)
{
	while (!stop) {
		lock();
		begun = 1;
		unlock();
	}
	return arg;
}

static int can_lock(void)
{
	lock();
	unlock();
	return 0;
}

BEHAVIOUR(atfork_mutex, "A mutex that the handlers lock and unlock is free in the child, whatever other threads did")
{
	pthread_t thread;

	OK(pthread_atfork(lock, unlock, unlock));
	thread = begin(locks_all_the_time, NULL);
	UNTIL(begun);
	for (int i = 0; i < 30; i++)
		OK(in_child(can_lock));
	stop = 1;
	end(thread);
}

static void *counts(void *arg)
{
	atomic_int *word = arg;

	while (!stop) {
		++*word;
		begun = 1;
		usleep(100);
	}
	return NULL;
}

static atomic_int counter;

static int is_alone(void)
{
	int before = counter;

	moment();
	return counter != before;
}

BEHAVIOUR(fork_one, "The child has one thread, the one that called")
{
	pthread_t thread = begin(counts, &counter);

	UNTIL(begun);
	OK(in_child(is_alone));
	stop = 1;
	end(thread);
}

static pthread_key_t key;
static pthread_t self;
static __thread int tls;

static int is_itself(void)
{
	return !(pthread_equal(self, pthread_self()) && pthread_getspecific(key) == &key && tls == 7);
}

static void *forks(void *arg)
{
	self = pthread_self();
	tls = 7;
	OK(pthread_setspecific(key, &key));
	OK(in_child(is_itself));
	return arg;
}

BEHAVIOUR(fork_itself, "It has its identifier, values of keys, thread-local variables")
{
	OK(pthread_key_create(&key, NULL));
	end(begin(forks, NULL));
}

static void *gives_back(void *arg) { return arg; }

static int uses_threads(void)
{
	for (int i = 0; i < 20; i++)
		CHECK(end(begin(gives_back, &tls)) == &tls);
	return 0;
}

static void *forks_users(void *arg)
{
	for (int i = 0; i < 10; i++)
		OK(in_child(uses_threads));
	return arg;
}

BEHAVIOUR(fork_threads, "The child may have threads of its own")
{
	pthread_t threads[3];

	for (int i = 0; i < 3; i++)
		threads[i] = begin(forks_users, NULL);
	for (int i = 0; i < 3; i++)
		end(threads[i]);
}

static void *allocates(void *arg)
{
	while (!stop)
		free(malloc(1 + (size_t)rand() % 10000));
	return arg;
}

static int can_allocate(void)
{
	for (size_t i = 1; i < 10000; i += 100)
		free(malloc(i));
	return 0;
}

BEHAVIOUR(fork_malloc, "The child may allocate memory though others did when it was forked (glibc)")
{
	pthread_t threads[3];

	for (int i = 0; i < 3; i++)
		threads[i] = begin(allocates, NULL);
	for (int i = 0; i < 30; i++)
		OK(in_child(can_allocate));
	stop = 1;
	for (int i = 0; i < 3; i++)
		end(threads[i]);
}

static int has_mask(void)
{
	sigset_t mask, waiting;

	pthread_sigmask(SIG_SETMASK, NULL, &mask);
	sigpending(&waiting);
	return !(sigismember(&mask, SIGUSR1) == 1 && !sigismember(&waiting, SIGUSR1));
}

static void *forks_masked(void *arg)
{
	sigset_t block;

	sigemptyset(&block);
	sigaddset(&block, SIGUSR1);
	OK(pthread_sigmask(SIG_BLOCK, &block, NULL));
	OK(pthread_kill(pthread_self(), SIGUSR1));
	OK(in_child(has_mask));
	return arg;
}

BEHAVIOUR(fork_signals, "It has the caller's signal mask, and no pending signals")
{
	end(begin(forks_masked, NULL));
}

static void *forks_and_child_exits_thread(void *arg)
{
	pid_t child = fork();

	if (!child)
		pthread_exit(NULL);
	OK(status_of(child));
	return arg;
}

BEHAVIOUR(fork_exit_thread, "A child whose only thread calls pthread_exit ends with status 0")
{
	end(begin(forks_and_child_exits_thread, NULL));
}

static int has_no_locks(void)
{
	alarm(30);
	return pthread_mutex_trylock(&mutex) == EBUSY ? 0 : 1;
}

BEHAVIOUR(fork_locked, "A mutex that the caller has is locked in the child")
{
	lock();
	OK(in_child(has_no_locks));
	unlock();
}

static int forks_again(void)
{
	CHECK(end(begin(gives_back, &tls)) == &tls);
	return in_child(uses_threads) != 0;
}

BEHAVIOUR(fork_again, "Children with threads may fork")
{
	OK(in_child(forks_again));
}

static void *cancels_after_fork(void *arg)
{
	pid_t child = fork();

	if (!child) {
		pthread_t thread = begin(counts, &counter);

		OK(pthread_cancel(thread));
		_exit(end(thread) == PTHREAD_CANCELED ? 0 : 1);
	}
	OK(status_of(child));
	return arg;
}

BEHAVIOUR(fork_cancel, "Threads of the child can be cancelled")
{
	end(begin(cancels_after_fork, NULL));
}
