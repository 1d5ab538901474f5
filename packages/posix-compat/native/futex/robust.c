/*
 * robust.c - mutexes whose holder ends: the list that each lwp has told of (set_robust_list; Documentation/locking/robust-futexes.rst) is walked when it
 * does, and whoever waits for one of them is told: in libcr, or in the kernel, which may be another process.
 *
 * The kernel knows the main lwp's list as well, whose tid is its own, and walks it if the process is killed. Nobody does so for those of the others then.
 */
#include "posix.h"

#include <linux/futex.h>

#define LIST_MAX 2048 /* entries: a list that is broken may have no end */

static void release(const struct lwp *lwp, uint64_t address, bool inherits)
{
	uint32_t seen, old;

	if (!address || (address & 3) || user_load32((uint32_t *)address, &seen))
		return;
	do {
		old = seen;
		if ((old & FUTEX_TID_MASK) != (uint32_t)lwp->lwp_tid)
			return;
		if (user_swap32((uint32_t *)address, &seen, (old & FUTEX_WAITERS) | FUTEX_OWNER_DIED))
			return;
	} while (seen != old);
	if ((old & FUTEX_WAITERS) && !futex_wake(address, 1, ~0u))
		kernel_call(SYS_futex, address, FUTEX_WAKE, inherits ? INT32_MAX : 1, NULL, NULL, 0); /* those try again (futex/pi.c) */
}

void robust_release(struct lwp *lwp)
{
	struct {
		uint64_t next, offset, pending;
	} head;
	uint64_t entry;
	bool inherits; /* bit 0 of what leads to an entry */

	if (!lwp->lwp_robust_list || copyin(&head, lwp->lwp_robust_list, sizeof(head)))
		return;
	entry = head.next & ~1ull;
	inherits = head.next & 1;
	for (int i = 0; i < LIST_MAX && entry != lwp->lwp_robust_list; i++) {
		uint64_t next;

		if (copyin(&next, entry, 8))
			break;
		if (entry != (head.pending & ~1ull))
			release(lwp, entry + head.offset, inherits);
		entry = next & ~1ull;
		inherits = next & 1;
	}
	if (head.pending)
		release(lwp, (head.pending & ~1ull) + head.offset, head.pending & 1);
}

static bool is_empty(const struct lwp *lwp)
{
	uint64_t words[3]; /* next, offset, pending */

	return !lwp->lwp_robust_list || copyin(words, lwp->lwp_robust_list, sizeof(words)) || (words[0] == lwp->lwp_robust_list && !words[2]);
}

/** All of a process that ends. The other rforks stand still from then on: who gets a mutex must not meet its owner still at work. */
static void release_all(struct proc *proc)
{
	const struct lwp *owner;

	if (proc->p_vforked_by) /* its mutexes are its parent's */
		return;
	lwkt_word_lock(&proc->p_lock);
	for (owner = proc->p_lwps; owner && is_empty(owner); owner = owner->lwp_next)
		;
	lwkt_word_unlock(&proc->p_lock);
	if (!owner)
		return;
	rfork_forks(true);
	for (struct lwp *lwp = proc->p_lwps; lwp; lwp = lwp->lwp_next)
		robust_release(lwp);
}

static call_handler below_exit_group;

static long robust_exit_group(struct lwp *lwp, struct trapframe *tf)
{
	release_all(lwp->lwp_proc);
	return below_exit_group(lwp, tf);
}

static long robust_set(struct lwp *lwp, struct trapframe *tf)
{
	if (tf->tf_rsi != 24)
		return -EINVAL;
	lwp->lwp_robust_list = tf->tf_rdi;
	return lwp->lwp_proc->p_nlwps == 1 && lwp->lwp_tid == lwp->lwp_proc->p_pid ? program_pass(lwp, tf) : 0;
}

/** An lwp's of this process; the kernel has those of other processes. */
static long robust_get(struct lwp *lwp, struct trapframe *tf)
{
	struct proc *proc = lwp->lwp_proc;
	uint64_t head = lwp->lwp_robust_list;
	struct lwp *other;

	if (tf->tf_rdi && (int)tf->tf_rdi != lwp->lwp_tid) {
		lwkt_word_lock(&proc->p_lock);
		other = lwp_find(proc, (int)tf->tf_rdi);
		head = other ? other->lwp_robust_list : 0;
		lwkt_word_unlock(&proc->p_lock);
		if (!other)
			return program_pass(lwp, tf);
	}
	return copyout(tf->tf_rdx, &(uint64_t){24}, 8) ?: copyout(tf->tf_rsi, &head, 8);
}

const struct call_entry robust_calls[] = {
	{SYS_set_robust_list, robust_set},
	{SYS_get_robust_list, robust_get},
	{SYS_exit_group, robust_exit_group, &below_exit_group},
	{0},
};
