/*
 * record.c - what the rest of libcr has of recordings: the two modes, and what is no call.
 */
#include "record.h"

#define TICKS 2 /* so many without a call are long: others, for whom it waits maybe, have their turn */

enum record_mode record_mode;
void (*program_ticks)(void);
void (*program_turn_wait)(void);
void (*program_turn_comes)(struct lwp *lwp);
void (*program_turn_over)(struct lwp *lwp);
void (*program_mask_for_now)(struct lwp *lwp, uint64_t mask);
void (*program_mask_over)(struct lwp *lwp);

long record_call(struct lwp *lwp, struct trapframe *tf, call_handler make)
{
	return record_mode == RECORD_REPLAYS ? replay_call(lwp, tf, make) : record_mode ? write_call(lwp, tf, make) : make(lwp, tf);
}

void record_lwp_begins(struct lwp *lwp)
{
	if (record_mode == RECORD_REPLAYS) {
		replay_begins(lwp);
	} else if (record_mode == RECORD_WRITES) {
		log_begin(RECORD_BEGIN, 0, lwp->lwp_tid);
		log_end();
	}
}

void record_signal(struct lwp *lwp, const siginfo_t *info, bool is_fault)
{
	if (record_mode == RECORD_REPLAYS && is_fault) {
		replay_fault(lwp, info);
	} else if (record_mode == RECORD_WRITES) {
		log_begin(RECORD_SIGNAL, (uint16_t)info->si_signo, lwp->lwp_tid)->re_result = is_fault;
		log_add(info, sizeof(*info));
		log_end();
	}
}

void record_write(const struct lwp *lwp, uint64_t address, size_t n)
{
	if (record_mode != RECORD_WRITES)
		return;
	log_begin(RECORD_WRITE, 0, lwp->lwp_tid);
	log_add_piece(address, n, PIECE_OUT);
	log_end();
}

/** In a signal's handler: the lwp computes, since ticks found it last. */
bool record_preempts(struct lwp *lwp, bool others_wait)
{
	static const struct lwp *last;
	static uint64_t ncalls;
	static unsigned ticks;

	if (lwp != last || lwp->lwp_ncalls != ncalls) {
		last = lwp;
		ncalls = lwp->lwp_ncalls;
		ticks = 0;
		return false;
	}
	if (record_mode == RECORD_REPLAYS)
		return replay_preempts(lwp);
	return ++ticks >= TICKS && others_wait;
}

void record_resumes(struct lwp *lwp)
{
	if (record_mode == RECORD_REPLAYS) {
		replay_resumes(lwp);
		return;
	}
	log_begin(RECORD_RESUMES, 0, lwp->lwp_tid);
	log_end();
}

void record_escapes(void)
{
	if (record_mode == RECORD_WRITES)
		write_escape(NOTE_ESCAPES);
}

void record_end(int status)
{
	struct lwp *lwp = curlwp();

	if (record_mode == RECORD_REPLAYS) {
		replay_ends(lwp, status);
	} else if (record_mode == RECORD_WRITES) {
		log_begin(RECORD_END, 0, lwp->lwp_tid)->re_result = status;
		log_end();
	}
}
