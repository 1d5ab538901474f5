/*
 * ways.h - what the files of this folder share: the ways in which calls wait, by class, and what those are made of.
 */
#ifndef SYSCALLS_WAYS_H
#define SYSCALLS_WAYS_H

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/syscall.h>

#include "kernel.h"
#include "os/os.h"
#include "table/names.h"
#include "table/nowait.h"
#include "wait/wait.h"

typedef long (*call_maker)(struct caller *caller, const struct call *call);
long wait_read(struct caller *caller, const struct call *call);   /* data.c */
long wait_write(struct caller *caller, const struct call *call);
long wait_receive(struct caller *caller, const struct call *call); /* socket.c */
long wait_send(struct caller *caller, const struct call *call);
long wait_connection(struct caller *caller, const struct call *call);
long wait_poll(struct caller *caller, const struct call *call);   /* poll.c */
long wait_epoll(struct caller *caller, const struct call *call);
long wait_select(struct caller *caller, const struct call *call); /* select.c */
long wait_sleep(struct caller *caller, const struct call *call);  /* sleep.c */

/* until.c */
/** Lets others run, if they can. Whether they have. */
bool let_others(void);
/** After `try` has answered -EAGAIN: what the call answers in the end. Where it is a helper's, it is made as `whole` says. */
long try_until_done(struct caller *caller, const struct call *call, const struct call *whole, call_maker try, short events);
/** Of what can't be tried: once it is ready a helper makes the call, and as a rule has no need to wait for it then. */
long wait_and_offload(struct caller *caller, const struct call *call);
/** By a helper, unless the descriptor is non-blocking. */
long wait_descriptor(struct caller *caller, const struct call *call);

/* pieces.c */
/** As long as `try` writes a part of a call's data, the rest. nowait: its flags are to say so. done: what `try` has answered the first time. */
long write_rest(struct caller *caller, const struct call *call, bool nowait, call_maker try, long done);
struct msghdr;
/** The same of several pieces, of which there are `count` in memory of the caller's. message: sendmsg's, a copy. */
long write_other_pieces(struct caller *caller, const struct call *call, long from, uint64_t count, struct msghdr *message, call_maker try, long done);

/* poll.c */
#define POLLED_MAX 64 /* descriptors of one call that a userthread waits for by itself */
/** A call that waits for descriptors to be ready, and says which are. */
struct polling {
	struct pollfd fds[POLLED_MAX];
	unsigned n;
	uint64_t ns; /* UINT64_MAX: for good */
	struct call unmasked; /* as a helper makes it */
	struct nowait now;    /* as it is tried */
	void (*before)(struct polling *polling); /* each time; or NULL */
	void *sets;           /* select's */
};
void polling_begin(struct polling *polling, const struct call *call);
/** -EOPNOTSUPP: there is no way. *left: ns. */
long poll_until(struct caller *caller, struct polling *polling, uint64_t *left);
/** What is left of a time that the caller has given goes back there, as the kernel does it. unit: ns of its second word. */
void give_left(long at, uint64_t left, unsigned unit);

static inline int fd_of(const struct call *call) { return (int)call->args[0]; }
static inline long make_call(struct caller *caller, const struct call *call) { return call_user->make(caller, call); }
/** On this kernel thread, for calls that answer at once. */
static inline long try_call(const struct call *call)
{
	const long *a = call->args;

	return kernel_call(call->number, a[0], a[1], a[2], a[3], a[4], a[5]);
}
static inline long offload(struct caller *caller, const struct call *call) { return offload_call(caller, call, call_name((uint64_t)call->number)); }

#endif
