/*
 * later.c - the futex calls that came after futex(2): futex_waitv, which waits for several words at once (Linux 5.16), and futex_wake, futex_wait and
 * futex_requeue (Linux 6.7). Each word says by a flag of its own whether it is this process' alone.
 *
 * What is in memory of several processes waits in the kernel, by a helper. Where futex_waitv has words of both kinds the helper waits for one more, which who wakes
 * the lwp sets (waiter.h, kernel_word).
 */
#include "waiter.h"

#include <linux/futex.h>

#define SYS_FUTEX_WAITV 449
#define SYS_FUTEX_WAKE 454
#define SYS_FUTEX_WAIT 455
#define SYS_FUTEX_REQUEUE 456
#define SIZE_MASK 3u /* FUTEX2_: flags of a word */
#define SIZE_32 2u
#define KNOWN_FLAGS (SIZE_MASK | FUTEX_PRIVATE_FLAG)

static bool is_private(uint32_t flags)
{
	return flags & FUTEX_PRIVATE_FLAG;
}

static bool are_valid(uint64_t flags)
{
	return !(flags & ~(uint64_t)KNOWN_FLAGS) && (flags & SIZE_MASK) == SIZE_32;
}

static long read_words(struct futex_waitv *words, unsigned n, uint64_t from)
{
	if (copyin(words, from, n * sizeof(*words)))
		return -EFAULT;
	for (unsigned i = 0; i < n; i++)
		if (words[i].__reserved || !are_valid(words[i].flags) || words[i].val >> 32)
			return -EINVAL;
	return 0;
}

/** An absolute time, or none. */
static long read_time(uint64_t address, int clock, uint64_t *ns)
{
	*ns = UINT64_MAX;
	if (!address)
		return 0;
	if (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC)
		return -EINVAL;
	return time_until((long)address, clock, ns);
}

/* ---------------------------------------------------------------- futex_waitv */

struct vector {
	unsigned n, nshared;
	struct futex_waitv words[FUTEX_WAITV_MAX];
	struct waiter waiters[FUTEX_WAITV_MAX];        /* of the private words */
	struct futex_waitv shared[FUTEX_WAITV_MAX + 1]; /* with kernel_word: what the helper waits for, */
	uint8_t index[FUTEX_WAITV_MAX];                 /* and which word each is */
	uint32_t kernel_word;
};

/** Into each queue. *in: of how many words. */
static long join_all(struct lwp *lwp, struct vector *vector, unsigned *in)
{
	long error = 0;

	for (*in = 0; *in < vector->n; ++*in) {
		struct futex_waitv *word = &vector->words[*in];

		if (word->uaddr & 3)
			error = -EINVAL;
		else if (is_private(word->flags)) {
			vector->waiters[*in] = (struct waiter){.address = word->uaddr, .bitset = ~0u, .td = lwp->lwp_td,
			                                       .kernel_word = vector->nshared ? &vector->kernel_word : NULL};
			error = waiter_join(&vector->waiters[*in], (uint32_t)word->val);
		}
		if (error)
			return error;
	}
	return 0;
}

/** Out of those, waiting for whoever has taken it out meanwhile. The first word that was woken; -1. */
static long leave_all(struct vector *vector, unsigned in)
{
	long found = -1;

	for (unsigned i = 0; i < in; i++) {
		if (!is_private(vector->words[i].flags) || waiter_withdraw(&vector->waiters[i]))
			continue;
		while (!vector->waiters[i].woken)
			lwkt_wait_once("futex");
		if (found < 0)
			found = i;
	}
	return found;
}

static bool is_any_woken(const struct vector *vector)
{
	for (unsigned i = 0; i < vector->n; i++)
		if (is_private(vector->words[i].flags) && *(const volatile bool *)&vector->waiters[i].woken)
			return true;
	return false;
}

static long wait_here(struct lwp *lwp, const struct vector *vector, uint64_t ns)
{
	const bool never = false;
	struct lwkt_timed timed;
	long error = 0;

	lwkt_timed_begin(&timed, ns);
	while (!error && !is_any_woken(vector)) {
		if (lwkt_timed_is_up(lwp->lwp_td))
			error = -ETIMEDOUT;
		else if (lwp_wait(lwp, "futex_waitv", vector->n == 1 ? &vector->waiters[0].woken : &never))
			error = -ERESTARTSYS;
	}
	lwkt_timed_end(&timed);
	return error;
}

/** The words of several processes, by a helper. Which it was, as the program counts. */
static long wait_in_kernel(struct lwp *lwp, const struct trapframe *tf, struct vector *vector)
{
	struct trapframe wait = *tf;
	unsigned n = 0;
	long found;

	for (unsigned i = 0; i < vector->n; i++)
		if (!is_private(vector->words[i].flags)) {
			vector->index[n] = (uint8_t)i;
			vector->shared[n++] = vector->words[i];
		}
	if (n == FUTEX_WAITV_MAX)
		return lwp_offload(lwp, tf, "futex_waitv");
	vector->shared[n] = (struct futex_waitv){.uaddr = (uint64_t)&vector->kernel_word, .flags = SIZE_32 | FUTEX_PRIVATE_FLAG};
	wait.tf_rdi = (uint64_t)vector->shared;
	wait.tf_rsi = n + 1;
	found = lwp_offload(lwp, &wait, "futex_waitv");
	if (found == -EAGAIN && vector->kernel_word) /* it was set before */
		return 0;
	return found >= 0 && found < (long)n ? vector->index[found] : found > 0 ? 0 : found;
}

static long wait_vector(struct lwp *lwp, const struct trapframe *tf, struct vector *vector, uint64_t ns)
{
	unsigned in;
	long error = join_all(lwp, vector, &in), result = error, found;

	if (!error)
		result = error = vector->nshared ? wait_in_kernel(lwp, tf, vector) : wait_here(lwp, vector, ns);
	found = leave_all(vector, in);
	return found >= 0 ? found : result;
}

static long later_waitv(struct lwp *lwp, struct trapframe *tf)
{
	struct vector *vector;
	uint64_t ns;
	long result;

	if (lwp_is_alone(lwp))
		return program_pass(lwp, tf);
	if ((uint32_t)tf->tf_rdx || !tf->tf_rsi || (uint32_t)tf->tf_rsi > FUTEX_WAITV_MAX || !tf->tf_rdi)
		return -EINVAL;
	result = read_time(tf->tf_r10, (int)tf->tf_r8, &ns);
	if (result)
		return result;
	vector = lwkt_os_alloc(sizeof(*vector)); /* a kernel stack is too small */
	if (!vector)
		return -ENOMEM;
	vector->n = (uint32_t)tf->tf_rsi;
	result = read_words(vector->words, vector->n, tf->tf_rdi);
	for (unsigned i = 0; i < vector->n; i++)
		vector->nshared += !is_private(vector->words[i].flags);
	if (!result)
		result = wait_vector(lwp, tf, vector, ns);
	lwkt_os_free(vector);
	return result;
}

/* ---------------------------------------------------------------- futex_wake, futex_wait, futex_requeue */

static long later_wake(struct lwp *lwp, struct trapframe *tf)
{
	int count = (int)tf->tf_rdx;
	long woken;

	if (!are_valid((uint32_t)tf->tf_r10) || (tf->tf_rdi & 3) || !tf->tf_rsi || tf->tf_rsi >> 32)
		return -EINVAL;
	if ((int64_t)tf->tf_rdi < 0)
		return -EFAULT;
	if (!count)
		return 0;
	woken = futex_wake_for(lwp->lwp_proc, tf->tf_rdi, count, (uint32_t)tf->tf_rsi);
	return futex_wake_rest(lwp, tf, woken, is_private((uint32_t)tf->tf_r10));
}

static long later_wait(struct lwp *lwp, struct trapframe *tf)
{
	uint64_t ns;
	long error;

	if (lwp_is_alone(lwp))
		return program_pass(lwp, tf);
	if (!are_valid((uint32_t)tf->tf_r10) || tf->tf_rsi >> 32 || tf->tf_rdx >> 32 || !tf->tf_rdx)
		return -EINVAL;
	error = read_time(tf->tf_r8, (int)tf->tf_r9, &ns);
	if (error)
		return error;
	if (tf->tf_rdi & 3)
		return -EINVAL;
	if (!is_private((uint32_t)tf->tf_r10))
		return lwp_offload(lwp, tf, "futex_wait");
	return futex_wait(lwp, tf->tf_rdi, (uint32_t)tf->tf_rsi, (uint32_t)tf->tf_rdx, ns);
}

static long later_requeue(struct lwp *lwp, struct trapframe *tf)
{
	struct futex_waitv words[2];
	uint32_t expected;
	long error;

	if (lwp_is_alone(lwp))
		return program_pass(lwp, tf);
	if ((uint32_t)tf->tf_rsi || !tf->tf_rdi)
		return -EINVAL;
	error = read_words(words, 2, tf->tf_rdi);
	if (error)
		return error;
	if ((words[0].uaddr | words[1].uaddr) & 3)
		return -EINVAL;
	if (!is_private(words[0].flags) || !is_private(words[1].flags))
		return program_pass(lwp, tf);
	expected = (uint32_t)words[0].val;
	return futex_requeue(words[0].uaddr, (int)tf->tf_rdx, (int)tf->tf_r10, words[1].uaddr, &expected);
}

const struct call_entry futex_later_calls[] = {
	{SYS_FUTEX_WAITV, later_waitv},
	{SYS_FUTEX_WAKE, later_wake},
	{SYS_FUTEX_WAIT, later_wait},
	{SYS_FUTEX_REQUEUE, later_requeue},
	{0},
};
