/*
 * failures.c - what happens when memory or kernel threads run out: every allocation of the core is made to fail in turn (the linker puts
 * these __wrap_ functions in the C library's place). They count, too: whatever happened, an rfork that has ended has given everything back.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sys/mman.h>

#include "check.h"

static bool fail_mmap, fail_malloc, fail_calloc;
static int pthread_creates_left = -1; /* < 0: no limit */
static long allocations, mapped; /* not yet given back: pieces, bytes */

void *__real_mmap(void *address, size_t size, int protection, int flags, int fd, off_t offset);
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void __real_free(void *piece);
int __real_munmap(void *address, size_t size);
int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*func)(void *), void *arg);

void *__wrap_mmap(void *address, size_t size, int protection, int flags, int fd, off_t offset)
{
	if (fail_mmap) {
		errno = ENOMEM;
		return MAP_FAILED;
	}
	mapped += (long)size;
	return __real_mmap(address, size, protection, flags, fd, offset);
}

void *__wrap_malloc(size_t size)
{
	if (fail_malloc)
		return NULL;
	allocations++;
	return __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	if (fail_calloc)
		return NULL;
	allocations++;
	return __real_calloc(count, size);
}

void __wrap_free(void *piece)
{
	if (piece)
		allocations--;
	__real_free(piece);
}

int __wrap_munmap(void *address, size_t size)
{
	mapped -= (long)size;
	return __real_munmap(address, size);
}

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*func)(void *), void *arg)
{
	if (pthread_creates_left == 0)
		return EAGAIN;
	if (pthread_creates_left > 0)
		pthread_creates_left--;
	return __real_pthread_create(thread, attr, func, arg);
}

static int ran;

static void runs(void *arg)
{
	(void)arg;
	ran++;
}

static void sleeps(void *arg)
{
	(void)arg;
	lwkt_block("test");
	ran++;
}

static void no_rfork(void)
{
	topic("no_rfork");
	fail_calloc = true;
	CHECK_EQ(lwkt_cpu_init(), ENOMEM);
	fail_calloc = false;
	CHECK_EQ(lwkt_is_rfork(), 0);
	CHECK_EQ(lwkt_cpu_init(), 0);
	CHECK_EQ(lwkt_cpu_fini(), 0);
}

static void no_thread(void)
{
	lwkt_thread_t td = NULL;

	fail_malloc = true;
	CHECK_EQ(lwkt_create(runs, NULL, &td, NULL), ENOMEM);
	fail_malloc = false;
	CHECK(td == NULL);
	CHECK_EQ(stats_now().st_created, 0);
	start(runs, NULL, 0);
	run_all();
	fail_malloc = true; /* a finished one's structure is there */
	start(runs, NULL, 0);
	run_all();
	fail_malloc = false;
	CHECK_EQ(ran, 2);
}

/* The others run all the same, and who joins is told. */
static void no_stack_because(bool *fail)
{
	lwkt_thread_t good, bad[3];

	ran = 0;
	good = start(sleeps, NULL, 0);
	run_all();
	for (int i = 0; i < 3; i++) {
		struct lwkt_create_args args = {.priority = -1, .stack_size = LWKT_STACK_MIN, .flags = TDF_JOINABLE};

		CHECK_EQ(lwkt_create(runs, NULL, &bad[i], &args), 0);
	}
	CHECK_EQ(lwkt_schedule(good), 0);
	*fail = true;
	run_all();
	*fail = false;
	CHECK_EQ(ran, 1);
	CHECK_EQ(stats_now().st_alive, 0);
	for (int i = 0; i < 3; i++) {
		CHECK_EQ(bad[i]->td_error, ENOMEM);
		CHECK_EQ(lwkt_join(bad[i]), ENOMEM);
	}
	start(runs, NULL, 0);
	run_all();
	CHECK_EQ(ran, 2);
}

static void no_stack(void)
{
	no_stack_because(&fail_mmap);
}

static void no_arena(void)
{
	no_stack_because(&fail_calloc);
}

/* Not joined, with messages and stacks about: all of it goes with the rfork. */
static void nothing_left(void)
{
	for (unsigned i = 0; i < 300; i++) {
		struct lwkt_create_args args = {
			.priority = -1,
			.stack_size = LWKT_STACK_MIN << (i % 4),
			.flags = (i % 3 ? TDF_JOINABLE : 0) | (i % 5 ? 0 : TDF_TLS),
		};

		CHECK_EQ(lwkt_create(runs, NULL, NULL, &args), 0);
		if (i % 7 == 0)
			run_all();
	}
	run_all();
	CHECK(allocations > 0 && mapped > 0);
}

static int failed_error, failed_count;

static void on_failed(lwkt_thread_t td, int error)
{
	CHECK(td->td_data == &failed_count);
	CHECK(td->td_flags & TDF_EXITING);
	failed_error = error;
	failed_count++;
}

static void resident_main(void)
{
	CHECK(!"a thread without a stack ran");
}

static const struct lwkt_resident resident = {.main = resident_main, .failed = on_failed};

static void no_tls(void)
{
	struct lwkt_create_args args = {.priority = -1, .flags = TDF_TLS, .data = &failed_count, .resident = &resident};

	ran = 0;
	for (int i = 0; i < 3; i++)
		CHECK_EQ(lwkt_create(runs, NULL, NULL, &args), 0);
	start(runs, NULL, 0);
	pthread_creates_left = 0;
	run_all();
	CHECK_EQ(failed_count, 3);
	CHECK_EQ(failed_error, EAGAIN);
	CHECK_EQ(ran, 1);
	pthread_creates_left = -1;
}

/* Blocks are made several at once: those that could be had are used, and nothing of the others is left. */
static void few_tls(void)
{
	static lwkt_thread_t all[200];
	struct lwkt_stats stats;
	unsigned unable = 0;

	ran = 0;
	for (int i = 0; i < 200; i++) {
		all[i] = start(sleeps, NULL, TDF_TLS | TDF_JOINABLE);
		if (i < 100)
			run_all();
	}
	stats = stats_now();
	pthread_creates_left = 3;
	run_all();
	pthread_creates_left = -1;
	CHECK_EQ(stats_now().st_tls_created, stats.st_tls_created + 3);
	CHECK_EQ(stats_now().st_alive, stats.st_tls_created + 3);
	for (int i = 0; i < 200; i++) {
		if (!(all[i]->td_flags & TDF_EXITING))
			CHECK_EQ(lwkt_schedule(all[i]), 0);
		else
			unable++;
	}
	CHECK_EQ(unable, 200 - (stats.st_tls_created + 3));
	for (int i = 0; i < 200; i++)
		CHECK_EQ(lwkt_join(all[i]), all[i]->td_flags & TDF_EXITING && all[i]->td_error ? EAGAIN : 0);
	CHECK_EQ(ran + unable, 200);
}

static void balanced(const char *name, void (*test)(void))
{
	long before = allocations; /* an rfork's area is kept for the next one */

	on_rfork(name, test);
	CHECK_EQ(allocations, before);
	CHECK_EQ(mapped, 0);
}

int main(void)
{
	no_rfork();
	balanced("no_thread", no_thread);
	balanced("no_stack", no_stack);
	balanced("no_arena", no_arena);
	balanced("nothing_left", nothing_left);
	balanced("no_tls", no_tls);
	balanced("few_tls", few_tls);
	return 0;
}
