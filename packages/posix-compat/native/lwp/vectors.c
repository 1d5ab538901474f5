/*
 * vectors.c - by which of the ways in x86_64/switch.S vector registers are saved at a switch: plain moves where they reach all that a program can
 * have in use, else the processor's own instruction, which is several times as slow.
 */
#include "posix.h"

#include <cpuid.h>

#define X87_SSE_AVX 0x7ull
#define AVX512 0xe0ull
#define TILES_FORM (1ull << 17) /* AMX': of no use to who has no tiles */
#define PKRU 0x200ull /* not saved by moves: memory protection keys are the rfork's */

uint64_t lwp_xsave_size, lwp_xsave_features; /* known to switch.S */

size_t vectors_stack_size(void)
{
	if (shims_count || script_active || record_mode)
		return KSTACK_SHIM_SIZE;
	return lwp_xsave_size <= 4096 ? KSTACK_SIZE / 2 : KSTACK_SIZE;
}

void vectors_find(void)
{
	unsigned a, b, c, d;
	uint64_t features = vectors_features() & ~TILES_FORM;
	bool tells_use; /* xgetbv with 1 says what is in use: whether x87 is */

	lwp_xsave_size = (vectors_size(features) + 63) & ~63ull;
	lwp_xsave_features = features;
	__cpuid_count(0xd, 1, a, b, c, d);
	tells_use = a & 4;
	features &= ~PKRU;
	if (tells_use && features == (X87_SSE_AVX | AVX512))
		lwp_switch = lwp_switch_zmm;
	else if (tells_use && features == X87_SSE_AVX)
		lwp_switch = lwp_switch_ymm;
	else
		lwp_switch = lwp_switch_xsave;
}
