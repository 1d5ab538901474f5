/*
 * traced.c - ptrace, for a debugger that is under libcr. To the kernel a tracer is a kernel thread: the one that made the child, or attached to it. A lwp may be on another rfork
 * by then, so a request that finds no such child (ESRCH) is made on the others, too.
 *
 * A child that asks to be traced (PTRACE_TRACEME) is without libcr from there on, and so is what it runs: its tracer would see libcr's signals and libcr's code,
 * where it has put breakpoints for the program. libcr says so; under a policy, which could not hold, the answer is EPERM.
 */
#include "posix.h"

#include <sys/ptrace.h>

#ifndef PR_SET_SYSCALL_USER_DISPATCH
#define PR_SET_SYSCALL_USER_DISPATCH 59
#endif
#define PR_SET_SYSCALL_USER_DISPATCH_OFF 0

struct request {
	struct lwp *lwp;
	const struct trapframe *tf;
	struct rfork *caller; /* has made it */
	volatile long result; /* of the first that is a tracer; the others leave it */
};

static bool is_tracer(long result)
{
	return result != -ESRCH;
}

/** On each rfork, one after the other as far as the answer goes: one thread at most is this child's tracer. */
static void make_request(void *arg)
{
	struct request *request = arg;
	const struct trapframe *tf = request->tf;
	long result;

	if (rfork_self() == request->caller)
		return;
	result = kernel_call(tf->tf_number, tf->tf_rdi, tf->tf_rsi, tf->tf_rdx, tf->tf_r10);
	if (is_tracer(result))
		request->result = result;
}

static long be_traced(struct lwp *lwp, const struct trapframe *tf)
{
	long error;

	if (policy_active)
		return -EPERM;
	error = program_pass(lwp, tf);
	if (error)
		return error;
	print(2, "libcr: process %d is traced: it runs without libcr\n", lwp->lwp_proc->p_pid);
	lwp->lwp_proc->p_traced = true;
	tsc_leave();
	kernel_call(SYS_prctl, PR_SET_SYSCALL_USER_DISPATCH, PR_SET_SYSCALL_USER_DISPATCH_OFF, 0, 0, 0);
	return 0;
}

static long traced_ptrace(struct lwp *lwp, struct trapframe *tf)
{
	struct request request = {.lwp = lwp, .tf = tf, .caller = rfork_self()};

	if (tf->tf_rdi == PTRACE_TRACEME)
		return be_traced(lwp, tf);
	request.result = program_pass(lwp, tf);
	if (!is_tracer(request.result) && !lwp->lwp_proc->p_vforked_by)
		rfork_all(make_request, &request);
	return request.result;
}

const struct call_entry traced_calls[] = {
	{SYS_ptrace, traced_ptrace},
	{0},
};
