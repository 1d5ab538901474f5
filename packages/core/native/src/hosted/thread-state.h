/*
 * thread-state.h - what of a kernel thread's own state goes with a userthread: errno, and the C++ exceptions that are being handled and thrown. All
 * else that the C library keeps for each kernel thread is shared by the userthreads that run there.
 *
 * The addresses of both are constant for a kernel thread, so they are asked for once, when it becomes an rfork; at a switch it is some loads
 * and stores. A thread that has come back on another rfork finds its own there. This is the one file that knows any of it: a build without a C
 * library has another.
 *
 * Invariant: while code outside of native/src runs, a kernel thread's state is curthread's. What a td_switch does to it between `leaves` and
 * `arrives` is lost.
 */
#ifndef LWKT_THREAD_STATE_H
#define LWKT_THREAD_STATE_H

#include <errno.h>
#include <stddef.h>

#include "../../include/lwkt.h"

/** What __cxa_get_globals points to (Itanium C++ ABI, 2.2.2). On no processor that has an arch/ is there more in it. */
struct lwkt_exceptions {
	void *caught;
	unsigned uncaught;
};

/* The C++ runtime's, where the process has one. */
extern void *__cxa_get_globals(void) __attribute__((weak));

/** Where an rfork's kernel thread has it. */
struct lwkt_state_places {
	int *error;
	struct lwkt_exceptions *exceptions;
	struct lwkt_exceptions none; /* stands for them in a program without C++: so nobody has to ask at a switch */
};

/** On the kernel thread that becomes an rfork. */
static inline void lwkt_state_init(struct lwkt_state_places *self)
{
	self->error = &errno;
	self->exceptions = __cxa_get_globals ? __cxa_get_globals() : &self->none;
}

/** td, which has run until now, leaves the CPU. */
static inline void lwkt_state_leaves(const struct lwkt_state_places *self, lwkt_thread_t td)
{
	td->td_state.ts_caught = self->exceptions->caught;
	td->td_state.ts_uncaught = self->exceptions->uncaught;
	td->td_state.ts_errno = *self->error;
}

/** td goes on here, or begins. */
static inline void lwkt_state_arrives(const struct lwkt_state_places *self, lwkt_thread_t td)
{
	self->exceptions->caught = td->td_state.ts_caught;
	self->exceptions->uncaught = td->td_state.ts_uncaught;
	*self->error = td->td_state.ts_errno;
}

#endif
