/*
 * migration.c - userthreads that move between rforks: themselves, or given away and taken. Also under ThreadSanitizer.
 */
#include <sched.h>
#include <stdatomic.h>

#define RFORKS 3
#include "rforks.h"

/* Goes round, with something on its stack, and ends wherever it is. */
static void traveller(void *arg)
{
	unsigned seed = (unsigned)(uintptr_t)arg;
	lwkt_thread_t self = lwkt_curthread();
	unsigned steps[64];

	for (int n = 0; n < 40 * SCALE; n++) {
		globaldata_t to = rforks[seed / 65536 % (RFORKS + 1)];

		steps[n % 64] = seed;
		CHECK_EQ(lwkt_setcpu_self(to), 0);
		CHECK(lwkt_mycpu() == to);
		CHECK(lwkt_curthread() == self);
		CHECK(self->td_gd == to);
		CHECK_EQ(steps[n % 64], seed);
		if (seed % 3 == 0)
			lwkt_yield();
		seed = seed * 1103515245 + 12345;
	}
}

static void travellers(uint32_t flags)
{
	enum { MANY = 12 };
	lwkt_thread_t tds[MANY];

	begin_rforks();
	for (uintptr_t i = 0; i < MANY; i++)
		tds[i] = start_on(rforks[i % (RFORKS + 1)], traveller, (void *)(i * 77 + 5), flags | TDF_JOINABLE);
	for (int i = 0; i < MANY; i++)
		CHECK_EQ(lwkt_join(tds[i]), 0);
	end_rforks();
}

static void by_themselves(void)
{
	travellers(0);
}

/* Receives messages wherever it is just then. */
struct letter {
	struct lwkt_msg msg;
	int number;
};

static lwkt_port_t box;
static _Atomic int box_ready;

static void moving_server(void *arg)
{
	struct lwkt_port port;
	unsigned seed = 4711;
	bool last = false;

	(void)arg;
	lwkt_initport_thread(&port, NULL, "moving");
	box = &port;
	atomic_store(&box_ready, 1);
	while (!last) {
		struct letter *letter = (struct letter *)lwkt_waitport(&port, NULL);

		letter->msg.u.ms_result = letter->number + 1;
		last = letter->number < 0;
		seed = seed * 1103515245 + 12345;
		CHECK_EQ(lwkt_setcpu_self(rforks[seed / 65536 % (RFORKS + 1)]), 0);
		CHECK_EQ(lwkt_replymsg(&letter->msg, 0), 0);
	}
}

static void moving_client(void *arg)
{
	unsigned seed = (unsigned)(uintptr_t)arg;
	struct letter letter;

	for (int n = 0; n < 30 * SCALE; n++) {
		lwkt_initmsg(&letter.msg, NULL, 0);
		letter.number = n;
		CHECK_EQ(lwkt_domsg(box, &letter.msg), 0);
		CHECK_EQ(letter.msg.u.ms_result, n + 1);
		seed = seed * 1103515245 + 12345;
		if (seed % 2)
			CHECK_EQ(lwkt_setcpu_self(rforks[seed / 65536 % (RFORKS + 1)]), 0);
	}
}

static void messages_follow(void)
{
	lwkt_thread_t server, tds[6];
	struct letter last;

	begin_rforks();
	atomic_store(&box_ready, 0);
	server = start_on(rforks[0], moving_server, NULL, TDF_JOINABLE);
	while (!atomic_load(&box_ready))
		usleep(1000);
	for (uintptr_t i = 0; i < 6; i++)
		tds[i] = start_on(rforks[i % (RFORKS + 1)], moving_client, (void *)(i + 9), TDF_JOINABLE);
	for (int i = 0; i < 6; i++)
		CHECK_EQ(lwkt_join(tds[i]), 0);
	lwkt_initmsg(&last.msg, NULL, 0);
	last.number = -1;
	CHECK_EQ(lwkt_domsg(box, &last.msg), 0);
	CHECK_EQ(lwkt_join(server), 0);
	end_rforks();
}

/* Given away by one, taken by the next. */
enum { HANDS = 21 };

static void baton(void *arg)
{
	globaldata_t before = lwkt_mycpu();

	for (int n = 0; n < HANDS; n++) {
		CHECK_EQ(lwkt_block("the next hand"), 0);
		CHECK(lwkt_mycpu() != before);
		before = lwkt_mycpu();
		atomic_fetch_add((_Atomic int *)arg, 1);
	}
}

struct pass {
	lwkt_thread_t td;
	globaldata_t next;
	int error;
};

static void take(void *td)
{
	CHECK_EQ(lwkt_acquire(td), 0);
	CHECK_EQ(lwkt_acquire(td), EINVAL);
	CHECK_EQ(lwkt_schedule(td), 0);
}

/* On the rfork that has it. */
static void pass_on(void *arg)
{
	struct pass *pass = arg;

	pass->error = lwkt_giveaway(pass->td);
	if (pass->error)
		return;
	CHECK_EQ(lwkt_giveaway(pass->td), EINVAL);
	CHECK_EQ(lwkt_schedule(pass->td), 0); /* lost: it is nobody's */
	CHECK_EQ(lwkt_send_ipiq(pass->next, take, pass->td, NULL), 0);
}

static void given_away(void)
{
	_Atomic int hands = 0;
	struct pass pass = {.td = start(baton, &hands, 0)};
	globaldata_t holder = lwkt_mycpu();
	uint64_t seq;

	begin_rforks();
	for (int n = 0; n < HANDS; n++) {
		pass.next = rforks[n % (RFORKS + 1)];
		do { /* EINVAL: it runs yet */
			run_all();
			CHECK_EQ(lwkt_send_ipiq(holder, pass_on, &pass, &seq), 0);
			CHECK_EQ(lwkt_wait_ipiq(holder, seq), 0);
		} while (pass.error == EINVAL);
		CHECK_EQ(pass.error, 0);
		holder = pass.next;
		if (n == 0) {
			CHECK_EQ(stats_now().st_alive, 0);
			CHECK_EQ(lwkt_cpu_fini(), EBUSY); /* its stack is one of ours */
		}
		while (atomic_load(&hands) <= n)
			run_all();
	}
	end_rforks();
	while (lwkt_cpu_fini() == EBUSY) /* until the stack is home */
		run_all();
	CHECK_EQ(lwkt_cpu_init(), 0);
}

/* ---------------------------------------------------------------- what is asked of a thread before its rfork has it */

/* An IPI function that does not end before it may: meanwhile its rfork does nothing else. */
struct gate {
	_Atomic int reached, open;
};

static void waits_at(void *arg)
{
	struct gate *gate = arg;

	atomic_store(&gate->reached, 1);
	while (!atomic_load(&gate->open))
		sched_yield();
}

static void send_to_gate(globaldata_t rfork, struct gate *gate)
{
	CHECK_EQ(lwkt_send_ipiq(rfork, waits_at, gate, NULL), 0);
	while (!atomic_load(&gate->reached))
		sched_yield();
}

static void run_there(globaldata_t rfork, void (*func)(void *), void *arg)
{
	uint64_t seq;

	CHECK_EQ(lwkt_send_ipiq(rfork, func, arg, &seq), 0);
	CHECK_EQ(lwkt_wait_ipiq(rfork, seq), 0);
}

static void nothing(void *arg)
{
	(void)arg;
}

static void announces(void *to)
{
	CHECK_EQ(lwkt_send_ipiq(to, nothing, NULL, NULL), 0);
}

static void is_not_here_yet(void *td)
{
	CHECK_EQ(lwkt_giveaway(td), EINVAL);
}

static void schedules(void *arg)
{
	lwkt_thread_t td = arg;

	CHECK_EQ(lwkt_send_ipiq(td->td_gd, is_not_here_yet, td, NULL), 0);
	CHECK_EQ(lwkt_schedule(td), 0);
}

static void has_begun(void *arg)
{
	CHECK(lwkt_curthread()->td_id != 0);
	CHECK_EQ(stats_now().st_alive, 1);
	CHECK_EQ(lwkt_setcpu_self(arg), 0);
}

/* One rfork creates a thread on another, and a third one schedules it, later; but it is the third one's message that is run first. The rings are
 * run in the order of their rforks' numbers, each up to where it is when its turn comes: here the creator's has had its turn. */
static void scheduled_before_it_begins(void)
{
	static const uint32_t flags[] = {TDF_JOINABLE, TDF_JOINABLE | TDF_NOSTART};

	begin_rforks();
	CHECK_EQ(lwkt_cpuid(), 0);
	for (int i = 0; i < 2; i++) {
		struct gate first = {0, 0}, second = {0, 0};
		lwkt_thread_t td;

		send_to_gate(rforks[0], &first);
		CHECK_EQ(lwkt_send_ipiq(rforks[0], waits_at, &second, NULL), 0);
		run_there(rforks[1], announces, rforks[0]);
		atomic_store(&first.open, 1);
		while (!atomic_load(&second.reached)) /* the creator's ring has its turn now, the other one's comes */
			sched_yield();
		td = start_on(rforks[0], has_begun, rforks[2], flags[i]);
		run_there(rforks[1], schedules, td);
		atomic_store(&second.open, 1);
		CHECK_EQ(lwkt_join(td), 0);
	}
	end_rforks();
}

static void cannot(void *arg)
{
	(void)arg;
	CHECK_EQ(lwkt_setcpu_self(lwkt_mycpu()), 0);
	CHECK_EQ(lwkt_giveaway(lwkt_curthread()), EINVAL);
	CHECK_EQ(lwkt_giveaway(lwkt_thread0()), EINVAL);
	CHECK_EQ(lwkt_acquire(lwkt_curthread()), EINVAL);
}

static void misuse(void)
{
	begin_rforks();
	CHECK_EQ(lwkt_setcpu_self(rforks[0]), EPERM); /* thread0 */
	start(cannot, NULL, 0);
	run_all();
	end_rforks();
}

int main(void)
{
	ON_RFORK(by_themselves);
	ON_RFORK(messages_follow);
	ON_RFORK(given_away);
	ON_RFORK(scheduled_before_it_begins);
	ON_RFORK(misuse);
	return 0;
}
