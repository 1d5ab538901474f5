/*
 * wait.h - calls that stop their userthread only: what users of this folder go by.
 *
 * A call on descriptors that can be polled is tried so that it can't wait (table/nowait.h); then, if other userthreads can run, once more after they have (they may be
 * those who write what it reads); then the userthread waits until the descriptor is ready (ready.h), and tries again. What is left goes to a helper (offload.c):
 * what can't be tried so, or can't be polled, or has a timeout of the socket's own. Files are read and written in place: that ends by itself.
 *
 * What the caller sees is what the blocking call shows: a pipe's write is whole, a short read of a file means its end; and what is non-blocking behaves so. A
 * signal ends a wait, once, and the call then if it has done nothing.
 */
#ifndef SYSCALLS_WAIT_H
#define SYSCALLS_WAIT_H

#include "wait/user.h"

/** Makes a call. It answers as the kernel does, and -ERESTARTSYS or one of its kind where a signal has ended it. */
long call_waiting(struct caller *caller, const struct call *call);
/** Whether the calls of that number may wait; the others are to be made in place. */
bool call_may_wait(long number);

/** Waits while *word is value, in memory that processes may share, until somebody wakes it (FUTEX_WAKE) or ns have passed. As FUTEX_WAIT answers; -ERESTARTSYS: a signal, which
 *  ends the wait unless deaf; -EOPNOTSUPP: there is no ring, or it can't wait for words (before Linux 6.7). */
long word_waiting(struct caller *caller, const volatile uint32_t *word, uint32_t value, uint64_t ns, const char *wmesg, bool deaf);

/* ------------------------------------------------ the rfork's loop, on thread0: waits.c */
/** Sees what has come for the rfork's userthreads. Cheap if nothing has, unless it is to look thoroughly. On userthreads, too. */
void waits_look(bool thoroughly);
/** In place of lwkt_cpu_idle. */
void waits_idle(void);
/** How many waits of the rfork's userthreads only the kernel can end: for descriptors, and for calls that helpers make. */
unsigned waits_count(void);
unsigned waits_helped(void); /* of them, those that helpers make */
unsigned waits_ending(void); /* of those, the ones that were told to end, and will, soon */
/** Whether a thorough look is due. In a signal's handler, too. */
bool waits_are_due(void);
/** Whether waits go to epoll in any case. Before the first. */
void waits_by_readiness(bool on);
/** Before the rfork ends: nothing of it stays with the kernel. On it. */
void waits_end(void);
/** In the child of a fork, before lwkt_forked: whatever waited is no more. */
void waits_forked(void);

/* ------------------------------------------------ offload.c */
/** The call as it is, by a helper. */
long offload_call(struct caller *caller, const struct call *call, const char *wmesg);
/** Helpers that have nothing to do are no more; on the rfork. */
void offload_end_idle(void);

/* ------------------------------------------------ sleep.c */
/** A timespec as ns, UINT64_MAX where it is longer than that. 0, -EFAULT or -EINVAL. */
long time_read(long address, uint64_t *ns);
uint64_t time_now(int clock); /* ns */
/** How long it is until a time on a clock, given at `address` (0: for good). */
long time_until(long address, int clock, uint64_t *ns);

#endif
