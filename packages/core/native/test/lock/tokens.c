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

static void shared_by_one(void *arg)
{
	struct lwkt_tokref ref, again, more;

	(void)arg;
	CHECK_EQ(lwkt_gettoken_shared(&ref, &token), 0);
	CHECK_EQ(lwkt_gettoken_shared(&again, &token), 0);
	CHECK_EQ(lwkt_gettoken(&more, &token), EDEADLK);
	CHECK_EQ(lwkt_trytoken(&more, &token), EDEADLK);
	lwkt_yield();
	CHECK_EQ(lwkt_gettoken(&more, &token), EDEADLK);
	CHECK_EQ(lwkt_reltoken(&ref), EPERM);
	CHECK_EQ(lwkt_reltoken(&again), 0);
	CHECK_EQ(lwkt_reltoken(&ref), 0);
	CHECK_EQ(lwkt_gettoken(&ref, &token), 0);
	CHECK_EQ(lwkt_gettoken_shared(&again, &token), 0);
	CHECK_EQ(lwkt_gettoken(&more, &token), 0); /* it has it for itself all the time */
	lwkt_yield();
	visits++;
	CHECK_EQ(lwkt_reltoken(&more), 0);
	CHECK_EQ(lwkt_reltoken(&again), 0);
	CHECK_EQ(lwkt_reltoken(&ref), 0);
}

static void keeps_a_share(void *arg)
{
	static struct lwkt_tokref ref;

	(void)arg;
	CHECK_EQ(lwkt_gettoken_shared(&ref, &token), 0);
}

static void shared_in_function(void *arg)
{
	struct lwkt_tokref ref;

	CHECK_EQ(lwkt_gettoken_shared(&ref, arg), EDEADLK);
}

static void shared_on_one(void)
{
	struct lwkt_tokref ref;

	lwkt_token_init(&token, "shared on one");
	visits = 0;
	for (int i = 0; i < 3; i++)
		start(shared_by_one, NULL, 0);
	run_all();
	CHECK_EQ(visits, 3);
	start(keeps_a_share, NULL, 0);
	run_all();
	start(in_turns, NULL, 0);
	run_all();
	CHECK_EQ(visits, 13);
	CHECK_EQ(lwkt_gettoken_shared(&ref, &token), EPERM);
	CHECK_EQ(lwkt_send_ipiq(lwkt_mycpu(), shared_in_function, &token, NULL), 0);
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

/* ---------------------------------------------------------------- shared, on several */

static _Atomic int readers, over;

/* Goes on when a thread of each rfork is inside: so all of them are at the same time. */
static void reads_with_others(void *arg)
{
	struct lwkt_tokref ref;

	(void)arg;
	CHECK_EQ(lwkt_gettoken_shared(&ref, &token), 0);
	atomic_fetch_add(&readers, 1);
	while (atomic_load(&readers) < RFORKS + 1)
		lwkt_process_ipiq(); /* others ask; a switch would let go */
	CHECK_EQ(lwkt_reltoken(&ref), 0);
}

static void at_the_same_time(void)
{
	lwkt_thread_t tds[RFORKS + 1];

	begin_rforks();
	lwkt_token_init(&token, "at the same time");
	for (int round = 0; round < 20; round++) {
		atomic_store(&readers, 0);
		for (int i = 0; i <= RFORKS; i++)
			tds[i] = start_on(rforks[i], reads_with_others, NULL, TDF_JOINABLE);
		for (int i = 0; i <= RFORKS; i++)
			CHECK_EQ(lwkt_join(tds[i]), 0);
	}
	end_rforks();
}

/* Keeps its share until it is told. */
static void reads_long(void *arg)
{
	struct lwkt_tokref ref;

	(void)arg;
	CHECK_EQ(lwkt_gettoken_shared(&ref, &token), 0);
	atomic_fetch_add(&readers, 1);
	while (!atomic_load(&over))
		lwkt_process_ipiq();
	CHECK_EQ(lwkt_reltoken(&ref), 0);
}

static void gets_in(void *arg)
{
	struct lwkt_tokref ref;

	CHECK_EQ(lwkt_gettoken(&ref, &token), 0);
	*(int *)arg = ++visits;
	CHECK_EQ(lwkt_reltoken(&ref), 0);
}

static void gets_in_shared(void *arg)
{
	struct lwkt_tokref ref;

	CHECK_EQ(lwkt_gettoken_shared(&ref, &token), 0);
	*(int *)arg = ++visits; /* of this rfork only, one after the other */
	CHECK_EQ(lwkt_reltoken(&ref), 0);
}

/* A reader who comes when somebody waits to write waits behind him, though others read just then. */
static void nobody_overtakes(void)
{
	int first = 0, second = 0, third = 0;
	lwkt_thread_t tds[4];

	begin_rforks();
	lwkt_token_init(&token, "nobody overtakes");
	atomic_store(&readers, 0);
	atomic_store(&over, 0);
	visits = 0;
	tds[0] = start_on(rforks[0], reads_long, NULL, TDF_JOINABLE);
	while (!atomic_load(&readers))
		lwkt_process_ipiq();
	tds[1] = start(gets_in_shared, &first, TDF_JOINABLE);
	run_all();
	CHECK_EQ(first, 1); /* nobody waits yet */
	tds[2] = start(gets_in, &second, TDF_JOINABLE);
	run_all();
	tds[3] = start(gets_in_shared, &third, TDF_JOINABLE);
	run_all();
	CHECK_EQ(visits, 1);
	atomic_store(&over, 1);
	for (int i = 0; i < 4; i++)
		CHECK_EQ(lwkt_join(tds[i]), 0);
	CHECK_EQ(second, 2);
	CHECK_EQ(third, 3);
	end_rforks();
}

/* Takes up to three at a time, each for itself or shared; what it has shared stays as it is. */
static void takes_both(void *arg)
{
	unsigned seed = (unsigned)(uintptr_t)arg;

	for (int n = 0; n < ROUNDS; n++) {
		struct lwkt_tokref refs[3];
		unsigned which[3], count = 1 + next_random(&seed) % 3;
		bool shared[3];

		for (unsigned k = 0; k < count; k++) {
			int error;

			which[k] = next_random(&seed) % TOKENS;
			shared[k] = next_random(&seed) % 3 != 0;
			error = (shared[k] ? lwkt_gettoken_shared : lwkt_gettoken)(&refs[k], &tokens[which[k]]);
			if (error) {
				CHECK_EQ(error, EDEADLK);
				CHECK(!shared[k]);
				shared[k] = true; /* as it has it */
				CHECK_EQ(lwkt_gettoken_shared(&refs[k], &tokens[which[k]]), 0);
			}
		}
		if (next_random(&seed) % 4 == 0)
			lwkt_yield();
		if (next_random(&seed) % 8 == 0)
			CHECK_EQ(lwkt_setcpu_self(rforks[next_random(&seed) % (RFORKS + 1)]), 0);
		while (count) {
			unsigned i = which[count - 1];

			if (shared[count - 1]) {
				long sum = guarded[i].sum;

				lwkt_process_ipiq();
				CHECK_EQ(guarded[i].holders, 0);
				CHECK_EQ(guarded[i].sum, sum);
			} else {
				touch(i);
			}
			CHECK_EQ(lwkt_reltoken(&refs[--count]), 0);
		}
	}
}

static void both_ways(void)
{
	for (int i = 0; i < TOKENS; i++) {
		lwkt_token_init(&tokens[i], "both ways");
		guarded[i].sum = 0;
	}
	on_all(takes_both);
	for (int i = 0; i < TOKENS; i++) {
		CHECK(guarded[i].sum > 0);
		CHECK_EQ(tokens[i].t_shares, 0);
		CHECK(!tokens[i].t_pin);
	}
}

/* ---------------------------------------------------------------- while it lets go */

/*
 * A thread on rfork 0 lets go of two tokens. Rfork 1 waits for the second and does not look at its ring, which is full: so the thread waits, and runs
 * IPI functions meanwhile, in the middle of letting go. Rfork 2 has sent two: the one that is tested, and one that has rfork 1 look again.
 */
#define HALF_A_RING 128

static struct lwkt_token first, second;
static _Atomic int ready, full, looks, got;
static lwkt_thread_t letting_go;

static void nothing(void *arg)
{
	(void)arg;
}

static void looks_again(void *asks)
{
	if (!asks)
		CHECK(!(letting_go->td_flags & TDF_RUNQ)); /* it would run here once more */
	atomic_store(&looks, 1);
}

static void wants_second(void *arg)
{
	struct lwkt_tokref ref;

	(void)arg;
	CHECK_EQ(lwkt_gettoken(&ref, &second), 0);
	CHECK_EQ(lwkt_reltoken(&ref), 0);
}

static void does_not_look(void *arg)
{
	(void)arg;
	atomic_fetch_add(&ready, 1);
	while (!atomic_load(&looks))
		;
}

/** Takes both; returns when rfork 1 waits for the second and its ring is full. */
static void take_both(struct lwkt_tokref refs[2])
{
	letting_go = lwkt_curthread();
	lwkt_token_init(&first, "first");
	lwkt_token_init(&second, "second");
	CHECK_EQ(lwkt_gettoken(&refs[0], &second), 0);
	CHECK_EQ(lwkt_gettoken(&refs[1], &first), 0);
	start_on(rforks[1], wants_second, NULL, 0);
	while (second.t_requests.next == &second.t_requests)
		lwkt_process_ipiq();
	start_on(rforks[1], does_not_look, NULL, 0);
	while (!atomic_load(&ready))
		;
	for (int i = 0; i < HALF_A_RING; i++)
		CHECK_EQ(lwkt_send_ipiq_passive(rforks[1], nothing, NULL, NULL), 0);
	atomic_store(&full, 1);
}

static void wants_first(void *arg)
{
	struct lwkt_tokref ref;

	(void)arg;
	CHECK_EQ(lwkt_gettoken(&ref, &first), 0);
	CHECK_EQ(lwkt_reltoken(&ref), 0);
	atomic_store(&got, 1);
	CHECK_EQ(lwkt_schedule(letting_go), 0);
}

static void waits_for_first(void *arg)
{
	struct lwkt_tokref refs[2];

	(void)arg;
	take_both(refs);
	while (!atomic_load(&got))
		CHECK_EQ(lwkt_block("who wants the first"), 0);
	CHECK_EQ(lwkt_reltoken(&refs[1]), 0);
	CHECK_EQ(lwkt_reltoken(&refs[0]), 0);
}

static void moves(void *arg)
{
	struct lwkt_tokref refs[2];

	(void)arg;
	take_both(refs);
	CHECK_EQ(lwkt_setcpu_self(rforks[2]), 0);
	CHECK(lwkt_mycpu() == rforks[2]);
	CHECK_EQ(lwkt_reltoken(&refs[1]), 0);
	CHECK_EQ(lwkt_reltoken(&refs[0]), 0);
}

/* On rfork 2. asks: for the first token; or it wakes the thread that is on its way. */
static void interferes(void *asks)
{
	while (!atomic_load(&full))
		;
	if (asks) {
		start_at(TDPRI_MAX, wants_first, NULL, 0);
		lwkt_yield(); /* it has asked, and waits */
	} else {
		CHECK_EQ(lwkt_schedule(letting_go), 0);
	}
	CHECK_EQ(lwkt_send_ipiq(rforks[0], looks_again, asks, NULL), 0);
}

static void let_go_and_interfere(void (*lets_go)(void *), void *asks)
{
	lwkt_thread_t td;

	atomic_store(&ready, 0);
	atomic_store(&full, 0);
	atomic_store(&looks, 0);
	atomic_store(&got, 0);
	td = start_on(rforks[0], lets_go, NULL, TDF_JOINABLE);
	CHECK_EQ(lwkt_join(start_on(rforks[2], interferes, asks, TDF_JOINABLE)), 0);
	CHECK_EQ(lwkt_join(td), 0);
}

static void while_it_lets_go(void)
{
	begin_rforks();
	let_go_and_interfere(waits_for_first, &first); /* does not end if the request is forgotten */
	let_go_and_interfere(moves, NULL);
	end_rforks();
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
	ON_RFORK(shared_on_one);
	ON_RFORK(on_several);
	ON_RFORK(tried);
	ON_RFORK(at_the_same_time);
	ON_RFORK(nobody_overtakes);
	ON_RFORK(both_ways);
	ON_RFORK(while_it_lets_go);
	ON_RFORK(serializers);
	return 0;
}
