/*
 * frame.c - compares what the assembler knows of C's structs with C, and copies registers between a signal handler's context and a trapframe.
 */
#include "program.h"

#define SAME(offset, type, field) _Static_assert((offset) == offsetof(type, field), #field)
SAME(TF_R15, struct trapframe, tf_r15);
SAME(TF_R14, struct trapframe, tf_r14);
SAME(TF_R13, struct trapframe, tf_r13);
SAME(TF_R12, struct trapframe, tf_r12);
SAME(TF_RBP, struct trapframe, tf_rbp);
SAME(TF_RBX, struct trapframe, tf_rbx);
SAME(TF_R11, struct trapframe, tf_r11);
SAME(TF_R10, struct trapframe, tf_r10);
SAME(TF_R9, struct trapframe, tf_r9);
SAME(TF_R8, struct trapframe, tf_r8);
SAME(TF_RAX, struct trapframe, tf_rax);
SAME(TF_RCX, struct trapframe, tf_rcx);
SAME(TF_RDX, struct trapframe, tf_rdx);
SAME(TF_RSI, struct trapframe, tf_rsi);
SAME(TF_RDI, struct trapframe, tf_rdi);
SAME(TF_NUMBER, struct trapframe, tf_number);
SAME(TF_FLAGS, struct trapframe, tf_flags);
SAME(TF_RIP, struct trapframe, tf_rip);
SAME(TF_CS, struct trapframe, tf_cs);
SAME(TF_RFLAGS, struct trapframe, tf_rflags);
SAME(TF_RSP, struct trapframe, tf_rsp);
SAME(TF_SS, struct trapframe, tf_ss);
_Static_assert(TF_SIZE == sizeof(struct trapframe), "the frame's size");
SAME(LWP_KSTACK, struct lwp, lwp_kstack);
SAME(LWP_AST, struct lwp, lwp_ast);
SAME(LWP_AST_FS, struct lwp, lwp_ast_fs);

void trapframe_load(struct trapframe *tf, const ucontext_t *uc)
{
	const greg_t *r = uc->uc_mcontext.gregs;

	tf->tf_r15 = (uint64_t)r[REG_R15];
	tf->tf_r14 = (uint64_t)r[REG_R14];
	tf->tf_r13 = (uint64_t)r[REG_R13];
	tf->tf_r12 = (uint64_t)r[REG_R12];
	tf->tf_rbp = (uint64_t)r[REG_RBP];
	tf->tf_rbx = (uint64_t)r[REG_RBX];
	tf->tf_r11 = (uint64_t)r[REG_R11];
	tf->tf_r10 = (uint64_t)r[REG_R10];
	tf->tf_r9 = (uint64_t)r[REG_R9];
	tf->tf_r8 = (uint64_t)r[REG_R8];
	tf->tf_rax = (uint64_t)r[REG_RAX];
	tf->tf_rcx = (uint64_t)r[REG_RCX];
	tf->tf_rdx = (uint64_t)r[REG_RDX];
	tf->tf_rsi = (uint64_t)r[REG_RSI];
	tf->tf_rdi = (uint64_t)r[REG_RDI];
	tf->tf_rip = (uint64_t)r[REG_RIP];
	tf->tf_rsp = (uint64_t)r[REG_RSP];
	tf->tf_rflags = (uint64_t)r[REG_EFL];
	tf->tf_number = 0;
	tf->tf_flags = TFF_FULL | TFF_ASYNC;
	tf->tf_cs = USER_CS;
	tf->tf_ss = USER_SS;
}

void trapframe_store(const struct trapframe *tf, greg_t *r)
{
	r[REG_R15] = (greg_t)tf->tf_r15;
	r[REG_R14] = (greg_t)tf->tf_r14;
	r[REG_R13] = (greg_t)tf->tf_r13;
	r[REG_R12] = (greg_t)tf->tf_r12;
	r[REG_RBP] = (greg_t)tf->tf_rbp;
	r[REG_RBX] = (greg_t)tf->tf_rbx;
	r[REG_R11] = (greg_t)tf->tf_r11;
	r[REG_R10] = (greg_t)tf->tf_r10;
	r[REG_R9] = (greg_t)tf->tf_r9;
	r[REG_R8] = (greg_t)tf->tf_r8;
	r[REG_RAX] = (greg_t)tf->tf_rax;
	r[REG_RCX] = (greg_t)tf->tf_rcx;
	r[REG_RDX] = (greg_t)tf->tf_rdx;
	r[REG_RSI] = (greg_t)tf->tf_rsi;
	r[REG_RDI] = (greg_t)tf->tf_rdi;
	r[REG_RIP] = (greg_t)tf->tf_rip;
	r[REG_RSP] = (greg_t)tf->tf_rsp;
	r[REG_EFL] = (greg_t)tf->tf_rflags;
}
