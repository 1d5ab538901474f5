/*
 * lwp.c - an lwp's birth, its waits and its end (DragonFly: lwp_create, lwp_exit).
 */
#include "posix.h"
#include "schedule.h"

#define FRAME_MARGIN 512 /* bytes between an lwp's first C function and its kernel stack's end, as entry.S sees it */

void (*lwp_switch)(struct lwkt_context *from, struct lwkt_context *to);

struct lwp *lwp_new(struct proc *proc, int tid)
{
	struct lwp *lwp = lwkt_os_alloc(sizeof(*lwp) + sizeof(struct fault) + sizeof(struct trapframe));

	if (!lwp)
		return NULL;
	lwp->lwp_tid = tid;
	lwp->lwp_proc = proc;
	lwp->lwp_fault = (struct fault *)(lwp + 1);
	return lwp;
}

/** What a new lwp begins with: behind it, until it has a kernel stack. */
static struct trapframe *start_of(struct lwp *lwp)
{
	return (struct trapframe *)(lwp->lwp_fault + 1);
}

/** The thread's function, on the kernel stack. What lies above stays there until the lwp ends; each entry begins below. */
static void lwp_main(void *arg)
{
	struct lwp *lwp = arg;

	lwp->lwp_kstack = (char *)(((uintptr_t)__builtin_frame_address(0) - FRAME_MARGIN) & ~63ul);
	lwp->lwp_kstack_base = lwkt_stack_base(lwkt_curthread());
	lwp->lwp_ast_fs = 1;
	cputime_comes(lwp);
	record_lwp_begins(lwp);
	schedule_arrives();
	memcpy(lwp->lwp_kstack - TF_SIZE, start_of(lwp), TF_SIZE); /* last: what is called here has its frames there */
	program_enter((struct trapframe *)(lwp->lwp_kstack - TF_SIZE));
}

int lwp_start(struct lwp *lwp, const struct trapframe *tf)
{
	struct lwkt_create_args args = {
		.name = "lwp", .stack_size = vectors_stack_size(), .priority = TDPRI_USER, .data = lwp, .swtch = schedule_is_seeded ? schedule_switch : cputime_switch, .fpcontrol = lwkt_fpcontrol(),
		.flags = options.rforks > 1 ? TDF_MIGRATABLE : 0};
	int error;

	*start_of(lwp) = *tf;
	schedule_born(lwp);
	error = lwkt_create(lwp_main, lwp, (lwkt_thread_t *)&lwp->lwp_td, &args); /* it may run elsewhere before this returns */
	rfork_self()->rf_nlwps += !error;
	return error;
}

struct lwp *lwp_find(const struct proc *proc, int tid)
{
	struct lwp *lwp;

	for (lwp = proc->p_lwps; lwp && lwp->lwp_tid != tid; lwp = lwp->lwp_next)
		;
	return lwp;
}

bool lwp_exists(struct proc *proc, int tid)
{
	bool exists;

	lwkt_word_lock(&proc->p_lock);
	exists = lwp_find(proc, tid) != NULL;
	lwkt_word_unlock(&proc->p_lock);
	return exists;
}

bool lwp_wait(struct lwp *lwp, const char *wmesg, const bool *over)
{
	rfork_look();
	if (*(const volatile bool *)over)
		return false;
	if (lwp->lwp_deaf) {
		lwkt_wait_once(wmesg);
		return false;
	}
	if (!(lwp->lwp_ast & AST_SIGNAL)) {
		turn_waits(lwp);
		lwkt_wait_once(wmesg);
		lwkt_take_interrupt();
	}
	if (!(lwp->lwp_ast & AST_SIGNAL))
		return false;
	__atomic_fetch_and(&lwp->lwp_ast, ~(uint32_t)AST_SIGNAL, __ATOMIC_SEQ_CST); /* first: what comes from here on sets it again */
	if (!signals_due(lwp))
		return false;
	lwp_notify(lwp, AST_SIGNAL); /* it is to be taken, whatever the call answers */
	return true;
}

void lwp_link(struct proc *proc, struct lwp *lwp)
{
	bool second, changed;

	lwkt_word_lock(&proc->p_lock);
	lwp->lwp_next = proc->p_lwps;
	lwp->lwp_place = &proc->p_lwps;
	if (lwp->lwp_next)
		lwp->lwp_next->lwp_place = &lwp->lwp_next;
	proc->p_lwps = lwp;
	second = proc->p_nlwps == 1;
	__atomic_store_n(&proc->p_nlwps, proc->p_nlwps + 1, __ATOMIC_SEQ_CST);
	if (proc->p_stale & STALE_TICK)
		__atomic_fetch_and(&proc->p_stale, ~STALE_TICK, __ATOMIC_SEQ_CST);
	changed = mask_begins(lwp);
	lwkt_word_unlock(&proc->p_lock);
	if (changed)
		signals_mask_changed(proc);
	if (second)
		tick_start();
}

unsigned lwp_unlink(struct lwp *lwp)
{
	struct proc *proc = lwp->lwp_proc;
	struct pending *pending;
	bool changed = false;
	unsigned left;

	lwkt_word_lock(&proc->p_lock);
	left = proc->p_nlwps - 1;
	if (left) {
		if (left == 1)
			__atomic_fetch_or(&proc->p_stale, STALE_TICK, __ATOMIC_SEQ_CST);
		__atomic_store_n(&proc->p_nlwps, left, __ATOMIC_SEQ_CST);
		*lwp->lwp_place = lwp->lwp_next;
		if (lwp->lwp_next)
			lwp->lwp_next->lwp_place = lwp->lwp_place;
		if (proc->p_main == lwp)
			proc->p_main = NULL;
		changed = mask_ends(lwp);
	}
	while ((pending = pending_take(&lwp->lwp_pending, ~0ull)))
		pending_free(pending);
	lwkt_word_unlock(&proc->p_lock);
	if (changed && left == 1)
		mask_changed_soon(proc);
	else if (changed)
		signals_mask_changed(proc);
	return left;
}

void lwp_exit(struct lwp *lwp, int status)
{
	struct proc *proc = lwp->lwp_proc;
	uint64_t clear = lwp->lwp_clear_tid;

	unsigned left;

	robust_release(lwp);
	left = lwp_unlink(lwp);
	if (!left)
		program_exit(status);
	pi_exit(proc, lwp->lwp_tid);
	if (lwp->lwp_ast & AST_SIGNAL)
		signals_assign(proc); /* it might have taken one that is the process' */
	set_curlwp(NULL);
	lwkt_os_free(lwp->lwp_trace);
	lwkt_os_free(lwp->lwp_record);
	sched_end(lwp);
	lwkt_os_free(lwp);
	if (clear && !user_store32((uint32_t *)clear, 0)) { /* from here on its user stack may be gone, and its thread-local storage */
		futex_wake(clear, 1, ~0u);
		futex_wake_in_kernel(clear);
	}
	lwkt_exit();
	__builtin_unreachable();
}
