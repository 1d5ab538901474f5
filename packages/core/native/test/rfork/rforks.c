/*
 * rforks.c - several kernel threads, each an rfork of its own, at work side by side: they share nothing, and none notices another.
 */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>

#include "check.h"

#define RFORKS 4
#define THREADS 50
#define ROUNDS 200

struct work {
	pthread_t thread;
	globaldata_t gd;
	unsigned number;
	unsigned turns;
	struct lwkt_port port;
};

static pthread_barrier_t together;
static __thread int local;

static struct work *my_work(void)
{
	return lwkt_thread0()->td_data;
}

static void serve(void *arg)
{
	lwkt_port_t port = arg;

	for (int i = 0; i < THREADS * ROUNDS; i++) {
		lwkt_msg_t msg = lwkt_waitport(port, NULL);

		msg->u.ms_result++;
		CHECK_EQ(lwkt_replymsg(msg, 0), 0);
	}
}

static void works(void *arg)
{
	struct work *work = arg;
	struct lwkt_msg msg;

	local = (int)work->number;
	lwkt_initmsg(&msg, NULL, 0);
	for (int i = 0; i < ROUNDS; i++) {
		CHECK_EQ(lwkt_domsg(&work->port, &msg), 0);
		CHECK_EQ(msg.u.ms_result, i + 1);
		CHECK(lwkt_mycpu() == work->gd);
		CHECK(my_work() == work);
		CHECK_EQ(local, (int)work->number);
		work->turns++;
		lwkt_yield();
	}
}

static void *rfork_main(void *arg)
{
	struct work *work = arg;

	for (int life = 0; life < 3; life++) {
		CHECK_EQ(lwkt_is_rfork(), 0);
		CHECK_EQ(lwkt_cpu_init(), 0);
		work->gd = lwkt_mycpu();
		work->turns = 0;
		lwkt_thread0()->td_data = work;
		pthread_barrier_wait(&together); /* all of them exist at this moment */
		lwkt_initport_thread(&work->port, start(serve, &work->port, 0), "service");
		for (int i = 0; i < THREADS; i++)
			start(works, work, 0);
		run_all();
		CHECK_EQ(work->turns, THREADS * ROUNDS);
		CHECK_EQ(stats_now().st_created, THREADS + 1);
		CHECK_EQ(stats_now().st_messages, THREADS * ROUNDS);
		CHECK_EQ(lwkt_cpu_fini(), 0);
	}
	return NULL;
}

static void nothing(void *arg)
{
	(void)arg;
}

/* A new kernel thread begins with its creator's %gs; that makes it no rfork. */
static void *child_main(void *arg)
{
	globaldata_t parents = arg;

	CHECK_EQ(lwkt_is_rfork(), 0);
	CHECK_EQ(lwkt_cpu_init(), 0);
	CHECK_EQ(lwkt_is_rfork(), 1);
	CHECK(lwkt_mycpu() != parents);
	start(nothing, NULL, 0);
	run_all();
	CHECK_EQ(lwkt_cpu_fini(), 0);
	return NULL;
}

static void *outlives_its_creator(void *arg)
{
	pthread_barrier_wait(&together); /* the creator is no rfork any more */
	CHECK_EQ(lwkt_is_rfork(), 0);
	CHECK_EQ(lwkt_cpu_init(), 0);
	start(nothing, NULL, 0);
	run_all();
	CHECK_EQ(lwkt_cpu_fini(), 0);
	CHECK_EQ(lwkt_is_rfork(), 0);
	return arg;
}

static void inherited(void)
{
	pthread_t first, second;

	topic("inherited");
	CHECK_EQ(lwkt_is_rfork(), 0);
	CHECK_EQ(lwkt_cpu_init(), 0);
	CHECK_EQ(lwkt_is_rfork(), 1);
	CHECK_EQ(pthread_create(&first, NULL, child_main, lwkt_mycpu()), 0);
	CHECK_EQ(pthread_join(first, NULL), 0);
	start(nothing, NULL, 0); /* nothing has happened to this one */
	run_all();
	CHECK_EQ(stats_now().st_created, 1);
	CHECK_EQ(pthread_barrier_init(&together, NULL, 2), 0);
	CHECK_EQ(pthread_create(&second, NULL, outlives_its_creator, NULL), 0);
	CHECK_EQ(lwkt_cpu_fini(), 0);
	CHECK_EQ(lwkt_is_rfork(), 0);
	pthread_barrier_wait(&together);
	CHECK_EQ(pthread_join(second, NULL), 0);
	CHECK_EQ(pthread_barrier_destroy(&together), 0);
}

/* ---------------------------------------------------------------- made by lwkt_rfork_create, of parts of one's own */

struct own {
	pthread_t thread;
	void (*begin)(void *arg);
	void *arg;
	int made, joined, looped, ran;
	bool returns_early, refuses;
};

static void *own_main(void *arg)
{
	struct own *own = arg;

	own->begin(own->arg);
	CHECK_EQ(lwkt_is_rfork(), 0); /* the rfork has ended by then */
	return NULL;
}

static int own_make(void (*begin)(void *arg), void *arg, void *data)
{
	struct own *own = data;

	if (own->refuses)
		return EDOM;
	own->made++;
	own->begin = begin;
	own->arg = arg;
	CHECK_EQ(pthread_create(&own->thread, NULL, own_main, own), 0);
	return 0;
}

static void own_join(void *data)
{
	struct own *own = data;

	CHECK_EQ(pthread_join(own->thread, NULL), 0);
	own->joined++;
}

static void own_loop(void *data)
{
	struct own *own = data;

	CHECK(lwkt_curthread() == lwkt_thread0());
	CHECK_EQ(lwkt_cpu_ending(), 0);
	while (!own->returns_early && (lwkt_dispatch(0), !lwkt_cpu_ending())) {
		own->looped++;
		lwkt_cpu_idle();
	}
}

static void own_thread(void *arg)
{
	struct own *own = arg;

	lwkt_cpu_idle(); /* not here: nothing happens */
	CHECK_EQ(lwkt_nanosleep(2000000), 0);
	own->ran++;
}

static void of_ones_own(void)
{
	struct own own = {0};
	struct lwkt_rfork_args args = {.loop = own_loop, .make = own_make, .data = &own};
	struct lwkt_create_args where = {.priority = -1, .flags = TDF_JOINABLE};
	lwkt_thread_t td;
	globaldata_t gd;

	topic("kernel thread and loop of one's own");
	CHECK_EQ(lwkt_cpu_init(), 0);
	CHECK_EQ(lwkt_rfork_create(NULL, NULL, &gd, &args), EINVAL);
	args.join = own_join;
	own.refuses = true;
	CHECK_EQ(lwkt_rfork_create(own_thread, &own, &gd, &args), EDOM);
	CHECK_EQ(own.joined, 0);
	own.refuses = false;
	for (int i = 0; i < 6; i++) {
		own.looped = own.ran = 0;
		own.returns_early = i % 3 == 2;
		args.make = i % 2 ? NULL : own_make;
		args.join = i % 2 ? NULL : own_join;
		CHECK_EQ(lwkt_rfork_create(own_thread, &own, &gd, &args), 0);
		where.rfork = gd;
		CHECK_EQ(lwkt_create(own_thread, &own, &td, &where), 0);
		CHECK_EQ(lwkt_join(td), 0);
		CHECK_EQ(lwkt_rfork_join(gd), 0);
		CHECK_EQ(own.ran, 2);
		CHECK(own.returns_early || own.looped > 0);
		CHECK_EQ(own.made, i / 2 + 1);
		CHECK_EQ(own.joined, i / 2 + 1);
	}
	CHECK_EQ(lwkt_cpu_fini(), 0);
}

/* ---------------------------------------------------------------- woken by signals, and by who is no rfork */

#define WAKES 3000

static _Atomic int wanted, answered;
static _Atomic(globaldata_t) waking;

static void on_signal(int signo)
{
	(void)signo;
	atomic_store(&wanted, 1);
	lwkt_cpu_wake(lwkt_mycpu());
}

static void answers(void *data)
{
	sigset_t set;

	(void)data;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	CHECK_EQ(pthread_sigmask(SIG_UNBLOCK, &set, NULL), 0);
	atomic_store(&waking, lwkt_mycpu());
	while (lwkt_dispatch(0), !lwkt_cpu_ending()) {
		if (atomic_exchange(&wanted, 0))
			atomic_fetch_add(&answered, 1);
		lwkt_cpu_idle();
	}
	CHECK_EQ(pthread_sigmask(SIG_BLOCK, &set, NULL), 0);
}

static void is_busy(void *arg)
{
	(void)arg;
	while (atomic_load(&answered) < WAKES)
		lwkt_yield();
}

/** Each wish is answered before the next: one that came between a look and the sleep would be the last, or one that a busy thread did not give way to. */
static void woken(int flags, bool busy)
{
	struct own own = {0};
	struct lwkt_rfork_args args = {.loop = answers, .make = own_make, .join = own_join, .data = &own};
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = flags};
	globaldata_t gd;

	topic(busy ? "a busy rfork woken by signals, and by who is no rfork" : "an idle one");
	atomic_store(&answered, 0);
	atomic_store(&waking, NULL);
	CHECK_EQ(sigaction(SIGUSR1, &action, NULL), 0);
	CHECK_EQ(lwkt_cpu_init(), 0);
	CHECK_EQ(lwkt_rfork_create(busy ? is_busy : NULL, NULL, &gd, &args), 0);
	while (!atomic_load(&waking))
		usleep(100);
	CHECK_EQ(lwkt_cpu_fini(), 0); /* what follows is by no rfork */
	for (int i = 0; i < WAKES; i++) {
		for (volatile int spin = 0; spin < i % 64 * 200; spin++)
			;
		if (i % 2) {
			CHECK_EQ(pthread_kill(own.thread, SIGUSR1), 0);
		} else {
			atomic_store(&wanted, 1);
			lwkt_cpu_wake(gd);
		}
		while (atomic_load(&answered) <= i)
			sched_yield();
	}
	CHECK_EQ(lwkt_cpu_init(), 0);
	CHECK_EQ(lwkt_rfork_join(gd), 0);
	CHECK_EQ(lwkt_cpu_fini(), 0);
}

int main(void)
{
	static struct work all[RFORKS];

	inherited();
	of_ones_own();
	woken(0, false);
	woken(SA_RESTART, false);
	woken(0, true);
	topic("side by side");
	CHECK_EQ(pthread_barrier_init(&together, NULL, RFORKS), 0);
	for (unsigned i = 0; i < RFORKS; i++) {
		all[i].number = i;
		CHECK_EQ(pthread_create(&all[i].thread, NULL, rfork_main, &all[i]), 0);
	}
	for (unsigned i = 0; i < RFORKS; i++)
		CHECK_EQ(pthread_join(all[i].thread, NULL), 0);
	CHECK_EQ(lwkt_is_rfork(), 0); /* this kernel thread never was one */
	return 0;
}
