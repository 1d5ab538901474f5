/*
 * pool.c - idle stacks, kept with their TLS blocks and residents because making those is what costs (about 60 us).
 * Last in, first out: the warmest stack is used next, the coldest go first when the pool is trimmed.
 *
 * How many are worth keeping is the caller's to decide (lwkt_pool_trim); what it needs to know for that is counted here, where stacks
 * come and go, and not where threads do: a thread that takes over its predecessor's stack costs nothing.
 *
 * Invariant: a stack in the pool has no thread; its resident, if it has one, is suspended in lwkt_resident_park.
 */
#define _GNU_SOURCE
#include "internal.h"

#define TLS_BATCH_MAX 32u /* donors made, or retired, side by side: their kernel tasks run on other processors meanwhile */

static struct lwkt_list *pool_of(globaldata_t gd, size_t size, bool tls)
{
	return &gd->gd_pool[lwkt_stack_class(size)][tls];
}

void lwkt_pool_put(globaldata_t gd, struct lwkt_stack *stack)
{
	list_append(pool_of(gd, stack->st_chunk->ch_size, stack->st_has_tls), &stack->st_link);
	gd->gd_stats.st_pooled++;
}

/** A thread has ended and leaves its stack. */
void lwkt_pool_return(globaldata_t gd, struct lwkt_stack *stack)
{
	if (--gd->gd_pool_out < gd->gd_pool_low)
		gd->gd_pool_low = gd->gd_pool_out;
	lwkt_pool_put(gd, stack);
}

static void take(globaldata_t gd, struct lwkt_stack *stack)
{
	list_remove(&stack->st_link);
	gd->gd_stats.st_pooled--;
}

/** New stacks for the pool, several with TLS at once. Returns 0 if there is at least one more, else ENOMEM or EAGAIN. */
static int grow(globaldata_t gd, size_t size, bool tls)
{
	struct lwkt_stack *stacks[TLS_BATCH_MAX];
	uint64_t live = gd->gd_stats.st_tls_created - gd->gd_stats.st_tls_retired;
	unsigned want = !tls ? 1 : live < 8 ? 1 : live / 4 < TLS_BATCH_MAX ? (unsigned)(live / 4) : TLS_BATCH_MAX;
	unsigned have = 0, made = 0;
	int error = ENOMEM, saved = errno; /* of the thread that happens to be leaving the CPU */

	while (have < want && (stacks[have] = lwkt_stack_alloc(gd, lwkt_stack_class(size))) != NULL)
		have++;
	if (tls && have)
		error = lwkt_tls_create(stacks, have);
	for (unsigned i = 0; i < have; i++) {
		if (tls && !stacks[i]->st_has_tls) {
			lwkt_stack_free(gd, stacks[i]);
			continue;
		}
		gd->gd_stats.st_tls_created += tls;
		lwkt_pool_put(gd, stacks[i]);
		made++;
	}
	errno = saved;
	return made ? 0 : error;
}

/** An idle stack that fits td, left in the pool; NULL where there is none. */
static struct lwkt_stack *find(globaldata_t gd, lwkt_thread_t td)
{
	struct lwkt_list *pool = pool_of(gd, td->td_stack_size, (td->td_flags & TDF_TLS) != 0);

	for (struct lwkt_list *n = pool->prev; n != pool; n = n->prev) {
		struct lwkt_stack *stack = LIST_ENTRY(n, struct lwkt_stack, st_link);

		if (!stack->st_resident || stack->st_resident == lwkt_resident_of(td))
			return stack;
	}
	return NULL;
}

/** A stack for td, which is fresh. Returns 0, ENOMEM or EAGAIN. */
int lwkt_pool_get(globaldata_t gd, lwkt_thread_t td, struct lwkt_stack **out)
{
	struct lwkt_stack *stack;

	while ((stack = find(gd, td)) == NULL) {
		int error = grow(gd, td->td_stack_size, (td->td_flags & TDF_TLS) != 0);

		if (error)
			return error;
	}
	take(gd, stack);
	if (++gd->gd_pool_out > gd->gd_pool_high)
		gd->gd_pool_high = gd->gd_pool_out;
	*out = stack;
	return 0;
}

/** Takes up to max of the coldest stacks of one pool out of it, unwound. */
static unsigned unwind_some(globaldata_t gd, struct lwkt_list *pool, struct lwkt_stack **out, unsigned max)
{
	unsigned n = 0;

	while (n < max && !list_empty(pool)) {
		struct lwkt_stack *stack = LIST_ENTRY(pool->next, struct lwkt_stack, st_link);

		take(gd, stack);
		lwkt_resident_unwind(gd, stack);
		out[n++] = stack;
	}
	return n;
}

unsigned lwkt_pool_swing(void)
{
	globaldata_t gd = lwkt_arch_mycpu();
	unsigned swing = gd->gd_pool_high - gd->gd_pool_low;

	gd->gd_pool_high = gd->gd_pool_low = gd->gd_pool_out;
	return swing;
}

unsigned lwkt_pool_trim(unsigned keep, unsigned max)
{
	globaldata_t gd = lwkt_arch_mycpu();
	struct lwkt_stack *batch[TLS_BATCH_MAX];
	unsigned gone = 0;
	int saved = errno;

	if (gd->gd_curthread != &gd->gd_thread0)
		return 0;
	for (unsigned i = 0; i < STACK_CLASSES * 2; i++) {
		struct lwkt_list *pool = &gd->gd_pool[i / 2][i % 2];

		while (!list_empty(pool) && gone < max && gd->gd_stats.st_pooled > keep) {
			unsigned want = gd->gd_stats.st_pooled - keep, n;

			want = want < max - gone ? want : max - gone;
			n = unwind_some(gd, pool, batch, want < TLS_BATCH_MAX ? want : TLS_BATCH_MAX);
			if (i % 2) {
				lwkt_tls_retire(batch, n);
				gd->gd_stats.st_tls_retired += n;
			}
			for (unsigned k = 0; k < n; k++)
				lwkt_stack_free(gd, batch[k]);
			gone += n;
		}
	}
	errno = saved;
	lwkt_thread_free(gd, gone); /* as many as there are without a stack to go with them */
	return gone;
}
