/*
 * cputime.c - how much of a processor each lwp has used: its CPU clock. The kernel counts its own threads, which the rforks are.
 *
 * From a process' second lwp on each of them is charged, when it gives the processor away, with the cycles that have passed since it got it. Where that is long the
 * rfork may have stood still meanwhile, or others had the processor: then the kernel is asked what its thread has really used (LONG), and so it is
 * now and then in any case (SETTLE): the sum of a process' lwps is what the kernel says of it, but for libcr's own work between them.
 *
 * System time is not told apart: all of it is the program's (RUSAGE_THREAD).
 *
 * Invariants: lwp_cputime and lwp_since are written on the lwp's rfork, by the lwp or by a tick that has interrupted it in its program. lwp_since is
 * not 0 while the lwp has the processor.
 */
#include "posix.h"

#include <sys/resource.h>
#include <sys/time.h>
#include <x86intrin.h>

#define LONG 100000    /* ns */
#define SETTLE 1000000 /* ns: so much is charged at most before the kernel is asked */
#define STAMPS 4
#define SECOND 1000000000ull
#define SLEEP_MIN 1000000 /* ns: the kernel looks at such clocks at its ticks */
#define CLOCK_PER_THREAD 4 /* clockids of CPU clocks: ~pid << 3, and these (the kernel's linux/posix-timers.h) */
#define CLOCK_KIND 3
#define CLOCK_OF_DESCRIPTOR 3
#define TID_BITS 0x1fffffff

/** A moment, by both clocks. */
struct stamp {
	uint64_t cycles, ns;
};

static bool counts;
static uint64_t ns_of_cycle; /* by 2^32 */
static struct stamp began;

bool cputime_counts(void)
{
	return counts;
}

static uint64_t to_ns(uint64_t cycles)
{
	return (uint64_t)((unsigned __int128)cycles * ns_of_cycle >> 32);
}

/** Of the processor's counter. A recorded program has that from its recording, and nobody else may read it (record/tsc.c): nanoseconds stand for it then. */
static uint64_t cycles(void)
{
	return record_mode ? began.cycles + (lwkt_os_clock() - began.ns) : __rdtsc();
}

static uint64_t kernel_clock(void)
{
	return time_now(CLOCK_THREAD_CPUTIME_ID);
}

/** Others may have the processor between the two looks: of some, the one that took the least time. */
static struct stamp take_stamp(void)
{
	struct stamp best = {0};
	uint64_t least = UINT64_MAX;

	for (unsigned i = 0; i < STAMPS; i++) {
		uint64_t before = cycles(), ns = lwkt_os_clock(), took = cycles() - before;

		if (took >= least)
			continue;
		least = took;
		best = (struct stamp){before + took / 2, ns};
	}
	return best;
}

void cputime_start(void)
{
	began = take_stamp();
}

static void find_rate(void)
{
	struct stamp now = take_stamp();
	uint64_t ns = now.ns - began.ns, cycles = now.cycles - began.cycles;

	for (; ns >> 32; ns >>= 1)
		cycles >>= 1;
	ns_of_cycle = cycles ? (ns << 32) / cycles : 1ull << 32;
}

/** What the lwp, which has the processor here, has used up to now. */
static void charge(struct lwp *lwp, uint64_t now)
{
	struct rfork *self = rfork_self();
	uint64_t since = lwp->lwp_since, ns = now > since ? to_ns(now - since) : 0;

	if (ns >= LONG || self->rf_charged >= SETTLE) {
		uint64_t clock = kernel_clock(), used = clock - self->rf_cputime, charged = self->rf_charged;

		if (ns > (used > charged ? used - charged : 0))
			ns = used > charged ? used - charged : 0;
		self->rf_cputime = clock;
		self->rf_charged = charged > used ? charged - used : 0; /* too much: who comes next is charged with less */
	} else {
		self->rf_charged += ns;
	}
	__atomic_store_n(&lwp->lwp_cputime, lwp->lwp_cputime + ns, __ATOMIC_RELAXED);
	__atomic_store_n(&lwp->lwp_since, now, __ATOMIC_RELEASE);
}

static void leaves(struct lwp *lwp)
{
	if (!lwp || !lwp->lwp_since)
		return;
	charge(lwp, cycles());
	__atomic_store_n(&lwp->lwp_since, 0, __ATOMIC_RELEASE);
}

void cputime_comes(struct lwp *lwp)
{
	if (counts && lwp)
		__atomic_store_n(&lwp->lwp_since, cycles(), __ATOMIC_RELEASE);
}

void cputime_switch(struct lwkt_context *from, struct lwkt_context *to)
{
	if (counts) /* curthread is the next one already */
		leaves(LIST_ENTRY(from, struct lwkt_thread, td_ctx)->td_data);
	lwp_switch(from, to);
	cputime_comes(curlwp());
}

void cputime_tick(struct lwp *lwp)
{
	if (lwp->lwp_since)
		charge(lwp, cycles());
}

void cputime_rfork(struct rfork *self)
{
	self->rf_cputime = kernel_clock();
	self->rf_charged = 0;
}

/** Before there is a second lwp: the first one has used what its rfork has. */
void cputime_begin(struct lwp *first)
{
	struct rfork *self = rfork_self();

	if (counts || options.virtual_time) /* there it is a number as any other clock (schedule/time/clock.c) */
		return;
	if (!ns_of_cycle)
		find_rate();
	cputime_rfork(self);
	first->lwp_cputime = self->rf_cputime;
	first->lwp_since = cycles();
	__atomic_store_n(&counts, true, __ATOMIC_SEQ_CST);
}

void cputime_forked(struct lwp *lwp)
{
	counts = false;
	lwp->lwp_cputime = lwp->lwp_cputime_told = lwp->lwp_since = 0;
}

/* ---------------------------------------------------------------- reading it */

/** Of another lwp, which may run elsewhere: what it has been charged with, and what has passed since then. Never less than was said before. */
static uint64_t read_other(struct lwp *lwp)
{
	uint64_t since, charged, told = lwp->lwp_cputime_told, now, more;

	do {
		since = __atomic_load_n(&lwp->lwp_since, __ATOMIC_ACQUIRE);
		charged = __atomic_load_n(&lwp->lwp_cputime, __ATOMIC_ACQUIRE);
	} while (__atomic_load_n(&lwp->lwp_since, __ATOMIC_ACQUIRE) != since);
	now = cycles();
	if (since && now > since) {
		more = to_ns(now - since);
		charged += more < TICK_NS ? more : TICK_NS; /* a tick would have charged it */
	}
	return charged > told ? charged : told;
}

bool cputime_read(struct lwp *me, int tid, uint64_t *ns)
{
	struct proc *proc = &program_proc;
	struct lwp *lwp;

	if (!counts) {
		*ns = kernel_clock();
		return !tid || lwp_exists(proc, tid);
	}
	if (me && me->lwp_since)
		charge(me, cycles());
	lwkt_word_lock(&proc->p_lock);
	lwp = tid ? lwp_find(proc, tid) : me;
	if (lwp)
		*ns = lwp->lwp_cputime_told = read_other(lwp);
	lwkt_word_unlock(&proc->p_lock);
	return lwp != NULL;
}

bool cputime_clock(struct lwp *lwp, int clock, int *tid)
{
	int number = (int)(~((uint32_t)clock >> 3) & TID_BITS);

	if (clock == CLOCK_THREAD_CPUTIME_ID) {
		*tid = lwp->lwp_tid;
		return true;
	}
	if (!(clock & CLOCK_PER_THREAD) || (clock & CLOCK_KIND) == CLOCK_OF_DESCRIPTOR)
		return false;
	if (clock >= 0 && (number < LWP_TID_FIRST || number >= LWP_TID_FIRST + LWP_TIDS))
		return false; /* no room for a sign: such a number is an lwp's */
	*tid = number ? number : lwp->lwp_tid;
	return clock >= 0 || lwp_exists(lwp->lwp_proc, *tid); /* or it is another process' thread's */
}

/* ---------------------------------------------------------------- the calls */

static bool is_ours(struct lwp *lwp, int clock, int *tid)
{
	return counts && !lwp->lwp_proc->p_vforked_by && cputime_clock(lwp, clock, tid);
}

static long cputime_gettime(struct lwp *lwp, struct trapframe *tf)
{
	uint64_t ns;
	int tid;

	if (!is_ours(lwp, (int)tf->tf_rdi, &tid))
		return NOT_HANDLED;
	if (!cputime_read(lwp, tid, &ns))
		return -EINVAL;
	return copyout(tf->tf_rsi, (uint64_t[]){ns / SECOND, ns % SECOND}, 16);
}

static long cputime_getres(struct lwp *lwp, struct trapframe *tf)
{
	int tid;

	if (!is_ours(lwp, (int)tf->tf_rdi, &tid))
		return NOT_HANDLED;
	if (!lwp_exists(lwp->lwp_proc, tid))
		return -EINVAL;
	return tf->tf_rsi ? copyout(tf->tf_rsi, (uint64_t[]){0, 1}, 16) : 0;
}

static long cputime_getrusage(struct lwp *lwp, struct trapframe *tf)
{
	struct rusage usage;
	uint64_t ns;
	long error;

	if ((int)tf->tf_rdi != RUSAGE_THREAD || !counts || lwp->lwp_proc->p_vforked_by || !cputime_read(lwp, 0, &ns))
		return NOT_HANDLED;
	error = kernel_call(SYS_getrusage, RUSAGE_THREAD, &usage);
	usage.ru_utime = (struct timeval){(time_t)(ns / SECOND), (suseconds_t)(ns % SECOND / 1000)};
	usage.ru_stime = (struct timeval){0, 0};
	return error ? error : copyout(tf->tf_rsi, &usage, sizeof(usage));
}

/** No lwp can use more than passes: so long nothing has to be looked at. One that has ended is waited for for ever. */
static long sleep_by(struct lwp *lwp, int tid, uint64_t until, uint64_t *left)
{
	uint64_t used = 0, ns;
	struct lwkt_timed timed;
	const bool never = false;

	*left = 0;
	while (!cputime_read(lwp, tid, &used) || used < until) {
		ns = used < until ? until - used : SLEEP_MIN;
		lwkt_timed_begin(&timed, ns < SLEEP_MIN ? SLEEP_MIN : ns);
		while (!lwkt_timed_is_up(lwp->lwp_td))
			if (lwp_wait(lwp, "clock_nanosleep", &never)) {
				lwkt_timed_end(&timed);
				*left = until - used;
				return -ERESTARTNOHAND;
			}
		lwkt_timed_end(&timed);
	}
	return 0;
}

bool cputime_sleep(struct lwp *lwp, struct trapframe *tf, long *result)
{
	uint64_t ns, used, left;
	bool absolute = tf->tf_rsi & 1;
	int tid;

	if (!is_ours(lwp, (int)tf->tf_rdi, &tid))
		return false;
	*result = (int)tf->tf_rdi == CLOCK_THREAD_CPUTIME_ID ? -EOPNOTSUPP : time_read((long)tf->tf_rdx, &ns);
	if (!*result && (tid == lwp->lwp_tid || !cputime_read(lwp, tid, &used)))
		*result = -EINVAL; /* who sleeps uses nothing */
	if (*result)
		return true;
	*result = sleep_by(lwp, tid, absolute ? ns : used + ns, &left);
	if (*result && !absolute && tf->tf_r10 && copyout(tf->tf_r10, (uint64_t[]){left / SECOND, left % SECOND}, 16))
		*result = -EFAULT;
	return true;
}

const struct call_entry cputime_calls[] = {
	{SYS_clock_gettime, cputime_gettime},
	{SYS_clock_getres, cputime_getres},
	{SYS_getrusage, cputime_getrusage},
	{0},
};
