/*
 * resident.c - what stands at the bottom of a userthread's stack, and how the stack goes from one thread to the next.
 *
 * A thread gets its stack when it is first switched to, not when it is created. A thread that ends hands its stack to the next
 * one to run if that is fresh and of the same kind ("adopt"): no switch, no allocation. Otherwise the stack goes to the pool with
 * its main suspended in lwkt_resident_park ("park"), and a fresh thread that gets it goes on there.
 *
 * Invariant: a stack is either curthread's, or some switched-out thread's, or in the pool. In the last case only its main's
 * frames are on it.
 */
#include "debug.h"

static void plain_main(void);

const struct lwkt_resident lwkt_plain_resident = {.main = plain_main};

static int same_kind(lwkt_thread_t td, const struct lwkt_stack *stack)
{
	return lwkt_resident_of(td) == stack->st_resident && td->td_stack_size == stack->st_chunk->ch_size &&
	       stack->st_chunk->ch_gd == td->td_gd;
}

/** A fresh thread, curthread, begins to run: on what another one has left behind, or whoever gave it the CPU. */
static void begins(globaldata_t gd)
{
	lwkt_state_arrives(&gd->gd_state, gd->gd_curthread);
	if (is_watched(gd))
		lwkt_watch_begins(gd, gd->gd_curthread, false);
}

int lwkt_resident_adopt(void)
{
	globaldata_t gd = lwkt_arch_mycpu();
	lwkt_thread_t cur = gd->gd_curthread, next;
	struct lwkt_stack *stack = cur->td_stack;

	/* From here until park has switched, curthread names a finished thread: its structure may be on the free list, but
	 * nobody runs who could take it from there. */
	if (is_watched(gd))
		lwkt_watch_ends(gd, cur);
	lwkt_thread_finish(gd, cur, 0);
	next = lwkt_peek(gd);
	if (!next || !(next->td_flags & TDF_FRESH) || !same_kind(next, stack) || lwkt_pass_is_over(gd))
		return 0;
	lwkt_start_running(gd, next);
	next->td_stack = stack;
	begins(gd);
	return 1;
}

int lwkt_resident_park(void)
{
	globaldata_t gd = lwkt_arch_mycpu();
	struct lwkt_stack *stack = gd->gd_curthread->td_stack;
	const struct lwkt_resident *resident = stack->st_resident;
	struct lwkt_context *to;

	if (stack->st_chunk->ch_gd == gd)
		lwkt_pool_return(gd, stack);
	else
		gd->gd_homing = stack;
	to = lwkt_next_context(gd);
	if (is_traced(gd))
		lwkt_trace_switch_to(gd);
	sanitizer_leaving(gd);
	(resident->swtch ? resident->swtch : lwkt_arch_switch)(&stack->st_ctx, to);
	gd = lwkt_arch_mycpu(); /* a stack may come back here on another rfork than it left */
	sanitizer_arrived(gd);
	if (stack->st_unwind)
		return 0;
	begins(gd);
	return 1;
}

/** The first frame of every stack. */
void lwkt_stack_main(void)
{
	globaldata_t gd = lwkt_arch_mycpu();
	struct lwkt_stack *stack = gd->gd_curthread->td_stack;

	sanitizer_arrived(gd);
	begins(gd);
	stack->st_resident->main();
	/* Unwound, on the reaper's account: back to lwkt_resident_unwind, for good. */
	lwkt_start_running(gd, &gd->gd_thread0);
	sanitizer_leaving(gd);
	lwkt_arch_switch(&stack->st_ctx, &gd->gd_thread0.td_ctx);
}

/** On thread0: lets the main of a pooled stack return. The stack holds no frame of use afterwards. */
void lwkt_resident_unwind(globaldata_t gd, struct lwkt_stack *stack)
{
	lwkt_thread_t td0 = &gd->gd_thread0;

	if (stack->st_resident && stack->st_resident != &lwkt_plain_resident) {
		stack->st_unwind = true;
		gd->gd_reaper.td_stack = stack;
		lwkt_state_leaves(&gd->gd_state, td0);
		lwkt_start_running(gd, &gd->gd_reaper);
		sanitizer_leaving(gd);
		td0->td_switch(&td0->td_ctx, &stack->st_ctx);
		sanitizer_arrived(gd);
		lwkt_state_arrives(&gd->gd_state, td0);
		stack->st_unwind = false;
	}
	stack->st_resident = NULL;
}

static void plain_main(void)
{
	struct lwkt_stack *stack = lwkt_arch_mycpu()->gd_curthread->td_stack;

	__builtin_setjmp(stack->st_exit); /* lwkt_exit comes back here, and finds the thread still to be finished */
	if (lwkt_arch_mycpu()->gd_curthread->td_flags & TDF_EXITING)
		goto ended;
	for (;;) {
		lwkt_thread_t td = lwkt_arch_mycpu()->gd_curthread;

		td->td_critcount--; /* the section it was born in */
		lwkt_arch_set_fpcontrol(td->td_fpcontrol ? td->td_fpcontrol : td->td_gd->gd_fpcontrol); /* or it had what the last one on this stack left behind */
		td->td_func(td->td_arg);
ended:
		if (!lwkt_resident_adopt())
			lwkt_resident_park();
	}
}

int lwkt_exit(void)
{
	lwkt_thread_t cur = lwkt_arch_mycpu()->gd_curthread;

	if ((cur->td_flags & TDF_THREAD0) || cur->td_stack->st_resident != &lwkt_plain_resident)
		return MISUSE(EPERM, "thread0 and threads of a runtime's end by returning from their function");
	cur->td_flags |= TDF_EXITING;
	__builtin_longjmp(cur->td_stack->st_exit, 1);
}
