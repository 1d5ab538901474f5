/*
 * cpusync.c - brings a set of rforks to a known point, has a function run on each, and lets them go (DragonFly: lwkt_ipiq.c's lwkt_cpusync_*,
 * 2010+).
 *
 * An rfork that is brought there runs nothing but IPI functions until it is let go, in the middle of one that was sent to it for that. One cpusync is
 * under way in the process at a time: DragonFly lets several overlap, but then neither master finds the other one standing still.
 * Who waits for its turn runs incoming IPI functions meanwhile, so it can be brought to somebody else's point: that is why two that begin at
 * each other never wait for each other.
 *
 * Invariants:
 *  - `master` is the thread whose cpusync is under way, from before it sends the first `park` until all have been let go.
 *  - struct lwkt_cpusync is the master's memory: a target's last touch is to count itself as done, or, where it ends and is not held up, as parked.
 */
#include "debug.h"

enum { HOLD, RUN, LET_GO }; /* cs_release; LET_GO: without running the function */

static _Atomic(lwkt_thread_t) master;

void (*lwkt_cpusync_told)(globaldata_t to);

/** On each rfork of the set but the master's. */
static void park(void *arg)
{
	struct lwkt_cpusync *cs = arg;
	unsigned spins = 0;
	uint32_t release;

	if (atomic_load(&lwkt_arch_mycpu()->gd_shared.state) == CPU_ENDING) { /* it runs no thread any more, and its joiner may wait for it */
		__atomic_fetch_add(&cs->cs_done, 1, __ATOMIC_RELEASE);
		__atomic_fetch_add(&cs->cs_parked, 1, __ATOMIC_RELEASE);
		return;
	}
	__atomic_fetch_add(&cs->cs_parked, 1, __ATOMIC_RELEASE);
	while ((release = __atomic_load_n(&cs->cs_release, __ATOMIC_ACQUIRE)) == HOLD)
		lwkt_ipiq_wait(&spins);
	if (release == RUN)
		cs->cs_func(cs->cs_data);
	__atomic_fetch_add(&cs->cs_done, 1, __ATOMIC_RELEASE);
}

/** Waits until all to whom `park` was sent have counted themselves. */
static void wait_for_all(struct lwkt_cpusync *cs, const uint32_t *count)
{
	unsigned spins = 0;

	while (__atomic_load_n(count, __ATOMIC_ACQUIRE) != cs->cs_sent)
		lwkt_ipiq_wait(&spins);
}

/** Lets everybody go; the cpusync is over. */
static void release(struct lwkt_cpusync *cs, uint32_t how)
{
	globaldata_t gd = lwkt_arch_mycpu();

	__atomic_store_n(&cs->cs_release, how, __ATOMIC_RELEASE);
	for (unsigned i = 0; i < cs->cs_count && how == RUN; i++)
		if (cs->cs_rforks[i] == gd)
			lwkt_send_ipiq(gd, cs->cs_func, cs->cs_data, NULL); /* in place, as an IPI function like the others */
	wait_for_all(cs, &cs->cs_done);
	cs->cs_master = NULL;
	lwkt_crit_exit();
	atomic_store(&master, NULL);
}

void lwkt_cpusync_init(struct lwkt_cpusync *cs, const globaldata_t *rforks, unsigned count, void (*func)(void *), void *arg)
{
	*cs = (struct lwkt_cpusync){.cs_rforks = rforks, .cs_count = count, .cs_func = func, .cs_data = arg};
}

/** Whether the running thread has a cpusync under way. */
bool lwkt_cpusync_mastered(globaldata_t gd)
{
	return atomic_load_explicit(&master, memory_order_relaxed) == gd->gd_curthread;
}

/** 0, or why it can't be told. */
static int tell(struct lwkt_cpusync *cs, globaldata_t to)
{
	int error = lwkt_send_ipiq(to, park, cs, NULL);

	cs->cs_sent += !error;
	if (!error && lwkt_cpusync_told)
		lwkt_cpusync_told(to);
	return error;
}

int lwkt_cpusync_interlock(struct lwkt_cpusync *cs)
{
	globaldata_t gd = lwkt_arch_mycpu();
	lwkt_thread_t nobody = NULL;
	unsigned spins = 0;
	int error = 0;

	if (gd->gd_ipi_depth || lwkt_cpusync_mastered(gd))
		return MISUSE(EDEADLK, "%s", gd->gd_ipi_depth ? lwkt_debug_no_wait() : "the thread has one interlocked: lwkt_cpusync_deinterlock first");
	while (!atomic_compare_exchange_strong(&master, &nobody, gd->gd_curthread)) {
		nobody = NULL;
		lwkt_ipiq_wait(&spins);
	}
	lwkt_crit_enter();
	cs->cs_master = gd->gd_curthread;
	cs->cs_sent = cs->cs_parked = cs->cs_done = 0;
	cs->cs_release = HOLD;
	for (unsigned i = 0; i < cs->cs_count && (!error || error == ESRCH); i++)
		if (cs->cs_rforks[i] != gd)
			error = tell(cs, cs->cs_rforks[i]);
	wait_for_all(cs, &cs->cs_parked);
	if (!error || error == ESRCH)
		return 0;
	release(cs, LET_GO);
	return error;
}

int lwkt_cpusync_deinterlock(struct lwkt_cpusync *cs)
{
	globaldata_t gd = lwkt_arch_mycpu();

	if (gd->gd_ipi_depth || cs->cs_master != gd->gd_curthread || !lwkt_cpusync_mastered(gd))
		return MISUSE(EPERM, "the caller has not interlocked this (lwkt_cpusync_interlock)");
	release(cs, RUN);
	return 0;
}

/** After a fork: nobody stands still any more, there is nobody. */
void lwkt_cpusync_forked(globaldata_t gd)
{
	if (lwkt_cpusync_mastered(gd))
		lwkt_crit_exit();
	atomic_store(&master, NULL);
}

int lwkt_cpusync_simple(const globaldata_t *rforks, unsigned count, void (*func)(void *), void *arg)
{
	struct lwkt_cpusync cs;
	int error;

	lwkt_cpusync_init(&cs, rforks, count, func, arg);
	error = lwkt_cpusync_interlock(&cs);
	return error ? error : lwkt_cpusync_deinterlock(&cs);
}
