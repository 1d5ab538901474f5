/* names.c - names of threads, and what the scheduler and clocks know of them. Names are in glibc's manual (pthread_setname_np); the standard has none. */
#include "../conformance.h"

#include <dirent.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/prctl.h>

static atomic_int ready, go;

static void *waits(void *arg)
{
	ready = 1;
	UNTIL(go);
	return arg;
}

static void *names_itself(void *arg)
{
	char name[16];

	OK(pthread_setname_np(pthread_self(), "worker"));
	OK(pthread_getname_np(pthread_self(), name, sizeof(name)));
	CHECK(!strcmp(name, "worker"));
	return arg;
}

BEHAVIOUR(name_own, "A thread can name itself, and is alone in having that name")
{
	char name[16], before[16];

	OK(pthread_getname_np(pthread_self(), before, sizeof(before)));
	end(begin(names_itself, NULL));
	OK(pthread_getname_np(pthread_self(), name, sizeof(name)));
	CHECK(!strcmp(name, before));
}

BEHAVIOUR(name_other, "A thread can name another")
{
	pthread_t thread = begin(waits, NULL);
	char name[16];

	UNTIL(ready);
	OK(pthread_setname_np(thread, "other"));
	OK(pthread_getname_np(thread, name, sizeof(name)));
	CHECK(!strcmp(name, "other"));
	go = 1;
	end(thread);
}

static void *says_name(void *arg)
{
	OK(pthread_getname_np(pthread_self(), arg, 16));
	return NULL;
}

BEHAVIOUR(name_inherited, "A new thread has its creator's name")
{
	char name[16];

	OK(pthread_setname_np(pthread_self(), "creator"));
	end(begin(says_name, name));
	CHECK(!strcmp(name, "creator"));
}

BEHAVIOUR(name_long, "A name of more than 15 characters is ERANGE; so is a buffer that is too small")
{
	char name[16];

	GIVES(ERANGE, pthread_setname_np(pthread_self(), "sixteen letters!"));
	OK(pthread_setname_np(pthread_self(), "fifteen letters"));
	GIVES(ERANGE, pthread_getname_np(pthread_self(), name, 3));
	OK(pthread_getname_np(pthread_self(), name, sizeof(name)));
	CHECK(!strcmp(name, "fifteen letters"));
}

BEHAVIOUR(name_prctl, "PR_GET_NAME gives the same name")
{
	char name[16];

	OK(pthread_setname_np(pthread_self(), "main one"));
	OK(prctl(PR_GET_NAME, name));
	CHECK(!strcmp(name, "main one"));
}

BEHAVIOUR(task_folder, "/proc/self/task has an entry for each thread")
{
	pthread_t threads[3];
	int n = 0;
	DIR *folder;

	for (int i = 0; i < 3; i++)
		threads[i] = begin(waits, NULL);
	folder = opendir("/proc/self/task");
	for (struct dirent *entry; (entry = readdir(folder));)
		n += entry->d_name[0] != '.';
	CHECK(n == 4);
	go = 1;
	for (int i = 0; i < 3; i++)
		end(threads[i]);
}

BEHAVIOUR(sched_param, "A thread's policy and priority can be read, and set to what they are")
{
	pthread_t thread = begin(waits, NULL);
	struct sched_param param;
	int policy;

	UNTIL(ready);
	OK(pthread_getschedparam(thread, &policy, &param));
	CHECK(policy == SCHED_OTHER && param.sched_priority == 0);
	OK(pthread_setschedparam(thread, policy, &param));
	GIVES(EINVAL, pthread_setschedparam(thread, 77, &param));
	go = 1;
	end(thread);
}

static void *becomes_fifo(void *arg)
{
	struct sched_param param = {.sched_priority = 1};
	int error = pthread_setschedparam(pthread_self(), SCHED_FIFO, &param), policy;

	(void)arg;
	if (error == EPERM)
		skip("real-time scheduling is not allowed");
	OK(error);
	OK(pthread_getschedparam(pthread_self(), &policy, &param));
	CHECK(policy == SCHED_FIFO && param.sched_priority == 1);
	OK(pthread_setschedprio(pthread_self(), 2));
	return waits(NULL);
}

BEHAVIOUR(sched_own, "A thread's policy is its own: others keep theirs")
{
	pthread_t thread = begin(becomes_fifo, NULL);

	UNTIL(ready);
	CHECK(sched_getscheduler(0) == SCHED_OTHER);
	go = 1;
	end(thread);
}

static void *computes(void *arg)
{
	struct timespec used = {0, 0};

	while (used.tv_nsec < 200000000 && !used.tv_sec)
		OK(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used));
	return arg;
}

BEHAVIOUR(clock_own, "CLOCK_THREAD_CPUTIME_ID counts what the calling thread has used, not others'")
{
	struct timespec used;

	end(begin(computes, NULL));
	OK(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used));
	CHECK(!used.tv_sec && used.tv_nsec < 200000000);
}

static void *computes_and_waits(void *arg)
{
	computes(NULL);
	return waits(arg);
}

BEHAVIOUR(clock_other, "pthread_getcpuclockid gives a clock of what another thread has used")
{
	pthread_t thread = begin(computes_and_waits, NULL);
	struct timespec used;
	clockid_t clock;

	UNTIL(ready);
	OK(pthread_getcpuclockid(thread, &clock));
	OK(clock_gettime(clock, &used));
	CHECK(used.tv_sec || used.tv_nsec >= 200000000);
	go = 1;
	end(thread);
}

BEHAVIOUR(sched_yield_returns, "sched_yield returns 0")
{
	for (int i = 0; i < 1000; i++)
		OK(sched_yield());
}

BEHAVIOUR(affinity, "A thread's set of processors can be read, and set to what it is")
{
	pthread_t thread = begin(waits, NULL);
	cpu_set_t set;

	UNTIL(ready);
	OK(pthread_getaffinity_np(thread, sizeof(set), &set));
	CHECK(CPU_COUNT(&set) >= 1);
	OK(pthread_setaffinity_np(thread, sizeof(set), &set));
	go = 1;
	end(thread);
}
