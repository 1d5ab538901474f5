/*
 * deterministic.c - what of a program's beginning is different in each run, and with --deterministic is not: addresses, the kernel's random bytes, the vDSO (whose
 * clock nobody would see). What calls answer is posix-compat's part (schedule/).
 *
 * Invariant: nothing here goes by a clock, a process' number or the launcher's own options.
 */
#include "program.h"
#include "os/os.h" /* core's */

#include <elf.h>

#define NO_RANDOMIZE 0x0040000 /* personality(2): ADDR_NO_RANDOMIZE */
#define ASK 0xffffffff
#define STACK_ROUND 0x10000 /* bytes: more than the launcher's options take */
#define GOLDEN 0x9e3779b97f4a7c15ull

static uint64_t nchildren;

uint64_t deterministic_next(uint64_t *state)
{
	uint64_t z = *state += GOLDEN;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

uint64_t deterministic_child(void)
{
	uint64_t state = options.lineage + ++nchildren * GOLDEN;

	return deterministic_next(&state) | 1;
}

/** Only an execve makes them so. The children inherit it. Of libcr's own memory there is more with some options, so it lies elsewhere. */
void deterministic_begin(char **argv, char **environment)
{
	const long before = kernel_call(SYS_personality, ASK);

	lwkt_os_map_from = OWN_MEMORY_FROM;
	if (before < 0 || (before & NO_RANDOMIZE))
		return;
	kernel_call(SYS_personality, before | NO_RANDOMIZE);
	if (kernel_call(SYS_personality, ASK) & NO_RANDOMIZE)
		launcher_run(argv, environment);
	print(2, "libcr: --deterministic: addresses are others in each run, as this process may not change that (personality)\n");
}

uint64_t deterministic_auxiliary(uint64_t type, uint64_t value)
{
	uint64_t state = 0;

	if (type == AT_RANDOM)
		for (unsigned i = 0; i < 2; i++)
			((uint64_t *)value)[i] = deterministic_next(&state);
	return type == AT_SYSINFO_EHDR ? AT_IGNORE : type;
}

uint64_t *deterministic_stack(uint64_t *stack)
{
	return (uint64_t *)((uint64_t)stack & ~(uint64_t)(STACK_ROUND - 1));
}
