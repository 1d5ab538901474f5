/*
 * check.c - a launcher for tests (make CHECK=1) that looks, at each delivery of signals to an lwp, whether what has to be so is so: before it at all of it, after it at what
 * is the lwp's; and at a little where an rfork has nothing to run. It is not part of the one that is shipped, whose code is the same. It is put between the files of that by the linker (--wrap); with INJECT=1 the program is disturbed, too.
 *
 *   LIBCR_CHECK_BREAK=NAME   breaks that invariant at a delivery, for the test that it is seen
 *
 * What is broken is said with what was seen, and ends the process by SIGABRT: `libcr: broken: NAME, rfork N, lwp TID: ...`. The invariants, of which each has a
 * function with its name:
 *
 * Of the process, under p_lock (process.c)
 *   lwps-linked       p_lwps is a list of its own lwps, each of which knows what points to it
 *   lwps-counted      as many as p_nlwps says; the main one and who is delivered to are among them
 *   masks-legal       no lwp blocks SIGKILL or SIGSTOP
 *   masks-counted     p_blocked_by says of each signal how many lwps block it
 *   mask-common       p_kernel_mask is what all of them block
 *   mask-of-kernel    the leader's kernel thread blocks what it was told to and what there is no room for; the others' block all
 *   pending-legal     what waits has a signal's number, and is in use; of a standard signal one waits in each list
 *   pending-counted   no more waits than is counted as being there, and what is counted and does not wait is in the hands of few
 *
 * Who knows of what waits (noticed.c)
 *   own-noticed       an lwp that sleeps, and has a signal of its own to take, has been told (AST_SIGNAL)
 *   process-noticed   where an rfork has nothing to run: if somebody takes a signal of the process', one of those who do is awake or has been told, or somebody is about to look
 *
 * Of the lwp that is delivered to (thread.c)
 *   lwp-runs          it is the one that runs, on its own kernel stack, with the frame at that one's end
 *   lwp-waits-for-nothing  its call is over: no time, no pin, no critical section, no token, no signal is waited for
 *   lwp-priority      its thread has the priority that its slice gives it, or the one of who is to take a signal
 *   delivered         afterwards: no signal that it would take is left, or it looks once more; the mask of a call is the lwp's own again
 *   fs-loaded         afterwards: the processor's %fs is the lwp's
 *
 * Of its rfork, on it (rfork.c)
 *   runq-linked       each queue is a ring of threads that are runnable, of that priority, of this rfork
 *   runq-marked       gd_runqmask has a bit for each queue that is not empty
 *   runq-counted      st_runnable and gd_migratable are their numbers
 *   threads-owned     gd_tdallq has this rfork's threads; as many of them say that they are runnable as are on queues; one runs
 *   timers-ordered    the heap of timers: none before its parent, each of a thread of this rfork in a timed wait, st_timers of them
 *   deadline-first    gd_deadline is not after the first timer
 *   no-ipi            no IPI function is under way
 *
 * Of what lwps wait in, each queue under its lock (queues.c)
 *   futex-queued      a waiter is in its address' bucket, knows that, and is not woken
 *   futex-left        who is delivered to is in none
 *   pi-queued         a waiter is in its place's bucket, knows that, and is not told; who is delivered to is in none
 *   pi-counted        as many as pi_nwaiters
 */
#include "check.h"

#include "print/text.h"

#define SPOIL_AFTER 50 /* deliveries: there is something to be spoiled then */

static const struct invariant *const all[] = {process_invariants, noticed_invariants, thread_invariants, rfork_invariants, queue_invariants};
#define ROOMS_OF_INVARIANTS (sizeof(all) / sizeof(all[0]))

static const struct invariant *spoiled, *spoiled_room; /* written before there is a second lwp */
static uint32_t deliveries;             /* atomic */
static uint32_t is_spoiled;             /* atomic: it is done once */
static const struct invariant *checked[LWKT_CPU_MAX]; /* each its rfork's */

void broken(const char *format, ...)
{
	const uint64_t all_but = ~SIGNAL_BIT(SIGABRT);
	char text[300];
	va_list arguments;

	va_start(arguments, format);
	lwkt_os_format(text, sizeof(text), format, arguments);
	va_end(arguments);
	print(2, "libcr: broken: %s, rfork %u, lwp %d: %s\n", checked[lwkt_cpuid()]->name, lwkt_cpuid(), curlwp() ? curlwp()->lwp_tid : 0, text);
	action_take_default(SIGABRT);
	kernel_call(SYS_rt_sigprocmask, SIG_SETMASK, &all_but, NULL, 8);
	for (;;)
		kernel_call(SYS_tgkill, kernel_call(SYS_getpid), kernel_call(SYS_gettid), SIGABRT);
}

static void check(const struct invariant *each, const struct delivery *d)
{
	for (; each->name; each++) {
		checked[lwkt_cpuid()] = each;
		each->check(d);
	}
}

/** Of the invariants of a room, which are checked next: only where it is the one that does so. */
static void spoil(const struct delivery *d)
{
	uint32_t no = 0;

	if (__atomic_add_fetch(&deliveries, 1, __ATOMIC_RELAXED) <= SPOIL_AFTER)
		return;
	checked[lwkt_cpuid()] = spoiled;
	if (__atomic_compare_exchange_n(&is_spoiled, &no, 1, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST) && !spoiled->spoil(d))
		__atomic_store_n(&is_spoiled, 0, __ATOMIC_SEQ_CST);
}

static void look(const struct delivery *d)
{
	for (unsigned i = 0; i < ROOMS_OF_INVARIANTS; i++) {
		if (d->over && all[i] != thread_invariants)
			continue;
		if (spoiled_room == all[i])
			spoil(d);
		check(all[i], d);
	}
}

void __real_signals_deliver(struct lwp *lwp, struct trapframe *tf);
void __wrap_signals_deliver(struct lwp *lwp, struct trapframe *tf);

/** A child of vfork has no scheduler, and its parent's memory: nothing of it is looked at. */
void __wrap_signals_deliver(struct lwp *lwp, struct trapframe *tf)
{
	struct delivery d = {.lwp = lwp, .tf = tf, .gd = lwkt_mycpu()};

	if (lwp->lwp_proc->p_vforked_by) {
		__real_signals_deliver(lwp, tf);
		return;
	}
	if (spoiled_room == idle_invariants)
		__atomic_add_fetch(&deliveries, 1, __ATOMIC_RELAXED);
	look(&d);
	__real_signals_deliver(lwp, tf);
	d.gd = lwkt_mycpu();
	d.over = true;
	look(&d);
}

void __real_waits_idle(void);
void __wrap_waits_idle(void);

void __wrap_waits_idle(void)
{
	const struct delivery d = {.gd = lwkt_mycpu()};

	if (spoiled_room == idle_invariants && deliveries > SPOIL_AFTER)
		spoil(&d);
	check(idle_invariants, &d);
	__real_waits_idle();
}

static const struct invariant *find_in(const struct invariant *room, const char *name)
{
	for (const struct invariant *each = room; each->name; each++)
		if (!strcmp(each->name, name)) {
			spoiled_room = room;
			return each;
		}
	return NULL;
}

static const struct invariant *find(const char *name)
{
	const struct invariant *found = find_in(idle_invariants, name);

	for (unsigned i = 0; i < ROOMS_OF_INVARIANTS && !found; i++)
		found = find_in(all[i], name);
	if (found)
		return found;
	program_fail(125, name, "no invariant has this name");
}


/* The environment is seen early: before there is a second lwp. */
void __real_fs_find(char **environment);
void __wrap_fs_find(char **environment);

void __wrap_fs_find(char **environment)
{
	static const char name[] = "LIBCR_CHECK_BREAK=";

	for (char **each = environment; *each; each++)
		if (!strncmp(*each, name, sizeof(name) - 1))
			spoiled = find(*each + sizeof(name) - 1);
	noticed_begin();
	__real_fs_find(environment);
}
