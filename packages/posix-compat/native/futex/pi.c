/*
 * pi.c - futexes with priority inheritance (futex(2), FUTEX_LOCK_PI and its like): the word holds its owner's tid, FUTEX_WAITERS and FUTEX_OWNER_DIED, and
 * who lets go gives it to the waiter with the highest priority, the one that came first among equals.
 *
 * What inheritance means here: the priorities of a program's threads do not decide which lwp runs (sched.c); all that can run do so in turn, the owner of
 * a lock too. So nobody can keep an owner from its processor, which is what inheritance is for, and there is nothing to be lent. The priorities
 * order the waiters.
 *
 * Among the lwps of a process (FUTEX_PRIVATE_FLAG) all is done here. Without the flag the word may be other processes', whose lwps nobody here knows: then
 * who waits does so in the kernel, by FUTEX_WAIT, and who lets go wakes all of them to try again. All of those processes have to be under libcr: the kernel's own
 * FUTEX_LOCK_PI looks for a thread by the word's tid.
 *
 * Invariants: pi_lock guards all the queues, and is held over the change of a word and of its queue. While a private word has a waiter it has
 * FUTEX_WAITERS, so that its owner comes here to let go.
 */
#include "pi.h"

#include <linux/futex.h>

uint32_t pi_lock;
struct lwkt_list pi_buckets[PI_BUCKETS];
unsigned pi_nwaiters;

void pi_forked(void)
{
	pi_lock = 0;
	pi_nwaiters = 0;
	for (unsigned i = 0; i < PI_BUCKETS; i++)
		list_init(&pi_buckets[i]);
}

struct lwkt_list *pi_bucket_of(uint64_t place)
{
	return &pi_buckets[(place >> 2) * 0x9e3779b97f4a7c15ull >> 58];
}

static bool waits_for_lock(const struct pi_waiter *waiter)
{
	return waiter->place == waiter->lock;
}

/* ---------------------------------------------------------------- queues. All of it under pi_lock */

static void enqueue(struct pi_waiter *waiter, uint64_t place)
{
	waiter->place = place;
	waiter->queued = true;
	list_append(pi_bucket_of(place), &waiter->link);
	pi_nwaiters++;
}

static void dequeue(struct pi_waiter *waiter)
{
	list_remove(&waiter->link);
	waiter->queued = false;
	pi_nwaiters--;
}

/** Who is the first to be served there; NULL. */
static struct pi_waiter *first_at(uint64_t place)
{
	struct lwkt_list *bucket = pi_bucket_of(place);
	struct pi_waiter *first = NULL;

	for (struct lwkt_list *node = bucket->next; node != bucket; node = node->next) {
		struct pi_waiter *waiter = LIST_ENTRY(node, struct pi_waiter, link);

		if (waiter->place == place && (!first || waiter->priority > first->priority))
			first = waiter;
	}
	return first;
}

/** The lock that an lwp waits for has another owner. */
static void set_owner(uint64_t lock, int owner)
{
	struct lwkt_list *bucket = pi_bucket_of(lock);

	for (struct lwkt_list *node = bucket->next; node != bucket; node = node->next) {
		struct pi_waiter *waiter = LIST_ENTRY(node, struct pi_waiter, link);

		if (waiter->place == lock)
			waiter->owner = owner;
	}
}

/** Whom the lwp with this tid waits for; 0: nobody. */
static int waits_for(int tid)
{
	for (unsigned i = 0; i < PI_BUCKETS; i++)
		for (struct lwkt_list *node = pi_buckets[i].next; node != &pi_buckets[i]; node = node->next) {
			struct pi_waiter *waiter = LIST_ENTRY(node, struct pi_waiter, link);

			if (waiter->lwp->lwp_tid == tid)
				return waits_for_lock(waiter) ? waiter->owner : 0;
		}
	return 0;
}

/** Whether the owner waits, by whatever way round, for this lwp. */
static bool is_circle(int tid, int owner)
{
	for (unsigned steps = 0; owner && owner != tid && steps <= pi_nwaiters; steps++)
		owner = waits_for(owner);
	return owner == tid;
}

/** The word as futex(2) has it: taken for the lwp if nobody has it (0), else with FUTEX_WAITERS, and *owner is who has it (-EAGAIN). */
static long take(struct lwp *lwp, uint64_t lock, bool waiters, int *owner)
{
	uint32_t tid = (uint32_t)lwp->lwp_tid, seen, old, new;

	if (user_load32((uint32_t *)lock, &seen))
		return -EFAULT;
	do {
		old = seen;
		*owner = (int)(old & FUTEX_TID_MASK);
		if (*owner == (int)tid)
			return -EDEADLK;
		new = *owner ? old | FUTEX_WAITERS : (old & FUTEX_OWNER_DIED) | tid | (waiters ? FUTEX_WAITERS : 0);
		if (user_swap32((uint32_t *)lock, &seen, new))
			return -EFAULT;
	} while (seen != old);
	record_write(lwp, lock, sizeof(new));
	return *owner ? -EAGAIN : 0;
}

/** The same for a lock among the lwps of a process: whether one may wait for its owner, too. */
static long take_private(struct lwp *lwp, uint64_t lock, bool waiters, int *owner)
{
	long error = take(lwp, lock, waiters || first_at(lock), owner);

	if (!error)
		set_owner(lock, lwp->lwp_tid); /* whoever waits there, for one that has ended */
	if (error != -EAGAIN)
		return error;
	if (!lwp_exists(lwp->lwp_proc, *owner))
		return -ESRCH;
	return is_circle(lwp->lwp_tid, *owner) ? -EDEADLK : -EAGAIN;
}

/** The lock is its first waiter's from now on. `more`: what the word is to have beside that. Who it is, to be told; NULL: nobody waits. */
static struct pi_waiter *hand_over(uint64_t lock, uint32_t more)
{
	struct pi_waiter *first = first_at(lock);
	uint32_t seen = 0, new = first ? (uint32_t)first->lwp->lwp_tid | FUTEX_WAITERS | more : more, old;

	if (user_load32((uint32_t *)lock, &seen))
		return NULL;
	do
		old = seen;
	while (!user_swap32((uint32_t *)lock, &seen, new) && seen != old);
	if (!first)
		return NULL;
	dequeue(first);
	first->result = 0;
	set_owner(lock, first->lwp->lwp_tid);
	return first;
}

/* ---------------------------------------------------------------- waiting */

/** On the waiter's rfork, wherever it is. */
static void tell(void *arg)
{
	struct pi_waiter *waiter = arg;

	if (lwkt_sent_after(waiter->lwp->lwp_td, tell, waiter))
		return;
	waiter->told = true;
	lwkt_wake(waiter->lwp->lwp_td);
}

static struct pi_waiter waiter_of(struct lwp *lwp, uint64_t lock)
{
	return (struct pi_waiter){.lock = lock, .lwp = lwp, .priority = sched_priority(lwp)};
}

/** It is in a queue. 0 and -errno as who takes it out says; -ETIMEDOUT; -ERESTARTNOINTR for a signal. */
static long wait_there(struct pi_waiter *waiter, uint64_t ns)
{
	struct lwp *lwp = waiter->lwp;
	struct lwkt_timed timed;
	long error = 0;
	bool queued;

	lwkt_timed_begin(&timed, ns);
	while (!waiter->told && !error) {
		if (lwkt_timed_is_up(lwp->lwp_td))
			error = -ETIMEDOUT;
		else if (lwp_wait(lwp, "futex", &waiter->told))
			error = -ERESTARTNOINTR;
	}
	lwkt_timed_end(&timed);
	lwkt_word_lock(&pi_lock);
	queued = waiter->queued;
	if (queued)
		dequeue(waiter);
	lwkt_word_unlock(&pi_lock);
	if (queued)
		return error;
	while (!waiter->told) /* somebody has taken it out, and is about to say so */
		lwkt_wait_once("futex");
	return waiter->result;
}

static long lock_private(struct lwp *lwp, uint64_t lock, uint64_t ns, bool try)
{
	struct pi_waiter waiter = waiter_of(lwp, lock);
	long error;

	lwkt_word_lock(&pi_lock);
	error = take_private(lwp, lock, false, &waiter.owner);
	if (error == -EAGAIN && !try)
		enqueue(&waiter, lock);
	lwkt_word_unlock(&pi_lock);
	return error == -EAGAIN && !try ? wait_there(&waiter, ns) : error;
}

static long unlock_private(struct lwp *lwp, uint64_t lock)
{
	struct pi_waiter *next = NULL;
	uint32_t word = 0;
	long error;

	lwkt_word_lock(&pi_lock);
	error = user_load32((uint32_t *)lock, &word);
	if (!error && (int)(word & FUTEX_TID_MASK) != lwp->lwp_tid)
		error = -EPERM;
	if (!error) {
		next = hand_over(lock, 0);
		record_write(lwp, lock, sizeof(word));
	}
	lwkt_word_unlock(&pi_lock);
	if (next)
		tell(next);
	return error;
}

void pi_exit(const struct proc *proc, int tid)
{
	struct lwkt_list given;

	if (!__atomic_load_n(&pi_nwaiters, __ATOMIC_SEQ_CST) || proc->p_vforked_by)
		return;
	list_init(&given);
	lwkt_word_lock(&pi_lock);
	for (unsigned i = 0; i < PI_BUCKETS; i++)
		for (struct lwkt_list *node = pi_buckets[i].next, *next; node != &pi_buckets[i]; node = next) {
			struct pi_waiter *waiter = LIST_ENTRY(node, struct pi_waiter, link), *first;

			next = node->next;
			if (!waits_for_lock(waiter) || waiter->owner != tid)
				continue;
			first = hand_over(waiter->lock, FUTEX_OWNER_DIED);
			if (first)
				list_append(&given, &first->link);
			else
				set_owner(waiter->lock, 0); /* its memory is gone */
			next = pi_buckets[i].next; /* the others there have another owner now */
		}
	lwkt_word_unlock(&pi_lock);
	while (!list_empty(&given)) {
		struct pi_waiter *first = LIST_ENTRY(given.next, struct pi_waiter, link);

		list_remove(&first->link);
		tell(first);
	}
}

/* ---------------------------------------------------------------- a condition's waiters, which are to have a lock */

/** FUTEX_WAIT_REQUEUE_PI. */
static long wait_requeue(struct lwp *lwp, uint64_t place, uint32_t expected, uint64_t lock, uint64_t ns)
{
	struct pi_waiter waiter = waiter_of(lwp, lock);
	uint32_t value = 0;
	long error;

	lwkt_word_lock(&pi_lock);
	error = user_load32((uint32_t *)place, &value);
	if (!error && value != expected)
		error = -EAGAIN;
	if (!error)
		enqueue(&waiter, place);
	lwkt_word_unlock(&pi_lock);
	if (error)
		return error;
	error = wait_there(&waiter, ns);
	return error == -ERESTARTNOINTR && waits_for_lock(&waiter) ? -EAGAIN : error; /* the condition has come: it is not to be waited for again */
}

/** One of the condition's waiters gets the lock (0), or waits for it from now on (-EAGAIN). */
static long move_one(struct pi_waiter *waiter, bool more)
{
	long error = take_private(waiter->lwp, waiter->lock, more, &waiter->owner);

	if (error && error != -EAGAIN)
		return error;
	dequeue(waiter);
	if (error == -EAGAIN)
		enqueue(waiter, waiter->lock);
	return error;
}

/** FUTEX_CMP_REQUEUE_PI: one gets the lock, if it can be had, and up to `moves` more wait for it. */
static long requeue_private(uint64_t place, int moves, uint64_t lock, uint32_t expected)
{
	struct pi_waiter *waiter, *woken = NULL;
	uint32_t value = 0;
	long error, n = 0;

	lwkt_word_lock(&pi_lock);
	error = user_load32((uint32_t *)place, &value);
	if (!error && value != expected)
		error = -EAGAIN;
	while (!error && n <= moves && (waiter = first_at(place))) {
		error = waiter->lock == lock ? move_one(waiter, moves > 0) : -EINVAL;
		if (!error)
			woken = waiter;
		if (error == -EAGAIN)
			error = 0;
		n += !error;
	}
	if (woken)
		woken->result = 0;
	lwkt_word_unlock(&pi_lock);
	if (woken)
		tell(woken);
	return n ? n : error;
}

/* ---------------------------------------------------------------- among processes */

/** In the kernel, until the word changes or a time on a clock has come. */
static long wait_shared(struct lwp *lwp, const struct trapframe *tf, uint64_t address, uint32_t expected, bool realtime)
{
	struct trapframe wait = *tf;
	long error;

	wait.tf_rdi = address;
	wait.tf_rsi = FUTEX_WAIT_BITSET | (realtime ? FUTEX_CLOCK_REALTIME : 0);
	wait.tf_rdx = expected;
	wait.tf_r9 = FUTEX_BITSET_MATCH_ANY;
	error = !lwp_is_alone(lwp) ? lwp_offload(lwp, &wait, "futex") : program_pass(lwp, &wait);
	return error == -EINTR || error == -ERESTARTSYS || error == -ERESTARTNOHAND ? -ERESTARTNOINTR : error;
}

static long lock_shared(struct lwp *lwp, const struct trapframe *tf, uint64_t lock, bool realtime, bool try)
{
	bool waited = false;
	uint32_t word;
	long error;
	int owner;

	for (;;) {
		error = take(lwp, lock, waited, &owner);
		if (error != -EAGAIN || try)
			return error;
		error = user_load32((uint32_t *)lock, &word);
		if (!error && (int)(word & FUTEX_TID_MASK) == owner && (word & FUTEX_WAITERS))
			error = wait_shared(lwp, tf, lock, word, realtime);
		if (error && error != -EAGAIN)
			return error;
		waited = true; /* whoever else does is not known: who has it next lets go by a call, too */
	}
}

static long unlock_shared(struct lwp *lwp, uint64_t lock)
{
	uint32_t seen, old;

	if (user_load32((uint32_t *)lock, &seen))
		return -EFAULT;
	do {
		old = seen;
		if ((int)(old & FUTEX_TID_MASK) != lwp->lwp_tid)
			return -EPERM;
		if (user_swap32((uint32_t *)lock, &seen, 0))
			return -EFAULT;
	} while (seen != old);
	record_write(lwp, lock, sizeof(seen));
	kernel_call(SYS_futex, lock, FUTEX_WAKE, INT32_MAX);
	return 0;
}

static long wait_requeue_shared(struct lwp *lwp, const struct trapframe *tf, bool realtime)
{
	long error = wait_shared(lwp, tf, tf->tf_rdi, (uint32_t)tf->tf_rdx, realtime);

	if (error)
		return error;
	error = lock_shared(lwp, tf, tf->tf_r8, realtime, false);
	return error == -ERESTARTNOINTR ? -EAGAIN : error;
}

/* ---------------------------------------------------------------- the calls */

bool pi_is_its(int op)
{
	switch (op & FUTEX_CMD_MASK) {
	case FUTEX_LOCK_PI: case FUTEX_LOCK_PI2: case FUTEX_TRYLOCK_PI: case FUTEX_UNLOCK_PI: case FUTEX_WAIT_REQUEUE_PI: case FUTEX_CMP_REQUEUE_PI:
		return true;
	}
	return false;
}

static long call_lock(struct lwp *lwp, struct trapframe *tf, int op, bool private)
{
	bool realtime = (op & FUTEX_CMD_MASK) == FUTEX_LOCK_PI || (op & FUTEX_CLOCK_REALTIME);
	uint64_t ns;
	long error = time_until((long)tf->tf_r10, realtime ? CLOCK_REALTIME : CLOCK_MONOTONIC, &ns);

	if (error)
		return error;
	return private ? lock_private(lwp, tf->tf_rdi, ns, false) : lock_shared(lwp, tf, tf->tf_rdi, realtime, false);
}

static long call_wait_requeue(struct lwp *lwp, struct trapframe *tf, int op, bool private)
{
	bool realtime = op & FUTEX_CLOCK_REALTIME;
	uint64_t ns;
	long error = time_until((long)tf->tf_r10, realtime ? CLOCK_REALTIME : CLOCK_MONOTONIC, &ns);

	if (error)
		return error;
	if (tf->tf_rdi == tf->tf_r8 || (tf->tf_r8 & 3))
		return -EINVAL;
	return private ? wait_requeue(lwp, tf->tf_rdi, (uint32_t)tf->tf_rdx, tf->tf_r8, ns) : wait_requeue_shared(lwp, tf, realtime);
}

static long call_requeue(struct lwp *lwp, struct trapframe *tf, bool private)
{
	struct trapframe wake = *tf;
	int moves = (int)tf->tf_r10;

	if (moves < 0 || (int)tf->tf_rdx != 1 || tf->tf_rdi == tf->tf_r8 || (tf->tf_r8 & 3))
		return -EINVAL;
	if (private)
		return requeue_private(tf->tf_rdi, moves, tf->tf_r8, (uint32_t)tf->tf_r9);
	wake.tf_rsi = FUTEX_CMP_REQUEUE; /* all are woken, and try for the lock */
	wake.tf_rdx = moves == INT32_MAX ? INT32_MAX : (uint64_t)moves + 1;
	wake.tf_r10 = 0;
	return program_pass(lwp, &wake);
}

long pi_call(struct lwp *lwp, struct trapframe *tf)
{
	int op = (int)tf->tf_rsi, command = op & FUTEX_CMD_MASK;
	/* A child of vfork has its parent's memory, whose lwps can't answer. */
	bool private = (op & FUTEX_PRIVATE_FLAG) && !lwp->lwp_proc->p_vforked_by;

	if ((op & FUTEX_CLOCK_REALTIME) && command != FUTEX_LOCK_PI2 && command != FUTEX_WAIT_REQUEUE_PI)
		return -ENOSYS;
	if (tf->tf_rdi & 3)
		return -EINVAL;
	switch (command) {
	case FUTEX_TRYLOCK_PI:
		return private ? lock_private(lwp, tf->tf_rdi, 0, true) : lock_shared(lwp, tf, tf->tf_rdi, false, true);
	case FUTEX_UNLOCK_PI:
		return private ? unlock_private(lwp, tf->tf_rdi) : unlock_shared(lwp, tf->tf_rdi);
	case FUTEX_WAIT_REQUEUE_PI:
		return call_wait_requeue(lwp, tf, op, private);
	case FUTEX_CMP_REQUEUE_PI:
		return call_requeue(lwp, tf, private);
	}
	return call_lock(lwp, tf, op, private);
}
