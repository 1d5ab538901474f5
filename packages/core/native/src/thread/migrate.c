/*
 * migrate.c - userthreads that move from one rfork to another (DragonFly: lwkt_setcpu_self, lwkt_giveaway, lwkt_acquire).
 *
 * The classic mistake is to let the new rfork run a thread while the old one still stands on its stack. Here a thread that leaves switches to
 * thread0, always, and thread0 sends it off, from its own stack. The same for a stack whose thread has ended away from home.
 *
 * Invariants:
 *  - td_gd is changed by the old rfork, by thread0, after the switch; with TDF_MIGRATING set, which keeps the thread off every run queue
 *    until the new rfork has linked it. Whoever saw the old td_gd sends there, and is sent on.
 *  - A stack belongs to the rfork that made it (ch_gd), which counts those that are away.
 */
#include "debug.h"

/** Takes td off the rfork's books. Its stack remains the property of its chunk's rfork. */
static void forget(globaldata_t gd, lwkt_thread_t td)
{
	if (td->td_stack && td->td_stack->st_chunk->ch_gd == gd)
		gd->gd_stacks_away++;
	td->td_flags |= TDF_MIGRATING;
	lwkt_timer_leave(gd, td);
	list_remove(&td->td_allq);
	gd->gd_stats.st_alive--;
}

static void adopt(globaldata_t gd, lwkt_thread_t td)
{
	struct lwkt_stack *stack = td->td_stack;

	list_append(&gd->gd_tdallq, &td->td_allq);
	gd->gd_stats.st_alive++;
	if (stack && stack->st_chunk->ch_gd == gd)
		gd->gd_stacks_away--;
	td->td_flags &= ~TDF_MIGRATING;
	if (is_watched(gd))
		lwkt_watch_begins(gd, td, true);
	lwkt_timer_arrive(gd, td);
}

/** A stack of this rfork's, whose thread has ended elsewhere. */
static void came_home(void *arg)
{
	struct lwkt_stack *stack = arg;
	globaldata_t gd = lwkt_arch_mycpu();

	gd->gd_stacks_away--;
	lwkt_pool_return(gd, stack);
}

/** By IPI message: on the rfork that a thread has been sent to. */
void lwkt_migrate_arrive(void *arg)
{
	lwkt_thread_t td = arg;
	globaldata_t gd = lwkt_arch_mycpu();

	adopt(gd, td);
	lwkt_enqueue(gd, td);
}

/** Sends td off, on whose stack nobody stands and which is on no run queue. It stays where it is if the target has ended. */
void lwkt_migrate_send(globaldata_t gd, lwkt_thread_t td, globaldata_t target, void (*arrives)(void *td))
{
	forget(gd, td);
	__atomic_store_n(&td->td_gd, target, __ATOMIC_RELEASE);
	if (lwkt_send_ipiq(target, arrives, td, NULL) == 0)
		return;
	__atomic_store_n(&td->td_gd, gd, __ATOMIC_RELEASE);
	adopt(gd, td);
	lwkt_enqueue(gd, td);
}

/** On thread0: nobody stands on what is sent off here. */
void lwkt_migrate_finish(globaldata_t gd)
{
	struct lwkt_stack *stack = gd->gd_homing;
	lwkt_thread_t td = gd->gd_leaving;

	gd->gd_homing = NULL;
	gd->gd_leaving = NULL;
	if (stack)
		lwkt_send_ipiq(stack->st_chunk->ch_gd, came_home, stack, NULL); /* it can't have ended: it counts this stack */
	if (td)
		lwkt_migrate_send(gd, td, gd->gd_leaving_to, lwkt_migrate_arrive);
}

/** The running thread may be moved from now on, or may not. */
static void set_migratable(globaldata_t gd, lwkt_thread_t cur, bool on)
{
	if (on == ((cur->td_flags & TDF_MIGRATABLE) != 0))
		return;
	cur->td_flags ^= TDF_MIGRATABLE;
	if (cur->td_flags & TDF_RUNQ)
		lwkt_share_count(gd, on ? 1 : -1);
}

/** A thread that has chosen its rfork is not moved again. */
static void stay(globaldata_t gd, lwkt_thread_t cur)
{
	set_migratable(gd, cur, false);
	cur->td_flags &= ~TDF_PINNED;
}

void lwkt_pin(void)
{
	globaldata_t gd = lwkt_arch_mycpu();
	lwkt_thread_t cur = gd->gd_curthread;

	if (cur->td_pins++ > 0 || !(cur->td_flags & TDF_MIGRATABLE))
		return;
	set_migratable(gd, cur, false);
	cur->td_flags |= TDF_PINNED;
}

int lwkt_unpin(void)
{
	globaldata_t gd = lwkt_arch_mycpu();
	lwkt_thread_t cur = gd->gd_curthread;

	if (cur->td_pins == 0)
		return MISUSE(EPERM, "the thread is not pinned: one lwkt_unpin for each lwkt_pin");
	if (--cur->td_pins > 0 || !(cur->td_flags & TDF_PINNED))
		return 0;
	cur->td_flags &= ~TDF_PINNED;
	set_migratable(gd, cur, true);
	return 0;
}

int lwkt_setcpu_self(globaldata_t target)
{
	globaldata_t gd = lwkt_arch_mycpu();
	lwkt_thread_t cur = gd->gd_curthread;

	if (target == gd) {
		stay(gd, cur);
		return 0;
	}
	if (gd->gd_ipi_depth || cur->td_critcount)
		return MISUSE(EDEADLK, "%s", lwkt_debug_no_wait());
	if (cur->td_flags & TDF_THREAD0)
		return MISUSE(EPERM, "thread0 stays with its rfork: move a userthread (lwkt_create)");
	if (cur->td_pins)
		return MISUSE(EBUSY, "the thread is pinned to its rfork: lwkt_unpin first");
	if (cur->td_resident)
		return MISUSE(EINVAL, "the thread's stack belongs to a runtime, and stays: create a thread there instead (lwkt_create)");
	if (atomic_load_explicit(&target->gd_shared.state, memory_order_acquire) != CPU_ONLINE)
		return ESRCH;
	stay(gd, cur);
	lwkt_dequeue(gd, cur);
	cur->td_flags |= TDF_MIGRATING; /* already: letting go of tokens may run IPI functions, and a wake-up would put it back */
	gd->gd_leaving = cur;
	gd->gd_leaving_to = target;
	lwkt_switch();
	return lwkt_arch_mycpu() == target ? 0 : ESRCH;
}

int lwkt_giveaway(lwkt_thread_t td)
{
	globaldata_t gd = lwkt_arch_mycpu();

	if (owner_of(td) != gd)
		return MISUSE(EPERM, THREAD_IS " is another rfork's, which alone can give it away", THREAD(td));
	if (td->td_resident || td->td_pins || (td->td_flags & (TDF_RUNNING | TDF_RUNQ | TDF_EXITING | TDF_THREAD0 | TDF_MIGRATING)))
		return MISUSE(EINVAL, THREAD_IS " can't be given away: only a plain userthread that is blocked, and not pinned, can", THREAD(td));
	forget(gd, td);
	return 0;
}

int lwkt_acquire(lwkt_thread_t td)
{
	globaldata_t gd = lwkt_arch_mycpu();

	if (!(td->td_flags & TDF_MIGRATING))
		return MISUSE(EINVAL, THREAD_IS " has not been given away (lwkt_giveaway, by its owner)", THREAD(td));
	__atomic_store_n(&td->td_gd, gd, __ATOMIC_RELEASE);
	adopt(gd, td);
	return 0;
}
