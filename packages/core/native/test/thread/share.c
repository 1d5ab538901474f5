/*
 * share.c - rforks that share their work: threads with TDF_MIGRATABLE get to where there is nothing else to do, all others stay, and nothing is
 * lost. Nothing here waits for a time: what is to happen is waited for, and what must never happen is looked for meanwhile. Also under
 * ThreadSanitizer.
 */
#define _GNU_SOURCE
#include <poll.h>
#include <stdatomic.h>
#include <time.h>

#define RFORKS 2
#include "lwkt_kernel.h"

#include "rforks.h"

static void shares(void *on)
{
	lwkt_share_work(on != NULL);
}

static void all_share(void)
{
	uint64_t seq;

	for (int i = 0; i <= RFORKS; i++) {
		CHECK_EQ(lwkt_send_ipiq(rforks[i], shares, &rforks, &seq), 0);
		CHECK_EQ(lwkt_wait_ipiq(rforks[i], seq), 0);
	}
}

static void look_here(void *stats)
{
	lwkt_stats(stats);
}

static struct lwkt_stats stats_of(globaldata_t rfork)
{
	struct lwkt_stats stats;
	uint64_t seq;

	CHECK_EQ(lwkt_send_ipiq(rfork, look_here, &stats, &seq), 0);
	CHECK_EQ(lwkt_wait_ipiq(rfork, seq), 0);
	return stats;
}

static unsigned number_of(globaldata_t rfork)
{
	unsigned n = 0;

	while (rforks[n] != rfork)
		n++;
	return n;
}

/* ---------------------------------------------------------------- both at work */

#define MANY 8

struct worker {
	globaldata_t home;
	bool stays;
	unsigned long turns; /* its own */
};

static _Atomic unsigned seen[RFORKS + 1]; /* threads that may go, by the rfork on which they found themselves */
static _Atomic int moving; /* go on until this is not set any more */

static void computes(void *arg)
{
	struct worker *worker = arg;
	globaldata_t last = NULL;

	while (atomic_load(&moving)) {
		globaldata_t here = lwkt_mycpu();

		if (worker->stays)
			CHECK(here == worker->home);
		else if (here != last)
			atomic_fetch_add(&seen[number_of(here)], 1);
		last = here;
		worker->turns++;
		lwkt_yield();
		if (!worker->stays && atomic_load(&seen[0]) && atomic_load(&seen[1]))
			atomic_store(&moving, 0);
	}
}

static _Atomic unsigned told; /* of threads given to another rfork */

static void given(globaldata_t to, int pri)
{
	CHECK(to != lwkt_mycpu());
	CHECK_EQ(pri, TDPRI_KERN);
	atomic_fetch_add(&told, 1);
}

/* Eight on the first, the second has nothing to do. */
static void to_the_idle_one(void)
{
	struct worker workers[2 * MANY];
	lwkt_thread_t tds[2 * MANY];
	unsigned long in = 0, out = 0;

	begin_rforks();
	lwkt_share_given = given;
	all_share();
	atomic_store(&moving, 1);
	for (int i = 0; i <= RFORKS; i++)
		atomic_store(&seen[i], 0);
	for (int i = 0; i < 2 * MANY; i++) {
		workers[i] = (struct worker){.home = rforks[0], .stays = i % 2};
		tds[i] = start_on(rforks[0], computes, &workers[i], TDF_JOINABLE | (i % 2 ? 0 : TDF_MIGRATABLE));
	}
	for (int i = 0; i < 2 * MANY; i++)
		CHECK_EQ(lwkt_join(tds[i]), 0);
	CHECK(atomic_load(&seen[0]) && atomic_load(&seen[1]));
	for (int i = 0; i <= RFORKS; i++) {
		struct lwkt_stats stats = stats_of(rforks[i]);

		CHECK_EQ(stats.st_runnable, 0);
		in += stats.st_shared_in;
		out += stats.st_shared_out;
	}
	CHECK(in > 0);
	CHECK_EQ(in, out);
	CHECK_EQ(atomic_load(&told), out);
	lwkt_share_given = NULL;
	end_rforks();
}

/* ---------------------------------------------------------------- what blocks, and has something to lose */

#define ROUNDS (30 * SCALE)

static struct lwkt_token token;
static struct lwkt_serialize serializer;
static struct lwkt_port service;
static int inside;
static unsigned long visits; /* under the token */

static void serves(void *arg)
{
	(void)arg;
	for (int n = 0; n < MANY * ROUNDS; n++) {
		lwkt_msg_t msg = lwkt_waitport(&service, NULL);

		msg->u.ms_result++;
		CHECK_EQ(lwkt_replymsg(msg, 0), 0);
	}
}

static void does_all(void *arg)
{
	lwkt_thread_t self = lwkt_curthread();
	struct lwkt_tokref ref;
	struct lwkt_msg msg;

	(void)arg;
	lwkt_initmsg(&msg, NULL, 0);
	for (int n = 0; n < ROUNDS; n++) {
		CHECK_EQ(lwkt_domsg(&service, &msg), 0);
		CHECK_EQ(msg.u.ms_result, n + 1);
		CHECK_EQ(lwkt_gettoken(&ref, &token), 0);
		visits++;
		lwkt_yield();
		visits++;
		CHECK_EQ(lwkt_reltoken(&ref), 0);
		CHECK_EQ(lwkt_serialize_enter(&serializer), 0);
		CHECK_EQ(inside++, 0);
		lwkt_yield();
		CHECK_EQ(--inside, 0);
		CHECK_EQ(lwkt_serialize_exit(&serializer), 0);
		CHECK(lwkt_curthread() == self);
		CHECK(self->td_gd == lwkt_mycpu());
	}
}

static void nothing_is_lost(void)
{
	lwkt_thread_t tds[MANY], server;
	struct lwkt_create_args args = {.priority = -1, .flags = TDF_NOSTART | TDF_JOINABLE | TDF_MIGRATABLE};

	begin_rforks();
	all_share();
	lwkt_token_init(&token, "share");
	lwkt_serialize_init(&serializer);
	visits = 0;
	args.rfork = rforks[0];
	CHECK_EQ(lwkt_create(serves, NULL, &server, &args), 0);
	lwkt_initport_thread(&service, server, "service");
	CHECK_EQ(lwkt_schedule(server), 0);
	for (int i = 0; i < MANY; i++)
		tds[i] = start_on(rforks[0], does_all, NULL, TDF_JOINABLE | TDF_MIGRATABLE);
	for (int i = 0; i < MANY; i++)
		CHECK_EQ(lwkt_join(tds[i]), 0);
	CHECK_EQ(lwkt_join(server), 0);
	CHECK_EQ(visits, 2 * MANY * ROUNDS);
	end_rforks();
}

/* ---------------------------------------------------------------- what must not happen */

static void stays_alone(void *arg)
{
	globaldata_t home = lwkt_mycpu();

	(void)arg;
	for (int n = 0; n < 20000 * SCALE; n++) {
		lwkt_yield();
		lwkt_process_ipiq();
		CHECK(lwkt_mycpu() == home);
	}
}

static void chooses(void *arg)
{
	globaldata_t home = lwkt_mycpu();

	(void)arg;
	lwkt_deschedule_self();
	CHECK_EQ(lwkt_setcpu_self(home), 0);
	CHECK(!(lwkt_curthread()->td_flags & (TDF_MIGRATABLE | TDF_RUNQ)));
	CHECK_EQ(lwkt_schedule(lwkt_curthread()), 0);
	CHECK_EQ(lwkt_setcpu_self(rforks[0]), 0);
	CHECK(lwkt_mycpu() == rforks[0]);
}

/* Pinned it stays, with others to go in its place; then it goes as before. */
static void is_pinned(void *arg)
{
	globaldata_t home = lwkt_mycpu();

	(void)arg;
	lwkt_pin();
	lwkt_pin();
	CHECK_EQ(lwkt_unpin(), 0);
	CHECK((lwkt_curthread()->td_flags & (TDF_MIGRATABLE | TDF_PINNED)) == TDF_PINNED);
	CHECK_EQ(lwkt_setcpu_self(home == rforks[0] ? rforks[1] : rforks[0]), EBUSY);
	for (int n = 0; n < 20000 * SCALE; n++) {
		lwkt_yield();
		lwkt_process_ipiq();
		CHECK(lwkt_mycpu() == home);
	}
	CHECK_EQ(lwkt_unpin(), 0);
	CHECK((lwkt_curthread()->td_flags & (TDF_MIGRATABLE | TDF_PINNED)) == TDF_MIGRATABLE);
	CHECK_EQ(lwkt_unpin(), EPERM);
	lwkt_pin();
	CHECK_EQ(lwkt_setcpu_self(lwkt_mycpu()), 0); /* it has chosen */
	CHECK_EQ(lwkt_unpin(), 0);
	CHECK(!(lwkt_curthread()->td_flags & (TDF_MIGRATABLE | TDF_PINNED)));
}

static void never_pinned(void *arg)
{
	(void)arg;
	CHECK_EQ(lwkt_unpin(), EPERM);
	lwkt_pin(); /* it would stay anyhow */
	CHECK(!(lwkt_curthread()->td_flags & (TDF_MIGRATABLE | TDF_PINNED)));
	CHECK_EQ(lwkt_unpin(), 0);
	CHECK(!(lwkt_curthread()->td_flags & (TDF_MIGRATABLE | TDF_PINNED)));
	lwkt_pin(); /* and ends so */
}

static void pinned(void)
{
	lwkt_thread_t tds[6];

	begin_rforks();
	all_share();
	for (int i = 0; i < 4; i++)
		tds[i] = start_on(rforks[0], is_pinned, NULL, TDF_JOINABLE | TDF_MIGRATABLE);
	for (int i = 4; i < 6; i++)
		tds[i] = start_on(rforks[0], never_pinned, NULL, TDF_JOINABLE);
	for (int i = 0; i < 6; i++)
		CHECK_EQ(lwkt_join(tds[i]), 0);
	for (int i = 0; i < RFORKS; i++)
		CHECK_EQ(stats_of(rforks[i]).st_runnable, 0);
	CHECK_EQ(lwkt_join(start_on(rforks[0], stays_alone, NULL, TDF_JOINABLE)), 0);
	end_rforks();
}

static void main_of_a_resident(void)
{
}

/* One thread does not go to and fro, rforks that are idle send nothing to each other, and one that does not share keeps all. */
static void stays(void)
{
	static const struct lwkt_resident resident = {.main = main_of_a_resident};
	struct lwkt_create_args args = {.priority = -1, .flags = TDF_MIGRATABLE, .resident = &resident};
	struct lwkt_stats before, after;
	lwkt_thread_t tds[4];

	begin_rforks();
	for (int i = 0; i < 4; i++)
		tds[i] = start_on(rforks[0], stays_alone, NULL, TDF_JOINABLE | TDF_MIGRATABLE); /* nobody shares */
	for (int i = 0; i < 4; i++)
		CHECK_EQ(lwkt_join(tds[i]), 0);
	all_share();
	CHECK_EQ(lwkt_join(start_on(rforks[1], stays_alone, NULL, TDF_JOINABLE | TDF_MIGRATABLE)), 0);
	CHECK_EQ(lwkt_join(start_on(rforks[1], chooses, NULL, TDF_JOINABLE | TDF_MIGRATABLE)), 0);
	before = stats_of(rforks[0]);
	usleep(150000);
	after = stats_of(rforks[0]);
	CHECK_EQ(after.st_ipis, before.st_ipis + 1); /* the one that has looked before */
	CHECK_EQ(after.st_shared_in + after.st_shared_out, 0);
	end_rforks();
	CHECK_EQ(lwkt_create(stays_alone, NULL, NULL, &args), EINVAL);
}

/* ---------------------------------------------------------------- who sleeps in a call of its own */

static _Atomic int asker_ready;

/* An rfork whose loop sleeps in a poll of its own, and asks by itself. */
static void polls(void *arg)
{
	struct pollfd bell = {.fd = lwkt_doorbell(), .events = POLLIN};
	uint64_t rings;

	(void)arg;
	CHECK(bell.fd >= 0);
	CHECK(lwkt_share_ask() == UINT64_MAX); /* it does not share yet */
	lwkt_share_work(1);
	atomic_store(&asker_ready, 1);
	while (lwkt_dispatch(0), !lwkt_cpu_ending()) {
		uint64_t ns = lwkt_share_ask(), timer = lwkt_next_timer();
		struct timespec time = {.tv_nsec = (long)(ns < timer ? ns : timer)};
		bool sleeps = ns && timer && lwkt_loop_sleeps(0);

		if (ns != UINT64_MAX)
			CHECK(ns <= 64000000);
		CHECK(ppoll(&bell, 1, !sleeps ? &(struct timespec){0} : ns == UINT64_MAX && timer == UINT64_MAX ? NULL : &time, NULL) >= 0);
		if (bell.revents)
			CHECK_EQ(read(bell.fd, &rings, sizeof(rings)), sizeof(rings));
		lwkt_loop_wakes();
	}
}

static void asks_by_itself(void)
{
	struct lwkt_rfork_args args = {.name = "polls", .loop = polls};
	struct worker workers[MANY] = {0};
	lwkt_thread_t tds[MANY];

	for (int i = 0; i < RFORKS; i++)
		CHECK_EQ(lwkt_rfork_create(NULL, NULL, &rforks[i], i ? &args : NULL), 0);
	rforks[RFORKS] = lwkt_mycpu();
	while (!atomic_load(&asker_ready))
		usleep(100);
	CHECK_EQ(lwkt_send_ipiq(rforks[0], shares, &rforks, NULL), 0);
	atomic_store(&moving, 1);
	for (int i = 0; i <= RFORKS; i++)
		atomic_store(&seen[i], 0);
	for (int i = 0; i < MANY; i++)
		tds[i] = start_on(rforks[0], computes, &workers[i], TDF_JOINABLE | TDF_MIGRATABLE);
	for (int i = 0; i < MANY; i++)
		CHECK_EQ(lwkt_join(tds[i]), 0);
	CHECK(atomic_load(&seen[0]) && atomic_load(&seen[1]));
	CHECK(lwkt_share_ask() == UINT64_MAX);
	end_rforks();
}

int main(void)
{
	ON_RFORK(to_the_idle_one);
	ON_RFORK(nothing_is_lost);
	ON_RFORK(stays);
	ON_RFORK(pinned);
	ON_RFORK(asks_by_itself);
	return 0;
}
