/*
 * forked.c - children of a fork go on with LWKT: the caller alone, on one rfork, with all that the others had, and they begin new threads and rforks; their
 * parent notices nothing. Interlocked, with other rforks at work; and with others that sleep. And a child of vfork, which has an area of its own.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/wait.h>

#define RFORKS 3
#include "lwkt_kernel.h"
#include "rforks.h"

#define FORKS (2 * SCALE)
#define EACH 5 /* busy threads of each rfork */

static _Atomic int stop;
static _Atomic unsigned long turns;
static _Atomic int begun;

static void busy(void *arg)
{
	(void)arg;
	atomic_fetch_add(&begun, 1);
	while (!atomic_load(&stop)) {
		CHECK_EQ(lwkt_block_timed("a moment", 20000), EWOULDBLOCK);
		atomic_fetch_add(&turns, 1);
		lwkt_yield();
	}
}

static void sleeps(void *arg)
{
	(void)arg;
	while (!atomic_load(&stop))
		CHECK_EQ(lwkt_block("the end"), 0);
}

static void sleeps_not(void *arg)
{
	(void)arg;
}

static void counts(void *arg)
{
	lwkt_yield();
	++*(int *)arg;
}

static struct lwkt_port service;

static void serves(void *arg)
{
	(void)arg;
	for (int i = 0; i < 100; i++)
		CHECK_EQ(lwkt_replymsg(lwkt_waitport(&service, NULL), 0), 0);
}

static void asks(void *arg)
{
	struct lwkt_msg msg;

	(void)arg;
	lwkt_initmsg(&msg, NULL, 0);
	for (int i = 0; i < 100; i++)
		CHECK_EQ(lwkt_domsg(&service, &msg), 0);
}

/** What a child does, on a userthread: all of it anew. */
static void use_it(void *arg)
{
	struct lwkt_create_args args = {.priority = -1, .flags = TDF_NOSTART | TDF_JOINABLE};
	lwkt_thread_t tds[50], server;
	globaldata_t gd;
	int done = 0;

	(void)arg;
	CHECK_EQ(lwkt_is_rfork(), 1);
	CHECK_EQ(lwkt_ncpus(), 1);
	CHECK_EQ(stats_now().st_alive, 1);
	CHECK_EQ(stats_now().st_runnable, 1);
	for (int i = 0; i < 50; i++)
		tds[i] = start(counts, &done, TDF_JOINABLE);
	for (int i = 0; i < 50; i++)
		CHECK_EQ(lwkt_join(tds[i]), 0);
	CHECK_EQ(done, 50);
	CHECK_EQ(lwkt_block_timed("a moment", 1000), EWOULDBLOCK);
	CHECK_EQ(stats_now().st_timers, 0);
	CHECK_EQ(lwkt_create(serves, NULL, &server, &args), 0);
	lwkt_initport_thread(&service, server, NULL);
	CHECK_EQ(lwkt_schedule(server), 0);
	for (int round = 0; round < 2; round++) {
		CHECK_EQ(lwkt_rfork_create(round ? NULL : asks, NULL, &gd, NULL), 0);
		CHECK_EQ(lwkt_ncpus(), 2);
		if (round == 0)
			CHECK_EQ(lwkt_join(server), 0);
		CHECK_EQ(lwkt_setcpu_self(gd), 0);
		CHECK_EQ(lwkt_setcpu_self(rforks[RFORKS]), 0);
		CHECK_EQ(lwkt_rfork_join(gd), 0);
	}
	CHECK_EQ(lwkt_ncpus(), 1);
	CHECK_EQ(stats_now().st_alive, 1);
}

static void expect_success(pid_t child)
{
	int status = -1;

	CHECK(child > 0);
	CHECK(waitpid(child, &status, 0) == child);
	CHECK_EQ(status, 0);
}

/** On a userthread of any rfork. */
static void forks(void *interlock)
{
	globaldata_t home = lwkt_mycpu(), all[RFORKS + 1];
	struct lwkt_cpusync cs;
	int bell = lwkt_doorbell();
	pid_t child;

	memcpy(all, rforks, sizeof(all));
	CHECK(bell >= 0);
	for (int i = 0; i < FORKS; i++) {
		if (interlock) {
			lwkt_cpusync_init(&cs, all, RFORKS + 1, sleeps_not, NULL);
			CHECK_EQ(lwkt_cpusync_interlock(&cs), 0);
		}
		for (int k = 0; k < RFORKS && !interlock; k++) /* is still to be run when it forks: for the rforks of before, not for the child's */
			CHECK_EQ(lwkt_send_ipiq_passive(rforks[k], sleeps_not, NULL, NULL), 0);
		child = fork();
		if (child == 0) {
			CHECK_EQ(lwkt_forked(), 0);
			if (interlock)
				CHECK_EQ(lwkt_cpusync_deinterlock(&cs), EPERM);
			rforks[RFORKS] = home;
			CHECK(lwkt_mycpu() == home);
			CHECK(stats_now().st_pooled >= (interlock ? EACH * (RFORKS + 1) : 1));
			use_it(NULL);
			CHECK(lwkt_doorbell() >= 0);
			child = fork(); /* a child of the child */
			if (child == 0) {
				CHECK_EQ(lwkt_forked(), 0);
				use_it(NULL);
				_exit(0);
			}
			expect_success(child);
			_exit(0);
		}
		if (interlock)
			CHECK_EQ(lwkt_cpusync_deinterlock(&cs), 0);
		expect_success(child);
		CHECK_EQ(lwkt_doorbell(), bell);
	}
}

static void others_at_work(void)
{
	lwkt_thread_t tds[(RFORKS + 1) * EACH];

	begin_rforks();
	atomic_store(&stop, 0);
	for (int i = 0; i < (RFORKS + 1) * EACH; i++)
		tds[i] = start_on(rforks[i % (RFORKS + 1)], busy, NULL, TDF_JOINABLE);
	while (atomic_load(&begun) < (RFORKS + 1) * EACH) /* each has its stack */
		lwkt_block_timed("test", 100000);
	for (int i = 0; i <= RFORKS; i += RFORKS) /* on one that lwkt_rfork_create has made, and on this one */
		CHECK_EQ(lwkt_join(start_on(rforks[i], forks, &stop, TDF_JOINABLE)), 0);
	CHECK(atomic_load(&turns) > 0);
	atomic_store(&stop, 1);
	for (int i = 0; i < (RFORKS + 1) * EACH; i++)
		CHECK_EQ(lwkt_join(tds[i]), 0);
	end_rforks();
}

static void others_asleep(void)
{
	lwkt_thread_t tds[RFORKS + 1];

	begin_rforks();
	atomic_store(&stop, 0);
	for (int i = 0; i <= RFORKS; i++)
		tds[i] = start_on(rforks[i], sleeps, NULL, TDF_JOINABLE);
	usleep(20000);
	CHECK_EQ(lwkt_join(start_on(rforks[RFORKS], forks, NULL, TDF_JOINABLE)), 0);
	atomic_store(&stop, 1);
	for (int i = 0; i <= RFORKS; i++) {
		CHECK_EQ(lwkt_schedule(tds[i]), 0);
		CHECK_EQ(lwkt_join(tds[i]), 0);
	}
	end_rforks();
}

/* By thread0, which has no userthread left then. */
static void by_thread0(void)
{
	lwkt_thread_t td;
	pid_t child;

	atomic_store(&stop, 0);
	td = start(sleeps, NULL, TDF_JOINABLE);
	start(counts, &(int){0}, 0);
	run_all();
	child = fork();
	if (child == 0) {
		CHECK_EQ(lwkt_forked(), 0);
		CHECK_EQ(stats_now().st_alive, 0);
		CHECK_EQ(lwkt_cpu_fini(), 0);
		CHECK_EQ(lwkt_cpu_init(), 0);
		rforks[RFORKS] = lwkt_mycpu();
		CHECK_EQ(lwkt_join(start(use_it, NULL, TDF_JOINABLE)), 0);
		CHECK_EQ(lwkt_cpu_fini(), 0);
		_exit(0);
	}
	expect_success(child);
	atomic_store(&stop, 1);
	CHECK_EQ(lwkt_schedule(td), 0);
	CHECK_EQ(lwkt_join(td), 0);
}

#ifdef __x86_64__ /* elsewhere it would need thread-local storage of its own */
#define CHILD_STACK (64 * 1024)

struct child {
	globaldata_t area, parents;
	unsigned cpuid;
};

static int in_child(void *arg)
{
	const struct child *child = arg;

	if (lwkt_mycpu() != child->parents)
		return 1;
	lwkt_vforked(child->area, arg);
	return lwkt_mycpu() != child->area || lwkt_curthread()->td_data != arg || lwkt_cpuid() != child->cpuid || lwkt_is_rfork() ? 2 : 0;
}

/* A child of vfork, while its parent may go on: each has its own area. */
static void of_vfork(void)
{
	const size_t size = (lwkt_vforked_size() + 63) & ~(size_t)63;
	struct child child = {.area = aligned_alloc(64, size), .parents = lwkt_mycpu(), .cpuid = lwkt_cpuid()};
	char *stack = aligned_alloc(64, CHILD_STACK);
	lwkt_thread_t td = lwkt_curthread();
	void *data = td->td_data;

	memset((void *)child.area, 0, size);
	expect_success(clone(in_child, stack + CHILD_STACK, CLONE_VM | SIGCHLD, &child));
	CHECK(lwkt_mycpu() == child.parents && lwkt_curthread() == td && td->td_data == data);
	free(stack);
	free((void *)child.area);
}
#endif

static void too_early(void *arg)
{
	*(int *)arg = lwkt_forked();
}

static void misuse(void)
{
	int error = 0;

	CHECK_EQ(lwkt_send_ipiq(lwkt_mycpu(), too_early, &error, NULL), 0);
	CHECK_EQ(error, EDEADLK);
}

int main(void)
{
	ON_RFORK(misuse);
#ifdef __x86_64__
	ON_RFORK(of_vfork);
#endif
	ON_RFORK(by_thread0);
	ON_RFORK(others_asleep);
	ON_RFORK(others_at_work);
	return 0;
}
