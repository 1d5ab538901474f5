/*
 * rfork.c - the kernel threads that run a program's lwps: their loop, on thread0, and how they are told that something has come.
 *
 * The first is the process' own. The others are there from the second lwp on, ask for work where there is more than one lwp that could run, and block all
 * signals from outside. Whatever comes from outside (a signal's handler, a helper that has made a call) puts it on a list first, and wakes the rfork
 * then (lwkt_cpu_wake).
 */
#include "posix.h"
#include "schedule.h"

#include "descriptor/descriptor.h"

struct rfork rforks[LWKT_CPU_MAX];
struct rfork *rfork_leader;
static char first_altstack[ALTSTACK_SIZE] __attribute__((aligned(64)));
static bool others_run;

static void interrupt(const struct rfork *rfork)
{
	kernel_call(SYS_tgkill, program_proc.p_pid, rfork->rf_tid, SIGSTKFLT);
}

static void look(bool thoroughly)
{
	waits_look(thoroughly);
	if (timers_due || timers_tick())
		timers_look();
	if (program_proc.p_incoming || program_proc.p_unassigned) /* a signal of the program's, for no lwp yet: somebody who takes it shall see it */
		signals_assign(&program_proc);
}

void rfork_look(void)
{
	look(false);
}

void rfork_look_thoroughly(void)
{
	look(true);
}

static void add_stats(struct lwp_counts *counts)
{
	*counts = (struct lwp_counts){0};
	for EACH_RFORK(rfork) {
		counts->lwps += rfork->rf_nlwps;
		counts->preemptions += rfork->rf_npreemptions;
		counts->switches += rfork->rf_nswitches;
	}
}

/** In a signal's handler. It may have interrupted a helper, or another rfork, which is idle; and what the leader runs may be computing. */
static void come(bool on_helper)
{
	lwkt_cpu_wake(rfork_leader->rf_gd);
	if (on_helper || rfork_self() != rfork_leader)
		interrupt(rfork_leader);
}

static void run_lwps(void)
{
	while (!lwkt_cpu_ending()) {
		unsigned runnable;

		if (schedule_is_seeded)
			schedule_next();
		runnable = lwkt_dispatch(0);
		rfork_look_thoroughly();
		if (runnable || lwkt_runnable())
			continue;
		if (options.virtual_time)
			schedule_idle();
		else
			waits_idle();
	}
}

/** This kernel thread runs lwps from now on. Whether it can. */
static bool begin(void *altstack)
{
	struct rfork *self = rfork_self();

	self->rf_tid = (int)lwkt_os_tid();
	self->rf_fs = ~0ull;
	tick_make(self);
	cputime_rfork(self);
	if (!altstack || catch_thread(altstack, ALTSTACK_SIZE))
		return false;
	__atomic_store_n(&self->rf_gd, lwkt_mycpu(), __ATOMIC_SEQ_CST);
	tick_join(self); /* the second lwp may have begun before this rfork could be seen */
	return true;
}

void rfork_begin(const struct trapframe *tf)
{
	struct lwp *first = program_proc.p_lwps;

	rfork_leader = rfork_self();
	signals_come = come;
	stats_more = add_stats;
	tick_begin();
	if (!begin(first_altstack))
		program_fail(125, "", "the kernel does not dispatch system calls to user mode (Linux 5.11 or later, not forbidden by a seccomp filter)");
	if (lwp_start(first, tf))
		program_fail(125, "", "there is no memory");
	for (;;)
		run_lwps();
}

/** Another rfork's thread0. */
static void other_loop(void *data)
{
	uint64_t mask = ~SIGNALS_OURS;

	(void)data;
	if (!begin(lwkt_os_map(ALTSTACK_SIZE)))
		return; /* it would run none of ours, as it has none yet and asks for none */
	kernel_call(SYS_rt_sigprocmask, SIG_SETMASK, &mask, NULL, 8);
	lwkt_share_work(1);
	run_lwps();
}

void rfork_start_others(void)
{
	struct lwkt_rfork_args args = {.name = "rfork", .loop = other_loop};
	globaldata_t gd;

	if (others_run || options.rforks == 1)
		return;
	others_run = true;
	patch_shared(true);
	lwkt_share_work(1);
	for (unsigned i = 1; i < options.rforks && !lwkt_rfork_create(NULL, NULL, &gd, &args); i++)
		;
}

void rfork_interrupt(globaldata_t gd)
{
	for EACH_RFORK(rfork)
		if (rfork->rf_gd == gd)
			interrupt(rfork);
}

static void nothing(void *arg)
{
	(void)arg;
}

/** All of them stand still, but for the caller: soon, as who computes is interrupted (lwkt_cpusync_told). */
static void interlock(struct lwkt_cpusync *sync, globaldata_t gds[LWKT_CPU_MAX], void (*func)(void *), void *arg)
{
	unsigned n = 0;

	for EACH_RFORK(rfork)
		gds[n++] = rfork->rf_gd;
	lwkt_cpusync_init(sync, gds, n, func, arg);
	lwkt_cpusync_interlock(sync);
}

void rfork_all(void (*func)(void *), void *arg)
{
	globaldata_t gds[LWKT_CPU_MAX];
	struct lwkt_cpusync sync;

	if (!others_run)
		return;
	interlock(&sync, gds, func, arg);
	lwkt_cpusync_deinterlock(&sync);
}

void rfork_forks(bool begins)
{
	struct rfork *self = rfork_self();

	if (begins)
		schedule_forks();
	else
		order_forked(); /* in the parent */
	if (!others_run)
		return;
	if (begins)
		interlock(&self->rf_forking, self->rf_still, nothing, NULL);
	else
		lwkt_cpusync_deinterlock(&self->rf_forking);
}

/** In the child of a fork, on the lwp that called it: this kernel thread has another number, and runs that lwp alone. */
void rfork_forked(void)
{
	struct rfork *self = rfork_self();
	uint64_t fs = self->rf_fs;

	waits_forked();
	descriptors_forked();
	lwkt_forked(); /* the other lwps' threads go, and their kernel stacks are this rfork's */
	memset(rforks, 0, sizeof(rforks));
	self = rfork_self();
	self->rf_fs = fs;
	self->rf_gd = lwkt_mycpu();
	self->rf_tid = (int)lwkt_os_tid();
	self->rf_nlwps = 1;
	rfork_leader = self;
	patch_shared(false);
	others_run = false;
	futex_forked();
	tick_forked(self);
}
