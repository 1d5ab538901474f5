/*
 * differs.c - a replay that is not as the recording is: both sides are said, at the first event of a process that differs, and the process ends.
 */
#include "replay.h"

static void add_recorded(struct text *text, const struct record *r)
{
	uint64_t args[6] = {0};

	memcpy(args, record_args(r), (r->re_nargs < 6 ? r->re_nargs : 6u) * 8);
	text_add(text, "[%d] ", r->re_tid);
	if (r->re_kind == RECORD_BEGIN) {
		text_add(text, "the thread begins");
	} else if (r->re_kind == RECORD_SIGNAL) {
		text_add(text, "signal %d is delivered", (int)r->re_number);
	} else if (r->re_kind == RECORD_TSC) {
		text_add(text, "the processor's counter is read");
	} else if (r->re_kind == RECORD_END) {
		text_add(text, "the process has ended with status %d", (int)r->re_result);
	} else {
		/* What the arguments point to is as it was then: the program does not go on. */
		for (const struct piece *p = record_piece(r, NULL); p; p = record_piece(r, p))
			if (p->pc_what == PIECE_IN)
				copyout(p->pc_address, piece_bytes(p), p->pc_length);
		trace_show(text, r->re_number, args);
	}
	if (r->re_kind == RECORD_CALL)
		text_add(text, " = %ld", (long)r->re_result);
}

void replay_end_diverged(void)
{
	__atomic_fetch_or(&log_head->rh_replay, REPLAY_DIFFERS, __ATOMIC_SEQ_CST);
	for (;;)
		kernel_call(SYS_exit_group, 125);
}

void replay_diverge(const struct lwp *lwp, const struct capture *c, const char *now, const char *why)
{
	static char ours[3000], recorded[3000]; /* a process says it once */
	const struct record *r = log_next();
	struct text text;

	if (log_escapes())
		replay_end_escaped();
	text_begin(&text, ours, sizeof(ours));
	text_add(&text, "[%d] ", lwp->lwp_tid);
	if (c)
		trace_show(&text, (uint64_t)c->call.given.sm_number, (const uint64_t *)c->call.given.sm_args);
	else
		text_add(&text, "%s", now);
	text_begin(&text, recorded, sizeof(recorded));
	if (r)
		add_recorded(&text, r);
	else
		text_add(&text, "it ends here");
	print(2, "libcr: replay: event %lu of process %d differs: %s\n", (unsigned long)log_events() + 1, lwp->lwp_proc->p_pid, why);
	print(2, "libcr: replay:   recorded: %s\n", recorded);
	print(2, "libcr: replay:   now:      %s\n", ours);
	replay_end_diverged();
}

void replay_fail(const char *why)
{
	print(2, "libcr: replay: event %lu: %s\n", (unsigned long)log_events() + 1, why);
	replay_end_diverged();
}

void replay_end_escaped(void)
{
	const long pid = kernel_call(SYS_getpid);

	print(2, "libcr: replay: process %d ran without libcr from here on: what it did is not in the recording\n", curlwp()->lwp_proc->p_pid);
	for (;;)
		kernel_call(SYS_exit_group, (uint32_t)pid == log_head->rh_writer ? 125 : 0); /* else whoever waits for it is told what it was told */
}

void replay_end_early(const struct lwp *lwp)
{
	if (log_escapes())
		replay_end_escaped();
	process_killed();
	if (log_ended())
		print(2, "libcr: replay: the recording of process %d ends here, after %lu events: it could not be written any further (%s)\n", lwp->lwp_proc->p_pid,
		      (unsigned long)log_events(), log_ended());
	else
		print(2, "libcr: replay: the recording of process %d ends here, after %lu events: it was killed, or what recorded it\n", lwp->lwp_proc->p_pid,
		      (unsigned long)log_events());
	replay_end_diverged();
}
