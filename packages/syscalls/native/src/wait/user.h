/*
 * user.h - who makes calls, and what he brings along: how a call is made, how a wait is interrupted, where memory may be missing. plain/ is a C program's; the
 * front door for programs has another (packages/posix-compat/native/wait.c).
 */
#ifndef SYSCALLS_USER_H
#define SYSCALLS_USER_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

#include "lwkt_kernel.h"
#include "table/table.h"
#include "wait/restart.h"

/** Whoever a call is made for: the user's own, an lwp for example. It runs as a userthread, the calling one. */
struct caller;

struct call_user {
	/** Makes a call on this kernel thread, as long as it takes; -ERESTARTNOINTR: a signal has come, and it has not been made. */
	long (*make)(struct caller *caller, const struct call *call);
	/** Waits, once, until the userthread is woken or a signal comes, after waits_look(false); not at all if *over, which may become true by that. Whether there
	 *  is a signal that ends the wait. */
	bool (*wait)(struct caller *caller, const char *wmesg, const bool *over);
	/** waits_look(false), and whatever else may have come. */
	void (*look)(void);
	/** Copies from or to memory of the caller's, which may not be there: 0 or -EFAULT. */
	long (*copy)(void *to, const void *from, size_t n);

	/** Where time is the user's own: what a clock says, ns, and lwkt_os_clock goes by it, too. NULL: the kernel's. */
	uint64_t (*clock)(int clock);

	/** All calls that give a descriptor's number another meaning are made by descriptor_change: so what a number stands for may be remembered. */
	bool sees_all;
	const bool *files_are_shared; /* another process may do so: nothing is remembered meanwhile. May be NULL */

	/* Descriptors of this library's. May all be NULL: then they are like any other */
	int (*own_move)(int fd); /* out of the caller's way: its new number */
	void (*own_close)(int fd);
	int64_t (*own_first)(struct caller *caller, uint64_t first, uint64_t last); /* the first that the caller must not close; -1 where there is none */

	/* Helpers (offload.c): kernel threads that make calls by `make`, for a struct caller of their own. */
	size_t caller_size;                                           /* its bytes; 0: `make` needs none */
	void (*helper_begins)(void);                                  /* on the helper; all signals are blocked there. May be NULL */
	void (*helper_call)(struct caller *helper);                   /* it is about to be given a call. May be NULL */
	void (*helper_interrupt)(struct caller *helper, uint32_t tid); /* the call that it makes ends. NULL: it can't be ended */
	void (*helper_done)(struct caller *helper, long number, globaldata_t gd); /* on the helper: the call is on its rfork's list, which has been woken. May be NULL */
	bool (*raised)(long result, siginfo_t *info);                 /* on the helper: takes the signal that its call has raised for itself. May be NULL */
	void (*raise)(struct caller *caller, const siginfo_t *info);  /* and gives it to whom it is for */
	const unsigned *generation;                                   /* helpers of another one are used no more: credentials have changed. May be NULL */
};

/** Set before the first call that waits; a C program's at first. */
extern const struct call_user *call_user;
extern const struct call_user call_user_plain; /* plain/user.c */

static inline int own_descriptor(int fd) { return call_user->own_move ? call_user->own_move(fd) : fd; }
static inline void close_own_descriptor(int fd)
{
	if (call_user->own_close)
		call_user->own_close(fd);
	else
		kernel_call(SYS_close, fd);
}

static inline long copy_in(void *to, long from, size_t n) { return call_user->copy(to, (const void *)from, n); }
static inline long copy_out(long to, const void *from, size_t n) { return call_user->copy((void *)to, from, n); }

#endif
