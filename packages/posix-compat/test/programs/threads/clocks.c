/* clocks.c - CPU clocks of threads, and timers: of those clocks, and for threads. Nothing here depends on how long anything takes by the clock on the wall. */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MS 1000000l
#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

static _Atomic int stop, ready, count;
static _Atomic int handled_by;

static void say(const char *what, int so) { printf("%s: %s\n", what, so ? "yes" : "no"); }

static long clock_ns(clockid_t clock)
{
	struct timespec ts;

	return clock_gettime(clock, &ts) ? -errno : ts.tv_sec * 1000 * MS + ts.tv_nsec;
}

static long own(void) { return clock_ns(CLOCK_THREAD_CPUTIME_ID); }

static void compute(long ns)
{
	for (long until = own() + ns; own() < until;)
		for (volatile int i = 0; i < 20000; i++)
			;
}

static clockid_t clock_of(pthread_t thread)
{
	clockid_t clock = 0;

	pthread_getcpuclockid(thread, &clock);
	return clock;
}

static sem_t computed, let_go;

/* It waits without using anything. */
static void *computes(void *arg)
{
	compute((long)arg);
	sem_post(&computed);
	sem_wait(&let_go);
	return (void *)own();
}

static void *computes_on(void *arg)
{
	ready++;
	while (!stop)
		for (volatile int i = 0; i < 20000; i++)
			;
	return arg;
}

static void wait_for(_Atomic int *what, int value)
{
	while (*what < value)
		usleep(500);
}

static void shares(void)
{
	pthread_t threads[3];
	long used[3], all = 0, before = clock_ns(CLOCK_PROCESS_CPUTIME_ID), main_before = own(), process, main_used;
	struct rusage usage;

	for (long i = 0; i < 3; i++)
		pthread_create(&threads[i], NULL, computes, (void *)((i + 1) * 40 * MS));
	for (int i = 0; i < 3; i++)
		sem_wait(&computed);
	for (int i = 0; i < 3; i++)
		all += used[i] = clock_ns(clock_of(threads[i]));
	main_used = own() - main_before;
	process = clock_ns(CLOCK_PROCESS_CPUTIME_ID) - before;
	say("each has what it has used, soon after", used[0] >= 40 * MS && used[1] >= 80 * MS && used[2] >= 120 * MS);
	say("and not others'", used[0] < 79 * MS && used[1] < 119 * MS && used[2] < 159 * MS && main_used < 40 * MS);
	say("all of it is the process'", process >= (all + main_used) * 9 / 10 && process <= (all + main_used) * 3 / 2 + 40 * MS);
	getrusage(RUSAGE_THREAD, &usage);
	say("getrusage is about that", usage.ru_utime.tv_sec == 0 && usage.ru_utime.tv_usec + usage.ru_stime.tv_usec <= own() / 1000 + 1);
	for (int i = 0; i < 3; i++)
		sem_post(&let_go);
	for (int i = 0; i < 3; i++) {
		void *at_end;

		pthread_join(threads[i], &at_end);
		say("it only grows", (long)at_end >= used[i]);
	}
	say("still its own", own() - main_before < 60 * MS);
}

static void answers(void)
{
	struct timespec ts = {0, 1000}, bad = {0, 2000 * MS}, resolution = {9, 9};
	pthread_t thread;
	clockid_t clock, mine;
	struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGUSR1};
	timer_t timer;

	pthread_create(&thread, NULL, computes, (void *)0);
	sem_wait(&computed);
	clock = clock_of(thread);
	mine = clock_of(pthread_self());
	printf("getres %d, %ld\n", clock_getres(clock, &resolution), (long)resolution.tv_nsec);
	printf("sleep by one's own: %d %d\n", clock_nanosleep(CLOCK_THREAD_CPUTIME_ID, 0, &ts, NULL), clock_nanosleep(mine, 0, &ts, NULL));
	printf("bad times: %d\n", clock_nanosleep(clock, 0, &bad, NULL));
	printf("one's own by number: %d\n", clock_ns(mine) > 0);
	printf("bad pointer: %ld\n", syscall(SYS_clock_gettime, clock, 8l) ? (long)-errno : 0);
	event.sigev_notify_thread_id = 1;
	printf("a timer for no thread of ours: %d\n", timer_create(CLOCK_MONOTONIC, &event, &timer) ? errno : 0);
	event.sigev_notify_thread_id = (int)syscall(SYS_gettid);
	event.sigev_signo = 99;
	printf("with no signal: %d\n", timer_create(CLOCK_MONOTONIC, &event, &timer) ? errno : 0);
	event.sigev_signo = SIGUSR1;
	printf("bad pointers: %ld", syscall(SYS_timer_create, CLOCK_MONOTONIC, 8l, &timer) ? (long)-errno : 0);
	printf(" %ld\n", syscall(SYS_timer_create, CLOCK_MONOTONIC, &event, 8l) ? (long)-errno : 0);
	printf("no timer: %ld\n", syscall(SYS_timer_delete, 0x20000007l) ? (long)-errno : 0);
	sem_post(&let_go);
	pthread_join(thread, NULL);
	printf("of one that has ended: %ld\n", clock_ns(clock));
}

static void sleeps_by_another(void)
{
	pthread_t thread;
	struct timespec ts = {0, 30 * MS};
	clockid_t clock;
	long before, after;

	pthread_create(&thread, NULL, computes_on, NULL);
	wait_for(&ready, 1);
	clock = clock_of(thread);
	before = clock_ns(clock);
	printf("sleep by another's: %d\n", clock_nanosleep(clock, 0, &ts, NULL));
	after = clock_ns(clock);
	say("as long as it has used that", after - before >= 30 * MS);
	ts.tv_nsec = (after + 20 * MS) % (1000 * MS);
	ts.tv_sec = (after + 20 * MS) / (1000 * MS);
	printf("until a time: %d\n", clock_nanosleep(clock, TIMER_ABSTIME, &ts, NULL));
	say("it has come", clock_ns(clock) >= after + 20 * MS);
	stop = 1;
	pthread_join(thread, NULL);
	stop = ready = 0;
}

static void handler(int sig, siginfo_t *si, void *context)
{
	(void)sig, (void)context;
	if (si->si_code == SI_TIMER && si->si_value.sival_int == 77) {
		handled_by = (int)syscall(SYS_gettid);
		count++;
	}
}

static timer_t make(clockid_t clock, int tid)
{
	struct sigevent event = {.sigev_notify = tid ? SIGEV_THREAD_ID : SIGEV_SIGNAL, .sigev_signo = SIGUSR1, .sigev_value.sival_int = 77};
	timer_t timer = NULL;

	event.sigev_notify_thread_id = tid;
	if (timer_create(clock, &event, &timer))
		printf("timer_create: %s\n", strerror(errno));
	return timer;
}

static void arm(timer_t timer, long value, long interval)
{
	struct itimerspec times = {{0, interval}, {0, value}};

	if (timer_settime(timer, 0, &times, NULL))
		printf("timer_settime: %s\n", strerror(errno));
}

/* A timer of its own CPU clock for itself, among others that compute. */
static void *times_itself(void *arg)
{
	int tid = (int)syscall(SYS_gettid);
	timer_t timer = make(CLOCK_THREAD_CPUTIME_ID, tid);
	struct itimerspec left;
	long before = own();

	count = handled_by = 0;
	arm(timer, 20 * MS, 20 * MS);
	timer_gettime(timer, &left);
	say("what is left", left.it_value.tv_nsec > 0 && left.it_value.tv_nsec <= 20 * MS && left.it_interval.tv_nsec == 20 * MS);
	while (count < 3)
		for (volatile int i = 0; i < 20000; i++)
			;
	say("three times, by its clock", own() - before >= 60 * MS);
	say("on it", handled_by == tid);
	arm(timer, 0, 0);
	timer_gettime(timer, &left);
	say("none is left", !left.it_value.tv_nsec && !left.it_interval.tv_nsec);
	printf("deleted: %d\n", timer_delete(timer));
	return arg;
}

static void *is_told(void *arg)
{
	ready = (int)syscall(SYS_gettid);
	while (!stop)
		usleep(1000);
	return arg;
}

static void *blocks_it(void *arg)
{
	sigset_t set;
	siginfo_t info;
	timer_t timer;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	timer = make(CLOCK_MONOTONIC, (int)syscall(SYS_gettid));
	arm(timer, MS, MS);
	usleep(30000);
	printf("waited for: %d, ", sigwaitinfo(&set, &info));
	printf("%d\n", info.si_value.sival_int);
	say("with overruns", info.si_overrun >= 5);
	timer_delete(timer);
	return arg;
}

static void timers(void)
{
	struct sigaction act = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_RESTART};
	pthread_t thread, others[2];
	timer_t timer;

	sigaction(SIGUSR1, &act, NULL);
	timer = make(CLOCK_MONOTONIC, (int)syscall(SYS_gettid)); /* while there is one thread */
	arm(timer, MS, 0);
	wait_for(&count, 1);
	say("alone", handled_by == getpid());
	timer_delete(timer);
	for (int i = 0; i < 2; i++)
		pthread_create(&others[i], NULL, computes_on, NULL);
	pthread_create(&thread, NULL, times_itself, NULL);
	pthread_join(thread, NULL);
	count = 0;
	timer = make(clock_of(others[0]), 0);
	arm(timer, 20 * MS, 0);
	wait_for(&count, 1);
	say("of another's clock, for the process", handled_by != 0);
	timer_delete(timer);
	stop = 1;
	for (int i = 0; i < 2; i++)
		pthread_join(others[i], NULL);
	stop = ready = count = 0;
	pthread_create(&thread, NULL, is_told, NULL);
	wait_for(&ready, 1);
	timer = make(CLOCK_MONOTONIC, ready);
	arm(timer, MS, MS);
	wait_for(&count, 3);
	say("for a thread", handled_by == ready);
	timer_delete(timer);
	stop = 1;
	pthread_join(thread, NULL);
	pthread_create(&thread, NULL, blocks_it, NULL);
	pthread_join(thread, NULL);
}

int main(void)
{
	alarm(200);
	setvbuf(stdout, NULL, _IOLBF, 0);
	sem_init(&computed, 0, 0);
	sem_init(&let_go, 0, 0);
	say("at first it is the process'", own() <= clock_ns(CLOCK_PROCESS_CPUTIME_ID));
	shares();
	answers();
	sleeps_by_another();
	timers();
	compute(60 * MS);
	if (!fork()) {
		say("a child begins anew", own() < 60 * MS);
		_exit(0);
	}
	return wait(NULL) < 0;
}
