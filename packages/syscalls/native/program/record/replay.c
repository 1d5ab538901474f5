/*
 * replay.c - answers calls from a recording. What changes the program's memory, its lwps or what libcr knows of its signals is done again, at the recorded addresses; all
 * else is an answer alone. An lwp goes on when the next event is its: whoever waits is told so by whoever has taken the event before.
 */
#include "record.h"

#include <linux/futex.h>
#include <linux/sched.h>
#include <sys/mman.h>

#ifndef PR_SET_SYSCALL_USER_DISPATCH
#define PR_SET_SYSCALL_USER_DISPATCH 59
#endif

enum way {
	ANSWERED,    /* from the recording */
	DONE_AGAIN,  /* by libcr, and the answer has to be the same */
	MAPS,        /* mmap and mremap: where they have put it */
	WAITS_MASKED, /* answered, with another mask until then */
	MAKES,       /* clone, clone3, fork, vfork */
	EXECUTES,
	ENDS,        /* the lwp, or all of them */
};

/* ------------------------------------------------ what differs */

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

static void end_diverged(void) __attribute__((noreturn));
static void end_diverged(void)
{
	for (;;)
		kernel_call(SYS_exit_group, 125);
}

/** With both sides. c: the call that the lwp makes; NULL: `now` says what it does. */
static void diverge(const struct lwp *lwp, const struct capture *c, const char *now, const char *why)
{
	static char ours[3000], recorded[3000]; /* a process says it once */
	const struct record *r = log_next();
	struct text text;

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
	end_diverged();
}

void replay_fail(const char *why)
{
	print(2, "libcr: replay: event %lu: %s\n", (unsigned long)log_events() + 1, why);
	end_diverged();
}

void replay_end_early(const struct lwp *lwp)
{
	process_killed();
	print(2, "libcr: replay: the recording of process %d ends here, after %lu events: it was killed, or what recorded it\n", lwp->lwp_proc->p_pid,
	      (unsigned long)log_events());
	end_diverged();
}

/* ------------------------------------------------ turns */

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

	if (!r && me->lwp_proc->p_vforked_by)
		process_killed(); /* it has no ticks */
	if ((!r || (r->re_tid == me->lwp_tid && r->re_kind == RECORD_RESUMES)) && !me->lwp_proc->p_vforked_by)
		program_ticks(); /* until one finds it computing: to where others had their turn, or to where it was killed */
	if (r && r->re_tid == me->lwp_tid && r->re_kind == RECORD_SIGNAL && !r->re_result)
		lwp_notify(me, AST_SIGNAL);
}

/** The event has been taken: who is next is told. */
static void step(struct lwp *me)
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

/** What the kernel has written. */
static void write_back(const struct record *r)
{
	for (const struct piece *p = record_piece(r, NULL); p; p = record_piece(r, p)) {
		const void *bytes = piece_bytes(p);

		if (!(p->pc_what & PIECE_OUT))
			continue;
		/* more may have been noted than was written: what can't be written is as it was then */
		if (!bytes || (copyout(p->pc_address, bytes, p->pc_length) && user_same((const void *)p->pc_address, bytes, p->pc_length) != (long)p->pc_length))
			replay_fail("what the kernel has written does not fit the program's memory");
	}
}

/** Waits until the next event is the lwp's. */
static const struct record *turn(struct lwp *lwp, const struct capture *c, const char *now)
{
	const struct record *r;

	while ((r = log_next()) && (r->re_tid != lwp->lwp_tid || r->re_kind == RECORD_RESUMES || r->re_kind == RECORD_WRITE)) {
		if (r->re_tid == lwp->lwp_tid) { /* it has come further this time before it was interrupted; or libcr has written */
			write_back(r);
			step(lwp);
			continue;
		}
		if (!find(lwp->lwp_proc, r->re_tid))
			diverge(lwp, c, now, "there is no such thread");
		lwp->lwp_waits_turn = true;
		while (lwp->lwp_waits_turn)
			program_turn_wait();
	}
	if (!r)
		replay_end_early(lwp);
	return r;
}

/* ------------------------------------------------ what a call does */

static enum way way_of(const struct trapframe *tf)
{
	switch (tf->tf_number) {
	case SYS_rt_sigaction:
	case SYS_rt_sigprocmask:
	case SYS_rt_sigreturn:
	case SYS_sigaltstack:
	case SYS_set_tid_address:
	case SYS_set_robust_list:
	case SYS_arch_prctl:
	case SYS_munmap:
	case SYS_mprotect:
	case SYS_brk:
	case SYS_madvise: return DONE_AGAIN;
	case SYS_mmap:
	case SYS_mremap: return MAPS;
	case SYS_futex:
		return (tf->tf_rsi & FUTEX_CMD_MASK) == FUTEX_WAKE_OP ? DONE_AGAIN : ANSWERED;
	case SYS_rt_sigsuspend:
	case SYS_ppoll:
	case SYS_pselect6:
	case SYS_epoll_pwait:
	case SYS_epoll_pwait2: return WAITS_MASKED;
	case SYS_clone:
	case SYS_clone3:
	case SYS_fork:
	case SYS_vfork: return MAKES;
	case SYS_execve:
	case SYS_execveat: return EXECUTES;
	case SYS_exit:
	case SYS_exit_group: return ENDS;
	}
	return ANSWERED;
}

static bool is_error(int64_t result) { return result < 0 && result > -4096; }

/** Whether an answer counts where it is made again: of some it is about others, who wait here for their turns. */
static bool has_to_be_same(const struct trapframe *tf, long result, int64_t recorded)
{
	if (result == recorded || tf->tf_number == SYS_futex || is_restart(recorded))
		return true;
	return tf->tf_number == SYS_madvise && is_error(recorded); /* of pages of a file that is none here */
}

static long map_again(const struct lwp *lwp, const struct capture *c, const struct record *r)
{
	const uint64_t *a = (const uint64_t *)c->call.given.sm_args;
	const uint64_t at = (uint64_t)r->re_result;
	const bool file = c->call.given.sm_number == SYS_mmap && !(a[3] & MAP_ANONYMOUS);
	long done;

	if (is_error(r->re_result))
		return r->re_result;
	if (c->call.given.sm_number == SYS_mremap) {
		const uint64_t flags = (a[3] & (MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP)) | (at == a[0] ? 0 : MREMAP_MAYMOVE | MREMAP_FIXED);

		done = kernel_call(SYS_mremap, a[0], a[1], a[2], at == a[0] ? flags & ~(uint64_t)(MREMAP_MAYMOVE | MREMAP_FIXED) : flags, at);
	} else {
		const uint64_t fixed = a[3] & MAP_FIXED ? MAP_FIXED : MAP_FIXED_NOREPLACE;
		const uint64_t kept = file ? MAP_NORESERVE : a[3] & ~(uint64_t)(MAP_FIXED | MAP_FIXED_NOREPLACE | MAP_SHARED | MAP_PRIVATE | MAP_SHARED_VALIDATE | MAP_HUGETLB);

		done = kernel_call(SYS_mmap, at, a[1], a[2], kept | fixed | (file || (a[3] & MAP_PRIVATE) ? MAP_PRIVATE : MAP_SHARED) | MAP_ANONYMOUS, -1, 0);
	}
	if (done != r->re_result)
		diverge(lwp, c, NULL, "the memory can't lie where it was");
	for (const struct piece *p = record_piece(r, NULL); p; p = record_piece(r, p))
		if ((p->pc_what & PIECE_CONTENT) && image_put(p, (int)a[2]))
			replay_fail("a file's contents can't be mapped");
	return r->re_result;
}

/** The mask that a call waits with. Whether it has one. */
static bool begin_mask(struct lwp *lwp, const struct trapframe *tf)
{
	uint64_t set = tf->tf_r8, size = tf->tf_r9, place[2], mask;

	if (tf->tf_number == SYS_rt_sigsuspend) {
		set = tf->tf_rdi;
		size = tf->tf_rsi;
	} else if (tf->tf_number == SYS_ppoll) {
		set = tf->tf_r10;
		size = tf->tf_r8;
	} else if (tf->tf_number == SYS_pselect6) {
		if (!tf->tf_r9 || copyin(place, tf->tf_r9, sizeof(place)))
			return false;
		set = place[0];
		size = place[1];
	}
	if (!set || size != 8 || copyin(&mask, set, 8))
		return false;
	program_mask_for_now(lwp, mask);
	return true;
}

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
		diverge(lwp, c, NULL, "something else happens");
	if (r->re_number != (uint16_t)c->call.given.sm_number)
		diverge(lwp, c, NULL, "another call");
	if (r->re_nargs == c->nargs && !memcmp(record_args(r), c->call.given.sm_args, c->nargs * 8))
		diverge(lwp, c, NULL, "the same call with other data");
	diverge(lwp, c, NULL, "the same call with other arguments");
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
		result = make(lwp, tf);
		if (!has_to_be_same(tf, result, recorded) && c->call.given.sm_number != SYS_rt_sigreturn)
			diverge(lwp, c, NULL, "it has another result");
		return c->call.given.sm_number == SYS_rt_sigreturn ? result : recorded;
	case MAPS: return map_again(lwp, c, r);
	case MAKES:
		if (is_error(recorded) || !is_thread(tf))
			return process_fork(lwp, tf, r);
		result = make(lwp, tf);
		if (result != recorded)
			diverge(lwp, c, NULL, "the thread has another number");
		return result;
	default:
		write_back(r);
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
	const enum way way = way_of(tf);
	const int tid = lwp->lwp_tid;
	const struct record *r;
	bool masked = false;
	long result;

	if (!c)
		return -ENOMEM;
	if (way == WAITS_MASKED)
		masked = begin_mask(lwp, tf);
	r = turn(lwp, c, NULL);
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
		if (!r || r->re_tid != tid || r->re_kind != RECORD_CALL)
			process_exec(lwp, executed);
	}
	if (way == ENDS) {
		step(lwp);
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
	step(lwp);
	return result;
}

/* ------------------------------------------------ what is no call */

void replay_begins(struct lwp *lwp)
{
	const struct record *r = turn(lwp, NULL, "the thread begins");

	if (r->re_kind != RECORD_BEGIN)
		diverge(lwp, NULL, "the thread begins", "something else happens");
	step(lwp);
}

bool replay_signal(struct lwp *lwp, siginfo_t *info)
{
	const struct record *r = log_next();

	if (!r || r->re_kind != RECORD_SIGNAL || r->re_tid != lwp->lwp_tid || r->re_result)
		return false;
	memcpy(info, r + 1, sizeof(*info));
	step(lwp);
	return true;
}

void replay_fault(struct lwp *lwp, const siginfo_t *info)
{
	const struct record *r = turn(lwp, NULL, "an instruction has raised a signal");

	if (r->re_kind != RECORD_SIGNAL || r->re_number != (uint16_t)info->si_signo || !r->re_result)
		diverge(lwp, NULL, "an instruction has raised a signal", "something else happens");
	step(lwp);
}

uint64_t replay_tsc(struct lwp *lwp)
{
	const struct record *r = turn(lwp, NULL, "the processor's counter is read");
	const uint64_t value = (uint64_t)r->re_result;

	if (r->re_kind != RECORD_TSC)
		diverge(lwp, NULL, "the processor's counter is read", "something else happens");
	step(lwp);
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
		step(lwp);
}

void replay_ends(struct lwp *lwp, int status)
{
	const struct record *r = log_next();

	if (r && (r->re_kind != RECORD_END || r->re_result != status))
		diverge(lwp, NULL, "the process ends", "something else happens");
	if (process_diverged)
		end_diverged();
}
