/*
 * cancels.c - threads that are cancelled wherever they are: in a wait of each kind, before it, or computing. The cleanup handler runs once, and what
 * they had is free again.
 */
#include "soak.h"

#include <poll.h>

#define CANCELLERS 2

struct victim {
	pthread_mutex_t mutex;
	pthread_cond_t cond;
	sem_t sem;
	int fds[2];
	void (*wait)(struct victim *victim);
	volatile int cleaned, has_mutex;
};

static void clean(void *arg)
{
	struct victim *victim = arg;

	if (victim->has_mutex)
		pthread_mutex_unlock(&victim->mutex);
	victim->cleaned++;
}

static void in_cond(struct victim *victim)
{
	pthread_mutex_lock(&victim->mutex);
	victim->has_mutex = 1;
	for (;;)
		pthread_cond_wait(&victim->cond, &victim->mutex);
}

static void in_timed_cond(struct victim *victim)
{
	pthread_mutex_lock(&victim->mutex);
	victim->has_mutex = 1;
	for (;;) {
		struct timespec ts = soon(CLOCK_REALTIME, 100);

		pthread_cond_timedwait(&victim->cond, &victim->mutex, &ts);
	}
}

static void in_semaphore(struct victim *victim)
{
	for (;;)
		sem_wait(&victim->sem);
}

static void in_read(struct victim *victim)
{
	char byte;

	for (;;)
		if (read(victim->fds[0], &byte, 1) == 1)
			abort();
}

static void in_poll(struct victim *victim)
{
	struct pollfd one = {.fd = victim->fds[0], .events = POLLIN};

	for (;;)
		poll(&one, 1, 1000);
}

static void in_sleep(struct victim *victim)
{
	(void)victim;
	for (;;)
		usleep(300);
}

static void in_test(struct victim *victim)
{
	(void)victim;
	for (;;)
		pthread_testcancel();
}

static void computing(struct victim *victim)
{
	volatile unsigned n = 0;

	(void)victim;
	pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
	for (;;)
		n++;
}

static void *victim_main(void *arg)
{
	struct victim *victim = arg;

	pthread_cleanup_push(clean, victim);
	victim->wait(victim);
	pthread_cleanup_pop(0);
	return NULL;
}

static void begin_victim(struct victim *victim)
{
	static void (*const waits[])(struct victim *) = {in_cond, in_timed_cond, in_semaphore, in_read, in_poll, in_sleep, in_test, computing};

	memset(victim, 0, sizeof(*victim));
	pthread_mutex_init(&victim->mutex, NULL);
	pthread_cond_init(&victim->cond, NULL);
	sem_init(&victim->sem, 0, 0);
	CHECK(pipe(victim->fds) == 0);
	victim->wait = waits[dice(sizeof(waits) / sizeof(waits[0]))];
}

static void *canceller(void *actor)
{
	begin_actor(actor);
	while (!board->stop) {
		struct victim victim;
		pthread_t thread;
		void *value;

		begin_victim(&victim);
		DO("pthread_create");
		OK(pthread_create(&thread, NULL, victim_main, &victim));
		if (dice(2))
			usleep((useconds_t)dice(300));
		DO("pthread_cancel");
		OK(pthread_cancel(thread));
		DO("pthread_join of a cancelled thread");
		OK(pthread_join(thread, &value));
		CHECK(value == PTHREAD_CANCELED);
		CHECK(victim.cleaned == 1 || !victim.cleaned); /* it may have been cancelled before it had a handler */
		OK(pthread_mutex_lock(&victim.mutex));
		OK(pthread_mutex_unlock(&victim.mutex));
		OK(pthread_cond_destroy(&victim.cond)); /* nobody waits any more, or this does for ever */
		close(victim.fds[0]);
		close(victim.fds[1]);
		me->progress++;
		__atomic_fetch_add(&board->cancelled, 1, __ATOMIC_RELAXED);
	}
	return end_actor();
}

void cancels_begin(void)
{
	for (int i = 0; i < CANCELLERS; i++)
		act("canceller", i, canceller);
}
