/*
 * sched.c - the calls about how a thread is scheduled: policy and priority, nice, set of processors.
 *
 * While a process has one lwp they are the kernel's, whose thread that lwp is. From the second on each lwp has its own, kept and told again, which
 * decide nothing: the lwps of an rfork run in turn, those of real-time policies too (futex/pi.c orders its waiters by priority). Whether an lwp may have
 * what it asks for is for the kernel to say: where that is not plain, the rfork's kernel thread takes it for a moment, and then what it had before.
 */
#include "posix.h"
#include "schedule.h"

#include <linux/sched.h>
#include <sys/resource.h>

#define AFFINITY_WORDS 16 /* 1,024 processors */
#define RESET_ON_FORK 0x40000000
#define REALTIME_MAX 99
#define NICE_MIN (-20)
#define NICE_MAX 19
#define NICE_ZERO 20        /* getpriority(2) answers this less the nice value */
#define ATTR_SIZE 48        /* struct sched_attr of the first kernel that has it */
#define ATTR_RESET_ON_FORK 1
#define RR_INTERVAL 100000000 /* the kernel's, ns */

struct attributes { /* struct sched_attr */
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
};

static bool is_realtime(int policy) { return policy == SCHED_FIFO || policy == SCHED_RR; }

int sched_priority(const struct lwp *lwp)
{
	return lwp->lwp_schedule.has_policy && is_realtime(lwp->lwp_schedule.policy) ? lwp->lwp_schedule.priority : 0;
}

/* ---------------------------------------------------------------- whose */

/** What the lwp with this tid, or the caller (0), has; for a change `put` puts it there, but for the affinity. Whether there is one: else it is another process'. */
static bool get(struct lwp *lwp, int tid, struct schedule *schedule)
{
	struct proc *proc = lwp->lwp_proc;
	struct lwp *other;

	lwkt_word_lock(&proc->p_lock);
	other = tid ? lwp_find(proc, tid) : lwp;
	if (other)
		*schedule = other->lwp_schedule;
	lwkt_word_unlock(&proc->p_lock);
	return other != NULL;
}

static long put(struct lwp *lwp, int tid, const struct schedule *schedule)
{
	struct proc *proc = lwp->lwp_proc;
	struct lwp *other;

	lwkt_word_lock(&proc->p_lock);
	other = tid ? lwp_find(proc, tid) : lwp;
	if (other) {
		uint64_t *affinity = other->lwp_schedule.affinity;

		other->lwp_schedule = *schedule;
		other->lwp_schedule.affinity = affinity;
	}
	lwkt_word_unlock(&proc->p_lock);
	return other ? 0 : -ESRCH;
}

static bool is_alone(const struct lwp *lwp)
{
	return lwp->lwp_proc->p_nlwps == 1;
}

/** The call about the kernel thread that this lwp runs on. */
static long pass_own(struct lwp *lwp, const struct trapframe *tf)
{
	struct trapframe own = *tf;

	own.tf_rdi = 0;
	return program_pass(lwp, &own);
}

void sched_inherit(struct lwp *lwp, const struct lwp *from)
{
	lwp->lwp_schedule = from->lwp_schedule;
	if (lwp->lwp_schedule.resets)
		lwp->lwp_schedule = (struct schedule){.has_policy = true, .has_nice = true, .affinity = from->lwp_schedule.affinity};
	if (from->lwp_schedule.affinity) {
		lwp->lwp_schedule.affinity = lwkt_os_alloc(AFFINITY_WORDS * 8);
		if (lwp->lwp_schedule.affinity)
			memcpy(lwp->lwp_schedule.affinity, from->lwp_schedule.affinity, AFFINITY_WORDS * 8);
	}
}

void sched_end(struct lwp *lwp)
{
	lwkt_os_free(lwp->lwp_schedule.affinity);
}

void sched_forked(struct lwp *lwp)
{
	struct schedule *schedule = &lwp->lwp_schedule;

	if (schedule->has_policy)
		kernel_call(SYS_sched_setscheduler, 0, schedule->policy, &(int){schedule->priority});
	if (schedule->has_nice)
		kernel_call(SYS_setpriority, PRIO_PROCESS, 0, schedule->nice);
	if (schedule->affinity)
		kernel_call(SYS_sched_setaffinity, 0, AFFINITY_WORDS * 8, schedule->affinity);
	if (!lwp->lwp_proc->p_vforked_by) /* else it is its parent's */
		lwkt_os_free(schedule->affinity);
	*schedule = (struct schedule){0};
}

/* ---------------------------------------------------------------- policy and priority */

/** What an lwp has that has set nothing: its rfork's. */
static void fill_policy(struct schedule *schedule)
{
	int priority = 0;
	long policy = kernel_call(SYS_sched_getscheduler, 0);

	if (schedule->has_policy)
		return;
	kernel_call(SYS_sched_getparam, 0, &priority);
	schedule->policy = policy < 0 ? SCHED_NORMAL : (uint8_t)(policy & ~RESET_ON_FORK);
	schedule->resets = policy >= 0 && (policy & RESET_ON_FORK);
	schedule->priority = (uint8_t)priority;
}

/** The kernel's word: its thread takes it for a moment. */
static long try_policy(int policy, int priority)
{
	int before_priority = 0;
	long before = kernel_call(SYS_sched_getscheduler, 0), error;

	kernel_call(SYS_sched_getparam, 0, &before_priority);
	error = kernel_call(SYS_sched_setscheduler, 0, policy, &priority);
	if (!error)
		kernel_call(SYS_sched_setscheduler, 0, before, &before_priority);
	return error;
}

static long check_policy(const struct schedule *has, int policy, int priority)
{
	if (policy == SCHED_NORMAL || policy == SCHED_BATCH || policy == SCHED_IDLE)
		return priority ? -EINVAL : 0;
	if (!is_realtime(policy) || priority < 1 || priority > REALTIME_MAX)
		return -EINVAL;
	return policy == has->policy && priority <= has->priority ? 0 : try_policy(policy, priority);
}

static long set_policy(struct lwp *lwp, int tid, int policy, int priority, bool resets)
{
	struct schedule schedule;
	long error;

	if (!get(lwp, tid, &schedule))
		return -ESRCH;
	fill_policy(&schedule);
	error = check_policy(&schedule, policy, priority);
	if (error)
		return error;
	schedule.has_policy = true;
	schedule.policy = (uint8_t)policy;
	schedule.priority = (uint8_t)priority;
	schedule.resets = resets;
	return put(lwp, tid, &schedule);
}

/** It is alone, and has what the kernel has. */
static long set_alone(struct lwp *lwp, const struct trapframe *tf)
{
	long error = pass_own(lwp, tf);

	if (!error)
		lwp->lwp_schedule.has_policy = false;
	return error;
}

static long sched_set_scheduler(struct lwp *lwp, struct trapframe *tf)
{
	int tid = (int)tf->tf_rdi, policy = (int)tf->tf_rsi, priority;
	struct schedule schedule;

	if (tid < 0 || policy < 0 || !tf->tf_rdx)
		return -EINVAL;
	if (!get(lwp, tid, &schedule))
		return program_pass(lwp, tf);
	if (is_alone(lwp))
		return set_alone(lwp, tf);
	if (copyin(&priority, tf->tf_rdx, 4))
		return -EFAULT;
	return set_policy(lwp, tid, policy & ~RESET_ON_FORK, priority, policy & RESET_ON_FORK);
}

static long sched_set_param(struct lwp *lwp, struct trapframe *tf)
{
	int tid = (int)tf->tf_rdi, priority;
	struct schedule schedule;

	if (tid < 0 || !tf->tf_rsi)
		return -EINVAL;
	if (!get(lwp, tid, &schedule))
		return program_pass(lwp, tf);
	if (is_alone(lwp) && !schedule.has_policy)
		return pass_own(lwp, tf);
	if (copyin(&priority, tf->tf_rsi, 4))
		return -EFAULT;
	fill_policy(&schedule);
	return set_policy(lwp, tid, schedule.policy, priority, schedule.resets);
}

static long sched_get_scheduler(struct lwp *lwp, struct trapframe *tf)
{
	struct schedule schedule;

	if ((int)tf->tf_rdi < 0 || !get(lwp, (int)tf->tf_rdi, &schedule))
		return program_pass(lwp, tf);
	fill_policy(&schedule);
	return schedule.policy | (schedule.resets ? RESET_ON_FORK : 0);
}

static long sched_get_param(struct lwp *lwp, struct trapframe *tf)
{
	struct schedule schedule;

	if ((int)tf->tf_rdi < 0 || !tf->tf_rsi || !get(lwp, (int)tf->tf_rdi, &schedule))
		return program_pass(lwp, tf);
	fill_policy(&schedule);
	return copyout(tf->tf_rsi, &(int){is_realtime(schedule.policy) ? schedule.priority : 0}, 4);
}

static long sched_get_interval(struct lwp *lwp, struct trapframe *tf)
{
	struct schedule schedule;

	if ((int)tf->tf_rdi < 0 || !get(lwp, (int)tf->tf_rdi, &schedule))
		return program_pass(lwp, tf);
	if (!schedule.has_policy)
		return pass_own(lwp, tf);
	return copyout(tf->tf_rsi, (uint64_t[]){0, schedule.policy == SCHED_RR ? RR_INTERVAL : 0}, 16);
}

/* ---------------------------------------------------------------- nice */

static int nice_of_rfork(void)
{
	return NICE_ZERO - (int)kernel_call(SYS_getpriority, PRIO_PROCESS, 0);
}

/** Whether an lwp may have less than it has. */
static bool may_lower(int nice)
{
	struct rlimit limit = {0};
	int own = nice_of_rfork(), lower = own - 1 < nice ? own - 1 : nice;

	if (!kernel_call(SYS_getrlimit, RLIMIT_NICE, &limit) && limit.rlim_cur >= (uint64_t)(NICE_ZERO - nice))
		return true;
	if (own == NICE_MIN)
		return true; /* who is there may be anywhere */
	if (kernel_call(SYS_setpriority, PRIO_PROCESS, 0, lower))
		return false;
	kernel_call(SYS_setpriority, PRIO_PROCESS, 0, own); /* up one may always go */
	return true;
}

static long sched_get_priority(struct lwp *lwp, struct trapframe *tf)
{
	struct trapframe own = *tf;
	struct schedule schedule;

	if ((int)tf->tf_rdi != PRIO_PROCESS || !get(lwp, (int)tf->tf_rsi, &schedule))
		return program_pass(lwp, tf);
	own.tf_rsi = 0;
	return schedule.has_nice ? NICE_ZERO - schedule.nice : program_pass(lwp, &own);
}

static long sched_set_priority(struct lwp *lwp, struct trapframe *tf)
{
	struct trapframe own = *tf;
	int tid = (int)tf->tf_rsi, nice = (int)tf->tf_rdx;
	struct schedule schedule;

	if ((int)tf->tf_rdi != PRIO_PROCESS || !get(lwp, tid, &schedule))
		return program_pass(lwp, tf);
	own.tf_rsi = 0;
	if (is_alone(lwp)) {
		lwp->lwp_schedule.has_nice = false;
		return program_pass(lwp, &own);
	}
	nice = nice < NICE_MIN ? NICE_MIN : nice > NICE_MAX ? NICE_MAX : nice;
	if (nice < (schedule.has_nice ? schedule.nice : nice_of_rfork()) && !may_lower(nice))
		return -EACCES;
	schedule.has_nice = true;
	schedule.nice = (int8_t)nice;
	return put(lwp, tid, &schedule);
}

/* ---------------------------------------------------------------- both at once */

static long sched_get_attr(struct lwp *lwp, struct trapframe *tf)
{
	struct attributes attributes = {.size = ATTR_SIZE};
	struct schedule schedule;

	if ((int)tf->tf_rdi < 0 || !tf->tf_rsi || tf->tf_r10 || tf->tf_rdx < ATTR_SIZE || tf->tf_rdx > 4096)
		return -EINVAL;
	if (!get(lwp, (int)tf->tf_rdi, &schedule))
		return program_pass(lwp, tf);
	if (!schedule.has_policy && !schedule.has_nice)
		return pass_own(lwp, tf);
	fill_policy(&schedule);
	attributes.policy = schedule.policy;
	attributes.flags = schedule.resets ? ATTR_RESET_ON_FORK : 0;
	if (is_realtime(schedule.policy))
		attributes.priority = schedule.priority;
	else
		attributes.nice = schedule.has_nice ? schedule.nice : nice_of_rfork();
	return copyout(tf->tf_rsi, &attributes, ATTR_SIZE);
}

static long sched_set_attr(struct lwp *lwp, struct trapframe *tf)
{
	struct trapframe nice = {.tf_rdi = PRIO_PROCESS, .tf_rsi = tf->tf_rdi};
	struct attributes attributes;
	struct schedule schedule;
	long error;

	if ((int)tf->tf_rdi < 0 || !tf->tf_rsi || (uint32_t)tf->tf_rdx)
		return -EINVAL;
	if (!get(lwp, (int)tf->tf_rdi, &schedule))
		return program_pass(lwp, tf);
	if (is_alone(lwp))
		return set_alone(lwp, tf);
	if (copyin(&attributes, tf->tf_rsi, ATTR_SIZE))
		return -EFAULT;
	if ((attributes.size && attributes.size < ATTR_SIZE) || (attributes.flags & ~(uint64_t)ATTR_RESET_ON_FORK))
		return -EINVAL;
	if (attributes.policy == SCHED_DEADLINE)
		return -EBUSY; /* there is no processor that could be promised to an lwp */
	error = set_policy(lwp, (int)tf->tf_rdi, (int)attributes.policy, (int)attributes.priority, attributes.flags);
	if (error || is_realtime((int)attributes.policy))
		return error;
	nice.tf_rdx = (uint64_t)(int64_t)attributes.nice;
	error = sched_set_priority(lwp, &nice);
	return error == -EACCES ? -EPERM : error;
}

/* ---------------------------------------------------------------- processors */

/** As many as can run lwps of this process at once: a program starts as many threads to compute, and spins for a lock only if there are several. */
static long limit_processors(uint64_t at, long size)
{
	unsigned left = options.rforks;
	uint64_t word;

	for (uint64_t end = at + (uint64_t)size; at < end; at += 8) {
		uint64_t kept = 0;

		if (copyin(&word, at, 8))
			return -EFAULT;
		for (; word && left; left--, word &= word - 1)
			kept |= word & -word;
		if (copyout(at, &kept, 8))
			return -EFAULT;
	}
	return size;
}

/** Copies an lwp's set; whether it has one of its own. */
static bool get_affinity(struct lwp *lwp, int tid, uint64_t set[AFFINITY_WORDS])
{
	struct proc *proc = lwp->lwp_proc;
	const uint64_t *affinity;
	const struct lwp *other;

	lwkt_word_lock(&proc->p_lock);
	other = tid ? lwp_find(proc, tid) : lwp;
	affinity = other ? other->lwp_schedule.affinity : NULL;
	if (affinity)
		memcpy(set, affinity, AFFINITY_WORDS * 8);
	lwkt_word_unlock(&proc->p_lock);
	return affinity != NULL;
}

/** set: its own from now on, or NULL. */
static long put_affinity(struct lwp *lwp, int tid, uint64_t *set)
{
	struct proc *proc = lwp->lwp_proc;
	uint64_t *old = set;
	struct lwp *other;

	lwkt_word_lock(&proc->p_lock);
	other = tid ? lwp_find(proc, tid) : lwp;
	if (other) {
		old = other->lwp_schedule.affinity;
		other->lwp_schedule.affinity = set;
	}
	lwkt_word_unlock(&proc->p_lock);
	lwkt_os_free(old);
	return other ? 0 : -ESRCH;
}

static long sched_get_affinity(struct lwp *lwp, struct trapframe *tf)
{
	uint64_t set[AFFINITY_WORDS];
	struct schedule schedule;
	long size;

	if (!get(lwp, (int)tf->tf_rdi, &schedule))
		return program_pass(lwp, tf);
	size = pass_own(lwp, tf);
	if (size <= 0)
		return size;
	if (!get_affinity(lwp, (int)tf->tf_rdi, set) && schedule_is_seeded)
		return machine_processors(tf->tf_rdx);
	if (!get_affinity(lwp, (int)tf->tf_rdi, set))
		return limit_processors(tf->tf_rdx, size);
	if (size > AFFINITY_WORDS * 8)
		size = AFFINITY_WORDS * 8;
	return copyout(tf->tf_rdx, set, (size_t)size) ?: size;
}

/** The kernel's thread takes it for a moment: which processors there are it knows. *set: what of it they are. */
static long try_affinity(struct lwp *lwp, const struct trapframe *tf, uint64_t set[AFFINITY_WORDS])
{
	uint64_t before[AFFINITY_WORDS] = {0};
	long error;

	kernel_call(SYS_sched_getaffinity, 0, sizeof(before), before);
	error = pass_own(lwp, tf);
	if (error)
		return error;
	kernel_call(SYS_sched_getaffinity, 0, sizeof(before), set);
	kernel_call(SYS_sched_setaffinity, 0, sizeof(before), before);
	return 0;
}

static long sched_set_affinity(struct lwp *lwp, struct trapframe *tf)
{
	struct schedule schedule;
	uint64_t *set;
	long error;

	if (!get(lwp, (int)tf->tf_rdi, &schedule))
		return program_pass(lwp, tf);
	if (is_alone(lwp)) {
		error = pass_own(lwp, tf);
		return error ? error : put_affinity(lwp, 0, NULL);
	}
	set = lwkt_os_alloc(AFFINITY_WORDS * 8);
	if (!set)
		return -ENOMEM;
	error = try_affinity(lwp, tf, set);
	if (!error)
		return put_affinity(lwp, (int)tf->tf_rdi, set);
	lwkt_os_free(set);
	return error;
}

const struct call_entry sched_calls[] = {
	{SYS_sched_getaffinity, sched_get_affinity},
	{SYS_sched_setaffinity, sched_set_affinity},
	{SYS_sched_getscheduler, sched_get_scheduler},
	{SYS_sched_setscheduler, sched_set_scheduler},
	{SYS_sched_getparam, sched_get_param},
	{SYS_sched_setparam, sched_set_param},
	{SYS_sched_getattr, sched_get_attr},
	{SYS_sched_setattr, sched_set_attr},
	{SYS_sched_rr_get_interval, sched_get_interval},
	{SYS_getpriority, sched_get_priority},
	{SYS_setpriority, sched_set_priority},
	{0},
};
