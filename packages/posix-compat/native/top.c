/*
 * top.c - where a program's lwps lie in its memory, for who looks at it from outside: `lwkt top` reads /proc/PID/mem, and nothing has to answer. It finds this table by its
 * symbol in the launcher, as gdb finds what libcr-gdb.py wants by libcr's types.
 *
 * Invariant: who looks knows the order of the words by their number (TOP_VERSION; apps/lwkt/src/top/program/layout.ts): words are added at the end, and else the
 * version is another one.
 */
#include "posix.h"

#define TOP_VERSION 1
#define AT(type, field) offsetof(struct type, field)

const uint64_t program_top[] __attribute__((used)) = {
	TOP_VERSION,
	(uint64_t)&program_proc,
	(uint64_t)rforks,
	LWKT_CPU_MAX,
	sizeof(struct rfork),
	sizeof(struct lwp),
	sizeof(struct lwkt_thread),
	TF_SIZE,
	(uint64_t)program_exe,
	(uint64_t)&call_name_table,
	(uint64_t)&call_name_count,
	/* struct proc */
	AT(proc, p_nlwps),
	AT(proc, p_lwps),
	/* struct rfork */
	AT(rfork, rf_gd),
	AT(rfork, rf_tid),
	AT(rfork, rf_nswitches),
	/* struct lwp */
	AT(lwp, lwp_kstack),
	AT(lwp, lwp_tid),
	AT(lwp, lwp_proc),
	AT(lwp, lwp_next),
	AT(lwp, lwp_td),
	AT(lwp, lwp_comm),
	AT(lwp, lwp_nticks),
	AT(lwp, lwp_npreemptions),
	/* struct lwkt_thread */
	AT(lwkt_thread, td_gd),
	AT(lwkt_thread, td_flags),
	AT(lwkt_thread, td_pri),
	AT(lwkt_thread, td_nswitches),
	AT(lwkt_thread, td_stack_size),
	AT(lwkt_thread, td_wmesg),
	/* struct trapframe */
	TF_NUMBER,
};
