/*
 * syscall.h - system calls without a C library, by an instruction of libcr's own: inlined always, so that all of them lie in libcr's text.
 */
#ifndef LWKT_ARCH_SYSCALL_H
#define LWKT_ARCH_SYSCALL_H

#include <stdint.h>
#include <sys/syscall.h>

/** Answers what the kernel does: -1 times an errno, -4095 to -1, or the result. */
__attribute__((always_inline)) static inline long lwkt_arch_syscall(long number, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return result;
}

/** clone(2): a kernel thread that calls func(arg), which must not return, on the stack that ends at top (16-byte aligned). *tid becomes its number before
 *  either goes on, with flags that say so. Answers what the kernel does, to the caller only. */
__attribute__((always_inline)) static inline long lwkt_arch_clone(unsigned long flags, char *top, uint32_t *tid, void (*func)(void *), void *arg)
{
	register void *r10 __asm__("r10") = tid;
	void **stack = (void **)(void *)top - 2;
	long result;

	stack[0] = (void *)(uintptr_t)func;
	stack[1] = arg;
	__asm__ volatile("syscall\n\t"
			 "testq %%rax, %%rax\n\t"
			 "jnz 1f\n\t"
			 "xorl %%ebp, %%ebp\n\t"
			 "popq %%rax\n\t"
			 "popq %%rdi\n\t"
			 "call *%%rax\n\t"
			 "ud2\n"
			 "1:"
			 : "=a"(result)
			 : "a"(SYS_clone), "D"(flags), "S"(stack), "d"(tid), "r"(r10)
			 : "rcx", "r8", "r11", "memory");
	return result;
}

#endif
