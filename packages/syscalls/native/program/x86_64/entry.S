/*
 * entry.S - into libcr and back out, x86-64. What a program sees is what a system call does: all registers but rax, rcx and r11 are kept. (The
 * arithmetic flags are not; the kernel keeps them, and no compiler relies on it.)
 *
 *   in:   rax = number; rdi rsi rdx r10 r8 r9 = arguments; rcx = where to go on; rsp = the program's, which is not touched; r11 is free
 *   out:  rax = result; rcx = where it goes on; by iretq with all registers and flags as they are in the frame, if that has TFF_FULL
 *
 * Every signal handler of libcr's has an alternate stack, so rsp may be anything in the first instructions: it is its own scratch register.
 *
 * Invariants:
 *  - While the program runs nothing of its lwp's kernel stack is in use. While libcr runs on its behalf the trapframe is at the top of it.
 *  - From program_leave to program_return_end the frame is only read: a signal that comes there begins again at program_return, and so nothing is
 *    overlooked between the last look and the program's next instruction (catch.c).
 *  - A call that goes to the kernel as it is goes from here, and what follows it has no `ret`: the kernel's way in and out leaves the processor's stack of
 *    return addresses empty, so each one would be mispredicted.
 *
 * CFI describes the frame, so that debuggers see the program's stack below libcr's.
 */
#include "proc.h"
#include "trapframe.h"
#include "curlwp.h"

/* The register is at offset from rsp: DW_CFA_expression, DW_OP_breg7. */
.macro saved register offset
	.cfi_escape 0x10, \register, 3, 0x77, (\offset & 0x7f) | 0x80, \offset >> 7
.endm

/* The frame is at rsp. The CFA is the program's stack pointer: DW_CFA_def_cfa_expression, DW_OP_breg7, DW_OP_deref. */
.macro frame_at_rsp
	.cfi_escape 0x0f, 4, 0x77, (TF_RSP & 0x7f) | 0x80, TF_RSP >> 7, 0x06
	saved 0, TF_RAX
	saved 1, TF_RDX
	saved 2, TF_RCX
	saved 3, TF_RBX
	saved 4, TF_RSI
	saved 5, TF_RDI
	saved 6, TF_RBP
	saved 8, TF_R8
	saved 9, TF_R9
	saved 10, TF_R10
	saved 11, TF_R11
	saved 12, TF_R12
	saved 13, TF_R13
	saved 14, TF_R14
	saved 15, TF_R15
	saved 16, TF_RIP
.endm

/* To the address in rcx, on the program's stack. */
.macro back_to_program
	.cfi_remember_state
	movq TF_RSP(%rsp), %rsp
	.cfi_def_cfa %rsp, 0
	.cfi_register %rip, %rcx
	.cfi_same_value %rbx
	.cfi_same_value %rbp
	.cfi_same_value %r12
	.cfi_same_value %r13
	.cfi_same_value %r14
	.cfi_same_value %r15
	jmp *%rcx
	.cfi_restore_state
.endm

	.text
	.globl program_entry, program_leave, program_return, program_return_end
	.globl program_through_begin, program_through_end
	.type program_entry, @function
	.balign 64
program_entry:
	.cfi_startproc
	.cfi_signal_frame
	.cfi_def_cfa %rsp, 0
	.cfi_register %rip, %rcx
	movq %rsp, %r11
	.cfi_def_cfa %r11, 0
	load_curlwp %rsp
	movq LWP_KSTACK(%rsp), %rsp
	leaq -TF_SIZE(%rsp), %rsp
	movq %r11, TF_RSP(%rsp)
	movq %rcx, TF_RIP(%rsp)
	movq %rcx, TF_RCX(%rsp)
	movq %rax, TF_NUMBER(%rsp)
	movq %rax, TF_RAX(%rsp)
	movq %rdi, TF_RDI(%rsp)
	movq %rsi, TF_RSI(%rsp)
	movq %rdx, TF_RDX(%rsp)
	movq %r10, TF_R10(%rsp)
	movq %r8, TF_R8(%rsp)
	movq %r9, TF_R9(%rsp)
	movq %rbx, TF_RBX(%rsp)
	movq %rbp, TF_RBP(%rsp)
	movq %r12, TF_R12(%rsp)
	movq %r13, TF_R13(%rsp)
	movq %r14, TF_R14(%rsp)
	movq %r15, TF_R15(%rsp)
	movq $USER_RFLAGS, TF_R11(%rsp)
	movq $USER_RFLAGS, TF_RFLAGS(%rsp)
	movq $USER_CS, TF_CS(%rsp)
	movq $USER_SS, TF_SS(%rsp)
	movq $0, TF_FLAGS(%rsp)
	frame_at_rsp
	cld
	movq %rsp, %rdi
	load_curlwp %rsi
	call program_syscall		/* TF_SIZE and the kernel stack are multiples of 16 */
	testb %al, %al
	jz program_return
	load_curlwp %rcx
program_through_begin:			/* as in program_pass, below */
	testl $AST_SIGNAL, LWP_AST(%rcx)
	jne 4f
	movq TF_NUMBER(%rsp), %rax
	movq TF_RDI(%rsp), %rdi
	movq TF_RSI(%rsp), %rsi
	movq TF_RDX(%rsp), %rdx
	movq TF_R10(%rsp), %r10
	movq TF_R8(%rsp), %r8
	movq TF_R9(%rsp), %r9
	syscall
program_through_end:
	movq %rax, TF_RAX(%rsp)
	cmpq $-4095, %rax
	jae 5f
program_leave:
	load_curlwp %rcx
	cmpq $0, LWP_AST(%rcx)		/* and LWP_AST_FS */
	jne 2f
	movq TF_RIP(%rsp), %rcx		/* all others are what they were: the kernel keeps them */
	back_to_program
program_return:
	load_curlwp %rdi
	cmpq $0, LWP_AST(%rdi)		/* and LWP_AST_FS */
	jne 2f
	testl $TFF_FULL, TF_FLAGS(%rsp)
	jne 3f
	movq TF_RDI(%rsp), %rdi		/* rbx, rbp, r12 to r15 are what they were: C keeps them */
	movq TF_RSI(%rsp), %rsi
	movq TF_RDX(%rsp), %rdx
	movq TF_R10(%rsp), %r10
	movq TF_R8(%rsp), %r8
	movq TF_R9(%rsp), %r9
	movq TF_RAX(%rsp), %rax
	movq TF_RIP(%rsp), %rcx
	back_to_program
2:	movq %rsp, %rdi
	call program_ast
	jmp program_return
3:	movq TF_R15(%rsp), %r15
	movq TF_R14(%rsp), %r14
	movq TF_R13(%rsp), %r13
	movq TF_R12(%rsp), %r12
	movq TF_RBP(%rsp), %rbp
	movq TF_RBX(%rsp), %rbx
	movq TF_R11(%rsp), %r11
	movq TF_R10(%rsp), %r10
	movq TF_R9(%rsp), %r9
	movq TF_R8(%rsp), %r8
	movq TF_RAX(%rsp), %rax
	movq TF_RCX(%rsp), %rcx
	movq TF_RDX(%rsp), %rdx
	movq TF_RSI(%rsp), %rsi
	movq TF_RDI(%rsp), %rdi
	.cfi_remember_state
	leaq TF_RIP(%rsp), %rsp
	.cfi_def_cfa %rsp, 40
	.cfi_offset %rip, -40
	.cfi_offset %rsp, -16
	iretq				/* from user mode to user mode: rip, rsp and rflags at once */
program_return_end:
	.cfi_restore_state
4:	movq $-ERESTARTNOINTR, TF_RAX(%rsp)
5:	movq %rsp, %rdi
	call program_passed
	jmp program_return
	.cfi_endproc
	.size program_entry, . - program_entry

/* void program_enter(struct trapframe *): out, with the registers of a frame at the top of the current lwp's kernel stack. */
	.globl program_enter
	.type program_enter, @function
program_enter:
	.cfi_startproc
	.cfi_undefined %rip
	movq %rdi, %rsp
	jmp program_return
	.cfi_endproc
	.size program_enter, . - program_enter

/*
 * long program_pass_as(struct lwp *, const struct trapframe *): the program's call to the kernel, with its registers as they were. If a signal has come
 * the call is not made: the window between the look and the syscall instruction is closed by catch.c, which moves rip to program_pass_end.
 * rcx is not program_pass_end until the kernel has been entered; by that catch.c tells a call that the kernel would begin again.
 */
	.globl program_pass_as, program_pass_begin, program_pass_end
	.type program_pass_as, @function
	.balign 32
program_pass_as:
	.cfi_startproc
	movq %rsi, %rcx
program_pass_begin:
	testl $AST_SIGNAL, LWP_AST(%rdi)
	jne 1f
	movq TF_NUMBER(%rcx), %rax
	movq TF_RDI(%rcx), %rdi
	movq TF_RSI(%rcx), %rsi
	movq TF_RDX(%rcx), %rdx
	movq TF_R10(%rcx), %r10
	movq TF_R8(%rcx), %r8
	movq TF_R9(%rcx), %r9
	syscall
program_pass_end:
	ret
1:	movq $-ERESTARTNOINTR, %rax
	ret
	.cfi_endproc
	.size program_pass_as, . - program_pass_as

/*
 * The program's memory. If it is not there the fault's handler goes on at user_access_fault: so these have no stack frame, and touch nothing
 * else than what they are given.
 */
	.globl user_access_begin, user_access_end, user_access_fault
	.globl user_copy, user_copy64, user_same, user_load32, user_store32, user_swap32, user_xsave, user_xrstor
	.balign 32
	.cfi_startproc
user_access_begin:
user_copy:				/* rdi = to, rsi = from, rdx = bytes */
	movq %rdx, %rcx
	rep movsb
	xorl %eax, %eax
	ret
user_copy64:				/* rdi = to, rsi = from */
	movq (%rsi), %rax
	movq %rax, (%rdi)
	xorl %eax, %eax
	ret
user_same:				/* rdi, rsi, rdx = bytes */
	movq %rdi, %r8
	movq %rdx, %rcx
	shrq $3, %rcx
	jz 2f
1:	movq (%rdi), %rax
	cmpq (%rsi), %rax
	jne 3f
	addq $8, %rdi
	addq $8, %rsi
	decq %rcx
	jnz 1b
2:	andl $7, %edx
	jz 5f
	jmp 4f
3:	movl $8, %edx			/* in one of these */
4:	movb (%rdi), %al
	cmpb (%rsi), %al
	jne 5f
	incq %rdi
	incq %rsi
	decl %edx
	jnz 4b
5:	movq %rdi, %rax
	subq %r8, %rax
	ret
user_load32:				/* rdi = from, rsi = where the value goes */
	movl (%rdi), %eax
	movl %eax, (%rsi)
	xorl %eax, %eax
	ret
user_store32:				/* rdi = to, esi = value */
	movl %esi, %eax
	xchgl %eax, (%rdi)		/* a fence, too */
	xorl %eax, %eax
	ret
user_swap32:				/* rdi = at, rsi = the value expected and found, edx = new */
	movl (%rsi), %eax
	lock cmpxchgl %edx, (%rdi)
	movl %eax, (%rsi)
	movl $0, %eax
	ret
user_xsave:				/* rdi = area, rsi = features */
	movl %esi, %eax
	movq %rsi, %rdx
	shrq $32, %rdx
	xsave64 (%rdi)
	xorl %eax, %eax
	ret
user_xrstor:
	movl %esi, %eax
	movq %rsi, %rdx
	shrq $32, %rdx
	xrstor64 (%rdi)			/* faults where the area is none, too */
	xorl %eax, %eax
	ret
user_access_end:
user_access_fault:
	movq $-14, %rax			/* EFAULT */
	ret
	.cfi_endproc

/* void program_restorer(void): where libcr's own signal handlers return to. */
	.globl program_restorer
	.type program_restorer, @function
	.balign 16
	nop				/* unwinders look one byte before */
program_restorer:
	movl $15, %eax			/* rt_sigreturn */
	syscall
	.size program_restorer, . - program_restorer

/* void program_sigreturn(void *uc): the kernel goes on with that context, as if a handler had returned to it. */
	.globl program_sigreturn
	.type program_sigreturn, @function
	.balign 16
program_sigreturn:
	.cfi_startproc
	.cfi_undefined %rip
	movq %rdi, %rsp
	movl $15, %eax			/* rt_sigreturn */
	syscall
	ud2
	.cfi_endproc
	.size program_sigreturn, . - program_sigreturn

/* long program_clone_call(flags, stack, ptid, ctid, tls, func, arg): clone; the child calls func(arg) on that stack, and has no way back. */
	.globl program_clone_call
	.type program_clone_call, @function
	.balign 16
program_clone_call:
	.cfi_startproc
	movq 8(%rsp), %rax
	movq %r9, -8(%rsi)
	movq %rax, -16(%rsi)
	subq $16, %rsi
	movq %rcx, %r10
	movl $56, %eax			/* clone */
	syscall
	testq %rax, %rax
	jz 1f
	ret
1:	.cfi_undefined %rip
	popq %rdi
	popq %rax
	xorl %ebp, %ebp
	andq $-16, %rsp
	call *%rax
	ud2
	.cfi_endproc
	.size program_clone_call, . - program_clone_call

	.section .note.GNU-stack, "", @progbits
