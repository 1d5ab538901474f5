/*
 * watch.c - an lwp that computes and makes no call, while others could run or sleep: what it waits for may be theirs to do (it spins). It is interrupted by a clock then, and
 * that is said, as such a run is not the same again.
 */
#include "schedule.h"

#include "internal.h" /* core's: how often a thread was switched to */

static const struct lwp *last;
static uint64_t last_did, last_steps;

static uint64_t did(const struct lwp *lwp)
{
	return lwp->lwp_ncalls + ((lwkt_thread_t)lwp->lwp_td)->td_nswitches;
}

/** Whether it has done nothing else since the last tick. */
static bool computes(const struct lwp *lwp)
{
	const bool only = lwp == last && did(lwp) == last_did && step_count == last_steps;

	last = lwp;
	last_did = did(lwp);
	last_steps = step_count;
	return only;
}

/** Whether the first of those that sleep is to go on now. */
static bool sleepers_wake(void)
{
	if (!options.virtual_time)
		return !lwkt_next_timer();
	if (idle_next() == NEVER)
		return false;
	clock_move(idle_next());
	return true;
}

/** In the tick's handler: time is to move for those that sleep, as it would have meanwhile. */
bool schedule_stands_still(const struct lwp *lwp, const ucontext_t *uc)
{
	static bool said;

	if (!in_program(lwp, uc) || !computes(lwp))
		return false;
	if (lwkt_runnable() < 2 && !sleepers_wake())
		return false;
	if (!said)
		print(2, "libcr: thread %d computes and makes no call, so others run now: this run can't be had again\n", lwp->lwp_tid);
	said = true;
	return true;
}
