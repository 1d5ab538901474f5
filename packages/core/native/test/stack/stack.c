/*
 * stack.c - the memory of stacks: all of it is usable, the page below it is not, every size class works, and what is trimmed goes back
 * to the system.
 */
#define _GNU_SOURCE
#include <sys/syscall.h>

#include "check.h"

#define TOUCHED (48u * 1024)

static int pipe_ends[2];
static int used;

/** Whether the kernel may read the byte: asks without a crash. */
static bool readable(const char *byte)
{
	char drain;

	if (syscall(SYS_write, pipe_ends[1], byte, 1) == 1) {
		CHECK_EQ(read(pipe_ends[0], &drain, 1), 1);
		return true;
	}
	CHECK_EQ(errno, EFAULT);
	return false;
}

/** Writes and reads back a byte in each page from the stack's base to somewhat below the caller's frame. */
__attribute__((noinline)) static void use_whole_stack(void)
{
	size_t size = lwkt_curthread()->td_stack_size, margin = size / 4 < 16384 ? size / 4 : 16384;
	volatile char *base = lwkt_stack_base(lwkt_curthread()), *end = (char *)__builtin_frame_address(0) - margin;

	CHECK(base != NULL && base < end);
	CHECK((size_t)(end - base) < size);
	/* All but the guard page, the top and the margin just left. */
	CHECK((size_t)(end - base) + 3 * margin + (size_t)sysconf(_SC_PAGESIZE) > size);
	for (volatile char *p = base; p < end; p += 4096)
		*p = (char)((uintptr_t)p >> 12);
	lwkt_yield();
	for (volatile char *p = base; p < end; p += 4096)
		CHECK_EQ(*p, (char)((uintptr_t)p >> 12));
	CHECK(!readable((char *)base - 1));
	CHECK(!readable((char *)base - sysconf(_SC_PAGESIZE)));
	CHECK(readable((char *)base));
}

static void uses_all(void *arg)
{
	(void)arg;
	use_whole_stack();
	used++;
}

static void every_size(void)
{
	for (size_t size = LWKT_STACK_MIN; size <= LWKT_STACK_MAX; size *= 2) {
		struct lwkt_create_args args = {.priority = -1, .stack_size = size};
		lwkt_thread_t td;

		for (int i = 0; i < 2; i++)
			CHECK_EQ(lwkt_create(uses_all, NULL, &td, &args), 0);
		CHECK_EQ(td->td_stack_size, stack_size_of(size));
		args.stack_size = size - 1;
		if (size > LWKT_STACK_MIN)
			CHECK_EQ(lwkt_create(uses_all, NULL, &td, &args), 0);
		CHECK_EQ(td->td_stack_size, stack_size_of(size));
		used = 0;
		run_all();
		CHECK_EQ(used, size > LWKT_STACK_MIN ? 3 : 2);
	}
}

static void touches(void *arg)
{
	volatile char *base = lwkt_stack_base(lwkt_curthread());

	(void)arg;
	for (unsigned i = 0; i < TOUCHED; i += 4096)
		base[i] = 1;
	CHECK(!readable((char *)base - 1));
	lwkt_block("test");
}

static void memory_goes_back(void)
{
	enum { COUNT = 1000 };
	static lwkt_thread_t all[COUNT];
	size_t before = resident_bytes(), during;

	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < COUNT; i++)
			all[i] = start(touches, NULL, 0);
		run_all();
		during = resident_bytes();
		CHECK(during > before + COUNT * TOUCHED / 10 * 9);
		/* At first every eighth stays: hardly any arena is free as a whole then. */
		for (int i = 0; i < COUNT; i++)
			if (i % 8)
				lwkt_schedule(all[i]);
		run_all();
		CHECK_EQ(lwkt_pool_trim(0, ~0u), COUNT / 8 * 7);
		CHECK(resident_bytes() + COUNT / 8 * 7 * TOUCHED / 10 * 9 < during);
		for (int i = 0; i < COUNT; i += 8)
			lwkt_schedule(all[i]);
		run_all();
		CHECK_EQ(lwkt_pool_trim(round, ~0u), COUNT / 8 - round);
		CHECK(resident_bytes() + COUNT * TOUCHED / 10 * 9 < during);
	}
}

/* Slots come and go in all orders; each keeps its guard page and nobody shares one. */
static void slots_are_reused(void)
{
	enum { COUNT = 200 };
	static lwkt_thread_t all[COUNT];
	unsigned seed = 1;

	for (int i = 0; i < COUNT; i++)
		all[i] = start(touches, NULL, 0);
	run_all();
	for (int round = 0; round < 20; round++) {
		for (int i = 0; i < COUNT; i++) {
			seed = seed * 1103515245u + 12345u;
			if (seed >> 30 == 0)
				continue;
			lwkt_schedule(all[i]);
			run_all();
			if (seed >> 30 == 1)
				lwkt_pool_trim(0, ~0u);
			all[i] = start(touches, NULL, 0);
			run_all();
		}
		for (int i = 0; i < COUNT; i++)
			for (int k = 0; k < i; k++)
				CHECK(lwkt_stack_base(all[i]) != lwkt_stack_base(all[k]));
	}
	for (int i = 0; i < COUNT; i++)
		lwkt_schedule(all[i]);
	run_all();
}

/* ---- how much has been used */

static void touches_from(void *arg)
{
	volatile char *base = lwkt_stack_base(lwkt_curthread());

	if (arg)
		base[(uintptr_t)arg] = 0; /* a zero is a touch, too */
	lwkt_block("test");
}

/** What a thread that has touched the byte at `offset` from its stack's base has used, when it is suspended. */
static size_t used_by(uintptr_t offset, size_t size)
{
	struct lwkt_create_args args = {.priority = -1, .stack_size = size};
	lwkt_thread_t td;
	size_t used;

	CHECK_EQ(lwkt_create(touches_from, (void *)offset, &td, &args), 0);
	CHECK_EQ(lwkt_stack_used(td), 0); /* it has no stack yet */
	run_all();
	used = lwkt_stack_used(td);
	CHECK(used <= size);
	lwkt_schedule(td);
	run_all();
	return used;
}

static void high_water(void)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE), size = 256 * page;
	size_t little, more;

	CHECK_EQ(lwkt_stack_used(lwkt_thread0()), 0);
	if (access("/proc/self/pagemap", R_OK) != 0) {
		printf("    not told by this system\n");
		return;
	}
	little = used_by(0, size);
	CHECK(little > 0 && little < 16 * page);
	more = used_by(500 * page + 5, 4 * size);
	CHECK(more > 3 * size / 2 && more < 4 * size - 500 * page); /* in the middle, far from all the rest */
	CHECK_EQ(used_by(400 * page, 4 * size), more + 100 * page);
	CHECK_EQ(used_by(400 * page + page - 1, 4 * size), more + 100 * page);
	CHECK_EQ(used_by(0, 4 * size), more + 100 * page); /* its predecessors' */
	lwkt_pool_trim(0, ~0u);
	CHECK(used_by(0, 4 * size) < 16 * page);
	CHECK_EQ(used_by(1, 4 * size), 4 * size - page); /* all but the guard page */
	lwkt_pool_trim(0, ~0u);
}

int main(void)
{
	CHECK_EQ(pipe(pipe_ends), 0);
	ON_RFORK(every_size);
	ON_RFORK(memory_goes_back);
	ON_RFORK(slots_are_reused);
	ON_RFORK(high_water);
	return 0;
}
