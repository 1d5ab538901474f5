/*
 * random.c - random numbers of a run that can be had again: what a schedule decides by, and what the program takes for the kernel's. Two streams, so that a program
 * that asks for more has the same schedule.
 */
#include "schedule.h"

#include <sys/stat.h>

#define MEMORY_DEVICES 1 /* major; minors: */
#define RANDOM 8
#define URANDOM 9
#define PIECE 256
#define CALL_MAX 33554431 /* bytes that the kernel answers at once */

static uint64_t of_schedule, of_program;

void random_begin(uint64_t seed)
{
	of_schedule = of_program = seed;
	of_program = ~deterministic_next(&of_program);
}

uint64_t random_below(uint64_t n)
{
	return deterministic_next(&of_schedule) % n;
}

static long fill(uint64_t to, uint64_t size)
{
	uint64_t words[PIECE / 8], done = 0;

	if (size > CALL_MAX)
		size = CALL_MAX;
	while (done < size) {
		uint64_t n = size - done < PIECE ? size - done : PIECE;

		for (unsigned i = 0; i < PIECE / 8; i++)
			words[i] = deterministic_next(&of_program);
		if (copyout(to + done, words, n))
			return done ? (long)done : -EFAULT;
		done += n;
	}
	return (long)size;
}

static bool is_random(int fd)
{
	struct stat about;

	if (kernel_call(SYS_fstat, fd, &about) || !S_ISCHR(about.st_mode))
		return false;
	return about.st_rdev == (MEMORY_DEVICES << 8 | RANDOM) || about.st_rdev == (MEMORY_DEVICES << 8 | URANDOM);
}

long random_call(struct lwp *lwp, struct trapframe *tf)
{
	(void)lwp;
	switch (tf->tf_number) {
	case SYS_getrandom: return tf->tf_rdx & ~7ull ? NOT_HANDLED : fill(tf->tf_rdi, tf->tf_rsi);
	case SYS_read:
	case SYS_pread64: return is_random((int)tf->tf_rdi) ? fill(tf->tf_rsi, tf->tf_rdx) : NOT_HANDLED;
	}
	return NOT_HANDLED;
}
