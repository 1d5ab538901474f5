/*
 * cpu.c - finds out once whether user mode may write %gs itself, and does it by arch_prctl where not; and whose processor it is.
 * (Kernel: Documentation/arch/x86/x86_64/fsgs.rst; the hardware alone is not enough, the kernel must have enabled it.)
 */
#include "cpu.h"

#include <asm/prctl.h>
#include <cpuid.h>

#include "os/os.h"
#include "syscall.h"

#define HWCAP2_FSGSBASE_BIT (1u << 1)

/* 1 where user mode may use rdgsbase and friends (AT_HWCAP2); 0: arch_prctl, once when an rfork begins and once when it ends. */
static unsigned char fsgsbase;
unsigned char lwkt_arch_loads_mxcsr;

static int is_amd(void)
{
	unsigned leaves, b = 0, c = 0, d = 0;

	return __get_cpuid(0, &leaves, &b, &c, &d) && b == signature_AMD_ebx && c == signature_AMD_ecx && d == signature_AMD_edx;
}

void lwkt_arch_probe(void)
{
	lwkt_arch_loads_mxcsr = (unsigned char)is_amd();
	fsgsbase = (lwkt_os_hwcap2() & HWCAP2_FSGSBASE_BIT) != 0;
}

uintptr_t lwkt_arch_get_cpu(void)
{
	uintptr_t base = 0;

	if (fsgsbase)
		__asm__ volatile("rdgsbase %0" : "=r"(base));
	else
		lwkt_arch_syscall(SYS_arch_prctl, ARCH_GET_GS, (long)&base, 0, 0, 0, 0);
	return base;
}

int lwkt_arch_set_cpu(uintptr_t base)
{
	if (fsgsbase)
		__asm__ volatile("wrgsbase %0" : : "r"(base));
	else
		return (int)-lwkt_arch_syscall(SYS_arch_prctl, ARCH_SET_GS, (long)base, 0, 0, 0, 0);
	return 0;
}
