/*
 * sigframe.h - the frame of a signal's handler, as the kernel lays it (x86-64 psABI, asm/ucontext.h): for the program (deliver.c), and for the kernel (end.c).
 */
#ifndef SIGFRAME_H
#define SIGFRAME_H

#include "signals.h"

#define UC_FLAGS 7 /* extended state; ss is saved; and to be restored strictly */
#define SEGMENTS 0x002b000000000033ull

struct sigframe {
	uint64_t restorer;
	uint64_t uc_flags, uc_link;
	struct altstack uc_stack;
	greg_t registers[23]; /* REG_* */
	uint64_t fpstate;
	uint64_t reserved[8];
	uint64_t mask;
	siginfo_t info;
};

#define SIGFRAME_VECTORS_MAX (16 * 1024) /* bytes: more than any processor's */

/** Puts the vector state below sp. Returns where it is, or 0: the program's memory is not there. */
uint64_t sigframe_put_vectors(uint64_t sp);
#endif
