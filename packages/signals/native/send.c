/*
 * send.c - signals to lwps of this process: the kernel does not know those. To processes, the kernel sends.
 */
#include "signals.h"

void *(*signals_wake)(struct lwp *lwp);
void (*signals_woken)(void *woken);

/** Under p_lock. *woken is for signals_woken, unless it is NULL. */
static long post(struct lwp *lwp, const siginfo_t *info, void **woken)
{
	int sig = info->si_signo;
	struct pending *pending;

	if (lwp->lwp_proc->p_sigacts[sig].act_handler == HANDLER_IGNORE && !(lwp->lwp_sigmask & SIGNAL_BIT(sig)))
		return 0;
	if ((lwp->lwp_sigmask & SIGNAL_BIT(sig)) && signalfd_takes(lwp, info))
		return 0;
	pending = pending_new(info);
	if (!pending)
		return -EAGAIN;
	pending_add(&lwp->lwp_pending, pending);
	lwp_notify(lwp, AST_SIGNAL);
	if (lwp != curlwp() && ((~lwp->lwp_sigmask | lwp->lwp_sigwait) & SIGNAL_BIT(sig)))
		*woken = signals_wake(lwp);
	return 0;
}

long signals_post(struct lwp *lwp, const siginfo_t *info)
{
	struct proc *proc = lwp->lwp_proc;
	void *woken = NULL;
	long error;

	lwkt_word_lock(&proc->p_lock);
	error = post(lwp, info, &woken);
	lwkt_word_unlock(&proc->p_lock);
	if (woken)
		signals_woken(woken);
	return error;
}

/** Under p_lock. */
static struct lwp *find(const struct proc *proc, int tid)
{
	struct lwp *lwp = proc->p_lwps;

	while (lwp && lwp->lwp_tid != tid)
		lwp = lwp->lwp_next;
	return lwp;
}

/** Whether the same timer's signal is there; then it has come more often: *overrun. Under p_lock. */
static bool has_overrun(struct pending *list, const siginfo_t *info, int *overrun)
{
	for (; list; list = list->next)
		if (list->info.si_code == SI_TIMER && list->info.si_timerid == info->si_timerid) {
			*overrun = list->info.si_overrun += info->si_overrun + 1;
			return true;
		}
	return false;
}

/** For the process. Under p_lock. */
static long add_for_process(struct proc *proc, const siginfo_t *info)
{
	struct pending *pending = pending_new(info);

	if (!pending)
		return -EAGAIN;
	pending_add(&proc->p_pending, pending);
	return 0;
}

int signals_post_timer(struct proc *proc, int tid, const siginfo_t *info)
{
	int overrun = info->si_overrun;
	void *woken = NULL;
	struct lwp *lwp;

	lwkt_word_lock(&proc->p_lock);
	pending_sort(proc);
	lwp = tid ? find(proc, tid) : NULL;
	if (lwp && !has_overrun(lwp->lwp_pending, info, &overrun))
		post(lwp, info, &woken);
	if (!tid && !has_overrun(proc->p_pending, info, &overrun))
		add_for_process(proc, info);
	lwkt_word_unlock(&proc->p_lock);
	if (woken)
		signals_woken(woken);
	if (!tid)
		signals_assign(proc);
	return overrun;
}

static long send(struct lwp *from, int tid, int sig, const siginfo_t *info)
{
	struct proc *proc = from->lwp_proc;
	void *woken = NULL;
	struct lwp *lwp;
	long error = 0;

	if (sig < 0 || sig > SIGNALS || tid <= 0)
		return -EINVAL;
	lwkt_word_lock(&proc->p_lock);
	lwp = find(proc, tid);
	if (!lwp)
		error = -ESRCH;
	else if (sig && !(SIGNALS_UNBLOCKABLE & SIGNAL_BIT(sig)))
		error = post(lwp, info, &woken);
	lwkt_word_unlock(&proc->p_lock);
	if (woken)
		signals_woken(woken);
	if (!error && sig && (SIGNALS_UNBLOCKABLE & SIGNAL_BIT(sig)))
		action_default(sig);
	return error;
}

static long send_kill(struct lwp *lwp, int tid, int sig)
{
	siginfo_t info;

	memset(&info, 0, sizeof(info));
	info.si_signo = sig;
	info.si_code = SI_TKILL;
	info.si_pid = lwp->lwp_proc->p_pid;
	info.si_uid = (uid_t)kernel_call(SYS_getuid);
	return send(lwp, tid, sig, &info);
}

static long send_tgkill(struct lwp *lwp, struct trapframe *tf)
{
	if ((int)tf->tf_rdi != lwp->lwp_proc->p_pid)
		return program_pass(lwp, tf);
	return send_kill(lwp, (int)tf->tf_rsi, (int)tf->tf_rdx);
}

static long send_tkill(struct lwp *lwp, struct trapframe *tf)
{
	long error = send_kill(lwp, (int)tf->tf_rdi, (int)tf->tf_rsi);

	return error == -ESRCH ? program_pass(lwp, tf) : error;
}

static long send_tgsigqueueinfo(struct lwp *lwp, struct trapframe *tf)
{
	siginfo_t info;

	if ((int)tf->tf_rdi != lwp->lwp_proc->p_pid)
		return program_pass(lwp, tf);
	if (copyin(&info, tf->tf_r10, sizeof(info)))
		return -EFAULT;
	info.si_signo = (int)tf->tf_rdx;
	return send(lwp, (int)tf->tf_rsi, (int)tf->tf_rdx, &info);
}

/** To this process, of a kind that libcr's handlers could take for a fault, or for libcr's own. All others the kernel sends. */
static long send_queueinfo(struct lwp *lwp, struct trapframe *tf)
{
	struct proc *proc = lwp->lwp_proc;
	int sig = (int)tf->tf_rsi;
	siginfo_t info;
	long error;

	if ((int)tf->tf_rdi != proc->p_pid || sig < 1 || sig > SIGNALS || !(SIGNALS_OURS & SIGNAL_BIT(sig)))
		return program_pass(lwp, tf);
	if (copyin(&info, tf->tf_rdx, sizeof(info)))
		return -EFAULT;
	info.si_signo = sig;
	lwkt_word_lock(&proc->p_lock);
	error = add_for_process(proc, &info);
	lwkt_word_unlock(&proc->p_lock);
	lwp_notify(lwp, AST_SIGNAL);
	signals_assign(proc);
	return error;
}

const struct call_entry send_calls[] = {
	{SYS_rt_sigqueueinfo, send_queueinfo},
	{SYS_tgkill, send_tgkill},
	{SYS_tkill, send_tkill},
	{SYS_rt_tgsigqueueinfo, send_tgsigqueueinfo},
	{0},
};
