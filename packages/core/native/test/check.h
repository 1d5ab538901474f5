/*
 * check.h - what the tests have in common: CHECK, and an rfork to test on. Not a framework: a program is a main that calls functions,
 * and the first failure ends it.
 *
 * Invariant: a failure is printed with its file and line, and the exit status is 1.
 */
#ifndef LWKT_TEST_CHECK_H
#define LWKT_TEST_CHECK_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lwkt.h"

#define CHECK(expr) ((expr) ? (void)0 : check_failed(__FILE__, __LINE__, #expr))

/** CHECK(have == want) that prints both: for whole numbers. */
#define CHECK_EQ(have, want) check_eq(__FILE__, __LINE__, #have " == " #want, (long long)(have), (long long)(want))

#if defined(__SANITIZE_ADDRESS__)
#define CHECK_SANITIZED 1
#else
#define CHECK_SANITIZED 0
#endif

/* _exit: the failing thread may stand on any stack, with anything half done. */
__attribute__((noreturn)) static inline void check_failed(const char *file, int line, const char *what)
{
	fflush(stdout);
	fprintf(stderr, "%s:%d: CHECK(%s) failed\n", file, line, what);
	_exit(1);
}

static inline void check_eq(const char *file, int line, const char *what, long long have, long long want)
{
	if (have == want)
		return;
	fprintf(stderr, "%lld is not %lld: ", have, want);
	check_failed(file, line, what);
}

/** Says what is being tested, so that a crash has a place. */
static inline void topic(const char *text)
{
	printf("  %s\n", text);
	fflush(stdout);
}

static inline struct lwkt_stats stats_now(void)
{
	struct lwkt_stats stats;

	lwkt_stats(&stats);
	return stats;
}

static inline lwkt_thread_t start_at(int priority, void (*func)(void *), void *arg, uint32_t flags)
{
	struct lwkt_create_args args = {.priority = priority, .flags = flags};
	lwkt_thread_t td = NULL;

	CHECK_EQ(lwkt_create(func, arg, &td, &args), 0);
	CHECK(td != NULL);
	return td;
}

static inline lwkt_thread_t start(void (*func)(void *), void *arg, uint32_t flags)
{
	return start_at(-1, func, arg, flags);
}

/** Runs until nobody can. */
static inline void run_all(void)
{
	CHECK_EQ(lwkt_dispatch(0), 0);
}

/** A test on a new rfork, which must end with no thread left. */
static inline void on_rfork(const char *name, void (*test)(void))
{
	topic(name);
	CHECK_EQ(lwkt_cpu_init(), 0);
	test();
	CHECK_EQ(stats_now().st_alive, 0);
	CHECK_EQ(stats_now().st_runnable, 0);
	CHECK_EQ(lwkt_cpu_fini(), 0);
	CHECK_EQ(lwkt_is_rfork(), 0);
}

#define ON_RFORK(test) on_rfork(#test, test)

/** A stack for what calls the C library, or random depths of calls; LWKT_STACK_MIN is for what is known to be shallow. */
#define SMALL_STACK (64u * 1024)

/** The stack that a thread has for which size bytes are asked: a power of two, room for four pages. */
static inline size_t stack_size_of(size_t size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), have = LWKT_STACK_MIN;

	while (have < size || have < 4 * page)
		have *= 2;
	return have;
}

/** Bytes of memory that this process has in use. */
static inline size_t resident_bytes(void)
{
	FILE *file = fopen("/proc/self/statm", "r");
	unsigned long size, resident;

	CHECK(file != NULL);
	CHECK_EQ(fscanf(file, "%lu %lu", &size, &resident), 2);
	fclose(file);
	return resident * (size_t)sysconf(_SC_PAGESIZE);
}

#if CHECK_SANITIZED
/* The options a program with userthreads needs (see sanitizer.h). ASAN_OPTIONS in the environment comes on top. */
#ifdef __cplusplus
extern "C"
#endif
const char *__asan_default_options(void);
__attribute__((visibility("default"))) const char *__asan_default_options(void)
{
	return "detect_stack_use_after_return=0:abort_on_error=0:detect_leaks=1";
}
#endif

#endif
