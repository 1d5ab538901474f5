/*
 * turn.c - whose turn it is: an lwp goes on when the next event is its. Whoever waits is told so by whoever has taken the event before.
 */
#include "replay.h"

static struct lwp *find(const struct proc *proc, int tid)
{
	struct lwp *lwp = proc->p_lwps;

	while (lwp && lwp->lwp_tid != tid)
		lwp = lwp->lwp_next;
	return lwp;
}

/** A signal comes next: the lwp looks before its program goes on. */
void replay_look_ahead(struct lwp *me)
{
	const struct record *r = log_next();

	if (!r && me->lwp_proc->p_vforked_by && !log_escapes())
		process_killed(); /* it has no ticks */
	if ((!r || (r->re_tid == me->lwp_tid && r->re_kind == RECORD_RESUMES)) && !me->lwp_proc->p_vforked_by)
		program_ticks(); /* until one finds it computing: to where others had their turn, or to where it was killed */
	if (r && r->re_tid == me->lwp_tid && r->re_kind == RECORD_SIGNAL && !r->re_result)
		lwp_notify(me, AST_SIGNAL);
}

void replay_step(struct lwp *me)
{
	const struct record *r;
	struct lwp *next;

	log_step();
	replay_look_ahead(me);
	r = log_next();
	if (!r)
		return;
	if (r->re_tid == me->lwp_tid)
		return;
	next = find(me->lwp_proc, r->re_tid);
	if (next && next->lwp_waits_turn) {
		next->lwp_waits_turn = false;
		program_turn_comes(next);
	}
}

const struct record *replay_turn(struct lwp *lwp, const struct capture *c, const char *now)
{
	const struct record *r;

	while ((r = log_next()) && (r->re_tid != lwp->lwp_tid || r->re_kind == RECORD_RESUMES || r->re_kind == RECORD_WRITE)) {
		if (r->re_tid == lwp->lwp_tid) { /* it has come further this time before it was interrupted; or libcr has written */
			replay_write_back(r);
			replay_step(lwp);
			continue;
		}
		if (!find(lwp->lwp_proc, r->re_tid))
			replay_diverge(lwp, c, now, "there is no such thread");
		lwp->lwp_waits_turn = true;
		while (lwp->lwp_waits_turn)
			program_turn_wait();
	}
	if (!r)
		replay_end_early(lwp);
	return r;
}
