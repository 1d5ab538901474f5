/*
 * record.c - turns of lwps while a program is recorded or replayed: lwps are switched to in calls only, and by a tick where one makes none for long.
 */
#include "posix.h"

static const struct lwp *runs; /* at the last tick */
static volatile bool slice_is_over;

static void wait_for_turn(void)
{
	lwkt_wait_once("replay");
}

static void turn_comes(struct lwp *lwp)
{
	lwkt_wake(lwp->lwp_td);
}

/** Before a call: who makes many that do not wait lets others run, too. */
static void end_turn(struct lwp *lwp)
{
	(void)lwp;
	if (!slice_is_over && !timers_due) /* of one that is alone there are no ticks */
		return;
	slice_is_over = false;
	rfork_look_thoroughly();
	lwkt_pass_end();
	lwkt_yield();
}

void record_tick(const struct lwp *lwp)
{
	slice_is_over = runs == lwp;
	runs = lwp;
}

void record_preempted(struct lwp *lwp)
{
	if (record_mode == RECORD_WRITES) {
		rfork_look_thoroughly();
		lwkt_pass_end();
		turn_yield(lwp);
	}
	record_resumes(lwp);
}

void record_turns(void)
{
	program_ticks = tick_once;
	program_turn_wait = wait_for_turn;
	program_turn_comes = turn_comes;
	program_turn_over = end_turn;
}
