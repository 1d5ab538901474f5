/*
 * tsc.c - rdtsc and rdtscp, caught: the kernel has them raise SIGSEGV (prctl(2), PR_SET_TSC). cpuid, rdrand and the like can't be caught so.
 *
 * Not here: what they answer then (record/tsc.c; posix-compat's schedule/time/tsc.c, in virtual time).
 *
 * Invariant: no program runs without libcr while they are caught, and libcr itself uses them only where its own handler answers.
 */
#include "program.h"

#include <sys/prctl.h>

#define GENERAL_PROTECTION 13 /* the number of the trap */

static bool is_ours; /* libcr has them caught, at times: of the moment a child of vfork would say it to its parent */

void tsc_catch(bool caught)
{
	is_ours = true;
	kernel_call(SYS_prctl, PR_SET_TSC, caught ? PR_TSC_SIGSEGV : PR_TSC_ENABLE);
}

void tsc_leave(void)
{
	if (is_ours) /* else it may be the program that has them raise it */
		tsc_catch(false);
}

unsigned tsc_instruction(int sig, const ucontext_t *uc)
{
	const greg_t *r = uc->uc_mcontext.gregs;
	uint8_t code[3] = {0};

	if (sig != SIGSEGV || r[REG_TRAPNO] != GENERAL_PROTECTION || copyin(code, (uint64_t)r[REG_RIP], 2))
		return 0;
	if (code[0] == 0x0f && code[1] == 0x31)
		return 2; /* rdtsc */
	if (code[0] != 0x0f || code[1] != 0x01 || copyin(code + 2, (uint64_t)r[REG_RIP] + 2, 1))
		return 0;
	return code[2] == 0xf9 ? TSC_PROCESSOR : 0;
}
