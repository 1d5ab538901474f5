/*
 * restart.h - what a call answers beside errors, as Linux' own: a signal has ended it, and it is to be made again once the caller has seen to that. For C and for the
 * assembler.
 */
#ifndef SYSCALLS_RESTART_H
#define SYSCALLS_RESTART_H

#define ERESTARTSYS 512    /* unless the signal's handler has no SA_RESTART: then EINTR */
#define ERESTARTNOINTR 513 /* in any case: the call has not been made */
#define ERESTARTNOHAND 514 /* unless a handler has run: then EINTR */

#ifndef __ASSEMBLER__
#include <stdbool.h>

/** Whether a call answers one of these. */
static inline bool is_restart(long result)
{
	return result <= -ERESTARTSYS && result >= -ERESTARTNOHAND;
}
#endif

#endif
