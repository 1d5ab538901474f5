/*
 * tsc.c - in virtual time, the processor's own clock: rdtsc and rdtscp are caught (syscalls' catch/tsc.c), and what they give is the virtual time in ns. Go's runtime draws its
 * random numbers by it.
 *
 * Invariant: who runs outside of libcr (another program, before it is caught) has the instruction again.
 */
#include "schedule.h"

#define READING 1000 /* ns that each takes, as of any clock */

/** rdtscp says the processor, too: the first. */
bool tsc_fault(int sig, siginfo_t *si, ucontext_t *uc)
{
	greg_t *r = uc->uc_mcontext.gregs;
	const unsigned size = tsc_instruction(sig, uc);

	(void)si;
	if (!size)
		return false;
	if (!in_libcr((uint64_t)r[REG_RIP]))
		clock_passes(READING);
	r[REG_RAX] = (uint32_t)clock_now();
	r[REG_RDX] = (greg_t)(clock_now() >> 32);
	if (size == TSC_PROCESSOR)
		r[REG_RCX] = 0;
	r[REG_RIP] += size;
	return true;
}

static void execs(bool begins)
{
	tsc_catch(!begins);
}

void tsc_begin(void)
{
	program_fault = tsc_fault;
	program_execs = execs;
	tsc_catch(true);
}
