/*
 * rforks.c - several kernel threads, each an rfork of its own, at work side by side: they share nothing, and none notices another.
 */
#include <pthread.h>

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
	bool own_tls = lwkt_curthread()->td_flags & TDF_TLS;

	local = own_tls ? 1000 : (int)work->number;
	lwkt_initmsg(&msg, NULL, 0);
	for (int i = 0; i < ROUNDS; i++) {
		CHECK_EQ(lwkt_domsg(&work->port, &msg), 0);
		CHECK_EQ(msg.u.ms_result, i + 1);
		CHECK(lwkt_mycpu() == work->gd);
		CHECK(my_work() == work);
		CHECK_EQ(local, own_tls ? 1000 : (int)work->number);
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
			start(works, work, i % 2 ? TDF_TLS : 0);
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
	start(nothing, NULL, TDF_TLS);
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
	start(nothing, NULL, TDF_TLS); /* nothing has happened to this one */
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

int main(void)
{
	static struct work all[RFORKS];

	inherited();
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
