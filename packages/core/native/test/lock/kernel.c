/*
 * kernel.c - lwkt_kernel.h holds what it says: a futex for userthreads of all rforks is made of it, with times and interrupts, and nothing is lost. Also under
 * ThreadSanitizer.
 */
#include <stdatomic.h>

#include "lwkt_kernel.h"

#define RFORKS 3
#include "rforks.h"

#define ROUNDS (200 * SCALE)

/* ---------------------------------------------------------------- the futex */

struct waiter {
	struct waiter *next;
	_Atomic uint32_t *address;
	lwkt_thread_t td;
	bool queued; /* under the lock */
	bool told;   /* its thread's */
};

static struct waiter *first, **last = &first; /* under the lock */
static uint32_t lock;

static void take_out(struct waiter **place)
{
	struct waiter *waiter = *place;

	*place = waiter->next;
	if (last == &waiter->next)
		last = place;
	waiter->queued = false;
}

static bool put_in(struct waiter *waiter, uint32_t value)
{
	lwkt_word_lock(&lock);
	waiter->queued = atomic_load(waiter->address) == value;
	if (waiter->queued) {
		*last = waiter;
		last = &waiter->next;
	}
	value = waiter->queued;
	lwkt_word_unlock(&lock);
	return value;
}

static bool give_up(struct waiter *waiter)
{
	struct waiter **place = &first;
	bool queued;

	lwkt_word_lock(&lock);
	queued = waiter->queued;
	while (queued && *place != waiter)
		place = &(*place)->next;
	if (queued)
		take_out(place);
	lwkt_word_unlock(&lock);
	return queued;
}

static int futex_wait(_Atomic uint32_t *address, uint32_t value, uint64_t ns)
{
	struct waiter waiter = {.address = address, .td = lwkt_curthread()};
	struct lwkt_timed timed;
	int error = 0;

	if (!lwkt_may_wait(lwkt_mycpu()))
		return EDEADLK;
	if (!put_in(&waiter, value))
		return EAGAIN;
	lwkt_timed_begin(&timed, ns);
	while (!waiter.told && !error) {
		error = lwkt_take_interrupt();
		if (!error)
			error = lwkt_timed_is_up(waiter.td) ? EWOULDBLOCK : lwkt_wait_once("futex");
	}
	if (error && !give_up(&waiter)) {
		error = 0;
		while (!waiter.told)
			CHECK_EQ(lwkt_wait_once("futex"), 0);
	}
	lwkt_timed_end(&timed);
	return error;
}

static void tell(void *arg)
{
	struct waiter *waiter = arg;

	if (lwkt_sent_after(waiter->td, tell, waiter))
		return;
	waiter->told = true;
	lwkt_wake(waiter->td);
}

static int futex_wake(_Atomic uint32_t *address, int count)
{
	int woken = 0;

	while (woken < count) {
		struct waiter **place = &first, *waiter;

		lwkt_word_lock(&lock);
		while (*place && (*place)->address != address)
			place = &(*place)->next;
		waiter = *place;
		if (waiter)
			take_out(place);
		lwkt_word_unlock(&lock);
		if (!waiter)
			break;
		tell(waiter);
		woken++;
	}
	return woken;
}

/* ---------------------------------------------------------------- on it */

static _Atomic uint32_t mutex; /* 0: free, 1: held, 2: somebody waits */
static unsigned long guarded;  /* by it */

static void locks(void *arg)
{
	bool travels = arg != NULL;

	for (int i = 0; i < ROUNDS; i++) {
		uint32_t was = 0;

		if (!atomic_compare_exchange_strong(&mutex, &was, 1))
			while (atomic_exchange(&mutex, 2) != 0)
				futex_wait(&mutex, 2, i % 3 ? UINT64_MAX : 50000);
		guarded++;
		lwkt_yield();
		guarded++;
		if (atomic_exchange(&mutex, 0) == 2)
			futex_wake(&mutex, 1);
		if (travels && i % 10 == 0)
			CHECK_EQ(lwkt_setcpu_self(rforks[i / 10 % (RFORKS + 1)]), 0);
	}
}

static void a_mutex(void)
{
	lwkt_thread_t tds[2 * (RFORKS + 1)];

	begin_rforks();
	for (int i = 0; i < 2 * (RFORKS + 1); i++)
		tds[i] = start_on(rforks[i / 2], locks, i % 2 ? rforks : NULL, TDF_JOINABLE);
	for (int i = 0; i < 2 * (RFORKS + 1); i++)
		CHECK_EQ(lwkt_join(tds[i]), 0);
	CHECK_EQ(guarded, 2ul * 2 * (RFORKS + 1) * ROUNDS);
	CHECK(!first);
	end_rforks();
}

static _Atomic uint32_t word, waiting;

static void waits(void *arg)
{
	atomic_fetch_add(&waiting, 1);
	CHECK_EQ(futex_wait(&word, 0, UINT64_MAX), (int)(intptr_t)arg);
}

static void gives_up(void *arg)
{
	(void)arg;
	CHECK_EQ(futex_wait(&word, 1, UINT64_MAX), EAGAIN);
	CHECK_EQ(futex_wait(&word, 0, 100000), EWOULDBLOCK);
	CHECK_EQ(futex_wait(&word, 0, 0), EWOULDBLOCK);
}

static void in_an_ipi_function(void *arg)
{
	*(int *)arg = futex_wait(&word, 0, 0);
}

static void times_and_interrupts(void)
{
	lwkt_thread_t tds[RFORKS + 1];
	int error = 0;

	begin_rforks();
	for (int i = 0; i <= RFORKS; i++)
		tds[i] = start_on(rforks[i], gives_up, NULL, TDF_JOINABLE);
	for (int i = 0; i <= RFORKS; i++)
		CHECK_EQ(lwkt_join(tds[i]), 0);
	CHECK_EQ(futex_wake(&word, 1), 0);
	for (int i = 0; i <= RFORKS; i++)
		tds[i] = start_on(rforks[i], waits, i % 2 ? (void *)EINTR : NULL, TDF_JOINABLE);
	while (atomic_load(&waiting) <= RFORKS)
		lwkt_block_timed("test", 100000);
	for (int i = 1; i <= RFORKS; i += 2) {
		CHECK_EQ(lwkt_interrupt(tds[i]), 0);
		CHECK_EQ(lwkt_join(tds[i]), 0);
	}
	for (int i = 0, woken = 0; i <= RFORKS; i += 2) {
		while (woken <= i / 2) /* it may be about to wait */
			woken += futex_wake(&word, 1);
	}
	for (int i = 0; i <= RFORKS; i += 2)
		CHECK_EQ(lwkt_join(tds[i]), 0);
	CHECK_EQ(lwkt_send_ipiq(lwkt_mycpu(), in_an_ipi_function, &error, NULL), 0);
	CHECK_EQ(error, EDEADLK);
	end_rforks();
}

int main(void)
{
	ON_RFORK(a_mutex);
	ON_RFORK(times_and_interrupts);
	return 0;
}
