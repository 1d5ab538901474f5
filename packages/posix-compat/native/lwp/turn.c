/*
 * turn.c - whose turn it is among the lwps of an rfork: those whose slice is over come after those that have used less (posix.h, TDPRI_EXPIRED).
 *
 * Nobody's time is counted for it: a tick is a sample of who computes, as for the estcpu of BSD's scheduler.
 *
 * Invariant: an lwp is TDPRI_EXPIRED where lwp_expired says so, TDPRI_USER else, or TDPRI_SIGNAL for a while (main.c).
 */
#include "posix.h"

int turn_priority(const struct lwp *lwp)
{
	return lwp->lwp_expired ? TDPRI_EXPIRED : TDPRI_USER;
}

/** Not if it is to take a signal first. */
static void take_priority(const struct lwp *lwp)
{
	const lwkt_thread_t td = lwkt_curthread();

	if (td->td_pri != TDPRI_SIGNAL && td->td_pri != turn_priority(lwp))
		lwkt_setpri(td, turn_priority(lwp));
}

void turn_is_over(struct lwp *lwp)
{
	struct rfork *self = rfork_self();

	if (lwp->lwp_gives_back) { /* the turn was another's */
		lwp->lwp_gives_back = lwp->lwp_early = false;
		return;
	}
	if (!lwp->lwp_early)
		self->rf_slices++;
	lwp->lwp_early = false;
	if (lwp->lwp_expired && lwp->lwp_round == self->rf_round)
		self->rf_round++;
	lwp->lwp_round = self->rf_round;
	lwp->lwp_expired = true;
	take_priority(lwp);
}

void turn_early(struct lwp *lwp)
{
	const uint64_t now = rfork_self()->rf_slices + 1;

	lwp->lwp_early = true;
	lwp->lwp_gives_back = lwp->lwp_early_at == now;
	lwp->lwp_early_at = now;
}

/** After it has been to another rfork the rounds are others: at most it is early once. */
void turn_waits(struct lwp *lwp)
{
	if (!lwp->lwp_expired || lwp->lwp_round == rfork_self()->rf_round)
		return;
	lwp->lwp_expired = false;
	take_priority(lwp);
}

void turn_yield(struct lwp *lwp)
{
	const bool expired = lwp->lwp_expired;

	lwp->lwp_expired = true;
	take_priority(lwp);
	lwkt_yield();
	lwp->lwp_expired = expired;
	take_priority(lwp);
}
