/*
 * timers.c - POSIX timers (timer_create) that the kernel can't have as the program wants them: those whose signal is for one thread (SIGEV_THREAD_ID), and those
 * of a thread's CPU clock, and in virtual time all (VIRTUAL). All others are the kernel's.
 *
 * For the first kind the kernel has a timer whose signal is libcr's own (SIGSTKFLT, with the number of ours), and libcr sends the program's. Those of CPU
 * clocks are looked at at each tick (tick.c), as the kernel does it.
 *
 * Invariants: timers_lock guards the table, and nothing is sent while it is held. Signal handlers touch t_fired and timers_due alone.
 */
#include "posix.h"
#include "schedule.h"

#include <time.h>

#define TIMERS 256
#define ID_FIRST 0x20000000 /* above the kernel's */
#define SECOND 1000000000ull
#define NO_TIMER 0x7fffffff /* a number that none has */
#define ABSOLUTE 1 /* TIMER_ABSTIME */
#define VIRTUAL (-1) /* a t_clock: CLOCK_MONOTONIC in virtual time */

enum timer_kind { UNUSED, OF_KERNEL, OF_CPU };

struct timer {
	enum timer_kind t_kind;
	int t_kernel;           /* OF_KERNEL: its number there */
	int t_tid;              /* whom the signal is for; 0: the process */
	int t_signal;           /* 0: none */
	uint64_t t_value;
	uint32_t t_fired;       /* how often, not sent yet: from handlers, by atomic operations */
	int t_overrun;          /* of the signal that was sent last */
	int t_clock;            /* OF_CPU: the tid whose clock it is */
	uint64_t t_due;         /* on that, ns; 0: it is not armed */
	uint64_t t_interval;
	uint64_t t_ahead;       /* VIRTUAL: of that, the clock that the program has chosen; ns */
};

struct event { /* struct sigevent */
	uint64_t value;
	int signo, notify, tid, padding[11];
};

static uint32_t timers_lock;
static struct timer timers[TIMERS];
static unsigned narmed; /* of CPU clocks */
bool timers_due;

void timers_forked(void)
{
	memset(timers, 0, sizeof(timers));
	timers_lock = narmed = 0;
	timers_due = false;
}

bool timers_tick(void)
{
	return __atomic_load_n(&narmed, __ATOMIC_RELAXED) != 0;
}

static int id_of(const struct timer *timer)
{
	return ID_FIRST + (int)(timer - timers);
}

static struct timer *find(uint64_t id)
{
	uint32_t index = (uint32_t)id - ID_FIRST;

	return index < TIMERS && timers[index].t_kind != UNUSED ? &timers[index] : NULL;
}

/** Whether the kernel's timer is an rfork's tick, or our half of one of these. */
static bool is_libcrs(int kernel)
{
	for (unsigned i = 0; i < TIMERS; i++)
		if (timers[i].t_kind == OF_KERNEL && timers[i].t_kernel == kernel)
			return true;
	return tick_has_timer(kernel);
}

/* ---------------------------------------------------------------- when the time has come */

void timers_fired(const siginfo_t *si)
{
	uint32_t index = (uint32_t)si->si_value.sival_int - 1;

	if (index >= TIMERS)
		return;
	__atomic_fetch_add(&timers[index].t_fired, 1 + (uint32_t)si->si_overrun, __ATOMIC_SEQ_CST);
	__atomic_store_n(&timers_due, true, __ATOMIC_SEQ_CST);
}

static void send(struct timer *timer, unsigned times)
{
	siginfo_t info;

	if (!timer->t_signal)
		return;
	memset(&info, 0, sizeof(info));
	info.si_signo = timer->t_signal;
	info.si_code = SI_TIMER;
	info.si_timerid = id_of(timer);
	info.si_overrun = (int)times - 1;
	info.si_value.sival_ptr = (void *)timer->t_value;
	timer->t_overrun = signals_post_timer(&program_proc, timer->t_tid, &info);
}

/** The clock of an OF_CPU. */
static bool read_clock(struct lwp *me, const struct timer *timer, uint64_t *now)
{
	if (timer->t_clock != VIRTUAL)
		return cputime_read(me, timer->t_clock, now);
	*now = clock_now();
	return true;
}

uint64_t timers_next(void)
{
	uint64_t due = NEVER;

	for (unsigned i = 0; i < TIMERS; i++)
		if (timers[i].t_kind == OF_CPU && timers[i].t_due && timers[i].t_due < due)
			due = timers[i].t_due;
	return due;
}

/** How often an armed timer's time has come on the clock of its lwp. Under timers_lock. */
static unsigned expire(struct timer *timer, uint64_t now)
{
	uint64_t times = 1;

	if (now < timer->t_due)
		return 0;
	if (timer->t_interval) {
		times += (now - timer->t_due) / timer->t_interval;
		timer->t_due += times * timer->t_interval;
	} else {
		timer->t_due = 0;
		narmed--;
	}
	return (unsigned)times;
}

/** The next one that something is to be sent for, and how often it has come; NULL. */
static struct timer *take(struct lwp *me, unsigned *at, unsigned *times)
{
	struct timer *found = NULL;
	uint64_t now;

	lwkt_word_lock(&timers_lock);
	for (; *at < TIMERS && !found; ++*at) {
		struct timer *timer = &timers[*at];

		*times = __atomic_exchange_n(&timer->t_fired, 0, __ATOMIC_SEQ_CST);
		if (timer->t_kind == OF_CPU && timer->t_due && read_clock(me, timer, &now))
			*times += expire(timer, now);
		if (timer->t_kind != UNUSED && *times) {
			timer->t_overrun = (int)*times - 1;
			found = timer;
		}
	}
	lwkt_word_unlock(&timers_lock);
	return found;
}

void timers_look(void)
{
	struct lwp *lwp = curlwp(); /* NULL: on thread0 */
	unsigned at = 0, times;
	struct timer *timer;

	if (lwp && lwp->lwp_proc->p_vforked_by)
		return;
	__atomic_store_n(&timers_due, false, __ATOMIC_SEQ_CST);
	while ((timer = take(lwp, &at, &times)))
		send(timer, times);
}

/* ---------------------------------------------------------------- the calls */

static struct timer *new_timer(const struct timer *like)
{
	struct timer *found = NULL;

	lwkt_word_lock(&timers_lock);
	for (unsigned i = 0; i < TIMERS && !found; i++)
		if (timers[i].t_kind == UNUSED) {
			found = &timers[i];
			*found = *like;
		}
	lwkt_word_unlock(&timers_lock);
	return found;
}

static void end_timer(struct timer *timer)
{
	bool ticked;

	lwkt_word_lock(&timers_lock);
	ticked = timer->t_kind == OF_CPU && timer->t_due;
	narmed -= ticked;
	timer->t_kind = UNUSED;
	lwkt_word_unlock(&timers_lock);
	if (ticked)
		tick_update();
}

/** The kernel's half of one whose signal is for a thread. */
static long make_in_kernel(struct timer *timer, int clock)
{
	struct event event = {.value = (uint64_t)(timer - timers) + 1, .signo = SIGSTKFLT, .notify = SIGEV_THREAD_ID, .tid = rfork_leader->rf_tid};

	return kernel_call(SYS_timer_create, clock, &event, &timer->t_kernel);
}

static long create(struct lwp *lwp, struct trapframe *tf, const struct event *event, bool of_cpu, int clock_tid)
{
	struct timer like = {.t_kind = of_cpu ? OF_CPU : OF_KERNEL, .t_clock = clock_tid}, *timer;
	uint64_t now;
	long error = 0;
	int id;

	like.t_tid = event->notify & SIGEV_THREAD_ID ? event->tid : 0;
	like.t_signal = (event->notify & ~SIGEV_THREAD_ID) == SIGEV_NONE ? 0 : event->signo;
	like.t_value = event->value;
	if ((event->notify & ~SIGEV_THREAD_ID) != SIGEV_SIGNAL && event->notify != SIGEV_NONE)
		return -EINVAL;
	if ((like.t_signal || event->notify != SIGEV_NONE) && (like.t_signal < 1 || like.t_signal > SIGNALS))
		return -EINVAL;
	if (like.t_tid && !lwp_exists(lwp->lwp_proc, like.t_tid))
		return -EINVAL;
	like.t_ahead = clock_tid == VIRTUAL ? call_user->clock((int)tf->tf_rdi) - clock_now() : 0;
	if (of_cpu && !read_clock(lwp, &like, &now))
		return -EINVAL;
	timer = new_timer(&like);
	if (!timer)
		return -EAGAIN;
	id = id_of(timer);
	if (!tf->tf_rsi)
		timer->t_value = (uint64_t)id;
	if (!of_cpu)
		error = make_in_kernel(timer, (int)tf->tf_rdi);
	if (!error && copyout(tf->tf_rdx, &id, 4)) {
		if (!of_cpu)
			kernel_call(SYS_timer_delete, timer->t_kernel);
		error = -EFAULT;
	}
	if (error)
		end_timer(timer);
	return error;
}

static long timers_create(struct lwp *lwp, struct trapframe *tf)
{
	struct event event = {.signo = SIGALRM, .notify = SIGEV_SIGNAL};
	int clock_tid = 0;
	bool of_cpu;

	if (lwp->lwp_proc->p_vforked_by)
		return program_pass(lwp, tf);
	if (tf->tf_rsi && copyin(&event, tf->tf_rsi, sizeof(event)))
		return -EFAULT;
	of_cpu = options.virtual_time || cputime_clock(lwp, (int)tf->tf_rdi, &clock_tid);
	if (options.virtual_time)
		clock_tid = VIRTUAL;
	if (!of_cpu && !(event.notify & SIGEV_THREAD_ID) && event.signo != SIGSTKFLT)
		return program_pass(lwp, tf);
	return create(lwp, tf, &event, of_cpu, clock_tid);
}

static void from_ns(int64_t ts[2], uint64_t ns)
{
	ts[0] = (int64_t)(ns / SECOND);
	ts[1] = (int64_t)(ns % SECOND);
}

/** What a timer of a CPU clock has left, as struct itimerspec. Under timers_lock. */
static void tell_left(struct lwp *lwp, const struct timer *timer, int64_t times[4])
{
	uint64_t now = 0;

	from_ns(times, timer->t_interval);
	from_ns(times + 2, 0);
	if (timer->t_due && read_clock(lwp, timer, &now))
		from_ns(times + 2, timer->t_due > now ? timer->t_due - now : 1);
}

static long set_cpu(struct lwp *lwp, struct trapframe *tf, struct timer *timer)
{
	uint64_t interval, value, now = 0;
	int64_t old[4];
	long error = tf->tf_rdx ? time_read((long)tf->tf_rdx, &interval) ?: time_read((long)tf->tf_rdx + 16, &value) : -EINVAL;

	if (error)
		return error;
	lwkt_word_lock(&timers_lock);
	tell_left(lwp, timer, old);
	narmed -= timer->t_due != 0;
	read_clock(lwp, timer, &now);
	timer->t_interval = interval;
	timer->t_due = !value ? 0 : tf->tf_rsi & ABSOLUTE ? value - timer->t_ahead : now + value;
	timer->t_overrun = 0;
	narmed += timer->t_due != 0;
	lwkt_word_unlock(&timers_lock);
	tick_update();
	return tf->tf_r10 ? copyout(tf->tf_r10, old, sizeof(old)) : 0;
}

static long get_cpu(struct lwp *lwp, struct trapframe *tf, struct timer *timer)
{
	int64_t times[4];

	lwkt_word_lock(&timers_lock);
	tell_left(lwp, timer, times);
	lwkt_word_unlock(&timers_lock);
	return copyout(tf->tf_rsi, times, sizeof(times));
}

/** timer_settime, timer_gettime, timer_getoverrun, timer_delete: of the kernel's with its own number. */
static long timers_call(struct lwp *lwp, struct trapframe *tf)
{
	struct timer *timer = lwp->lwp_proc->p_vforked_by ? NULL : find(tf->tf_rdi);
	struct trapframe own = *tf;

	if (!timer && is_libcrs((int)tf->tf_rdi)) /* and none of the program's */
		own.tf_rdi = NO_TIMER;
	if (!timer)
		return program_pass(lwp, &own);
	if (tf->tf_number == SYS_timer_getoverrun)
		return timer->t_overrun;
	if (timer->t_kind == OF_CPU && tf->tf_number != SYS_timer_delete)
		return tf->tf_number == SYS_timer_settime ? set_cpu(lwp, tf, timer) : get_cpu(lwp, tf, timer);
	own.tf_rdi = (uint64_t)timer->t_kernel;
	if (tf->tf_number != SYS_timer_delete)
		return program_pass(lwp, &own);
	if (timer->t_kind == OF_KERNEL)
		kernel_call(SYS_timer_delete, timer->t_kernel);
	end_timer(timer);
	return 0;
}

const struct call_entry timers_calls[] = {
	{SYS_timer_create, timers_create},
	{SYS_timer_settime, timers_call},
	{SYS_timer_gettime, timers_call},
	{SYS_timer_getoverrun, timers_call},
	{SYS_timer_delete, timers_call},
	{0},
};
