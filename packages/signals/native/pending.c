/*
 * pending.c - signals that have come and are not delivered yet.
 *
 * They come from handlers of libcr's, which may interrupt anything: so those take an element of a pool by an atomic exchange, and push it onto a list that is only ever
 * emptied as a whole. What waits longer, and what lwps send, has memory of its own, and is limited as in the kernel: queued signals by RLIMIT_SIGPENDING.
 *
 * Invariant: a signal that the kernel has let go is never lost. Before there is no room the kernel is told to block those that would need it
 * (p_held), in the handler's frame; it keeps them then, and tells their senders EAGAIN. So it does if many of one kind are here, as lists are
 * slow to go through: those that it keeps are later ones of the same kind, and come when most of the earlier ones are taken.
 */
#include "signals.h"

#include "lwkt_kernel.h"
#include "os/os.h"

#include <sys/resource.h>

#define POOL 1024
#define POOL_RESERVE 128 /* elements, for those who come while the mask is changed */
#define MANY 256         /* of one real-time signal, from outside: the kernel keeps more, */
#define FEW 64           /* until there are so many */
#define CHUNK 32

static struct pending pool[POOL];
static uint32_t next_element; /* a hint */
struct pending_counts pending_counts;
static uint32_t spare_lock;   /* not in handlers */
static struct pending *spare; /* by spare_lock */

static bool is_realtime(const siginfo_t *info) { return info->si_signo >= REALTIME; }

bool pending_is_pooled(const struct pending *pending)
{
	return pending >= pool && pending < pool + POOL;
}

static uint32_t count(uint32_t *counter) { return __atomic_load_n(counter, __ATOMIC_RELAXED); }

static uint64_t limit(void)
{
	struct rlimit limits = {0};

	return kernel_call(SYS_getrlimit, RLIMIT_SIGPENDING, &limits) ? 0 : limits.rlim_cur;
}

static struct pending *take_of_pool(void)
{
	for (unsigned i = 0; i < POOL; i++) {
		struct pending *pending = &pool[(count(&next_element) + i) % POOL];

		if (__atomic_exchange_n(&pending->used, 1, __ATOMIC_ACQUIRE))
			continue;
		__atomic_fetch_add(&next_element, i + 1, __ATOMIC_RELAXED);
		__atomic_fetch_add(&pending_counts.pool, 1, __ATOMIC_RELAXED);
		return pending;
	}
	return NULL;
}

static struct pending *take_spare(void)
{
	struct pending *pending;

	lwkt_word_lock(&spare_lock);
	if (!spare) {
		struct pending *chunk = lwkt_os_alloc(CHUNK * sizeof(*chunk));

		for (unsigned i = 0; chunk && i < CHUNK; i++) {
			chunk[i].next = spare;
			spare = &chunk[i];
		}
	}
	pending = spare;
	if (pending)
		spare = pending->next;
	lwkt_word_unlock(&spare_lock);
	return pending;
}

static void give_back(struct pending *pending)
{
	if (pending_is_pooled(pending)) {
		__atomic_fetch_sub(&pending_counts.pool, 1, __ATOMIC_RELAXED);
		__atomic_store_n(&pending->used, 0, __ATOMIC_RELEASE);
		return;
	}
	lwkt_word_lock(&spare_lock);
	pending->next = spare;
	spare = pending;
	lwkt_word_unlock(&spare_lock);
}

static void fill(struct pending *pending, const siginfo_t *info)
{
	memcpy(&pending->info, info, sizeof(*info));
	pending->next = NULL;
	pending->outside = false;
	if (is_realtime(info))
		__atomic_fetch_add(&pending_counts.queued, 1, __ATOMIC_RELAXED);
	if (options.virtual_time && info->si_signo == SIGCHLD && info->si_code > 0) /* no time that is measured: clocks say none of a child, either */
		pending->info.si_utime = pending->info.si_stime = 0;
}

struct pending *pending_new(const siginfo_t *info)
{
	struct pending *pending = NULL;

	if (is_realtime(info) && count(&pending_counts.queued) && count(&pending_counts.queued) >= limit())
		return NULL;
	if (count(&pending_counts.pool) < POOL / 2)
		pending = take_of_pool();
	if (!pending)
		pending = take_spare();
	if (pending)
		fill(pending, info);
	return pending;
}

void pending_free(struct pending *pending)
{
	if (is_realtime(&pending->info))
		__atomic_fetch_sub(&pending_counts.queued, 1, __ATOMIC_RELAXED);
	if (pending->outside)
		__atomic_fetch_sub(&pending_counts.outside[pending->info.si_signo], 1, __ATOMIC_RELAXED);
	give_back(pending);
}

void pending_forked(struct lwp *lwp)
{
	struct proc *proc = lwp->lwp_proc;

	lwp->lwp_pending = proc->p_pending = proc->p_incoming = NULL;
	proc->p_unassigned = false;
	proc->p_held = 0;
	memset(&pending_counts, 0, sizeof(pending_counts));
	for (unsigned i = 0; i < POOL; i++)
		pool[i].used = 0;
	spare_lock = 0;
}

/** What there is no room for, but the reserve. */
static bool is_full(void)
{
	return count(&pending_counts.pool) >= POOL - POOL_RESERVE;
}

uint64_t pending_come(struct proc *proc, const siginfo_t *info)
{
	struct pending *pending = take_of_pool();
	uint64_t held = 0;

	if (!pending) /* there are more kernel threads in handlers than the reserve has elements */
		return ~SIGNALS_OURS;
	fill(pending, info);
	pending->outside = true;
	if (__atomic_add_fetch(&pending_counts.outside[info->si_signo], 1, __ATOMIC_RELAXED) >= MANY && is_realtime(info))
		held = SIGNAL_BIT(info->si_signo);
	pending->next = __atomic_load_n(&proc->p_incoming, __ATOMIC_RELAXED);
	while (!__atomic_compare_exchange_n(&proc->p_incoming, &pending->next, pending, false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
		;
	if (is_full())
		held = ~0ull;
	held &= ~SIGNALS_OURS;
	if (held)
		__atomic_fetch_or(&proc->p_held, held, __ATOMIC_SEQ_CST);
	return held;
}

void pending_release(struct proc *proc)
{
	uint64_t over = 0;

	if (!proc->p_held || is_full())
		return;
	for (uint64_t set = proc->p_held; set; set &= set - 1)
		if (count(&pending_counts.outside[__builtin_ctzll(set) + 1]) < FEW)
			over |= set & -set;
	if (!over)
		return;
	__atomic_fetch_and(&proc->p_held, ~over, __ATOMIC_SEQ_CST);
	signals_mask_soon(proc);
}

/** What nobody takes now, and the kernel sends as it came. Not a timer's: it counts here how often that has come. Under p_lock. */
static struct pending *take_blocked(struct proc *proc, uint64_t blocked)
{
	for (struct pending **list = &proc->p_pending; *list; list = &(*list)->next) {
		struct pending *pending = *list;

		if (!(blocked & SIGNAL_BIT(pending->info.si_signo)) || pending->info.si_code == SI_TIMER)
			continue;
		*list = pending->next;
		return pending;
	}
	return NULL;
}

void pending_hand_back(struct proc *proc, uint64_t blocked)
{
	struct pending *pending;

	while (proc->p_incoming || proc->p_pending) {
		lwkt_word_lock(&proc->p_lock);
		pending_sort(proc);
		pending = take_blocked(proc, blocked);
		lwkt_word_unlock(&proc->p_lock);
		if (!pending)
			return;
		blocked &= ~SIGNAL_BIT(pending->info.si_signo);
		if (!kernel_call(SYS_rt_sigqueueinfo, proc->p_pid, pending->info.si_signo, &pending->info)) {
			pending_free(pending);
			continue;
		}
		lwkt_word_lock(&proc->p_lock); /* the kernel has no memory, or more wait than may */
		pending_add(&proc->p_pending, pending);
		lwkt_word_unlock(&proc->p_lock);
	}
}

/** Those that wait make room in the pool. */
static void leave_pool(struct pending **list)
{
	for (; *list; list = &(*list)->next) {
		struct pending *pooled = *list, *own = pending_is_pooled(pooled) ? take_spare() : NULL;

		if (!own)
			continue;
		memcpy(&own->info, &pooled->info, sizeof(own->info));
		own->outside = pooled->outside;
		own->next = pooled->next;
		*list = own;
		give_back(pooled);
	}
}

void pending_add(struct pending **list, struct pending *pending)
{
	for (; *list; list = &(*list)->next)
		if ((*list)->info.si_signo == pending->info.si_signo && pending->info.si_signo < REALTIME) {
			pending_free(pending);
			return;
		}
	pending->next = NULL;
	*list = pending;
}

/** Whose it is. What was sent to a thread from outside is the main one's: of the others nobody knows. */
static struct pending **list_for(struct proc *proc, struct pending *pending)
{
	struct lwp *lwp = pending->info.si_code == SI_TKILL ? signalfd_lwp(proc, &pending->info) : NULL;

	if (!lwp)
		return &proc->p_pending;
	lwp_notify(lwp, AST_SIGNAL);
	return &lwp->lwp_pending;
}

void pending_sort(struct proc *proc)
{
	struct pending *last, *first = NULL;

	if (!proc->p_incoming)
		return;
	proc->p_unassigned = true; /* first: whoever sees the list empty sees this */
	last = __atomic_exchange_n(&proc->p_incoming, NULL, __ATOMIC_SEQ_CST);
	while (last) {
		struct pending *before = last->next;

		last->next = first;
		first = last;
		last = before;
	}
	while (first) {
		struct pending *next = first->next;

		pending_add(list_for(proc, first), first);
		first = next;
	}
	if (count(&pending_counts.pool) >= POOL / 2) {
		leave_pool(&proc->p_pending);
		for (struct lwp *lwp = proc->p_lwps; lwp; lwp = lwp->lwp_next)
			leave_pool(&lwp->lwp_pending);
	}
}

struct pending *pending_next(struct lwp *lwp, uint64_t own, uint64_t process)
{
	struct pending *pending;

	pending_sort(lwp->lwp_proc);
	pending = pending_take(&lwp->lwp_pending, own);
	return pending ?: pending_take(&lwp->lwp_proc->p_pending, process);
}

struct pending *pending_leaves(struct lwp *lwp)
{
	struct pending *pending;

	lwkt_word_lock(&lwp->lwp_proc->p_lock);
	pending = pending_next(lwp, ~SIGNALS_OURS, ~SIGNALS_OURS); /* those the kernel would give back */
	lwkt_word_unlock(&lwp->lwp_proc->p_lock);
	return pending;
}

void pending_gone(struct lwp *lwp)
{
	struct pending *pending;

	while ((pending = pending_next(lwp, ~0ull, ~0ull))) /* its p_lock is nobody's, or that of somebody who was killed */
		pending_free(pending);
}

struct pending *pending_take(struct pending **list, uint64_t wanted)
{
	struct pending **best = NULL, *taken;

	for (; *list; list = &(*list)->next)
		if ((wanted & SIGNAL_BIT((*list)->info.si_signo)) && (!best || (*list)->info.si_signo < (*best)->info.si_signo))
			best = list;
	if (!best)
		return NULL;
	taken = *best;
	*best = taken->next;
	return taken;
}

uint64_t pending_set(const struct pending *list)
{
	uint64_t set = 0;

	for (; list; list = list->next)
		set |= SIGNAL_BIT(list->info.si_signo);
	return set;
}
