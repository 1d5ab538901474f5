/*
 * sample.h - what the subjects in C and C++ share: warming up, sampling, and telling the runner. sample.go is the same for Go.
 *
 * Invariant: a sample is one uninterrupted stretch of at least some milliseconds, and the clock is read before and after it only; a
 * subject's figure is the median of its samples after the warm-up. The numbers are those of tools/bench/sample.mjs.
 */
#ifndef BENCH_SAMPLE_H
#define BENCH_SAMPLE_H

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define WARMUPS 3
#define SAMPLES 7

/* What must not fail, in a build without assert too. */
#define MUST(expr) ((expr) ? (void)0 : sample_failed(__FILE__, __LINE__, #expr))

static inline void sample_failed(const char *file, int line, const char *what)
{
	fprintf(stderr, "%s:%d: %s failed\n", file, line, what);
	_exit(1); /* it may stand on any stack */
}

static inline double sample_clock(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

static inline int sample_compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/** Prints the median nanoseconds of one of the `operations` that each call of stretch() does. */
static inline void sample(long operations, void (*stretch)(void))
{
	double figures[SAMPLES];

	for (int i = -WARMUPS; i < SAMPLES; i++) {
		double start = sample_clock();

		stretch();
		if (i >= 0)
			figures[i] = (sample_clock() - start) / (double)operations;
	}
	qsort(figures, SAMPLES, sizeof(figures[0]), sample_compare);
	printf("{\"ns\": %.3f}\n", figures[SAMPLES / 2]);
}

/** Bytes of memory that this process has in use. */
static inline long sample_resident_bytes(void)
{
	FILE *file = fopen("/proc/self/statm", "r");
	long size, resident;

	MUST(file != NULL);
	MUST(fscanf(file, "%ld %ld", &size, &resident) == 2);
	fclose(file);
	return resident * sysconf(_SC_PAGESIZE);
}

#endif
