/*
 * catch.c - catching: the kernel's syscall user dispatch sends SIGSYS for each system call whose instruction is outside of libcr's text (Linux 5.11,
 * Documentation/admin-guide/syscall-user-dispatch.rst). And what a signal that comes between does to libcr's own code.
 *
 * Nobody ever stays in a signal's frame: the handler only changes where the kernel goes on when it returns. So one alternate stack for each
 * kernel thread is enough, and userthreads may switch behind it.
 */
#include "program.h"

#include <linux/audit.h>

#ifndef PR_SET_SYSCALL_USER_DISPATCH
#define PR_SET_SYSCALL_USER_DISPATCH 59
#define PR_SYS_DISPATCH_ON 1
#endif
#define SYS_USER_DISPATCH_CODE 2
#define SA_RESTORER_FLAG 0x04000000ul
#define SYSCALL_INSTRUCTION 0x050f

static void (*other_sigsys)(int sig, siginfo_t *si, ucontext_t *uc);

static void on_sigsys(int sig, siginfo_t *si, ucontext_t *uc)
{
	greg_t *r = uc->uc_mcontext.gregs;

	if (si->si_code != SYS_USER_DISPATCH_CODE) {
		other_sigsys(sig, si, uc);
		return;
	}
	if (si->si_arch != AUDIT_ARCH_X86_64) { /* int $0x80: the calls of a 32-bit program, which have other numbers */
		r[REG_RAX] = -ENOSYS;
		return;
	}
	if (shims_at((uint64_t)r[REG_RIP] - 2))
		program_fail(125, shims_at((uint64_t)r[REG_RIP] - 2), "a shim makes no system call by itself; it has shim_call");
	r[REG_RCX] = (greg_t)patch_caught((uint64_t)r[REG_RIP] - 2, (uint64_t)r[REG_RAX]);
	r[REG_RIP] = (greg_t)(uintptr_t)program_entry;
}

bool (*program_fault)(int sig, siginfo_t *si, ucontext_t *uc);

void catch_signal(int sig, void (*handler)(int, siginfo_t *, ucontext_t *), uint64_t flags)
{
	struct sigact act = {
		.act_handler = (uint64_t)handler,
		.act_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTORER_FLAG | flags,
		.act_restorer = (uint64_t)program_restorer,
		.act_mask = ~(SIGNAL_BIT(SIGSEGV) | SIGNAL_BIT(SIGBUS)), /* a handler may look at memory of the program's */
	};

	kernel_call(SYS_rt_sigaction, sig, &act, NULL, 8);
}

void catch_begin(void (*other)(int sig, siginfo_t *si, ucontext_t *uc))
{
	other_sigsys = other;
	catch_signal(SIGSYS, on_sigsys, 0);
}

long catch_thread(void *altstack, size_t size)
{
	struct altstack stack = {.ss_sp = (uint64_t)altstack, .ss_size = size};

	if (altstack) {
		long error = kernel_call(SYS_sigaltstack, &stack, NULL);

		if (error)
			return error;
	}
	/* No selector: all is caught, always, but for what comes from libcr's text. */
	return kernel_call(SYS_prctl, PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_ON, program_text, program_text_end - program_text, NULL);
}

bool in_program(const struct lwp *lwp, const ucontext_t *uc)
{
	uint64_t rip = (uint64_t)uc->uc_mcontext.gregs[REG_RIP];
	const char *rsp = (const char *)uc->uc_mcontext.gregs[REG_RSP];

	return !in_libcr(rip) && !(rsp >= lwp->lwp_kstack_base && rsp < lwp->lwp_kstack);
}

/** Whether the kernel is about to make a call of libcr's again after the handler: it has gone back to the instruction, and rcx is from the first time. */
static bool is_restarted(const greg_t *r)
{
	return in_libcr((uint64_t)r[REG_RIP]) && r[REG_RCX] == r[REG_RIP] + 2 && *(const uint16_t *)r[REG_RIP] == SYSCALL_INSTRUCTION;
}

void program_interrupt_pass(ucontext_t *uc)
{
	static char *const windows[][2] = {{program_pass_begin, program_pass_end}, {program_through_begin, program_through_end}};
	greg_t *r = uc->uc_mcontext.gregs;
	char *rip = (char *)r[REG_RIP];

	for (unsigned i = 0; i < sizeof(windows) / sizeof(windows[0]); i++)
		if (rip >= windows[i][0] && rip < windows[i][1]) {
			r[REG_RAX] = is_restarted(r) ? -ERESTARTSYS : -ERESTARTNOINTR;
			r[REG_RIP] = (greg_t)(uintptr_t)windows[i][1];
		}
}

void program_interrupt(const struct lwp *lwp, ucontext_t *uc)
{
	greg_t *r = uc->uc_mcontext.gregs;
	char *rip = (char *)r[REG_RIP];
	struct trapframe *tf = (struct trapframe *)(lwp->lwp_kstack - TF_SIZE);

	if (in_program(lwp, uc)) {
		if (record_mode && program_postpones(lwp))
			return;
		trapframe_load(tf, uc);
		r[REG_EFL] &= ~0x500; /* the direction flag; and it is the program that is stepped */
	} else if (rip < program_leave || rip >= program_return_end) {
		program_interrupt_pass(uc);
		return;
	}
	r[REG_RIP] = (greg_t)(uintptr_t)program_return;
	r[REG_RSP] = (greg_t)(uintptr_t)tf;
}
