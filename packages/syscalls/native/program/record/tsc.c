/*
 * tsc.c - rdtsc and rdtscp, while a program is recorded or replayed: they are caught (catch/tsc.c), and what they answer is an event. Programs seed their random numbers by that counter, so their
 * calls depend on it. To let it be read, and to catch it again, costs two calls and what a processor takes for it, several times that; so once the recording's processes have run for a while,
 * and it is known how fast it counts, the answer is made of the clock.
 *
 * Invariant: libcr itself asks for the counter nowhere but here while that is so; and no program runs without libcr while it is.
 */
#include "record.h"
#include "os/os.h" /* core's */

#include <x86intrin.h>

#define LONG 50000000ul /* ns: short enough looks at both have little to say about the rate behind this */
#define SHORT 30000     /* cycles between two looks of somebody who was not interrupted */

/** The counter may be read. Looks at it and at the clock, and finds the rate once both have gone on for long. The counter. */
static uint64_t look(void)
{
	uint32_t processor;
	const uint64_t before = __rdtscp(&processor), now = lwkt_os_clock(), after = __rdtscp(&processor);

	if (after - before > SHORT || log_head->rh_tsc_rate)
		return after;
	if (!log_head->rh_tsc_clock) {
		log_head->rh_tsc = before;
		__atomic_store_n(&log_head->rh_tsc_clock, now, __ATOMIC_RELEASE);
	} else if (now > log_head->rh_tsc_clock + LONG) {
		log_head->rh_tsc_rate = ((before - log_head->rh_tsc) << RATE_BITS) / (now - log_head->rh_tsc_clock);
	}
	return after;
}

static uint64_t count(void)
{
	uint64_t value;

	if (log_head->rh_tsc_rate)
		return log_head->rh_tsc + (uint64_t)((unsigned __int128)(lwkt_os_clock() - log_head->rh_tsc_clock) * log_head->rh_tsc_rate >> RATE_BITS);
	tsc_catch(false);
	value = look();
	tsc_catch(true);
	return value;
}

/** It never goes back, in no process: what is made of the clock may be behind what was read. */
static uint64_t count_on(void)
{
	uint64_t value = count(), last = log_head->rh_tsc_last;

	do
		value = value > last ? value : last + 1;
	while (!__atomic_compare_exchange_n(&log_head->rh_tsc_last, &last, value, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST));
	return value;
}

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
	uint64_t value;

	lwp->lwp_reads_tsc = 0;
	if (record_mode == RECORD_REPLAYS) {
		value = replay_tsc(lwp);
	} else {
		value = count_on();
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
	if (record_mode == RECORD_WRITES)
		look();
	tsc_catch(true);
}

void record_tsc_exec(bool begins)
{
	tsc_catch(!begins);
}
