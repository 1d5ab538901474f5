/*
 * check.h - what the C programs of this folder check with: an expression that does not hold is said, and the program's end is 1.
 */
#ifndef CHECK_H
#define CHECK_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libcr_syscalls.h"

#define CHECK(...) \
	do { \
		if (!(__VA_ARGS__)) { \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #__VA_ARGS__); \
			exit(1); \
		} \
	} while (0)

/** A joinable userthread of this rfork. */
static inline lwkt_thread_t begin(void (*func)(void *arg), void *arg)
{
	struct lwkt_create_args args = {.flags = TDF_JOINABLE};
	lwkt_thread_t td;

	CHECK(lwkt_create(func, arg, &td, &args) == 0);
	return td;
}

/** Each program is run with io_uring, and with the argument `readiness` without. */
static inline void check_begins(int argc, char **argv)
{
	CHECK(lwkt_cpu_init() == 0);
	alarm(280); /* a hang is a failure, too */
	if (argc > 1 && !strcmp(argv[1], "readiness"))
		sysmsg_use_ring(0);
}

#endif
