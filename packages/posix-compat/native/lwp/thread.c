/*
 * thread.c - the system calls by which a program's C library makes threads of lwps: clone, clone3, exit, tids, names, and what of
 * other calls names one.
 */
#include "posix.h"
#include "own.h"
#include "schedule.h"

#include <fcntl.h>
#include <linux/prctl.h>
#include <linux/sched.h>
#include <sys/wait.h>

#define NEEDED (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD) /* a thread has its memory, descriptors and handlers in common with others */
#define KNOWN (NEEDED | CLONE_SYSVSEM | CLONE_SETTLS | CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID | CLONE_DETACHED | CLONE_IO)

/* Another process' lwps must have other tids: they stand in the words of mutexes that processes share. So each process begins elsewhere, far from those with
 * numbers near its own. All of them have bit 28 and none above it, as the clock of a thread has room for 29 bits. */
static uint32_t next_tid; /* without LWP_TID_FIRST; 0: none yet */

static int new_tid(const struct proc *proc)
{
	uint32_t none = 0, first = (uint32_t)(options.deterministic ? (int)options.lineage : proc->p_pid) * 0x9e3779b1u >> 4;

	__atomic_compare_exchange_n(&next_tid, &none, first, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
	return LWP_TID_FIRST + (int)(__atomic_add_fetch(&next_tid, 1, __ATOMIC_RELAXED) % LWP_TIDS);
}

/** The process has the name of the lwp that has forked. */
void thread_forked(struct lwp *lwp)
{
	next_tid = 0;
	if (lwp->lwp_comm[0])
		kernel_call(SYS_prctl, PR_SET_NAME, lwp->lwp_comm);
	lwp->lwp_comm[0] = 0;
}

/** The process' name is its first kernel thread's, and that is not everywhere this one. */
static long process_name(char name[16], bool changes)
{
	long fd, done;

	if (rfork_self() == rfork_leader)
		return kernel_call(SYS_prctl, changes ? PR_SET_NAME : PR_GET_NAME, name);
	fd = kernel_call(SYS_open, "/proc/self/comm", (changes ? O_WRONLY : O_RDONLY) | O_CLOEXEC);
	if (fd < 0)
		return fd;
	done = kernel_call(changes ? SYS_write : SYS_read, fd, name, changes ? strlen(name) + 1 : 16); /* an empty name has a byte, too */
	kernel_call(SYS_close, fd);
	if (!changes && done > 0)
		name[done - 1] = 0; /* a newline */
	return done < 0 ? done : 0;
}

/** A new lwp has its creator's name. The main one's is the process', which the kernel has: asked for once, until it changes. */
static void inherit_name(struct lwp *lwp, struct lwp *from)
{
	if (!from->lwp_comm[0])
		process_name(from->lwp_comm, false);
	memcpy(lwp->lwp_comm, from->lwp_comm, sizeof(lwp->lwp_comm));
}

static long make_thread(struct lwp *me, const struct trapframe *tf, uint64_t flags, uint64_t stack, uint64_t ptid, uint64_t ctid, uint64_t tls)
{
	struct proc *proc = me->lwp_proc;
	struct trapframe start = *tf;
	struct lwp *lwp;
	int tid = new_tid(proc);
	int error;

	if ((flags & NEEDED) != NEEDED)
		return -EINVAL;
	if ((flags & ~(uint64_t)KNOWN) || proc->p_vforked_by)
		return -ENOSYS;
	lwp = lwp_new(proc, tid);
	if (!lwp)
		return -EAGAIN;
	lwp->lwp_fs = flags & CLONE_SETTLS ? tls : me->lwp_fs;
	lwp->lwp_sigmask = me->lwp_sigmask;
	inherit_name(lwp, me);
	sched_inherit(lwp, me);
	lwp->lwp_clear_tid = flags & CLONE_CHILD_CLEARTID ? ctid : 0;
	start.tf_rax = 0;
	start.tf_flags = TFF_FULL;
	if (stack)
		start.tf_rsp = stack;
	if (((flags & CLONE_PARENT_SETTID) && user_store32((uint32_t *)ptid, (uint32_t)tid)) ||
	    ((flags & CLONE_CHILD_SETTID) && user_store32((uint32_t *)ctid, (uint32_t)tid))) {
		sched_end(lwp);
		lwkt_os_free(lwp);
		return -EFAULT;
	}
	own_make_room();
	rfork_start_others();
	cputime_begin(me);
	lwp_link(proc, lwp);
	error = lwp_start(lwp, &start); /* last: it may run, and end, at once */
	if (error) {
		lwp_unlink(lwp);
		sched_end(lwp);
		lwkt_os_free(lwp);
		return -EAGAIN;
	}
	return tid;
}

static call_handler below_clone, below_clone3, below_prctl;

static long thread_clone(struct lwp *lwp, struct trapframe *tf)
{
	uint64_t flags = (uint32_t)tf->tf_rdi;

	if (!(flags & CLONE_THREAD))
		return below_clone(lwp, tf);
	return make_thread(lwp, tf, flags & ~(uint64_t)CSIGNAL, tf->tf_rsi, tf->tf_rdx, tf->tf_r10, tf->tf_r8);
}

static long thread_clone3(struct lwp *lwp, struct trapframe *tf)
{
	struct clone_args args;
	long error = fork_read_args(tf, &args);

	if (error)
		return error;
	if (!(args.flags & CLONE_THREAD))
		return below_clone3(lwp, tf);
	return make_thread(lwp, tf, args.flags, args.stack ? args.stack + args.stack_size : 0, args.parent_tid, args.child_tid, args.tls);
}

static long thread_exit(struct lwp *lwp, struct trapframe *tf)
{
	lwp_exit(lwp, (int)tf->tf_rdi);
}

static long thread_gettid(struct lwp *lwp, struct trapframe *tf)
{
	(void)tf;
	return lwp->lwp_tid;
}

static long thread_set_tid_address(struct lwp *lwp, struct trapframe *tf)
{
	lwp->lwp_clear_tid = tf->tf_rdi;
	return lwp->lwp_tid;
}

static long thread_sched_yield(struct lwp *lwp, struct trapframe *tf)
{
	if (options.deterministic)
		schedule_yields(lwp);
	if (lwp->lwp_proc->p_nlwps == 1)
		return program_pass(lwp, tf);
	rfork_look();
	turn_yield(lwp);
	return 0;
}

/** A child is its process', whichever lwp has made it. */
static long thread_wait(struct lwp *lwp, struct trapframe *tf)
{
	struct trapframe all = *tf;

	if (tf->tf_number == SYS_wait4)
		all.tf_rdx &= ~(uint64_t)__WNOTHREAD;
	else
		all.tf_r10 &= ~(uint64_t)__WNOTHREAD;
	return program_wait(lwp, !lwp_is_alone(lwp) ? &all : tf);
}

/** A descriptor for an lwp there is none: as before Linux 6.9, which has them for threads. */
static long thread_pidfd_open(struct lwp *lwp, struct trapframe *tf)
{
	int tid = (int)tf->tf_rdi;

	return tid != lwp->lwp_proc->p_pid && lwp_exists(lwp->lwp_proc, tid) ? -EINVAL : program_pass(lwp, tf);
}

/** What a process may do only while it has one thread: helpers count. */
static long thread_setns(struct lwp *lwp, struct trapframe *tf)
{
	if (lwp->lwp_proc->p_nlwps == 1 && !lwp->lwp_proc->p_vforked_by)
		offload_end_idle();
	return program_pass(lwp, tf);
}

/** prctl(PR_SET_NAME), prctl(PR_GET_NAME) of the main lwp. */
static long prctl_process_name(struct lwp *lwp, const struct trapframe *tf)
{
	char name[16] = {0};

	if (tf->tf_rdi == PR_GET_NAME)
		return process_name(name, false) ?: copyout(tf->tf_rsi, name, sizeof(name));
	if (user_string(name, tf->tf_rsi, sizeof(name)) == -EFAULT)
		return -EFAULT;
	name[sizeof(name) - 1] = 0;
	lwp->lwp_comm[0] = 0;
	return process_name(name, true);
}

/** An lwp's name: the main one's is the process', which the kernel knows. */
static long thread_prctl(struct lwp *lwp, struct trapframe *tf)
{
	if (lwp->lwp_tid == lwp->lwp_proc->p_pid && (tf->tf_rdi == PR_SET_NAME || tf->tf_rdi == PR_GET_NAME) && !lwp->lwp_proc->p_vforked_by)
		return prctl_process_name(lwp, tf);
	if (lwp->lwp_tid == lwp->lwp_proc->p_pid || (tf->tf_rdi != PR_SET_NAME && tf->tf_rdi != PR_GET_NAME))
		return below_prctl(lwp, tf);
	if (tf->tf_rdi == PR_GET_NAME)
		return copyout(tf->tf_rsi, lwp->lwp_comm, sizeof(lwp->lwp_comm));
	if (user_string(lwp->lwp_comm, tf->tf_rsi, sizeof(lwp->lwp_comm)) == -EFAULT)
		return -EFAULT;
	lwp->lwp_comm[sizeof(lwp->lwp_comm) - 1] = 0;
	return 0;
}

const struct call_entry thread_calls[] = {
	{SYS_clone, thread_clone, &below_clone},
	{SYS_clone3, thread_clone3, &below_clone3},
	{SYS_exit, thread_exit},
	{SYS_gettid, thread_gettid},
	{SYS_set_tid_address, thread_set_tid_address},
	{SYS_sched_yield, thread_sched_yield},
	{SYS_wait4, thread_wait},
	{SYS_waitid, thread_wait},
	{SYS_pidfd_open, thread_pidfd_open},
	{SYS_setns, thread_setns},
	{SYS_prctl, thread_prctl, &below_prctl},
	{0},
};
