/*
 * dispatch.c - what becomes of a system call that was caught: one table of handlers by number; a call without one goes to the kernel with its
 * registers as they were. The common one of those goes from entry.S itself, which is told so.
 */
#include "program.h"
#include "own.h"

#define X32 0x40000000u /* __X32_SYSCALL_BIT */

static call_handler handlers[CALLS];

bool program_may_wait[CALLS];
unsigned program_watched;
void (*program_before)(struct lwp *lwp);
void (*program_after)(struct lwp *lwp, uint64_t number);
call_handler program_first;
void (*program_refresh)(struct lwp *lwp);
void (*program_raised)(struct lwp *lwp, long error);
void (*program_look)(struct lwp *lwp, struct trapframe *tf, uint32_t ast);

long program_pass(struct lwp *lwp, const struct trapframe *tf)
{
	if (__builtin_expect(lwp->lwp_proc->p_stale, 0))
		program_refresh(lwp);
	return program_pass_as(lwp, tf);
}

static long pass(struct lwp *lwp, struct trapframe *tf)
{
	return program_pass(lwp, tf);
}

call_handler program_wait = pass;

void program_handle(const struct call_entry *entries)
{
	for (; entries->handler; entries++) {
		call_handler *at = &handlers[entries->number];

		if (entries->below)
			*entries->below = *at;
		else if (*at && *at != entries->handler)
			program_fail(125, "", "a call has two handlers, one of which does not know of the other");
		*at = entries->handler;
	}
}

/** What the call's handler answers. */
static long ask_handler(struct lwp *lwp, struct trapframe *tf)
{
	call_handler handler = tf->tf_number < CALLS ? handlers[tf->tf_number] : NULL;

	if (tf->tf_number & X32) /* as a kernel without that ABI: its fork, its execve have numbers that nobody here looks at */
		return -ENOSYS;
	if (__builtin_expect(own_any, 0) && own_may_be_used(tf) && own_is_used(lwp, tf))
		return -EBADF;
	return handler ? handler(lwp, tf) : NOT_HANDLED;
}

static bool goes_as_it_is(const struct lwp *lwp, uint64_t number)
{
	return lwp->lwp_proc->p_nlwps == 1 || number >= CALLS || !program_may_wait[number];
}

/** The call, made here in any case. */
static long make_call(struct lwp *lwp, struct trapframe *tf)
{
	long result = program_first ? program_first(lwp, tf) : NOT_HANDLED;

	if (result == NOT_HANDLED)
		result = ask_handler(lwp, tf);

	return result == NOT_HANDLED ? program_wait(lwp, tf) : result;
}

/** What the program's call is answered: by the policy, by shims, by what makes it. */
static long answer_call(struct lwp *lwp, struct trapframe *tf)
{
	long error = policy_active ? policy_look(tf->tf_number) : 0;
	const uint32_t wanting = shims_wanting(tf->tf_number);

	if (error)
		return error;
	return wanting || script_wants_call(tf->tf_number) ? shims_call(lwp, tf, wanting, make_call) : make_call(lwp, tf);
}

/** After an answer that is an error. */
static void look_at_error(struct lwp *lwp, long result)
{
	if (is_restart(result))
		lwp_notify(lwp, AST_SIGNAL); /* program_ast decides */
	else if ((result == -EPIPE || result == -EFBIG) && program_raised)
		program_raised(lwp, result);
}

static void answer(struct lwp *lwp, struct trapframe *tf, long result)
{
	tf->tf_rax = (uint64_t)result;
	if (result < 0)
		look_at_error(lwp, result);
}

/** With the trace, the policy and shims before the call, which is made here in any case. */
static __attribute__((noinline)) void make_watched(struct lwp *lwp, struct trapframe *tf)
{
	const uint64_t number = tf->tf_number; /* a handler's context may be in the frame, after sigreturn */
	const bool traced = traces_call(number);
	uint64_t began = 0;
	long result;

	if (program_before)
		program_before(lwp);
	stats_count(number);
	if (traced)
		trace_begin(lwp, tf);
	if (options.metrics)
		began = metrics_begin(number);
	result = record_mode ? record_call(lwp, tf, answer_call) : answer_call(lwp, tf);
	if (program_after)
		program_after(lwp, number);
	if (began)
		metrics_end(number, began, result);
	answer(lwp, tf, result);
	if (traced)
		trace_end(lwp, result);
}

/** Whether somebody looks at the call. What no shim wants costs a look at two bytes where there are shims alone. */
static inline bool is_watched(uint64_t number)
{
	if (__builtin_expect(!program_watched, 1))
		return false;
	return (program_watched & WATCHES_ALL) || shims_wanting(number) || script_wants_call(number);
}

/** From entry.S: a call. Whether it goes to the kernel as it is; entry.S sees to that. */
bool program_syscall(struct trapframe *tf, struct lwp *lwp)
{
	long result;

	tf->tf_number = (uint32_t)tf->tf_number; /* all that the kernel looks at */
	lwp->lwp_ncalls++;
	if (__builtin_expect(is_watched(tf->tf_number), 0)) {
		make_watched(lwp, tf);
		return false;
	}
	result = ask_handler(lwp, tf);
	if (result != NOT_HANDLED) {
		answer(lwp, tf, result);
	} else if (!goes_as_it_is(lwp, tf->tf_number)) {
		answer(lwp, tf, program_wait(lwp, tf));
	} else {
		if (__builtin_expect(lwp->lwp_proc->p_stale, 0))
			program_refresh(lwp);
		return true;
	}
	return false;
}

/** From entry.S: the kernel has answered such a call with an error, or a signal has ended it. */
void program_passed(struct trapframe *tf)
{
	look_at_error(curlwp(), (long)tf->tf_rax);
}

void program_restart(struct trapframe *tf)
{
	tf->tf_rip = patch_again(tf->tf_rip);
	tf->tf_rax = tf->tf_number;
	tf->tf_rcx = tf->tf_rip;
}

/** From entry.S: something is to be done before the program goes on. */
void program_ast(struct trapframe *tf)
{
	struct lwp *lwp = curlwp();
	uint32_t ast = __atomic_exchange_n(&lwp->lwp_ast, 0, __ATOMIC_SEQ_CST) | (lwp->lwp_ast_fs ? AST_FS : 0);

	lwp->lwp_ast_fs = 0;
	if (program_look)
		program_look(lwp, tf, ast);
	if (!(tf->tf_flags & TFF_ASYNC) && is_restart((long)tf->tf_rax))
		program_restart(tf); /* there was nothing to do, or no handler to run */
}
