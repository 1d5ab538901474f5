/*
 * pool.c - idle stacks, kept with their residents: what those have set up, and the pages in use, is what a new stack costs.
 * Last in, first out: the warmest stack is used next, the coldest go first when the pool is trimmed.
 *
 * How many are worth keeping is the caller's to decide (lwkt_pool_trim); what it needs to know for that is counted here, where stacks
 * come and go, and not where threads do: a thread that takes over its predecessor's stack costs nothing.
 *
 * Invariant: a stack in the pool has no thread; its resident, if it has one, is suspended in lwkt_resident_park.
 */
#include "internal.h"

/** A thread has ended and leaves its stack. */
void lwkt_pool_return(globaldata_t gd, struct lwkt_stack *stack)
{
	if (--gd->gd_pool_out < gd->gd_pool_low)
		gd->gd_pool_low = gd->gd_pool_out;
	list_append(&gd->gd_pool[lwkt_stack_class(stack->st_chunk->ch_size)], &stack->st_link);
	gd->gd_stats.st_pooled++;
}

static void take(globaldata_t gd, struct lwkt_stack *stack)
{
	list_remove(&stack->st_link);
	gd->gd_stats.st_pooled--;
}

/** An idle stack that fits td, taken out of the pool; NULL where there is none. */
static struct lwkt_stack *take_idle(globaldata_t gd, lwkt_thread_t td)
{
	struct lwkt_list *pool = &gd->gd_pool[lwkt_stack_class(td->td_stack_size)];

	for (struct lwkt_list *n = pool->prev; n != pool; n = n->prev) {
		struct lwkt_stack *stack = LIST_ENTRY(n, struct lwkt_stack, st_link);

		if (!stack->st_resident || stack->st_resident == lwkt_resident_of(td)) {
			take(gd, stack);
			return stack;
		}
	}
	return NULL;
}

/** A stack for td, which is fresh; NULL where there is no memory for one. */
struct lwkt_stack *lwkt_pool_get(globaldata_t gd, lwkt_thread_t td)
{
	struct lwkt_stack *stack = take_idle(gd, td);

	if (!stack)
		stack = lwkt_stack_alloc(gd, lwkt_stack_class(td->td_stack_size));
	if (stack && ++gd->gd_pool_out > gd->gd_pool_high)
		gd->gd_pool_high = gd->gd_pool_out;
	return stack;
}

/** Whether the stack that td, which is fresh, would get first is an idle one with a resident of its kind: to get that is a short way. */
bool lwkt_pool_is_warm(globaldata_t gd, lwkt_thread_t td)
{
	const struct lwkt_list *pool = &gd->gd_pool[lwkt_stack_class(td->td_stack_size)];

	return !list_empty(pool) && LIST_ENTRY(pool->prev, struct lwkt_stack, st_link)->st_resident == lwkt_resident_of(td);
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
	unsigned gone = 0;

	if (gd->gd_curthread != &gd->gd_thread0)
		return 0;
	for (unsigned cls = 0; cls < STACK_CLASSES; cls++) {
		struct lwkt_list *pool = &gd->gd_pool[cls];

		for (; !list_empty(pool) && gone < max && gd->gd_stats.st_pooled > keep; gone++) {
			struct lwkt_stack *stack = LIST_ENTRY(pool->next, struct lwkt_stack, st_link);

			take(gd, stack);
			lwkt_resident_unwind(gd, stack);
			lwkt_stack_free(gd, stack);
		}
	}
	lwkt_thread_free(gd, gone); /* as many as there are without a stack to go with them */
	return gone;
}
