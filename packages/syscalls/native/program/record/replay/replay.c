/*
 * replay.c - answers calls from a recording: each is compared with the one that its lwp made then, and answered at its turn.
 */
#include "replay.h"

#include <linux/sched.h>

static bool is_same(const struct capture *c, const struct record *r)
{
	return (r->re_kind == RECORD_CALL || r->re_kind == RECORD_EXEC) && r->re_number == (uint16_t)c->call.given.sm_number && r->re_nargs == c->nargs &&
	       !memcmp(record_args(r), c->call.given.sm_args, c->nargs * 8) && r->re_hash == (c->hash.a ^ c->hash.b);
}

static void compare(const struct lwp *lwp, const struct capture *c, const struct record *r)
{
	if (is_same(c, r))
		return;
	if (r->re_kind != RECORD_CALL && r->re_kind != RECORD_EXEC)
		replay_diverge(lwp, c, NULL, "something else happens");
	if (r->re_number != (uint16_t)c->call.given.sm_number)
		replay_diverge(lwp, c, NULL, "another call");
	if (r->re_nargs == c->nargs && !memcmp(record_args(r), c->call.given.sm_args, c->nargs * 8))
		replay_diverge(lwp, c, NULL, "the same call with other data");
	replay_diverge(lwp, c, NULL, "the same call with other arguments");
}

static bool is_thread(const struct trapframe *tf)
{
	uint64_t flags = tf->tf_number == SYS_clone ? tf->tf_rdi : 0;

	if (tf->tf_number == SYS_clone3 && copyin(&flags, tf->tf_rdi, sizeof(flags)))
		flags = 0;
	return flags & CLONE_THREAD;
}

/** At its turn. */
static long answer(struct lwp *lwp, struct trapframe *tf, struct capture *c, const struct record *r, enum way way, call_handler make)
{
	const int64_t recorded = r->re_result;
	long result;

	switch (way) {
	case DONE_AGAIN:
		if (replay_leaves(tf, recorded))
			return recorded;
		result = make(lwp, tf);
		if (!replay_has_to_be_same(tf, result, recorded) && c->call.given.sm_number != SYS_rt_sigreturn)
			replay_diverge(lwp, c, NULL, "it has another result");
		return c->call.given.sm_number == SYS_rt_sigreturn ? result : recorded;
	case MAPS: return replay_map(lwp, c, r);
	case MAKES:
		if (is_error(recorded) || !is_thread(tf))
			return process_fork(lwp, tf, r);
		result = make(lwp, tf);
		if (result != recorded)
			replay_diverge(lwp, c, NULL, "the thread has another number");
		return result;
	default:
		replay_write_back(r);
		shown_wait(r);
		shown_write(tf, recorded);
		shown_written(r);
		process_waited(tf, r);
	}
	return recorded;
}

long replay_call(struct lwp *lwp, struct trapframe *tf, call_handler make)
{
	struct capture *c = capture_call(lwp, tf);
	const enum way way = replay_way(tf);
	const int tid = lwp->lwp_tid;
	const struct record *r;
	bool masked = false;
	long result;

	if (!c)
		return -ENOMEM;
	if (way == WAITS_MASKED)
		masked = replay_begin_mask(lwp, tf);
	r = replay_turn(lwp, c, NULL);
	if (r->re_kind == RECORD_SIGNAL && !r->re_result) { /* it came somewhere before this call */
		if (masked)
			program_mask_over(lwp);
		return -ERESTARTNOINTR;
	}
	compare(lwp, c, r);
	if (way == EXECUTES && r->re_kind == RECORD_EXEC) {
		const struct record *executed = r;

		log_step();
		r = log_next();
		if (!r && log_escapes())
			replay_end_escaped();
		if (!r || r->re_tid != tid || r->re_kind != RECORD_CALL)
			process_exec(lwp, executed);
	}
	if (way == ENDS) {
		replay_step(lwp);
		return make(lwp, tf);
	}
	result = answer(lwp, tf, c, r, way, make);
	if (lwp->lwp_tid != tid) /* another process, with a stream of its own */
		return result;
	shown_call(&(struct trapframe){.tf_number = (uint64_t)c->call.given.sm_number,
	                               .tf_rdi = c->call.given.sm_args[0],
	                               .tf_rsi = c->call.given.sm_args[1],
	                               .tf_rdx = c->call.given.sm_args[2]},
	           result);
	if (masked && !(result == -EINTR || is_restart(result)))
		program_mask_over(lwp);
	replay_step(lwp);
	return result;
}
