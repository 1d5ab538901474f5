/*
 * replay.h - what the files of this room share: answers from a recording.
 *
 * differs.c says what is not as it was, turn.c gives each lwp its turn, again.c has what is done again, replay.c answers calls, events.c has what is no call, and read.c
 * the file.
 *
 * Invariant: who takes an event has its turn (replay_turn), and tells who is next (replay_step).
 */
#ifndef PROGRAM_REPLAY_H
#define PROGRAM_REPLAY_H

#include "record.h"

enum way {
	ANSWERED,    /* from the recording */
	DONE_AGAIN,  /* by libcr, and the answer has to be the same */
	MAPS,        /* mmap and mremap: where they have put it */
	WAITS_MASKED, /* answered, with another mask until then */
	MAKES,       /* clone, clone3, fork, vfork */
	EXECUTES,
	ENDS,        /* the lwp, or all of them */
};

/* ------------------------------------------------ differs.c */
/** With both sides. c: the call that the lwp makes; NULL: `now` says what it does. */
void replay_diverge(const struct lwp *lwp, const struct capture *c, const char *now, const char *why) __attribute__((noreturn));
void replay_end_diverged(void) __attribute__((noreturn)); /* it has been said */

/* ------------------------------------------------ turn.c */
/** Waits until the next event is the lwp's. */
const struct record *replay_turn(struct lwp *lwp, const struct capture *c, const char *now);
void replay_step(struct lwp *me); /* the event has been taken: who is next is told */

/* ------------------------------------------------ again.c */
enum way replay_way(const struct trapframe *tf);
/** Whether an answer counts where it is made again: of some it is about others, who wait here for their turns. */
bool replay_has_to_be_same(const struct trapframe *tf, long result, int64_t recorded);
/** A call that is done again, but had failed and changed nothing: here it might not fail, with other limits, and without the files. */
bool replay_leaves(const struct trapframe *tf, int64_t recorded);
long replay_map(const struct lwp *lwp, const struct capture *c, const struct record *r);
/** The mask that a call waits with. Whether it has one. */
bool replay_begin_mask(struct lwp *lwp, const struct trapframe *tf);
void replay_write_back(const struct record *r); /* what the kernel has written */

#endif
