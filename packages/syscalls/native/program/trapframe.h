/*
 * trapframe.h - what a program had in its registers when it came into libcr, at the top of its lwp's kernel stack (DragonFly: machine/frame.h).
 * For C and for the assembler.
 *
 * Invariant: the offsets below are those of struct trapframe (catch/frame.c compares them when it is compiled), and the last five words are what iretq takes.
 */
#ifndef PROGRAM_TRAPFRAME_H
#define PROGRAM_TRAPFRAME_H

#define TF_R15 0
#define TF_R14 8
#define TF_R13 16
#define TF_R12 24
#define TF_RBP 32
#define TF_RBX 40
#define TF_R11 48
#define TF_R10 56
#define TF_R9 64
#define TF_R8 72
#define TF_RAX 80
#define TF_RCX 88
#define TF_RDX 96
#define TF_RSI 104
#define TF_RDI 112
#define TF_NUMBER 120
#define TF_FLAGS 128
#define TF_RIP 136
#define TF_CS 144
#define TF_RFLAGS 152
#define TF_RSP 160
#define TF_SS 168
#define TF_SIZE 176

/* tf_flags. FULL: all registers and the flags go back as they are here; without it rcx and r11 may be lost, as by a system call. ASYNC: the
 * program was interrupted, and made no call: tf_number means nothing, nothing can be restarted. */
#define TFF_FULL 1
#define TFF_ASYNC 2

#define USER_CS 0x33
#define USER_SS 0x2b
#define USER_RFLAGS 0x202 /* interrupts on, as always in user mode */

#ifndef __ASSEMBLER__
#include <stdint.h>

struct trapframe {
	uint64_t tf_r15, tf_r14, tf_r13, tf_r12, tf_rbp, tf_rbx, tf_r11, tf_r10, tf_r9, tf_r8, tf_rax, tf_rcx, tf_rdx, tf_rsi, tf_rdi;
	uint64_t tf_number; /* of the system call. A call keeps all registers but rax, rcx and r11: nobody writes to the others to pass something on */
	uint64_t tf_flags;  /* TFF_* */
	uint64_t tf_rip, tf_cs, tf_rflags, tf_rsp, tf_ss;
};
#endif

#endif
