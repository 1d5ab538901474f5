/*
 * credentials.c - setuid and its like. To the kernel they are a kernel thread's, and a C library has each of its threads make the call. Here all that work for the
 * process get them: every rfork makes the call, and helpers with the old ones end, those that are
 * in the middle of a call when that has ended.
 */
#include "posix.h"

struct credentials {
	const struct trapframe *tf;
	struct rfork *caller; /* has made it */
};

unsigned credentials_generation;

/** On each rfork. */
static void make_call(void *arg)
{
	const struct credentials *call = arg;
	const struct trapframe *tf = call->tf;

	if (rfork_self() == call->caller)
		return;
	kernel_call(tf->tf_number, tf->tf_rdi, tf->tf_rsi, tf->tf_rdx);
	offload_end_idle();
}

static long credentials_set(struct lwp *lwp, struct trapframe *tf)
{
	long result = program_pass(lwp, tf);

	if (result < 0 || lwp->lwp_proc->p_vforked_by)
		return result;
	__atomic_fetch_add(&credentials_generation, 1, __ATOMIC_SEQ_CST);
	offload_end_idle();
	rfork_all(make_call, &(struct credentials){tf, rfork_self()});
	return result;
}

const struct call_entry credentials_calls[] = {
	{SYS_setuid, credentials_set},
	{SYS_setgid, credentials_set},
	{SYS_setreuid, credentials_set},
	{SYS_setregid, credentials_set},
	{SYS_setresuid, credentials_set},
	{SYS_setresgid, credentials_set},
	{SYS_setfsuid, credentials_set},
	{SYS_setfsgid, credentials_set},
	{SYS_setgroups, credentials_set},
	{SYS_capset, credentials_set},
	{0},
};
