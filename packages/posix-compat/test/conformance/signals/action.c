/* action.c - sigaction, sigaltstack and what a handler finds: flags, siginfo, the context, the frame. */
#include "../conformance.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <ucontext.h>

static volatile int handled, inner, code, trap;
static void *volatile at;
static volatile siginfo_t seen;
static sigjmp_buf back;
static char stack[1 << 17] __attribute__((aligned(64)));

static void notes(int sig)
{
	(void)sig;
	handled++;
}

static void handle(int sig, void (*handler)(int, siginfo_t *, void *), int flags)
{
	struct sigaction act;

	memset(&act, 0, sizeof(act));
	act.sa_sigaction = handler;
	act.sa_flags = SA_SIGINFO | flags;
	OK(sigaction(sig, &act, NULL));
}

static void *waits(void *arg)
{
	for (;;)
		pause();
	return arg;
}

/* With one thread signals go other ways than with several: each behaviour is tried with both. */
static void with_both(void (*run)(void))
{
	pid_t child = fork();

	if (!child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		run();
		_exit(0);
	}
	OK(status_of(child));
	begin(waits, NULL);
	run();
}

static bool is_blocked(int sig)
{
	sigset_t set;

	OK(pthread_sigmask(SIG_SETMASK, NULL, &set));
	return sigismember(&set, sig);
}

#define BOTH(id, text)            \
	static void id##_both(void); \
	BEHAVIOUR(id, text) { with_both(id##_both); } \
	static void id##_both(void)

BOTH(action_read_back, "sigaction gives back what was set: handler, mask, flags")
{
	struct sigaction act = {.sa_handler = notes, .sa_flags = SA_NODEFER | SA_RESTART}, old;

	sigaddset(&act.sa_mask, SIGUSR2);
	OK(sigaction(SIGUSR1, &act, NULL));
	OK(sigaction(SIGUSR1, NULL, &old));
	CHECK(old.sa_handler == notes && (old.sa_flags & ~0x04000000) == (SA_NODEFER | SA_RESTART));
	CHECK(sigismember(&old.sa_mask, SIGUSR2) == 1 && sigismember(&old.sa_mask, SIGUSR1) == 0);
}

BOTH(action_unsupported_flag, "Flags that the kernel does not know are not kept (SA_UNSUPPORTED)")
{
	struct {
		void *handler;
		unsigned long flags;
		void *restorer;
		unsigned long mask;
	} act = {(void *)1, 0x400 | SA_NODEFER, NULL, 0}, old;

	OK(syscall(SYS_rt_sigaction, SIGUSR1, &act, NULL, 8));
	OK(syscall(SYS_rt_sigaction, SIGUSR1, NULL, &old, 8));
	CHECK(old.flags == SA_NODEFER);
}

BOTH(action_invalid, "SIGKILL and SIGSTOP can't be caught, and others there are none: EINVAL")
{
	struct sigaction act = {.sa_handler = notes};

	SETS(EINVAL, sigaction(SIGKILL, &act, NULL));
	SETS(EINVAL, sigaction(SIGSTOP, &act, NULL));
	SETS(EINVAL, sigaction(65, &act, NULL));
	SETS(EINVAL, sigaction(0, &act, NULL));
	OK(sigaction(SIGKILL, NULL, &act));
}

static void notes_mask(int sig)
{
	handled++;
	code = is_blocked(sig) | is_blocked(SIGUSR2) << 1;
}

BOTH(action_mask, "While a handler runs its signal and those of sa_mask are blocked, then what was before")
{
	struct sigaction act = {.sa_handler = notes_mask};

	handled = 0;
	sigaddset(&act.sa_mask, SIGUSR2);
	OK(sigaction(SIGUSR1, &act, NULL));
	OK(raise(SIGUSR1));
	CHECK(handled == 1 && code == 3 && !is_blocked(SIGUSR1) && !is_blocked(SIGUSR2));
}

static void raises_again(int sig)
{
	if (++handled == 1) {
		raise(sig);
		inner = handled;
	}
}

BOTH(action_nodefer, "With SA_NODEFER a handler is interrupted by its own signal; without, that waits until it has returned")
{
	handled = 0;
	catch_with(SIGUSR1, raises_again, SA_NODEFER);
	OK(raise(SIGUSR1));
	CHECK(handled == 2 && inner == 2);
	handled = 0;
	catch_with(SIGUSR1, raises_again, 0);
	OK(raise(SIGUSR1));
	CHECK(handled == 2 && inner == 1);
}

static void notes_action(int sig)
{
	struct sigaction act;

	sigaction(sig, NULL, &act);
	handled++;
	inner = act.sa_handler == SIG_DFL;
}

BOTH(action_resethand, "With SA_RESETHAND the action is the default one already when the handler runs, and the signal is blocked there")
{
	pid_t child = fork();
	int status;

	if (!child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		catch_with(SIGUSR1, notes_action, SA_RESETHAND);
		raise(SIGUSR1);
		if (handled == 1 && inner)
			raise(SIGUSR1);
		_exit(1);
	}
	status = status_of(child);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGUSR1);
}

static void notes_info(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	seen = *info;
	handled++;
}

BOTH(info_kill, "kill: si_code SI_USER, and who has sent it")
{
	handle(SIGUSR1, notes_info, 0);
	handled = 0;
	OK(kill(getpid(), SIGUSR1));
	UNTIL(handled);
	CHECK(seen.si_code == SI_USER && seen.si_pid == getpid() && seen.si_uid == getuid());
}

BOTH(info_raise, "pthread_kill: SI_TKILL")
{
	handle(SIGUSR1, notes_info, 0);
	OK(raise(SIGUSR1));
	CHECK(seen.si_code == SI_TKILL && seen.si_pid == getpid());
}

BOTH(info_queue, "sigqueue, pthread_sigqueue: SI_QUEUE, with the value")
{
	handle(SIGUSR1, notes_info, 0);
	handled = 0;
	OK(sigqueue(getpid(), SIGUSR1, (union sigval){.sival_ptr = stack}));
	UNTIL(handled);
	CHECK(seen.si_code == SI_QUEUE && seen.si_value.sival_ptr == stack && seen.si_pid == getpid());
	OK(pthread_sigqueue(pthread_self(), SIGUSR1, (union sigval){.sival_int = 77}));
	CHECK(handled == 2 && seen.si_code == SI_QUEUE && seen.si_value.sival_int == 77);
}

BOTH(info_own_code, "A process may send itself any siginfo, as one of the kernel's")
{
	siginfo_t info = {.si_code = SEGV_MAPERR};

	info.si_addr = (void *)0x1234;
	handle(SIGSEGV, notes_info, 0);
	handled = 0;
	OK(syscall(SYS_rt_sigqueueinfo, getpid(), SIGSEGV, &info));
	UNTIL(handled);
	CHECK(seen.si_code == SEGV_MAPERR && seen.si_addr == (void *)0x1234);
	OK(syscall(SYS_rt_tgsigqueueinfo, getpid(), syscall(SYS_gettid), SIGSEGV, &info));
	UNTIL(handled == 2);
}

BOTH(info_permission, "To another process one may not send what looks as if the kernel or kill had sent it: EPERM")
{
	siginfo_t info = {.si_code = SI_USER};

	SETS(EPERM, syscall(SYS_rt_sigqueueinfo, getppid(), 0, &info));
	info.si_code = SI_TKILL;
	SETS(EPERM, syscall(SYS_rt_sigqueueinfo, getppid(), 0, &info));
	info.si_code = SI_QUEUE;
	OK(syscall(SYS_rt_sigqueueinfo, getppid(), 0, &info));
}

BOTH(info_stkflt, "SIGSTKFLT is a signal like others")
{
	handle(SIGSTKFLT, notes_info, 0);
	handled = 0;
	OK(raise(SIGSTKFLT));
	CHECK(handled == 1 && seen.si_code == SI_TKILL);
	OK(kill(getpid(), SIGSTKFLT));
	UNTIL(handled == 2);
	CHECK(seen.si_code == SI_USER);
	OK(sigqueue(getpid(), SIGSTKFLT, (union sigval){.sival_int = 5}));
	UNTIL(handled == 3);
	CHECK(seen.si_code == SI_QUEUE && seen.si_value.sival_int == 5);
}

BEHAVIOUR(stkflt_default, "SIGSTKFLT ends a process by default, if it is not ignored or blocked")
{
	pid_t child = fork();
	int status;

	if (!child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		begin(waits, NULL);
		waits(NULL);
	}
	moment();
	kill(child, SIGSTKFLT);
	status = status_of(child);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSTKFLT);
	signal(SIGSTKFLT, SIG_IGN);
	kill(getpid(), SIGSTKFLT);
	begin(waits, NULL);
	kill(getpid(), SIGSTKFLT);
	moment();
}

static void jumps(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;

	(void)sig;
	code = info->si_code;
	at = info->si_addr;
	trap = (int)uc->uc_mcontext.gregs[REG_TRAPNO];
	siglongjmp(back, 1);
}

#define FAULTS(sig, instruction)            \
	do {                                \
		handle(sig, jumps, 0);      \
		code = 0;                   \
		if (!sigsetjmp(back, 1)) {  \
			instruction;        \
			fail("no fault");   \
		}                           \
	} while (0)

BOTH(fault_segv, "SIGSEGV: SEGV_MAPERR where nothing is, SEGV_ACCERR where it may not be; si_addr, the trap's number")
{
	char *page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	FAULTS(SIGSEGV, *(volatile int *)0x10 = 1);
	CHECK(code == SEGV_MAPERR && at == (void *)0x10 && trap == 14);
	FAULTS(SIGSEGV, *(volatile char *)(page + 5) = 1);
	CHECK(code == SEGV_ACCERR && at == page + 5);
	FAULTS(SIGSEGV, *(volatile int *)0x8000000000000000 = 1);
	CHECK(code == SI_KERNEL && trap == 13);
}

BOTH(fault_bus, "SIGBUS: BUS_ADRERR behind a file's end")
{
	char path[] = "/tmp/libcr-signal-XXXXXX";
	int fd = mkstemp(path);
	char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	unlink(path);
	FAULTS(SIGBUS, *(volatile char *)(page + 9) = 1);
	CHECK(code == BUS_ADRERR && at == page + 9);
}

BOTH(fault_fpe, "SIGFPE: FPE_INTDIV, at the instruction")
{
	FAULTS(SIGFPE, __asm__ volatile("xor %%ecx, %%ecx; div %%ecx" ::: "eax", "ecx", "edx"));
	CHECK(code == FPE_INTDIV && at && trap == 0);
}

BOTH(fault_ill, "SIGILL: ILL_ILLOPN, at the instruction")
{
	FAULTS(SIGILL, __asm__ volatile("ud2"));
	CHECK(code == ILL_ILLOPN && at && trap == 6);
}

BOTH(fault_trap, "SIGTRAP: int3 is SI_KERNEL; a single step is TRAP_TRACE")
{
	FAULTS(SIGTRAP, __asm__ volatile("int3"));
	CHECK(code == SI_KERNEL && trap == 3);
	FAULTS(SIGTRAP, __asm__ volatile("sub $128, %%rsp; pushfq; orl $0x100, (%%rsp); popfq; nop; nop; add $128, %%rsp" ::: "memory", "cc"));
	CHECK(code == TRAP_TRACE && trap == 1);
}

static void skips(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;

	(void)sig;
	(void)info;
	handled++;
	uc->uc_mcontext.gregs[REG_RIP] += 2;
	uc->uc_mcontext.gregs[REG_RBX] = 4711;
	sigaddset(&uc->uc_sigmask, SIGUSR2);
}

BOTH(context_edit, "What a handler changes in the context is so when it has returned: registers, and the mask")
{
	long rbx = 0;
	sigset_t set;

	handle(SIGILL, skips, 0);
	__asm__ volatile("ud2" : "+b"(rbx)::"memory");
	CHECK(rbx == 4711 && is_blocked(SIGUSR2));
	sigemptyset(&set);
	OK(pthread_sigmask(SIG_SETMASK, &set, NULL));
}

static bool is_on_stack(void) { char here; return &here >= stack && &here < stack + sizeof(stack); }

static void nested(int sig)
{
	stack_t now;

	if (sig == SIGUSR1) {
		sigaltstack(NULL, &now);
		CHECK((now.ss_flags & SS_ONSTACK) && is_on_stack());
		SETS(EPERM, sigaltstack(&(stack_t){.ss_flags = SS_DISABLE}, NULL));
		raise(SIGUSR2);
	} else {
		CHECK(is_on_stack());
		inner++;
	}
	handled++;
}

BOTH(altstack_nested, "A handler on the alternate stack that is interrupted by another there goes on; the stack can't be changed meanwhile")
{
	stack_t alternate = {.ss_sp = stack, .ss_size = sizeof(stack)}, old;

	handled = inner = 0;
	OK(sigaltstack(&alternate, NULL));
	catch_with(SIGUSR1, nested, SA_ONSTACK);
	catch_with(SIGUSR2, nested, SA_ONSTACK);
	OK(raise(SIGUSR1));
	CHECK(handled == 2 && inner == 1 && !is_on_stack());
	OK(sigaltstack(NULL, &old));
	CHECK(old.ss_sp == stack && old.ss_size == sizeof(stack) && !old.ss_flags);
	SETS(ENOMEM, sigaltstack(&(stack_t){.ss_sp = stack, .ss_size = 1000}, NULL));
	SETS(EINVAL, sigaltstack(&(stack_t){.ss_sp = stack, .ss_size = sizeof(stack), .ss_flags = 64}, NULL));
	OK(sigaltstack(&(stack_t){.ss_flags = SS_DISABLE}, NULL));
	OK(sigaltstack(NULL, &old));
	CHECK(old.ss_flags == SS_DISABLE);
}

static void autodisarmed(int sig)
{
	stack_t now;

	(void)sig;
	sigaltstack(NULL, &now);
	inner = now.ss_flags == SS_DISABLE && is_on_stack();
}

BOTH(altstack_autodisarm, "SS_AUTODISARM: none while the handler runs, and again after it")
{
	stack_t alternate = {.ss_sp = stack, .ss_size = sizeof(stack), .ss_flags = (int)(1u << 31)}, old;

	inner = 0;
	OK(sigaltstack(&alternate, NULL));
	catch_with(SIGUSR1, autodisarmed, SA_ONSTACK);
	OK(raise(SIGUSR1));
	CHECK(inner);
	OK(sigaltstack(NULL, &old));
	CHECK(old.ss_sp == stack && old.ss_flags == (int)(1u << 31));
}

static void recurses(int sig)
{
	handled++;
	raise(sig);
}

BEHAVIOUR(altstack_overflow, "Handlers that fill the alternate stack end the process by SIGSEGV, and do not run below it")
{
	pid_t child = fork();
	int status;

	if (!child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		stack_t alternate = {.ss_sp = stack + (1 << 16), .ss_size = 1 << 16};

		begin(waits, NULL);
		OK(sigaltstack(&alternate, NULL));
		catch_with(SIGUSR1, recurses, SA_ONSTACK | SA_NODEFER);
		raise(SIGUSR1);
		_exit(0);
	}
	status = status_of(child);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
}

static void on_overflow(int sig)
{
	_exit(sig == SIGSEGV && is_on_stack() ? 7 : 8);
}

BEHAVIOUR(frame_no_room, "Where a stack has no room for the frame SIGSEGV is raised, whose handler runs on the alternate stack")
{
	pid_t child = fork();
	int status;

	if (!child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		stack_t alternate = {.ss_sp = stack, .ss_size = sizeof(stack)};

		begin(waits, NULL);
		OK(sigaltstack(&alternate, NULL));
		catch_with(SIGSEGV, on_overflow, SA_ONSTACK);
		catch_with(SIGUSR1, notes, 0);
		__asm__ volatile("mov $64, %%rsp; mov $39, %%eax; syscall; mov %%eax, %%edi; mov $186, %%eax; syscall; mov %%eax, %%esi; mov $10, %%edx; mov $234, %%eax; syscall; ud2" ::: "memory");
	}
	status = status_of(child);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 7);
}

BOTH(jump_out, "siglongjmp out of a handler restores the mask that sigsetjmp has saved; a hundred times")
{
	for (volatile int i = 0; i < 100; i++) {
		FAULTS(SIGUSR1, raise(SIGUSR1));
		CHECK(code == SI_TKILL && !is_blocked(SIGUSR1));
	}
}

static void spoils(int sig)
{
	(void)sig;
	handled++;
	__asm__ volatile("pxor %%xmm0, %%xmm0; pxor %%xmm1, %%xmm1; pxor %%xmm15, %%xmm15; fninit" ::: "memory");
	if (__builtin_cpu_supports("avx512f"))
		__asm__ volatile("vpxorq %%zmm0, %%zmm0, %%zmm0; vpxorq %%zmm31, %%zmm31, %%zmm31; kxnorw %%k1, %%k1, %%k1" ::: "memory");
	else if (__builtin_cpu_supports("avx2"))
		__asm__ volatile("vzeroall" ::: "memory");
}

static void raise_by_hand(void *in, void *out)
{
	long pid = getpid(), tid = syscall(SYS_gettid);

	if (__builtin_cpu_supports("avx512f"))
		__asm__ volatile("vmovdqu64 (%4), %%zmm0; vmovdqu64 64(%4), %%zmm31; mov $0x1234, %%eax; kmovw %%eax, %%k1; mov $234, %%eax; syscall;"
				 "vmovdqu64 %%zmm0, (%5); vmovdqu64 %%zmm31, 64(%5); kmovw %%k1, %%eax; mov %%eax, 128(%5)"
				 : "+D"(pid), "+S"(tid) : "d"(SIGUSR1), "m"(*(char(*)[128])in), "r"(in), "r"(out) : "rax", "rcx", "r11", "memory");
	else if (__builtin_cpu_supports("avx2"))
		__asm__ volatile("vmovdqu (%4), %%ymm0; vmovdqu 64(%4), %%ymm15; mov $234, %%eax; syscall; vmovdqu %%ymm0, (%5); vmovdqu %%ymm15, 64(%5)"
				 : "+D"(pid), "+S"(tid) : "d"(SIGUSR1), "m"(*(char(*)[128])in), "r"(in), "r"(out) : "rax", "rcx", "r11", "memory");
	else
		__asm__ volatile("movdqu (%4), %%xmm0; movdqu 64(%4), %%xmm15; mov $234, %%eax; syscall; movdqu %%xmm0, (%5); movdqu %%xmm15, 64(%5)"
				 : "+D"(pid), "+S"(tid) : "d"(SIGUSR1), "m"(*(char(*)[128])in), "r"(in), "r"(out) : "rax", "rcx", "r11", "memory");
}

BOTH(vectors_kept, "A handler that spoils the vector registers, as wide as the processor's are, changes none of what it has interrupted")
{
	int width = __builtin_cpu_supports("avx512f") ? 64 : __builtin_cpu_supports("avx2") ? 32 : 16;
	char in[192], out[192];

	handled = 0;
	for (int i = 0; i < 128; i++)
		in[i] = (char)(i + 1);
	memset(out, 0, sizeof(out));
	catch_with(SIGUSR1, spoils, 0);
	raise_by_hand(in, out);
	CHECK(handled == 1 && !memcmp(in, out, (size_t)width) && !memcmp(in + 64, out + 64, (size_t)width));
	if (width == 64)
		CHECK((out[128] & 255) == 0x34 && out[129] == 0x12);
}

static void looks_at_frame(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;
	uint32_t *software = (uint32_t *)((char *)uc->uc_mcontext.fpregs + 464);

	(void)sig;
	(void)info;
	handled++;
	inner = software[0] == 0x46505853 && *(uint32_t *)((char *)uc->uc_mcontext.fpregs + software[1] - 4) == 0x46505845;
	code = ((uintptr_t)uc->uc_mcontext.fpregs & 63) == 0;
	((double *)uc->uc_mcontext.fpregs->_xmm)[0] = 2.5;
}

BOTH(vectors_frame, "The frame has the extended state with its marks, and what a handler writes there is in the registers after it")
{
	long pid = getpid(), tid = syscall(SYS_gettid);
	double got = 0;

	handled = 0;
	handle(SIGUSR1, looks_at_frame, 0);
	__asm__ volatile("pcmpeqd %%xmm0, %%xmm0; mov $234, %%eax; syscall; movsd %%xmm0, %3" : "+D"(pid), "+S"(tid) : "d"(SIGUSR1), "m"(got) : "rax", "rcx", "r11", "memory", "xmm0");
	CHECK(handled == 1 && inner && code && got == 2.5);
}
