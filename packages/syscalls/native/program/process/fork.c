/*
 * fork.c - new processes: fork, and vfork, whose child runs in its parent's memory while the parent waits. clone and clone3 that make no thread end here.
 *
 * A child of fork has a copy of all that libcr knows, and is alone in it. A child of vfork gets a struct proc, an lwp and a kernel stack of its own,
 * which are its parent's to give back: what it changes of its signals is not its parent's, and its calls are caught as any other's, so that what
 * it execs is under libcr.
 *
 * As natively, the lwp that has called vfork waits alone where its process has several. To the kernel that is a clone without CLONE_VFORK: with it the rfork would stand still, and all
 * of its lwps. The child stands apart from the rforks then (p_apart): it has a per-CPU area and a signal stack of its own, and the kernel clears a word when it leaves this memory. What of
 * libcr's it changes there is its own (struct vfork), or is what several rforks change, too: by atomic operations, or under locks that are held for a few instructions. It sends the rforks
 * nothing: IPI messages are from one rfork to another, and the eventfds that announce them may be closed in a process with descriptors of its own, or be other files.
 */
#include "program.h"
#include "own.h"
#include "lwkt_kernel.h" /* core's */
#include "os/os.h"       /* likewise */

#include <linux/futex.h>
#include <linux/sched.h>
#include <sys/mman.h>
#include <sys/wait.h>

#define REFUSED (CLONE_THREAD | CLONE_SIGHAND)

void (*program_forks)(bool begins);
void (*program_forked)(struct lwp *lwp);
void (*program_vforked)(struct lwp *lwp);
void (*program_vfork_over)(struct lwp *lwp);
void (*program_vfork_wakes)(unsigned queue);
unsigned vforks_apart;
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

/* ------------------------------------------------ vfork */

/* vf_state, by atomic operations */
#define OVER 0u  /* the child has left this memory: written by the kernel, or by the parent that stood still */
#define OUT 1u
#define WAKES 2u /* and has something in vf_wakes */

struct vfork {
	struct proc proc;
	struct lwp lwp;
	void *recording; /* the parent's */
	size_t vf_size;  /* bytes that are mapped: behind this the child's per-CPU area, where it is apart */
	bool vf_apart;
	unsigned vf_nested; /* vforks under way of the child, and of its children: those have this area, too */
	uint32_t vf_state;
	uint64_t vf_wakes[VFORK_QUEUES / 64]; /* queues whose lwps the parent is to wake: set by the child, cleared by the parent, by atomic operations */
	char altstack[ALTSTACK_SIZE] __attribute__((aligned(64)));
	char kstack[KSTACK_SHIM_SIZE] __attribute__((aligned(64)));
	struct trapframe tf; /* the end of that */
	char margin[512];
};

/* ------------------------------------------------ fork */

/** Lwps that waited for their children of vfork are none of this process', and the children have another memory. */
static void forget_vforks(const struct proc *proc)
{
	for (const struct lwp *lwp = proc->p_lwps; lwp; lwp = lwp->lwp_next)
		if (lwp->lwp_vfork)
			kernel_call(SYS_munmap, lwp->lwp_vfork, lwp->lwp_vfork->vf_size);
	vforks_apart = 0;
}

/** In the child. */
static void forked(struct lwp *lwp, uint64_t flags)
{
	struct proc *proc = lwp->lwp_proc;
	const int parent = proc->p_pid;

	proc->p_pid = lwp->lwp_tid = (int)kernel_call(SYS_getpid);
	proc->p_lock = 0;
	proc->p_stale = 0;
	proc->p_execs = false;
	if (proc->p_apart)
		proc->p_apart->vf_state = OVER; /* this memory has nobody else */
	else
		forget_vforks(proc);
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

/* ------------------------------------------------ the child of a vfork */

/** On its kernel stack. */
static void vforked(void *arg)
{
	struct vfork *v = arg;
	const int parent = v->proc.p_pid;

	if (v->vf_apart)
		lwkt_vforked(v + 1, &v->lwp); /* first: until then it is its parent's lwp for who asks */
	v->proc.p_pid = v->lwp.lwp_tid = (int)kernel_call(SYS_getpid);
	catch_thread(v->vf_apart ? v->altstack : NULL, sizeof(v->altstack));
	if (program_vforked)
		program_vforked(&v->lwp);
	record_forked(&v->lwp, parent);
	script_forked(&v->lwp, parent);
	program_enter(&v->tf);
}

static void prepare(struct vfork *v, const struct lwp *parent, const struct trapframe *tf, uint64_t flags)
{
	lwkt_word_lock(&parent->lwp_proc->p_lock);
	v->proc = *parent->lwp_proc;
	lwkt_word_unlock(&parent->lwp_proc->p_lock);
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
	v->lwp.lwp_early = v->lwp.lwp_gives_back = false; /* nobody else's turn is there */
	v->tf = *tf;
	v->tf.tf_rax = 0;
	v->tf.tf_flags |= TFF_FULL;
}

/** Its end is one that the kernel has not told by the word: before Linux 5.16 it does not where there is a core. */
static bool has_ended(long pid)
{
	siginfo_t info = {0};
	const long error = kernel_call(SYS_waitid, P_PID, pid, &info, WEXITED | WNOHANG | WNOWAIT | __WALL, NULL);

	return error == -ECHILD || (!error && info.si_pid == pid);
}

void vfork_wakes(const struct proc *proc, unsigned queue)
{
	struct vfork *v = proc->p_apart;
	uint32_t state = OUT;

	__atomic_fetch_or(&v->vf_wakes[queue / 64], 1ull << queue % 64, __ATOMIC_SEQ_CST);
	if (__atomic_compare_exchange_n(&v->vf_state, &state, WAKES, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		kernel_call(SYS_futex, &v->vf_state, FUTEX_WAKE, 1, NULL, NULL, 0);
}

bool vfork_is_over(const struct lwp *lwp)
{
	const struct vfork *v = (const struct vfork *)((const char *)lwp - offsetof(struct vfork, lwp));
	uint32_t state;

	return user_load32(&v->vf_state, &state) || state == OVER;
}

static void wake_for(struct vfork *v)
{
	uint32_t state = WAKES;

	/* First: what comes from here on is said again. */
	__atomic_compare_exchange_n(&v->vf_state, &state, OUT, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
	for (unsigned i = 0; i < VFORK_QUEUES / 64; i++)
		for (uint64_t queues = __atomic_exchange_n(&v->vf_wakes[i], 0, __ATOMIC_SEQ_CST); queues; queues &= queues - 1)
			program_vfork_wakes(64 * i + (unsigned)__builtin_ctzll(queues));
}

/**
 * Most children have left within a millisecond or two. Where others can run they have their turn first, and who computes has ten: so there the rfork itself waits for a moment, and
 * whatever comes for it ends it.
 */
static void wait_a_moment(struct vfork *v)
{
	static const struct timespec moment = {.tv_nsec = 5000000};

	if (lwkt_runnable() > 1) /* this one is */
		kernel_call(SYS_futex, &v->vf_state, FUTEX_WAIT, OUT, &moment, NULL, 0);
}

/** This lwp alone, and no signal ends that. */
static void wait_for_child(struct lwp *lwp, struct vfork *v, long pid)
{
	static const struct timespec while_at_most = {.tv_sec = 1};
	uint32_t state;

	wait_a_moment(v);
	while ((state = __atomic_load_n(&v->vf_state, __ATOMIC_SEQ_CST)) != OVER) {
		if (state == WAKES)
			wake_for(v);
		else if (program_wait_word(lwp, &v->vf_state, OUT, &while_at_most, "vfork", true) == -ETIMEDOUT && has_ended(pid))
			break;
	}
	wake_for(v); /* what it has said last */
}

static long vfork_apart(struct lwp *lwp, struct vfork *v, uint64_t flags, uint64_t ptid)
{
	uint64_t mask;
	long pid;

	v->proc.p_apart = lwp->lwp_vfork = v;
	__atomic_fetch_add(&vforks_apart, 1, __ATOMIC_SEQ_CST);
	mask = hold_signals();
	pid = program_clone_call((flags & ~(uint64_t)CLONE_VFORK) | CLONE_CHILD_CLEARTID, &v->tf, (int *)ptid, (int *)&v->vf_state, 0, vforked, v);
	release_signals(mask);
	if (pid > 0)
		wait_for_child(lwp, v, pid);
	__atomic_fetch_sub(&vforks_apart, 1, __ATOMIC_SEQ_CST);
	lwp->lwp_vfork = NULL;
	return pid;
}

/** All of the rfork stand still, as the kernel has it. */
static long vfork_together(struct lwp *lwp, struct vfork *v, uint64_t flags, uint64_t ptid, uint64_t ctid)
{
	uint64_t mask = hold_signals();
	long pid;

	set_curlwp(&v->lwp);
	pid = program_clone_call(flags, &v->tf, (int *)ptid, (int *)ctid, 0, vforked, v);
	set_curlwp(lwp); /* the child has its own program by now, or has ended */
	v->vf_state = OVER;
	release_signals(mask);
	return pid;
}

/**
 * Whether other lwps go on. Not where a run is to be had again, or shims look on: there nobody else comes between a child and what it runs. Nor where the kernel is to write or clear a word
 * of the program's, of which it knows one for each thread; where the child is no child of this process', or has its descriptors; or where a debugger is to be told of a vfork.
 */
static bool others_go_on(const struct proc *proc, uint64_t flags)
{
	return proc->p_nlwps > 1 && !proc->p_vforked_by && !proc->p_traced && !record_mode && !options.deterministic && !script_active && !shims_count &&
	       !(flags & (CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID | CLONE_PARENT | CLONE_FILES));
}

static long vfork_process(struct lwp *lwp, struct trapframe *tf, uint64_t flags, uint64_t stack, uint64_t ptid, uint64_t ctid, uint64_t tls)
{
	const bool apart = others_go_on(lwp->lwp_proc, flags);
	const size_t size = sizeof(struct vfork) + (apart ? lwkt_vforked_size() : 0);
	struct vfork *v, *outer = lwp->lwp_proc->p_apart;
	long pid = kernel_call(SYS_mmap, lwkt_os_map_place(size), size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (pid < 0 && pid > -4096)
		return -EAGAIN;
	v = (struct vfork *)pid;
	v->vf_size = size;
	v->vf_apart = apart;
	v->vf_state = OUT;
	prepare(v, lwp, tf, flags);
	if (stack)
		v->tf.tf_rsp = stack;
	if (flags & CLONE_SETTLS)
		v->lwp.lwp_fs = tls;
	flags &= ~(uint64_t)CLONE_SETTLS;
	patch_hold(true);
	v->recording = record_vforks();
	if (outer)
		outer->vf_nested++;
	pid = apart ? vfork_apart(lwp, v, flags, ptid) : vfork_together(lwp, v, flags, ptid, ctid);
	if (outer)
		outer->vf_nested--;
	lwp->lwp_ast_fs = 1; /* what has come for an rfork that stood still is looked at first: another one may ask for work */
	patch_hold(false);
	record_vfork_over(v->recording);
	if (program_vfork_over)
		program_vfork_over(&v->lwp);
	if (v->proc.p_exec)
		kernel_call(SYS_munmap, v->proc.p_exec, v->proc.p_exec_size);
	trace_gone(&v->lwp);
	lwkt_os_free(v->lwp.lwp_trace);
	lwkt_os_free(v->lwp.lwp_record);
	if (!v->vf_nested) /* else it was killed, and its child may be there yet */
		kernel_call(SYS_munmap, v, size);
	return pid;
}

/* ------------------------------------------------ the calls */

/** Who is apart from the rforks has nothing of them stand still: its child touches nothing of theirs, either. */
static void forks(const struct lwp *lwp, bool begins)
{
	if (begins)
		record_forks();
	if (!lwp->lwp_proc->p_apart)
		program_forks(begins);
}

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
	forks(lwp, true);
	own_files_are_shared |= (flags & CLONE_FILES) != 0;
	mask = hold_signals();
	pid = kernel_call(SYS_clone, flags & ~(uint64_t)CLONE_SETTLS, NULL, ptid, ctid, 0);
	if (!pid)
		return child(lwp, tf, flags, stack, tls);
	release_signals(mask);
	forks(lwp, false);
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
	forks(lwp, true);
	own_files_are_shared |= (args->flags & CLONE_FILES) != 0;
	mask = hold_signals();
	pid = kernel_call(SYS_clone3, &own, sizeof(own));
	if (!pid)
		return child(lwp, tf, args->flags, stack, args->tls);
	release_signals(mask);
	forks(lwp, false);
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
