/* process.c - invariants of the process (check.c says which): its lwps, what they block, what waits for them. Who knows of that: noticed.c. */
#include "check.h"

#define IN_HANDS 2 /* of each kernel thread: a handler may have interrupted libcr */

static struct proc *lock(const struct delivery *d)
{
	lwkt_word_lock(&d->lwp->lwp_proc->p_lock);
	return d->lwp->lwp_proc;
}

static void unlock(struct proc *proc)
{
	lwkt_word_unlock(&proc->p_lock);
}

/* ---------------------------------------------------------------- lwps */

static void lwps_linked(const struct delivery *d)
{
	struct proc *proc = lock(d);
	struct lwp **place = &proc->p_lwps;

	for EACH_LWP(lwp, proc) {
		HOLDS(lwp->lwp_place == place, "lwp %d's place is %p, and it is in %p", lwp->lwp_tid, (void *)lwp->lwp_place, (void *)place);
		HOLDS(lwp->lwp_proc == proc, "lwp %d is another process'", lwp->lwp_tid);
		place = &lwp->lwp_next;
	}
	unlock(proc);
}

static bool spoil_lwps_linked(const struct delivery *d)
{
	d->lwp->lwp_place = NULL;
	return true;
}

static void lwps_counted(const struct delivery *d)
{
	struct proc *proc = lock(d);
	unsigned n = 0, is_main = 0, is_this = 0;

	for EACH_LWP(lwp, proc) {
		n++;
		is_main += lwp == proc->p_main;
		is_this += lwp == d->lwp;
	}
	HOLDS(n == proc->p_nlwps, "%u lwps are counted as %u", n, proc->p_nlwps);
	HOLDS(is_main == (proc->p_main != NULL), "the main lwp is there %u times", is_main);
	HOLDS(is_this == 1, "the lwp that runs is there %u times", is_this);
	unlock(proc);
}

static bool spoil_lwps_counted(const struct delivery *d)
{
	d->lwp->lwp_proc->p_nlwps++;
	return true;
}

/* ---------------------------------------------------------------- masks */

static void masks_legal(const struct delivery *d)
{
	struct proc *proc = lock(d);

	for EACH_LWP(lwp, proc)
		HOLDS(!(lwp->lwp_sigmask & SIGNALS_UNBLOCKABLE), "lwp %d blocks 0x%lx", lwp->lwp_tid, (unsigned long)lwp->lwp_sigmask);
	unlock(proc);
}

static bool spoil_masks_legal(const struct delivery *d)
{
	d->lwp->lwp_sigmask |= SIGNAL_BIT(SIGKILL);
	return true;
}

static void masks_counted(const struct delivery *d)
{
	struct proc *proc = lock(d);
	uint64_t digits[BLOCKED_DIGITS] = {0};

	for EACH_LWP(lwp, proc) {
		uint64_t carry = lwp->lwp_sigmask;

		for (unsigned i = 0; carry && i < BLOCKED_DIGITS; i++) {
			uint64_t next = digits[i] & carry;

			digits[i] ^= carry;
			carry = next;
		}
	}
	for (unsigned i = 0; i < BLOCKED_DIGITS; i++)
		HOLDS(digits[i] == proc->p_blocked_by[i], "digit %u is 0x%lx, and the lwps' masks have 0x%lx", i, (unsigned long)proc->p_blocked_by[i],
		      (unsigned long)digits[i]);
	unlock(proc);
}

static bool spoil_masks_counted(const struct delivery *d)
{
	d->lwp->lwp_proc->p_blocked_by[0] ^= SIGNAL_BIT(SIGUSR1);
	return true;
}

static void mask_common(const struct delivery *d)
{
	struct proc *proc = lock(d);
	uint64_t common = ~SIGNALS_OURS;

	for EACH_LWP(lwp, proc)
		common &= lwp->lwp_sigmask;
	HOLDS(proc->p_kernel_mask == common, "0x%lx is what the kernel is to block, and all lwps block 0x%lx", (unsigned long)proc->p_kernel_mask, (unsigned long)common);
	unlock(proc);
}

static bool spoil_mask_common(const struct delivery *d)
{
	d->lwp->lwp_proc->p_kernel_mask |= SIGNAL_BIT(SIGURG);
	return true;
}

/** On the leader handlers may add to what is held, in the kernel and here, and other rforks may take away here what the kernel is told of later. */
static void mask_of_kernel(const struct delivery *d)
{
	struct proc *proc = d->lwp->lwp_proc;
	bool is_leader = rfork_self() == rfork_leader;
	uint64_t held = __atomic_load_n(&proc->p_held, __ATOMIC_SEQ_CST), mask = 0, told, wanted;

	kernel_call(SYS_rt_sigprocmask, SIG_BLOCK, NULL, &mask, 8);
	told = is_leader ? __atomic_load_n(&proc->p_kernel_told, __ATOMIC_SEQ_CST) : ~SIGNALS_OURS;
	wanted = (told | (is_leader ? held & __atomic_load_n(&proc->p_held, __ATOMIC_SEQ_CST) : 0)) & ~SIGNALS_UNBLOCKABLE;
	HOLDS((mask & wanted) == wanted, "the kernel blocks 0x%lx, and was told 0x%lx, with 0x%lx held", (unsigned long)mask, (unsigned long)told, (unsigned long)held);
	HOLDS(!(mask & SIGNALS_OURS), "the kernel blocks 0x%lx, of which libcr needs 0x%lx", (unsigned long)mask, (unsigned long)(mask & SIGNALS_OURS));
}

static bool spoil_mask_of_kernel(const struct delivery *d)
{
	const uint64_t ours = SIGNAL_BIT(SIGSTKFLT);

	(void)d;
	return !kernel_call(SYS_rt_sigprocmask, SIG_BLOCK, &ours, NULL, 8);
}

/* ---------------------------------------------------------------- what waits */

/** Of a list: what it has of the pool, of real-time signals, and from outside, is added to *n. */
static void look_at_list(const struct pending *list, const char *whose, bool is_sorted, struct pending_counts *n)
{
	uint64_t standard = 0;

	for (; list; list = list->next) {
		int sig = list->info.si_signo;

		HOLDS(sig >= 1 && sig <= SIGNALS, "%s has signal %d", whose, sig);
		HOLDS(!pending_is_pooled(list) || list->used, "%s has an element of the pool that is free, signal %d", whose, sig);
		HOLDS(!is_sorted || sig >= REALTIME || !(standard & SIGNAL_BIT(sig)), "%s has signal %d twice", whose, sig);
		standard |= SIGNAL_BIT(sig);
		n->pool += pending_is_pooled(list);
		n->queued += sig >= REALTIME;
		n->outside[sig] += list->outside;
	}
}

static void look_at_all(struct proc *proc, struct pending_counts *n)
{
	look_at_list(__atomic_load_n(&proc->p_incoming, __ATOMIC_SEQ_CST), "what has come", false, n);
	look_at_list(proc->p_pending, "the process", true, n);
	for EACH_LWP(lwp, proc)
		look_at_list(lwp->lwp_pending, "an lwp", true, n);
}

static void pending_legal(const struct delivery *d)
{
	struct pending_counts n = {0};
	struct proc *proc = lock(d);

	look_at_all(proc, &n);
	unlock(proc);
}

static bool spoil_pending_legal(const struct delivery *d)
{
	struct pending *pending = d->lwp->lwp_proc->p_pending ? d->lwp->lwp_proc->p_pending : d->lwp->lwp_pending;

	if (pending)
		pending->info.si_signo = SIGNALS + 1;
	return pending != NULL;
}

static unsigned kernel_threads(void)
{
	unsigned n = 0;

	for EACH_RFORK(rfork)
		n++;
	return n;
}

/**
 * What is in a list has been counted before it came there, and is until after it has been taken out. So what is counted afterwards is no less; and what was counted
 * before, and is in no list, was in somebody's hands. (Signals of vfork's children lie in lists of theirs, and are counted with these.)
 */
static void pending_counted(const struct delivery *d)
{
	struct proc *proc = lock(d);
	const unsigned hands = IN_HANDS * kernel_threads();
	struct pending_counts before = pending_counts, n = {0}, after;

	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	look_at_all(proc, &n);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	after = pending_counts;
	HOLDS(n.pool <= after.pool && before.pool <= n.pool + hands, "%u of the pool wait, and %u to %u are counted", n.pool, before.pool, after.pool);
	HOLDS(n.queued <= after.queued && before.queued <= n.queued + hands, "%u real-time signals wait, and %u to %u are counted", n.queued, before.queued, after.queued);
	for (int sig = 1; sig <= SIGNALS; sig++)
		HOLDS(n.outside[sig] <= after.outside[sig] && before.outside[sig] <= n.outside[sig] + hands, "%u of signal %d from outside wait, and %u to %u are counted",
		      n.outside[sig], sig, before.outside[sig], after.outside[sig]);
	unlock(proc);
}

static bool spoil_pending_counted(const struct delivery *d)
{
	(void)d;
	__atomic_fetch_add(&pending_counts.queued, 100000, __ATOMIC_SEQ_CST);
	return true;
}

const struct invariant process_invariants[] = {
	{"lwps-linked", lwps_linked, spoil_lwps_linked},
	{"lwps-counted", lwps_counted, spoil_lwps_counted},
	{"masks-legal", masks_legal, spoil_masks_legal},
	{"masks-counted", masks_counted, spoil_masks_counted},
	{"mask-common", mask_common, spoil_mask_common},
	{"mask-of-kernel", mask_of_kernel, spoil_mask_of_kernel},
	{"pending-legal", pending_legal, spoil_pending_legal},
	{"pending-counted", pending_counted, spoil_pending_counted},
	{0},
};
