/*
 * threads.c - all of LWKT in a program that has no C library: threads, messages, timed waits, tokens, serializers, wait queues, rforks that the kernel
 * made of a bare clone, work that is shared. The TLS base names no memory at all from the first instruction on: whatever used it would end here.
 */
#include <asm/prctl.h>

#include "program.h"

#define NOWHERE 0x100000001000ul /* where nothing is mapped */
#define RFORKS 2
#define THREADS 5000
#define ROUNDS 200

static globaldata_t rforks[RFORKS + 1]; /* the last is the program's first */
static _Atomic unsigned long count;

static lwkt_thread_t start_on(globaldata_t rfork, void (*func)(void *), void *arg, uint32_t flags)
{
	struct lwkt_create_args args = {.priority = -1, .flags = flags, .rfork = rfork, .stack_size = LWKT_STACK_MIN};
	lwkt_thread_t td = NULL;

	CHECK_EQ(lwkt_create(func, arg, &td, &args), 0);
	return td;
}

static struct lwkt_stats stats_now(void)
{
	struct lwkt_stats stats;

	lwkt_stats(&stats);
	return stats;
}

/* ---------------------------------------------------------------- one rfork */

static void yields(void *arg)
{
	for (int i = 0; i < 3; i++)
		lwkt_yield();
	atomic_fetch_add(&count, (unsigned long)(uintptr_t)arg);
}

static void create_and_join(void)
{
	static lwkt_thread_t tds[THREADS];

	for (int round = 0; round < 3; round++) {
		atomic_store(&count, 0);
		for (unsigned long i = 0; i < THREADS; i++)
			tds[i] = start_on(NULL, yields, (void *)i, TDF_JOINABLE);
		for (int i = 0; i < THREADS; i++)
			CHECK_EQ(lwkt_join(tds[i]), 0);
		CHECK_EQ(atomic_load(&count), (unsigned long)THREADS * (THREADS - 1) / 2);
		CHECK_EQ(stats_now().st_alive, 0);
		if (round == 1)
			CHECK(lwkt_pool_trim(0, ~0u) > 0);
	}
	for (int i = 0; i < 20000; i++) /* one after the other: the same stack, the same structure */
		CHECK_EQ(lwkt_join(start_on(NULL, yields, NULL, TDF_JOINABLE)), 0);
}

static void exits(void *arg)
{
	(void)arg;
	lwkt_exit();
	CHECK(!"lwkt_exit returns");
}

/* ---------------------------------------------------------------- messages */

static struct lwkt_port service;

static void serves(void *arg)
{
	for (long n = (long)(intptr_t)arg; n > 0; n--) {
		lwkt_msg_t msg = lwkt_waitport(&service, NULL);

		CHECK(msg != NULL);
		msg->u.ms_result++;
		CHECK_EQ(lwkt_replymsg(msg, 0), 0);
	}
}

static void asks(void *arg)
{
	struct lwkt_msg msg;

	(void)arg;
	lwkt_initmsg(&msg, NULL, 0);
	for (int i = 0; i < ROUNDS; i++) {
		CHECK_EQ(lwkt_domsg(&service, &msg), 0);
		CHECK_EQ(msg.u.ms_result, i + 1);
	}
}

/** Askers on `askers` rforks, four each, beginning with the second of `rforks`; the service on the first. */
static void messages(int askers)
{
	struct lwkt_create_args args = {.priority = -1, .flags = TDF_NOSTART | TDF_JOINABLE};
	lwkt_thread_t server, tds[4 * (RFORKS + 1)];
	int n = 4 * (askers ? askers : 1);

	CHECK_EQ(lwkt_create(serves, (void *)(intptr_t)(n * ROUNDS), &server, &args), 0);
	lwkt_initport_thread(&service, server, "service");
	CHECK_EQ(lwkt_schedule(server), 0);
	for (int i = 0; i < n; i++)
		tds[i] = start_on(askers ? rforks[i % askers] : NULL, asks, NULL, TDF_JOINABLE);
	for (int i = 0; i < n; i++)
		CHECK_EQ(lwkt_join(tds[i]), 0);
	CHECK_EQ(lwkt_join(server), 0);
}

/* ---------------------------------------------------------------- time */

static void sleeps(void *arg)
{
	uint64_t before = lwkt_os_clock();
	struct lwkt_port port;
	int error = 0;

	(void)arg;
	CHECK_EQ(lwkt_nanosleep(3000000), 0);
	CHECK(lwkt_os_clock() >= before + 3000000);
	while ((error = lwkt_block_timed("test", 1000000)) == 0)
		;
	CHECK_EQ(error, EWOULDBLOCK);
	lwkt_initport_thread(&port, NULL, NULL);
	CHECK(lwkt_waitport_timed(&port, 1000000, &error) == NULL);
	CHECK_EQ(error, EWOULDBLOCK);
	CHECK(lwkt_os_clock() >= before + 5000000);
	atomic_fetch_add(&count, 1);
}

static void timed_waits(void)
{
	atomic_store(&count, 0);
	for (int i = 0; i < 50; i++)
		start_on(NULL, sleeps, NULL, 0);
	while (stats_now().st_alive)
		if (lwkt_dispatch(0) == 0)
			lwkt_block_timed("test", 100000000);
	CHECK_EQ(atomic_load(&count), 50);
}

/* ---------------------------------------------------------------- several rforks */

static void check_tls_base(void *arg)
{
	unsigned long base = 0;

	(void)arg;
	CHECK_EQ(lwkt_arch_syscall(SYS_arch_prctl, ARCH_GET_FS, (long)&base, 0, 0, 0, 0), 0);
	CHECK(base == NOWHERE);
	atomic_fetch_add(&count, 1);
}

static struct lwkt_token token;
static struct lwkt_serialize serializer;
static struct lwkt_wait queue;
static unsigned long guarded, entered; /* by the token, by the serializer */
static _Atomic int go_on;

static void takes(void *arg)
{
	struct lwkt_tokref ref;
	uint32_t gen = lwkt_wait_gen(&queue);

	(void)arg;
	while (!atomic_load(&go_on))
		CHECK_EQ(lwkt_wait_block(&queue, "go", &gen), 0);
	for (int i = 0; i < ROUNDS; i++) {
		CHECK_EQ(lwkt_gettoken(&ref, &token), 0);
		guarded++;
		lwkt_yield();
		guarded++;
		CHECK_EQ(lwkt_reltoken(&ref), 0);
		CHECK_EQ(lwkt_serialize_enter(&serializer), 0);
		entered++;
		CHECK_EQ(lwkt_serialize_exit(&serializer), 0);
	}
}

static void tokens(void)
{
	lwkt_thread_t tds[4 * RFORKS];

	lwkt_token_init(&token, "test");
	lwkt_serialize_init(&serializer);
	lwkt_wait_init(&queue);
	for (int i = 0; i < 4 * RFORKS; i++)
		tds[i] = start_on(rforks[i % RFORKS], takes, NULL, TDF_JOINABLE);
	atomic_store(&go_on, 1);
	lwkt_wait_signal(&queue, -1);
	for (int i = 0; i < 4 * RFORKS; i++)
		CHECK_EQ(lwkt_join(tds[i]), 0);
	CHECK_EQ(guarded, 2ul * 4 * RFORKS * ROUNDS);
	CHECK_EQ(entered, 4ul * RFORKS * ROUNDS);
}

static void visits_all(void *arg)
{
	(void)arg;
	for (int round = 0; round < 50; round++)
		for (int i = 0; i < RFORKS; i++) {
			CHECK_EQ(lwkt_setcpu_self(rforks[i]), 0);
			CHECK(lwkt_mycpu() == rforks[i]);
		}
	check_tls_base(NULL);
}

static void shares(void *arg)
{
	(void)arg;
	lwkt_share_work(1);
}

static _Atomic unsigned seen[RFORKS];

/** Until some have been seen on each. */
static void computes(void *arg)
{
	(void)arg;
	while (!atomic_load(&seen[0]) || !atomic_load(&seen[1])) {
		for (int i = 0; i < RFORKS; i++)
			if (lwkt_mycpu() == rforks[i])
				atomic_store(&seen[i], 1);
		lwkt_yield();
	}
	check_tls_base(NULL);
}

static void work_sharing(void)
{
	lwkt_thread_t tds[8];
	uint64_t seq;

	for (int i = 0; i < RFORKS; i++) {
		CHECK_EQ(lwkt_send_ipiq(rforks[i], shares, NULL, &seq), 0);
		CHECK_EQ(lwkt_wait_ipiq(rforks[i], seq), 0);
	}
	for (int i = 0; i < 8; i++)
		tds[i] = start_on(rforks[0], computes, NULL, TDF_JOINABLE | TDF_MIGRATABLE);
	for (int i = 0; i < 8; i++)
		CHECK_EQ(lwkt_join(tds[i]), 0);
}

static void several(void)
{
	struct lwkt_rfork_args args = {.name = "a name that is too long for the kernel", .processor = 100000};

	CHECK_EQ(lwkt_rfork_create(NULL, NULL, &rforks[0], &args), EINVAL);
	args.processor = 1024; /* which this machine hardly has */
	CHECK_EQ(lwkt_rfork_create(NULL, NULL, &rforks[0], &args), EINVAL);
	args.processor = 0;
	rforks[RFORKS] = lwkt_mycpu();
	for (int i = 0; i < RFORKS; i++)
		CHECK_EQ(lwkt_rfork_create(check_tls_base, NULL, &rforks[i], &args), 0);
	CHECK_EQ(lwkt_ncpus(), RFORKS + 1);
	messages(RFORKS);
	tokens();
	work_sharing();
	CHECK_EQ(lwkt_join(start_on(NULL, visits_all, NULL, TDF_JOINABLE)), 0);
	for (int i = 0; i < 2000; i++)
		CHECK_EQ(lwkt_join(start_on(rforks[i % RFORKS], yields, NULL, TDF_JOINABLE)), 0);
	for (int i = 0; i < RFORKS; i++)
		CHECK_EQ(lwkt_rfork_join(rforks[i]), 0);
	CHECK_EQ(lwkt_ncpus(), 1);
}

/** Each is a kernel thread with a stack of its own. */
static void come_and_go(void)
{
	globaldata_t gd;

	atomic_store(&count, 0);
	for (int i = 0; i < 200; i++) {
		CHECK_EQ(lwkt_rfork_create(check_tls_base, NULL, &gd, NULL), 0);
		CHECK_EQ(lwkt_rfork_join(gd), 0);
	}
	CHECK_EQ(atomic_load(&count), 200);
}

static void waits(void *arg)
{
	(void)arg;
	lwkt_block("the end of the process");
}

static void forks(void *arg)
{
	struct lwkt_rfork_args args = {.name = "child's"};
	globaldata_t gd = arg;
	struct lwkt_cpusync cs;
	int status = -1;
	long child;

	lwkt_cpusync_init(&cs, &gd, 1, check_tls_base, NULL);
	CHECK_EQ(lwkt_cpusync_interlock(&cs), 0);
	child = lwkt_arch_syscall(SYS_fork, 0, 0, 0, 0, 0, 0);
	if (child == 0) {
		CHECK_EQ(lwkt_forked(), 0);
		CHECK_EQ(lwkt_ncpus(), 1);
		CHECK_EQ(stats_now().st_alive, 1);
		CHECK_EQ(lwkt_join(start_on(NULL, yields, NULL, TDF_JOINABLE)), 0);
		CHECK_EQ(lwkt_rfork_create(check_tls_base, NULL, &gd, &args), 0);
		CHECK_EQ(lwkt_rfork_join(gd), 0);
		ends(0);
	}
	CHECK(child > 0);
	CHECK_EQ(lwkt_cpusync_deinterlock(&cs), 0);
	CHECK_EQ(lwkt_arch_syscall(SYS_wait4, child, (long)&status, 0, 0, 0, 0), child);
	CHECK_EQ(status, 0);
}

/** Another rfork stands still meanwhile. */
static void fork_and_go_on(void)
{
	lwkt_thread_t tds[2];
	globaldata_t gd;

	CHECK_EQ(lwkt_rfork_create(NULL, NULL, &gd, NULL), 0);
	for (int i = 0; i < 2; i++)
		tds[i] = start_on(i ? gd : NULL, waits, NULL, TDF_JOINABLE);
	CHECK_EQ(lwkt_join(start_on(NULL, yields, NULL, TDF_JOINABLE)), 0);
	for (int i = 0; i < 20; i++)
		CHECK_EQ(lwkt_join(start_on(NULL, forks, gd, TDF_JOINABLE)), 0);
	for (int i = 0; i < 2; i++) {
		CHECK_EQ(lwkt_schedule(tds[i]), 0);
		CHECK_EQ(lwkt_join(tds[i]), 0);
	}
	CHECK_EQ(lwkt_rfork_join(gd), 0);
}

static void bell(void)
{
	uint64_t rings = 0;
	int fd = lwkt_doorbell();

	CHECK(fd >= 0);
	CHECK_EQ(lwkt_loop_sleeps(0), 1);
	lwkt_os_bell_ring(fd);
	CHECK_EQ(lwkt_arch_syscall(SYS_read, fd, (long)&rings, sizeof(rings), 0, 0, 0), sizeof(rings));
	CHECK_EQ(rings, 1);
	CHECK_EQ(lwkt_loop_wakes(), 0);
}

int main(void)
{
	CHECK_EQ(lwkt_arch_syscall(SYS_arch_prctl, ARCH_SET_FS, (long)NOWHERE, 0, 0, 0, 0), 0);
	CHECK_EQ(lwkt_is_rfork(), 0);
	CHECK_EQ(lwkt_cpu_init(), 0);
	CHECK_EQ(lwkt_is_rfork(), 1);
	CHECK_EQ(lwkt_cpu_init(), EEXIST);
	create_and_join();
	CHECK_EQ(lwkt_join(start_on(NULL, exits, NULL, TDF_JOINABLE)), 0);
	messages(0);
	timed_waits();
	bell();
	several();
	come_and_go();
	fork_and_go_on();
	check_tls_base(NULL);
	CHECK_EQ(lwkt_cpu_fini(), 0);
	CHECK_EQ(lwkt_is_rfork(), 0);
	return 0;
}
