/*
 * main.c - what the launcher is made of: libcr (core), the front door (syscalls), signals, and lwps. Each puts its handlers into the one table.
 */
#include "posix.h"
#include "own.h"

/** Before the program goes on. */
static void look(struct lwp *lwp, struct trapframe *tf, uint32_t ast)
{
	if (ast & AST_RESCHED) {
		rfork_look_thoroughly();
		lwkt_pass_end(); /* thread0 looks at the time, and at what has come */
		lwkt_yield();
	}
	lwkt_take_interrupt(); /* it has come this far */
	if ((ast & AST_FS) || lwp->lwp_ast_fs) { /* also if it has just been switched to. First: a signal may end the process, and its core has %fs */
		lwp->lwp_ast_fs = 0;
		rfork_self()->rf_nswitches++;
		fs_load(lwp);
	}
	if (ast & AST_SIGNAL)
		signals_deliver(lwp, tf);
}

/** An lwp has a signal to take. Its thread is held: it may end meanwhile. */
static void *wake(struct lwp *lwp)
{
	lwp_notify(lwp, AST_SIGNAL);
	if (lwp == curlwp())
		return NULL;
	lwkt_hold(lwp->lwp_td);
	return lwp->lwp_td;
}

static void woken(void *td)
{
	globaldata_t gd = ((lwkt_thread_t)td)->td_gd;

	lwkt_interrupt(td);
	rfork_interrupt(gd); /* it may be computing there */
	lwkt_rele(td);
}

static void apply_mask(void *proc)
{
	mask_apply(proc);
}

void mask_changed_soon(struct proc *proc)
{
	if (proc->p_vforked_by || rfork_self() == rfork_leader)
		mask_apply(proc);
	else
		lwkt_send_ipiq(rfork_leader->rf_gd, apply_mask, proc, NULL);
}

/** The leader's is the process' mask; the other rforks block all. A child of vfork has a kernel thread of its own. */
static void mask_changed(struct proc *proc)
{
	const uint64_t all = ~SIGNALS_OURS;
	uint64_t seq;

	if (proc->p_vforked_by || rfork_self() == rfork_leader) {
		mask_apply(proc);
		return;
	}
	kernel_call(SYS_rt_sigprocmask, SIG_SETMASK, &all, NULL, 8); /* an execve may have been tried */
	if (!lwkt_send_ipiq(rfork_leader->rf_gd, apply_mask, proc, &seq)) {
		rfork_interrupt(rfork_leader->rf_gd);
		lwkt_wait_ipiq(rfork_leader->rf_gd, seq);
	}
}

static void refresh(struct lwp *lwp)
{
	struct proc *proc = lwp->lwp_proc;

	if (proc->p_stale & STALE_MASK) {
		__atomic_fetch_and(&proc->p_stale, ~STALE_MASK, __ATOMIC_SEQ_CST);
		mask_changed(proc);
	}
	if ((proc->p_stale & STALE_TICK) && proc->p_nlwps == 1)
		tick_stop();
}

static void wait_for_signal(struct lwp *lwp)
{
	const bool never = false;

	while (!lwp_wait(lwp, "signal", &never))
		;
}

/** In a child: the kernel's mask is what its one lwp blocks. */
static void vforked(struct lwp *lwp)
{
	sched_forked(lwp);
	mask_first(lwp);
}

static void forked(struct lwp *lwp)
{
	rfork_forked();
	thread_forked(lwp);
	cputime_forked(lwp);
	timers_forked();
	pending_forked(lwp);
	vforked(lwp);
}

/** From start.S, on what becomes thread0's stack. */
void launcher_main(uint64_t *stack)
{
	static const struct call_entry *const tables[] = {process_calls, self_calls,   own_calls,         exec_calls,   fork_calls,        thread_calls, /* in front of fork's */
	                                                  fs_calls,      futex_calls,  futex_later_calls, robust_calls, credentials_calls, wait_calls,
	                                                  sched_calls,   cputime_calls, timers_calls,     folder_calls, traced_calls, NULL};
	char **environment = (char **)(stack + 1) + stack[0] + 1;
	struct trapframe tf;
	struct lwp *first;

	if (lwkt_cpu_init())
		program_fail(125, "", "there is no memory");
	first = lwp_new(&program_proc, 0);
	process_begin(first);
	for (unsigned i = 0; tables[i]; i++)
		program_handle(tables[i]);
	lwkt_os_bell_place = own_move;
	lwkt_os_bell_close = own_close;
	program_look = look;
	program_refresh = refresh;
	program_forked = forked;
	program_vforked = vforked;
	program_proc_path = task_path;
	signals_wake = wake;
	signals_woken = woken;
	signals_mask_changed = mask_changed;
	signals_mask_soon = mask_changed_soon;
	program_forks = rfork_forks;
	signals_pause = wait_for_signal;
	rfork_leader = rfork_self();
	signals_begin(first);
	vectors_find();
	fs_find(environment);
	cputime_start();
	futex_forked(); /* its queues are empty */
	wait_begin(environment);
	program_load(stack, &tf);
	signals_trace(&program_proc);
	rfork_begin(&tf);
}
