/*
 * vectors.c - a shim that uses vector registers, and so has the program's saved around it.
 */
#define SHIM_VECTORS
#include "libcr_shim.h"

const char shim_on[] = "getppid, getpriority";

long shim(struct sysmsg *msg, sysmsg_next next)
{
	volatile double product = 1.5;
	long result;

	__asm__ volatile("pcmpeqd %%xmm0, %%xmm0; pcmpeqd %%xmm7, %%xmm7; pcmpeqd %%xmm15, %%xmm15" : : : "xmm0", "xmm7", "xmm15");
	product *= 1.25;
	result = next(msg);
	product /= 1.25;
	__asm__ volatile("pxor %%xmm0, %%xmm0; pxor %%xmm7, %%xmm7; pxor %%xmm15, %%xmm15" : : : "xmm0", "xmm7", "xmm15");
	return product == 1.5 ? result : -EDOM;
}
