/* signalled.c - signals as a trace tells of them: sent, raised, by timers, taken by a wait; and the end by one: signalled HOW MS. */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static void handle(int sig)
{
	(void)sig;
}

static void handle_info(int sig, siginfo_t *info, void *context)
{
	(void)sig, (void)info, (void)context;
}

static long ms; /* from now, by when the call is under way that the alarm is to end: more of them where a tracer, or much other work, makes that slow */

static void alarm_soon(void)
{
	const struct itimerval soon = {.it_value = {ms / 1000, ms % 1000 * 1000}};

	setitimer(ITIMER_REAL, &soon, NULL);
}

static void ended_waits(void)
{
	const sigset_t none = {{0}};
	struct timeval long_time = {100, 0};
	int fds[2];
	char c;

	alarm_soon();
	pause();
	alarm_soon();
	poll(NULL, 0, 100000);
	alarm_soon();
	select(0, NULL, NULL, NULL, &long_time);
	alarm_soon();
	sigsuspend(&none);
	pipe(fds);
	alarm_soon();
	read(fds[0], &c, 1);
	close(fds[0]);
	write(fds[1], "x", 1);
}

static void end(const char *how)
{
	if (!strcmp(how, "term"))
		kill(getpid(), SIGTERM);
	else if (!strcmp(how, "raise"))
		raise(SIGQUIT);
	else if (!strcmp(how, "segv"))
		*(volatile int *)16 = 1;
	else if (!strcmp(how, "trap"))
		__asm__ volatile("int3");
	else if (!strcmp(how, "abort"))
		abort();
	else if (!strcmp(how, "realtime"))
		kill(getpid(), SIGRTMIN + 9);
	else if (!strcmp(how, "alarm"))
		signal(SIGALRM, SIG_DFL), alarm_soon(), pause();
}

int main(int argc, char **argv)
{
	struct sigaction act = {.sa_handler = handle}, info = {.sa_sigaction = handle_info, .sa_flags = SA_SIGINFO | SA_RESTART};
	const union sigval value = {.sival_int = 77};
	siginfo_t taken;
	sigset_t set;

	ms = argc > 2 ? atol(argv[2]) : 10;
	sigaction(SIGUSR1, &act, NULL);
	sigaction(SIGALRM, &act, NULL);
	sigaction(SIGPIPE, &act, NULL);
	sigaction(SIGRTMIN + 3, &info, NULL);
	kill(getpid(), SIGUSR1);
	raise(SIGUSR1);
	sigqueue(getpid(), SIGRTMIN + 3, value);
	ended_waits();
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	sigprocmask(SIG_BLOCK, &set, NULL);
	kill(getpid(), SIGUSR2);
	sigwaitinfo(&set, &taken);
	end(argc > 1 ? argv[1] : "");
	return 4;
}
