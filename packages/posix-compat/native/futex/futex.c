/*
 * futex.c - futexes among the lwps of a process: wait queues by address (NetBSD, FreeBSD: umtx). A waiter lies on its own kernel stack; who takes it
 * out of its bucket, under the lock, owes it a wake-up, and it stays until that has come (as in lock/waiter.h).
 *
 * What is here is for the lwps of one process. Without FUTEX_PRIVATE_FLAG the word may lie in memory that other processes have, too: then the kernel's futex
 * it is, and a helper waits. Only who waits for an lwp's end (pthread_join, and musl for its list of threads) is among his own without the flag, and is
 * known by the value: a tid. While a process has one lwp all of them are the kernel's, but for a private wake: there is nobody.
 *
 * Invariant: a waiter looks at the word after it has joined the queue; whoever wakes looks at the queue after a full fence. So either sees the other.
 */
#include "waiter.h"

#include <linux/futex.h>

struct bucket futex_buckets[FUTEX_BUCKETS];
static uint32_t in_kernel; /* lwps that wait there, or are about to: as the only one, or by a helper for what may be another process' */

void futex_forked(void)
{
	in_kernel = 0;
	for (unsigned i = 0; i < FUTEX_BUCKETS; i++) {
		futex_buckets[i].lock = 0;
		list_init(&futex_buckets[i].waiters);
	}
	pi_forked();
}

struct bucket *futex_bucket_of(uint64_t address)
{
	return &futex_buckets[(address >> 2) * 0x9e3779b97f4a7c15ull >> 56];
}

/* ---------------------------------------------------------------- waking */

/** On the waiter's rfork, wherever it is. */
static void tell(void *arg)
{
	struct waiter *waiter = arg;

	if (lwkt_sent_after(waiter->td, tell, waiter))
		return;
	waiter->woken = true;
	if (waiter->kernel_word) {
		__atomic_store_n(waiter->kernel_word, 1, __ATOMIC_SEQ_CST);
		kernel_call(SYS_futex, waiter->kernel_word, FUTEX_WAKE_PRIVATE, 1);
	}
	lwkt_wake(waiter->td);
}

static void tell_all(struct lwkt_list *taken)
{
	while (!list_empty(taken)) {
		struct waiter *waiter = LIST_ENTRY(taken->next, struct waiter, link);

		list_remove(&waiter->link);
		tell(waiter);
	}
}

void futex_wake_queue(unsigned queue)
{
	struct bucket *bucket = &futex_buckets[queue];
	struct lwkt_list taken;

	list_init(&taken);
	lwkt_word_lock(&bucket->lock);
	while (!list_empty(&bucket->waiters)) {
		struct lwkt_list *node = bucket->waiters.next;

		list_remove(node);
		list_append(&taken, node);
		LIST_ENTRY(node, struct waiter, link)->bucket = NULL;
	}
	lwkt_word_unlock(&bucket->lock);
	tell_all(&taken);
}

/** Moves up to count waiters for address to `taken`. Under the bucket's lock. */
static int take(struct bucket *bucket, uint64_t address, int count, uint32_t bitset, struct lwkt_list *taken)
{
	int n = 0;

	for (struct lwkt_list *node = bucket->waiters.next, *next; node != &bucket->waiters && n < count; node = next) {
		struct waiter *waiter = LIST_ENTRY(node, struct waiter, link);

		next = node->next;
		if (waiter->address != address || !(waiter->bitset & bitset))
			continue;
		list_remove(node);
		list_append(taken, node);
		waiter->bucket = NULL;
		n++;
	}
	return n;
}

long futex_wake(uint64_t address, int count, uint32_t bitset)
{
	struct bucket *bucket = futex_bucket_of(address);
	struct lwkt_list taken;
	int n;

	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (__atomic_load_n(&bucket->waiters.next, __ATOMIC_RELAXED) == &bucket->waiters) /* nobody waits: the common answer */
		return 0;
	list_init(&taken);
	lwkt_word_lock(&bucket->lock);
	n = take(bucket, address, count < 1 ? 1 : count, bitset, &taken); /* the kernel wakes one for 0, too */
	lwkt_word_unlock(&bucket->lock);
	tell_all(&taken);
	return n;
}

_Static_assert(FUTEX_BUCKETS == VFORK_QUEUES, "a queue of futexes is one of vfork_wakes");

/** How many: of those that its parent is to wake a child of vfork does not know. */
long futex_wake_for(const struct proc *proc, uint64_t address, int count, uint32_t bitset)
{
	if (!proc->p_apart)
		return futex_wake(address, count, bitset);
	vfork_wakes(proc, (unsigned)(futex_bucket_of(address) - futex_buckets));
	return 0;
}

/** Whoever waits there, or will, sees the word as it is now; or has said so before it looked, and is seen here. */
void futex_wake_in_kernel(uint64_t address)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (__atomic_load_n(&in_kernel, __ATOMIC_RELAXED))
		kernel_call(SYS_futex, address, FUTEX_WAKE, 1, NULL, NULL, 0);
}

static void lock_both(struct bucket *a, struct bucket *b)
{
	lwkt_word_lock(a < b ? &a->lock : &b->lock);
	if (a != b)
		lwkt_word_lock(a < b ? &b->lock : &a->lock);
}

static void unlock_both(struct bucket *a, struct bucket *b)
{
	lwkt_word_unlock(&a->lock);
	if (a != b)
		lwkt_word_unlock(&b->lock);
}

/** Moves up to count waiters from one address to another. Under both locks. */
static int move(struct bucket *from, uint64_t address, struct bucket *to, uint64_t address2, int count)
{
	struct lwkt_list moved;
	int n = 0;

	list_init(&moved);
	for (struct lwkt_list *node = from->waiters.next, *next; node != &from->waiters && n < count; node = next) {
		struct waiter *waiter = LIST_ENTRY(node, struct waiter, link);

		next = node->next;
		if (waiter->address != address)
			continue;
		list_remove(node);
		list_append(&moved, node);
		waiter->address = address2;
		waiter->bucket = to;
		n++;
	}
	while (!list_empty(&moved)) { /* behind the walk: both may be one bucket */
		struct lwkt_list *node = moved.next;

		list_remove(node);
		list_append(&to->waiters, node);
	}
	return n;
}

long futex_requeue(uint64_t address, int wakes, int moves, uint64_t address2, const uint32_t *expected)
{
	struct bucket *a = futex_bucket_of(address), *b = futex_bucket_of(address2);
	struct lwkt_list taken;
	uint32_t value = 0;
	long n = 0;

	if (wakes < 0 || moves < 0)
		return -EINVAL;
	list_init(&taken);
	lock_both(a, b);
	if (expected && user_load32((uint32_t *)address, &value))
		n = -EFAULT;
	else if (expected && value != *expected)
		n = -EAGAIN;
	else
		n = take(a, address, wakes, ~0u, &taken) + move(a, address, b, address2, moves);
	unlock_both(a, b);
	tell_all(&taken);
	return n;
}

/* FUTEX_WAKE_OP's two little languages: what becomes of the second word, and what its old value is compared with. */
static bool operate(unsigned operation, uint32_t old, uint32_t argument, uint32_t *new)
{
	switch (operation) {
	case FUTEX_OP_SET: *new = argument; return true;
	case FUTEX_OP_ADD: *new = old + argument; return true;
	case FUTEX_OP_OR: *new = old | argument; return true;
	case FUTEX_OP_ANDN: *new = old & ~argument; return true;
	case FUTEX_OP_XOR: *new = old ^ argument; return true;
	}
	return false;
}

static bool compare(unsigned comparison, int old, int with, bool *holds)
{
	switch (comparison) {
	case FUTEX_OP_CMP_EQ: *holds = old == with; return true;
	case FUTEX_OP_CMP_NE: *holds = old != with; return true;
	case FUTEX_OP_CMP_LT: *holds = old < with; return true;
	case FUTEX_OP_CMP_LE: *holds = old <= with; return true;
	case FUTEX_OP_CMP_GT: *holds = old > with; return true;
	case FUTEX_OP_CMP_GE: *holds = old >= with; return true;
	}
	return false;
}

/** A child of vfork that waits for a word is woken by whatever concerns that, and looks. */
static void wake_vforks(uint64_t address)
{
	if (__atomic_load_n(&vforks_apart, __ATOMIC_SEQ_CST))
		kernel_call(SYS_futex, address, FUTEX_WAKE_PRIVATE, INT32_MAX, NULL, NULL, 0);
}

static long wake_op(uint64_t address, int wakes, int wakes2, uint64_t address2, uint32_t encoded)
{
	unsigned operation = encoded >> 28 & 7, comparison = encoded >> 24 & 15;
	uint32_t argument = (uint32_t)((int)(encoded << 8) >> 20), old, seen, new;
	int with = (int)(encoded << 20) >> 20;
	bool holds;

	if (encoded >> 31) /* FUTEX_OP_OPARG_SHIFT */
		argument = 1u << (argument & 31);
	if (user_load32((uint32_t *)address2, &seen))
		return -EFAULT;
	do {
		old = seen;
		if (!operate(operation, old, argument, &new) || !compare(comparison, (int)old, with, &holds))
			return -ENOSYS;
		if (user_swap32((uint32_t *)address2, &seen, new))
			return -EFAULT;
	} while (seen != old);
	wake_vforks(address2);
	return futex_wake(address, wakes, ~0u) + (holds ? futex_wake(address2, wakes2, ~0u) : 0);
}

/* ---------------------------------------------------------------- waiting */

bool waiter_withdraw(struct waiter *waiter)
{
	struct bucket *bucket;

	while ((bucket = waiter->bucket)) {
		bool still;

		lwkt_word_lock(&bucket->lock);
		still = waiter->bucket == bucket; /* or it was moved meanwhile */
		if (still) {
			list_remove(&waiter->link);
			waiter->bucket = NULL;
		}
		lwkt_word_unlock(&bucket->lock);
		if (still)
			return true;
	}
	return false;
}

long waiter_join(struct waiter *waiter, uint32_t expected)
{
	struct bucket *bucket = futex_bucket_of(waiter->address);
	uint32_t value = 0;
	long error;

	lwkt_word_lock(&bucket->lock);
	list_append(&bucket->waiters, &waiter->link);
	waiter->bucket = bucket;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	error = user_load32((uint32_t *)waiter->address, &value);
	if (!error && value != expected)
		error = -EAGAIN;
	if (error)
		list_remove(&waiter->link);
	lwkt_word_unlock(&bucket->lock);
	return error;
}

long futex_wait(struct lwp *lwp, uint64_t address, uint32_t expected, uint32_t bitset, uint64_t ns)
{
	struct waiter waiter = {.address = address, .bitset = bitset, .td = lwp->lwp_td};
	struct lwkt_timed timed;
	long error;

	if (!bitset)
		return -EINVAL;
	error = waiter_join(&waiter, expected);
	if (error)
		return error;
	lwkt_timed_begin(&timed, ns);
	while (!waiter.woken && !error) {
		if (lwkt_timed_is_up(waiter.td))
			error = -ETIMEDOUT;
		else if (lwp_wait(lwp, "futex", &waiter.woken))
			error = -ERESTARTSYS;
	}
	lwkt_timed_end(&timed);
	if (!error || waiter_withdraw(&waiter))
		return error;
	while (!waiter.woken) /* somebody has taken it out, and is about to say so */
		lwkt_wait_once("futex");
	return 0;
}

/** How long a wait is to last: relative for FUTEX_WAIT, else until a time. */
static long read_timeout(uint64_t address, int op, uint64_t *ns)
{
	if ((op & FUTEX_CMD_MASK) != FUTEX_WAIT)
		return time_until((long)address, op & FUTEX_CLOCK_REALTIME ? CLOCK_REALTIME : CLOCK_MONOTONIC, ns);
	*ns = UINT64_MAX;
	return address ? time_read((long)address, ns) : 0;
}

/** Whether the word holds the tid of one of our lwps, and nothing else of what a lock's word may have. */
static bool is_tid(const struct lwp *lwp, uint32_t value)
{
	return (value >= LWP_TID_FIRST && !(value & (FUTEX_WAITERS | FUTEX_OWNER_DIED))) || (int)value == lwp->lwp_proc->p_pid;
}

static long call_wait(struct lwp *lwp, struct trapframe *tf, int op)
{
	uint32_t expected = (uint32_t)tf->tf_rdx;
	uint64_t ns;
	long error;

	if (!(op & FUTEX_PRIVATE_FLAG) && !is_tid(lwp, expected)) {
		__atomic_fetch_add(&in_kernel, 1, __ATOMIC_SEQ_CST);
		error = lwp_offload(lwp, tf, "futex");
		__atomic_fetch_sub(&in_kernel, 1, __ATOMIC_SEQ_CST);
		return error;
	}
	error = read_timeout(tf->tf_r10, op, &ns);
	if (!error)
		error = futex_wait(lwp, tf->tf_rdi, expected, (op & FUTEX_CMD_MASK) == FUTEX_WAIT ? ~0u : (uint32_t)tf->tf_r9, ns);
	return error == -ERESTARTSYS && tf->tf_r10 ? -ERESTARTNOHAND : error; /* the time would begin anew: a handler ends it, SA_RESTART or not */
}

long futex_wake_rest(struct lwp *lwp, const struct trapframe *tf, long woken, bool is_private)
{
	struct trapframe rest = *tf;
	const int count = (int)tf->tf_rdx;
	long more;

	if (woken >= count || (is_private && !__atomic_load_n(&vforks_apart, __ATOMIC_SEQ_CST)))
		return woken;
	rest.tf_rdx = (uint64_t)(count - woken);
	more = program_pass(lwp, &rest);
	return more < 0 ? more : woken + more;
}

static long call_wake(struct lwp *lwp, struct trapframe *tf, int op, uint32_t bitset)
{
	if (!bitset)
		return -EINVAL;
	if ((int64_t)tf->tf_rdi < 0) /* the kernel's half */
		return -EFAULT;
	return futex_wake_rest(lwp, tf, futex_wake(tf->tf_rdi, (int)tf->tf_rdx, bitset), op & FUTEX_PRIVATE_FLAG);
}

/** Whether it would wake lwps of this process only, which has no other. */
static bool is_for_nobody(const struct lwp *lwp, int op)
{
	return !lwp->lwp_proc->p_vforked_by && (op == FUTEX_WAKE_PRIVATE || op == FUTEX_WAKE_BITSET_PRIVATE);
}

static long pass_alone(struct lwp *lwp, struct trapframe *tf)
{
	long result;

	__atomic_fetch_add(&in_kernel, 1, __ATOMIC_SEQ_CST);
	result = program_pass(lwp, tf);
	__atomic_fetch_sub(&in_kernel, 1, __ATOMIC_SEQ_CST);
	return result;
}

static long futex_call(struct lwp *lwp, struct trapframe *tf)
{
	uint64_t address = tf->tf_rdi, address2 = tf->tf_r8;
	int op = (int)tf->tf_rsi;
	uint32_t value = (uint32_t)tf->tf_rdx, value3 = (uint32_t)tf->tf_r9;

	if (pi_is_its(op))
		return pi_call(lwp, tf);
	if (lwp->lwp_proc->p_vforked_by && ((op & FUTEX_CMD_MASK) == FUTEX_WAKE || (op & FUTEX_CMD_MASK) == FUTEX_WAKE_BITSET))
		futex_wake_for(lwp->lwp_proc, address, (int)value, (op & FUTEX_CMD_MASK) == FUTEX_WAKE ? ~0u : value3);
	if (lwp_is_alone(lwp) && !is_for_nobody(lwp, op))
		return pass_alone(lwp, tf);
	if (address & 3)
		return -EINVAL;
	if ((op & FUTEX_CLOCK_REALTIME) && (op & FUTEX_CMD_MASK) != FUTEX_WAIT_BITSET)
		return -ENOSYS;
	switch (op & FUTEX_CMD_MASK) {
	case FUTEX_WAIT:
	case FUTEX_WAIT_BITSET:
		return call_wait(lwp, tf, op);
	case FUTEX_WAKE:
		return call_wake(lwp, tf, op, ~0u);
	case FUTEX_WAKE_BITSET:
		return call_wake(lwp, tf, op, value3);
	}
	if (!(op & FUTEX_PRIVATE_FLAG))
		return program_pass(lwp, tf);
	wake_vforks(address);
	switch (op & FUTEX_CMD_MASK) {
	case FUTEX_REQUEUE:
		return futex_requeue(address, (int)value, (int)tf->tf_r10, address2, NULL);
	case FUTEX_CMP_REQUEUE:
		return futex_requeue(address, (int)value, (int)tf->tf_r10, address2, &value3);
	case FUTEX_WAKE_OP:
		return wake_op(address, (int)value, (int)tf->tf_r10, address2, value3);
	}
	return -ENOSYS;
}

const struct call_entry futex_calls[] = {
	{SYS_futex, futex_call},
	{0},
};
