/*
 * rfork.c - rforks that run native code only: a kernel thread each, whose thread0 picks userthreads and otherwise sleeps (DragonFly: the idle
 * thread; libcaps: caps_fork_vcpu). Rforks with an event loop become such by lwkt_cpu_init and are not made here.
 *
 * Invariant: struct lwkt_rfork is the new kernel thread's until `ready`; then `joining` is its joiner's, and all else its own until it has sent
 * `ended` to the joiner.
 */
#define _GNU_SOURCE
#include "debug.h"

#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#define RFORK_STACK (256u * 1024) /* thread0's: IPI functions run there */

struct lwkt_rfork {
	pthread_t thread;
	globaldata_t gd;
	void (*main)(void *arg);
	void *arg;
	char name[16];
	int error;              /* why it could not begin */
	_Atomic uint32_t ready; /* a futex */
	_Atomic int joining;
	lwkt_thread_t joiner;   /* written before `end` is sent */
	bool end;               /* it is to end when no userthread is left */
	bool ended;             /* written and read on the joiner's rfork */
};

static void say_ready(struct lwkt_rfork *rfork)
{
	atomic_store(&rfork->ready, 1);
	syscall(SYS_futex, &rfork->ready, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void wait_ready(struct lwkt_rfork *rfork)
{
	while (!atomic_load(&rfork->ready))
		syscall(SYS_futex, &rfork->ready, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
}

/** On the joiner's rfork. */
static void has_ended(void *arg)
{
	struct lwkt_rfork *rfork = arg;

	if (sent_after(rfork->joiner, has_ended, rfork))
		return;
	rfork->ended = true;
	lwkt_wake(rfork->joiner);
}

static void run_until_joined(globaldata_t gd, struct lwkt_rfork *rfork)
{
	while (lwkt_dispatch(0) || ipi_pending(gd) || gd->gd_stats.st_alive || gd->gd_stacks_away || gd->gd_asking || !rfork->end)
		if (gd->gd_shares && !rfork->end)
			lwkt_share_idle(gd);
		else
			lwkt_ipiq_idle(gd, 0);
}

static void *rfork_main(void *arg)
{
	struct lwkt_rfork *rfork = arg;
	const struct lwkt_create_args args = {.name = rfork->name, .priority = -1};
	globaldata_t gd;

	pthread_setname_np(pthread_self(), rfork->name);
	rfork->error = lwkt_cpu_init();
	if (!rfork->error && rfork->main) {
		rfork->error = lwkt_create(rfork->main, rfork->arg, NULL, &args);
		if (rfork->error)
			lwkt_cpu_fini();
	}
	if (rfork->error) {
		say_ready(rfork);
		return NULL;
	}
	gd = rfork->gd = lwkt_arch_mycpu();
	gd->gd_rfork = rfork;
	say_ready(rfork);
	run_until_joined(gd, rfork);
	lwkt_pool_trim(0, ~0u); /* what takes long, before anybody waits for this kernel thread */
	has_ended(rfork);
	lwkt_cpu_fini();
	return NULL;
}

static int start(struct lwkt_rfork *rfork, int processor)
{
	pthread_attr_t attr;
	sigset_t all, old;
	cpu_set_t set;
	int error = pthread_attr_init(&attr);

	if (error)
		return error;
	pthread_attr_setstacksize(&attr, RFORK_STACK);
	if (processor > 0) {
		CPU_ZERO(&set);
		if (processor > CPU_SETSIZE)
			error = EINVAL;
		else
			CPU_SET((unsigned)processor - 1, &set);
		if (!error)
			error = pthread_attr_setaffinity_np(&attr, sizeof(set), &set);
	}
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	if (!error)
		error = pthread_create(&rfork->thread, &attr, rfork_main, rfork);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attr);
	return error;
}

int lwkt_rfork_create(void (*main)(void *), void *arg, globaldata_t *gdp, const struct lwkt_rfork_args *args)
{
	struct lwkt_rfork *rfork;
	int error;

	if (args && args->processor < 0)
		return MISUSE(EINVAL, "processor %d is neither 0 (any) nor 1 + a processor's number", args->processor);
	rfork = calloc(1, sizeof(*rfork));
	if (!rfork)
		return ENOMEM;
	rfork->main = main;
	rfork->arg = arg;
	snprintf(rfork->name, sizeof(rfork->name), "%s", args && args->name ? args->name : "rfork");
	error = start(rfork, args ? args->processor : 0);
	if (!error) {
		wait_ready(rfork);
		error = rfork->error;
		if (error)
			pthread_join(rfork->thread, NULL);
	}
	if (error)
		free(rfork);
	else
		*gdp = rfork->gd;
	return error;
}

/** On the rfork that is to end. */
static void asked_to_end(void *arg)
{
	struct lwkt_rfork *rfork = arg;

	rfork->end = true;
}

int lwkt_rfork_join(globaldata_t gd)
{
	globaldata_t me = lwkt_arch_mycpu();
	struct lwkt_rfork *rfork = gd->gd_rfork;

	if (!rfork)
		return MISUSE(EINVAL, "rfork %p was not made by lwkt_rfork_create: it ends by itself (lwkt_cpu_fini)", (void *)gd);
	if (gd == me || !lwkt_may_wait(me))
		return MISUSE(EDEADLK, "%s", gd == me ? "an rfork can't wait for its own end: join it from another" : lwkt_debug_no_wait());
	if (atomic_exchange(&rfork->joining, 1))
		return MISUSE(EBUSY, "somebody joins the rfork already: exactly one may");
	rfork->joiner = me->gd_curthread;
	lwkt_send_ipiq(gd, asked_to_end, rfork, NULL);
	while (!rfork->ended)
		lwkt_wait_once("rfork join");
	pthread_join(rfork->thread, NULL);
	free(rfork);
	return 0;
}
