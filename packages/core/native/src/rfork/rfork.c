/*
 * rfork.c - rforks that run native code only: a kernel thread each, whose thread0 picks userthreads and otherwise sleeps (DragonFly: the idle
 * thread; libcaps: caps_fork_vcpu). Rforks with an event loop become such by lwkt_cpu_init and are not made here.
 *
 * Invariant: struct lwkt_rfork is the new kernel thread's until `ready`; then `joining` is its joiner's, and all else its own until it has sent
 * `ended` to the joiner.
 */
#include "debug.h"

#define RFORK_STACK (256u * 1024) /* thread0's: IPI functions run there */

struct lwkt_rfork {
	struct lwkt_os_kthread *kthread;
	globaldata_t gd;
	void (*main)(void *arg);
	void *arg;
	struct lwkt_rfork_args args;
	char name[LWKT_NAME_MAX];
	int error;              /* why it could not begin */
	_Atomic uint32_t ready; /* a futex */
	_Atomic int joining;
	lwkt_thread_t joiner;   /* written before it is asked to end */
	bool ended;             /* written and read on the joiner's rfork */
};

static void say_ready(struct lwkt_rfork *rfork)
{
	atomic_store(&rfork->ready, 1);
	lwkt_os_futex_wake(&rfork->ready);
}

static void wait_ready(struct lwkt_rfork *rfork)
{
	while (!atomic_load(&rfork->ready))
		lwkt_os_futex_wait(&rfork->ready, 0, 0);
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

int lwkt_cpu_ending(void)
{
	globaldata_t gd = lwkt_arch_mycpu();

	return gd->gd_ending && !ipi_pending(gd) && !gd->gd_stats.st_alive && !gd->gd_stacks_away && !gd->gd_asking;
}

void lwkt_cpu_idle(void)
{
	globaldata_t gd = lwkt_arch_mycpu();
	uint64_t limit;

	if (gd->gd_curthread != &gd->gd_thread0 || !lwkt_may_wait(gd))
		return;
	limit = lwkt_share_ask();
	if (gd->gd_runqmask || limit == 0)
		return;
	lwkt_ipiq_idle(gd, limit == UINT64_MAX ? 0 : limit);
}

static void run_until_joined(void)
{
	while (lwkt_dispatch(0), !lwkt_cpu_ending())
		lwkt_cpu_idle();
}

static void rfork_main(void *arg)
{
	struct lwkt_rfork *rfork = arg;
	const struct lwkt_create_args args = {.name = rfork->name, .priority = -1};
	globaldata_t gd;

	rfork->error = lwkt_cpu_init();
	if (!rfork->error && rfork->main) {
		rfork->error = lwkt_create(rfork->main, rfork->arg, NULL, &args);
		if (rfork->error)
			lwkt_cpu_fini();
	}
	if (rfork->error) {
		say_ready(rfork);
		return;
	}
	gd = rfork->gd = lwkt_arch_mycpu();
	gd->gd_rfork = rfork;
	say_ready(rfork);
	if (rfork->args.loop)
		rfork->args.loop(rfork->args.data);
	run_until_joined(); /* what the loop has left */
	lwkt_pool_trim(0, ~0u); /* what takes long, before anybody waits for this kernel thread */
	has_ended(rfork);
	lwkt_cpu_fini();
}

/** Its kernel thread, by the maker that the program has, or by ours. */
static int make_kthread(struct lwkt_rfork *rfork)
{
	struct lwkt_os_kthread_args args = {.name = rfork->name, .stack_size = RFORK_STACK, .processor = rfork->args.processor};

	if (rfork->args.make)
		return rfork->args.make(rfork_main, rfork, rfork->args.data);
	return lwkt_os_kthread_create(&rfork->kthread, &args, rfork_main, rfork);
}

static void join_kthread(struct lwkt_rfork *rfork)
{
	if (rfork->args.join)
		rfork->args.join(rfork->args.data);
	else
		lwkt_os_kthread_join(rfork->kthread);
}

int lwkt_rfork_create(void (*main)(void *), void *arg, globaldata_t *gdp, const struct lwkt_rfork_args *args)
{
	struct lwkt_rfork *rfork;
	int error;

	if (args && args->processor < 0)
		return MISUSE(EINVAL, "processor %d is neither 0 (any) nor 1 + a processor's number", args->processor);
	if (args && !args->make != !args->join)
		return MISUSE(EINVAL, "who makes the kernel thread joins it, too: make and join, or neither");
	rfork = lwkt_os_alloc(sizeof(*rfork));
	if (!rfork)
		return ENOMEM;
	rfork->main = main;
	rfork->arg = arg;
	lwkt_set_name(rfork->name, args && args->name ? args->name : "rfork");
	if (args)
		rfork->args = *args;
	error = make_kthread(rfork);
	if (!error) {
		wait_ready(rfork);
		error = rfork->error;
		if (error)
			join_kthread(rfork);
	}
	if (error)
		lwkt_os_free(rfork);
	else
		*gdp = rfork->gd;
	return error;
}

/** After a fork: its kernel thread is no more. */
void lwkt_rfork_forget(struct lwkt_rfork *rfork)
{
	if (rfork->kthread)
		lwkt_os_kthread_forget(rfork->kthread);
	lwkt_os_free(rfork);
}

/** On the rfork that is to end. */
static void asked_to_end(void *gd)
{
	((globaldata_t)gd)->gd_ending = true;
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
	lwkt_send_ipiq(gd, asked_to_end, gd, NULL);
	while (!rfork->ended)
		lwkt_wait_once("rfork join");
	join_kthread(rfork);
	lwkt_os_free(rfork);
	return 0;
}
