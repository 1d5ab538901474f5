/*
 * signal-storm.c - MANY signals from two other processes and from threads, at threads that block in all kinds of calls, compute, and lock: SEED MANY.
 * Of what is queued each must come, once, and in its sender's order; a handler of what is for a thread runs there. It says what is not so.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WORKERS 24
#define SENDERS 2
#define KINDS 8

static int many, fds[2], epoll;
static uint64_t seed;
static _Atomic int over, wrong, inside;
static _Atomic int came[WORKERS + 1], sent[WORKERS + 1]; /* SIGRTMIN + 2, for a thread each */
static _Atomic long rounds, standard;
static _Atomic int senders_at[SENDERS];
static pthread_t workers[WORKERS];
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static sem_t sem;
static __thread int me = -1;
static __thread uint64_t state;

static unsigned choose(unsigned n)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(state >> 33) % n;
}

static void complain(const char *what, int expected, int got)
{
	if (!wrong++)
		fprintf(stderr, "%s: %d, not %d\n", what, got, expected);
}

/* For the process, from another: each sender has a signal of its own, and counts. It is blocked in all handlers of its kind, so one thread runs it at a
 * time only if it is taken in order by one: so only one thread has it unblocked. */
static void from_process(int sig, siginfo_t *info, void *context)
{
	int sender = sig - SIGRTMIN;

	(void)context;
	if (me != sender)
		complain("a process' signal on a thread that blocks it", sender, me);
	if (info->si_value.sival_int != senders_at[sender])
		complain("a process' signal out of order", senders_at[sender], info->si_value.sival_int);
	senders_at[sender]++;
}

static void from_thread(int sig, siginfo_t *info, void *context)
{
	int whom = info->si_value.sival_int >> 20, number = info->si_value.sival_int & 0xfffff;

	(void)sig;
	(void)context;
	if (whom != me)
		complain("a thread's signal on another", whom, me);
	else if (number != came[me])
		complain("a thread's signal out of order", came[me], number);
	else
		came[me]++;
}

static void merged(int sig)
{
	(void)sig;
	standard++;
}

static void wait_somehow(unsigned how)
{
	struct timespec ts = {0, 200000};
	struct pollfd polled = {fds[0], POLLIN, 0};
	struct epoll_event event;
	sigset_t none;
	char byte;

	switch (how) {
	case 0: nanosleep(&ts, NULL); break;
	case 1: ppoll(&polled, 1, &ts, NULL); break;
	case 2: epoll_wait(epoll, &event, 1, 1); break;
	case 3: clock_gettime(CLOCK_REALTIME, &ts); sem_timedwait(&sem, &ts); break;
	case 4: pthread_mutex_lock(&mutex); inside++; if (inside != 1) complain("threads that have the mutex", 1, inside); inside--; pthread_mutex_unlock(&mutex); break;
	case 5: (void)!read(fds[0], &byte, 1); break;
	case 6: sigemptyset(&none); sigaddset(&none, SIGUSR2); sigtimedwait(&none, NULL, &ts); break;
	default: for (volatile int i = 0; i < 20000; i++) ; break;
	}
}

static void set_up(int number)
{
	sigset_t set;

	me = number;
	state = seed + (uint64_t)number * 7919;
	sigemptyset(&set);
	for (int i = 0; i < SENDERS; i++)
		if (number != i)
			sigaddset(&set, SIGRTMIN + i);
	sigaddset(&set, SIGUSR2);
	pthread_sigmask(SIG_SETMASK, &set, NULL);
}

static void *works(void *arg)
{
	set_up((int)(intptr_t)arg);
	while (!over) {
		wait_somehow(choose(KINDS));
		rounds++;
		if (choose(4) == 0)
			(void)!write(fds[1], "x", 1);
	}
	return arg;
}

/* Threads' signals: one sender, so that each has its order. */
static void *sends(void *arg)
{
	set_up(WORKERS);
	for (int i = 0; i < many / 2; i++) {
		int whom = (int)choose(WORKERS), value = whom << 20 | sent[whom];

		if (choose(3) == 0) {
			pthread_kill(workers[whom], choose(2) ? SIGUSR1 : SIGUSR2);
			continue;
		}
		while (pthread_sigqueue(workers[whom], SIGRTMIN + 2, (union sigval){.sival_int = value}) == EAGAIN)
			usleep(100);
		sent[whom]++;
	}
	return arg;
}

static pid_t begin_sender(int sender)
{
	pid_t parent = getpid(), child = fork();

	if (child)
		return child;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (int i = 0; i < many / 4; i++) {
		while (sigqueue(parent, SIGRTMIN + sender, (union sigval){.sival_int = i}))
			usleep(100);
		if (i % 5 == 0)
			kill(parent, i % 10 ? SIGUSR1 : SIGUSR2);
	}
	_exit(0);
}

static void handle(int sig, void (*handler)(int, siginfo_t *, void *))
{
	struct sigaction act;

	memset(&act, 0, sizeof(act));
	act.sa_sigaction = handler;
	act.sa_flags = SA_SIGINFO | (sig & 1 ? SA_RESTART : 0);
	sigaction(sig, &act, NULL);
}

int main(int argc, char **argv)
{
	struct epoll_event event = {.events = EPOLLIN};
	struct rlimit limit = {0, 0};
	pthread_t sender;
	pid_t children[SENDERS];
	sigset_t set;

	seed = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
	many = argc > 2 ? atoi(argv[2]) : 100000;
	sigfillset(&set);
	sigprocmask(SIG_SETMASK, &set, NULL);
	(void)!pipe2(fds, 0);
	fcntl(fds[1], F_SETFL, O_NONBLOCK); /* more is written than read: a full pipe must stop nobody */
	for (int i = 0; i < 1000; i++)
		(void)!write(fds[1], "x", 1);
	epoll = epoll_create1(0);
	epoll_ctl(epoll, EPOLL_CTL_ADD, fds[0], &event);
	sem_init(&sem, 0, 0);
	for (int i = 0; i < SENDERS; i++)
		handle(SIGRTMIN + i, from_process);
	handle(SIGRTMIN + 2, from_thread);
	signal(SIGUSR1, merged);
	signal(SIGUSR2, merged);
	for (intptr_t i = 0; i < WORKERS; i++)
		pthread_create(&workers[i], NULL, works, (void *)i);
	for (int i = 0; i < SENDERS; i++)
		children[i] = begin_sender(i);
	getrlimit(RLIMIT_SIGPENDING, &limit);
	limit.rlim_cur = limit.rlim_max < 4000 ? limit.rlim_max : 4000; /* so that other processes have theirs */
	setrlimit(RLIMIT_SIGPENDING, &limit);
	pthread_create(&sender, NULL, sends, NULL);
	for (int i = 0; i < SENDERS; i++)
		while (waitpid(children[i], NULL, 0) < 0 && errno == EINTR)
			;
	pthread_join(sender, NULL);
	for (int i = 0; i < SENDERS; i++)
		while (senders_at[i] < many / 4 && !wrong)
			usleep(500);
	for (int i = 0; i < WORKERS; i++)
		while (came[i] < sent[i] && !wrong)
			usleep(500);
	over = 1;
	while (inside < 0)
		;
	for (int i = 0; i < WORKERS; i++)
		for (int n = 0; n < 10; n++)
			(void)!write(fds[1], "x", 1); /* nobody reads for ever */
	for (int i = 0; i < WORKERS; i++)
		pthread_join(workers[i], NULL);
	if (wrong)
		return 1;
	printf("held: %d signals\n", many);
	return 0;
}
