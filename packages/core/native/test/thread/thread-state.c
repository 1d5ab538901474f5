/*
 * thread-state.c - errno is each userthread's own: across switches, with what the others and a runtime's switch leave in it, on a stack that
 * somebody had before, after a visit, and on another rfork. (The C++ exceptions, which go along with it: exceptions.cpp.)
 */

#define RFORKS 2
#include "rforks.h"

#define SPOILT 4711

/* Apart, as a compiler may keep errno's address across a call, and after one that migrates it is another kernel thread's. */
__attribute__((noipa)) static int errno_now(void)
{
	return errno;
}

__attribute__((noipa)) static void set_errno(int error)
{
	errno = error;
}

static int ended;

static void keeps_its_own(void *arg)
{
	int mine = (int)(intptr_t)arg;

	CHECK_EQ(errno_now(), 0);
	for (int i = 0; i < 20; i++) {
		set_errno(mine + i);
		lwkt_yield();
		CHECK_EQ(errno_now(), mine + i);
		lwkt_nanosleep(1000);
		CHECK_EQ(errno_now(), mine + i);
	}
	set_errno(SPOILT); /* for the next one on this stack */
	ended++;
	if (mine % 2)
		lwkt_exit();
}

static void each_its_own(void)
{
	ended = 0;
	set_errno(99);
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 50; i++)
			start(keeps_its_own, (void *)(intptr_t)(1000 * i + 1), 0);
		while (ended < 50 * (round + 1)) {
			lwkt_dispatch(0);
			CHECK_EQ(errno_now(), 99);
		}
	}
	CHECK_EQ(lwkt_pool_trim(0, ~0u), 50);
	CHECK_EQ(errno_now(), 99);
}

static void begins_with_none(void *arg)
{
	CHECK_EQ(errno_now(), 0);
	set_errno((int)(intptr_t)arg);
}

/* One takes over the other's stack, without a switch. */
static void taking_over(void)
{
	uint64_t before = stats_now().st_switches;

	for (int i = 1; i <= 100; i++)
		start(begins_with_none, (void *)(intptr_t)i, 0);
	set_errno(98);
	run_all();
	CHECK_EQ(errno_now(), 98);
	CHECK_EQ(stats_now().st_switches, before + 2);
}

/* ---- a runtime's own switch */

/* The sanitizer takes what runs for the next thread already. */
__attribute__((no_sanitize("thread"))) static void spoiling_switch(struct lwkt_context *from, struct lwkt_context *to)
{
	set_errno(SPOILT);
	lwkt_light_switch(from, to);
	set_errno(SPOILT + 1);
}

static void runtime_main(void)
{
	do {
		lwkt_thread_t td = lwkt_curthread();

		CHECK_EQ(lwkt_crit_exit(), 0);
		td->td_func(td->td_arg);
	} while (lwkt_resident_adopt() || lwkt_resident_park());
	set_errno(SPOILT + 2); /* as what it has set up goes */
}

static void runtimes(void)
{
	static const struct lwkt_resident runtime = {.main = runtime_main, .swtch = spoiling_switch};
	struct lwkt_create_args args = {.priority = -1, .resident = &runtime};

	ended = 0;
	lwkt_thread0_is_loop(spoiling_switch, NULL);
	set_errno(97);
	for (int i = 0; i < 20; i++) {
		CHECK_EQ(lwkt_create(keeps_its_own, (void *)(intptr_t)(1000 * i), NULL, &args), 0);
		start(keeps_its_own, (void *)(intptr_t)(1000 * i + 500), 0);
	}
	while (ended < 40) {
		lwkt_dispatch(0);
		CHECK_EQ(errno_now(), 97);
	}
	CHECK_EQ(lwkt_pool_trim(0, ~0u), 40);
	CHECK_EQ(errno_now(), 97);
	lwkt_thread0_is_loop(NULL, NULL);
}

/* ---- visits */

static void sleeps_with_errno(void *arg)
{
	set_errno((int)(intptr_t)arg);
	lwkt_block("test");
	CHECK_EQ(errno_now(), (int)(intptr_t)arg);
	ended++;
}

static void looks(void *arg)
{
	CHECK_EQ(errno_now(), (int)(intptr_t)arg);
	set_errno(SPOILT);
}

static void visits(void)
{
	lwkt_thread_t one = start(sleeps_with_errno, (void *)5, 0), other = start(sleeps_with_errno, (void *)6, 0);

	ended = 0;
	run_all();
	set_errno(96);
	for (int i = 0; i < 3; i++) {
		CHECK_EQ(lwkt_visit(one, looks, (void *)5), 0);
		CHECK_EQ(errno_now(), 96);
		CHECK_EQ(lwkt_visit(other, looks, (void *)6), 0);
		CHECK_EQ(errno_now(), 96);
	}
	lwkt_schedule(one);
	lwkt_schedule(other);
	run_all();
	CHECK_EQ(ended, 2);
}

/* ---- making stacks */

/* What it takes to make the next ones' stacks is not to be seen in the errno of whoever leaves the CPU for them. */
static void makes_successors(void *arg)
{
	set_errno(SPOILT);
	if ((intptr_t)arg > 0)
		for (int i = 0; i < 2; i++)
			start(makes_successors, (void *)((intptr_t)arg - 1), 0);
	for (int i = 0; i < 3; i++) {
		lwkt_yield();
		CHECK_EQ(errno_now(), SPOILT);
	}
}

static void new_stacks(void)
{
	set_errno(95);
	start(makes_successors, (void *)7, 0);
	run_all();
	CHECK_EQ(errno_now(), 95);
}

/* ---- several rforks */

static void travels(void *arg)
{
	int mine = (int)(intptr_t)arg;

	CHECK_EQ(errno_now(), 0);
	for (int i = 0; i < 30 * SCALE; i++) {
		set_errno(mine + i);
		CHECK_EQ(lwkt_setcpu_self(rforks[(mine + i) % (RFORKS + 1)]), 0);
		CHECK_EQ(errno_now(), mine + i);
		if (i % 3)
			lwkt_yield();
		CHECK_EQ(errno_now(), mine + i);
	}
}

static void on_several(void)
{
	enum { MANY = 12 };
	lwkt_thread_t tds[MANY];

	begin_rforks();
	set_errno(94);
	for (int i = 0; i < MANY; i++)
		tds[i] = start_on(rforks[i % (RFORKS + 1)], travels, (void *)(intptr_t)(10000 * (i + 1)), TDF_JOINABLE);
	for (int i = 0; i < MANY; i++)
		CHECK_EQ(lwkt_join(tds[i]), 0);
	end_rforks();
}

int main(void)
{
	ON_RFORK(each_its_own);
	ON_RFORK(taking_over);
	ON_RFORK(runtimes);
	ON_RFORK(visits);
	ON_RFORK(new_stacks);
	ON_RFORK(on_several);
	return 0;
}
