/*
 * start.S - the launcher's first instructions: the kernel leaves argc, argv, envp and the auxiliary vector at rsp (psABI, "Process Initialization").
 * What is below them becomes the program's, so libcr goes on on a stack of its own, which is thread0's from then on.
 */
#define STACK_SIZE 65536

	.text
	.globl _start
	.type _start, @function
_start:
	.cfi_startproc
	.cfi_undefined %rip
	xorl %ebp, %ebp
	movq %rsp, %rdi
	leaq stack_end(%rip), %rsp
	call launcher_main
	ud2
	.cfi_endproc
	.size _start, . - _start

	.section .bss.stack, "aw", @nobits
	.balign 64
	.skip STACK_SIZE
stack_end:

	.section .note.GNU-stack, "", @progbits
