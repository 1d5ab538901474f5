/*
 * waiter.c - waiting and waking: see waiter.h, also for the invariants.
 */
#include "waiter.h"

void lwkt_waiter_init(struct lwkt_waiter *waiter)
{
	list_init(&waiter->link);
	waiter->place = NULL;
	waiter->td = lwkt_arch_mycpu()->gd_curthread;
	waiter->woken = false;
}

/** Without the lock, by who has taken the waiter. An IPI function, too: it goes where the waiting thread is. */
void lwkt_waiter_wake(void *arg)
{
	struct lwkt_waiter *waiter = arg;

	if (sent_after(waiter->td, lwkt_waiter_wake, waiter))
		return;
	waiter->woken = true;
	lwkt_wake(waiter->td);
}

/** Under the lock: takes itself out, if nobody else has. Whether nobody had. */
static bool give_up(struct lwkt_waiter *waiter)
{
	bool waiting = !list_empty(&waiter->link);

	list_remove(&waiter->link);
	if (waiter->place && *waiter->place == waiter) {
		*waiter->place = NULL;
		waiting = true;
	}
	return waiting;
}

/**
 * Waits for the wake-up; with `timed`, for as long as the thread's timed section lasts (timer.c). Returns 0, EWOULDBLOCK where the time is up, or
 * EDEADLK where the thread can't wait: then nobody has taken the waiter, and nobody will.
 */
int lwkt_waiter_wait(struct lwkt_waiter *waiter, uint32_t *word, const char *wmesg, bool timed)
{
	while (!waiter->woken) {
		int error = timed && lwkt_timed_is_up(waiter->td) ? EWOULDBLOCK : lwkt_wait_once(wmesg);
		bool gave_up = false;

		if (!error)
			continue;
		lwkt_word_lock(word);
		gave_up = give_up(waiter);
		lwkt_word_unlock(word);
		if (gave_up)
			return error;
		timed = false; /* it has been taken, and the wake-up is on its way */
	}
	return 0;
}
