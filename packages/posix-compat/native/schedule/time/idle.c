/*
 * idle.c - in virtual time, what becomes of a program of which no lwp can run: what comes from outside is waited for, a moment of real time; then time moves to the first
 * timer, once the other processes of the tree have nothing to do before that (tree.c). Where there is none, and nothing can come, it is a deadlock: it says so, and the process
 * ends.
 */
#include "tree.h"

#include <linux/prctl.h>
#include <sys/wait.h>

#include "internal.h" /* core's: its timers, what a thread waits for */

#define DEADLOCK 13          /* the exit status: as of a script's */
#define GRACE 200000ull      /* ns, for a descriptor */
#define GRACE_HELPER 15000000ull /* for a call that a helper makes: it has to be woken first */
#define GRACE_ENDING 10000000000ull /* for one that has been told to end, as its time is up: it does, however loaded the machine is */
#define GRACE_CHILD 200000000ull /* for a child that somebody waits for, where it has a time of its own; */
#define GRACE_ALIVE 20000000ull  /* and while there is one, or where no timer is */
#define NAP 20000ull         /* from one look to the next, */
#define NAP_MAX 1000000ull   /* and at last */

/** What somebody waits for that comes from outside: for so many ns of real time at least; 0: nobody does. */
struct outside {
	uint64_t grace;
	bool children; /* one is alive, and may come to something: GRACE_ALIVE, until it has ended */
	bool signals; /* somebody waits for any: one may come, but nobody waits for it */
};

static const char *wait_of(const struct lwp *lwp)
{
	const lwkt_thread_t td = lwp->lwp_td;

	return td && td->td_wmesg ? td->td_wmesg : "";
}

static void at_least(uint64_t *grace, uint64_t ns)
{
	if (*grace < ns)
		*grace = ns;
}

/** Whether there are children, and none has ended. */
static bool has_children(void)
{
	siginfo_t info = {0};

	return !kernel_call(SYS_waitid, P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT, NULL) && !info.si_pid;
}

static struct outside look_outside(void)
{
	struct outside outside = {0};

	if (waits_count())
		outside.grace = GRACE;
	outside.children = has_children();
	if (waits_helped())
		at_least(&outside.grace, waits_ending() ? GRACE_ENDING : GRACE_HELPER);
	for (const struct lwp *lwp = program_proc.p_lwps; lwp; lwp = lwp->lwp_next) {
		const char *wait = wait_of(lwp);

		if ((!strcmp(wait, "wait4") || !strcmp(wait, "waitid")) && !tree_has())
			at_least(&outside.grace, GRACE_CHILD);
		outside.signals |= !strcmp(wait, "signal");
	}
	return outside;
}

/** Whether something has come before so much real time has passed. */
static bool comes(uint64_t limit, bool children)
{
	uint64_t nap = NAP;
	bool watched;

	for (uint64_t waited = 0;; waited += nap) {
		rfork_look_thoroughly();
		watched = tree_looks();
		if (lwkt_runnable() || lwkt_ipi_pending())
			return true;
		children = children && waited < GRACE_ALIVE && has_children();
		if (waited >= limit && !children)
			return false;
		kernel_call(SYS_nanosleep, ((const uint64_t[2]){0, watched ? NAP : nap}), NULL);
		if (waited > 10 * nap && nap < NAP_MAX)
			nap *= 2;
	}
}

static const char *name_of(struct lwp *lwp, char name[16])
{
	if (lwp->lwp_comm[0])
		return lwp->lwp_comm;
	kernel_call(SYS_prctl, PR_GET_NAME, name);
	return name;
}

/** Its call, with its first arguments: for a futex, the word's address and what it was. */
static void report(struct lwp *lwp)
{
	const struct trapframe *tf = (const struct trapframe *)(lwp->lwp_kstack - TF_SIZE);
	const char *call = call_name(tf->tf_number);
	char name[16] = {0};

	print(2, "libcr:   thread %d (%s) waits in %s(0x%lx, 0x%lx, 0x%lx), called from 0x%lx\n", lwp->lwp_tid, name_of(lwp, name), call ? call : wait_of(lwp),
	      (unsigned long)tf->tf_rdi, (unsigned long)tf->tf_rsi, (unsigned long)tf->tf_rdx, (unsigned long)patch_again(tf->tf_rip));
}

static void deadlock(void)
{
	print(2, "libcr: deadlock in process %d: no thread can run, no timer is armed, and nothing from outside is waited for\n", program_proc.p_pid);
	for (struct lwp *lwp = program_proc.p_lwps; lwp; lwp = lwp->lwp_next)
		report(lwp);
	program_exit(DEADLOCK);
}

uint64_t idle_next(void)
{
	const struct lwkt_timer *first = lwkt_mycpu()->gd_timers;
	const uint64_t alarm = alarm_next();

	return first && first->tm_deadline < alarm ? first->tm_deadline : alarm;
}

/** Whether time may move: what comes before that has not come. */
static bool others_wait(uint64_t next)
{
	uint64_t nap = NAP;

	for (unsigned looks = 0; !tree_moves(next); looks++) {
		kernel_call(SYS_nanosleep, ((const uint64_t[2]){0, nap}), NULL);
		if (comes(0, false))
			return false;
		if (looks > 50 && nap < NAP_MAX)
			nap *= 2;
	}
	return true;
}

/** With a schedule: until there is something to do in this process' turn. */
static void waits_in_order(uint64_t next)
{
	for (;;) {
		while (waits_helped() && !tree_helpers_stand() && !lwkt_ipi_pending()) /* one has been woken */
			kernel_call(SYS_nanosleep, ((const uint64_t[2]){0, NAP}), NULL);
		rfork_look_thoroughly();
		if (lwkt_runnable() || lwkt_ipi_pending())
			return;
		if (next != NEVER && tree_now() >= next) {
			clock_move(next);
			alarm_fire();
			return;
		}
		order_passes();
	}
}

void schedule_idle(void)
{
	const struct outside outside = look_outside();
	const uint64_t next = idle_next(), limit = next == NEVER && (outside.grace || outside.signals) ? NEVER : outside.grace;

	if (next == NEVER && !outside.grace && !outside.signals && !outside.children)
		deadlock();
	tree_waits(next, waits_helped());
	if (order_has()) {
		waits_in_order(next);
		tree_runs();
		order_runs();
		return;
	}
	if (!comes(limit, outside.children && (next == NEVER || !tree_has())) && next != NEVER && others_wait(next)) {
		clock_move(next);
		alarm_fire();
	}
	tree_runs(); /* where no timer is, a child may have ended */
}
