/* semaphores.c - semaphores without and with a name. */
#include "../conformance.h"

#include <fcntl.h>
#include <limits.h>
#include <semaphore.h>
#include <stdatomic.h>

static sem_t sem, answer;
static atomic_int past, handled, ended;

static int value_of(sem_t *of)
{
	int value;

	OK(sem_getvalue(of, &value));
	return value;
}

static void *waits(void *arg)
{
	OK(sem_wait(&sem));
	past++;
	return arg;
}

BEHAVIOUR(sem_value, "init, post, wait and trywait: the value is what was put in less what was taken out")
{
	OK(sem_init(&sem, 0, 3));
	CHECK(value_of(&sem) == 3);
	OK(sem_wait(&sem));
	OK(sem_trywait(&sem));
	CHECK(value_of(&sem) == 1);
	OK(sem_post(&sem));
	CHECK(value_of(&sem) == 2);
	OK(sem_destroy(&sem));
}

BEHAVIOUR(sem_trywait_zero, "trywait at 0 is EAGAIN")
{
	OK(sem_init(&sem, 0, 0));
	SETS(EAGAIN, sem_trywait(&sem));
}

BEHAVIOUR(sem_waits, "wait at 0 waits until somebody posts; every post lets one go")
{
	pthread_t threads[10];

	OK(sem_init(&sem, 0, 0));
	for (int i = 0; i < 10; i++)
		threads[i] = begin(waits, NULL);
	moment();
	CHECK(!past);
	for (int i = 1; i <= 10; i++) {
		OK(sem_post(&sem));
		UNTIL(past == i);
	}
	for (int i = 0; i < 10; i++)
		end(threads[i]);
	CHECK(value_of(&sem) == 0);
}

static void *plays(void *arg)
{
	for (int i = 0; i < 5000; i++) {
		OK(sem_wait(&sem));
		OK(sem_post(&answer));
	}
	return arg;
}

BEHAVIOUR(sem_turns, "No post is lost between two threads that take turns")
{
	pthread_t thread;

	OK(sem_init(&sem, 0, 0));
	OK(sem_init(&answer, 0, 0));
	thread = begin(plays, NULL);
	for (int i = 0; i < 5000; i++) {
		OK(sem_post(&sem));
		OK(sem_wait(&answer));
	}
	end(thread);
}

BEHAVIOUR(sem_timedwait_late, "timedwait ends with ETIMEDOUT, not before its time on CLOCK_REALTIME")
{
	struct timespec time = from_now(CLOCK_REALTIME, 30);

	OK(sem_init(&sem, 0, 0));
	SETS(ETIMEDOUT, sem_timedwait(&sem, &time));
	CHECK(has_come(CLOCK_REALTIME, &time));
}

static void *posts(void *arg)
{
	moment();
	OK(sem_post(&sem));
	return arg;
}

BEHAVIOUR(sem_timedwait_gets, "timedwait returns when somebody posts in time")
{
	struct timespec time = from_now(CLOCK_REALTIME, 10000);
	pthread_t thread;

	OK(sem_init(&sem, 0, 0));
	thread = begin(posts, NULL);
	OK(sem_timedwait(&sem, &time));
	end(thread);
}

BEHAVIOUR(sem_timedwait_past, "timedwait looks at the time only if it would wait: then ETIMEDOUT, or EINVAL")
{
	struct timespec time = {1, 0}, bad = {1, 1000000000};

	OK(sem_init(&sem, 0, 1));
	OK(sem_timedwait(&sem, &time));
	SETS(ETIMEDOUT, sem_timedwait(&sem, &time));
	SETS(EINVAL, sem_timedwait(&sem, &bad));
}

static void on_signal(int sig)
{
	(void)sig;
	handled++;
}

static void *is_interrupted(void *arg)
{
	(void)arg;
	SETS(EINTR, sem_wait(&sem));
	ended = 1;
	return NULL;
}

BEHAVIOUR(sem_interrupted, "wait ends with EINTR for a signal's handler")
{
	pthread_t thread;

	catch_with(SIGUSR1, on_signal, 0);
	OK(sem_init(&sem, 0, 0));
	thread = begin(is_interrupted, NULL);
	KILL_UNTIL(ended, thread, SIGUSR1);
	end(thread);
	CHECK(handled && value_of(&sem) == 0);
}

static void handler_posts(int sig)
{
	(void)sig;
	sem_post(&sem);
}

BEHAVIOUR(sem_handler, "A signal's handler may post")
{
	pthread_t thread;

	catch_with(SIGUSR1, handler_posts, 0);
	OK(sem_init(&sem, 0, 0));
	thread = begin(waits, NULL);
	moment();
	OK(raise(SIGUSR1));
	end(thread);
}

BEHAVIOUR(sem_limits, "A value of more than SEM_VALUE_MAX is EINVAL, a post at it EOVERFLOW")
{
	SETS(EINVAL, sem_init(&sem, 0, (unsigned)SEM_VALUE_MAX + 1));
	OK(sem_init(&sem, 0, SEM_VALUE_MAX));
	SETS(EOVERFLOW, sem_post(&sem));
	CHECK(value_of(&sem) == SEM_VALUE_MAX);
}

static void play_shared(sem_t *one, sem_t *other)
{
	for (int i = 0; i < 200; i++) {
		OK(sem_wait(one));
		OK(sem_post(other));
	}
}

static sem_t *pair[2];

static void *plays_shared(void *arg)
{
	play_shared(pair[0], pair[1]);
	return arg;
}

static void play_with_child(sem_t *one, sem_t *other)
{
	pid_t child = fork();

	if (!child) {
		play_shared(other, one);
		_exit(0);
	}
	pair[0] = one;
	pair[1] = other;
	end(begin(plays_shared, NULL));
	OK(status_of(child));
}

BEHAVIOUR(sem_shared, "A process-shared semaphore is one for the threads of several processes")
{
	sem_t *sems = shared(4096);

	OK(sem_init(&sems[0], 1, 1));
	OK(sem_init(&sems[1], 1, 0));
	play_with_child(&sems[0], &sems[1]);
}

static const char *name(int n)
{
	static char text[2][40];

	snprintf(text[n], sizeof(text[n]), "/conformance-%d-%d", (int)getpid(), n);
	return text[n];
}

#define OPEN_SETS(error, ...)                                                    \
	do {                                                                     \
		errno = 0;                                                       \
		CHECK(sem_open(__VA_ARGS__) == SEM_FAILED && errno == (error)); \
	} while (0)

BEHAVIOUR(named_open, "O_CREAT makes one with its value; opened again it is the same, at the same address")
{
	sem_t *one = sem_open(name(0), O_CREAT, 0600, 3), *two = sem_open(name(0), 0);

	OK(sem_unlink(name(0)));
	CHECK(one != SEM_FAILED && one == two);
	CHECK(value_of(one) == 3);
	OK(sem_wait(two));
	CHECK(value_of(one) == 2);
	OK(sem_close(one));
	OK(sem_close(two));
}

BEHAVIOUR(named_errors, "ENOENT without O_CREAT, EEXIST with O_EXCL, EINVAL for a value too large, ENAMETOOLONG")
{
	char long_name[NAME_MAX + 10] = "/";
	sem_t *one;

	OPEN_SETS(ENOENT, name(0), 0);
	SETS(ENOENT, sem_unlink(name(0)));
	one = sem_open(name(0), O_CREAT | O_EXCL, 0600, 0);
	CHECK(one != SEM_FAILED);
	OPEN_SETS(EEXIST, name(0), O_CREAT | O_EXCL, 0600, 0);
	OK(sem_unlink(name(0)));
	OPEN_SETS(EINVAL, name(0), O_CREAT, 0600, (unsigned)SEM_VALUE_MAX + 1);
	memset(long_name + 1, 'x', sizeof(long_name) - 2);
	errno = 0;
	CHECK(sem_open(long_name, O_CREAT, 0600, 0) == SEM_FAILED && (errno == ENAMETOOLONG || errno == EINVAL));
}

BEHAVIOUR(named_unlink, "After unlink the name is free, and who has it open goes on with it")
{
	sem_t *one = sem_open(name(0), O_CREAT, 0600, 1), *two;

	OK(sem_unlink(name(0)));
	two = sem_open(name(0), O_CREAT | O_EXCL, 0600, 5);
	OK(sem_unlink(name(0)));
	CHECK(one != two && value_of(one) == 1 && value_of(two) == 5);
	OK(sem_wait(one));
	OK(sem_post(one));
}

BEHAVIOUR(named_processes, "Threads of several processes take turns by what each has opened under the same names")
{
	const char *names[2] = {name(0), name(1)}; /* the child's number is another */
	sem_t *one = sem_open(names[0], O_CREAT, 0600, 1), *other = sem_open(names[1], O_CREAT, 0600, 0);
	pid_t child = fork();

	if (!child) {
		OK(sem_close(one));
		OK(sem_close(other));
		play_shared(sem_open(names[1], 0), sem_open(names[0], 0));
		_exit(0);
	}
	pair[0] = one;
	pair[1] = other;
	end(begin(plays_shared, NULL));
	OK(status_of(child));
	OK(sem_unlink(names[0]));
	OK(sem_unlink(names[1]));
}
