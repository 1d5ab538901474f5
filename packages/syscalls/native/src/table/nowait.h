/*
 * nowait.h - how a call is made so that it can't wait, and what it waits for where it would have to.
 *
 * Nothing here looks at memory that a call points to: a program's need not be there.
 */
#ifndef SYSCALLS_NOWAIT_H
#define SYSCALLS_NOWAIT_H

#include <stdbool.h>
#include <sys/uio.h>

#include "table/table.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A call that answers at once: it points into this struct. */
struct nowait {
	struct call call;
	struct iovec one;
	int64_t none[2]; /* a timeout of no length, which the kernel may write, too */
};

/**
 * The same call so that it answers at once: EAGAIN (0 where it is one that polls or waits for children) where it would have to wait, EOPNOTSUPP where the kernel
 * can't say. False: there is none, as for accept, connect and the openings, which heed O_NONBLOCK only.
 */
bool call_nowait(const struct call *call, struct nowait *now);

/** Whether the caller itself has said, by the call's flags, that it is not to wait. O_NONBLOCK is the descriptor's, and asked for elsewhere. */
bool call_asks_not_to_wait(const struct call *call);

/** What its descriptor, the first argument, has to be ready for: POLL*; 0 where that is no question. */
short call_events(const struct call *call);

/** Whether it has its data in an iovec: readv and its like. */
bool call_is_vector(long number);

/** Whether it reads or writes at an offset of its own: pread64 and its like; its fourth argument then. */
bool call_has_offset(const struct call *call);

/** RWF_* that the caller has given. */
int call_rwf(const struct call *call);

#ifdef __cplusplus
}
#endif
#endif
