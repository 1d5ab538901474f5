/*
 * step.c - preemption between instructions: the program's own ones (and those of libraries that --preempt-in names) are counted by the processor's trap flag, one signal each, and when as many are done as the schedule
 * says the lwp looks, as at a call. A timer could not be had again.
 *
 * A library's instructions are not stepped, as most are there: while an lwp that is counted is in one, the program's own text is not executable, and its return faults.
 *
 * Of an interpreter's instructions there are too many. There a quantum may go on by pages (pages.c), until the lwp's next call: what is counted then are the pages that it comes to.
 *
 * Invariants:
 *  - Where the program can see its flags (a signal's frame) the trap flag is not among them: it is set as the last thing before the program goes on.
 *  - Text that is closed is opened by the fault, whoever raises it. So it may be left closed.
 */
#include "schedule.h"

#define TRAP_FLAG 0x100
#define SINGLE_STEP 1    /* the number of the trap */
#define PAGE_FAULT 14
#define FETCH 0x10       /* in its error code: of an instruction */

static struct quantum left; /* to be done, whoever does it */
uint64_t step_count;

static bool has_threads(const struct lwp *lwp)
{
	return lwp->lwp_proc->p_nlwps > 1 && !lwp->lwp_proc->p_vforked_by;
}

/** How far this lwp is counted: nothing: it is not. */
static struct quantum quantum(const struct lwp *lwp)
{
	static bool threads;

	if (!has_threads(lwp))
		return (struct quantum){0};
	if (!threads)
		pages_of_threads();
	threads = true;
	pages_look();
	left = schedule_quantum(lwp, left);
	if (lwp->lwp_paging.is_on)
		left.instructions = 0;
	return left;
}

void step_enters(struct trapframe *tf)
{
	tf->tf_rflags &= ~(uint64_t)TRAP_FLAG;
}

void step_leaves(struct lwp *lwp, struct trapframe *tf)
{
	struct quantum its;

	moment_leaves(lwp);
	its = quantum(lwp);
	if (!its.instructions && !its.pages) {
		pages_open();
	} else if (!its.instructions) {
		if (lwp->lwp_paging.is_on)
			pages_resume(lwp);
		else
			pages_begin(lwp, tf->tf_rip);
	} else if (pages_are_own(tf->tf_rip)) {
		pages_open();
		tf->tf_flags |= TFF_FULL;
		tf->tf_rflags |= TRAP_FLAG;
	} else {
		pages_close();
	}
}

/** Another one has its turn, if any can run. */
static void interrupt(struct lwp *lwp, ucontext_t *uc)
{
	schedule_preempts(lwp);
	lwp_notify(lwp, AST_SCHEDULE);
	program_interrupt(lwp, uc);
}

/** An instruction has been done; rip is at the next. */
static void stepped(struct lwp *lwp, ucontext_t *uc)
{
	greg_t *r = uc->uc_mcontext.gregs;

	if (!pages_are_own((uint64_t)r[REG_RIP])) {
		r[REG_EFL] &= ~(greg_t)TRAP_FLAG;
		if (lwp && in_program(lwp, uc))
			pages_close();
		return;
	}
	step_count++;
	if (lwp)
		lwp->lwp_moment.n++;
	if (left.instructions && --left.instructions)
		return;
	if (left.pages && lwp) {
		r[REG_EFL] &= ~(greg_t)TRAP_FLAG;
		pages_begin(lwp, (uint64_t)r[REG_RIP]);
		return;
	}
	interrupt(lwp, uc);
}

static void comes_to_page(struct lwp *lwp, ucontext_t *uc)
{
	step_count++;
	pages_come(lwp, (uint64_t)uc->uc_mcontext.gregs[REG_CR2]);
	if (left.pages && --left.pages)
		return;
	pages_open();
	interrupt(lwp, uc);
}

static bool fault(int sig, siginfo_t *si, ucontext_t *uc)
{
	greg_t *r = uc->uc_mcontext.gregs;
	struct lwp *lwp = curlwp();

	if (sig == SIGTRAP && r[REG_TRAPNO] == SINGLE_STEP) {
		stepped(lwp, uc);
		return true;
	}
	if (sig != SIGSEGV || r[REG_TRAPNO] != PAGE_FAULT || !(r[REG_ERR] & FETCH) || !pages_closed((uint64_t)r[REG_CR2])) /* where an instruction crosses into it, that is not its own */
		return tsc_fault(sig, si, uc);
	if (lwp && lwp->lwp_paging.is_on) {
		comes_to_page(lwp, uc);
		return true;
	}
	pages_open();
	left.instructions = schedule_returns(left.instructions);
	if (left.instructions && has_threads(lwp))
		r[REG_EFL] |= TRAP_FLAG;
	return true;
}

void step_begin(void)
{
	pages_find();
	program_fault = fault;
}
