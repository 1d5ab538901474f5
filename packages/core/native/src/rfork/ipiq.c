/*
 * ipiq.c - IPI messages: how one rfork has another do something to what that owns; and how an idle rfork sleeps and is woken
 * (DragonFly: lwkt_ipiq.c).
 *
 * One ring for each ordered pair of rforks, made when it is first used and kept for the process' life: single producer, single consumer,
 * no lock. That something has come is said twice: a bit for the ring in the target's `sources`, then its `pending` word, which is
 * all that a scheduler looks at. The scheduler looks where it picks a thread, and lets thread0 run the functions (sched.c): so none of
 * them runs on a thread that has taken itself off the run queue and has not left its stack yet. (But where that finds a ring full while it
 * lets go of its tokens: token.c and migrate.c are prepared for it.)
 *
 * A ring is in order; several are not, not even where one message was sent because of another. What needs an order says so: a thread that is on
 * its way to an rfork has TDF_MIGRATING, and what comes before it does no harm; what finds its thread gone is sent after it.
 *
 * Invariants:
 *  - windex is written by the source only; rindex and xindex by the target only. rindex <= windex <= rindex + RING_SIZE.
 *    xindex: everything below it has been run.
 *  - Whoever waits for somebody else here runs its own incoming functions meanwhile, of every ring: also one that a drain further up the stack
 *    has in hand. Threads leave half of a ring to functions that send in their turn, so that those hardly ever have to wait.
 *  - A message that is published before its target is seen CPU_ONLINE is run: the target publishes CPU_ENDING before it looks into its rings for
 *    the last time, and the source looks at the state after it has published.
 *  - Whoever sets a word and then looks at another one, which the other side sets before it looks at the first, sets it by an exchange. To C
 *    a store would do, and on x86-64 it is the same instruction; but qemu, emulating an aarch64, lets the look pass the store.
 */
#include "debug.h"

#define RING_SIZE 256u /* DragonFly: MAXCPUFIFO */
#define SPINS 200u     /* looks at a word before the processor is given to somebody else */
#define IDLE_SPINS 1000u /* looks at `pending` before an rfork sleeps: some 10 us, which is what a sleep and a wake-up cost */
#define IDLE_RETRY 16u   /* every so many idle periods it is tried again whether looking pays */

struct entry {
	void (*func)(void *arg);
	void *arg;
};

struct ring {
	_Atomic uint64_t windex; /* source */
	char padding[56];
	_Atomic uint64_t rindex; /* target: taken out up to here */
	_Atomic uint64_t xindex; /* target: run up to here */
	unsigned depth;          /* target: drains under way, as a function may wait and drain in its turn */
	char padding2[44];
	struct entry entries[RING_SIZE]; /* [rindex, windex): the target's to read; the rest the source's to write */
};

/* [source][target]; set once by the source. */
static struct ring *_Atomic rings[LWKT_CPU_MAX][LWKT_CPU_MAX];

/* Who has which number. Under the lock. */
static globaldata_t cpus[LWKT_CPU_MAX];
static unsigned numbers; /* that there have ever been */
static _Atomic unsigned ncpus;
static uint32_t cpus_lock;

unsigned lwkt_ncpus(void)
{
	return atomic_load(&ncpus);
}

/* ---------------------------------------------------------------- sleeping and waking */

/** Sleeps, on thread0, with `sleeping` set, until somebody clears that, the first timer is due or limit_ns have passed (0: no limit). */
static void sleep_in_kernel(globaldata_t gd, uint64_t limit_ns)
{
	uint64_t began = now_ns(), first = gd->gd_timers ? gd->gd_timers->tm_deadline : 0, limit = limit_ns ? began + limit_ns : 0;

	if (first && first <= began)
		return;
	gd->gd_stats.st_sleeps++;
	if (is_watched(gd))
		lwkt_watch_sleeps(gd, true);
	lwkt_os_futex_wait(&gd->gd_shared.sleeping, SLEEP_FUTEX, limit && (!first || limit < first) ? limit : first);
	if (is_watched(gd))
		lwkt_watch_sleeps(gd, false);
	gd->gd_stats.st_sleep_ns += now_ns() - began;
}

/**
 * Looks whether something comes within a little while, at most so often, as long as that pays: half as often each time in vain, so an rfork
 * that idles long does not spin at all.
 */
LWKT_OTHER_RFORK bool lwkt_ipiq_look(globaldata_t gd, unsigned most)
{
	if (++gd->gd_idles % IDLE_RETRY == 1)
		gd->gd_idle_spins = most;
	for (unsigned i = 0; i < gd->gd_idle_spins; i++) {
		if (ipi_pending(gd)) {
			gd->gd_idle_spins = most;
			return true;
		}
		lwkt_arch_pause();
	}
	gd->gd_idle_spins /= 2;
	return false;
}

/** Sleeps until another rfork sends something or the first timer is due; returns at once if that has come, or comes soon. For no reason at
 *  all, too. limit_ns: how long it may sleep; 0: for good. */
LWKT_OTHER_RFORK void lwkt_ipiq_idle(globaldata_t gd, uint64_t limit_ns)
{
	struct shared *self = &gd->gd_shared;

	if (lwkt_ipiq_look(gd, IDLE_SPINS))
		return;
	atomic_exchange(&self->sleeping, SLEEP_FUTEX); /* and then look again: a sender publishes, and then looks at this */
	if (!atomic_load(&self->pending))
		sleep_in_kernel(gd, limit_ns);
	atomic_store_explicit(&self->sleeping, SLEEP_NOT, memory_order_relaxed);
}

/** Does nothing where the target is awake: two loads. */
static void wake(globaldata_t target)
{
	struct shared *shared = &target->gd_shared;

	if (!atomic_load(&shared->sleeping))
		return;
	switch (atomic_exchange(&shared->sleeping, SLEEP_NOT)) {
	case SLEEP_FUTEX:
		lwkt_os_futex_wake(&shared->sleeping);
		break;
	case SLEEP_LOOP:
		lwkt_doorbell_ring(target);
		break;
	}
}

void lwkt_cpu_wake(globaldata_t rfork)
{
	atomic_store(&rfork->gd_shared.wanted, 1);
	atomic_exchange(&rfork->gd_shared.pending, 1); /* as a message that is none */
	wake(rfork);
}

static void drain_known(globaldata_t gd);

/** One round of waiting for something that another rfork has to do. */
void lwkt_ipiq_wait(unsigned *spins)
{
	lwkt_process_ipiq();
	drain_known(lwkt_arch_mycpu());
	if (++*spins % SPINS == 0)
		lwkt_os_yield();
	else
		lwkt_arch_pause();
}

/* ---------------------------------------------------------------- sending */

static struct ring *ring_to(globaldata_t gd, globaldata_t target)
{
	struct ring *_Atomic *place = &rings[cpuid_of(gd)][cpuid_of(target)];
	struct ring *ring = atomic_load_explicit(place, memory_order_relaxed);

	if (ring)
		return ring;
	ring = lwkt_os_alloc(sizeof(*ring));
	if (ring)
		atomic_store(place, ring);
	return ring;
}

static void announce(globaldata_t gd, globaldata_t target)
{
	atomic_fetch_or(&target->gd_shared.sources[cpuid_of(gd) / 64], 1ull << cpuid_of(gd) % 64);
	atomic_exchange(&target->gd_shared.pending, 1);
}

/** The target ends. Whether it has run what was published as number seq; if not, that is taken back. */
static int settle(globaldata_t target, struct ring *ring, uint64_t seq)
{
	unsigned spins = 0;

	while (atomic_load(&target->gd_shared.state) == CPU_ENDING && (int64_t)(atomic_load(&ring->xindex) - seq) < 0)
		lwkt_ipiq_wait(&spins);
	if ((int64_t)(atomic_load(&ring->xindex) - seq) >= 0 || atomic_load(&target->gd_shared.state) == CPU_ONLINE)
		return 0;
	atomic_store(&ring->windex, atomic_load(&ring->rindex)); /* nobody reads it any more */
	return ESRCH;
}

LWKT_OTHER_RFORK static int send_away(globaldata_t target, void (*func)(void *), void *arg, uint64_t *seq, bool passive)
{
	globaldata_t gd = lwkt_arch_mycpu();
	struct ring *ring;
	uint64_t windex;
	unsigned spins = 0;

	if (atomic_load_explicit(&target->gd_shared.state, memory_order_acquire) != CPU_ONLINE)
		return ESRCH;
	ring = ring_to(gd, target);
	if (!ring)
		return ENOMEM;
	while ((windex = atomic_load_explicit(&ring->windex, memory_order_relaxed)) -
	           atomic_load_explicit(&ring->rindex, memory_order_acquire) >= (gd->gd_ipi_depth ? RING_SIZE : RING_SIZE / 2)) {
		if (atomic_load(&target->gd_shared.state) != CPU_ONLINE)
			return ESRCH;
		wake(target); /* the ring may be full of passive ones */
		lwkt_ipiq_wait(&spins);
	}
	if (is_traced(gd))
		lwkt_trace_ipi(gd, LWKT_TRACE_IPI_SEND, cpuid_of(target), func);
	ring->entries[windex % RING_SIZE] = (struct entry){func, arg};
	atomic_store_explicit(&ring->windex, windex + 1, memory_order_release);
	gd->gd_stats.st_ipis_sent++;
	announce(gd, target);
	if (seq)
		*seq = windex + 1;
	if (atomic_load(&target->gd_shared.state) != CPU_ONLINE)
		return settle(target, ring, windex + 1);
	if (!passive)
		wake(target);
	return 0;
}

static int send(globaldata_t target, void (*func)(void *), void *arg, uint64_t *seq, bool passive)
{
	globaldata_t gd = lwkt_arch_mycpu();

	if (seq)
		*seq = 0;
	if (target != gd)
		return send_away(target, func, arg, seq, passive);
	gd->gd_ipi_depth++;
	func(arg);
	gd->gd_ipi_depth--;
	return 0;
}

int lwkt_send_ipiq(globaldata_t target, void (*func)(void *), void *arg, uint64_t *seq)
{
	return send(target, func, arg, seq, false);
}

int lwkt_send_ipiq_passive(globaldata_t target, void (*func)(void *), void *arg, uint64_t *seq)
{
	return send(target, func, arg, seq, true);
}

int lwkt_wait_ipiq(globaldata_t target, uint64_t seq)
{
	globaldata_t gd = lwkt_arch_mycpu();
	struct ring *ring;
	unsigned spins = 0;

	if (target == gd || seq == 0)
		return 0; /* it ran in place */
	if (lwkt_cpusync_mastered(gd))
		return MISUSE(EDEADLK, "the thread has a cpusync interlocked: wait after lwkt_cpusync_deinterlock"); /* what stands still counts then */
	ring = ring_to(gd, target);
	while ((int64_t)(atomic_load_explicit(&ring->xindex, memory_order_acquire) - seq) < 0) {
		if (atomic_load(&target->gd_shared.state) == CPU_NONE)
			return (int64_t)(atomic_load(&ring->xindex) - seq) >= 0 ? 0 : ESRCH;
		if (spins == 0)
			wake(target); /* it may have been a passive one */
		lwkt_ipiq_wait(&spins);
	}
	return 0;
}

bool lwkt_sent_after(lwkt_thread_t td, void (*func)(void *), void *arg)
{
	return sent_after(td, func, arg);
}

/* ---------------------------------------------------------------- running what has come */

/**
 * There need be no ring: what was sent while an rfork ended is announced in its area, and taken back (settle). The area is another's then, with a number to which
 * that source has never sent anything.
 */
static void drain(globaldata_t gd, unsigned source)
{
	struct ring *ring = atomic_load_explicit(&rings[source][cpuid_of(gd)], memory_order_acquire);
	uint64_t end, rindex;

	if (!ring)
		return;
	end = atomic_load_explicit(&ring->windex, memory_order_acquire);
	ring->depth++;
	while ((rindex = atomic_load_explicit(&ring->rindex, memory_order_relaxed)) < end) {
		struct entry entry = ring->entries[rindex % RING_SIZE];

		atomic_store_explicit(&ring->rindex, rindex + 1, memory_order_release);
		if (is_traced(gd))
			lwkt_trace_ipi(gd, LWKT_TRACE_IPI_RUN, source, entry.func);
		entry.func(entry.arg);
		gd->gd_stats.st_ipis++;
		if (ring->depth == 1) /* then what ran inside of this one is over, too */
			atomic_store_explicit(&ring->xindex, atomic_load_explicit(&ring->rindex, memory_order_relaxed),
			                      memory_order_release);
	}
	ring->depth--;
}

/** Once each ring that has been announced; up to 64 rforks at a time. A bit that is set too late for its word leaves `pending` set. */
static void drain_sources(globaldata_t gd)
{
	for (unsigned word = 0; word < LWKT_CPU_MAX / 64; word++) {
		uint64_t bits = atomic_exchange(&gd->gd_shared.sources[word], 0);

		gd->gd_ipi_known[word] |= bits;
		for (; bits; bits &= bits - 1)
			drain(gd, word * 64 + (unsigned)__builtin_ctzll(bits));
	}
}

/** All rings that ever had something, whether somebody has announced more or not. */
static void drain_known(globaldata_t gd)
{
	gd->gd_ipi_depth++;
	for (unsigned word = 0; word < LWKT_CPU_MAX / 64; word++)
		for (uint64_t bits = gd->gd_ipi_known[word]; bits; bits &= bits - 1)
			drain(gd, word * 64 + (unsigned)__builtin_ctzll(bits));
	gd->gd_ipi_depth--;
}

LWKT_OTHER_RFORK static void run_incoming(globaldata_t gd)
{
	atomic_exchange(&gd->gd_shared.pending, 0); /* before the bits are looked at, or one might be missed */
	if (atomic_load(&gd->gd_shared.wanted)) {
		atomic_store(&gd->gd_shared.wanted, 0);
		gd->gd_wanted = true;
		lwkt_pass_end();
	}
	gd->gd_ipi_depth++;
	drain_sources(gd);
	gd->gd_ipi_depth--;
}

bool lwkt_ipi_pending(void)
{
	return ipi_pending(lwkt_arch_mycpu());
}

void lwkt_process_ipiq(void)
{
	globaldata_t gd = lwkt_arch_mycpu();

	if (ipi_pending(gd))
		run_incoming(gd);
}

/* ---------------------------------------------------------------- being there */

/** Gives the rfork its number. Returns 0, or EAGAIN where there is none left. */
int lwkt_ipiq_online(globaldata_t gd)
{
	unsigned id = 0;

	lwkt_word_lock(&cpus_lock);
	while (id < LWKT_CPU_MAX && cpus[id])
		id++;
	if (id < LWKT_CPU_MAX) {
		cpus[id] = gd;
		if (id >= numbers)
			numbers = id + 1;
		atomic_store_explicit(&gd->gd_cpuid, id, memory_order_relaxed);
		atomic_fetch_add(&ncpus, 1);
		atomic_store(&gd->gd_shared.state, CPU_ONLINE);
	}
	lwkt_word_unlock(&cpus_lock);
	return id < LWKT_CPU_MAX ? 0 : EAGAIN;
}

/** After a fork: what had been announced to an rfork and not been run is nobody's any more. Its area may be another rfork's soon. */
static void forget_announced(globaldata_t gd)
{
	for (unsigned word = 0; word < LWKT_CPU_MAX / 64; word++)
		atomic_store(&gd->gd_shared.sources[word], 0);
	atomic_store(&gd->gd_shared.pending, 0);
	atomic_store(&gd->gd_shared.wanted, 0);
	atomic_store(&gd->gd_shared.sleeping, SLEEP_NOT);
	atomic_store(&gd->gd_shared.load, 0);
}

/** After a fork: gd is all there is, and nothing is under way. Answers one that is no more, each once; NULL: that was all. */
globaldata_t lwkt_ipiq_forked(globaldata_t gd)
{
	cpus_lock = 0;
	atomic_store(&ncpus, 1);
	for (unsigned id = 0; id < numbers; id++) {
		globaldata_t gone = cpus[id];

		if (!gone || gone == gd)
			continue;
		cpus[id] = NULL;
		atomic_store(&gone->gd_shared.state, CPU_NONE);
		forget_announced(gone);
		return gone;
	}
	for (unsigned i = 0; i < numbers * numbers; i++)
		lwkt_os_free(atomic_exchange(&rings[i / numbers][i % numbers], NULL));
	for (unsigned word = 0; word < LWKT_CPU_MAX / 64; word++)
		gd->gd_ipi_known[word] = 0;
	forget_announced(gd);
	return NULL;
}

/** The rfork, other than gd, that shares its work and has the most of it: at least two threads that could go elsewhere. NULL: none. */
globaldata_t lwkt_ipiq_busiest(globaldata_t gd)
{
	globaldata_t busiest = NULL;
	uint32_t most = 1;

	lwkt_word_lock(&cpus_lock);
	for (unsigned id = 0; id < numbers; id++) {
		uint32_t load = cpus[id] && cpus[id] != gd ? atomic_load_explicit(&cpus[id]->gd_shared.load, memory_order_relaxed) : 0;

		if (load > most) {
			most = load;
			busiest = cpus[id];
		}
	}
	lwkt_word_unlock(&cpus_lock);
	return busiest;
}

/** From here on nobody can send anything; what was sent is run. */
void lwkt_ipiq_offline(globaldata_t gd)
{
	atomic_store(&gd->gd_shared.state, CPU_ENDING);
	atomic_store(&gd->gd_shared.pending, 1);
	for (unsigned source = 0; source < LWKT_CPU_MAX; source++) /* all: a source may have published and not announced yet */
		if (atomic_load(&rings[source][cpuid_of(gd)]))
			atomic_fetch_or(&gd->gd_shared.sources[source / 64], 1ull << source % 64);
	lwkt_process_ipiq();
	lwkt_word_lock(&cpus_lock);
	atomic_store(&gd->gd_shared.state, CPU_NONE);
	cpus[cpuid_of(gd)] = NULL;
	atomic_fetch_sub(&ncpus, 1);
	lwkt_word_unlock(&cpus_lock);
}
