/*
 * signal-storm.h - what signal-storm.c, the storm, and signal-storm-calls.c, the calls that its threads wait in, know of each other.
 */
#ifndef SIGNAL_STORM_H
#define SIGNAL_STORM_H

#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#define SENDERS 2                  /* other processes */
#define WAITED_FOR (SIGRTMIN + 4)  /* all threads block it, and some wait for it */

/** What becomes of a call when a handler has run (signal(7)). */
enum ending {
	GOES_ON,  /* with SA_RESTART; without it is EINTR */
	ENDS,     /* EINTR in any case */
	BREAKS,   /* likewise, and so it is if another thread has taken the signal meanwhile: the kernel makes these no second time */
	NEVER     /* EINTR in no case */
};

struct kind {
	const char *name;
	enum ending ending;
	bool (*begins)(struct kind *self);              /* makes what it needs. Whether this machine has it. NULL: nothing is needed */
	int (*call)(struct kind *self, bool for_long);  /* an errno, or 0 */
	void (*feed)(struct kind *self);                /* by the feeder, who must not wait; NULL: there is nothing to be had */
	long (*left)(struct kind *self);                /* of what was fed, how much nobody has got; NULL: that can't be counted */
	bool missing;
	int fds[2];
	uint32_t words[2];
	_Atomic long fed, got;
	_Atomic unsigned calls, interrupted;
};

extern struct kind kinds[];
extern const unsigned nkinds;

/** A process that has all the locks, and never ends by itself. Before the threads. */
pid_t holder_begins(void);
extern pid_t holder;

unsigned choose(unsigned n);
unsigned handlers_run(void); /* on this thread, so far */
void complain(const char *what, long expected, long got) __attribute__((cold));
/** A thread has got one of WAITED_FOR. */
void waited_for(const siginfo_t *info);
void compute(unsigned rounds);

#endif
