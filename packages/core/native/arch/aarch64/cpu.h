/*
 * cpu.h - what the rest of the native code may ask of an aarch64: the per-CPU area, the first frame of a stack. Its twin is arch/x86_64/cpu.h.
 *
 * There is no second base register that user mode could have for itself, so the per-CPU area is found through the first, tpidr_el0, the TLS
 * base: each kernel thread's block has a word for it, lwkt_arch_cpu, which only the assembly here knows (docs/decisions/0006-mycpu-on-aarch64.md).
 *
 * Invariant: the word names the rfork that its kernel thread is; no switch changes it.
 */
#ifndef LWKT_ARCH_CPU_H
#define LWKT_ARCH_CPU_H

#include <stddef.h>
#include <stdint.h>

#include "../../include/lwkt.h"

/* switch.S */
void lwkt_arch_switch(struct lwkt_context *from, struct lwkt_context *to);
void lwkt_arch_start(void);

/* cpu.c */
void *lwkt_arch_prepare(char *top, void (*func)(void), uint64_t fpcontrol);
int lwkt_arch_set_cpu(uintptr_t base);

/** There is nothing to find out. */
static inline void lwkt_arch_probe(void)
{
}

/** The distance from a TLS block's base to lwkt_arch_cpu in it: the same in all blocks for the life of the process, so it may be kept. */
static inline uintptr_t lwkt_arch_cpu_offset(void)
{
	uintptr_t offset;

	__asm__("adrp %0, :gottprel:lwkt_arch_cpu\n\t"
		"ldr %0, [%0, :gottprel_lo12:lwkt_arch_cpu]"
		: "=r"(offset));
	return offset;
}

/** The per-CPU area. NULL, or that of an rfork that this was part of once, on a kernel thread that is none. */
static inline globaldata_t lwkt_arch_mycpu(void)
{
	globaldata_t gd;

	/* volatile, and the base read each time: both are others after a switch from which a thread has come back on another rfork. */
	__asm__ volatile("mrs %0, tpidr_el0\n\t"
			 "ldr %0, [%0, %1]"
			 : "=&r"(gd)
			 : "r"(lwkt_arch_cpu_offset()));
	return gd;
}

static inline uintptr_t lwkt_arch_get_cpu(void)
{
	return (uintptr_t)lwkt_arch_mycpu();
}

/** In a loop that waits for another processor. */
static inline void lwkt_arch_pause(void)
{
	__asm__ volatile("isb"); /* takes a moment, where yield does nothing on most processors */
}

/** FPCR, as a switch saves it. The exceptions that have been raised are in FPSR. */
static inline uint64_t lwkt_arch_get_fpcontrol(void)
{
	uint64_t control;

	__asm__ volatile("mrs %0, fpcr" : "=r"(control));
	return control;
}

static inline void lwkt_arch_set_fpcontrol(uint64_t control)
{
	if (lwkt_arch_get_fpcontrol() != control) /* writing it stalls */
		__asm__ volatile("msr fpcr, %0" : : "r"(control));
}

#endif
