/*
 * kernel.h - system calls of libcr's own, by an instruction in its own text: errno is nobody's here, and in a program that is the text which the dispatch of
 * system calls lets through.
 */
#ifndef SYSCALLS_KERNEL_H
#define SYSCALLS_KERNEL_H

#include "syscall.h" /* core's, of this architecture */

/** The call `number` with up to six arguments, integers or pointers. Answers as the kernel does: -errno in case of failure. */
#define kernel_call(...) KERNEL_CALL(__VA_ARGS__, 0, 0, 0, 0, 0, 0)
#define KERNEL_CALL(number, a, b, c, d, e, f, ...) lwkt_arch_syscall(number, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))

#endif
