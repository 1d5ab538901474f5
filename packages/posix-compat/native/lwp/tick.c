/*
 * tick.c - preemption: while there are several lwps a timer of the rfork's CPU time sends a signal to its kernel thread, whose handler sends the
 * lwp that runs into libcr, where it yields. No ticks while the rfork is idle.
 *
 * Programs that make one thread after the other have several lwps for some microseconds each time. So the ticks go on when one lwp is left, until that
 * makes a call which goes to the kernel (STALE_TICK): a tick would end it.
 *
 * A run that is to be had again is not interrupted by a clock: there the tick is a watch for who computes and lets nobody else run (schedule/watch.c).
 *
 * The signal is SIGSTKFLT, which no processor raises any more. By it helpers are told to end a call, too (wait.c). A program may have it nevertheless: what is neither
 * a timer's nor was sent to a thread is the program's (its own timers with this signal are libcr's: clock/timers.c).
 */
#include "posix.h"
#include "schedule.h"

#define CPUCLOCK_OF(tid) ((int)(~(unsigned)(tid) << 3 | 6)) /* another thread's CPU clock (the kernel's linux/posix-timers.h) */

static bool all_tick; /* all rforks that could be seen when the second lwp began. Written by the one lwp there was, or is left */

/** Whether the lwp that runs, which was interrupted in its program, is to let others have the processor. */
static bool is_wanted(const struct rfork *self)
{
	/* An IPI message may have come after the signal that announced it: who asks for all rforks to stand still waits for this one. A timed wait that
	 * is over is asked for by itself: lwkt_yield_wanted reads the clock at every 16th switch only, and here there may be none for as many ticks. */
	return lwkt_yield_wanted() || !lwkt_next_timer() || lwkt_is_wanted(self->rf_gd) || program_proc.p_incoming || timers_due || timers_tick() || waits_are_due();
}

/** At the limit of signals that wait (RLIMIT_SIGPENDING) the kernel leaves out who has sent it: then it is libcr's, which misses it more. */
static bool is_programs(const siginfo_t *si)
{
	return si->si_code != SI_TIMER && si->si_code != SI_TKILL && !(si->si_code == SI_USER && !si->si_pid);
}

static void on_tick(int sig, siginfo_t *si, ucontext_t *uc)
{
	const uint32_t ast = si->si_code == SI_TIMER ? AST_RESCHED : AST_PREEMPT;
	struct rfork *self;
	struct lwp *lwp;

	if (is_programs(si)) {
		signals_on_signal(sig, si, uc);
		return;
	}
	if (si->si_code != SI_TIMER && signals_on_helper()) { /* on a helper */
		program_interrupt_pass(uc);
		return;
	}
	lwp = curlwp();
	if (si->si_code == SI_TIMER && si->si_value.sival_int) { /* one of the program's timers */
		timers_fired(si);
		lwkt_cpu_wake(rfork_self()->rf_gd);
		if (lwp) {
			lwp_notify(lwp, AST_SIGNAL | AST_PREEMPT);
			program_interrupt(lwp, uc);
		}
		return;
	}
	if (!lwp || lwp->lwp_proc->p_vforked_by)
		return;
	if (options.deterministic && !schedule_stands_still(lwp, uc))
		return;
	self = rfork_self();
	lwp->lwp_nticks += si->si_code == SI_TIMER;
	if (record_mode)
		record_tick(lwp);
	/* In libcr the scheduler may be in the middle of anything, and the lwp looks on its way out. */
	if (!in_program(lwp, uc)) {
		lwp_notify(lwp, program_proc.p_incoming ? ast | AST_SIGNAL : ast);
		if (lwp->lwp_ast & AST_SIGNAL) /* by another kernel thread: it may be the last lwp, whose call waits in the kernel, or on its way out */
			program_interrupt(lwp, uc);
		return;
	}
	cputime_tick(lwp);
	if (record_mode) { /* its turn ends in calls, unless it makes none */
		if (si->si_code == SI_TIMER && record_preempts(lwp, is_wanted(self))) {
			lwp->lwp_loses_turn = true;
			lwp_notify(lwp, AST_RESCHED);
			program_interrupt(lwp, uc);
		}
		return;
	}
	if (is_wanted(self)) {
		lwp_notify(lwp, ast);
		self->rf_npreemptions++;
		lwp->lwp_npreemptions++;
	}
	if (lwp->lwp_ast)
		program_interrupt(lwp, uc);
}

bool tick_has_timer(int number)
{
	for EACH_RFORK(rfork)
		if (rfork->rf_tick >= 0 && rfork->rf_tick == number)
			return true;
	return false;
}

void tick_begin(void)
{
	catch_signal(SIGSTKFLT, on_tick, SA_RESTART);
}

/** A timer of one thread's belongs to the process: any other may start it. */
static void set(struct rfork *rfork, long ns)
{
	const int64_t times[4] = {0, ns, 0, ns}; /* struct itimerspec: interval, first */

	if (rfork->rf_tick >= 0)
		kernel_call(SYS_timer_settime, rfork->rf_tick, 0, times, NULL);
}

/** A timer of a kernel thread's CPU time, with a signal for that thread: its number, or -1. */
static int make(int tid, int clock)
{
	struct {
		uint64_t value;
		int signo, notify, tid, padding[11];
	} event = {.signo = SIGSTKFLT, .notify = SIGEV_THREAD_ID, .tid = tid};
	int timer;

	return kernel_call(SYS_timer_create, clock, &event, &timer) ? -1 : timer;
}

void tick_make(struct rfork *rfork)
{
	rfork->rf_tick = make((int)lwkt_os_tid(), CLOCK_THREAD_CPUTIME_ID);
}

/** There are several lwps, or one has a timer that goes by the CPU time of an lwp. */
static bool are_wanted(void)
{
	return __atomic_load_n(&program_proc.p_nlwps, __ATOMIC_SEQ_CST) > 1 || timers_tick();
}

static void start(struct rfork *rfork)
{
	if (are_wanted() && !__atomic_exchange_n(&rfork->rf_ticking, true, __ATOMIC_SEQ_CST)) {
		if (rfork->rf_tick < 0 && rfork->rf_tid) /* it could not be had: a user's timers count as signals that wait, and those are limited */
			rfork->rf_tick = make(rfork->rf_tid, CPUCLOCK_OF(rfork->rf_tid));
		set(rfork, options.deterministic ? WATCH_NS : TICK_NS);
	}
	if (!are_wanted()) /* meanwhile */
		__atomic_fetch_or(&program_proc.p_stale, STALE_TICK, __ATOMIC_SEQ_CST);
}

void tick_start(void)
{
	if (all_tick)
		return;
	all_tick = true;
	for EACH_RFORK(rfork)
		start(rfork);
}

void tick_once(void)
{
	struct rfork *self = rfork_self();

	if (are_wanted())
		return;
	__atomic_fetch_or(&program_proc.p_stale, STALE_TICK, __ATOMIC_SEQ_CST);
	if (!__atomic_exchange_n(&self->rf_ticking, true, __ATOMIC_SEQ_CST))
		set(self, TICK_NS);
}

void tick_join(struct rfork *rfork)
{
	if (are_wanted())
		start(rfork);
}

void tick_stop(void)
{
	__atomic_fetch_and(&program_proc.p_stale, ~STALE_TICK, __ATOMIC_SEQ_CST);
	all_tick = false;
	for EACH_RFORK(rfork)
		if (!are_wanted() && __atomic_exchange_n(&rfork->rf_ticking, false, __ATOMIC_SEQ_CST))
			set(rfork, 0);
}

void tick_forked(struct rfork *rfork)
{
	all_tick = false;
	tick_make(rfork);
}

void tick_update(void)
{
	if (are_wanted())
		tick_start();
	else
		__atomic_fetch_or(&program_proc.p_stale, STALE_TICK, __ATOMIC_SEQ_CST);
}
