/*
 * cpu.h - what the rest of the native code may ask of an x86-64: the per-CPU area through %gs, the first frame of a stack. Its twin for
 * another architecture has the same names.
 *
 * Invariant: %gs' base is NULL on a kernel thread that is no rfork and points to its globaldata on one that is; nobody else in
 * the process uses %gs (on x86-64 the C library uses %fs).
 */
#ifndef LWKT_ARCH_CPU_H
#define LWKT_ARCH_CPU_H

#include <stddef.h>
#include <stdint.h>

#include "../../include/lwkt.h"

/** 1 where a switch loads the control words in any case, as that costs nothing; 0: where they differ. Either is right. */
extern unsigned char lwkt_arch_loads_mxcsr __attribute__((visibility("hidden")));

/* switch.S */
void lwkt_arch_switch(struct lwkt_context *from, struct lwkt_context *to);
void lwkt_arch_start(void);

/* cpu.c */
void lwkt_arch_probe(void);
uintptr_t lwkt_arch_get_cpu(void);
int lwkt_arch_set_cpu(uintptr_t base);

/** The per-CPU area. Its first word points to itself, so that this is one load. Only on an rfork: elsewhere it faults. */
static inline globaldata_t lwkt_arch_mycpu(void)
{
	globaldata_t gd;
	/* volatile: the value changes under a thread that migrates, so the compiler may not keep it across a switch. */
	__asm__ volatile("movq %%gs:0, %0" : "=r"(gd));
	return gd;
}

/** In a loop that waits for another processor. */
static inline void lwkt_arch_pause(void)
{
	__asm__ volatile("pause");
}

/** The floating-point control words as a switch saves them: mxcsr below, the x87's above. The exceptions that have been raised are in
 *  mxcsr too; they are left out. */
static inline uint64_t lwkt_arch_get_fpcontrol(void)
{
	uint32_t mxcsr;
	uint16_t cw;

	__asm__ volatile("stmxcsr %0" : "=m"(mxcsr));
	__asm__ volatile("fnstcw %0" : "=m"(cw));
	return (uint64_t)(mxcsr & ~0x3fu) | (uint64_t)cw << 32;
}

static inline void lwkt_arch_set_fpcontrol(uint64_t control)
{
	uint32_t mxcsr = (uint32_t)control;
	uint16_t cw = (uint16_t)(control >> 32);

	if (lwkt_arch_get_fpcontrol() == control) /* loading them stalls */
		return;
	__asm__ volatile("ldmxcsr %0" : : "m"(mxcsr));
	__asm__ volatile("fldcw %0" : : "m"(cw));
}

/** Lays the frame that lwkt_arch_switch pops for a thread that has never run: it "returns" into func. top: 16-byte aligned. */
static inline void *lwkt_arch_prepare(char *top, void (*func)(void), uint64_t fpcontrol)
{
	uint64_t *frame = (uint64_t *)(top - 80);

	frame[0] = fpcontrol;
	frame[1] = frame[2] = frame[3] = 0;      /* r15 r14 r13 */
	frame[4] = (uint64_t)(uintptr_t)func;    /* r12 */
	frame[5] = frame[6] = 0;                 /* rbx rbp */
	frame[7] = (uint64_t)(uintptr_t)lwkt_arch_start;
	frame[8] = frame[9] = 0; /* after the return rsp = top - 16: aligned */
	return frame;
}

#endif
