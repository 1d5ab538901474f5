/*
 * events.c - what is no call: lwps begin, signals come, an instruction raises one or reads the processor's counter, one that computes for long is interrupted, the process ends.
 */
#include "replay.h"

void replay_begins(struct lwp *lwp)
{
	const struct record *r = replay_turn(lwp, NULL, "the thread begins");

	if (r->re_kind != RECORD_BEGIN)
		replay_diverge(lwp, NULL, "the thread begins", "something else happens");
	replay_step(lwp);
}

bool replay_signal(struct lwp *lwp, siginfo_t *info)
{
	const struct record *r = log_next();

	if (!r || r->re_kind != RECORD_SIGNAL || r->re_tid != lwp->lwp_tid || r->re_result)
		return false;
	memcpy(info, r + 1, sizeof(*info));
	replay_step(lwp);
	return true;
}

void replay_fault(struct lwp *lwp, const siginfo_t *info)
{
	const struct record *r = replay_turn(lwp, NULL, "an instruction has raised a signal");

	if (r->re_kind != RECORD_SIGNAL || r->re_number != (uint16_t)info->si_signo || !r->re_result)
		replay_diverge(lwp, NULL, "an instruction has raised a signal", "something else happens");
	replay_step(lwp);
}

uint64_t replay_tsc(struct lwp *lwp)
{
	const struct record *r = replay_turn(lwp, NULL, "the processor's counter is read");
	const uint64_t value = (uint64_t)r->re_result;

	if (r->re_kind != RECORD_TSC)
		replay_diverge(lwp, NULL, "the processor's counter is read", "something else happens");
	replay_step(lwp);
	return value;
}

bool replay_preempts(struct lwp *lwp)
{
	const struct record *r = lwp->lwp_is_over ? NULL : log_next_of(lwp->lwp_tid);

	lwp->lwp_is_over = !r; /* it has computed to the process' end */
	return !r || r->re_kind == RECORD_RESUMES;
}

void replay_resumes(struct lwp *lwp)
{
	const struct record *r;

	while ((r = log_next()) && r->re_tid != lwp->lwp_tid) {
		lwp->lwp_waits_turn = true;
		while (lwp->lwp_waits_turn)
			program_turn_wait();
	}
	if (!r)
		replay_end_early(lwp);
	if (r->re_kind == RECORD_RESUMES)
		replay_step(lwp);
}

void replay_ends(struct lwp *lwp, int status)
{
	const struct record *r = log_next();

	if (r && (r->re_kind != RECORD_END || r->re_result != status))
		replay_diverge(lwp, NULL, "the process ends", "something else happens");
	if (log_head->rh_replay & REPLAY_DIFFERS)
		replay_end_diverged();
}
