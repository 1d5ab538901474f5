/*
 * schedule.c - whose turn it is, from a seed: at each call of the program's, at each wait, and between instructions of its own (step.c), by the strategy (strategy.c).
 *
 * The core's scheduler is as it is: thread0 has its turn after each lwp (an lwp that arrives ends the pass), and puts the one that is next to the head of its queue.
 */
#include "schedule.h"

#include "internal.h" /* core's: its run queues */

#define TURN_CALLS 256 /* of a thread in a row, without a wait and without a schedule */
#define CALL_TAKES 1000 /* ns of virtual time, then */
#define URGENT 0x8000000000000000ull /* a priority at birth; below are those of change points and yields */

bool schedule_is_seeded;
static uint64_t lowest = URGENT;   /* of those that were lowered, the last */
static bool keeps;                 /* who makes a call goes on */
static struct lwp *preempted;      /* another one is next */
static bool is_preempted;
static uint64_t lineage;           /* a child's, while this process forks */

/* ---------------------------------------------------------------- calls */

static bool time_moves(const struct moment *moment)
{
	if (idle_next() == NEVER)
		return false;
	return strategy == LIST ? decisions_time_moves(moment) : strategy_time_moves(moment);
}

/** An lwp can take any time for what it does: a timer may be due first. The choice is between all that can run then. */
static void let_time_move(const struct moment *moment)
{
	if (!time_moves(moment))
		return;
	moment_write(NEXT_TIME);
	clock_move(idle_next());
	alarm_fire();
	lwkt_timers_fire(lwkt_mycpu(), clock_now());
}

/** A call begins: anybody may come first. thread0 has its turn in any case, as what it finds must not hang on the choice. */
static void before(struct lwp *lwp)
{
	const struct moment *moment = moment_call(lwp);

	lwp_notify(lwp, AST_SCHEDULE);
	if (lwp->lwp_proc->p_vforked_by)
		return;
	order_call();
	if (lwp->lwp_proc->p_nlwps < 2)
		return;
	keeps = strategy_keeps();
	let_time_move(moment);
	lwkt_yield();
}

/** Without a schedule a thread goes on until it waits. One that makes calls and never does (it asks again and again, or reads what is always there) has others go on after so many. */
static void before_without(struct lwp *lwp)
{
	static const struct lwp *last;
	static unsigned calls;

	if (lwp->lwp_proc->p_vforked_by || lwp->lwp_proc->p_nlwps < 2)
		return;
	if (lwp != last)
		calls = 0;
	last = lwp;
	if (++calls < TURN_CALLS)
		return;
	calls = 0;
	if (options.virtual_time) { /* for those that sleep */
		clock_passes(TURN_CALLS * CALL_TAKES);
		alarm_fire();
		lwkt_timers_fire(lwkt_mycpu(), clock_now());
	}
	lwkt_pass_end();
	lwkt_yield();
}

static long first(struct lwp *lwp, struct trapframe *tf)
{
	long result = random_call(lwp, tf);

	libraries_call(tf);
	if ((tf->tf_number == SYS_exit_group || (tf->tf_number == SYS_exit && lwp->lwp_proc->p_nlwps == 1)) && !lwp->lwp_proc->p_vforked_by)
		order_ends();
	if (result == NOT_HANDLED)
		result = machine_call(lwp, tf);
	if (result == NOT_HANDLED && options.virtual_time)
		result = clock_call(lwp, tf);
	if (result == NOT_HANDLED && options.virtual_time)
		result = alarm_call(lwp, tf);
	return result;
}

static void after(struct lwp *lwp, uint64_t number)
{
	if (lwp->lwp_proc->p_vforked_by)
		return;
	switch (number) {
	case SYS_kill: case SYS_tkill: case SYS_tgkill: case SYS_rt_sigqueueinfo: case SYS_rt_tgsigqueueinfo: case SYS_pidfd_send_signal: /* it is woken, or ends */
	case SYS_flock: case SYS_fcntl: case SYS_close: /* a helper of another's may have a lock now */
		order_settles();
	}
}

void schedule_begin(void)
{
	if (!options.deterministic)
		return;
	random_begin(options.lineage);
	program_first = first;
	if (options.virtual_time)
		clock_begin(), tsc_begin();
	if (!options.schedule) {
		program_before = before_without;
		return;
	}
	strategy_read(options.schedule);
	schedule_is_seeded = true;
	step_begin();
	waits_by_readiness(true); /* what is begun in a ring is done whosever turn it is */
	program_before = before;
	program_after = after;
}

/* ---------------------------------------------------------------- the choice */

static struct lwp *lwp_at(struct lwkt_list *node)
{
	return LIST_ENTRY(node, struct lwkt_thread, td_threadq)->td_data;
}

static uint64_t urgency_at(struct lwkt_list *node)
{
	const struct lwp *lwp = lwp_at(node);

	return lwp ? lwp->lwp_urgency : UINT64_MAX; /* one that ends */
}

static bool may_be_next(struct lwkt_list *node, bool alone)
{
	return alone || !is_preempted || lwp_at(node) != preempted;
}

static struct lwkt_list *any(struct lwkt_list *queue, unsigned n)
{
	uint64_t k = random_below(n - (is_preempted && n > 1));
	struct lwkt_list *node = queue->next;

	for (;; node = node->next)
		if (may_be_next(node, n == 1) && !k--)
			return node;
}

static struct lwkt_list *most_urgent(struct lwkt_list *queue)
{
	struct lwkt_list *best = queue->next;

	for (struct lwkt_list *node = queue->next; node != queue; node = node->next)
		if (urgency_at(node) > urgency_at(best))
			best = node;
	return best;
}

static uint64_t number_at(struct lwkt_list *node)
{
	const struct lwp *lwp = lwp_at(node);

	return lwp ? lwp->lwp_moment.thread : 0;
}

/** Whom the list has there; `usual`: it has none, or one that can't run. */
static struct lwkt_list *listed(struct lwkt_list *queue, struct lwkt_list *usual, const struct moment *moment)
{
	uint64_t number;

	if (decisions_find(moment, &number))
		for (struct lwkt_list *node = queue->next; node != queue; node = node->next)
			if (number_at(node) == number)
				return node;
	return usual;
}

static struct lwkt_list *choose(struct lwkt_list *queue, unsigned n, struct lwkt_list *usual, const struct moment *moment)
{
	if (keeps && moment_stays())
		return usual;
	switch (strategy) {
	case RANDOM: return any(queue, n);
	case PCT: return most_urgent(queue);
	case LIST: return listed(queue, usual, moment);
	default: return queue->next;
	}
}

void schedule_next(void)
{
	const globaldata_t gd = lwkt_mycpu();
	const struct moment *moment;
	struct lwkt_list *queue, *node, *usual;
	unsigned n = 0, here = 0;

	if (!gd->gd_runqmask)
		return;
	queue = &gd->gd_tdrunq[31 - __builtin_clz(gd->gd_runqmask)];
	usual = queue->next;
	for (node = queue->next; node != queue; node = node->next) {
		n++;
		if (moment_stays() && lwp_at(node) == moment_stays())
			usual = node;
		here += is_preempted && lwp_at(node) == preempted;
	}
	if (!here)
		is_preempted = false;
	moment = moment_choose();
	if (n > 1) {
		node = moment ? choose(queue, n, usual, moment) : usual;
		if (node != usual)
			moment_write(number_at(node));
		list_remove(node);
		list_append(queue->next, node); /* before the first */
	}
	is_preempted = keeps = false;
}

/** So the next switch goes to thread0, which returns to its loop. */
void schedule_arrives(void)
{
	if (!schedule_is_seeded)
		return;
	if (curlwp())
		moment_arrives(curlwp());
	lwkt_pass_end();
}

void schedule_switch(struct lwkt_context *from, struct lwkt_context *to)
{
	cputime_switch(from, to);
	schedule_arrives();
}

void schedule_born(struct lwp *lwp)
{
	moment_born(lwp);
	if (schedule_is_seeded)
		lwp->lwp_urgency = URGENT + random_below(URGENT);
}

static void lower(struct lwp *lwp)
{
	lwp->lwp_urgency = --lowest;
}

void schedule_yields(struct lwp *lwp)
{
	if (options.virtual_time)
		clock_passes(1000);
	if (schedule_is_seeded && strategy == PCT)
		lower(lwp);
}

/** In a signal's handler. */
void schedule_preempts(struct lwp *lwp)
{
	if (strategy == PCT)
		lower(lwp);
	lwp->lwp_stepped = is_preempted = true;
	preempted = lwp;
}

/** Before the program goes on, where a quantum is over. */
void schedule_point(struct lwp *lwp)
{
	if (!is_preempted || preempted != lwp || lwp->lwp_proc->p_vforked_by)
		return;
	let_time_move(moment_step(lwp));
	lwkt_yield();
}

/* ---------------------------------------------------------------- processes */

void schedule_forks(void)
{
	if (options.deterministic)
		lineage = deterministic_child();
	if (options.virtual_time)
		tree_forks();
}

void schedule_forked(struct lwp *lwp)
{
	if (!options.deterministic)
		return;
	options.lineage = lineage;
	if (options.virtual_time)
		tree_forked();
	is_preempted = false;
	moment_forked();
	strategy_forked();
	schedule_born(lwp);
	order_begins();
	order_take();
	order_runs();
}
