/*
 * cpu.h - what the rest of the native code may ask of an aarch64: the per-CPU area, the TLS base in tpidr_el0, the first frame of a stack,
 * the raw calls around a kernel task. Its twin is arch/x86_64/cpu.h.
 *
 * There is no second base register that user mode could have for itself, so the per-CPU area is found through the first: each TLS block has
 * a word for it, lwkt_arch_cpu, which only the assembly here knows (docs/decisions/0006-mycpu-on-aarch64.md).
 *
 * Invariant: the word of the TLS block that tpidr_el0 points to names the rfork that runs. The switch copies it where the block changes; in
 * the block of a suspended userthread it is out of date.
 */
#ifndef LWKT_ARCH_CPU_H
#define LWKT_ARCH_CPU_H

#include <stddef.h>
#include <stdint.h>

#include "../../include/lwkt.h"

/** A parked kernel task: what it needs to return from its function. Offsets are known to switch.S. */
struct lwkt_parked {
	void *sp;
	uint64_t x30; /* the return address */
	uint64_t x19_x28[10];
	uint64_t x29;
	uint64_t d8_d15[8];
};

/* switch.S */
void lwkt_arch_switch(struct lwkt_context *from, struct lwkt_context *to);
void lwkt_arch_start(void);
void *lwkt_arch_donor(void *parked);
long lwkt_arch_unpark(unsigned long flags, struct lwkt_parked *parked, int *tid, uintptr_t tls);

/* cpu.c */
void *lwkt_arch_prepare(char *top, void (*func)(void), uint64_t fpcontrol);
int lwkt_arch_set_cpu(uintptr_t base);

/** User mode may always write tpidr_el0: there is nothing to find out. */
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

	/* volatile, and the base read each time: both may be others after a switch, on another rfork perhaps. */
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

static inline uintptr_t lwkt_arch_get_tls(void)
{
	uintptr_t tls;

	__asm__ volatile("mrs %0, tpidr_el0" : "=r"(tls));
	return tls;
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
