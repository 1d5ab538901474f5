/*
 * signals.c - for recordings: signals of its own, of timers, between threads, with masks that calls wait with, and of an instruction.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t alarms, users, queued;
static sigjmp_buf back;

static void count(int sig, siginfo_t *info, void *context)
{
	(void)context;
	if (sig == SIGALRM)
		alarms++;
	else if (sig == SIGUSR1)
		users++;
	else
		queued += info->si_value.sival_int;
}

static void fault(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	printf("fault at %p\n", info->si_addr);
	siglongjmp(back, 1);
}

static void *other(void *arg)
{
	sigset_t set;
	int sig;

	(void)arg;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	sigwait(&set, &sig);
	printf("waited for %d\n", sig);
	while (users < 3)
		usleep(200);
	return NULL;
}

int main(void)
{
	struct sigaction act = {.sa_sigaction = count, .sa_flags = SA_SIGINFO};
	struct itimerval interval = {{0, 2000}, {0, 2000}}, none = {0};
	struct itimerspec once = {{0, 0}, {0, 1500000}};
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN, .sigev_value = {.sival_int = 7}};
	struct timespec left = {0};
	unsigned long rounds = 0;
	sigset_t set, before;
	pthread_t thread;
	timer_t timer;

	setvbuf(stdout, NULL, _IOLBF, 0);
	sigaction(SIGALRM, &act, NULL);
	sigaction(SIGUSR1, &act, NULL);
	sigaction(SIGRTMIN, &act, NULL);
	act.sa_sigaction = fault;
	sigaction(SIGSEGV, &act, NULL);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	sigprocmask(SIG_BLOCK, &set, &before);

	setitimer(ITIMER_REAL, &interval, NULL);
	while (alarms < 5) {
		struct timeval now;

		gettimeofday(&now, NULL);
		rounds++;
	}
	printf("%d alarms in %lu rounds\n", (int)alarms, rounds);
	while (alarms < 8) /* without a call */
		;
	while (nanosleep(&(struct timespec){0, 50000000}, &left) == 0)
		;
	printf("%s with %ld ns left\n", strerror(errno), left.tv_nsec);
	setitimer(ITIMER_REAL, &none, NULL);

	kill(getpid(), SIGUSR1);
	printf("%d\n", (int)users);
	pthread_create(&thread, NULL, other, NULL);
	usleep(1000);
	pthread_kill(thread, SIGUSR2);
	raise(SIGUSR1);
	pthread_kill(thread, SIGUSR1);
	pthread_join(thread, NULL);

	timer_create(CLOCK_MONOTONIC, &event, &timer);
	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	sigprocmask(SIG_BLOCK, &set, NULL);
	timer_settime(timer, 0, &once, NULL);
	sigfillset(&set);
	sigdelset(&set, SIGRTMIN);
	sigsuspend(&set);
	printf("%d\n", (int)queued);
	timer_settime(timer, 0, &once, NULL);
	printf("%d %s\n", ppoll(NULL, 0, &(struct timespec){5, 0}, &set), strerror(errno));
	printf("%d\n", (int)queued);

	if (!sigsetjmp(back, 1))
		*(volatile int *)8 = 1;
	signal(SIGTERM, SIG_DFL);
	raise(SIGTERM);
	return 1;
}
