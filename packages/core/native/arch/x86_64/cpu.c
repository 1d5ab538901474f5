/*
 * cpu.c - finds out once whether user mode may write %fs and %gs itself, and does it by arch_prctl where not; and whose processor it is.
 * (Kernel: Documentation/arch/x86/x86_64/fsgs.rst; the hardware alone is not enough, the kernel must have enabled it.)
 */
#define _GNU_SOURCE
#include "cpu.h"

#include <asm/prctl.h>
#include <cpuid.h>
#include <errno.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <unistd.h>

#define HWCAP2_FSGSBASE_BIT (1u << 1)

unsigned char lwkt_arch_fsgsbase;
unsigned char lwkt_arch_loads_mxcsr;

static int is_amd(void)
{
	unsigned leaves, b = 0, c = 0, d = 0;

	return __get_cpuid(0, &leaves, &b, &c, &d) && b == signature_AMD_ebx && c == signature_AMD_ecx && d == signature_AMD_edx;
}

void lwkt_arch_probe(void)
{
	lwkt_arch_loads_mxcsr = (unsigned char)is_amd();
	lwkt_arch_fsgsbase = (getauxval(AT_HWCAP2) & HWCAP2_FSGSBASE_BIT) != 0;
}

uintptr_t lwkt_arch_get_cpu(void)
{
	uintptr_t base = 0;

	if (lwkt_arch_fsgsbase)
		__asm__ volatile("rdgsbase %0" : "=r"(base));
	else
		syscall(SYS_arch_prctl, ARCH_GET_GS, &base);
	return base;
}

int lwkt_arch_set_cpu(uintptr_t base)
{
	if (lwkt_arch_fsgsbase)
		__asm__ volatile("wrgsbase %0" : : "r"(base));
	else if (syscall(SYS_arch_prctl, ARCH_SET_GS, base) != 0)
		return errno;
	return 0;
}
