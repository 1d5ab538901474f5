/*
 * order.c - with a schedule, the processes of a tree run one at a time: one has its turn until none of its lwps can run, and then the next one of the tree (tree.c has the page that they
 * share). So what a process finds when it looks (what is in a pipe, which children have ended) hangs on no processor, and a seed is one run of all of them.
 *
 * Whose turn it is when a process ends or is killed, the others see from /proc. Once each has looked and found nothing to do, time moves to the first timer of all.
 *
 * Invariants:
 *  - Only whose turn it is runs its program, makes processes, and writes what of the tree is for that, and its time. (But for one that stands in a call that libcr does not know to wait: for
 *    STANDS_NS, and then the turn is taken from it; and one that computes for PATIENCE.)
 *  - A turn goes from one to the next in the order of their places, also if that one has ended: whoever notices gives it on in its name.
 */
#include "schedule.h"

#include "tree.h"

#define CALLS_MAX 1024          /* that a process makes in one turn, as the seed says: it may wait for another one by asking again and again */
#define WAYS 64                 /* turns that a process ends so, and has not waited since: then time moves */
#define CALLS_ALONE 64          /* before one that is alone looks again whether it is */
#define MAGNITUDES 11           /* of those numbers: 1 to CALLS_MAX */
#define NAP 50000ull            /* ns from one look to the next at one that has said that it ends, */
#define NAP_ALIVE 10000000ull   /* at one that has not, by the next one, */
#define NAP_OTHERS 100000000ull /* and by the others */
#define GRACE 200000ull         /* for what comes from outside of the tree, before time moves */
#define OUTSIDE_NAP_MAX 1000000ull
#define SETTLES_NS 1000000000ull /* for others to have seen a signal */
#define STANDS_NS 2000000000ull
#define BEGINS_NS 3000000000ull /* for a child of fork: then it is none */
#define PATIENCE 10000000000ull

static unsigned calls_left; /* before another one has its turn */
static unsigned ways;
static uint64_t outside_nap = GRACE;

bool order_has(void)
{
	return schedule_is_seeded && tree_has();
}

/** The place after that one; itself, if there is no other. */
static uint32_t next_after(uint32_t i)
{
	for (uint32_t k = 1; k < MEMBERS; k++)
		if (__atomic_load_n(&tree->members[(i + k) % MEMBERS].process, __ATOMIC_SEQ_CST))
			return (i + k) % MEMBERS;
	return i;
}

static unsigned count(void)
{
	unsigned n = 0;

	for (uint32_t i = 0; i < MEMBERS; i++)
		n += !!__atomic_load_n(&tree->members[i].process, __ATOMIC_SEQ_CST);
	return n;
}

static void wake(void)
{
	kernel_call(SYS_futex, &tree->turn, 1 /* FUTEX_WAKE, between processes */, INT32_MAX);
}

static uint32_t turn(void)
{
	return __atomic_load_n(&tree->turn, __ATOMIC_SEQ_CST);
}

/** What is behind `of`: each turn has a value of its own. */
static uint32_t turn_after(uint32_t of, uint32_t member)
{
	return of - of % MEMBERS + MEMBERS + member;
}

static bool is_own(uint32_t of)
{
	return of % MEMBERS == options.clock_member;
}

static void give(uint32_t to)
{
	__atomic_store_n(&tree->turn, turn_after(turn(), to), __ATOMIC_SEQ_CST);
	if (to != options.clock_member)
		wake();
}

/** In the name of one that can't. */
static void give_for(uint32_t of)
{
	const uint32_t next = turn_after(of, next_after(of % MEMBERS));

	if (__atomic_compare_exchange_n(&tree->turn, &of, next, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		wake();
}

static void say_once(uint32_t process, char state)
{
	static bool said;

	if (!said)
		print(2, "libcr: process %u %s: others go on, and this run may not be had again\n", process,
		      state == 'S' ? "waits for what libcr does not know" : "has computed for long");
	said = true;
}

/** Whose turn it is may have ended, or stand: since is the real time at which it was first seen so. */
static void look_at(uint32_t of, uint64_t *since, char *was)
{
	const uint32_t i = of % MEMBERS, process = __atomic_load_n(&tree->members[i].process, __ATOMIC_SEQ_CST);
	const char state = tree_state(i);
	const uint64_t limit = state == 'R' || state == 'D' ? PATIENCE : STANDS_NS;

	if (!process || !state || state == 'Z' || state == 'X') {
		tree_ended(i, process);
		give_for(of);
	} else if (state == 'T' || state == 't') {
		give_for(of); /* stopped: it has its turn when it goes on */
	} else if (state != *was) {
		*was = state;
		*since = tree_real_time();
	} else if (tree_real_time() - *since > limit) {
		say_once(process, state);
		give_for(of);
	}
}

void order_take(void)
{
	uint64_t since = 0;
	uint32_t of, before = 0;
	char was = 0;

	if (!order_has())
		return;
	while (!is_own(of = turn())) {
		const uint64_t nap[2] = {0, __atomic_load_n(&tree->ending, __ATOMIC_SEQ_CST) == of ? NAP : next_after(of % MEMBERS) == options.clock_member ? NAP_ALIVE : NAP_OTHERS};

		if (of != before)
			before = of, was = 0;
		kernel_call(SYS_futex, &tree->turn, 0 /* FUTEX_WAIT */, of, nap);
		if (turn() == of)
			look_at(of, &since, &was);
	}
}

/** Whose first timer is first. */
static uint32_t first_timer(void)
{
	uint32_t first = NONE;

	for (uint32_t i = 0; i < MEMBERS; i++)
		if (tree->members[i].process && tree->members[i].next != NEVER && (first == NONE || tree->members[i].next < tree->members[first].next))
			first = i;
	return first;
}

static void move_time(uint32_t first)
{
	if (tree->now < tree->members[first].next)
		__atomic_store_n(&tree->now, tree->members[first].next, __ATOMIC_SEQ_CST);
	give(first);
}

static void nap(uint64_t ns)
{
	kernel_call(SYS_nanosleep, ((const uint64_t[2]){0, ns}), NULL);
}

/** Each has looked twice since one had something to do last. What comes from outside has GRACE; where there is no timer either, all the time that it takes. */
static void all_wait(void)
{
	const uint32_t first = first_timer();

	if (!tree->graced || first == NONE) {
		nap(outside_nap);
		if (first == NONE && outside_nap < OUTSIDE_NAP_MAX)
			outside_nap *= 2;
		tree->graced = true;
		tree->quiet = 0;
		return;
	}
	tree->graced = false;
	tree->quiet = 0;
	move_time(first);
}

void order_passes(void)
{
	ways = 0;
	if (++tree->quiet > 2 * count())
		all_wait();
	else
		give(next_after(options.clock_member));
	order_take();
}

void order_runs(void)
{
	if (!order_has())
		return;
	tree->quiet = 0;
	tree->graced = false;
	outside_nap = GRACE;
}

/** A list of decisions has none of these. */
static unsigned calls_of_a_turn(void)
{
	return strategy == LIST ? CALLS_MAX : 1u << random_below(MAGNITUDES);
}

/** Another one has its turn, while this one could go on. Who does that again and again, and never waits, may be asking whether something has come that takes time: then time moves. */
static void gives_way(void)
{
	const uint32_t first = ++ways % WAYS ? NONE : first_timer();

	order_runs();
	calls_left = calls_of_a_turn();
	if (first == NONE)
		give(next_after(options.clock_member));
	else
		move_time(first);
}

void order_call(void)
{
	if (!order_has())
		return;
	if (calls_left) {
		calls_left--;
		if (is_own(turn()))
			return;
	} else if (next_after(options.clock_member) == options.clock_member) {
		calls_left = CALLS_ALONE;
		return;
	} else {
		gives_way();
	}
	order_take();
	order_runs();
}

void order_ends(void)
{
	if (!order_has())
		return;
	__atomic_store_n(&tree->ending, turn(), __ATOMIC_SEQ_CST);
	wake();
}

void order_begins(void)
{
	if (order_has())
		calls_left = calls_of_a_turn();
}

/** Before its parent can end it. */
void order_forked(void)
{
	uint64_t until;

	if (!order_has())
		return;
	order_begins(); /* it may have been alone */
	until = tree_real_time() + BEGINS_NS;
	while (!tree_child_has_come() && tree_real_time() < until)
		nap(NAP);
	if (!tree_child_has_come())
		tree_child_is_gone(); /* there is none, or it has been ended */
}

void order_vforked(uint32_t child)
{
	if (order_has() && child != NONE)
		__atomic_store_n(&tree->turn, turn_after(turn(), child), __ATOMIC_SEQ_CST);
}

/** Those that a signal may have woken, or ended, have done what they do outside of their turns: see that it has come. */
void order_settles(void)
{
	uint64_t until;

	if (!order_has() || next_after(options.clock_member) == options.clock_member)
		return;
	until = tree_real_time() + SETTLES_NS;
	for (uint32_t i = 0; i < MEMBERS; i++)
		while (i != options.clock_member && tree->members[i].process && !tree_stands(i) && tree_real_time() < until)
			nap(NAP);
}
