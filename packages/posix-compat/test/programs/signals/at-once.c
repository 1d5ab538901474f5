/*
 * at-once.c - signals that come while all processors are taken by threads that compute, and that nobody takes from them: each of these waits for what the handler does, and makes
 * no call. So where a signal waits for a tick, and there is none, the program hangs.
 *
 *   at-once            lists the cases
 *   at-once CASE       runs one, many times
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS 100
#define HOGS 3
#define TARGETS 6

static sem_t never, parked, go[HOGS + 1];
static pthread_t hogs[HOGS], targets[TARGETS];
static _Thread_local int number; /* of a target */
static volatile pid_t tids[TARGETS];
static atomic_int handled[TARGETS], round_now, ready;
static int pipes[2], lock_file;
static struct outside {
	atomic_int wanted, sig; /* the other process sends the signal once for each */
} *outside;

static void block(int how, int sig)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, sig);
	pthread_sigmask(how, &set, NULL);
}

static void on_target(int sig)
{
	(void)sig;
	handled[number]++;
}

/** Whoever has been interrupted tells all targets, and waits for them. */
static void on_any(int sig)
{
	const int now = round_now;

	(void)sig;
	for (int i = 0; i < TARGETS; i++)
		pthread_kill(targets[i], SIGUSR1);
	for (int i = 0; i < TARGETS; i++)
		while (handled[i] <= now)
			;
}

static void catch(int sig, void (*handler)(int), int flags)
{
	struct sigaction act = {.sa_handler = handler, .sa_flags = flags};

	sigaction(sig, &act, NULL);
}

/* ---------------------------------------------------------------- another process, which sends */

static void send_from_outside(pid_t to)
{
	for (int sent = 0;; sent++) {
		while (outside->wanted == sent && getppid() == to)
			usleep(100);
		if (getppid() != to || kill(to, outside->sig))
			_exit(0);
	}
}

static void begin_outside(int sig)
{
	pid_t parent = getpid();

	outside = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	outside->sig = sig;
	if (!fork())
		send_from_outside(parent);
}

/* ---------------------------------------------------------------- threads */

/** Computes until all targets have taken their signal in this round. */
static void compute(int targets_now)
{
	for (int i = 0; i < targets_now; i++)
		while (handled[i] <= round_now)
			;
}

static int ntargets;

static void *hog(void *arg)
{
	sem_t *mine = &go[(long)arg];

	block(SIG_BLOCK, SIGUSR1);
	ready++;
	for (;;) {
		while (sem_wait(mine))
			;
		compute(ntargets);
		sem_post(&parked);
	}
	return NULL;
}

static void begin_hogs(int n)
{
	for (long i = 0; i < n; i++)
		pthread_create(&hogs[i], NULL, hog, (void *)i);
}

static void (*blocks)(void);

static void *target(void *arg)
{
	number = (int)(long)arg;
	tids[number] = gettid();
	ready++;
	for (;;)
		blocks();
	return NULL;
}

static void begin_targets(int n, void (*how)(void))
{
	blocks = how;
	ntargets = n;
	for (long i = 0; i < n; i++)
		pthread_create(&targets[i], NULL, target, (void *)i);
}

static void all_ready(int n)
{
	while (ready < n)
		usleep(100);
	usleep(2000); /* they wait, most probably */
}

/** They can run from now on: those in front of the target that are not hogs' own rfork's do. */
static void release_hogs(int n)
{
	for (int i = 0; i < n; i++)
		sem_post(&go[i]);
}

static void hogs_parked(int n)
{
	for (int i = 0; i < n; i++)
		while (sem_wait(&parked))
			;
}

/* ---------------------------------------------------------------- from a thread of the process, to one that waits */

static void in_sem(void) { sem_wait(&never); }
static void in_pause(void) { pause(); }
static void in_sleep(void) { sleep(1000); }
static void in_poll(void) { poll(&(struct pollfd){.fd = pipes[0], .events = POLLIN}, 1, -1); }

static void in_read(void)
{
	char c;

	if (read(pipes[0], &c, 1) > 0)
		abort();
}

static void in_suspend(void)
{
	sigset_t none;

	sigemptyset(&none);
	sigsuspend(&none);
}

/** Of those calls that a helper makes. */
static void in_lock(void)
{
	int fd = open("/proc/self/exe", O_RDONLY);

	flock(fd, LOCK_EX);
	close(fd);
}

static void in_sigwait(void)
{
	siginfo_t info;
	sigset_t set;

	block(SIG_BLOCK, SIGUSR1);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	if (sigwaitinfo(&set, &info) == SIGUSR1)
		handled[number]++;
}

static void to_waiting(void (*how)(void))
{
	begin_targets(1, how);
	begin_hogs(HOGS);
	all_ready(1 + HOGS);
	for (; round_now < ROUNDS; round_now++) {
		release_hogs(HOGS); /* in front of it */
		pthread_kill(targets[0], SIGUSR1);
		compute(1);
		hogs_parked(HOGS);
	}
}

static void waits_sem(void) { to_waiting(in_sem); }
static void waits_pause(void) { to_waiting(in_pause); }
static void waits_sleep(void) { to_waiting(in_sleep); }
static void waits_poll(void) { to_waiting(in_poll); }
static void waits_read(void) { to_waiting(in_read); }
static void waits_suspend(void) { to_waiting(in_suspend); }
static void waits_sigwait(void) { to_waiting(in_sigwait); }

static void waits_lock(void)
{
	lock_file = open("/proc/self/exe", O_RDONLY);
	flock(lock_file, LOCK_EX);
	to_waiting(in_lock);
}

/* ---------------------------------------------------------------- to one that could run */

static void in_go(void)
{
	sem_wait(&go[HOGS]);
}

static void runnable(void)
{
	begin_targets(1, in_go);
	begin_hogs(HOGS);
	all_ready(1 + HOGS);
	for (; round_now < ROUNDS; round_now++) {
		release_hogs(HOGS);
		sem_post(&go[HOGS]);
		pthread_kill(targets[0], SIGUSR1);
		compute(1);
		hogs_parked(HOGS);
	}
}

/* ---------------------------------------------------------------- from another process */

/** A hog asks for it, from the only processor there may be, and computes. */
static void *asks(void *arg)
{
	block(SIG_BLOCK, SIGUSR1);
	ready++;
	for (; round_now < ROUNDS; round_now++) {
		usleep(100); /* the others wait */
		outside->wanted++;
		compute(1);
	}
	sem_post(&parked);
	return arg;
}

static void outside_to(void (*how)(void))
{
	pthread_t asking;

	begin_outside(SIGUSR1);
	block(SIG_BLOCK, SIGUSR1);
	pthread_create(&asking, NULL, asks, NULL);
	block(SIG_UNBLOCK, SIGUSR1);
	begin_targets(1, how);
	block(SIG_BLOCK, SIGUSR1);
	hogs_parked(1);
}

static void outside_sem(void) { outside_to(in_sem); }
static void outside_read(void) { outside_to(in_read); }
static void outside_lock(void)
{
	lock_file = open("/proc/self/exe", O_RDONLY);
	flock(lock_file, LOCK_EX);
	outside_to(in_lock);
}

/** All block it: the kernel keeps it, for who waits. */
static void outside_sigwait(void)
{
	block(SIG_BLOCK, SIGUSR1);
	outside_to(in_sigwait);
}

/** The main thread is asked first, and waits. */
static void outside_main(void)
{
	pthread_t asking;

	begin_outside(SIGUSR1);
	ntargets = 1;
	pthread_create(&asking, NULL, asks, NULL);
	while (sem_wait(&parked))
		;
}

/** It computes itself. */
static void outside_computing(void)
{
	begin_outside(SIGUSR1);
	for (; round_now < ROUNDS; round_now++) {
		outside->wanted++;
		compute(1);
	}
}

/** All processors are taken when it comes, and who takes it tells threads on each of them. */
static void *asks_any(void *arg)
{
	ready++;
	for (; round_now < ROUNDS; round_now++) {
		usleep(100);
		release_hogs(HOGS);
		outside->wanted++;
		compute(TARGETS);
		hogs_parked(HOGS);
	}
	sem_post(&go[HOGS]);
	return arg;
}

static void outside_all(void)
{
	pthread_t asking;

	begin_outside(SIGUSR2);
	catch(SIGUSR2, on_any, SA_RESTART);
	block(SIG_BLOCK, SIGUSR2);
	begin_targets(TARGETS, in_pause);
	block(SIG_UNBLOCK, SIGUSR2);
	begin_hogs(HOGS);
	all_ready(TARGETS + HOGS);
	pthread_create(&asking, NULL, asks_any, NULL);
	while (sem_wait(&go[HOGS]))
		;
}

/* ---------------------------------------------------------------- from a clock */

static void set_timer(timer_t timer)
{
	const struct itimerspec at = {.it_value.tv_nsec = 200000};

	timer_settime(timer, 0, &at, NULL);
}

/** For one thread, which waits. */
static void timer_thread(void)
{
	struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGUSR1};
	timer_t timer;

	block(SIG_UNBLOCK, SIGUSR1);
	begin_targets(1, in_sem);
	begin_hogs(HOGS);
	all_ready(1 + HOGS);
	event._sigev_un._tid = tids[0];
	if (timer_create(CLOCK_MONOTONIC, &event, &timer))
		abort();
	for (; round_now < ROUNDS; round_now++) {
		release_hogs(HOGS);
		set_timer(timer);
		compute(1);
		hogs_parked(HOGS);
	}
}

static const struct {
	const char *name;
	void (*run)(void);
} cases[] = {
	{"waits in sem_wait", waits_sem},
	{"waits in pause", waits_pause},
	{"waits in sleep", waits_sleep},
	{"waits in poll", waits_poll},
	{"waits in read", waits_read},
	{"waits in sigsuspend", waits_suspend},
	{"waits in sigwaitinfo", waits_sigwait},
	{"waits in flock", waits_lock},
	{"runnable", runnable},
	{"from outside, waits in sem_wait", outside_sem},
	{"from outside, waits in read", outside_read},
	{"from outside, waits in flock", outside_lock},
	{"from outside, waits in sigwaitinfo", outside_sigwait},
	{"from outside, the main thread waits", outside_main},
	{"from outside, computes alone", outside_computing},
	{"from outside, to all", outside_all},
	{"a timer of a thread", timer_thread},
};

int main(int argc, char **argv)
{
	catch(SIGUSR1, on_target, 0);
	sem_init(&never, 0, 0);
	sem_init(&parked, 0, 0);
	for (int i = 0; i <= HOGS; i++)
		sem_init(&go[i], 0, 0);
	if (pipe(pipes))
		return 1;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (argc < 2)
			puts(cases[i].name);
		else if (!strcmp(cases[i].name, argv[1]))
			cases[i].run();
	}
	if (argc > 1)
		printf("%d rounds\n", round_now);
	return 0;
}
