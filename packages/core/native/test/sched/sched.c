/*
 * sched.c - who runs when: fixed priorities, round robin among equals, blocking and waking, and how a pass of thread0's ends.
 * Each thread writes its letter down as it runs; the order is what is checked.
 */
#include "lwkt_kernel.h"
#include "check.h"

static char order[256];
static unsigned length;

static void note(char letter)
{
	CHECK(length < sizeof(order) - 1);
	order[length++] = letter;
	order[length] = '\0';
}

static void expect(const char *want)
{
	if (strcmp(order, want) != 0)
		fprintf(stderr, "order is %s, not %s: ", order, want);
	CHECK(strcmp(order, want) == 0);
	length = 0;
	order[0] = '\0';
}

static void once(void *arg)
{
	note((char)(uintptr_t)arg);
}

static void thrice(void *arg)
{
	for (int i = 0; i < 3; i++) {
		note((char)(uintptr_t)arg);
		lwkt_yield();
	}
}

static void blocks(void *arg)
{
	note((char)(uintptr_t)arg);
	CHECK_EQ(lwkt_block("test"), 0);
	note((char)((uintptr_t)arg - 'a' + 'A'));
}

static lwkt_thread_t letter(void (*func)(void *), char name, int priority)
{
	return start_at(priority, func, (void *)(uintptr_t)name, 0);
}

static void fifo_and_round_robin(void)
{
	for (char c = 'a'; c <= 'e'; c++)
		letter(once, c, -1);
	run_all();
	expect("abcde");
	for (char c = 'a'; c <= 'c'; c++)
		letter(thrice, c, -1);
	run_all();
	expect("abcabcabc");
}

static void create_then_yield(void *arg)
{
	(void)arg;
	note('p');
	letter(once, 'x', -1);
	lwkt_yield();
	note('p');
	letter(once, 'y', -1);
	letter(once, 'z', -1);
	lwkt_switch(); /* still runnable: the same as a yield */
	note('p');
}

static void wake_then_yield(void *arg)
{
	note('p');
	CHECK_EQ(lwkt_schedule(arg), 0);
	CHECK(lwkt_yield_wanted());
	lwkt_yield();
	note('p');
}

/* What becomes runnable while a thread runs goes before that thread when it yields. */
static void yield_lets_newcomers_run(void)
{
	lwkt_thread_t td;

	start(create_then_yield, NULL, 0);
	run_all();
	expect("pxpyzp");
	td = letter(blocks, 'b', -1);
	run_all();
	expect("b");
	start(wake_then_yield, td, 0);
	run_all();
	expect("pBp");
}

static void yields_alone(void *arg)
{
	uint64_t switches = stats_now().st_switches;

	(void)arg;
	CHECK(!lwkt_yield_wanted());
	lwkt_yield();
	lwkt_switch();
	CHECK_EQ(stats_now().st_switches, switches);
	CHECK_EQ(lwkt_dispatch(0), 0);
	CHECK_EQ(lwkt_runnable(), 1);
}

static void alone(void)
{
	start(yields_alone, NULL, 0);
	run_all();
}

static void lower_waits(void *arg)
{
	(void)arg;
	letter(once, 'l', 3);
	lwkt_yield();
	note('m');
	letter(once, 'h', 20);
	CHECK(lwkt_yield_wanted());
	lwkt_yield();
	note('m');
}

static void priorities(void)
{
	letter(once, 'c', TDPRI_USER);
	letter(once, 'e', TDPRI_IDLE);
	letter(once, 'a', TDPRI_MAX);
	letter(once, 'd', 1);
	letter(once, 'b', TDPRI_KERN);
	run_all();
	expect("abcde");
	start_at(10, lower_waits, NULL, 0);
	run_all();
	expect("mhml");
}

static void lowers_itself(void *arg)
{
	lwkt_thread_t self = lwkt_curthread();

	(void)arg;
	note('s');
	CHECK_EQ(lwkt_setpri(self, 5), 0);
	CHECK_EQ(self->td_pri, 5);
	note('s'); /* it does not switch */
	lwkt_yield();
	note('s');
}

static void changing_priorities(void)
{
	lwkt_thread_t td;

	letter(once, 'a', -1);
	letter(once, 'b', -1);
	td = letter(once, 'c', -1);
	CHECK_EQ(lwkt_setpri(td, 20), 0);
	run_all();
	expect("cab");
	td = letter(once, 'a', -1);
	letter(once, 'b', -1);
	CHECK_EQ(lwkt_setpri(td, TDPRI_KERN), 0); /* last of its level, though it is the same */
	run_all();
	expect("ba");
	start_at(9, lowers_itself, NULL, 0);
	letter(once, 'x', 7);
	letter(once, 'y', 5);
	run_all();
	expect("ssxys");
	td = letter(blocks, 'b', -1);
	run_all();
	expect("b");
	CHECK_EQ(lwkt_setpri(td, 2), 0); /* asleep: takes effect when it wakes */
	letter(once, 'm', 4);
	CHECK_EQ(lwkt_schedule(td), 0);
	run_all();
	expect("mB");
}

static void deschedules(void *arg)
{
	(void)arg;
	lwkt_deschedule_self();
	CHECK_EQ(lwkt_curthread()->td_flags & TDF_RUNQ, 0);
	note('d'); /* runs on */
	lwkt_switch();
	note('D');
}

static void blocking(void)
{
	lwkt_thread_t td = letter(blocks, 'b', -1), other = start(deschedules, NULL, 0);

	run_all();
	expect("bd");
	CHECK_EQ(lwkt_runnable(), 0);
	for (int i = 0; i < 3; i++)
		CHECK_EQ(lwkt_schedule(td), 0); /* idempotent */
	CHECK_EQ(lwkt_runnable(), 1);
	run_all();
	expect("B");
	CHECK_EQ(lwkt_schedule(other), 0);
	lwkt_switch(); /* on thread0: a pass */
	expect("D");
}

static void sleeps_until_interrupted(void *arg)
{
	lwkt_thread_t self = lwkt_curthread();

	(void)arg;
	while (!(self->td_flags & TDF_INTR))
		CHECK_EQ(lwkt_block("test"), 0);
	note('i');
}

static void interrupting(void)
{
	lwkt_thread_t td = start(sleeps_until_interrupted, NULL, 0);

	run_all();
	CHECK_EQ(lwkt_schedule(td), 0);
	run_all();
	expect("");
	CHECK_EQ(lwkt_interrupt(td), 0);
	run_all();
	expect("i");
}

static void interrupts_the_others(void *arg)
{
	(void)arg;
	note('o');
	CHECK_EQ(lwkt_interrupt_all(), 2); /* neither itself nor who has exited */
	CHECK(!(lwkt_curthread()->td_flags & TDF_INTR));
}

static void interrupting_all(void)
{
	static const struct lwkt_create_args joinable = {.priority = -1, .flags = TDF_JOINABLE};
	lwkt_thread_t exited;

	CHECK_EQ(lwkt_interrupt_all(), 0);
	CHECK_EQ(lwkt_create(interrupts_the_others, NULL, &exited, &joinable), 0);
	start(sleeps_until_interrupted, NULL, 0); /* it has not begun yet when it is interrupted */
	start(sleeps_until_interrupted, NULL, 0);
	run_all();
	expect("oii");
	start(sleeps_until_interrupted, NULL, 0);
	run_all();
	CHECK_EQ(lwkt_interrupt_all(), 1);
	run_all();
	expect("i");
	CHECK_EQ(lwkt_join(exited), 0);
}

static bool stop;
static unsigned turns[3];

static void spins(void *arg)
{
	while (!stop) {
		turns[(uintptr_t)arg]++;
		lwkt_yield();
	}
}

static void passes_end(void)
{
	stop = false;
	for (uintptr_t i = 0; i < 3; i++)
		start(spins, (void *)i, 0);
	for (int pass = 0; pass < 20; pass++)
		CHECK_EQ(lwkt_dispatch(100000), 3); /* they never stop, and yet thread0 runs */
	for (int i = 1; i < 3; i++)
		CHECK(turns[i] + 1 >= turns[0] && turns[i] <= turns[0] + 1);
	CHECK(turns[0] > 0);
	stop = true;
	run_all();
	turns[0] = 0;
	stop = false;
	start(spins, (void *)0, 0); /* alone it would never switch of itself */
	CHECK_EQ(lwkt_dispatch(100000), 1);
	CHECK(turns[0] > 0);
	stop = true;
	run_all();
}

static void visit_note(void *arg)
{
	CHECK(lwkt_curthread() == arg);
	note('v');
}

static void visits(void *arg)
{
	CHECK_EQ(lwkt_visit(arg, visit_note, arg), 0);
	note('w');
}

static void visiting(void)
{
	lwkt_thread_t td = letter(blocks, 'b', -1);
	uint64_t switches;

	run_all();
	switches = td->td_nswitches;
	CHECK_EQ(lwkt_visit(td, visit_note, td), 0);
	CHECK(lwkt_curthread() == lwkt_thread0());
	start(visits, td, 0);
	run_all();
	expect("bvvw");
	CHECK_EQ(td->td_nswitches, switches);
	CHECK_EQ(lwkt_runnable(), 0); /* it sleeps on */
	CHECK_EQ(lwkt_schedule(td), 0);
	CHECK_EQ(lwkt_visit(td, visit_note, td), 0);
	run_all();
	expect("vB");
}

static void is_preempted(void *arg)
{
	(void)arg;
	note('p');
	letter(once, 'x', -1);
	lwkt_preempt(); /* nobody above */
	note('p');
	letter(once, 'y', TDPRI_KERN + 1);
	lwkt_preempt();
	note('p');
	lwkt_cpu_wake(lwkt_mycpu());
	CHECK(lwkt_ipi_pending());
	lwkt_preempt(); /* thread0, whose pass ends */
	CHECK(!lwkt_ipi_pending());
	note('p');
}

static void lets_its_equal_run(void *arg)
{
	note((char)(uintptr_t)arg);
	lwkt_yield();
	note((char)(uintptr_t)arg);
}

/* Who is preempted goes on before its equals, whoever of them became runnable first. */
static void preempting(void)
{
	lwkt_preempt(); /* thread0: nothing */
	start(is_preempted, NULL, 0);
	letter(lets_its_equal_run, 'q', -1);
	lwkt_dispatch(0);
	expect("ppyp");
	run_all();
	expect("pqxq");
}

static void by_choice(void)
{
	lwkt_thread_t tds[2] = {NULL}, low = letter(once, 'z', 1), a = letter(thrice, 'a', 9), b = letter(thrice, 'b', 9), c = letter(thrice, 'c', 9);

	CHECK_EQ(lwkt_candidates(tds, 2), 3);
	CHECK(tds[0] == a && tds[1] == b);
	CHECK_EQ(lwkt_dispatch_next(c), 4);
	expect("c");
	CHECK_EQ(lwkt_dispatch_next(c), 4);
	expect("c");
	lwkt_dispatch_next(b);
	lwkt_dispatch_next(low); /* no candidate: who is first */
	expect("ba");
	while (lwkt_candidates(tds, 2) > 1 || tds[0] != low)
		lwkt_dispatch_next(tds[0]);
	CHECK_EQ(length, 5);
	length = 0;
	CHECK_EQ(lwkt_dispatch_next(low), 0);
	expect("z");
	CHECK_EQ(lwkt_candidates(tds, 2), 0);
}

int main(void)
{
	ON_RFORK(fifo_and_round_robin);
	ON_RFORK(yield_lets_newcomers_run);
	ON_RFORK(alone);
	ON_RFORK(priorities);
	ON_RFORK(changing_priorities);
	ON_RFORK(blocking);
	ON_RFORK(interrupting);
	ON_RFORK(interrupting_all);
	ON_RFORK(passes_end);
	ON_RFORK(visiting);
	ON_RFORK(preempting);
	ON_RFORK(by_choice);
	return 0;
}
