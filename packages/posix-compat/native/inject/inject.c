/*
 * inject.c - a launcher for tests (make INJECT=1), in which programs are disturbed far more often than they ever would be: not part of the one that is
 * shipped, whose code is the same. It is put between the files of that by the linker (--wrap).
 *
 *  - A timer that goes off after 50 to 500 us interrupts whatever instruction of the program is being done, and the lwp yields or changes rforks.
 *  - After one call in a few the lwp does so, too.
 *  - Now and then an rfork stands still for a while where it is, in libcr too: the others find it there, with whatever it holds.
 *  - One call that is named faults in libcr.
 *
 *   LIBCR_INJECT=SEED[,CALL]   without it the seed is chosen, and printed
 *   LIBCR_INJECT=no-ticks      nothing of that, and none of libcr's own ticks either: what waits for one waits for ever
 *
 * Invariant: all of it may happen without it, by chance: so what a program sees has to be right all the same.
 */
#include "posix.h"

#include "internal.h" /* core's: a thread that has been moved is to be moved again */

#define YIELD_ONE_IN 6  /* calls */
#define LEAVE_ONE_IN 4  /* of those */
#define PREEMPT_ONE_IN 2 /* ticks */
#define STOP_ONE_IN 16   /* ticks */
#define STOP_NS 1000000u /* at most */
#define NS_MIN 50000u
#define NS_MAX 500000u

/** An rfork's. Its handler may come between anything: a number that is lost then does no harm. */
static struct disturbance {
	uint64_t state; /* of the dice */
	int timer;      /* 1 + its number in the kernel */
} disturbances[LWKT_CPU_MAX];

static uint64_t seed;
static uint64_t faulty_call = CALLS;
static char *volatile nothing = (char *)16;
static bool ticks = true;
static void (*tick)(int sig, siginfo_t *si, ucontext_t *uc);

static uint64_t dice(struct disturbance *d, uint64_t sides)
{
	if (!d->state)
		d->state = (seed + (uint64_t)(d - disturbances)) * 0x9e3779b97f4a7c15ull | 1;
	d->state ^= d->state << 13;
	d->state ^= d->state >> 7;
	d->state ^= d->state << 17;
	return (d->state * 0x2545f4914f6cdd1dull >> 20) % sides;
}

/* ---------------------------------------------------------------- what is wished */

void __real_wait_begin(char **environment);
void __wrap_wait_begin(char **environment);

static const char *read_seed(const char *text)
{
	ticks = strcmp(text, "no-ticks");
	for (seed = 0; *text >= '0' && *text <= '9'; text++)
		seed = seed * 10 + (uint64_t)(*text - '0');
	return text;
}

static void find_call(const char *name)
{
	for (faulty_call = 0; faulty_call < CALLS; faulty_call++)
		if (call_name(faulty_call) && !strcmp(call_name(faulty_call), name))
			return;
}

void __wrap_wait_begin(char **environment)
{
	static const char name[] = "LIBCR_INJECT=";
	const char *rest = NULL;

	for (char **each = environment; *each; each++)
		if (!strncmp(*each, name, sizeof(name) - 1))
			rest = read_seed(*each + sizeof(name) - 1);
	if (!rest) {
		seed = lwkt_os_clock();
		print(2, "libcr: injecting, seed %lu\n", seed);
	} else if (*rest == ',') {
		find_call(rest + 1);
	}
	__real_wait_begin(environment);
}

/* ---------------------------------------------------------------- calls */

bool __real_program_syscall(struct trapframe *tf, struct lwp *lwp);
bool __wrap_program_syscall(struct trapframe *tf, struct lwp *lwp);
void __real_program_ast(struct trapframe *tf);
void __wrap_program_ast(struct trapframe *tf);

bool __wrap_program_syscall(struct trapframe *tf, struct lwp *lwp)
{
	bool passes;

	if (tf->tf_number == faulty_call)
		*nothing = 1;
	passes = __real_program_syscall(tf, lwp);
	if (ticks && curlwp()->lwp_proc->p_nlwps > 1 && dice(&disturbances[lwkt_cpuid()], YIELD_ONE_IN) == 0)
		lwp_notify(curlwp(), AST_RESCHED);
	return passes;
}

/** Another rfork goes on with this lwp. */
static void leave(struct disturbance *d)
{
	unsigned to = (unsigned)dice(d, LWKT_CPU_MAX);

	for (unsigned i = 0; i < LWKT_CPU_MAX; i++) {
		struct rfork *rfork = &rforks[(to + i) % LWKT_CPU_MAX];
		lwkt_thread_t td = lwkt_curthread();

		if (!rfork->rf_gd || rfork == rfork_self() || !(td->td_flags & TDF_MIGRATABLE))
			continue;
		lwkt_setcpu_self(rfork->rf_gd);
		td->td_flags |= TDF_MIGRATABLE;
		lwkt_share_count(lwkt_mycpu(), 1); /* it runs, and is on the queue */
		return;
	}
}

void __wrap_program_ast(struct trapframe *tf)
{
	struct disturbance *d = &disturbances[lwkt_cpuid()];

	if (ticks && (curlwp()->lwp_ast & AST_RESCHED) && !curlwp()->lwp_proc->p_vforked_by && dice(d, LEAVE_ONE_IN) == 0)
		leave(d);
	__real_program_ast(tf);
}

/* ---------------------------------------------------------------- ticks */

void __real_catch_signal(int sig, void (*handler)(int, siginfo_t *, ucontext_t *), uint64_t flags);
void __wrap_catch_signal(int sig, void (*handler)(int, siginfo_t *, ucontext_t *), uint64_t flags);
void __real_tick_make(struct rfork *rfork);
void __wrap_tick_make(struct rfork *rfork);
void __real_tick_join(struct rfork *rfork);
void __wrap_tick_join(struct rfork *rfork);
void __real_tick_start(void);
void __wrap_tick_start(void);

static void start(struct disturbance *d)
{
	const int64_t times[4] = {0, 0, 0, (int64_t)(NS_MIN + dice(d, NS_MAX - NS_MIN))};

	if (d->timer)
		kernel_call(SYS_timer_settime, d->timer - 1, 0, times, NULL);
}

static void on_tick(int sig, siginfo_t *si, ucontext_t *uc)
{
	struct lwp *lwp;

	if (si->si_code == SI_TIMER) {
		struct disturbance *d = &disturbances[lwkt_cpuid()];

		lwp = curlwp();
		if (program_proc.p_nlwps > 1)
			start(d);
		if (dice(d, STOP_ONE_IN) == 0)
			kernel_call(SYS_nanosleep, ((const int64_t[2]){0, (int64_t)dice(d, STOP_NS)}), NULL);
		if (lwp && !lwp->lwp_proc->p_vforked_by && in_program(lwp, uc) && dice(d, PREEMPT_ONE_IN) == 0)
			lwp_notify(lwp, AST_RESCHED);
	}
	tick(sig, si, uc);
}

void __wrap_catch_signal(int sig, void (*handler)(int, siginfo_t *, ucontext_t *), uint64_t flags)
{
	if (sig == SIGSTKFLT) {
		tick = handler;
		handler = on_tick;
	}
	__real_catch_signal(sig, handler, flags);
}

void __wrap_tick_make(struct rfork *rfork)
{
	struct {
		uint64_t value;
		int signo, notify, tid, padding[11];
	} event = {.signo = SIGSTKFLT, .notify = SIGEV_THREAD_ID, .tid = (int)lwkt_os_tid()};
	int timer;

	__real_tick_make(rfork);
	if (ticks && !kernel_call(SYS_timer_create, CLOCK_MONOTONIC, &event, &timer))
		disturbances[rfork - rforks].timer = 1 + timer;
}

void __wrap_tick_join(struct rfork *rfork)
{
	if (ticks)
		__real_tick_join(rfork);
}

void __wrap_tick_start(void)
{
	if (!ticks)
		return;
	__real_tick_start();
	for (unsigned i = 0; i < LWKT_CPU_MAX; i++)
		if (rforks[i].rf_gd && program_proc.p_nlwps > 1)
			start(&disturbances[i]);
}
