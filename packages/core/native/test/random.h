/*
 * random.h - random numbers that can be had again: the seed is the program's argument, or LIBCR_SEED, or new; it is printed.
 */
#ifndef LWKT_TEST_RANDOM_H
#define LWKT_TEST_RANDOM_H

#include <time.h>

#include "check.h"

static uint64_t test_seed;

static inline void begin_random(int argc, char **argv)
{
	const char *given = argc > 1 ? argv[1] : getenv("LIBCR_SEED");

	test_seed = given ? strtoull(given, NULL, 0) : (uint64_t)time(NULL) * 1000003 + (uint64_t)getpid();
	printf("  seed %llu\n", (unsigned long long)test_seed);
	fflush(stdout); /* also where the program does not come to its end */
}

/** 0 to below - 1. state: one for each thread that asks, begun with seed_of(a number of its own). (xorshift64*) */
static inline uint64_t random_below(uint64_t *state, uint64_t below)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return (*state * 0x2545F4914F6CDD1Dull >> 11) % below;
}

static inline uint64_t seed_of(uint64_t number)
{
	return ((test_seed + 1) * 0x9E3779B97F4A7C15ull + (number + 1) * 0xBF58476D1CE4E5B9ull) | 1;
}

#endif
