/*
 * wait.c - an lwp as one who makes calls: what packages/syscalls/native/src/wait/ has to know of programs, of their memory and signals. While a process has one lwp
 * its calls wait in the kernel; from the second on they stop their lwp only.
 */
#include "posix.h"

#include <linux/futex.h>
#include <linux/sched.h>

#include "descriptor/descriptor.h"
#include "own.h"
#include "schedule.h"

#ifndef CLOSE_RANGE_UNSHARE
#define CLOSE_RANGE_UNSHARE 2
#endif
#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC 4
#endif

static struct lwp *lwp_of(struct caller *caller) { return (struct lwp *)(void *)caller; }
static struct caller *caller_of(struct lwp *lwp) { return (struct caller *)(void *)lwp; }

static struct call call_of_frame(const struct trapframe *tf)
{
	return (struct call){(long)tf->tf_number, {(long)tf->tf_rdi, (long)tf->tf_rsi, (long)tf->tf_rdx, (long)tf->tf_r10, (long)tf->tf_r8, (long)tf->tf_r9}};
}

static long make(struct caller *caller, const struct call *call)
{
	struct trapframe tf; /* what program_pass_as looks at */

	tf.tf_number = (uint64_t)call->number;
	tf.tf_rdi = (uint64_t)call->args[0];
	tf.tf_rsi = (uint64_t)call->args[1];
	tf.tf_rdx = (uint64_t)call->args[2];
	tf.tf_r10 = (uint64_t)call->args[3];
	tf.tf_r8 = (uint64_t)call->args[4];
	tf.tf_r9 = (uint64_t)call->args[5];
	return lwp_of(caller)->lwp_proc ? program_pass(lwp_of(caller), &tf) : program_pass_as(lwp_of(caller), &tf);
}

static bool wait(struct caller *caller, const char *wmesg, const bool *over)
{
	return lwp_wait(lwp_of(caller), wmesg, over);
}

/* ------------------------------------------------ helpers: their struct caller is an lwp of no process, of which program_pass_as looks at lwp_ast alone */

static void helper_begins(void)
{
	uint64_t mask = ~SIGNAL_BIT(SIGSTKFLT);

	kernel_call(SYS_rt_sigprocmask, SIG_SETMASK, &mask, NULL, 8);
}

static void helper_call(struct caller *helper)
{
	lwp_of(helper)->lwp_ast = 0;
}

/** By a signal, whose handler does nothing but close the window before the call (catch.c). */
static void helper_interrupt(struct caller *helper, uint32_t tid)
{
	lwp_notify(lwp_of(helper), AST_SIGNAL);
	kernel_call(SYS_tgkill, program_proc.p_pid, tid, SIGSTKFLT);
}

/** What a signal has ended, or is one, waits for nobody who computes on the rfork. Told after the list: either the helper sees here that it was to end its call, or
 *  who told it so sees the call on the list. */
static void helper_done(struct caller *helper, long number, globaldata_t gd)
{
	if (number == SYS_rt_sigtimedwait || (lwp_of(helper)->lwp_ast & AST_SIGNAL))
		rfork_interrupt(gd);
}

/** A write to what nobody reads, or that is too long, raises a signal for whoever has made it. On a kernel thread that blocks those: takes it. */
static bool raised(long result, siginfo_t *info)
{
	const uint64_t signals = SIGNAL_BIT(SIGPIPE) | SIGNAL_BIT(SIGXFSZ), now[2] = {0, 0};

	return (result == -EPIPE || result == -EFBIG) && kernel_call(SYS_rt_sigtimedwait, &signals, info, now, 8) > 0;
}

static void raise_signal(struct caller *caller, const siginfo_t *info)
{
	signals_post(lwp_of(caller), info);
}

static int64_t first_own(struct caller *caller, uint64_t first, uint64_t last)
{
	return own_first(lwp_of(caller), first, last);
}

static struct call_user lwps = {
	.make = make,
	.wait = wait,
	.look = rfork_look,
	.copy = user_copy,
	.sees_all = true,
	.files_are_shared = &own_files_are_shared,
	.own_move = own_move,
	.own_close = own_close,
	.own_first = first_own,
	.caller_size = sizeof(struct lwp),
	.helper_begins = helper_begins,
	.helper_call = helper_call,
	.helper_interrupt = helper_interrupt,
	.helper_done = helper_done,
	.raised = raised,
	.raise = raise_signal,
	.generation = &credentials_generation,
};

static bool is_alone(const struct lwp *lwp)
{
	return lwp_is_alone(lwp);
}

/** In virtual time the kernel knows no timeout. */
static long wait_for_signals_until(struct lwp *lwp, const struct call *call)
{
	struct call endless = *call;
	struct lwkt_timed timed;
	uint64_t ns;
	long sig = time_read(call->args[2], &ns);

	if (sig || !ns)
		return sig ? sig : call_waiting(caller_of(lwp), call);
	endless.args[2] = 0;
	lwkt_timed_begin(&timed, ns);
	sig = call_waiting(caller_of(lwp), &endless);
	return lwkt_timed_end(&timed) && sig == -EINTR ? -EAGAIN : sig;
}

/** Who waits for a signal comes before all that compute when it is there. */
static long wait_for_signals(struct lwp *lwp, const struct call *call)
{
	long sig;

	lwkt_setpri(lwp->lwp_td, TDPRI_SIGNAL);
	sig = options.virtual_time && call->args[2] ? wait_for_signals_until(lwp, call) : call_waiting(caller_of(lwp), call);
	lwp->lwp_ast_fs = 1; /* it looks, and has its own priority again */
	return sig;
}

/** A call that nobody has handled. */
static long wait_call(struct lwp *lwp, struct trapframe *tf)
{
	struct call call;

	if (is_alone(lwp) || !call_may_wait((long)tf->tf_number))
		return program_pass(lwp, tf);
	call = call_of_frame(tf);
	if (tf->tf_number == SYS_rt_sigtimedwait)
		return wait_for_signals(lwp, &call);
	return call_waiting(caller_of(lwp), &call);
}

/** By a helper, which no signal ends. That there is one is not forgotten meanwhile. */
static long offload_deaf(struct lwp *lwp, const struct trapframe *tf, const char *wmesg)
{
	long result;

	lwp->lwp_deaf = true;
	result = lwp_offload(lwp, tf, wmesg);
	lwp->lwp_deaf = false;
	return result;
}

/** The program's only lwp waits in the kernel, others in their rforks' rings; where those can't, helpers do. */
static long wait_word(struct lwp *lwp, const volatile uint32_t *word, uint32_t value, const struct timespec *timeout, const char *wmesg, bool deaf)
{
	const struct trapframe tf = {
		.tf_number = SYS_futex, .tf_rdi = (uint64_t)word, .tf_rsi = FUTEX_WAIT, .tf_rdx = value, .tf_r10 = (uint64_t)timeout};
	const uint64_t ns = (uint64_t)timeout->tv_sec * 1000000000u + (uint64_t)timeout->tv_nsec;
	long result;

	if (is_alone(lwp))
		return deaf ? kernel_call(SYS_futex, word, FUTEX_WAIT, value, timeout, NULL, 0) : program_pass(lwp, &tf);
	result = word_waiting(caller_of(lwp), word, value, ns, wmesg, deaf);
	if (result != -EOPNOTSUPP)
		return result;
	return deaf ? offload_deaf(lwp, &tf, wmesg) : lwp_offload(lwp, &tf, wmesg);
}

/** On another rfork than the leader, which has all signals blocked. */
static void wait_raised(struct lwp *lwp, long error)
{
	siginfo_t info;

	if (rfork_self() != rfork_leader && !lwp->lwp_proc->p_vforked_by && raised(error, &info))
		signals_post(lwp, &info);
}

void wait_begin(char **environment)
{
	call_user = &lwps;
	for (; *environment; environment++)
		if (!strcmp(*environment, "LIBCR_SYSCALLS_PATH=readiness"))
			waits_by_readiness(true);
	for (unsigned i = 0; i < CALLS; i++)
		program_may_wait[i] = call_may_wait(i);
	program_wait = wait_call;
	program_wait_word = wait_word;
	program_raised = wait_raised;
}

void waits_go_by(uint64_t (*clock)(int clock))
{
	lwps.clock = clock;
}

long lwp_offload(struct lwp *lwp, const struct trapframe *tf, const char *wmesg)
{
	struct call call = call_of_frame(tf);

	return offload_call(caller_of(lwp), &call, wmesg);
}

/* ------------------------------------------------ calls with a handler of their own */

static long wait_pause(struct lwp *lwp, struct trapframe *tf)
{
	if (is_alone(lwp))
		return program_pass(lwp, tf);
	signals_pause(lwp);
	return -ERESTARTNOHAND;
}

/** On the CPU clock of an lwp, which the kernel does not know; or as others. */
static long wait_clock(struct lwp *lwp, struct trapframe *tf)
{
	long result;

	return !is_alone(lwp) && cputime_sleep(lwp, tf, &result) ? result : NOT_HANDLED;
}

/** A child of vfork has descriptors of its own, as a rule. */
static bool is_others(const struct lwp *lwp)
{
	return lwp->lwp_proc->p_files_are_copies;
}

static long change_descriptors(struct lwp *lwp, struct trapframe *tf)
{
	struct call call;

	if (is_others(lwp))
		return NOT_HANDLED;
	call = call_of_frame(tf);
	return descriptor_change(caller_of(lwp), &call);
}

/** close, dup2, dup3: the number `fd` means something else. */
static long change_one(struct lwp *lwp, struct trapframe *tf)
{
	int fd = (int)(tf->tf_number == SYS_close ? tf->tf_rdi : tf->tf_rsi);

	if (!is_alone(lwp) || is_others(lwp))
		return change_descriptors(lwp, tf);
	descriptor_forget(fd);
	return NOT_HANDLED;
}

/**
 * Descriptors of its own for a thread: rforks and helpers have all theirs in common, so it could not be had. Where there is one thread it has them, unless another
 * process shares them.
 */
static bool may_unshare(const struct lwp *lwp)
{
	return is_others(lwp) || (is_alone(lwp) && !own_files_are_shared);
}

/** What a process may do only while it has one thread: helpers count. */
static long wait_unshare(struct lwp *lwp, struct trapframe *tf)
{
	struct trapframe others = *tf;

	if (is_alone(lwp) && !lwp->lwp_proc->p_vforked_by)
		offload_end_idle();
	if (!(tf->tf_rdi & CLONE_FILES) || is_others(lwp))
		return program_pass(lwp, tf);
	if (!may_unshare(lwp))
		return -EINVAL;
	others.tf_rdi &= ~(uint64_t)CLONE_FILES;
	return program_pass(lwp, &others);
}

/** The numbers of a child of vfork, which has copies: but for what it passes on to the program that it runs. */
static long close_others(struct lwp *lwp, const struct trapframe *tf)
{
	const uint32_t last = (uint32_t)tf->tf_rsi;
	struct trapframe piece = *tf;
	uint64_t first = (uint32_t)tf->tf_rdi;
	long error = 0;

	if (first > last || (tf->tf_rdx & CLOSE_RANGE_CLOEXEC))
		return program_pass(lwp, tf);
	while (!error && first <= last) {
		const int64_t skipped = own_first(lwp, first, last);

		piece.tf_rdi = first;
		piece.tf_rsi = skipped < 0 ? last : (uint64_t)skipped - 1;
		if (skipped < 0 || (uint64_t)skipped > first)
			error = program_pass(lwp, &piece);
		first = skipped < 0 ? (uint64_t)last + 1 : (uint64_t)skipped + 1;
	}
	return error;
}

static long change_range(struct lwp *lwp, struct trapframe *tf)
{
	struct trapframe all = *tf;
	long result;

	if (is_others(lwp))
		return close_others(lwp, tf);
	if ((tf->tf_rdx & CLOSE_RANGE_UNSHARE) && !may_unshare(lwp))
		return -EINVAL;
	all.tf_rdx &= ~(uint64_t)CLOSE_RANGE_UNSHARE;
	result = change_descriptors(lwp, &all);
	return result == NOT_HANDLED ? program_pass(lwp, &all) : result;
}

const struct call_entry wait_calls[] = {
	{SYS_pause, wait_pause},
	{SYS_clock_nanosleep, wait_clock},
	{SYS_close, change_one},
	{SYS_dup2, change_one},
	{SYS_dup3, change_one},
	{SYS_close_range, change_range},
	{SYS_unshare, wait_unshare},
	{SYS_setsockopt, change_descriptors},
	{0},
};
