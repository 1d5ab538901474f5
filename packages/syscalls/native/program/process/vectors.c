/*
 * vectors.c - which vector and floating-point state a process has: what the processor has, but for what the kernel gives to those that ask for it (arch_prctl(2), ARCH_REQ_XCOMP_PERM): AMX' tiles, 8 KiB.
 *
 * Not here: saving it at a switch (posix-compat's vectors.c), and in a signal's frame (signals' deliver.c).
 *
 * Invariant: none of these are ever had under libcr, as a thread's stacks have no room for them: who asks is refused (fs.c).
 */
#include "program.h"

#include <cpuid.h>

#define LEGACY 576 /* bytes: x87, SSE and the header */
#define FEATURES 63

uint64_t vectors_features(void)
{
	uint64_t permitted;
	uint32_t a, d;

	__asm__ volatile("xgetbv" : "=a"(a), "=d"(d) : "c"(0));
	if (kernel_call(SYS_arch_prctl, ARCH_GET_XCOMP_PERM, &permitted)) /* before 5.16 there were none */
		permitted = ~0ull;
	return (a | (uint64_t)d << 32) & permitted & ~AMX_TILES;
}

uint32_t vectors_size(uint64_t features)
{
	uint32_t size = LEGACY;
	unsigned a, b, c, d;

	for (unsigned i = 2; i < FEATURES; i++) {
		if (!(features >> i & 1))
			continue;
		__cpuid_count(0xd, i, a, b, c, d);
		if (b + a > size)
			size = b + a;
	}
	return size;
}
