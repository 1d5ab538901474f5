/*
 * main.c - what the launcher is made of: libcr (core), the front door (syscalls), signals, and lwps. Each puts its handlers into the one table.
 */
#include "posix.h"
#include "own.h"
#include "schedule.h"

#include "descriptor/descriptor.h"

/** Others run first: those that are to take a signal, or all. */
static void step_back(struct lwp *lwp, uint32_t ast)
{
	if ((ast & AST_SIGNAL) && signals_due(lwp))
		lwkt_setpri(lwkt_curthread(), TDPRI_SIGNAL);
	if (ast & AST_RESCHED) {
		turn_is_over(lwp);
		if (options.virtual_time)
			alarm_fire(); /* time may have moved for those that wait (schedule/watch.c) */
		rfork_look_thoroughly();
		lwkt_pass_end(); /* thread0 looks at the time, and at what has come */
		lwkt_yield();
	} else {
		lwkt_preempt();
	}
}

/** Not yet if its turn is over again, and the handler that has been laid for it has not begun. */
static void end_priority(const struct lwp *lwp)
{
	if (lwkt_curthread()->td_pri != TDPRI_SIGNAL || (lwp->lwp_ast & AST_RESCHED) || lwp->lwp_proc->p_vforked_by)
		return;
	lwkt_setpri(lwkt_curthread(), turn_priority(lwp));
	lwkt_preempt(); /* another one may have a signal, too */
}

static bool was_switched_to(const struct lwp *lwp, uint32_t ast)
{
	return (ast & AST_FS) || lwp->lwp_ast_fs;
}

/** What has come since thread0 looked, just before it switched to the lwp, has interrupted none. */
static void look_between(const struct lwp *lwp, uint32_t ast)
{
	while (was_switched_to(lwp, ast) && !lwp->lwp_proc->p_vforked_by && lwkt_ipi_pending())
		lwkt_preempt();
}

/** What concerns nobody but the lwp: its %fs, first, as a signal may end the process, and its core has that; and its signals. */
static void look_at_own(struct lwp *lwp, struct trapframe *tf, uint32_t ast)
{
	if (was_switched_to(lwp, ast)) {
		lwp->lwp_ast_fs = 0;
		fs_load(lwp);
	}
	if (ast & AST_SIGNAL)
		signals_deliver(lwp, tf);
}

/** Before the program goes on. */
static void look(struct lwp *lwp, struct trapframe *tf, uint32_t ast)
{
	if (record_mode) { /* nobody else comes between a call's event and the program */
		if (lwp->lwp_loses_turn) { /* behind a call it is not lost: so a replay could not have it */
			lwp->lwp_loses_turn = false;
			record_preempted(lwp);
		}
		if (lwp->lwp_reads_tsc)
			record_tsc(lwp, tf);
		look_at_own(lwp, tf, ast);
		if (!lwp->lwp_proc->p_vforked_by)
			lwkt_setpri(lwkt_curthread(), turn_priority(lwp));
		return;
	}
	if (lwp->lwp_proc->p_apart) { /* its parent's rforks go on: it is on none of them, and alone on its kernel thread */
		look_at_own(lwp, tf, ast);
		return;
	}
	if (schedule_is_seeded)
		step_enters(tf);
	if (ast & AST_SCHEDULE)
		schedule_point(lwp);
	if (ast & (AST_RESCHED | AST_PREEMPT))
		step_back(lwp, ast);
	look_between(lwp, ast);
	lwkt_take_interrupt(); /* it has come this far */
	if (was_switched_to(lwp, ast))
		rfork_self()->rf_nswitches++;
	look_at_own(lwp, tf, ast);
	end_priority(lwp);
	if (schedule_is_seeded)
		step_leaves(lwp, tf);
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

/** On the lwp's rfork; elsewhere it goes there, as an IPI function. */
static void woken(void *arg)
{
	lwkt_thread_t td = arg;
	globaldata_t gd = __atomic_load_n(&td->td_gd, __ATOMIC_ACQUIRE);
	struct lwp *lwp;

	if (gd != lwkt_mycpu()) {
		if (lwkt_send_ipiq(gd, woken, td, NULL))
			lwkt_rele(td);
		else
			rfork_interrupt(gd); /* it, or another one, may be computing there */
		return;
	}
	lwp = td->td_data;
	if (lwp) { /* it has not ended */
		if (lwp->lwp_ast & AST_SIGNAL) { /* it has not looked yet */
			if (td != lwkt_curthread() && (td->td_flags & TDF_RUNQ))
				turn_early(lwp);
			lwkt_setpri(td, TDPRI_SIGNAL);
		}
		lwkt_interrupt(td);
		if (curlwp())
			lwp_notify(curlwp(), AST_PREEMPT);
	}
	lwkt_rele(td);
}

/** One that is to take a signal has gone to another rfork, which may be computing by now. */
static void given(globaldata_t to, int pri)
{
	if (pri == TDPRI_SIGNAL)
		rfork_interrupt(to);
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
	lwp->lwp_proc->p_nsigwaits = 0;
	mask_first(lwp);
	if (options.virtual_time && lwp->lwp_proc->p_vforked_by)
		tree_vforked(lwp->lwp_proc);
}

/** In the parent. */
static void vfork_over(struct lwp *child)
{
	pending_gone(child);
	if (options.schedule && !curproc()->p_vforked_by)
		order_take(), order_runs();
}

static void forked(struct lwp *lwp)
{
	if (lwp->lwp_proc->p_apart) { /* of a child of vfork that was on no rfork, and neither is this one: it has one lwp for good, and its calls wait in the kernel */
		descriptors_forked();
		pending_forked(lwp);
		vforked(lwp);
		return;
	}
	rfork_forked();
	thread_forked(lwp);
	cputime_forked(lwp);
	timers_forked();
	alarm_forked();
	schedule_forked(lwp);
	pending_forked(lwp);
	vforked(lwp); /* from here on signals come */
}

/** From start.S, on what becomes thread0's stack. */
void launcher_main(uint64_t *stack)
{
	static const struct call_entry *const tables[] = {process_calls, self_calls,   own_calls,         exec_calls,   fork_calls,        thread_calls, launcher_calls,
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
	lwkt_share_given = given;
	lwkt_cpusync_told = rfork_interrupt;
	program_look = look;
	program_refresh = refresh;
	program_forked = forked;
	program_vforked = vforked;
	program_vfork_over = vfork_over;
	program_vfork_wakes = futex_wake_queue;
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
	record_turns();
	program_load(stack, &tf);
	signals_options(first);
	schedule_begin();
	rfork_begin(&tf);
}
