/*
 * pool.c - idle stacks: when a thread takes over its predecessor's, when one comes from the pool, what trimming takes, what the load is
 * said to need, and a resident of one's own at the bottom.
 */
#include "check.h"

static void *base_seen;
static lwkt_thread_t all[100];

static void notes_base(void *arg)
{
	(void)arg;
	base_seen = lwkt_stack_base(lwkt_curthread());
}

static void sleeps(void *arg)
{
	(void)arg;
	lwkt_block("test");
}

static void sleep_many(unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		all[i] = start(sleeps, NULL, 0);
	run_all();
}

static void wake_many(unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		CHECK_EQ(lwkt_schedule(all[i]), 0);
	run_all();
}

static void taking_over(void)
{
	struct lwkt_create_args large = {.priority = -1, .stack_size = 2 * LWKT_STACK_DEFAULT};
	uint64_t switches;
	void *first;

	start(notes_base, NULL, 0);
	run_all();
	first = base_seen;
	switches = stats_now().st_switches;
	for (int i = 0; i < 50; i++)
		start(notes_base, NULL, 0);
	run_all();
	CHECK(stats_now().st_switches <= switches + 2); /* there and back */
	CHECK(base_seen == first);
	CHECK_EQ(stats_now().st_pooled, 1);
	CHECK_EQ(lwkt_create(notes_base, NULL, NULL, &large), 0);
	run_all();
	CHECK(base_seen != first); /* another size */
	CHECK_EQ(stats_now().st_pooled, 2);
	start(notes_base, NULL, 0);
	run_all();
	CHECK(base_seen == first);
}

static void last_in_first_out(void)
{
	void *warmest;

	sleep_many(3);
	warmest = lwkt_stack_base(all[1]);
	CHECK_EQ(lwkt_schedule(all[0]), 0);
	CHECK_EQ(lwkt_schedule(all[2]), 0);
	CHECK_EQ(lwkt_schedule(all[1]), 0);
	run_all();
	start(notes_base, NULL, 0);
	run_all();
	CHECK(base_seen == warmest);
	CHECK_EQ(lwkt_pool_trim(1, ~0u), 2); /* the coldest go */
	start(notes_base, NULL, 0);
	run_all();
	CHECK(base_seen == warmest);
}

static void trims(void *arg)
{
	*(unsigned *)arg = lwkt_pool_trim(0, ~0u);
}

static void trimming(void)
{
	unsigned on_a_thread = 99;

	sleep_many(100);
	CHECK_EQ(lwkt_pool_trim(0, ~0u), 0); /* none is idle */
	wake_many(100);
	CHECK_EQ(stats_now().st_pooled, 100);
	CHECK_EQ(lwkt_pool_trim(100, ~0u), 0);
	CHECK_EQ(lwkt_pool_trim(0, 0), 0);
	CHECK_EQ(lwkt_pool_trim(0, 30), 30);
	CHECK_EQ(lwkt_pool_trim(60, 30), 10);
	CHECK_EQ(stats_now().st_pooled, 60);
	start(trims, &on_a_thread, 0);
	run_all();
	CHECK_EQ(on_a_thread, 0); /* for thread0 only */
	CHECK_EQ(lwkt_pool_trim(20, ~0u), 40);
	CHECK_EQ(stats_now().st_pooled, 20);
	CHECK_EQ(lwkt_pool_trim(0, ~0u), 20);
	CHECK_EQ(lwkt_pool_trim(0, ~0u), 0);
	CHECK_EQ(stats_now().st_stacks_created, 100);
	CHECK_EQ(stats_now().st_stacks_freed, 100);
	sleep_many(5); /* and all over again */
	wake_many(5);
	CHECK_EQ(stats_now().st_stacks_created, 105);
}

static void swinging(void)
{
	CHECK_EQ(lwkt_pool_swing(), 0);
	sleep_many(100);
	CHECK_EQ(lwkt_pool_swing(), 100);
	CHECK_EQ(lwkt_pool_swing(), 0); /* they only sleep */
	for (int i = 0; i < 1000; i++)
		start(notes_base, NULL, 0); /* one stack serves them all */
	run_all();
	CHECK_EQ(lwkt_pool_swing(), 1);
	wake_many(100);
	CHECK_EQ(lwkt_pool_swing(), 100);
	sleep_many(30);
	wake_many(30);
	sleep_many(40);
	CHECK_EQ(lwkt_pool_swing(), 40);
	lwkt_pool_trim(0, ~0u);
	wake_many(40);
	CHECK_EQ(lwkt_pool_swing(), 40);
}

/* ---- a resident of one's own */

static int entered, left, jobs, switches;

static void resident_main(void)
{
	volatile int canary = ++entered;
	int mine = canary;

	do {
		lwkt_thread_t td = lwkt_curthread();

		CHECK_EQ(lwkt_crit_exit(), 0); /* the section it was born in is its first frame's to leave */
		td->td_func(td->td_arg);
		jobs++;
	} while (lwkt_resident_adopt() || lwkt_resident_park());
	CHECK_EQ(canary, mine);
	CHECK_EQ(lwkt_exit(), EPERM);
	left++;
}

static void resident_switch(struct lwkt_context *from, struct lwkt_context *to)
{
	switches++;
	lwkt_light_switch(from, to);
}

static const struct lwkt_resident own_resident = {.main = resident_main, .swtch = resident_switch};

static void must_return(void *arg)
{
	(void)arg;
	CHECK_EQ(lwkt_exit(), EPERM); /* its resident has something on the stack */
	lwkt_yield();
}

static void residents(void)
{
	struct lwkt_create_args args = {.priority = -1, .resident = &own_resident};

	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 20; i++) {
			CHECK_EQ(lwkt_create(must_return, NULL, NULL, &args), 0);
			start(notes_base, NULL, 0); /* plain C ones must not get their stacks */
		}
		run_all();
	}
	CHECK_EQ(jobs, 60);
	CHECK(entered >= 20 && entered < 60); /* stacks kept their residents */
	CHECK(switches >= 60);
	CHECK_EQ(left, 0);
	lwkt_pool_trim(0, ~0u);
	CHECK_EQ(left, entered); /* each main has returned */
	CHECK_EQ(stats_now().st_pooled, 0);
}

int main(void)
{
	ON_RFORK(taking_over);
	ON_RFORK(last_in_first_out);
	ON_RFORK(trimming);
	ON_RFORK(swinging);
	ON_RFORK(residents);
	return 0;
}
