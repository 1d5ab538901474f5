/*
 * switch.S - the context switch, x86-64 System V.
 *
 * lwkt_arch_switch(struct lwkt_context *from, struct lwkt_context *to)
 *   in:  rdi = from, rsi = to          out: nothing; returns on to's stack, in to's caller
 *
 * The saved frame, from the saved stack pointer upwards (offsets are LWKT_FRAME_* in cpu.h):
 *    0  mxcsr (4), x87 control word (2), padding (2)
 *    8  r15    16  r14    24  r13    32  r12    40  rbx    48  rbp    56  return address
 *
 * Callee-saved registers only: everything else is the caller's by the ABI. %fs (the TLS base) and %gs (the per-CPU area) are the rfork's and
 * stay. Not saved: the direction flag (clear by the ABI), the signal mask and the alternate stack (the rfork's); nor errno (thread-state.h).
 * The control words: to load an mxcsr that differs in anything takes 65 ns on some Intels, and two threads nearly always differ in its flags
 * (whoever has rounded a number has one set), which by the ABI no call keeps. So there they are compared, and loaded only where the control bits
 * differ. On AMD's loading costs nothing, and to read what stmxcsr has just stored takes 1.7 ns: there they are loaded (lwkt_arch_loads_mxcsr). They
 * are compared by the sizes in which they have been stored, or no store would be forwarded.
 *
 * CFI describes the frame at every instruction, so that debuggers and unwinders see through a switch: after the stack pointer is
 * exchanged the same rules hold on the new stack.
 */

/* Jumps where the frame at rsp has other control bits than the one at r9. What differs in mxcsr's low six bits only, its flags, is the same. */
.macro compare_control_words otherwise
	movl (%r9), %edx
	xorl (%rsp), %edx
	testl $~0x3f, %edx
	jne \otherwise
	movzwl 4(%r9), %edx
	cmpw %dx, 4(%rsp)
	jne \otherwise
.endm

	.text
	.globl lwkt_arch_switch
	.hidden lwkt_arch_switch
	.type lwkt_arch_switch, @function
	.balign 32
lwkt_arch_switch:
	.cfi_startproc
	pushq %rbp
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset %rbp, 0
	pushq %rbx
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset %rbx, 0
	pushq %r12
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset %r12, 0
	pushq %r13
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset %r13, 0
	pushq %r14
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset %r14, 0
	pushq %r15
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset %r15, 0
	subq $8, %rsp
	.cfi_adjust_cfa_offset 8
	stmxcsr (%rsp)
	fnstcw 4(%rsp)

	movq %rsp, %r9			/* the leaving thread's frame */
	movq %rsp, (%rdi)
	movq (%rsi), %rsp		/* from here on it is the arriving thread's stack */
	cmpb $0, lwkt_arch_loads_mxcsr(%rip)
	je 3f
2:
	ldmxcsr (%rsp)
	fldcw 4(%rsp)
1:
	.cfi_remember_state
	addq $8, %rsp
	.cfi_adjust_cfa_offset -8
	popq %r15
	.cfi_adjust_cfa_offset -8
	.cfi_restore %r15
	popq %r14
	.cfi_adjust_cfa_offset -8
	.cfi_restore %r14
	popq %r13
	.cfi_adjust_cfa_offset -8
	.cfi_restore %r13
	popq %r12
	.cfi_adjust_cfa_offset -8
	.cfi_restore %r12
	popq %rbx
	.cfi_adjust_cfa_offset -8
	.cfi_restore %rbx
	popq %rbp
	.cfi_adjust_cfa_offset -8
	.cfi_restore %rbp
	ret
	.cfi_restore_state
3:
	compare_control_words 2b
	jmp 1b
	.cfi_endproc
	.size lwkt_arch_switch, . - lwkt_arch_switch

/*
 * void lwkt_light_switch(struct lwkt_context *from, struct lwkt_context *to): the same for whoever calls it directly, as a switcher of one's
 * own does. Same frame, so that each can switch to what the other has saved.
 *   in, out: as above. Uses rdx, r8 (the address it returns to), r9.
 * It ends with a jump: two threads that switch from different places would have every ret predicted wrong. (In lwkt_arch_switch, which
 * the scheduler calls from one place, ret is predicted right.) Between the exchange of stacks and the jump the frame is described as
 * seen from the saved one.
 */
	.globl lwkt_light_switch
#ifndef LWKT_EXPORT
	.hidden lwkt_light_switch
#endif
	.type lwkt_light_switch, @function
	.balign 32
lwkt_light_switch:
	.cfi_startproc
	leaq -56(%rsp), %rsp
	.cfi_adjust_cfa_offset 56
	movq %rbp, 48(%rsp)
	.cfi_rel_offset %rbp, 48
	movq %rbx, 40(%rsp)
	.cfi_rel_offset %rbx, 40
	movq %r12, 32(%rsp)
	.cfi_rel_offset %r12, 32
	movq %r13, 24(%rsp)
	.cfi_rel_offset %r13, 24
	movq %r14, 16(%rsp)
	.cfi_rel_offset %r14, 16
	movq %r15, 8(%rsp)
	.cfi_rel_offset %r15, 8
	stmxcsr (%rsp)
	fnstcw 4(%rsp)
	movq %rsp, %r9
	movq %rsp, (%rdi)
	movq (%rsi), %rsp		/* from here on it is the arriving thread's stack */
	cmpb $0, lwkt_arch_loads_mxcsr(%rip)
	je 3f
2:
	ldmxcsr (%rsp)
	fldcw 4(%rsp)
1:
	.cfi_remember_state
	movq 8(%rsp), %r15
	.cfi_restore %r15
	movq 16(%rsp), %r14
	.cfi_restore %r14
	movq 24(%rsp), %r13
	.cfi_restore %r13
	movq 32(%rsp), %r12
	.cfi_restore %r12
	movq 40(%rsp), %rbx
	.cfi_restore %rbx
	movq 48(%rsp), %rbp
	.cfi_restore %rbp
	movq 56(%rsp), %r8
	leaq 64(%rsp), %rsp
	.cfi_def_cfa_offset 0
	.cfi_register %rip, %r8
	jmp *%r8
	.cfi_restore_state
3:
	compare_control_words 2b
	jmp 1b
	.cfi_endproc
	.size lwkt_light_switch, . - lwkt_light_switch

/*
 * The first frame of a new stack. The switch "returns" here with the frame that cpu.h's lwkt_arch_prepare made:
 *   r12 = function to call. rsp is 16-byte aligned here, so that the call leaves rsp = 8 (mod 16) at its entry, as the ABI has it.
 * There is no caller: the unwinder stops (rip undefined).
 */
	.globl lwkt_arch_start
	.hidden lwkt_arch_start
	.type lwkt_arch_start, @function
	.balign 16
lwkt_arch_start:
	.cfi_startproc
	.cfi_undefined %rip
	.cfi_undefined %rbp
	xorl %ebp, %ebp
	cld
	call *%r12
	ud2				/* the function does not return */
	.cfi_endproc
	.size lwkt_arch_start, . - lwkt_arch_start

	.section .note.GNU-stack, "", @progbits
