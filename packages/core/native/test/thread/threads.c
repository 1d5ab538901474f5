/*
 * threads.c - userthreads come, run and go: what lwkt_create promises, and that a hundred thousand of them leave nothing behind.
 */
#include "check.h"

#define MANY 100000
#define AT_ONCE 10000

static int ran;

static void count(void *arg)
{
	(void)arg;
	ran++;
}

static void see_itself(void *arg)
{
	lwkt_thread_t *td = arg;

	CHECK(*td == lwkt_curthread());
	CHECK((*td)->td_arg == arg);
	CHECK_EQ((*td)->td_flags & (TDF_RUNNING | TDF_RUNQ), TDF_RUNNING | TDF_RUNQ);
	CHECK_EQ((*td)->td_flags & (TDF_FRESH | TDF_EXITING), 0);
	CHECK_EQ((*td)->td_critcount, 0);
	CHECK_EQ((*td)->td_nswitches, 1);
	CHECK((*td)->td_gd == lwkt_mycpu());
	CHECK(lwkt_thread0() != *td);
	ran++;
}

static void creation(void)
{
	struct lwkt_create_args args = {.name = "a name that is longer than a name may ever be", .priority = 9, .data = &ran};
	lwkt_thread_t td, other;

	CHECK(lwkt_curthread() == lwkt_thread0());
	CHECK_EQ(lwkt_thread0()->td_id, 0);
	ran = 0;
	CHECK_EQ(lwkt_create(see_itself, &td, &td, NULL), 0);
	CHECK_EQ(ran, 0); /* it does not switch */
	CHECK_EQ(strcmp(td->td_comm, "userthread"), 0);
	CHECK_EQ(td->td_pri, TDPRI_KERN);
	CHECK_EQ(td->td_stack_size, LWKT_STACK_DEFAULT);
	CHECK(lwkt_stack_base(td) == NULL);
	CHECK_EQ(lwkt_create(count, NULL, &other, &args), 0);
	CHECK_EQ(strlen(other->td_comm), LWKT_NAME_MAX - 1);
	CHECK_EQ(strncmp(other->td_comm, args.name, LWKT_NAME_MAX - 1), 0);
	CHECK_EQ(other->td_pri, 9);
	CHECK(other->td_data == &ran);
	CHECK(other->td_id > td->td_id);
	CHECK_EQ(stats_now().st_alive, 2);
	run_all();
	CHECK_EQ(ran, 2);
	CHECK_EQ(lwkt_create(count, NULL, NULL, NULL), 0); /* nobody has to know it */
	run_all();
	CHECK_EQ(ran, 3);
}

static void not_started(void)
{
	lwkt_thread_t td = start(count, NULL, TDF_NOSTART);

	ran = 0;
	run_all();
	CHECK_EQ(ran, 0);
	CHECK_EQ(lwkt_schedule(td), 0);
	run_all();
	CHECK_EQ(ran, 1);
}

static void leave(int depth)
{
	volatile char frame[64] = {0};

	if (depth > 0)
		leave(depth - 1);
	else
		lwkt_exit();
	frame[0]++;
}

static void leave_deep(void *arg)
{
	ran++;
	leave(20);
	(void)arg;
	CHECK(!"lwkt_exit returned");
}

static void exits(void)
{
	ran = 0;
	for (int i = 0; i < 1000; i++) {
		start(i % 2 ? leave_deep : count, NULL, 0);
		if (i % 7 == 0)
			run_all();
	}
	run_all();
	CHECK_EQ(ran, 1000);
}

static void parent(void *arg)
{
	long depth = (long)arg;

	ran++;
	if (depth > 0) {
		start(parent, (void *)(depth - 1), 0);
		start(parent, (void *)(depth - 1), 0);
	}
}

static void families(void)
{
	ran = 0;
	start(parent, (void *)10L, 0);
	run_all();
	CHECK_EQ(ran, (1 << 11) - 1);
}

static void many_after_each_other(void)
{
	size_t before = 0;

	ran = 0;
	for (int i = 0; i < MANY; i++) {
		start(count, NULL, 0);
		if (i % 100 == 99)
			run_all();
		if (i == MANY / 10)
			before = resident_bytes();
	}
	run_all();
	CHECK_EQ(ran, MANY);
	CHECK_EQ(stats_now().st_created, MANY);
	CHECK_EQ(stats_now().st_pooled, 1); /* each took over its predecessor's stack */
	CHECK(resident_bytes() < before + (1u << 20));
}

static void wait_and_add(void *arg)
{
	long number = (long)arg;
	volatile long copy = number;

	CHECK_EQ(lwkt_block("test"), 0);
	CHECK_EQ(copy, number);
	ran++;
}

static void many_at_once(void)
{
	lwkt_thread_t *all = calloc(AT_ONCE, sizeof(*all));

	CHECK(all != NULL);
	ran = 0;
	for (long i = 0; i < AT_ONCE; i++)
		all[i] = start(wait_and_add, (void *)i, 0);
	run_all();
	CHECK_EQ(ran, 0);
	CHECK_EQ(stats_now().st_alive, AT_ONCE);
	CHECK_EQ(strcmp(all[0]->td_wmesg, "test"), 0);
	for (int i = AT_ONCE - 1; i >= 0; i--)
		CHECK_EQ(lwkt_schedule(all[i]), 0);
	run_all();
	CHECK_EQ(ran, AT_ONCE);
	free(all);
}

int main(void)
{
	CHECK_EQ(lwkt_is_rfork(), 0);
	ON_RFORK(creation);
	ON_RFORK(not_started);
	ON_RFORK(exits);
	ON_RFORK(families);
	ON_RFORK(many_after_each_other);
	ON_RFORK(many_at_once);
	return 0;
}
