/*
 * storm.h - what storm.c, the storm, and its other files, the calls that its threads wait in, know of each other.
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

extern struct kind storm_data[], storm_polls[], storm_locks[], storm_queues[];

/** A process that has all the locks, and never ends by itself. Before the threads. */
pid_t holder_begins(void);
extern pid_t holder;

unsigned choose(unsigned n);
unsigned handlers_run(void); /* on this thread, so far */
void complain(const char *what, long expected, long got) __attribute__((cold));
/** This thread is a child's now. */
void in_child(void);
/** A thread has got one of WAITED_FOR. */
void waited_for(const siginfo_t *info);
void compute(unsigned rounds);

/* common.c */
#define BYTE 0x5a        /* is what is written, all of it */
#define LONG_S 1000      /* nobody waits so long */
#define SHORT_NS 2000000
#define FEW 4            /* are fed at a time, at most */
int64_t now_ns(void);
struct timespec how_long(bool for_long);
struct timespec until(clockid_t clock, bool for_long);
/** A wait for a time has ended by itself. */
void was_long_enough(const struct kind *self, int64_t began, bool for_long);
/** Something has been got, if there is no error. An errno, or 0. */
int has_got(struct kind *self, long result);
int has_read(struct kind *self, long result, char byte);
void has_fed(struct kind *self, long result);
bool set_nonblocking(int fd);
long bytes_in(int fd);
bool make_pipe(struct kind *self);
bool make_socketpair(struct kind *self);
long left_in(struct kind *self);
void write_some(struct kind *self);

#endif
