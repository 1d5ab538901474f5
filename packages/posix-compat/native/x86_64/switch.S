/*
 * switch.S - td_switch of an lwp: the callee-saved registers as in every switch (lwkt_light_switch), and around it the vector registers, which nothing
 * of libcr's own touches: so they are saved here only, and not at every entry.
 *
 *   in: rdi = from, rsi = to, as td_switch has it. Returns when somebody switches back, and %fs may be another lwp's by then.
 */
#include "curlwp.h"
#include "proc.h"

.macro begins name bytes
	.globl \name
	.type \name, @function
	.balign 32
\name:
	.cfi_startproc
	pushq %rbp
	.cfi_def_cfa_offset 16
	.cfi_offset %rbp, -16
	movq %rsp, %rbp
	.cfi_def_cfa_register %rbp
	subq \bytes, %rsp
	andq $-64, %rsp
.endm

.macro ends name
	load_curlwp %rax
	movl $1, LWP_AST_FS(%rax)	/* not in LWP_AST, which other rforks write to */
	leave
	.cfi_def_cfa %rsp, 8
	.cfi_restore %rbp
	ret
	.cfi_endproc
	.size \name, . - \name
.endm

/* Is x87 in use? Then the moves do not do. */
.macro unless_x87 otherwise
	movl $1, %ecx
	xgetbv
	testb $1, %al
	jne \otherwise
.endm

	.text
begins lwp_switch_xsave, lwp_xsave_size(%rip)
	xorl %eax, %eax
	.irp offset, 512, 520, 528, 536, 544, 552, 560, 568
	movq %rax, \offset(%rsp)	/* the header */
	.endr
	movl lwp_xsave_features(%rip), %eax
	movl lwp_xsave_features+4(%rip), %edx
	xsave64 (%rsp)
	call lwkt_light_switch
	movl lwp_xsave_features(%rip), %eax
	movl lwp_xsave_features+4(%rip), %edx
	xrstor64 (%rsp)
ends lwp_switch_xsave

	.balign 32
	.globl lwp_switch_ymm
	.type lwp_switch_ymm, @function
lwp_switch_ymm:
	unless_x87 lwp_switch_xsave
begins ymm_only, $512
	.irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	vmovdqa %ymm\n, \n*32(%rsp)
	.endr
	call lwkt_light_switch
	.irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	vmovdqa \n*32(%rsp), %ymm\n
	.endr
ends ymm_only

	.balign 32
	.globl lwp_switch_zmm
	.type lwp_switch_zmm, @function
lwp_switch_zmm:
	unless_x87 lwp_switch_xsave
begins zmm_only, $2112
	.irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	vmovdqa64 %zmm\n, \n*64(%rsp)
	.endr
	.irp n, 0, 1, 2, 3, 4, 5, 6, 7
	kmovq %k\n, 2048+\n*8(%rsp)
	.endr
	call lwkt_light_switch
	.irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	vmovdqa64 \n*64(%rsp), %zmm\n
	.endr
	.irp n, 0, 1, 2, 3, 4, 5, 6, 7
	kmovq 2048+\n*8(%rsp), %k\n
	.endr
ends zmm_only

	.section .note.GNU-stack, "", @progbits
