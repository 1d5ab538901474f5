/*
 * sched.c - the run queue and the switch: fixed priorities, round robin among equals, for one rfork (DragonFly: lwkt_thread.c).
 *
 * It does not create or free anything (thread.c, pool.c) and knows no message (msgport.c).
 *
 * Invariants:
 *  - Only the owning rfork's code runs here; there is no lock because there is no second party. What others want done comes as IPI
 *    messages (ipiq.c), and thread0 runs those: while some have come every switch goes to thread0 first.
 *  - A running userthread stays on the run queue. Taking it off does not stop it: the next lwkt_switch does.
 *  - A thread that gives up the CPU while runnable moves to the tail of its level as it leaves: behind all that became runnable while it
 *    ran. That is the round robin. One that is preempted moves to the head. Nothing moves on the way in.
 *  - thread0 is never on the run queue. It is switched to when nothing else is runnable, or when a pass' time is up.
 */
#include "debug.h"

void lwkt_enqueue(globaldata_t gd, lwkt_thread_t td)
{
	if (td->td_flags & (TDF_RUNQ | TDF_MIGRATING)) {
		if (td->td_flags & TDF_NOSTART) /* its rfork does not have it yet, and shall start it then (lwkt_create) */
			td->td_flags &= ~TDF_NOSTART;
		return;
	}
	td->td_flags |= TDF_RUNQ;
	list_append(&gd->gd_tdrunq[td->td_pri], &td->td_threadq);
	gd->gd_runqmask |= 1u << td->td_pri;
	gd->gd_stats.st_runnable++;
	if (__builtin_expect((td->td_flags & TDF_MIGRATABLE) != 0, 0))
		lwkt_share_count(gd, 1);
}

void lwkt_dequeue(globaldata_t gd, lwkt_thread_t td)
{
	if (!(td->td_flags & TDF_RUNQ))
		return;
	td->td_flags &= ~TDF_RUNQ;
	list_remove(&td->td_threadq);
	gd->gd_stats.st_runnable--;
	if (__builtin_expect((td->td_flags & TDF_MIGRATABLE) != 0, 0))
		lwkt_share_count(gd, -1);
	if (list_empty(&gd->gd_tdrunq[td->td_pri]))
		gd->gd_runqmask &= ~(1u << td->td_pri);
}

/** The thread that is next to run; NULL if none is runnable. */
lwkt_thread_t lwkt_peek(globaldata_t gd)
{
	if (!gd->gd_runqmask)
		return NULL;
	return LIST_ENTRY(gd->gd_tdrunq[31 - __builtin_clz(gd->gd_runqmask)].next, struct lwkt_thread, td_threadq);
}

/** cur, which is about to leave the CPU, stands behind its equals if it is still runnable. */
static void requeue(globaldata_t gd, lwkt_thread_t cur)
{
	struct lwkt_list *queue = &gd->gd_tdrunq[cur->td_pri], *node = &cur->td_threadq;

	if (!(cur->td_flags & TDF_RUNQ) || queue->prev == node)
		return;
	list_remove(node);
	list_append(queue, node);
}

/** Whether a pass has lasted long enough, or a timer is due. Reads the clock at every CLOCK_EVERY-th call only. */
bool lwkt_time_is_up(globaldata_t gd)
{
	if (!gd->gd_deadline)
		return false;
	if (gd->gd_clock_skip) {
		gd->gd_clock_skip--;
		return false;
	}
	if (now_ns() < gd->gd_deadline) {
		gd->gd_clock_skip = CLOCK_EVERY;
		return false;
	}
	return true; /* gd_clock_skip stays 0: it is over for the next caller too */
}

/** Whether thread0 must have its turn. */
bool lwkt_pass_is_over(globaldata_t gd)
{
	return ipi_pending(gd) || migration_pending(gd) || lwkt_time_is_up(gd);
}

/** The accounting of every arrival: td is curthread from now on. */
void lwkt_start_running(globaldata_t gd, lwkt_thread_t td)
{
	td->td_flags = (td->td_flags | TDF_RUNNING) & ~TDF_FRESH;
	td->td_nswitches++;
	gd->gd_curthread = td;
}

/** As peek, and a fresh thread gets its stack; threads that can't have one are finished and the next is tried. */
static lwkt_thread_t pick(globaldata_t gd)
{
	lwkt_thread_t next;

	while ((next = lwkt_peek(gd)) != NULL) {
		int error = next->td_flags & TDF_FRESH ? lwkt_thread_bind(gd, next) : 0;

		if (!error)
			return next;
		lwkt_thread_finish(gd, next, error);
	}
	return NULL;
}

/** Of a fresh thread, gives it a stack that somebody has left; false where that takes more. Apart: it is not to make the caller's frame larger. */
static __attribute__((noinline)) bool bind_warm(globaldata_t gd, lwkt_thread_t td)
{
	return lwkt_pool_is_warm(gd, td) && lwkt_thread_bind(gd, td) == 0;
}

/**
 * As pick, for a thread that is about to be suspended: a fresh thread for which no stack lies ready is left to thread0 (NULL). Making one takes a deep call, and
 * would cost each suspended thread a page more of its own.
 */
static lwkt_thread_t pick_old(globaldata_t gd)
{
	lwkt_thread_t next = lwkt_peek(gd);

	return next && (next->td_flags & TDF_FRESH) && !bind_warm(gd, next) ? NULL : next;
}

/** Makes next curthread and says where its registers are; the caller then switches. */
static struct lwkt_context *arrive(globaldata_t gd, lwkt_thread_t next)
{
	struct lwkt_context *to = next->td_flags & TDF_FRESH ? &next->td_stack->st_ctx : &next->td_ctx;

	lwkt_start_running(gd, next);
	gd->gd_stats.st_switches++;
	return to;
}

/** Switches from cur to next. Returns when somebody switches back, on another rfork perhaps: what the caller knows of its own is old. */
static void leave(globaldata_t gd, lwkt_thread_t cur, lwkt_thread_t next)
{
	struct lwkt_context *to;

	/* Nobody else can see the window in which curthread is new and the stack is old, nor RUNNING cleared too early: what another rfork is to
	 * have leaves by thread0, after the switch (migrate.c). */
	cur->td_flags &= ~TDF_RUNNING;
	to = arrive(gd, next);
	lwkt_state_leaves(&gd->gd_state, cur);
	sanitizer_leaving(gd);
	cur->td_switch(&cur->td_ctx, to);
	gd = lwkt_arch_mycpu();
	sanitizer_arrived(gd);
	lwkt_state_arrives(&gd->gd_state, cur); /* last: a td_switch of a runtime's may have left its errno */
}

/** For a finished thread that stands on a pooled stack: whoever runs next. */
struct lwkt_context *lwkt_next_context(globaldata_t gd)
{
	lwkt_thread_t next = lwkt_pass_is_over(gd) ? NULL : pick(gd);

	return arrive(gd, next ? next : &gd->gd_thread0);
}

/** On a thread that was woken for a visit only: serves it and goes back to where it was. */
static void receive_visit(globaldata_t gd, lwkt_thread_t cur)
{
	gd->gd_visit(gd->gd_visit_arg);
	gd->gd_visit = NULL;
	lwkt_state_arrives(&gd->gd_state, cur); /* as it came: it is not to notice */
	leave(gd, cur, gd->gd_visitor);
}

/** cur, which is no thread0, leaves the CPU to the first of the run queue, or to thread0; not if it is the first itself. */
static inline __attribute__((always_inline)) int depart(globaldata_t gd, lwkt_thread_t cur)
{
	lwkt_thread_t next = lwkt_pass_is_over(gd) ? NULL : pick_old(gd);
	if (!next)
		next = &gd->gd_thread0;
	if (next == cur)
		return 0;
	if (has_tokens(cur))
		lwkt_tokens_leave(gd, cur);
	leave(gd, cur, next);
	while (gd = lwkt_arch_mycpu(), __builtin_expect(gd->gd_visit != NULL, 0))
		receive_visit(gd, cur);
	if (has_tokens(cur))
		lwkt_tokens_arrive(cur);
	return 0;
}

int lwkt_switch(void)
{
	globaldata_t gd = lwkt_arch_mycpu();
	lwkt_thread_t cur = gd->gd_curthread;

	if (gd->gd_ipi_depth | (unsigned)cur->td_critcount) /* one test for both: here every instruction counts */
		return MISUSE(EDEADLK, "%s", lwkt_debug_no_wait());
	if (cur == &gd->gd_thread0) {
		if (!(gd->gd_flags & GDF_LOOP))
			lwkt_dispatch(0);
		return 0;
	}
	requeue(gd, cur);
	return depart(gd, cur);
}

void lwkt_preempt(void)
{
	globaldata_t gd = lwkt_arch_mycpu();
	lwkt_thread_t cur = gd->gd_curthread;
	struct lwkt_list *queue = &gd->gd_tdrunq[cur->td_pri];

	if (!lwkt_may_wait(gd) || cur == &gd->gd_thread0 || !(cur->td_flags & TDF_RUNQ))
		return;
	list_remove(&cur->td_threadq);
	list_append(queue->next, &cur->td_threadq);
	depart(gd, cur);
}

int lwkt_visit(lwkt_thread_t td, void (*fn)(void *), void *arg)
{
	globaldata_t gd = lwkt_arch_mycpu();
	lwkt_thread_t cur = gd->gd_curthread;
	uint64_t switches = td->td_nswitches;

	if (owner_of(td) != gd)
		return MISUSE(EPERM, THREAD_IS " is another rfork's: visit it there (lwkt_send_ipiq)", THREAD(td));
	if (td == cur || (td->td_flags & (TDF_THREAD0 | TDF_FRESH | TDF_EXITING)) || !td->td_stack || gd->gd_visit)
		return MISUSE(EINVAL, THREAD_IS " can't be visited: only a userthread that has run and is switched out can, and one at a time",
		              THREAD(td));
	gd->gd_visit = fn;
	gd->gd_visit_arg = arg;
	gd->gd_visitor = cur;
	leave(gd, cur, td);
	td->td_nswitches = switches; /* it has not noticed */
	return 0;
}

/** On thread0, between two threads. Fires the timers that are due; whether the pass is over. */
static bool look_at_time(globaldata_t gd)
{
	uint64_t now;

	if (!lwkt_time_is_up(gd))
		return false;
	now = now_ns();
	lwkt_timers_fire(gd, now);
	if (gd->gd_pass_end && now >= gd->gd_pass_end)
		return true;
	gd->gd_clock_skip = CLOCK_EVERY;
	return false;
}

unsigned lwkt_dispatch(uint64_t budget_ns)
{
	globaldata_t gd = lwkt_arch_mycpu();
	lwkt_thread_t td0 = &gd->gd_thread0, next;
	uint64_t now = 0;

	if (gd->gd_curthread != td0 || gd->gd_ipi_depth || td0->td_critcount)
		return 0;
	if (budget_ns || gd->gd_timers)
		now = now_ns();
	gd->gd_pass_end = budget_ns == LWKT_DISPATCH_ONE ? 1 : budget_ns ? now + budget_ns : 0; /* 1: long ago */
	gd->gd_clock_skip = budget_ns == LWKT_DISPATCH_ONE ? 0 : CLOCK_EVERY;
	lwkt_timers_fire(gd, now);
	do {
		lwkt_process_ipiq();
		next = gd->gd_wanted ? NULL : pick(gd);
		if (!next)
			break;
		leave(gd, td0, next);
		if (migration_pending(gd)) /* before any IPI message: a wake-up would put it on this rfork's queue (model/migration.pml) */
			lwkt_migrate_finish(gd);
	} while (!look_at_time(gd));
	gd->gd_wanted = false;
	return gd->gd_stats.st_runnable;
}

void lwkt_pass_end(void)
{
	globaldata_t gd = lwkt_arch_mycpu();

	gd->gd_deadline = gd->gd_pass_end = 1; /* long ago */
	gd->gd_clock_skip = 0;
}

unsigned lwkt_runnable(void)
{
	return lwkt_arch_mycpu()->gd_stats.st_runnable;
}

int lwkt_yield_wanted(void)
{
	globaldata_t gd = lwkt_arch_mycpu();
	lwkt_thread_t cur = gd->gd_curthread;
	uint32_t above;

	if (cur == &gd->gd_thread0)
		return 0;
	above = gd->gd_runqmask >> cur->td_pri;
	if (above > 1)
		return 1;
	if (above == 1 && gd->gd_tdrunq[cur->td_pri].next != gd->gd_tdrunq[cur->td_pri].prev)
		return 1;
	return lwkt_pass_is_over(gd);
}

int lwkt_yield(void)
{
	return lwkt_yield_wanted() ? lwkt_switch() : 0;
}

int lwkt_runs_on(globaldata_t rfork, lwkt_thread_t td)
{
	return __atomic_load_n(&rfork->gd_curthread, __ATOMIC_RELAXED) == td;
}

int lwkt_is_wanted(globaldata_t rfork)
{
	return __atomic_load_n(&rfork->gd_stats.st_runnable, __ATOMIC_RELAXED) > 1 || ipi_pending(rfork);
}

/** By IPI message: td was this rfork's when it was sent, and is looked for again if it has moved on. */
static void schedule_here(void *td)
{
	lwkt_wake(td);
}

static int wake_here(globaldata_t gd, lwkt_thread_t td)
{
	if (td->td_flags & (TDF_THREAD0 | TDF_EXITING))
		return EINVAL;
	lwkt_enqueue(gd, td);
	return 0;
}

int lwkt_wake(lwkt_thread_t td)
{
	globaldata_t gd = lwkt_arch_mycpu();

	if (owner_of(td) != gd)
		return lwkt_send_ipiq(owner_of(td), schedule_here, td, NULL);
	return wake_here(gd, td);
}

/** Something is to be done to another rfork's td, there: func gets it held, and lets go. Returns 0, ESRCH, ENOMEM. */
LWKT_OTHER_RFORK static int ask_held(lwkt_thread_t td, void (*func)(void *td))
{
	int error;

	lwkt_hold(td);
	error = lwkt_send_ipiq(owner_of(td), func, td, NULL);
	if (error)
		lwkt_rele(td);
	return error;
}

static void schedule_held(void *td)
{
	if (sent_after(td, schedule_held, td))
		return;
	lwkt_wake(td);
	lwkt_rele(td);
}

int lwkt_schedule(lwkt_thread_t td)
{
	globaldata_t gd = lwkt_arch_mycpu();
	int error = owner_of(td) == gd ? wake_here(gd, td) : ask_held(td, schedule_held);

	return MISUSE_IF(error == EINVAL, error, THREAD_IS " is an rfork's thread0, which runs when no other can, or has exited", THREAD(td));
}

void lwkt_deschedule_self(void)
{
	globaldata_t gd = lwkt_arch_mycpu();

	lwkt_dequeue(gd, gd->gd_curthread);
}

bool lwkt_may_wait(globaldata_t gd)
{
	return !gd->gd_ipi_depth && !gd->gd_curthread->td_critcount &&
	       !((gd->gd_flags & GDF_LOOP) && gd->gd_curthread == &gd->gd_thread0);
}

int lwkt_wait_once(const char *wmesg)
{
	globaldata_t gd = lwkt_arch_mycpu();
	lwkt_thread_t cur = gd->gd_curthread;

	if (!lwkt_may_wait(gd))
		return EDEADLK;
	if (cur == &gd->gd_thread0) {
		if (!gd->gd_runqmask && !ipi_pending(gd)) {
			if (lwkt_ncpus() == 1 && !gd->gd_timers)
				return EDEADLK;
			lwkt_ipiq_idle(gd, 0);
		}
		lwkt_dispatch(0);
		return 0;
	}
	cur->td_wmesg = wmesg;
	lwkt_dequeue(gd, cur);
	lwkt_switch();
	cur->td_wmesg = NULL;
	return 0;
}

/* Flattened: what lies here lies on every suspended thread's stack. */
__attribute__((flatten)) int lwkt_block(const char *wmesg)
{
	globaldata_t gd = lwkt_arch_mycpu();
	int error = gd->gd_curthread == &gd->gd_thread0 ? EDEADLK : lwkt_wait_once(wmesg);

	return MISUSE_IF(error, error, "%s", lwkt_debug_no_wait());
}

int lwkt_setpri(lwkt_thread_t td, int pri)
{
	globaldata_t gd = lwkt_arch_mycpu();

	if (owner_of(td) != gd)
		return MISUSE(EPERM, THREAD_IS " is another rfork's: set its priority there (lwkt_send_ipiq)", THREAD(td));
	if (pri < 0 || pri > TDPRI_MAX || (td->td_flags & TDF_EXITING))
		return MISUSE(EINVAL, "%d is no priority from 0 to 31, or " THREAD_IS " has exited", pri, THREAD(td));
	if (td->td_flags & TDF_RUNQ) {
		lwkt_dequeue(gd, td);
		td->td_pri = pri;
		lwkt_enqueue(gd, td);
	} else {
		td->td_pri = pri;
	}
	return 0;
}

static int interrupt_here(globaldata_t gd, lwkt_thread_t td)
{
	int error = wake_here(gd, td);

	if (!error)
		td->td_flags |= TDF_INTR;
	return error;
}

static void interrupt_held(void *td)
{
	globaldata_t gd = lwkt_arch_mycpu();

	if (sent_after(td, interrupt_held, td))
		return;
	if (owner_of(td) == gd)
		interrupt_here(gd, td);
	lwkt_rele(td);
}

int lwkt_interrupt(lwkt_thread_t td)
{
	globaldata_t gd = lwkt_arch_mycpu();
	int error = owner_of(td) == gd ? interrupt_here(gd, td) : ask_held(td, interrupt_held);

	return MISUSE_IF(error == EINVAL, error, THREAD_IS " is thread0, whose waits can't be interrupted, or has exited", THREAD(td));
}

int lwkt_take_interrupt(void)
{
	return take_interrupt(lwkt_arch_mycpu()->gd_curthread);
}

unsigned lwkt_interrupt_all(void)
{
	globaldata_t gd = lwkt_arch_mycpu();
	unsigned n = 0;

	for (struct lwkt_list *node = gd->gd_tdallq.next; node != &gd->gd_tdallq; node = node->next) {
		lwkt_thread_t td = LIST_ENTRY(node, struct lwkt_thread, td_allq);

		if (td == gd->gd_curthread || (td->td_flags & TDF_EXITING))
			continue;
		td->td_flags |= TDF_INTR;
		lwkt_enqueue(gd, td);
		n++;
	}
	return n;
}

void lwkt_thread0_is_loop(void (*swtch)(struct lwkt_context *, struct lwkt_context *), void *data)
{
	globaldata_t gd = lwkt_arch_mycpu();

	lwkt_trace_stop();
	lwkt_cputime_stop();
	gd->gd_flags = swtch ? gd->gd_flags | GDF_LOOP : gd->gd_flags & ~GDF_LOOP;
	gd->gd_thread0.td_switch = gd->gd_thread0.td_own_switch = swtch ? swtch : lwkt_arch_switch;
	gd->gd_thread0.td_data = data;
}

void lwkt_crit_enter(void)
{
	lwkt_arch_mycpu()->gd_curthread->td_critcount++;
}

int lwkt_crit_exit(void)
{
	lwkt_thread_t td = lwkt_arch_mycpu()->gd_curthread;

	if (td->td_critcount <= 0)
		return MISUSE(EPERM, "the thread is in no critical section: one lwkt_crit_exit for each lwkt_crit_enter");
	td->td_critcount--;
	return 0;
}
