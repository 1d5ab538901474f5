/*
 * thread.c - userthreads: their birth and their end (DragonFly: lwkt_create, lwkt_exit). Not their stacks (pool.c, stack.c) nor
 * what stands at the bottom of those (resident.c).
 *
 * Invariant: the structure of a finished thread is reused only after its owner has left its stack's frames for good: on one
 * rfork nobody else can run in between.
 */
#include "debug.h"

void lwkt_thread_init(globaldata_t gd, lwkt_thread_t td)
{
	memset(td, 0, sizeof(*td));
	td->td_gd = gd;
	td->td_pri = TDPRI_KERN;
	td->td_critcount = 1;
	td->td_switch = td->td_own_switch = lwkt_arch_switch;
	list_init(&td->td_threadq);
	list_init(&td->td_allq);
	lwkt_initport_thread(&td->td_msgport, td, NULL);
	td->td_sysmsg.sm_msg.ms_flags = MSGF_DONE;
	list_init(&td->td_sysmsg.sm_msg.ms_node);
	td->td_sysmsg.sm_msg.ms_reply_port = &td->td_msgport;
}

/** On td's own rfork: it exists from here on, and has not run before. */
static void begin(globaldata_t gd, lwkt_thread_t td)
{
	td->td_id = gd->gd_next_id++;
	list_append(&gd->gd_tdallq, &td->td_allq);
	gd->gd_stats.st_created++;
	gd->gd_stats.st_alive++;
	if (!(td->td_flags & TDF_NOSTART))
		lwkt_enqueue(gd, td);
	td->td_flags &= ~TDF_NOSTART;
}

/** By IPI message. Another rfork's may have come before it, and asked something of td: several rings have no order. */
static void begin_here(void *arg)
{
	lwkt_thread_t td = arg;

	td->td_flags &= ~TDF_MIGRATING;
	begin(lwkt_arch_mycpu(), td);
}

#define REFS_RELEASED 0x80000000u /* in td_refs: the last lwkt_rele frees it */

void lwkt_hold(lwkt_thread_t td)
{
	__atomic_fetch_add(&td->td_refs, 1, __ATOMIC_RELAXED);
}

void lwkt_rele(lwkt_thread_t td)
{
	if (__atomic_sub_fetch(&td->td_refs, 1, __ATOMIC_ACQ_REL) == REFS_RELEASED)
		lwkt_os_free(td); /* not to its rfork's list: that may be another one, or gone */
}

/** td, which somebody held, is theirs from now on. Or nobody does any more: whether that is so. */
LWKT_OTHER_RFORK static bool leave_to_holders(lwkt_thread_t td)
{
	return __atomic_fetch_or(&td->td_refs, REFS_RELEASED, __ATOMIC_ACQ_REL) == 0;
}

/** The structure that has lain on the free list longest, or shortest; NULL where there is none. Those that somebody holds are left to them on the way: not when
 *  the thread ends, as it stands on its stack for a little while yet, and is curthread. */
static lwkt_thread_t take_free(globaldata_t gd, bool longest)
{
	while (!list_empty(&gd->gd_freetd)) {
		struct lwkt_list *node = longest ? gd->gd_freetd.next : gd->gd_freetd.prev;
		lwkt_thread_t td = LIST_ENTRY(node, struct lwkt_thread, td_threadq);

		list_remove(node);
		if (__atomic_load_n(&td->td_refs, __ATOMIC_ACQUIRE) == 0 || leave_to_holders(td))
			return td;
	}
	return NULL;
}

int lwkt_create(void (*func)(void *), void *arg, lwkt_thread_t *tdp, const struct lwkt_create_args *args)
{
	static const struct lwkt_create_args defaults = {.priority = -1};
	globaldata_t gd = lwkt_arch_mycpu(), target;
	lwkt_thread_t td;
	size_t size;
	int error;

	if (!args)
		args = &defaults;
	target = args->rfork ? args->rfork : gd;
	size = args->stack_size ? args->stack_size : LWKT_STACK_DEFAULT;
	if (size < LWKT_STACK_MIN || size > LWKT_STACK_MAX || args->priority < -1 || args->priority > TDPRI_MAX)
		return MISUSE(EINVAL, "stack size %zu or priority %d is out of range", size, args->priority);
	if (args->flags & ~(TDF_NOSTART | TDF_JOINABLE | TDF_MIGRATABLE))
		return MISUSE(EINVAL, "flags 0x%x has some that lwkt_create does not take", args->flags);
	if (args->resident && (target != gd || (args->flags & TDF_MIGRATABLE)))
		return MISUSE(EINVAL, "a thread of a runtime's stays where it is created, and is created on its own rfork");
	if (args->resident && args->swtch)
		return MISUSE(EINVAL, "a thread of a runtime's is switched away from by the runtime's swtch");
	td = take_free(gd, false);
	if (!td)
		td = lwkt_os_alloc(sizeof(*td));
	if (!td)
		return ENOMEM;
	lwkt_thread_init(target, td);
	td->td_func = func;
	td->td_arg = arg;
	td->td_data = args->data;
	td->td_resident = args->resident;
	if (args->swtch)
		td->td_switch = td->td_own_switch = args->swtch;
	else if (args->resident && args->resident->swtch)
		td->td_switch = td->td_own_switch = args->resident->swtch;
	td->td_stack_size = lwkt_stack_size_for(size);
	td->td_flags = TDF_FRESH | args->flags;
	td->td_fpcontrol = args->fpcontrol;
	if (args->priority >= 0)
		td->td_pri = args->priority;
	lwkt_set_name(td->td_comm, args->name ? args->name : "userthread");
	if (tdp)
		*tdp = td;
	if (target == gd) {
		begin(gd, td);
		return 0;
	}
	td->td_flags |= TDF_MIGRATING; /* on its way, as one that moves: whoever knows of it may be faster */
	error = lwkt_send_ipiq(target, begin_here, td, NULL);
	if (error)
		lwkt_os_free(td);
	return error;
}

const struct lwkt_resident *lwkt_resident_of(lwkt_thread_t td)
{
	return td->td_resident ? td->td_resident : &lwkt_plain_resident;
}

/** Gives a fresh thread a stack. Returns 0 or ENOMEM. */
int lwkt_thread_bind(globaldata_t gd, lwkt_thread_t td)
{
	struct lwkt_stack *stack = lwkt_pool_get(gd, td);

	if (!stack)
		return ENOMEM;
	if (stack->st_resident == NULL) {
		stack->st_resident = lwkt_resident_of(td);
		stack->st_ctx.sp = lwkt_arch_prepare(stack->st_base + stack->st_size, lwkt_stack_main, gd->gd_fpcontrol);
	}
	td->td_stack = stack;
	return 0;
}

/** A join under way: on the joiner's stack, which waits for `answered`. */
struct lwkt_join {
	lwkt_thread_t td, joiner;
	int error;
	bool answered; /* written and read on the joiner's rfork */
};

static void release(globaldata_t gd, lwkt_thread_t td)
{
	list_remove(&td->td_threadq);
	list_remove(&td->td_allq);
	list_append(&gd->gd_freetd, &td->td_threadq);
}

/** After a fork: td, on no run queue and in no heap, is no more. */
void lwkt_thread_forget(globaldata_t gd, lwkt_thread_t td)
{
	release(gd, td);
}

/** Back on the joiner's rfork. */
static void join_answered(void *arg)
{
	struct lwkt_join *join = arg;

	if (sent_after(join->joiner, join_answered, join))
		return;
	join->answered = true;
	lwkt_wake(join->joiner);
}

/** On the thread's rfork. release_td: it has ended, and this is the end of it. */
static void answer_join(globaldata_t gd, struct lwkt_join *join, int error, bool release_td)
{
	if (release_td)
		release(gd, join->td);
	join->error = error;
	join_answered(join);
}

/** On the thread's rfork. */
static void ask_join(void *arg)
{
	struct lwkt_join *join = arg;
	globaldata_t gd = lwkt_arch_mycpu();
	lwkt_thread_t td = join->td;

	if (sent_after(td, ask_join, join))
		return;
	if (!(td->td_flags & TDF_JOINABLE))
		answer_join(gd, join, EINVAL, false);
	else if (td->td_join)
		answer_join(gd, join, EBUSY, false);
	else if (td->td_flags & TDF_EXITING)
		answer_join(gd, join, td->td_error, true);
	else
		td->td_join = join;
}

/** Gives back up to max of the structures kept for reuse, those that have lain longest first. Returns how many. */
unsigned lwkt_thread_free(globaldata_t gd, unsigned max)
{
	unsigned n = 0;
	lwkt_thread_t td;

	for (; n < max && (td = take_free(gd, true)) != NULL; n++)
		lwkt_os_free(td);
	return n;
}

/** The rfork ends: nobody can join what is left. */
void lwkt_thread_free_all(globaldata_t gd)
{
	while (!list_empty(&gd->gd_tdallq))
		release(gd, LIST_ENTRY(gd->gd_tdallq.next, struct lwkt_thread, td_allq));
	lwkt_thread_free(gd, ~0u);
}

/** The thread has ended: wakes its joiner. Its stack, if it has one, stays the caller's affair. */
void lwkt_thread_finish(globaldata_t gd, lwkt_thread_t td, int error)
{
	const struct lwkt_resident *resident = td->td_resident;

	lwkt_debug_thread_ends(td);
	if (td->td_toks)
		lwkt_tokens_drop(gd, td);
	if (td->td_timer.tm_link)
		lwkt_timer_leave(gd, td);
	lwkt_dequeue(gd, td);
	td->td_flags = (td->td_flags | TDF_EXITING) & ~(TDF_FRESH | TDF_RUNNING);
	td->td_error = error;
	gd->gd_stats.st_alive--;
	if (error && resident && resident->failed)
		resident->failed(td, error);
	if (!(td->td_flags & TDF_JOINABLE))
		release(gd, td);
	else if (td->td_join)
		answer_join(gd, td->td_join, error, true);
}

int lwkt_join(lwkt_thread_t td)
{
	globaldata_t gd = lwkt_arch_mycpu();
	struct lwkt_join join = {.td = td, .joiner = gd->gd_curthread};
	int error = 0;

	if (td == gd->gd_curthread)
		return MISUSE(EDEADLK, "the thread would wait for its own end: join it from another");
	if (owner_of(td) == gd)
		ask_join(&join);
	else if (!lwkt_may_wait(gd))
		return MISUSE(EDEADLK, "%s", lwkt_debug_no_wait()); /* now: a question that is under way can't be taken back without waiting either */
	else
		error = lwkt_send_ipiq(owner_of(td), ask_join, &join, NULL);
	while (!error && !join.answered) {
		error = lwkt_wait_once("join");
		if (error) /* thread0, and td is this rfork's: if another one had it, there would be something to wait for */
			td->td_join = NULL;
	}
	if (error)
		return MISUSE_IF(error == EDEADLK, error, "%s", lwkt_debug_no_wait());
	return MISUSE_IF(join.error == EINVAL || join.error == EBUSY, join.error, "thread %p %s", (void *)td,
	                 join.error == EBUSY ? "is joined by somebody already" : "can't be joined: create it with TDF_JOINABLE");
}

void *lwkt_stack_base(lwkt_thread_t td)
{
	return td->td_stack ? td->td_stack->st_base : NULL;
}

void *lwkt_stack_end(lwkt_thread_t td)
{
	return td->td_stack ? td->td_stack->st_base + td->td_stack->st_size : NULL;
}
