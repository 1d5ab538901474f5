/*
 * wait.c - wait queues: threads of any rfork wait for a signal, which a generation number keeps from being lost (DragonFly 2003: lwkt_block and
 * lwkt_signal of lwkt_thread.c; the spin lock takes the place of its token, so that an IPI function and thread0 can signal).
 *
 * Whoever signals takes the waiters off the queue, and then tells each on its own rfork. A waiter whose time is up takes itself off, if it is
 * still there; if not, somebody is about to tell it, and it waits for that: its stack must stay until then.
 *
 * Invariants:
 *  - w_lock is held for a few instructions, never across anything that blocks, switches or sends.
 *  - A waiter is signalled exactly if it was taken off the queue by a signal, and then it answers 0. So no signal is lost with one that gives up.
 */
#include "debug.h"
#include "waiter.h"

/** On the waiting thread's stack. */
struct waiter {
	struct lwkt_list link; /* in the queue, under its lock; then in a list of whoever signals */
	lwkt_thread_t td;
	bool queued;    /* under the lock */
	bool signalled; /* td's: written through its own rfork, after the last touch of the others */
};

void lwkt_wait_init(struct lwkt_wait *w)
{
	w->w_lock = 0;
	w->w_gen = 0;
	list_init(&w->w_waiters);
}

uint32_t lwkt_wait_gen(const struct lwkt_wait *w)
{
	return __atomic_load_n(&w->w_gen, __ATOMIC_ACQUIRE);
}

/** Puts the waiter into the queue, unless there was a signal since gen was read. Whether it did. */
static bool join_queue(struct lwkt_wait *w, struct waiter *waiter, uint32_t gen)
{
	bool queued;

	lwkt_word_lock(&w->w_lock);
	queued = waiter->queued = w->w_gen == gen;
	if (queued)
		list_append(&w->w_waiters, &waiter->link);
	lwkt_word_unlock(&w->w_lock);
	return queued; /* waiter->queued may be another one's doing by now */
}

/** The waiter does not want to wait any longer. Whether it was still queued. */
static bool leave_queue(struct lwkt_wait *w, struct waiter *waiter)
{
	bool was_queued;

	lwkt_word_lock(&w->w_lock);
	was_queued = waiter->queued;
	if (was_queued)
		list_remove(&waiter->link);
	waiter->queued = false;
	lwkt_word_unlock(&w->w_lock);
	return was_queued;
}

/** One round. Returns 0, or why the waiter should give up. */
static int wait_a_round(lwkt_thread_t td, const char *wmesg)
{
	if (td->td_flags & TDF_INTR)
		return EINTR;
	return lwkt_timed_is_up(td) ? EWOULDBLOCK : lwkt_wait_once(wmesg);
}

int lwkt_wait_block_timed(struct lwkt_wait *w, const char *wmesg, uint32_t *gen, uint64_t ns)
{
	globaldata_t gd = lwkt_arch_mycpu();
	struct waiter waiter = {.td = gd->gd_curthread};
	struct lwkt_timed timed;
	int error = 0;

	if (!lwkt_may_wait(gd) && lwkt_wait_gen(w) == *gen)
		return MISUSE(EDEADLK, "%s", lwkt_debug_no_wait());
	if (join_queue(w, &waiter, *gen)) {
		lwkt_timed_begin(&timed, ns);
		while (!error && !waiter.signalled)
			error = wait_a_round(waiter.td, wmesg);
		if (error && !leave_queue(w, &waiter)) {
			error = 0; /* and an abort stays pending */
			while (!waiter.signalled)
				lwkt_wait_once(wmesg);
		}
		lwkt_timed_end(&timed);
		if (error == EINTR)
			take_interrupt(waiter.td);
	}
	*gen = lwkt_wait_gen(w);
	return error;
}

int lwkt_wait_block(struct lwkt_wait *w, const char *wmesg, uint32_t *gen)
{
	return lwkt_wait_block_timed(w, wmesg, gen, UINT64_MAX);
}

/** On the waiter's rfork, wherever it is. */
static void tell(void *arg)
{
	struct waiter *waiter = arg;

	if (sent_after(waiter->td, tell, waiter))
		return;
	waiter->signalled = true;
	lwkt_wake(waiter->td);
}

/** Moves up to count waiters from the queue to `woken`; all where count is negative. Returns how many. */
static unsigned take_waiters(struct lwkt_wait *w, struct lwkt_list *woken, int count)
{
	unsigned n = 0;

	lwkt_word_lock(&w->w_lock);
	__atomic_store_n(&w->w_gen, w->w_gen + 1, __ATOMIC_RELEASE);
	for (; count != 0 && !list_empty(&w->w_waiters); count -= count > 0, n++) {
		struct waiter *waiter = LIST_ENTRY(w->w_waiters.next, struct waiter, link);

		list_remove(&waiter->link);
		list_append(woken, &waiter->link);
		waiter->queued = false;
	}
	lwkt_word_unlock(&w->w_lock);
	return n;
}

unsigned lwkt_wait_signal(struct lwkt_wait *w, int count)
{
	struct lwkt_list woken;
	unsigned n;

	list_init(&woken);
	n = take_waiters(w, &woken, count);
	while (!list_empty(&woken)) {
		struct waiter *waiter = LIST_ENTRY(woken.next, struct waiter, link);

		list_remove(&waiter->link);
		tell(waiter);
	}
	return n;
}
