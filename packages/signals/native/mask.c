/*
 * mask.c - which signals an lwp blocks, and what the kernel is told of it: it blocks what all lwps of the process do.
 *
 * That more is blocked the kernel is told only when it is called next (STALE_MASK), as many a section in which signals are blocked ends before. So a signal that
 * comes meanwhile has to come to libcr's handler (p_caught), and not to the kernel's default action; what that ends the process by is caught when it is
 * first blocked (action_catch). It waits here, and is the kernel's again once that is told (pending_hand_back): a signalfd finds it, or the next program. Real-time
 * signals would not keep their order so; of those the kernel is told at once.
 *
 * C libraries block all there are, their own included, around the making of a thread, say. Those sections are short: the kernel is told when it is called next, whatever is
 * caught, and queued signals that come meanwhile stay here.
 */
#include "signals.h"

void (*signals_pause)(struct lwp *lwp);
void (*signals_mask_changed)(struct proc *proc);
void (*signals_mask_soon)(struct proc *proc);

/** Signals that as many lwps block as there are. */
static uint64_t find_common(const struct proc *proc)
{
	uint64_t mask = ~0ull;

	for (unsigned i = 0; i < BLOCKED_DIGITS && proc->p_nlwps >> i; i++)
		mask &= proc->p_nlwps >> i & 1 ? proc->p_blocked_by[i] : ~proc->p_blocked_by[i];
	return mask & ~SIGNALS_OURS;
}

#define STANDARD (SIGNAL_BIT(REALTIME) - 1)

static bool is_all(uint64_t mask) { return !~(mask | SIGNALS_UNBLOCKABLE); }

/** After the lwp's mask has changed, or it `ends`: whether the kernel has to be told at once what it is to block. Under p_lock. */
static bool update(struct proc *proc, const struct lwp *lwp, bool ends)
{
	uint64_t mask = find_common(proc), told;

	if (mask != proc->p_kernel_mask)
		__atomic_store_n(&proc->p_kernel_mask, mask, __ATOMIC_SEQ_CST);
	told = __atomic_load_n(&proc->p_kernel_told, __ATOMIC_SEQ_CST);
	if (mask == told) {
		if (proc->p_stale & STALE_MASK)
			__atomic_fetch_and(&proc->p_stale, ~STALE_MASK, __ATOMIC_SEQ_CST);
		return false;
	}
	if (!ends && !(told & ~mask) && (is_all(lwp->lwp_sigmask) || !(mask & ~told & ~(proc->p_caught & STANDARD)))) {
		__atomic_fetch_or(&proc->p_stale, STALE_MASK, __ATOMIC_SEQ_CST);
		return false;
	}
	return true;
}

/** What it blocks besides, as it is to keep it for now. */
static uint64_t kept(const struct proc *proc)
{
	return __atomic_load_n(&proc->p_held, __ATOMIC_SEQ_CST) | (__atomic_load_n(&proc->p_execs, __ATOMIC_SEQ_CST) ? ~SIGNALS_OURS : 0);
}

void mask_apply(struct proc *proc)
{
	uint64_t mask, with_held, before = proc->p_kernel_told;

	if (record_mode == RECORD_REPLAYS) { /* its signals are in the recording */
		kernel_call(SYS_rt_sigprocmask, SIG_SETMASK, &(uint64_t){0}, NULL, 8);
		return;
	}
	__atomic_fetch_and(&proc->p_stale, ~STALE_MASK, __ATOMIC_SEQ_CST);
	do { /* another rfork may change it meanwhile, or a handler that finds no more room */
		mask = __atomic_load_n(&proc->p_kernel_mask, __ATOMIC_SEQ_CST);
		with_held = mask | kept(proc);
		__atomic_store_n(&proc->p_kernel_told, mask, __ATOMIC_SEQ_CST);
		kernel_call(SYS_rt_sigprocmask, SIG_SETMASK, &with_held, NULL, 8);
	} while (with_held != (__atomic_load_n(&proc->p_kernel_mask, __ATOMIC_SEQ_CST) | kept(proc)));
	if (mask & ~before & STANDARD)
		pending_hand_back(proc, mask & STANDARD);
}

/** One more lwp blocks these, or one less: of all signals at once, digit by digit. */
static void count_more(struct proc *proc, uint64_t mask)
{
	for (unsigned i = 0; mask && i < BLOCKED_DIGITS; i++) {
		uint64_t carry = proc->p_blocked_by[i] & mask;

		proc->p_blocked_by[i] ^= mask;
		mask = carry;
	}
}

static void count_less(struct proc *proc, uint64_t mask)
{
	for (unsigned i = 0; mask && i < BLOCKED_DIGITS; i++) {
		uint64_t borrow = ~proc->p_blocked_by[i] & mask;

		proc->p_blocked_by[i] ^= mask;
		mask = borrow;
	}
}

void mask_set(struct lwp *lwp, uint64_t mask)
{
	struct proc *proc = lwp->lwp_proc;
	uint64_t old = lwp->lwp_sigmask;

	bool changed;

	mask &= ~SIGNALS_UNBLOCKABLE;
	if (mask == old)
		return;
	lwkt_word_lock(&proc->p_lock);
	lwp->lwp_sigmask = mask;
	count_more(proc, mask & ~old);
	count_less(proc, old & ~mask);
	changed = update(proc, lwp, false);
	if (lwp->lwp_pending || proc->p_pending || proc->p_incoming)
		lwp_notify(lwp, AST_SIGNAL);
	lwkt_word_unlock(&proc->p_lock);
	if (!changed)
		return;
	signals_mask_changed(proc);
	if (proc->p_pending || proc->p_incoming) /* what the kernel has kept, and lets go before this returns */
		lwp_notify(lwp, AST_SIGNAL);
}

bool mask_begins(struct lwp *lwp)
{
	count_more(lwp->lwp_proc, lwp->lwp_sigmask);
	return update(lwp->lwp_proc, lwp, false);
}

bool mask_ends(struct lwp *lwp)
{
	count_less(lwp->lwp_proc, lwp->lwp_sigmask);
	return update(lwp->lwp_proc, lwp, true);
}

void mask_first(struct lwp *lwp)
{
	struct proc *proc = lwp->lwp_proc;

	memset(proc->p_blocked_by, 0, sizeof(proc->p_blocked_by));
	mask_begins(lwp);
	signals_mask_changed(proc);
}

void mask_restore(struct lwp *lwp)
{
	if (!lwp->lwp_restore_sigmask)
		return;
	lwp->lwp_restore_sigmask = false;
	mask_set(lwp, lwp->lwp_saved_sigmask);
}

static long mask_sigprocmask(struct lwp *lwp, struct trapframe *tf)
{
	uint64_t old = lwp->lwp_sigmask, set;

	if (tf->tf_r10 != 8)
		return -EINVAL;
	if (tf->tf_rsi) {
		if (copyin(&set, tf->tf_rsi, 8))
			return -EFAULT;
		if ((int)tf->tf_rdi == SIG_BLOCK)
			set |= old;
		else if ((int)tf->tf_rdi == SIG_UNBLOCK)
			set = old & ~set;
		else if ((int)tf->tf_rdi != SIG_SETMASK)
			return -EINVAL;
		if (lwp->lwp_proc->p_nlwps == 1 && !is_all(set)) /* else it is rare that all block it */
			action_catch(lwp->lwp_proc, set);
		mask_set(lwp, set);
	}
	return tf->tf_rdx ? copyout(tf->tf_rdx, &old, 8) : 0;
}

/** What waits here, and what waits in the kernel. */
static long mask_sigpending(struct lwp *lwp, struct trapframe *tf)
{
	uint64_t set = 0;

	if (tf->tf_rsi > 8)
		return -EINVAL;
	kernel_call(SYS_rt_sigpending, &set, 8);
	lwkt_word_lock(&lwp->lwp_proc->p_lock);
	pending_sort(lwp->lwp_proc);
	set |= pending_set(lwp->lwp_pending) | pending_set(lwp->lwp_proc->p_pending);
	lwkt_word_unlock(&lwp->lwp_proc->p_lock);
	if (lwp->lwp_proc->p_unassigned)
		signals_assign(lwp->lwp_proc);
	set &= lwp->lwp_sigmask;
	return copyout(tf->tf_rdi, &set, tf->tf_rsi);
}

/** Another mask for the time of a call. The old one is back when a handler, if there is one, has returned (mask_restore). */
void mask_for_now(struct lwp *lwp, uint64_t mask)
{
	lwp->lwp_saved_sigmask = lwp->lwp_sigmask;
	lwp->lwp_restore_sigmask = true;
	mask_set(lwp, mask);
}

static long mask_sigsuspend(struct lwp *lwp, struct trapframe *tf)
{
	struct trapframe pause = {.tf_number = SYS_pause};
	uint64_t mask;

	if (tf->tf_rsi != 8)
		return -EINVAL;
	if (copyin(&mask, tf->tf_rdi, 8))
		return -EFAULT;
	mask_for_now(lwp, mask);
	if (lwp->lwp_proc->p_nlwps > 1 || (options.virtual_time && !lwp->lwp_proc->p_vforked_by)) /* the kernel knows no timer of virtual time */
		signals_pause(lwp);
	else
		program_pass(lwp, &pause);
	return -ERESTARTNOHAND;
}

/** ppoll, pselect6, epoll_pwait, epoll_pwait2, io_pgetevents: the call waits with a mask of its own at address `set`. */
static long with_mask(struct lwp *lwp, struct trapframe *tf, uint64_t set, uint64_t size)
{
	uint64_t mask;
	long result;

	if (!set)
		return NOT_HANDLED;
	if (size != 8 || copyin(&mask, set, 8))
		return program_pass(lwp, tf); /* the kernel says what is wrong first */
	mask_for_now(lwp, mask);
	result = program_wait(lwp, tf);
	if (!lwp->lwp_restore_sigmask)
		return result;
	if (result == -EINTR || is_restart(result))
		return -ERESTARTNOHAND; /* a signal that only this mask lets through ends the call, even before it was made: the mask stays until it is delivered */
	mask_restore(lwp);
	return result;
}

static long mask_ppoll(struct lwp *lwp, struct trapframe *tf)
{
	return with_mask(lwp, tf, tf->tf_r10, tf->tf_r8);
}

static long mask_epoll_pwait(struct lwp *lwp, struct trapframe *tf)
{
	return with_mask(lwp, tf, tf->tf_r8, tf->tf_r9);
}

/** The mask and its size stand in memory, as there is no seventh register. */
static long mask_pselect(struct lwp *lwp, struct trapframe *tf)
{
	uint64_t place[2];

	if (!tf->tf_r9)
		return with_mask(lwp, tf, 0, 0);
	if (copyin(place, tf->tf_r9, sizeof(place)))
		return program_pass(lwp, tf);
	return with_mask(lwp, tf, place[0], place[1]);
}

/** The first of these signals that waits here: for the lwp, or for its process. */
static struct pending *take_waiting(struct lwp *lwp, uint64_t set)
{
	struct proc *proc = lwp->lwp_proc;
	struct pending *pending;

	lwkt_word_lock(&proc->p_lock);
	pending = pending_next(lwp, set, set);
	lwkt_word_unlock(&proc->p_lock);
	if (proc->p_unassigned || proc->p_pending) /* this lwp was told of all, and takes one */
		signals_assign(proc);
	return pending;
}

/** Whoever waits for a signal blocks it, and mostly all do: then it waits in the kernel, which is asked if there is none here. One that is sent to the
 *  lwp itself meanwhile ends that. */
static long mask_sigtimedwait(struct lwp *lwp, struct trapframe *tf)
{
	struct pending *pending;
	uint64_t set;
	long sig;

	if (tf->tf_r10 != 8)
		return -EINVAL;
	if (copyin(&set, tf->tf_rdi, 8))
		return -EFAULT;
	pending = take_waiting(lwp, set);
	if (!pending) {
		lwp->lwp_sigwait = set;
		__atomic_fetch_add(&lwp->lwp_proc->p_nsigwaits, 1, __ATOMIC_SEQ_CST);
		sig = program_wait(lwp, tf);
		__atomic_fetch_sub(&lwp->lwp_proc->p_nsigwaits, 1, __ATOMIC_SEQ_CST);
		lwp->lwp_sigwait = 0;
		if (sig > 0)
			signalfd_taken(tf->tf_rsi);
		pending = sig > 0 ? NULL : take_waiting(lwp, set);
		if (!pending)
			return sig;
	}
	sig = pending->info.si_signo;
	if (tf->tf_rsi && copyout(tf->tf_rsi, &pending->info, sizeof(pending->info)))
		sig = -EFAULT;
	pending_free(pending);
	pending_release(lwp->lwp_proc);
	return sig;
}

const struct call_entry mask_calls[] = {
	{SYS_rt_sigprocmask, mask_sigprocmask},
	{SYS_rt_sigpending, mask_sigpending},
	{SYS_rt_sigsuspend, mask_sigsuspend},
	{SYS_rt_sigtimedwait, mask_sigtimedwait},
	{SYS_ppoll, mask_ppoll},
	{SYS_pselect6, mask_pselect},
	{SYS_epoll_pwait, mask_epoll_pwait},
	{SYS_epoll_pwait2, mask_epoll_pwait},
	{0},
};
