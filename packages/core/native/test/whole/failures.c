/*
 * failures.c - what happens when memory runs out: every allocation of the core is made to fail in turn (the linker puts
 * these __wrap_ functions in the C library's place). They count, too: whatever happened, an rfork that has ended has given everything back.
 */
#define _GNU_SOURCE
#include <sys/mman.h>

#include "check.h"

static bool fail_mmap, fail_calloc;
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

	fail_calloc = true;
	CHECK_EQ(lwkt_create(runs, NULL, &td, NULL), ENOMEM);
	fail_calloc = false;
	CHECK(td == NULL);
	CHECK_EQ(stats_now().st_created, 0);
	start(runs, NULL, 0);
	run_all();
	fail_calloc = true; /* a finished one's structure is there */
	start(runs, NULL, 0);
	run_all();
	fail_calloc = false;
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
			.flags = i % 3 ? TDF_JOINABLE : 0,
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

static void a_runtime_is_told(void)
{
	struct lwkt_create_args args = {.priority = -1, .data = &failed_count, .resident = &resident};

	ran = 0;
	for (int i = 0; i < 3; i++)
		CHECK_EQ(lwkt_create(runs, NULL, NULL, &args), 0);
	fail_mmap = true;
	run_all();
	CHECK_EQ(failed_count, 3);
	fail_mmap = false;
	CHECK_EQ(failed_error, ENOMEM);
	CHECK_EQ(ran, 0);
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
	balanced("a_runtime_is_told", a_runtime_is_told);
	return 0;
}
