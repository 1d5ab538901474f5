/*
 * end.c - a signal whose default action ends the process with a core: what a debugger finds there is the program, at the instruction that it would have
 * gone on with, and not libcr on its behalf.
 *
 * So the signal is sent to this kernel thread while that blocks it, and then the kernel itself puts the program's registers and another mask in place
 * (sigreturn): it takes the signal then.
 */
#include "sigframe.h"

#define CORE_SIGNALS                                                                                                                            \
	(SIGNAL_BIT(SIGQUIT) | SIGNAL_BIT(SIGILL) | SIGNAL_BIT(SIGTRAP) | SIGNAL_BIT(SIGABRT) | SIGNAL_BIT(SIGBUS) | SIGNAL_BIT(SIGFPE) | \
	 SIGNAL_BIT(SIGSEGV) | SIGNAL_BIT(SIGXCPU) | SIGNAL_BIT(SIGXFSZ) | SIGNAL_BIT(SIGSYS))

static char vectors[SIGFRAME_VECTORS_MAX] __attribute__((aligned(64))); /* whoever comes second may spoil it for the first: a core has one thread that ends it */

void signals_end(struct trapframe *tf, int sig)
{
	const uint64_t all = ~0ull;
	struct sigframe frame;

	if (!(CORE_SIGNALS & SIGNAL_BIT(sig))) {
		action_default(sig);
		return;
	}
	trace_killed(curlwp(), sig);
	patch_show(tf);
	memset(&frame, 0, sizeof(frame));
	trapframe_store(tf, frame.registers);
	frame.registers[REG_CSGSFS] = (greg_t)SEGMENTS;
	frame.uc_flags = UC_FLAGS;
	frame.uc_stack.ss_flags = SS_DISABLE;
	frame.fpstate = sigframe_put_vectors((uint64_t)(vectors + sizeof(vectors)));
	frame.mask = ~SIGNAL_BIT(sig);
	action_take_default(sig);
	kernel_call(SYS_rt_sigprocmask, SIG_SETMASK, &all, NULL, 8);
	kernel_call(SYS_tgkill, kernel_call(SYS_getpid), kernel_call(SYS_gettid), sig);
	program_sigreturn(&frame.uc_flags);
}
