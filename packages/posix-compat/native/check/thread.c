/* thread.c - invariants of the lwp that is delivered to, and of its thread (check.c says which). All of it is its own. */
#include "check.h"

#include <asm/prctl.h>

static void lwp_runs(const struct delivery *d)
{
	lwkt_thread_t td = d->gd->gd_curthread;
	const char *here = __builtin_frame_address(0), *base = lwkt_stack_base(td);

	HOLDS(td == d->lwp->lwp_td && td->td_data == d->lwp, "%p runs, which is lwp %p's, and not %p of %p", (void *)td, td->td_data, d->lwp->lwp_td, (void *)d->lwp);
	HOLDS(owner_of(td) == d->gd, "it runs on the rfork %p, and belongs to %p", (void *)d->gd, (void *)owner_of(td));
	HOLDS((td->td_flags & (TDF_RUNNING | TDF_RUNQ | TDF_EXITING | TDF_MIGRATING | TDF_FRESH)) == (TDF_RUNNING | TDF_RUNQ), "it runs with the flags 0x%x", td->td_flags);
	HOLDS(d->lwp->lwp_kstack_base == base && here > base && here < d->lwp->lwp_kstack && d->lwp->lwp_kstack <= (char *)lwkt_stack_end(td),
	      "it stands at %p, its kernel stack is %p to %p, and its thread's %p to %p", (const void *)here, (void *)d->lwp->lwp_kstack_base, (void *)d->lwp->lwp_kstack,
	      (const void *)base, lwkt_stack_end(td));
	HOLDS((char *)d->tf == d->lwp->lwp_kstack - TF_SIZE, "the frame is at %p, and the kernel stack ends at %p", (void *)d->tf, (void *)d->lwp->lwp_kstack);
}

static bool spoil_lwp_runs(const struct delivery *d)
{
	d->lwp->lwp_td = NULL;
	return true;
}

static void waits_for_nothing(const struct delivery *d)
{
	const struct lwkt_thread *td = d->gd->gd_curthread;

	HOLDS(!td->td_timer.tm_link && !td->td_timer.tm_deadline && !(td->td_flags & TDF_TIMEOUT), "it is in a timed section, until %llu, with the flags 0x%x",
	      (unsigned long long)td->td_timer.tm_deadline, td->td_flags);
	HOLDS(!td->td_pins && !(td->td_flags & TDF_PINNED), "it is pinned %u times, with the flags 0x%x", td->td_pins, td->td_flags);
	HOLDS(!td->td_critcount, "it is in %d critical sections", td->td_critcount);
	HOLDS(!td->td_toks && !(td->td_flags & TDF_TOKWAIT), "it has tokens");
	HOLDS(!td->td_wmesg, "it waits for %s", td->td_wmesg);
	HOLDS(!d->lwp->lwp_sigwait, "it waits for the signals 0x%lx", (unsigned long)d->lwp->lwp_sigwait);
}

static bool spoil_waits_for_nothing(const struct delivery *d)
{
	d->gd->gd_curthread->td_pins++;
	return true;
}

static void own_priority(const struct delivery *d)
{
	const lwkt_thread_t td = d->gd->gd_curthread;

	HOLDS(td->td_pri == TDPRI_SIGNAL || td->td_pri == turn_priority(d->lwp), "its priority is %d, and its slice is %s", td->td_pri, d->lwp->lwp_expired ? "over" : "not over");
}

static bool spoil_own_priority(const struct delivery *d)
{
	if (d->gd->gd_curthread->td_pri == TDPRI_SIGNAL)
		return false;
	d->lwp->lwp_expired = !d->lwp->lwp_expired;
	return true;
}

static void delivered(const struct delivery *d)
{
	const struct lwp *lwp = d->lwp;
	uint64_t left;

	if (!d->over)
		return;
	lwkt_word_lock(&lwp->lwp_proc->p_lock);
	left = pending_set(lwp->lwp_pending) & ~lwp->lwp_sigmask;
	HOLDS(!left || (__atomic_load_n(&lwp->lwp_ast, __ATOMIC_SEQ_CST) & AST_SIGNAL), "it goes on, and has 0x%lx to take", (unsigned long)left);
	lwkt_word_unlock(&lwp->lwp_proc->p_lock);
	HOLDS(!lwp->lwp_restore_sigmask, "it goes on with a call's mask, 0x%lx", (unsigned long)lwp->lwp_sigmask);
}

static bool spoil_delivered(const struct delivery *d)
{
	if (d->over)
		d->lwp->lwp_restore_sigmask = true;
	return d->over;
}

static void fs_loaded(const struct delivery *d)
{
	uint64_t fs = 0;

	if (!d->over)
		return;
	kernel_call(SYS_arch_prctl, ARCH_GET_FS, &fs);
	HOLDS(fs == d->lwp->lwp_fs && rfork_self()->rf_fs == fs, "%%fs is 0x%lx, the lwp's is 0x%lx, and its rfork takes it for 0x%lx", (unsigned long)fs,
	      (unsigned long)d->lwp->lwp_fs, (unsigned long)rfork_self()->rf_fs);
}

static bool spoil_fs_loaded(const struct delivery *d)
{
	if (d->over)
		rfork_self()->rf_fs = 0;
	return d->over;
}

const struct invariant thread_invariants[] = {
	{"lwp-runs", lwp_runs, spoil_lwp_runs},
	{"lwp-waits-for-nothing", waits_for_nothing, spoil_waits_for_nothing},
	{"lwp-priority", own_priority, spoil_own_priority},
	{"delivered", delivered, spoil_delivered},
	{"fs-loaded", fs_loaded, spoil_fs_loaded},
	{0},
};
