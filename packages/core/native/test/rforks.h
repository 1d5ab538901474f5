/*
 * rforks.h - what the tests with several rforks have in common: RFORKS of them beside the test's own.
 */
#ifndef LWKT_TEST_RFORKS_H
#define LWKT_TEST_RFORKS_H

#include "check.h"

/* Sanitisers take ten times as long: they make fewer rounds. */
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#define SCALE 1
#else
#define SCALE 10
#endif

static globaldata_t rforks[RFORKS + 1]; /* the last is the test's own */

static inline void begin_rforks(void)
{
	struct lwkt_rfork_args args = {.name = "test"};

	for (int i = 0; i < RFORKS; i++)
		CHECK_EQ(lwkt_rfork_create(NULL, NULL, &rforks[i], &args), 0);
	rforks[RFORKS] = lwkt_mycpu();
	CHECK_EQ(lwkt_ncpus(), RFORKS + 1);
}

static inline void end_rforks(void)
{
	for (int i = 0; i < RFORKS; i++)
		CHECK_EQ(lwkt_rfork_join(rforks[i]), 0);
	CHECK_EQ(lwkt_ncpus(), 1);
}

static inline lwkt_thread_t start_on(globaldata_t rfork, void (*func)(void *), void *arg, uint32_t flags)
{
	struct lwkt_create_args args = {.priority = -1, .flags = flags, .rfork = rfork};
	lwkt_thread_t td = NULL;

	CHECK_EQ(lwkt_create(func, arg, &td, &args), 0);
	CHECK(td != NULL);
	return td;
}

#endif
