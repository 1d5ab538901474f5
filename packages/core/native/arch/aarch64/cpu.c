/*
 * cpu.c - the first frame of a stack, and the word of the TLS block that makes a kernel thread an rfork.
 */
#include "cpu.h"

#define FRAME_WORDS 22 /* switch.S */

enum { FRAME_X29, FRAME_X30, FRAME_X19, FRAME_FPCR = 20 };

/** A return address as paciasp would leave it on a stack whose pointer was sp: unchanged where the processor can't sign. */
static uint64_t sign(void (*address)(void), const void *sp)
{
	register uint64_t x17 __asm__("x17") = (uint64_t)(uintptr_t)address;
	register uint64_t x16 __asm__("x16") = (uint64_t)(uintptr_t)sp;

	__asm__("pacia1716" : "+r"(x17) : "r"(x16));
	return x17;
}

/** Lays the frame that lwkt_arch_switch pops for a thread that has never run: it "returns" into func. top: 16-byte aligned. */
void *lwkt_arch_prepare(char *top, void (*func)(void), uint64_t fpcontrol)
{
	uint64_t *frame = (uint64_t *)top - FRAME_WORDS;

	for (unsigned i = 0; i < FRAME_WORDS; i++)
		frame[i] = 0;
	frame[FRAME_X30] = sign(lwkt_arch_start, top);
	frame[FRAME_X19] = (uint64_t)(uintptr_t)func;
	frame[FRAME_FPCR] = fpcontrol;
	return frame;
}

int lwkt_arch_set_cpu(uintptr_t base)
{
	uintptr_t tls;

	__asm__ volatile("mrs %0, tpidr_el0" : "=r"(tls));
	__asm__ volatile("str %0, [%1]" : : "r"(base), "r"(tls + lwkt_arch_cpu_offset()) : "memory");
	return 0;
}
