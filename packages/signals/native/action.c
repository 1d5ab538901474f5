/*
 * action.c - what a signal does: the program's table, and libcr's own handlers, which are the kernel's.
 */
#include "signals.h"

void (*signals_come)(bool on_helper);
bool (*program_postpones)(const struct lwp *lwp);

#define IGNORED_BY_DEFAULT (SIGNAL_BIT(SIGCHLD) | SIGNAL_BIT(SIGURG) | SIGNAL_BIT(SIGWINCH) | SIGNAL_BIT(SIGCONT))
#define STOPPED_BY_DEFAULT (SIGNAL_BIT(SIGSTOP) | SIGNAL_BIT(SIGTSTP) | SIGNAL_BIT(SIGTTIN) | SIGNAL_BIT(SIGTTOU))
#ifndef SYS_SECCOMP
#define SYS_SECCOMP 1
#endif
#define BREAKPOINT 3 /* the number of int3's trap: of a single step it is another */
#define FLAGS 0xdc000807ull /* those that the kernel knows: no other is kept */

static bool is_ours(int sig) { return SIGNALS_OURS & SIGNAL_BIT(sig); }

bool signals_on_helper(void)
{
	return !lwkt_is_rfork() && kernel_call(SYS_getpid) == program_proc.p_pid; /* a child of vfork has numbers of its own, and its parent's rfork */
}

/** A signal from outside, or one that was sent: noted. Who takes it is decided in libcr's ordinary code. */
void signals_on_signal(int sig, siginfo_t *si, ucontext_t *uc)
{
	const bool on_helper = signals_on_helper();
	struct lwp *lwp = on_helper ? NULL : curlwp();

	(void)sig;
	uc->uc_sigmask.__val[0] |= pending_come(lwp ? lwp->lwp_proc : &program_proc, si);
	if (!lwp || !lwp->lwp_proc->p_vforked_by) /* else it is nothing to its parent's rforks */
		signals_come(on_helper);
	if (!lwp)
		return;
	lwp_notify(lwp, AST_SIGNAL);
	program_interrupt(lwp, uc);
}

void action_take_default(int sig)
{
	struct sigact act = {.act_handler = HANDLER_DEFAULT};

	kernel_call(SYS_rt_sigaction, sig, &act, NULL, 8);
}

/** What libcr was at: a call's name, or why it was there otherwise. */
static const char *occupation(void)
{
	const struct trapframe *tf;
	const struct lwp *lwp;

	if (signals_on_helper())
		return "on a helper";
	lwp = curlwp();
	if (!lwp || !lwp->lwp_kstack)
		return "between two lwps";
	tf = (const struct trapframe *)(lwp->lwp_kstack - TF_SIZE);
	if (tf->tf_flags & TFF_ASYNC)
		return "interrupting the program";
	return call_name(tf->tf_number) ?: "a call without a name";
}

/** Libcr's own fault: never the program's. */
static void own_fault(int sig, const siginfo_t *si, const ucontext_t *uc)
{
	const char *shim = shims_at((uint64_t)uc->uc_mcontext.gregs[REG_RIP]);

	print(2, "libcr: %s%sa fault of its own in process %d, %s: signal %d at 0x%lx, address 0x%lx, stack 0x%lx\n", shim ?: "", shim ? ": " : "",
	      (int)kernel_call(SYS_getpid), occupation(), sig, (unsigned long)uc->uc_mcontext.gregs[REG_RIP], (unsigned long)si->si_addr,
	      (unsigned long)uc->uc_mcontext.gregs[REG_RSP]);
	action_take_default(sig);
}

/**
 * A seccomp filter of the program's own has caught its call (SECCOMP_RET_TRAP), which libcr was making as it is: the signal is the program's. Not on a helper:
 * there the call is none that the kernel knows. What libcr calls on its own behalf a filter has to let through.
 */
static bool is_trapped_call(const struct lwp *lwp, const siginfo_t *si, ucontext_t *uc)
{
	const char *rip = (const char *)uc->uc_mcontext.gregs[REG_RIP];

	if (si->si_signo != SIGSYS || si->si_code != SYS_SECCOMP || (rip != program_pass_end && rip != program_through_end))
		return false;
	if (signals_on_helper()) {
		uc->uc_mcontext.gregs[REG_RAX] = -ENOSYS;
		return true;
	}
	memset(lwp->lwp_fault, 0, sizeof(*lwp->lwp_fault));
	memcpy(&lwp->lwp_fault->info, si, sizeof(*si));
	lwp->lwp_fault->used = true;
	lwp_notify(curlwp(), AST_SIGNAL);
	return true;
}

bool signals_fault_ends(const struct lwp *lwp, int sig)
{
	return lwp->lwp_proc->p_sigacts[sig].act_handler <= HANDLER_IGNORE || (lwp->lwp_sigmask & SIGNAL_BIT(sig));
}

/** An instruction that could not be done, or int3. */
static void on_fault(int sig, siginfo_t *si, ucontext_t *uc)
{
	greg_t *r = uc->uc_mcontext.gregs;
	struct lwp *lwp = curlwp();

	if (si->si_code <= 0) { /* it was sent */
		signals_on_signal(sig, si, uc);
		return;
	}
	if (program_fault && program_fault(sig, si, uc))
		return;
	if ((char *)r[REG_RIP] >= user_access_begin && (char *)r[REG_RIP] < user_access_end) {
		r[REG_RIP] = (greg_t)(uintptr_t)user_access_fault;
		return;
	}
	if (sig == SIGTRAP && r[REG_TRAPNO] == BREAKPOINT && patch_trap((uint64_t)r[REG_RIP] - 1)) {
		r[REG_RIP]--;
		return;
	}
	if (lwp && is_trapped_call(lwp, si, uc))
		return;
	if (!lwp || !in_program(lwp, uc)) {
		own_fault(sig, si, uc);
		return;
	}
	if (!record_mode && signals_fault_ends(lwp, sig)) {
		trace_signal(lwp, si);
		trace_killed(lwp, sig);
		/* The instruction is done again, and the kernel ends the process as it would have: its core shows the program. A trap has been done. */
		action_take_default(sig);
		if (sig == SIGTRAP || sig == SIGSYS)
			kernel_call(SYS_tgkill, kernel_call(SYS_getpid), kernel_call(SYS_gettid), sig);
		return;
	}
	memcpy(&lwp->lwp_fault->info, si, sizeof(*si));
	lwp->lwp_fault->error = r[REG_ERR];
	lwp->lwp_fault->trap = r[REG_TRAPNO];
	lwp->lwp_fault->address = r[REG_CR2];
	lwp->lwp_fault->used = true;
	lwp_notify(lwp, AST_SIGNAL);
	program_interrupt(lwp, uc);
}

void action_default(int sig)
{
	uint64_t only = ~SIGNAL_BIT(sig), before;
	struct proc *proc = curproc();
	bool is_caught = is_ours(sig) || (proc->p_caught & SIGNAL_BIT(sig));

	if (IGNORED_BY_DEFAULT & SIGNAL_BIT(sig))
		return;
	trace_killed(curlwp(), sig);
	if (is_caught)
		action_take_default(sig);
	kernel_call(SYS_tgkill, kernel_call(SYS_getpid), kernel_call(SYS_gettid), sig);
	kernel_call(SYS_rt_sigprocmask, SIG_SETMASK, &only, &before, 8); /* it ends, or stops, the process here */
	kernel_call(SYS_rt_sigprocmask, SIG_SETMASK, &before, NULL, 8);
	if (is_caught) /* it has been stopped, and goes on */
		action_install(proc, sig);
}

/** Whether it has to come to libcr, whatever the program does about it: somebody is told of it. */
static bool comes_here(int sig)
{
	return trace_tells_of(sig) ||
	       (record_mode == RECORD_WRITES && !(SIGNAL_BIT(sig) & (IGNORED_BY_DEFAULT | STOPPED_BY_DEFAULT | SIGNALS_UNBLOCKABLE | SIGNALS_OURS)));
}

/** While a program is recorded a handler begins behind a call. What would end the program does so at once, and where that is makes no difference to what it has done. */
static bool postpones(const struct lwp *lwp)
{
	const struct proc *proc = lwp->lwp_proc;

	if (record_mode != RECORD_WRITES || lwp->lwp_fault->used || (lwp->lwp_ast & AST_RESCHED))
		return false;
	for (const struct pending *pending = proc->p_incoming; pending; pending = pending->next)
		if (proc->p_sigacts[pending->info.si_signo].act_handler == HANDLER_DEFAULT)
			return false;
	program_ticks(); /* if it makes no call it is interrupted after all */
	return true;
}

void action_install(struct proc *proc, int sig)
{
	const struct sigact *act = &proc->p_sigacts[sig];

	if (is_ours(sig) || record_mode == RECORD_REPLAYS) /* what comes then is the replay's own */
		return;
	if ((act->act_handler == HANDLER_DEFAULT && !comes_here(sig)) || act->act_handler == HANDLER_IGNORE) {
		if (proc->p_stale) /* it may be one that the kernel does not know to be blocked */
			program_refresh(curlwp());
		__atomic_fetch_and(&proc->p_caught, ~SIGNAL_BIT(sig), __ATOMIC_SEQ_CST);
		kernel_call(SYS_rt_sigaction, sig, act, NULL, 8);
		return;
	}
	/* SA_RESTART: the kernel goes back to the calls that can be made again, and libcr decides whether they are */
	catch_signal(sig, signals_on_signal, SA_RESTART | (act->act_flags & (SA_NOCLDSTOP | SA_NOCLDWAIT)));
	__atomic_fetch_or(&proc->p_caught, SIGNAL_BIT(sig), __ATOMIC_SEQ_CST);
}

void action_catch(struct proc *proc, uint64_t signals)
{
	signals &= ~(proc->p_caught | SIGNALS_OURS | SIGNALS_UNBLOCKABLE | IGNORED_BY_DEFAULT | STOPPED_BY_DEFAULT);
	for (; signals; signals &= signals - 1) {
		int sig = __builtin_ctzll(signals) + 1;

		if (proc->p_sigacts[sig].act_handler != HANDLER_DEFAULT)
			continue;
		catch_signal(sig, signals_on_signal, SA_RESTART);
		__atomic_fetch_or(&proc->p_caught, SIGNAL_BIT(sig), __ATOMIC_SEQ_CST);
	}
}

static void forget(struct proc *proc, int sig)
{
	struct pending *pending;

	lwkt_word_lock(&proc->p_lock);
	pending_sort(proc);
	while ((pending = pending_take(&proc->p_pending, SIGNAL_BIT(sig))))
		pending_free(pending);
	for (struct lwp *lwp = proc->p_lwps; lwp; lwp = lwp->lwp_next)
		while ((pending = pending_take(&lwp->lwp_pending, SIGNAL_BIT(sig))))
			pending_free(pending);
	lwkt_word_unlock(&proc->p_lock);
}

static long action_sigaction(struct lwp *lwp, struct trapframe *tf)
{
	struct proc *proc = lwp->lwp_proc;
	int sig = (int)tf->tf_rdi;
	struct sigact act, old;

	if (tf->tf_r10 != 8 || sig < 1 || sig > SIGNALS || (tf->tf_rsi && (SIGNALS_UNBLOCKABLE & SIGNAL_BIT(sig))))
		return -EINVAL;
	if (tf->tf_rsi && copyin(&act, tf->tf_rsi, sizeof(act)))
		return -EFAULT;
	lwkt_word_lock(&proc->p_lock);
	old = proc->p_sigacts[sig];
	act.act_mask &= ~SIGNALS_UNBLOCKABLE;
	act.act_flags &= FLAGS;
	if (tf->tf_rsi)
		proc->p_sigacts[sig] = act;
	lwkt_word_unlock(&proc->p_lock);
	if (tf->tf_rsi) {
		action_install(proc, sig);
		if (act.act_handler == HANDLER_IGNORE || (act.act_handler == HANDLER_DEFAULT && (IGNORED_BY_DEFAULT & SIGNAL_BIT(sig))))
			forget(proc, sig);
	}
	return tf->tf_rdx ? copyout(tf->tf_rdx, &old, sizeof(old)) : 0;
}

const struct call_entry action_calls[] = {
	{SYS_rt_sigaction, action_sigaction},
	{0},
};

static void catch_faults(void)
{
	static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP};

	catch_begin(on_fault);
	for (unsigned i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		catch_signal(faults[i], on_fault, 0);
}

/** The kernel has libcr's handlers, and the program what it inherited: ignored signals. */
void signals_catch(void)
{
	struct proc *proc = curproc();

	for (int sig = 1; sig <= SIGNALS; sig++)
		kernel_call(SYS_rt_sigaction, sig, NULL, &proc->p_sigacts[sig], 8);
	catch_faults();
}

void signals_options(struct lwp *first)
{
	program_postpones = postpones;
	for (int sig = 1; sig <= SIGNALS; sig++)
		if (comes_here(sig))
			action_install(first->lwp_proc, sig);
	if (!options.has_sigmask)
		return;
	first->lwp_sigmask = options.sigmask;
	mask_first(first);
}

void signals_leave(struct lwp *lwp)
{
	struct proc *proc = lwp->lwp_proc;
	const long pid = kernel_call(SYS_getpid), tid = kernel_call(SYS_gettid);
	struct pending *pending;

	__atomic_store_n(&proc->p_execs, true, __ATOMIC_SEQ_CST);
	signals_mask_changed(proc);
	while ((pending = pending_leaves(lwp))) {
		kernel_call(SYS_rt_tgsigqueueinfo, pid, tid, pending->info.si_signo, &pending->info); /* this kernel thread is the one that stays */
		pending_free(pending);
	}
}

/** After an execve that has failed. */
void signals_are_ours(struct lwp *lwp)
{
	catch_faults();
	__atomic_store_n(&lwp->lwp_proc->p_execs, false, __ATOMIC_SEQ_CST);
	signals_mask_changed(lwp->lwp_proc);
}
