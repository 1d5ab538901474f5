/* soak.h - what the files of the soak share (soak*.c). */
#ifndef SOAK_H
#define SOAK_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ACTORS 64
#define STALLED 400 /* looks, ten in a second: one round of anything takes less than one even where the machine has much to do */

/** A thread that lives until the end. Its own, but for the last two, which are the parent's. */
struct actor {
	volatile uint64_t progress;
	const char *volatile doing; /* both processes have it at one address */
	const char *role;
	int index;
	volatile int over;
	uint64_t seen;
	unsigned looks;
};

/** In memory of both processes. */
struct board {
	uint64_t seed;
	volatile int stop;
	int nactors;
	uint64_t signals, processes, cancelled; /* by atomic operations */
	struct actor actors[ACTORS];
};

extern struct board *board;
extern __thread struct actor *me;

#define SIGNAL_CHANNEL (SIGRTMIN + 5) /* blocked by all, as this: */
#define SIGNAL_TIMER (SIGRTMIN + 6)

#define DO(what) (me->doing = (what))
#define CHECK(condition)                                                  \
	do {                                                              \
		if (!(condition))                                         \
			wrong(__FILE__, __LINE__, #condition, 0); \
	} while (0)
/* What answers an error number. */
#define OK(call)                                                       \
	do {                                                           \
		long error_ = (long)(call);                            \
		if (error_)                                            \
			wrong(__FILE__, __LINE__, #call, error_); \
	} while (0)

uint64_t dice(uint64_t sides); /* 0 to sides - 1 */
void wrong(const char *file, int line, const char *what, long value) __attribute__((noreturn));
struct timespec soon(clockid_t clock, long us);
void *begin_actor(void *actor);
void *end_actor(void);
void act(const char *role, int index, void *(*run)(void *));
void op_masked(void);

void work_begins(void); /* work.c: threads that share locks, and now and then do something else */
void work_ends(void);
void channels_begin(void); /* channels.c: pairs, of which one waits for the other all the time */
void cancels_begin(void);  /* cancels.c: threads that are cancelled wherever they wait */
void faults_begin(void);    /* faults.c: faults, owners that end, timers, pieces, connections */
void processes_begin(void); /* processes.c: children, with threads */
#endif
