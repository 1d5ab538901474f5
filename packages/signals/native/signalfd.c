/*
 * signalfd.c - signalfds of the program's: they are the kernel's, which shows what it has. What lwps send to each other it does not see: so a signal that a
 * signalfd of the process may be read for, and that all lwps block, waits in the kernel as one of the process'. It says for whom it is, and is that lwp's when it comes.
 *
 * Not exact where there are several lwps: the signalfd, sigwait and sigpending of another one find it, too. Signalfds that a program has inherited over execve, or was
 * handed by another process, are not known.
 */
#include "signals.h"

static uint64_t watched; /* signals for which there has been one: by atomic operations */

static bool is_held_by_kernel(const struct proc *proc, uint64_t bit)
{
	return (proc->p_kernel_told & proc->p_kernel_mask & bit) && !proc->p_vforked_by;
}

/** Under p_lock. Whether it waits in the kernel now. */
bool signalfd_takes(const struct lwp *lwp, const siginfo_t *info)
{
	const struct proc *proc = lwp->lwp_proc;
	const uint64_t bit = SIGNAL_BIT(info->si_signo);
	siginfo_t sent;

	if (!(__atomic_load_n(&watched, __ATOMIC_RELAXED) & bit) || info->si_code != SI_TKILL || !is_held_by_kernel(proc, bit) || proc->p_nsigwaits)
		return false;
	memcpy(&sent, info, sizeof(sent));
	sent.si_value.sival_int = lwp == proc->p_main ? 0 : lwp->lwp_tid;
	return kernel_call(SYS_rt_sigqueueinfo, proc->p_pid, info->si_signo, &sent) == 0;
}

/** Under p_lock: whose a signal is that says SI_TKILL, and has come from the kernel. NULL: the one that was meant has ended. */
struct lwp *signalfd_lwp(struct proc *proc, siginfo_t *info)
{
	const int tid = info->si_value.sival_int;
	struct lwp *lwp = proc->p_main;

	if (!tid)
		return lwp;
	info->si_value.sival_ptr = NULL;
	for (lwp = proc->p_lwps; lwp && lwp->lwp_tid != tid; lwp = lwp->lwp_next)
		;
	return lwp;
}

void signalfd_taken(uint64_t address)
{
	siginfo_t info;

	if (!address || !__atomic_load_n(&watched, __ATOMIC_RELAXED) || copyin(&info, address, sizeof(info)) || info.si_code != SI_TKILL)
		return;
	info.si_value.sival_ptr = NULL;
	copyout(address, &info, sizeof(info));
}

/** What has been sent to the caller before. */
static void hand_over(struct lwp *lwp, uint64_t signals)
{
	struct proc *proc = lwp->lwp_proc;
	struct pending *first = NULL, *pending;

	lwkt_word_lock(&proc->p_lock);
	while ((pending = pending_take(&lwp->lwp_pending, signals & lwp->lwp_sigmask))) {
		if (signalfd_takes(lwp, &pending->info)) {
			pending_free(pending);
			continue;
		}
		pending->next = first;
		first = pending;
	}
	while ((pending = first)) {
		first = pending->next;
		pending->next = lwp->lwp_pending;
		lwp->lwp_pending = pending;
	}
	lwkt_word_unlock(&proc->p_lock);
}

static long signalfd_make(struct lwp *lwp, struct trapframe *tf)
{
	uint64_t signals;
	long fd = program_pass(lwp, tf);

	if (fd < 0 || copyin(&signals, tf->tf_rsi, 8))
		return fd;
	__atomic_fetch_or(&watched, signals, __ATOMIC_RELAXED);
	if (lwp->lwp_pending)
		hand_over(lwp, signals);
	return fd;
}

const struct call_entry signalfd_calls[] = {
	{SYS_signalfd, signalfd_make},
	{SYS_signalfd4, signalfd_make},
	{0},
};
