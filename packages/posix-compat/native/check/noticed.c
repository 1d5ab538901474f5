/*
 * noticed.c - invariants of who knows of signals that wait (check.c says which).
 *
 * Of the process' signals one lwp is told, and others that take some of the same sleep on: whoever has looked, and leaves some, tells the next. Until then all that take some
 * may sleep, and it is right so: the one who was told may block them by now. So it is looked at where nobody of this rfork's is under way, and only if no lwp is
 * about to look at all.
 */
#include "check.h"

#define TRIES 100 /* a millisecond each, if another rfork is somewhere between having taken AST_SIGNAL and looking: a few instructions, but it may not have the processor */

static uint32_t looking; /* lwps that have taken AST_SIGNAL, and have not looked yet. Atomic */
static void (*really_look)(struct lwp *lwp, struct trapframe *tf, uint32_t ast);

static void look(struct lwp *lwp, struct trapframe *tf, uint32_t ast)
{
	const bool looks = (ast & AST_SIGNAL) && !lwp->lwp_proc->p_vforked_by;

	if (looks)
		__atomic_fetch_add(&looking, 1, __ATOMIC_SEQ_CST);
	really_look(lwp, tf, ast);
	if (looks)
		__atomic_fetch_sub(&looking, 1, __ATOMIC_SEQ_CST);
}

void noticed_begin(void)
{
	really_look = program_look;
	program_look = look;
}

void __real_pending_forked(struct lwp *lwp);
void __wrap_pending_forked(struct lwp *lwp);

/** Those that look are the parent's. */
void __wrap_pending_forked(struct lwp *lwp)
{
	looking = 0;
	__real_pending_forked(lwp);
}

static uint64_t taken_by(const struct lwp *lwp)
{
	return ~lwp->lwp_sigmask | lwp->lwp_sigwait;
}

/** Of these, what an lwp takes, but for what would be dropped. */
static uint64_t wanted_by(const struct lwp *lwp, uint64_t signals)
{
	uint64_t wanted = 0;

	for (uint64_t set = signals & taken_by(lwp); set; set &= set - 1)
		if (lwp->lwp_proc->p_sigacts[__builtin_ctzll(set) + 1].act_handler != HANDLER_IGNORE)
			wanted |= set & -set;
	return wanted;
}

/** Of this rfork's threads: the lwp that sleeps there, and has not been told that it has a signal; NULL. */
static struct lwp *unaware(struct lwkt_list *node)
{
	lwkt_thread_t td = LIST_ENTRY(node, struct lwkt_thread, td_allq);
	struct lwp *lwp = td->td_data;

	if (!lwp || (td->td_flags & (TDF_RUNQ | TDF_RUNNING | TDF_EXITING | TDF_FRESH | TDF_MIGRATING)))
		return NULL;
	return __atomic_load_n(&lwp->lwp_ast, __ATOMIC_SEQ_CST) & AST_SIGNAL ? NULL : lwp;
}

#define EACH_THREAD(node, gd) (struct lwkt_list *node = (gd)->gd_tdallq.next; node != &(gd)->gd_tdallq; node = node->next)

static void own_noticed(const struct delivery *d)
{
	struct proc *proc = d->lwp->lwp_proc;

	lwkt_word_lock(&proc->p_lock);

	for EACH_THREAD(node, d->gd) {
		struct lwp *lwp = unaware(node);

		HOLDS(!lwp || lwp->lwp_proc != proc || !wanted_by(lwp, pending_set(lwp->lwp_pending)), "lwp %d sleeps (%s), and has 0x%lx to take", lwp->lwp_tid,
		      LIST_ENTRY(node, struct lwkt_thread, td_allq)->td_wmesg, (unsigned long)wanted_by(lwp, pending_set(lwp->lwp_pending)));
	}
	lwkt_word_unlock(&proc->p_lock);
}

/** An lwp that sleeps forgets that it has been told. */
static bool spoil_own_noticed(const struct delivery *d)
{
	static struct pending pending = {.info = {.si_signo = SIGUSR1}};
	bool done = false;

	for EACH_THREAD(node, d->gd) {
		struct lwp *lwp = unaware(node);

		if (lwp && !done && wanted_by(lwp, SIGNAL_BIT(SIGUSR1)) && !lwp->lwp_pending) {
			lwp->lwp_pending = &pending;
			done = true;
		}
	}
	return done;
}

/** How many take some of the process' signals, if all of those sleep on this rfork, and nobody knows; or 0. Under p_lock. */
static unsigned forgotten(const struct delivery *d, struct proc *proc, uint64_t signals)
{
	unsigned takers = 0, sleepers = 0;

	if (!signals || proc->p_unassigned || __atomic_load_n(&looking, __ATOMIC_SEQ_CST))
		return 0;
	for EACH_LWP(lwp, proc) {
		if (__atomic_load_n(&lwp->lwp_ast, __ATOMIC_SEQ_CST) & AST_SIGNAL)
			return 0;
		takers += wanted_by(lwp, signals) != 0;
	}
	for EACH_THREAD(node, d->gd) {
		struct lwp *lwp = unaware(node);

		sleepers += lwp && lwp->lwp_proc == proc && wanted_by(lwp, signals);
	}
	return sleepers == takers ? takers : 0;
}

static void process_noticed(const struct delivery *d)
{
	struct proc *proc = &program_proc;
	unsigned takers = 1;
	uint64_t signals;

	for (unsigned i = 0; proc->p_pending && takers && i < TRIES; i++) {
		if (i)
			kernel_call(SYS_nanosleep, ((const int64_t[2]){0, 1000000}), NULL);
		lwkt_word_lock(&proc->p_lock);
		signals = pending_set(proc->p_pending);
		takers = forgotten(d, proc, signals);
		lwkt_word_unlock(&proc->p_lock);
		HOLDS(!takers || i + 1 < TRIES, "the process has 0x%lx, and all %u that take some of that sleep", (unsigned long)signals, takers);
	}
}

/** The only lwp that takes a signal sleeps, and nobody is told when one comes. */
static bool spoil_process_noticed(const struct delivery *d)
{
	static struct pending pending = {.info = {.si_signo = SIGALRM}};
	struct proc *proc = &program_proc;
	struct lwp *taker = NULL;

	for EACH_THREAD(node, d->gd)
		if (unaware(node) && unaware(node)->lwp_proc == proc)
			taker = unaware(node);
	if (!taker || proc->p_pending || proc->p_unassigned || looking)
		return false;
	for EACH_LWP(lwp, proc)
		if ((lwp->lwp_ast & AST_SIGNAL) || (lwp != taker && (lwp->lwp_sigwait & SIGNAL_BIT(SIGALRM)))) /* he would look, or waits for it, and has it */
			return false;
	for EACH_LWP(lwp, proc)
		lwp->lwp_sigmask |= SIGNAL_BIT(SIGALRM);
	taker->lwp_sigmask &= ~SIGNAL_BIT(SIGALRM);
	proc->p_pending = &pending;
	return true;
}

const struct invariant noticed_invariants[] = {
	{"own-noticed", own_noticed, spoil_own_noticed},
	{0},
};

const struct invariant idle_invariants[] = {
	{"process-noticed", process_noticed, spoil_process_noticed},
	{0},
};
