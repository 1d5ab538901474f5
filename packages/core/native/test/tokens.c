/*
 * tokens.c - tokens and serializers among threads of several rforks. Also under ThreadSanitizer, which knows of every plain access here
 * whether something orders it.
 */
#include <stdatomic.h>

#define RFORKS 3
#include "rforks.h"

#define TOKENS 4
#define THREADS 12
#define ROUNDS (60 * SCALE)

/* A thread of each rfork in turn, and all of them to their end. */
static void on_all(void (*func)(void *))
{
	lwkt_thread_t tds[THREADS];

	begin_rforks();
	for (uintptr_t i = 0; i < THREADS; i++)
		tds[i] = start_on(rforks[i % (RFORKS + 1)], func, (void *)(i * 31 + 7), TDF_JOINABLE);
	for (int i = 0; i < THREADS; i++)
		CHECK_EQ(lwkt_join(tds[i]), 0);
	end_rforks();
}

static unsigned next_random(unsigned *seed)
{
	*seed = *seed * 1103515245 + 12345;
	return *seed / 65536;
}

/* ---------------------------------------------------------------- on one rfork */

static struct lwkt_token token;
static int inside, visits;

static void in_turns(void *arg)
{
	struct lwkt_tokref ref, again;

	(void)arg;
	for (int n = 0; n < 10; n++) {
		CHECK_EQ(lwkt_gettoken(&ref, &token), 0);
		CHECK_EQ(lwkt_gettoken(&again, &token), 0); /* it nests */
		visits++;
		lwkt_yield(); /* and is let go of: others come in */
		CHECK_EQ(lwkt_reltoken(&ref), EPERM); /* not the last */
		CHECK_EQ(lwkt_reltoken(&again), 0);
		CHECK_EQ(lwkt_reltoken(&ref), 0);
		CHECK_EQ(lwkt_reltoken(&ref), EPERM);
		CHECK_EQ(lwkt_trytoken(&ref, &token), 0);
		CHECK_EQ(lwkt_reltoken(&ref), 0);
	}
}

static void keeps_it(void *arg)
{
	static struct lwkt_tokref ref; /* not on a stack that is about to go */

	(void)arg;
	CHECK_EQ(lwkt_gettoken(&ref, &token), 0);
}

static void in_function(void *arg)
{
	struct lwkt_tokref ref;

	CHECK_EQ(lwkt_gettoken(&ref, arg), EDEADLK);
}

static void on_one(void)
{
	struct lwkt_tokref ref;

	lwkt_token_init(&token, "one");
	visits = 0;
	start(in_turns, NULL, 0);
	start(in_turns, NULL, 0);
	run_all();
	CHECK_EQ(visits, 20);
	start(keeps_it, NULL, 0); /* an exit lets go */
	run_all();
	start(in_turns, NULL, 0);
	run_all();
	CHECK_EQ(lwkt_gettoken(&ref, &token), EPERM); /* thread0 */
	CHECK_EQ(lwkt_send_ipiq(lwkt_mycpu(), in_function, &token, NULL), 0);
}

/* ---------------------------------------------------------------- on several */

static struct lwkt_token tokens[TOKENS];
static struct {
	int holders; /* plain: the token alone protects it */
	long sum;
} guarded[TOKENS];

static void touch(unsigned i)
{
	CHECK_EQ(guarded[i].holders, 0);
	guarded[i].holders = 1;
	guarded[i].sum++;
	guarded[i].holders = 0;
}

/* Takes up to three at a time, in any order, yields and moves with them. */
static void takes_tokens(void *arg)
{
	unsigned seed = (unsigned)(uintptr_t)arg;

	for (int n = 0; n < ROUNDS; n++) {
		struct lwkt_tokref refs[3];
		unsigned which[3], count = 1 + next_random(&seed) % 3;

		for (unsigned k = 0; k < count; k++) {
			which[k] = next_random(&seed) % TOKENS;
			CHECK_EQ(lwkt_gettoken(&refs[k], &tokens[which[k]]), 0);
			for (unsigned j = 0; j <= k; j++) /* the ones before are still, or again, ours */
				touch(which[j]);
		}
		if (next_random(&seed) % 4 == 0)
			lwkt_yield();
		if (next_random(&seed) % 8 == 0)
			CHECK_EQ(lwkt_setcpu_self(rforks[next_random(&seed) % (RFORKS + 1)]), 0);
		while (count) {
			touch(which[count - 1]);
			CHECK_EQ(lwkt_reltoken(&refs[--count]), 0);
		}
	}
}

static void on_several(void)
{
	for (int i = 0; i < TOKENS; i++) {
		lwkt_token_init(&tokens[i], "several");
		guarded[i].sum = 0;
	}
	on_all(takes_tokens);
	for (int i = 0; i < TOKENS; i++)
		CHECK(guarded[i].sum > ROUNDS);
}

static void hands_over(void *arg)
{
	struct lwkt_tokref ref;

	(void)arg;
	for (int n = 0; n < ROUNDS; n++) {
		int error = lwkt_trytoken(&ref, &token);

		if (error == EBUSY)
			error = lwkt_gettoken(&ref, &token);
		CHECK_EQ(error, 0);
		CHECK_EQ(inside, 0);
		inside = 1;
		visits++;
		inside = 0;
		CHECK_EQ(lwkt_reltoken(&ref), 0);
		if (n % 5 == 0)
			lwkt_yield();
	}
}

static void tried(void)
{
	lwkt_token_init(&token, "tried");
	visits = 0;
	on_all(hands_over);
	CHECK_EQ(visits, ROUNDS * THREADS);
}

/* ---------------------------------------------------------------- serializers */

static struct lwkt_serialize serializer;

static void serialized(void *arg)
{
	unsigned seed = (unsigned)(uintptr_t)arg;

	for (int n = 0; n < ROUNDS; n++) {
		CHECK_EQ(lwkt_serialize_enter(&serializer), 0);
		CHECK_EQ(lwkt_serialize_enter(&serializer), EDEADLK);
		CHECK_EQ(inside, 0);
		inside = 1;
		visits++;
		if (next_random(&seed) % 4 == 0)
			lwkt_yield(); /* kept */
		if (next_random(&seed) % 16 == 0)
			CHECK_EQ(lwkt_setcpu_self(rforks[next_random(&seed) % (RFORKS + 1)]), 0);
		CHECK_EQ(inside, 1);
		inside = 0;
		CHECK_EQ(lwkt_serialize_exit(&serializer), 0);
	}
}

static void serializers(void)
{
	lwkt_serialize_init(&serializer);
	visits = 0;
	CHECK_EQ(lwkt_serialize_exit(&serializer), EPERM);
	CHECK_EQ(lwkt_serialize_try(&serializer), 0);
	CHECK_EQ(lwkt_serialize_try(&serializer), EDEADLK);
	CHECK_EQ(lwkt_serialize_exit(&serializer), 0);
	on_all(serialized);
	CHECK_EQ(visits, ROUNDS * THREADS);
	CHECK_EQ(lwkt_serialize_try(&serializer), 0);
}

int main(void)
{
	ON_RFORK(on_one);
	ON_RFORK(on_several);
	ON_RFORK(tried);
	ON_RFORK(serializers);
	return 0;
}
