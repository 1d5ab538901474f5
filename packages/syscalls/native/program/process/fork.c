/*
 * fork.c - new processes: fork, and vfork, whose child runs in its parent's memory while the parent waits. clone and clone3 that make no thread end here.
 *
 * A child of fork has a copy of all that libcr knows, and is alone in it. A child of vfork gets a struct proc, an lwp and a kernel stack of its own,
 * which are its parent's to give back: what it changes of its signals is not its parent's, and its calls are caught as any other's, so that what
 * it execs is under libcr.
 */
#include "program.h"
#include "own.h"
#include "os/os.h" /* core's */

#include <linux/sched.h>
#include <sys/mman.h>

#define REFUSED (CLONE_THREAD | CLONE_SIGHAND)

void (*program_forks)(bool begins);
void (*program_forked)(struct lwp *lwp);
void (*program_vforked)(struct lwp *lwp);
void (*program_vfork_over)(struct lwp *lwp);
void (*program_signals_leave)(struct lwp *lwp);
void (*program_signals_are_ours)(struct lwp *lwp);

/**
 * Signals wait in the kernel meanwhile: a handler would find a child that is half made, or take what is the parent's for the child of its vfork. Not those that an
 * instruction raises, as who blocks them ends. The child begins like this, too, and its kernel thread gets its lwp's mask when it is whole.
 */
static uint64_t hold_signals(void)
{
	const uint64_t held = ~(SIGNAL_BIT(SIGSEGV) | SIGNAL_BIT(SIGBUS) | SIGNAL_BIT(SIGFPE) | SIGNAL_BIT(SIGILL) | SIGNAL_BIT(SIGTRAP) | SIGNAL_BIT(SIGSYS));
	uint64_t before;

	kernel_call(SYS_rt_sigprocmask, SIG_SETMASK, &held, &before, 8);
	return before;
}

static void release_signals(uint64_t before)
{
	kernel_call(SYS_rt_sigprocmask, SIG_SETMASK, &before, NULL, 8);
}

/* ------------------------------------------------ fork */

/** In the child. */
static void forked(struct lwp *lwp, uint64_t flags)
{
	struct proc *proc = lwp->lwp_proc;
	const int parent = proc->p_pid;

	proc->p_pid = lwp->lwp_tid = (int)kernel_call(SYS_getpid);
	proc->p_lock = 0;
	proc->p_stale = 0;
	proc->p_execs = false;
	proc_has_only(proc, lwp);
	lwp->lwp_ncalls = lwp->lwp_nticks = lwp->lwp_npreemptions = 0;
	own_forked((flags & CLONE_FILES) != 0);
	stats_forget();
	metrics_forget();
	trace_forget();
	catch_thread(NULL, 0); /* the alternate stack is inherited, dispatch is not */
	if (program_forked)
		program_forked(lwp);
	shims_forked();
	record_forked(lwp, parent);
	script_forked(lwp, parent);
}

/** As its parent, with the stack and the TLS that clone was given. */
static long child(struct lwp *lwp, struct trapframe *tf, uint64_t flags, uint64_t stack, uint64_t tls)
{
	forked(lwp, flags);
	if (stack)
		tf->tf_rsp = stack;
	if (flags & CLONE_SETTLS) {
		lwp->lwp_fs = tls;
		lwp->lwp_ast_fs = 1;
	}
	return 0;
}

/* ------------------------------------------------ vfork */
struct vfork {
	struct proc proc;
	struct lwp lwp;
	void *recording; /* the parent's */
	char kstack[KSTACK_SHIM_SIZE] __attribute__((aligned(64)));
	struct trapframe tf; /* the end of that */
	char margin[512];
};

/** The child, on its kernel stack. */
static void vforked(void *arg)
{
	struct vfork *v = arg;
	const int parent = v->proc.p_pid;

	v->proc.p_pid = v->lwp.lwp_tid = (int)kernel_call(SYS_getpid);
	catch_thread(NULL, 0);
	if (program_vforked)
		program_vforked(&v->lwp);
	record_forked(&v->lwp, parent);
	script_forked(&v->lwp, parent);
	program_enter(&v->tf);
}

static void prepare(struct vfork *v, const struct lwp *parent, const struct trapframe *tf, uint64_t flags)
{
	v->proc = *parent->lwp_proc;
	v->proc.p_lock = 0;
	v->proc.p_vforked_by = (struct lwp *)(uintptr_t)parent;
	v->proc.p_files_are_copies = !(flags & CLONE_FILES) || parent->lwp_proc->p_files_are_copies;
	v->proc.p_stale = 0;
	v->proc.p_held = 0;
	v->proc.p_execs = false;
	v->proc.p_pending = v->proc.p_incoming = NULL;
	v->proc.p_exec = NULL;
	v->lwp = *parent; /* its lwp_fault, too: the parent has none meanwhile */
	v->lwp.lwp_proc = &v->proc;
	proc_has_only(&v->proc, &v->lwp);
	v->lwp.lwp_pending = NULL;
	v->lwp.lwp_trace = v->lwp.lwp_record = NULL; /* the parent's call is under way */
	v->lwp.lwp_kstack = (char *)(&v->tf + 1);
	v->lwp.lwp_kstack_base = v->kstack;
	v->lwp.lwp_ast = 0;
	v->lwp.lwp_ast_fs = 1;
	v->tf = *tf;
	v->tf.tf_rax = 0;
	v->tf.tf_flags |= TFF_FULL;
}

static long vfork_process(struct lwp *lwp, struct trapframe *tf, uint64_t flags, uint64_t stack, uint64_t ptid, uint64_t ctid, uint64_t tls)
{
	struct vfork *v;
	uint64_t mask;
	long pid = kernel_call(SYS_mmap, lwkt_os_map_place(sizeof(*v)), sizeof(*v), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (pid < 0 && pid > -4096)
		return -EAGAIN;
	v = (struct vfork *)pid;
	prepare(v, lwp, tf, flags);
	if (stack)
		v->tf.tf_rsp = stack;
	if (flags & CLONE_SETTLS)
		v->lwp.lwp_fs = tls;
	patch_hold(true);
	v->recording = record_vforks();
	mask = hold_signals();
	set_curlwp(&v->lwp);
	pid = program_clone_call(flags & ~(uint64_t)CLONE_SETTLS, &v->tf, (int *)ptid, (int *)ctid, 0, vforked, v);
	set_curlwp(lwp); /* the child has its own program by now, or has ended */
	lwp->lwp_ast_fs = 1;
	release_signals(mask);
	patch_hold(false);
	record_vfork_over(v->recording);
	if (program_vfork_over)
		program_vfork_over(&v->lwp);
	if (v->proc.p_exec)
		kernel_call(SYS_munmap, v->proc.p_exec, v->proc.p_exec_size);
	trace_gone(&v->lwp);
	lwkt_os_free(v->lwp.lwp_trace);
	lwkt_os_free(v->lwp.lwp_record);
	kernel_call(SYS_munmap, v, sizeof(*v));
	return pid;
}

/* ------------------------------------------------ the calls */

static long fork_process(struct lwp *lwp, struct trapframe *tf, uint64_t flags, uint64_t stack, uint64_t ptid, uint64_t ctid, uint64_t tls)
{
	uint64_t mask;
	long pid;

	if ((flags & REFUSED) || ((flags & CLONE_VM) && !(flags & CLONE_VFORK)))
		return -ENOSYS;
	if (lwp->lwp_proc->p_stale) /* the child begins with what the kernel knows */
		program_refresh(lwp);
	if (flags & CLONE_VM)
		return vfork_process(lwp, tf, flags, stack, ptid, ctid, tls);
	record_forks();
	program_forks(true);
	own_files_are_shared |= (flags & CLONE_FILES) != 0;
	mask = hold_signals();
	pid = kernel_call(SYS_clone, flags & ~(uint64_t)CLONE_SETTLS, NULL, ptid, ctid, 0);
	if (!pid)
		return child(lwp, tf, flags, stack, tls);
	release_signals(mask);
	program_forks(false);
	return pid;
}

static long fork_process3(struct lwp *lwp, struct trapframe *tf, const struct clone_args *args)
{
	struct clone_args own = *args;
	uint64_t stack = args->stack ? args->stack + args->stack_size : 0;
	uint64_t mask;
	bool plain = !(args->flags >> 32) && !(args->flags & CLONE_PIDFD) && !args->set_tid_size;
	long pid;

	if (plain)
		return fork_process(lwp, tf, args->flags | args->exit_signal, stack, args->parent_tid, args->child_tid, args->tls);
	if (args->flags & (REFUSED | CLONE_VM))
		return -ENOSYS;
	own.stack = own.stack_size = 0;
	own.flags &= ~(uint64_t)CLONE_SETTLS;
	if (lwp->lwp_proc->p_stale)
		program_refresh(lwp);
	record_forks();
	program_forks(true);
	own_files_are_shared |= (args->flags & CLONE_FILES) != 0;
	mask = hold_signals();
	pid = kernel_call(SYS_clone3, &own, sizeof(own));
	if (!pid)
		return child(lwp, tf, args->flags, stack, args->tls);
	release_signals(mask);
	program_forks(false);
	return pid;
}

static long fork_fork(struct lwp *lwp, struct trapframe *tf)
{
	return fork_process(lwp, tf, SIGCHLD, 0, 0, 0, 0);
}

static long fork_vfork(struct lwp *lwp, struct trapframe *tf)
{
	return fork_process(lwp, tf, CLONE_VM | CLONE_VFORK | SIGCHLD, 0, 0, 0, 0);
}

static long fork_clone(struct lwp *lwp, struct trapframe *tf)
{
	return fork_process(lwp, tf, (uint32_t)tf->tf_rdi, tf->tf_rsi, tf->tf_rdx, tf->tf_r10, tf->tf_r8);
}

long program_fork(struct lwp *lwp, struct trapframe *tf, uint64_t flags, uint64_t stack, uint64_t tls)
{
	return fork_process(lwp, tf, flags, stack, 0, 0, tls);
}

long fork_read_args(const struct trapframe *tf, struct clone_args *args)
{
	uint64_t size = tf->tf_rsi;

	memset(args, 0, sizeof(*args));
	if (size < CLONE_ARGS_SIZE_VER0)
		return -EINVAL;
	if (size > sizeof(*args))
		return -E2BIG; /* of a later kernel than this knows */
	return copyin(args, tf->tf_rdi, size);
}

static long fork_clone3(struct lwp *lwp, struct trapframe *tf)
{
	struct clone_args args;
	long error = fork_read_args(tf, &args);

	return error ? error : fork_process3(lwp, tf, &args);
}

const struct call_entry fork_calls[] = {
	{SYS_fork, fork_fork},
	{SYS_vfork, fork_vfork},
	{SYS_clone, fork_clone},
	{SYS_clone3, fork_clone3},
	{0},
};
