/*
 * tsc.c - rdtsc and rdtscp, while a program is recorded or replayed: they are caught (catch/tsc.c), and what they answer is an event. Programs seed their random numbers by that counter, so their
 * calls depend on it.
 *
 * Invariant: libcr itself asks for the counter nowhere but here while that is so; and no program runs without libcr while it is.
 */
#include "record.h"

#include <x86intrin.h>

/** In a signal's handler. The event is made, or waited for, on the way back to the program. */
static bool fault(int sig, siginfo_t *si, ucontext_t *uc)
{
	struct lwp *lwp = curlwp();

	(void)si;
	if (sig != SIGSEGV || !lwp || !in_program(lwp, uc))
		return false;
	lwp->lwp_reads_tsc = tsc_instruction(sig, uc);
	if (!lwp->lwp_reads_tsc)
		return false;
	lwp_notify(lwp, AST_RESCHED); /* not later */
	program_interrupt(lwp, uc);
	return true;
}

void record_tsc(struct lwp *lwp, struct trapframe *tf)
{
	const unsigned length = lwp->lwp_reads_tsc;
	uint32_t processor = 0;
	uint64_t value;

	lwp->lwp_reads_tsc = 0;
	if (record_mode == RECORD_REPLAYS) {
		value = replay_tsc(lwp);
	} else {
		tsc_catch(false);
		value = __rdtscp(&processor);
		tsc_catch(true);
		log_begin(RECORD_TSC, 0, lwp->lwp_tid)->re_result = (int64_t)value;
		log_end();
	}
	tf->tf_rax = (uint32_t)value;
	tf->tf_rdx = value >> 32;
	if (length == TSC_PROCESSOR)
		tf->tf_rcx = 0; /* there is one processor */
	tf->tf_rip += length;
}

void record_tsc_begin(void)
{
	program_fault = fault;
	tsc_catch(true);
}

void record_tsc_exec(bool begins)
{
	tsc_catch(!begins);
}
