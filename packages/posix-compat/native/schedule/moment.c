/*
 * moment.c - where each lwp is, told by what it has done itself, and whose place the next choice is of: what a schedule's list of decisions (decisions.c) goes by.
 *
 * Invariant: two choices have two places. Where thread0 chooses again before an lwp has had the processor, that choice is no decision.
 */
#include "schedule.h"

static struct moment here;
static struct lwp *stays; /* it would go on by itself: at a call, or between instructions */
static bool chosen;       /* nobody has had the processor since the last choice */
static long call;
static uint64_t births;

static const struct trapframe *frame_of(const struct lwp *lwp)
{
	return (const struct trapframe *)(lwp->lwp_kstack - TF_SIZE);
}

static void is_here(const struct lwp *lwp)
{
	here = lwp->lwp_moment;
	here.at = AT_WAIT;
	here.n = lwp->lwp_arrivals;
	here.pages = 0;
	stays = NULL;
}

void moment_born(struct lwp *lwp)
{
	lwp->lwp_moment = (struct moment){.thread = ++births};
	lwp->lwp_paging = (struct paging){0};
	lwp->lwp_arrivals = 0;
	lwp->lwp_stepped = false;
}

void moment_forked(void)
{
	births = 0;
	stays = NULL;
}

void moment_arrives(struct lwp *lwp)
{
	lwp->lwp_arrivals += !lwp->lwp_stepped; /* a run of the list is not interrupted where nothing came of it */
	call = (long)frame_of(lwp)->tf_number;
	chosen = false;
	is_here(lwp);
}

void moment_leaves(struct lwp *lwp)
{
	if (!lwp->lwp_stepped) {
		lwp->lwp_moment.point++;
		lwp->lwp_moment.n = lwp->lwp_moment.pages = 0;
		lwp->lwp_paging = (struct paging){0};
		lwp->lwp_arrivals = 0;
	}
	lwp->lwp_stepped = false;
	is_here(lwp);
}

const struct moment *moment_call(struct lwp *lwp)
{
	call = (long)frame_of(lwp)->tf_number;
	lwp->lwp_arrivals = 0;
	is_here(lwp);
	here.at = AT_CALL;
	here.n = 0;
	stays = lwp;
	return &here;
}

const struct moment *moment_step(struct lwp *lwp)
{
	here = lwp->lwp_moment;
	here.at = AT_STEP;
	stays = lwp;
	return &here;
}

struct lwp *moment_stays(void)
{
	return stays;
}

const struct moment *moment_choose(void)
{
	if (chosen)
		return NULL;
	chosen = true;
	return &here;
}

void moment_write(uint64_t next)
{
	decisions_write(&here, next, call_name(call), here.at == AT_STEP ? frame_of(stays)->tf_rip : 0);
}
