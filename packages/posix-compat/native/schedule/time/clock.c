/*
 * clock.c - virtual time: a number that moves when the program reads a clock, and to the first timer when no lwp can run (idle.c). All clocks go by it, those of CPU time,
 * too. libcr's own timers do by lwkt_os_clock, whose readings move nothing. It is never behind the tree's (tree.c).
 */
#include "schedule.h"

#include <sys/resource.h>
#include <sys/times.h>

#define SECOND 1000000000ull
#define READING 1000ull                  /* ns that each takes */
#define BEGINS (1000 * SECOND)           /* CLOCK_MONOTONIC's, as after a while */
#define EPOCH (1577836800ull * SECOND) /* CLOCK_REALTIME less that: from 2020 on */
#define TICKS 100                        /* a second's, in times(2) */

static uint64_t now, began;

void clock_move(uint64_t to)
{
	if (to > now)
		now = to;
}

uint64_t clock_now(void)
{
	clock_move(tree_now());
	return now;
}

void clock_passes(uint64_t ns)
{
	now += ns;
}

static bool is_of_realtime(int clock)
{
	return clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE || clock == CLOCK_REALTIME_ALARM || clock == CLOCK_TAI;
}

static bool is_of_cputime(int clock)
{
	return clock < 0 || clock == CLOCK_PROCESS_CPUTIME_ID || clock == CLOCK_THREAD_CPUTIME_ID || clock > CLOCK_TAI;
}

static uint64_t read_clock(int clock)
{
	clock_now();
	return is_of_realtime(clock) ? now + EPOCH : is_of_cputime(clock) ? now - began : now;
}

void clock_begin(void)
{
	now = began = options.clock ? options.clock : BEGINS;
	lwkt_os_clock_other = clock_now;
	waits_go_by(clock_of_user);
	tree_begin();
}

uint64_t clock_of_user(int clock)
{
	return read_clock(clock);
}

/* ---------------------------------------------------------------- the calls */

static long give(uint64_t to, uint64_t ns, unsigned unit)
{
	return to ? copyout(to, (uint64_t[]){ns / SECOND, ns % SECOND / unit}, 16) : 0;
}

static long give_seconds(uint64_t to, uint64_t ns)
{
	const long seconds = (long)(ns / SECOND);

	return to && copyout(to, &seconds, 8) ? -EFAULT : seconds;
}

static long give_usage(uint64_t to, uint64_t ns)
{
	const struct rusage usage = {.ru_utime = {(time_t)(ns / SECOND), (long)(ns % SECOND / 1000)}};

	return copyout(to, &usage, sizeof(usage));
}

static long give_times(uint64_t to)
{
	const uint64_t ticks = (now - began) / (SECOND / TICKS);
	const struct tms times = {.tms_utime = (clock_t)ticks};

	return to && copyout(to, &times, sizeof(times)) ? -EFAULT : (long)(now / (SECOND / TICKS));
}

static long readings(const struct trapframe *tf)
{
	clock_now();
	now += READING;
	switch (tf->tf_number) {
	case SYS_gettimeofday: return tf->tf_rsi ? NOT_HANDLED : give(tf->tf_rdi, read_clock(CLOCK_REALTIME), 1000);
	case SYS_time: return give_seconds(tf->tf_rdi, read_clock(CLOCK_REALTIME));
	case SYS_times: return give_times(tf->tf_rdi);
	case SYS_getrusage: return give_usage(tf->tf_rsi, read_clock(CLOCK_PROCESS_CPUTIME_ID));
	default: return give(tf->tf_rsi, read_clock((int)tf->tf_rdi), 1);
	}
}

long clock_call(struct lwp *lwp, struct trapframe *tf)
{
	(void)lwp;
	switch (tf->tf_number) {
	case SYS_clock_gettime:
	case SYS_gettimeofday:
	case SYS_time:
	case SYS_times:
	case SYS_getrusage: return readings(tf);
	}
	return NOT_HANDLED;
}
