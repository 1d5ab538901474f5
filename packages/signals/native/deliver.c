/*
 * deliver.c - a handler of the program's begins, and returns: the frame on the program's stack is the one that the kernel lays (sigframe.h), as
 * handlers and unwinders read and write it.
 */
#include "sigframe.h"


#define RED_ZONE 128
#define FP_MAGIC1 0x46505853u /* asm/sigcontext.h: what an extended floating-point area is known by */
#define FP_MAGIC2 0x46505845u
#define FP_SOFTWARE 464        /* where the area has room for software */
#define FP_HEADER 512
#define AUTODISARM (1u << 31)
#define HANDLER_FLAGS 0x202
#define FRAME_SLACK 96 /* bytes at most that aligning takes */

static uint32_t xsave_size;
static uint64_t xsave_features;

static void find_xsave(void)
{
	xsave_features = vectors_features();
	xsave_size = vectors_size(xsave_features);
}

static bool is_on_altstack(const struct lwp *lwp, uint64_t sp)
{
	return sp - 1 - lwp->lwp_altstack.ss_sp < lwp->lwp_altstack.ss_size;
}

uint64_t sigframe_put_vectors(uint64_t sp)
{
	uint64_t at = (sp - xsave_size - 4) & ~63ull;
	const uint64_t header[8] = {0};
	const uint32_t software[12] = {FP_MAGIC1, xsave_size + 4, (uint32_t)xsave_features, (uint32_t)(xsave_features >> 32), xsave_size};

	for (uint64_t page = at & ~4095ull; page < sp; page += 4096) /* xsave writes what it has, which may not be all */
		if (copyout(page < at ? at : page, header, 1))
			return 0;
	if (copyout(at + FP_HEADER, header, sizeof(header)) || user_xsave((void *)at, xsave_features) || copyout(at + FP_SOFTWARE, software, sizeof(software)) ||
	    copyout(at + xsave_size, &(uint32_t){FP_MAGIC2}, 4))
		return 0;
	return at;
}

/** Lays the frame, and makes the registers those with which the handler begins. Whether the stack had room. */
static bool begin_handler(struct lwp *lwp, struct trapframe *tf, const struct sigact *act, const siginfo_t *info, const struct fault *fault)
{
	struct sigframe frame;
	uint64_t sp = tf->tf_rsp - RED_ZONE, at;
	bool on_altstack = is_on_altstack(lwp, tf->tf_rsp);

	if ((act->act_flags & SA_ONSTACK) && lwp->lwp_altstack.ss_size && !on_altstack) {
		on_altstack = true;
		sp = lwp->lwp_altstack.ss_sp + lwp->lwp_altstack.ss_size;
	}
	if (on_altstack && !is_on_altstack(lwp, sp - xsave_size - sizeof(frame) - FRAME_SLACK)) /* it would lie below that */
		return false;
	memset(&frame, 0, sizeof(frame));
	frame.fpstate = sigframe_put_vectors(sp);
	if (!frame.fpstate)
		return false;
	at = ((frame.fpstate - sizeof(frame)) & ~15ull) - 8;
	frame.restorer = act->act_restorer;
	frame.uc_flags = UC_FLAGS;
	frame.uc_stack = lwp->lwp_altstack;
	if (!lwp->lwp_altstack.ss_size)
		frame.uc_stack.ss_flags = SS_DISABLE;
	patch_show(tf);
	trapframe_store(tf, frame.registers);
	frame.registers[REG_CSGSFS] = (greg_t)SEGMENTS;
	frame.registers[REG_OLDMASK] = (greg_t)lwp->lwp_sigmask;
	if (fault) {
		frame.registers[REG_ERR] = fault->error;
		frame.registers[REG_TRAPNO] = fault->trap;
		frame.registers[REG_CR2] = fault->address;
	}
	frame.mask = lwp->lwp_restore_sigmask ? lwp->lwp_saved_sigmask : lwp->lwp_sigmask;
	memcpy(&frame.info, info, sizeof(frame.info));
	if (copyout(at, &frame, sizeof(frame)))
		return false;
	if (lwp->lwp_altstack.ss_flags & (int32_t)AUTODISARM)
		lwp->lwp_altstack = (struct altstack){0};
	lwp->lwp_restore_sigmask = false;
	tf->tf_rip = act->act_handler;
	tf->tf_rsp = at;
	tf->tf_rdi = (uint64_t)info->si_signo;
	tf->tf_rsi = at + offsetof(struct sigframe, info);
	tf->tf_rdx = at + offsetof(struct sigframe, uc_flags);
	tf->tf_rax = 0;
	tf->tf_rflags = HANDLER_FLAGS;
	tf->tf_flags = TFF_FULL | TFF_ASYNC;
	return true;
}

/** A call that ended for a signal, whose handler is about to run: EINTR, or made again after it. */
static void settle_call(struct trapframe *tf, const struct sigact *act)
{
	long result = (long)tf->tf_rax;

	if ((tf->tf_flags & TFF_ASYNC) || result > -ERESTARTSYS || result < -ERESTARTNOHAND)
		return;
	if (result == -ERESTARTNOINTR || (result == -ERESTARTSYS && (act->act_flags & SA_RESTART)))
		program_restart(tf);
	else
		tf->tf_rax = (uint64_t)-EINTR;
}

static void no_room(struct lwp *lwp, struct trapframe *tf, int sig);

static void deliver(struct lwp *lwp, struct trapframe *tf, const siginfo_t *info, const struct fault *fault)
{
	struct proc *proc = lwp->lwp_proc;
	int sig = info->si_signo;
	bool reset;
	struct sigact act;

	lwkt_word_lock(&proc->p_lock);
	act = proc->p_sigacts[sig];
	reset = (act.act_flags & SA_RESETHAND) && act.act_handler > HANDLER_IGNORE;
	if (reset)
		proc->p_sigacts[sig].act_handler = HANDLER_DEFAULT;
	lwkt_word_unlock(&proc->p_lock);
	if (act.act_handler == HANDLER_IGNORE)
		return;
	trace_signal(lwp, info);
	if (act.act_handler == HANDLER_DEFAULT) {
		signals_end(tf, sig);
		return;
	}
	if (reset)
		action_install(proc, sig);
	settle_call(tf, &act);
	if (begin_handler(lwp, tf, &act, info, fault))
		mask_set(lwp, lwp->lwp_sigmask | act.act_mask | (act.act_flags & SA_NODEFER ? 0 : SIGNAL_BIT(sig)));
	else
		no_room(lwp, tf, sig);
}

/** No room for a frame: as the kernel, which raises SIGSEGV. */
static void no_room(struct lwp *lwp, struct trapframe *tf, int sig)
{
	const siginfo_t info = {.si_signo = SIGSEGV, .si_code = SI_KERNEL};
	const uint64_t handler = lwp->lwp_proc->p_sigacts[SIGSEGV].act_handler;

	if (sig == SIGSEGV || handler <= HANDLER_IGNORE || (lwp->lwp_sigmask & SIGNAL_BIT(SIGSEGV)))
		signals_end(tf, SIGSEGV);
	else
		deliver(lwp, tf, &info, NULL);
}

/** Which signals an lwp takes. */
static uint64_t taken_by(const struct lwp *lwp)
{
	return ~lwp->lwp_sigmask | lwp->lwp_sigwait;
}

/** Which of the process' signals an lwp takes: those that the main one does not, as the kernel asks that one first. Under p_lock. */
static uint64_t taken_of_process(const struct lwp *lwp)
{
	const struct lwp *main = lwp->lwp_proc->p_main;

	return taken_by(lwp) & (main && main != lwp ? ~taken_by(main) : ~0ull);
}

/** Has an lwp that takes one of the process' signals do so: one that waits for it, if there is one; maybe the one that runs, as another rfork may have sorted some since
 *  it looked. Under p_lock; what it answers is for signals_woken. */
static void *wake_taker(const struct proc *proc)
{
	uint64_t signals = pending_set(proc->p_pending);
	struct lwp *taker = NULL;

	if (proc->p_main && ((signals | pending_set(proc->p_main->lwp_pending)) & taken_by(proc->p_main)))
		return signals_wake(proc->p_main);
	for (struct lwp *lwp = proc->p_lwps; lwp && signals; lwp = lwp->lwp_next) {
		if (!(signals & taken_by(lwp)))
			continue;
		if (!taker || (signals & lwp->lwp_sigwait))
			taker = lwp;
		if (!proc->p_nsigwaits || (signals & lwp->lwp_sigwait))
			break;
	}
	return taker ? signals_wake(taker) : NULL;
}

void signals_assign(struct proc *proc)
{
	void *woken;

	lwkt_word_lock(&proc->p_lock);
	pending_sort(proc);
	proc->p_unassigned = false;
	woken = wake_taker(proc);
	lwkt_word_unlock(&proc->p_lock);
	if (woken)
		signals_woken(woken);
	pending_release(proc);
}

/** Whether an lwp, which takes these, finds something in a list. What is ignored goes. */
static bool is_due(const struct lwp *lwp, struct pending **list, uint64_t taken)
{
	for (uint64_t set = pending_set(*list) & taken; set; set &= set - 1) {
		int sig = __builtin_ctzll(set) + 1;
		struct pending *pending;

		if (lwp->lwp_proc->p_sigacts[sig].act_handler != HANDLER_IGNORE || (lwp->lwp_sigwait & SIGNAL_BIT(sig)))
			return true;
		while ((pending = pending_take(list, SIGNAL_BIT(sig))))
			pending_free(pending);
	}
	return false;
}

bool signals_due(struct lwp *lwp)
{
	struct proc *proc = lwp->lwp_proc;
	bool due;

	if (lwp->lwp_fault->used)
		return true;
	lwkt_word_lock(&proc->p_lock);
	pending_sort(proc);
	due = is_due(lwp, &lwp->lwp_pending, taken_by(lwp)) || is_due(lwp, &proc->p_pending, taken_of_process(lwp));
	lwkt_word_unlock(&proc->p_lock);
	if (!due && (proc->p_unassigned || proc->p_pending)) /* it is another's, who may not know of it: this lwp may be the one that was told, and block it by now */
		signals_assign(proc);
	return due;
}

/** The next signal for the lwp, of its own or of the process'. Whether there is one. */
static bool take(struct lwp *lwp, siginfo_t *info)
{
	struct proc *proc = lwp->lwp_proc;
	struct pending *pending;

	if (record_mode == RECORD_REPLAYS)
		return replay_signal(lwp, info);
	lwkt_word_lock(&proc->p_lock);
	pending = pending_next(lwp, ~lwp->lwp_sigmask, ~lwp->lwp_sigmask & taken_of_process(lwp));
	lwkt_word_unlock(&proc->p_lock);
	if (!pending)
		return false;
	memcpy(info, &pending->info, sizeof(*info));
	pending_free(pending);
	record_signal(lwp, info, false);
	return true;
}

/** A filter has caught the call: as the kernel, the program is behind it, and rax has its number. What it forces on who does not want it is the end. */
static void deliver_trapped_call(struct lwp *lwp, struct trapframe *tf, siginfo_t *info)
{
	patch_show(tf);
	tf->tf_rax = tf->tf_number;
	info->si_call_addr = (void *)tf->tf_rip;
	info->si_syscall = (int)tf->tf_number;
	if (signals_fault_ends(lwp, SIGSYS))
		signals_end(tf, SIGSYS);
	else
		deliver(lwp, tf, info, NULL);
}

/** What an instruction of the program's has raised. */
static void deliver_fault(struct lwp *lwp, struct trapframe *tf)
{
	struct fault *fault = lwp->lwp_fault;

	fault->used = false;
	record_signal(lwp, &fault->info, true);
	if (fault->info.si_signo == SIGSYS) {
		deliver_trapped_call(lwp, tf, &fault->info);
	} else if (signals_fault_ends(lwp, fault->info.si_signo)) { /* while recorded: else that was done at once (action.c) */
		trace_signal(lwp, &fault->info);
		signals_end(tf, fault->info.si_signo);
	} else {
		deliver(lwp, tf, &fault->info, fault);
	}
}

void signals_deliver(struct lwp *lwp, struct trapframe *tf)
{
	siginfo_t info;
	void *woken;

	if (lwp->lwp_fault->used)
		deliver_fault(lwp, tf);
	while (take(lwp, &info))
		deliver(lwp, tf, &info, NULL);
	mask_restore(lwp); /* no handler has run */
	pending_release(lwp->lwp_proc);
	if (!lwp->lwp_proc->p_pending && !lwp->lwp_proc->p_unassigned)
		return;
	lwkt_word_lock(&lwp->lwp_proc->p_lock);
	lwp->lwp_proc->p_unassigned = false;
	woken = wake_taker(lwp->lwp_proc);
	lwkt_word_unlock(&lwp->lwp_proc->p_lock);
	if (woken)
		signals_woken(woken);
}

/** The context on the program's stack is no good. */
static long bad_frame(struct trapframe *tf)
{
	signals_end(tf, SIGSEGV);
	return 0;
}

static long deliver_sigreturn(struct lwp *lwp, struct trapframe *tf)
{
	struct sigframe frame;
	ucontext_t uc;

	if (copyin(&frame, tf->tf_rsp - 8, sizeof(frame)))
		return bad_frame(tf);
	if (frame.fpstate && user_xrstor((void *)frame.fpstate, xsave_features))
		return bad_frame(tf);
	memcpy(uc.uc_mcontext.gregs, frame.registers, sizeof(frame.registers));
	trapframe_load(tf, &uc);
	patch_resume(tf);
	tf->tf_rflags = (tf->tf_rflags & 0x50dd5) | USER_RFLAGS; /* what user mode may set */
	lwp->lwp_altstack = frame.uc_stack;
	if (frame.uc_stack.ss_flags & SS_DISABLE)
		lwp->lwp_altstack = (struct altstack){0};
	mask_set(lwp, frame.mask);
	lwp_notify(lwp, lwp->lwp_gives_back ? AST_SIGNAL | AST_RESCHED : AST_SIGNAL);
	return (long)tf->tf_rax;
}

static long deliver_sigaltstack(struct lwp *lwp, struct trapframe *tf)
{
	struct altstack old = lwp->lwp_altstack, new;

	old.ss_flags = !old.ss_size ? SS_DISABLE : (old.ss_flags & (int32_t)AUTODISARM) | (is_on_altstack(lwp, tf->tf_rsp) ? SS_ONSTACK : 0);
	if (tf->tf_rdi) {
		if (copyin(&new, tf->tf_rdi, sizeof(new)))
			return -EFAULT;
		if (is_on_altstack(lwp, tf->tf_rsp) && !(lwp->lwp_altstack.ss_flags & (int32_t)AUTODISARM))
			return -EPERM;
		if (new.ss_flags & ~(SS_DISABLE | SS_ONSTACK | (int32_t)AUTODISARM))
			return -EINVAL;
		if (new.ss_sp == lwp->lwp_altstack.ss_sp && new.ss_size == lwp->lwp_altstack.ss_size && new.ss_flags == lwp->lwp_altstack.ss_flags)
			; /* nothing changes: the kernel does not look whether it is large enough */
		else if (new.ss_flags & SS_DISABLE)
			new = (struct altstack){0};
		else if (new.ss_size < 2048)
			return -ENOMEM;
		new.ss_flags &= (int32_t)AUTODISARM;
		lwp->lwp_altstack = new;
	}
	return tf->tf_rsi ? copyout(tf->tf_rsi, &old, sizeof(old)) : 0;
}

const struct call_entry deliver_calls[] = {
	{SYS_rt_sigreturn, deliver_sigreturn},
	{SYS_sigaltstack, deliver_sigaltstack},
	{0},
};

void signals_begin(struct lwp *lwp)
{
	find_xsave();
	signals_catch();
	kernel_call(SYS_rt_sigprocmask, SIG_SETMASK, NULL, &lwp->lwp_sigmask, 8); /* what was blocked at exec */
	mask_first(lwp);
	program_handle(action_calls);
	program_handle(mask_calls);
	program_handle(deliver_calls);
	program_handle(send_calls);
	program_handle(signalfd_calls);
	program_signals_leave = signals_leave;
	program_signals_are_ours = signals_are_ours;
	program_mask_for_now = mask_for_now;
	program_mask_over = mask_restore;
}
