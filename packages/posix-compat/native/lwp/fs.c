/*
 * fs.c - %fs, the base of a thread's thread-local storage: each lwp's is loaded on its way back to the program, if it is another one's there. libcr
 * itself uses none, so switches between lwps and thread0 cost nothing.
 *
 * Where user mode may not write the base itself (no FSGSBASE) it takes a system call for each load; `LIBCR_FSGSBASE=0` in the environment has it so on every machine,
 * for tests. What wrfsbase writes where the kernel does not know of it, is lost at the kernel's next switch: it is never used there.
 */
#include "posix.h"

#include <asm/prctl.h>

#define FSGSBASE (1u << 1) /* AT_HWCAP2: user mode may write the base itself */

static bool fsgsbase;

void fs_find(char **environment)
{
	fsgsbase = (lwkt_os_hwcap2() & FSGSBASE) != 0;
	for (; *environment; environment++)
		if (!strcmp(*environment, "LIBCR_FSGSBASE=0"))
			fsgsbase = false;
}

/** A child of vfork's has a kernel thread of its own, and its parent's rfork in memory: nothing is noted there. */
static bool is_loaded(const struct lwp *lwp)
{
	struct rfork *self = rfork_self();

	if (lwp->lwp_proc->p_vforked_by)
		return false;
	if (self->rf_fs == lwp->lwp_fs)
		return true;
	self->rf_fs = lwp->lwp_fs;
	return false;
}

void fs_load(struct lwp *lwp)
{
	if (is_loaded(lwp))
		return;
	if (fsgsbase)
		__asm__ volatile("wrfsbase %0" : : "r"(lwp->lwp_fs));
	else
		kernel_call(SYS_arch_prctl, ARCH_SET_FS, lwp->lwp_fs);
}

static long get_features(struct lwp *lwp, struct trapframe *tf)
{
	uint64_t features;
	long error = program_pass(lwp, tf);

	if (!error)
		error = copyin(&features, tf->tf_rsi, 8);
	features &= ~AMX_TILES;
	return error ? error : copyout(tf->tf_rsi, &features, 8);
}

/** %gs is the rfork's: no C library uses it on x86-64. */
static long fs_arch_prctl(struct lwp *lwp, struct trapframe *tf)
{
	switch ((int)tf->tf_rdi) {
	case ARCH_SET_FS:
		if (tf->tf_rsi >> 47)
			return -EPERM;
		lwp->lwp_fs = tf->tf_rsi;
		fs_load(lwp);
		return 0;
	case ARCH_GET_FS:
		return copyout(tf->tf_rsi, &lwp->lwp_fs, 8);
	case ARCH_SET_GS:
		return -EPERM;
	case ARCH_GET_GS:
		return copyout(tf->tf_rsi, &(uint64_t){0}, 8);
	case ARCH_REQ_XCOMP_PERM:
		return 1ull << (tf->tf_rsi & 63) == AMX_TILES ? -EOPNOTSUPP : program_pass(lwp, tf);
	case ARCH_GET_XCOMP_SUPP: /* without what is refused */
	case ARCH_GET_XCOMP_PERM:
		return get_features(lwp, tf);
	}
	return program_pass(lwp, tf);
}

const struct call_entry fs_calls[] = {
	{SYS_arch_prctl, fs_arch_prctl},
	{0},
};
