/*
 * thread-state.h - what of a kernel thread's own state goes with a userthread: nothing. There is no errno without a C library, and no C++ exceptions.
 * td_state stays as it was. Nothing thread-local is touched: a program's C library may have its own there (hosted/thread-state.h is the other one).
 */
#ifndef LWKT_THREAD_STATE_H
#define LWKT_THREAD_STATE_H

#include "../../include/lwkt.h"

struct lwkt_state_places {
	char unused[0];
};

static inline void lwkt_state_init(struct lwkt_state_places *self)
{
	(void)self;
}

static inline void lwkt_state_leaves(const struct lwkt_state_places *self, lwkt_thread_t td)
{
	(void)self;
	(void)td;
}

static inline void lwkt_state_arrives(const struct lwkt_state_places *self, lwkt_thread_t td)
{
	(void)self;
	(void)td;
}

#endif
