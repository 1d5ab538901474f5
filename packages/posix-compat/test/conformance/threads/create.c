/* create.c - pthread_create and the attributes that it takes. */
#include "../conformance.h"

#include <fenv.h>
#include <limits.h>
#include <sched.h>
#include <stdatomic.h>

static atomic_int counter, release;

static void *gives_back(void *arg) { return arg; }

static void *counts_and_waits(void *arg)
{
	counter++;
	UNTIL(release);
	return arg;
}

static pthread_t begin_with(const pthread_attr_t *attr, void *(*run)(void *), void *arg)
{
	pthread_t thread;

	OK(pthread_create(&thread, attr, run, arg));
	return thread;
}

BEHAVIOUR(create_argument, "The new thread runs start_routine with arg as its only argument")
{
	int here;

	CHECK(end(begin(gives_back, &here)) == &here);
}

static pthread_t itself;

static void *says_self(void *arg)
{
	itself = pthread_self();
	return arg;
}

BEHAVIOUR(create_id, "The identifier that pthread_create stores is what pthread_self gives in the new thread")
{
	pthread_t thread = begin(says_self, NULL);

	end(thread);
	CHECK(pthread_equal(thread, itself));
	CHECK(!pthread_equal(thread, pthread_self()));
}

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

static void *passes_gate(void *arg)
{
	counter++;
	OK(pthread_mutex_lock(&gate));
	OK(pthread_mutex_unlock(&gate));
	return arg;
}

BEHAVIOUR(create_thousand, "A thousand threads may exist at once")
{
	static pthread_t threads[1000];

	OK(pthread_mutex_lock(&gate));
	for (int i = 0; i < COUNT(threads); i++)
		threads[i] = begin(passes_gate, &threads[i]);
	UNTIL(counter == COUNT(threads));
	OK(pthread_mutex_unlock(&gate));
	for (int i = 0; i < COUNT(threads); i++)
		CHECK(end(threads[i]) == &threads[i]);
}

static void *says_mask(void *arg)
{
	sigset_t *sets = arg;

	pthread_sigmask(SIG_SETMASK, NULL, &sets[0]);
	sigpending(&sets[1]);
	return NULL;
}

BEHAVIOUR(create_mask, "The signal mask is inherited from the creating thread")
{
	sigset_t sets[2], block;

	sigemptyset(&block);
	sigaddset(&block, SIGUSR1);
	sigaddset(&block, SIGRTMIN);
	OK(pthread_sigmask(SIG_SETMASK, &block, NULL));
	end(begin(says_mask, sets));
	CHECK(sigismember(&sets[0], SIGUSR1) == 1 && sigismember(&sets[0], SIGRTMIN) == 1 && sigismember(&sets[0], SIGUSR2) == 0);
}

BEHAVIOUR(create_pending, "The set of signals pending for the new thread is empty")
{
	sigset_t sets[2], block;

	sigemptyset(&block);
	sigaddset(&block, SIGUSR1);
	OK(pthread_sigmask(SIG_BLOCK, &block, NULL));
	OK(pthread_kill(pthread_self(), SIGUSR1));
	end(begin(says_mask, sets));
	CHECK(sigismember(&sets[1], SIGUSR1) == 0);
	sigpending(&sets[1]);
	CHECK(sigismember(&sets[1], SIGUSR1) == 1);
}

static void *says_altstack(void *arg)
{
	OK(sigaltstack(NULL, arg));
	return NULL;
}

BEHAVIOUR(create_altstack, "The alternate stack is not inherited")
{
	static char memory[64 * 1024];
	stack_t stack = {.ss_sp = memory, .ss_size = sizeof(memory)}, seen;

	OK(sigaltstack(&stack, NULL));
	end(begin(says_altstack, &seen));
	CHECK(seen.ss_flags & SS_DISABLE);
}

static void *says_rounding(void *arg)
{
	*(int *)arg = fegetround();
	fesetround(FE_DOWNWARD);
	moment();
	return (void *)(long)(fegetround() == FE_DOWNWARD);
}

BEHAVIOUR(create_fenv, "The floating-point environment is inherited, and each thread's own")
{
	int seen;

	fesetround(FE_UPWARD);
	CHECK(end(begin(says_rounding, &seen)));
	CHECK(seen == FE_UPWARD);
	CHECK(fegetround() == FE_UPWARD);
}

static void *sets_errno(void *arg)
{
	errno = EXDEV;
	return arg;
}

BEHAVIOUR(create_errno, "errno is each thread's own")
{
	errno = EDOM;
	end(begin(sets_errno, NULL));
	CHECK(errno == EDOM);
}

BEHAVIOUR(create_attr_default, "Default attributes: joinable, scope of the system or the process, a guard")
{
	pthread_attr_t attr;
	int value;
	size_t size;

	OK(pthread_attr_init(&attr));
	OK(pthread_attr_getdetachstate(&attr, &value));
	CHECK(value == PTHREAD_CREATE_JOINABLE);
	OK(pthread_attr_getscope(&attr, &value));
	CHECK(value == PTHREAD_SCOPE_SYSTEM || value == PTHREAD_SCOPE_PROCESS);
	OK(pthread_attr_getguardsize(&attr, &size));
	CHECK(size > 0);
	OK(pthread_attr_destroy(&attr));
}

BEHAVIOUR(create_attr_detachstate, "A thread created detached is so; another value of detachstate is EINVAL")
{
	pthread_attr_t attr;
	int value;

	OK(pthread_attr_init(&attr));
	OK(pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED));
	OK(pthread_attr_getdetachstate(&attr, &value));
	CHECK(value == PTHREAD_CREATE_DETACHED);
	GIVES(EINVAL, pthread_attr_setdetachstate(&attr, 77));
	begin_with(&attr, counts_and_waits, NULL);
	UNTIL(counter == 1);
	release = 1;
}

static void *fills_stack(void *arg)
{
	size_t size = (size_t)arg;
	volatile char *array = __builtin_alloca(size);

	for (size_t i = 0; i < size; i += 1024)
		array[i] = (char)i;
	return (void *)&array[0];
}

BEHAVIOUR(create_attr_stacksize, "A thread has at least the stack size asked for; less than PTHREAD_STACK_MIN is EINVAL")
{
	pthread_attr_t attr;
	size_t size;

	OK(pthread_attr_init(&attr));
	GIVES(EINVAL, pthread_attr_setstacksize(&attr, PTHREAD_STACK_MIN - 1));
	OK(pthread_attr_setstacksize(&attr, 32 << 20));
	OK(pthread_attr_getstacksize(&attr, &size));
	CHECK(size == 32 << 20);
	CHECK(end(begin_with(&attr, fills_stack, (void *)(31ul << 20))));
}

BEHAVIOUR(create_attr_stacksize_min, "A thread with a stack of PTHREAD_STACK_MIN runs")
{
	pthread_attr_t attr;

	OK(pthread_attr_init(&attr));
	OK(pthread_attr_setstacksize(&attr, PTHREAD_STACK_MIN));
	CHECK(end(begin_with(&attr, gives_back, &attr)) == &attr);
}

BEHAVIOUR(create_attr_stack, "A thread runs on the stack that it is given")
{
	const size_t size = 256 * 1024;
	char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), *seen;
	pthread_attr_t attr;
	void *address;
	size_t got;

	OK(pthread_attr_init(&attr));
	OK(pthread_attr_setstack(&attr, memory, size));
	OK(pthread_attr_getstack(&attr, &address, &got));
	CHECK(address == memory && got == size);
	seen = end(begin_with(&attr, fills_stack, (void *)1000));
	CHECK(seen >= memory && seen < memory + size);
	OK(munmap(memory, size));
}

BEHAVIOUR(create_attr_guard, "Running into the guard of a stack is SIGSEGV")
{
	pid_t child = fork();

	if (!child) {
		pthread_attr_t attr;
		size_t size;

		pthread_attr_init(&attr);
		OK(pthread_attr_setguardsize(&attr, 1 << 20));
		OK(pthread_attr_getguardsize(&attr, &size));
		CHECK(size == 1 << 20);
		OK(pthread_attr_setstacksize(&attr, 1 << 20));
		end(begin_with(&attr, fills_stack, (void *)((2ul << 20) - 200 * 1024)));
		_exit(0);
	}
	int status = status_of(child);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
}

BEHAVIOUR(create_attr_sched, "Scheduling attributes are what was set; other values are EINVAL")
{
	pthread_attr_t attr;
	struct sched_param param = {.sched_priority = sched_get_priority_min(SCHED_RR)}, got;
	int value;

	OK(pthread_attr_init(&attr));
	OK(pthread_attr_setinheritsched(&attr, PTHREAD_EXPLICIT_SCHED));
	OK(pthread_attr_getinheritsched(&attr, &value));
	CHECK(value == PTHREAD_EXPLICIT_SCHED);
	GIVES(EINVAL, pthread_attr_setinheritsched(&attr, 77));
	OK(pthread_attr_setschedpolicy(&attr, SCHED_RR));
	OK(pthread_attr_getschedpolicy(&attr, &value));
	CHECK(value == SCHED_RR);
	GIVES(EINVAL, pthread_attr_setschedpolicy(&attr, 77));
	OK(pthread_attr_setschedparam(&attr, &param));
	OK(pthread_attr_getschedparam(&attr, &got));
	CHECK(got.sched_priority == param.sched_priority);
	OK(pthread_attr_setscope(&attr, PTHREAD_SCOPE_SYSTEM));
	GIVES(EINVAL, pthread_attr_setscope(&attr, 77));
}

BEHAVIOUR(create_attr_reuse, "Attributes may be used for several threads, and changed or destroyed after")
{
	pthread_attr_t attr;
	pthread_t threads[3];

	OK(pthread_attr_init(&attr));
	for (int i = 0; i < 3; i++)
		threads[i] = begin_with(&attr, counts_and_waits, NULL);
	OK(pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED));
	OK(pthread_attr_destroy(&attr));
	release = 1;
	for (int i = 0; i < 3; i++)
		end(threads[i]);
}

static void *exits_process(void *arg)
{
	exit((int)(long)arg);
}

BEHAVIOUR(create_exit, "exit in any thread ends the process with that status")
{
	pid_t child = fork();

	if (!child) {
		begin(exits_process, (void *)42l);
		for (;;)
			pause();
	}
	CHECK(status_of(child) == 42 << 8);
}

static int *shared_word;

static void *works_on(void *arg)
{
	moment();
	*shared_word = 1;
	return arg;
}

BEHAVIOUR(create_main_exits, "After pthread_exit in main the process goes on until the last thread ends, with status 0")
{
	shared_word = shared(4096);
	pid_t child = fork();

	if (!child) {
		begin(works_on, NULL);
		pthread_exit((void *)5l);
	}
	CHECK(status_of(child) == 0);
	CHECK(*shared_word == 1);
}

BEHAVIOUR(create_exec, "exec ends all threads but the caller, whichever it is")
{
	pid_t child = fork();

	if (!child) {
		begin(counts_and_waits, NULL);
		UNTIL(counter == 1);
		execl("/bin/sh", "sh", "-c", "exit 7", NULL);
	}
	CHECK(status_of(child) == 7 << 8);
}

static void *execs(void *arg)
{
	execl("/bin/sh", "sh", "-c", "exit 8", NULL);
	return arg;
}

BEHAVIOUR(create_exec_thread, "exec in a thread that is not the first keeps the process, and its number")
{
	pid_t child = fork();

	if (!child) {
		begin(execs, NULL);
		for (;;)
			pause();
	}
	CHECK(status_of(child) == 8 << 8);
}
