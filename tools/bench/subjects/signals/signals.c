/*
 * signals.c - what signals cost a C program: nanoseconds for one operation, the best of some samples. The same binary runs natively and under libcr.
 *
 *   signals kill | queue | queue-threads | mask | raise | compute | compute-threads
 *
 * Those with "-threads" have a second thread, which waits all the time: what else is measured is the same.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

static void check(int ok)
{
	if (!ok) {
		perror("signals");
		exit(1);
	}
}

static uint64_t now(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static pthread_t start(void *(*main)(void *), void *arg)
{
	pthread_t thread;

	check(pthread_create(&thread, NULL, main, arg) == 0);
	return thread;
}

static volatile sig_atomic_t handled;

static void on_signal(int sig)
{
	(void)sig;
	handled++;
}

static void handle(int sig, void (*handler)(int))
{
	struct sigaction act = {.sa_handler = handler, .sa_flags = SA_RESTART};

	check(sigaction(sig, &act, NULL) == 0);
}

static sigset_t set_of(int sig)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, sig);
	return set;
}

/* ---------------------------------------------------------------- kill: two threads in turns, each woken by the other's signal */

static pthread_t players[2];
static volatile sig_atomic_t got[2];
static __thread int me;

static void on_turn(int sig)
{
	(void)sig;
	got[me]++;
}

static void play(int who, long n)
{
	sigset_t none;

	me = who;
	sigemptyset(&none);
	for (long i = 1; i <= n; i++) {
		if (who == 0)
			check(pthread_kill(players[1], SIGUSR1) == 0);
		while (got[who] < i)
			sigsuspend(&none);
		if (who == 1)
			check(pthread_kill(players[0], SIGUSR1) == 0);
	}
}

static void *play_second(void *arg)
{
	play(1, (long)arg);
	return NULL;
}

static void kill_turns(long n)
{
	sigset_t set = set_of(SIGUSR1);

	handle(SIGUSR1, on_turn);
	pthread_sigmask(SIG_BLOCK, &set, NULL); /* but for sigsuspend: none is overlooked */
	got[0] = got[1] = 0;
	players[0] = pthread_self();
	players[1] = start(play_second, (void *)(n / 2));
	play(0, n / 2);
	pthread_join(players[1], NULL);
}

/* ---------------------------------------------------------------- queue: two processes in turns */

static void queue_to(pid_t pid, long value)
{
	check(sigqueue(pid, SIGRTMIN, (union sigval){.sival_ptr = (void *)value}) == 0);
}

static void wait_for(long value)
{
	sigset_t set = set_of(SIGRTMIN);
	siginfo_t info;
	int sig;

	do
		sig = sigwaitinfo(&set, &info);
	while (sig < 0 && errno == EINTR);
	check(sig == SIGRTMIN && (long)info.si_value.sival_ptr == value);
}

/** The other process: as long as this one is there. */
static pid_t begin_echo(void)
{
	sigset_t set = set_of(SIGRTMIN);
	pid_t parent = getpid(), child;

	pthread_sigmask(SIG_BLOCK, &set, NULL);
	child = fork();
	check(child >= 0);
	if (child > 0)
		return child;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (long i = 0; getppid() == parent; i++) {
		wait_for(i);
		queue_to(parent, i);
	}
	_exit(0);
}

static void queue_turns(long n)
{
	static pid_t child;
	static long turn;

	if (!child)
		child = begin_echo();
	for (long i = 0; i < n / 2; i++, turn++) {
		queue_to(child, turn);
		wait_for(turn);
	}
}

/* ---------------------------------------------------------------- mask, raise */

/** One that has a handler, and one that has none. */
static void change_mask(long n)
{
	sigset_t set = set_of(SIGUSR1);

	sigaddset(&set, SIGUSR2);
	handle(SIGUSR2, on_signal);
	for (long i = 0; i < n / 2; i++) {
		sigprocmask(SIG_BLOCK, &set, NULL);
		sigprocmask(SIG_UNBLOCK, &set, NULL);
	}
}

static void raise_signals(long n)
{
	handle(SIGUSR1, on_signal);
	handled = 0;
	for (long i = 0; i < n; i++)
		raise(SIGUSR1);
	check(handled == n);
}

/* ---------------------------------------------------------------- compute */

static volatile uint64_t result;

static void compute(long n)
{
	uint64_t x = 1;

	for (long i = 0; i < n; i++)
		x = x * 6364136223846793005u + (uint64_t)i;
	result = x;
}

static sem_t never;

static void *wait_forever(void *arg)
{
	sem_wait(&never);
	return arg;
}

/* ---------------------------------------------------------------- */

/** The short ones in many short samples: where others run, too, some are undisturbed. Of compute's each is longer than some ticks, so there it is the time that the kernel
 *  says the process has used, which has all that libcr does. */
static const struct {
	const char *name;
	void (*run)(long n);
	long n;
	int samples;
	clockid_t clock;
} subjects[] = {
	{"kill", kill_turns, 400, 300, CLOCK_MONOTONIC},   {"queue", queue_turns, 100, 800, CLOCK_MONOTONIC}, {"mask", change_mask, 1000, 1000, CLOCK_MONOTONIC},
	{"raise", raise_signals, 500, 500, CLOCK_MONOTONIC}, {"compute", compute, 20000000, 60, CLOCK_PROCESS_CPUTIME_ID},
};

static uint64_t best_of(int samples, void (*run)(long n), long n, clockid_t clock)
{
	uint64_t best = UINT64_MAX;

	for (int sample = 0; sample <= samples; sample++) {
		uint64_t begun = now(clock), ns;

		run(n);
		ns = now(clock) - begun;
		if (sample > 0 && ns < best)
			best = ns;
	}
	return best;
}

int main(int argc, char **argv)
{
	char *name = argc == 2 ? argv[1] : "";
	char *threads = strstr(name, "-threads");

	if (threads) {
		sigset_t set = set_of(SIGRTMIN);

		*threads = 0;
		pthread_sigmask(SIG_BLOCK, &set, NULL);
		sem_init(&never, 0, 0);
		start(wait_forever, NULL);
	}
	for (unsigned i = 0; i < sizeof(subjects) / sizeof(*subjects); i++)
		if (strcmp(subjects[i].name, name) == 0) {
			uint64_t best = best_of(subjects[i].samples, subjects[i].run, subjects[i].n, subjects[i].clock);

			printf("{\"ns\":%.3f}\n", (double)best / (double)subjects[i].n);
			return 0;
		}
	return 2;
}
