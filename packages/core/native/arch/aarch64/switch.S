/*
 * switch.S - the context switch, aarch64 (AAPCS64).
 *
 * lwkt_arch_switch(struct lwkt_context *from, struct lwkt_context *to)
 *   in:  x0 = from, x1 = to          out: nothing; returns on to's stack, in to's caller
 *
 * The saved frame, from the saved stack pointer upwards (cpu.c's lwkt_arch_prepare makes one, too):
 *    0  x29    8  x30 (the return address, signed)    16  x19 to x28    96  d8 to d15    160  FPCR    168  padding
 *
 * Callee-saved registers only: everything else is the caller's by the ABI, the upper halves of v8 to v15 and all that SVE adds to them too.
 * tpidr_el0 (the TLS base, and so the word that says whose CPU this is: lwkt_arch_cpu, below) is the rfork's and stays. Not saved: x18 (the
 * platform's, and scratch on Linux), FPSR (the exceptions that have been raised), the signal mask and the alternate stack (the rfork's); nor
 * errno (thread-state.h).
 *
 * PAC and BTI: return addresses that lie on a stack are signed with the stack pointer at entry, and every function that may be reached
 * through a pointer begins with a landing pad (paciasp is one). Where the processor has neither, these instructions do nothing. That is why
 * both forms of the switch end with ret and not with a jump: a return address is no landing pad.
 *
 * CFI describes the frame at every instruction, so that debuggers and unwinders see through a switch: after the stack pointer is
 * exchanged the same rules hold on the new stack.
 */
	.macro saved_pair first, second, offset
	stp \first, \second, [sp, #\offset]
	.cfi_rel_offset \first, \offset
	.cfi_rel_offset \second, \offset + 8
	.endm

	.macro restored_pair first, second, offset
	ldp \first, \second, [sp, #\offset]
	.cfi_restore \first
	.cfi_restore \second
	.endm

/*
 * The per-CPU area of the rfork that this kernel thread is: a word of each one's TLS block, NULL in a new one's. It stands here and not
 * in C, so that no compiler knows it: one that did would keep its address across a switch, after which a userthread may be on another.
 */
	.section .tbss, "awT", @nobits
	.hidden lwkt_arch_cpu
	.globl lwkt_arch_cpu
	.type lwkt_arch_cpu, @object
	.balign 8
lwkt_arch_cpu:
	.zero 8
	.size lwkt_arch_cpu, 8

/*
 * void lwkt_light_switch(struct lwkt_context *from, struct lwkt_context *to): the same for whoever calls it directly, as a switcher of one's
 * own does. Here it is the same function (see above).
 */
	.text
	.globl lwkt_light_switch
#ifndef LWKT_EXPORT
	.hidden lwkt_light_switch
#endif
	.type lwkt_light_switch, @function
	.globl lwkt_arch_switch
	.hidden lwkt_arch_switch
	.type lwkt_arch_switch, @function
	.balign 32
lwkt_light_switch:
lwkt_arch_switch:
	.cfi_startproc
	paciasp
	.cfi_negate_ra_state
	sub sp, sp, #176
	.cfi_adjust_cfa_offset 176
	saved_pair x29, x30, 0
	saved_pair x19, x20, 16
	saved_pair x21, x22, 32
	saved_pair x23, x24, 48
	saved_pair x25, x26, 64
	saved_pair x27, x28, 80
	saved_pair d8, d9, 96
	saved_pair d10, d11, 112
	saved_pair d12, d13, 128
	saved_pair d14, d15, 144
	mrs x9, fpcr
	str x9, [sp, #160]

	ldr x11, [x1]
	mov x13, sp
	str x13, [x0]
	mov sp, x11			/* from here on it is the arriving thread's stack */
	ldr x10, [sp, #160]
	cmp x9, x10
	b.ne 2f
1:
	.cfi_remember_state
	restored_pair x19, x20, 16
	restored_pair x21, x22, 32
	restored_pair x23, x24, 48
	restored_pair x25, x26, 64
	restored_pair x27, x28, 80
	restored_pair d8, d9, 96
	restored_pair d10, d11, 112
	restored_pair d12, d13, 128
	restored_pair d14, d15, 144
	restored_pair x29, x30, 0
	add sp, sp, #176
	.cfi_adjust_cfa_offset -176
	autiasp
	.cfi_negate_ra_state
	ret
	.cfi_restore_state
2:	/* Only where they differ: writing the register waits for all that is under way. */
	msr fpcr, x10
	b 1b
	.cfi_endproc
	.size lwkt_arch_switch, . - lwkt_arch_switch
	.size lwkt_light_switch, . - lwkt_light_switch

/*
 * The first frame of a new stack. The switch "returns" here with the frame that lwkt_arch_prepare made:
 *   x19 = function to call. sp is 16-byte aligned, as always.
 * There is no caller: the unwinder stops (x30 undefined, and x29 NULL for those that go by the chain of frames).
 */
	.globl lwkt_arch_start
	.hidden lwkt_arch_start
	.type lwkt_arch_start, @function
	.balign 16
lwkt_arch_start:
	.cfi_startproc
	.cfi_undefined x30
	.cfi_undefined x29
	mov x29, xzr
	blr x19
	brk #1				/* the function does not return */
	.cfi_endproc
	.size lwkt_arch_start, . - lwkt_arch_start

	.section .note.GNU-stack, "", @progbits

/* Says that this file is fit for BTI and PAC (GNU_PROPERTY_AARCH64_FEATURE_1_AND); without it nothing linked with it is. */
	.section .note.gnu.property, "a", @note
	.balign 8
	.word 4, 16, 5			/* sizes of name and description, NT_GNU_PROPERTY_TYPE_0 */
	.asciz "GNU"
	.word 0xc0000000, 4, 3, 0	/* the property, its size, BTI | PAC, padding */
