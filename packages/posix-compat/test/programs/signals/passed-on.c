/*
 * passed-on.c - a process' signal that a thread has been told of, and blocks by the mask of the call that it is in: another one that takes it, and sleeps, gets it.
 * CALL: ppoll, pselect, epoll_pwait, sigsuspend. A shim holds the call (shims/gate.c) until there is a signal.
 */
#define _GNU_SOURCE
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>

#include "../asleep.h"

#define NONE 0

static const char *call;
static volatile int tids[3];

static void nothing(int sig)
{
	(void)sig;
}

static void let_through(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

/** Takes the signal until it is in the call. */
static void *blocks(void *arg)
{
	sigset_t all;

	sigfillset(&all);
	let_through();
	tids[(long)arg] = gettid();
	if (!strcmp(call, "ppoll"))
		ppoll(NULL, NONE, NULL, &all);
	else if (!strcmp(call, "pselect"))
		pselect(NONE, NULL, NULL, NULL, NULL, &all);
	else if (!strcmp(call, "epoll_pwait"))
		epoll_pwait(epoll_create1(0), &(struct epoll_event){0}, 1, -1, &all);
	else
		sigsuspend(&all);
	return arg;
}

static void *takes(void *arg)
{
	let_through();
	tids[(long)arg] = gettid();
	pause();
	puts("it came to the one that waits for it");
	fflush(stdout);
	_exit(0);
}

int main(int argc, char **argv)
{
	void *(*const bodies[])(void *) = {blocks, takes, blocks}; /* whichever is asked first, it is one that will block it */
	sigset_t all;

	call = argc > 1 ? argv[1] : "ppoll";
	signal(SIGUSR1, nothing);
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	for (long i = 0; i < 3; i++) {
		pthread_t thread;

		pthread_create(&thread, NULL, bodies[i], (void *)i);
		while (!tids[i])
			usleep(200);
		until_asleep(tids[i]);
	}
	kill(getpid(), SIGUSR1);
	for (;;)
		pause();
}
