/* sys.c - SIGSYS: calls that a filter of the program's own catches (seccomp's SECCOMP_RET_TRAP; seccomp(2)), and how a program ends that has core signals. */
#include "../conformance.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <ucontext.h>

#define CAUGHT SYS_getpgid /* what the filter catches, and nothing else of what C libraries or libcr call */
#define DATA 1234
#ifndef SYS_SECCOMP
#define SYS_SECCOMP 1
#endif

static volatile siginfo_t seen;
static volatile greg_t seen_rip, seen_rax;
static volatile pthread_t seen_thread;
static atomic_int handled;

static void on_sys(int sig, siginfo_t *info, void *context)
{
	greg_t *r = ((ucontext_t *)context)->uc_mcontext.gregs;

	CHECK(sig == SIGSYS);
	seen = *info;
	seen_rip = r[REG_RIP];
	seen_rax = r[REG_RAX];
	seen_thread = pthread_self();
	handled++;
	r[REG_RAX] = 4711;
}

static void handle(void)
{
	struct sigaction act;

	memset(&act, 0, sizeof(act));
	act.sa_sigaction = on_sys;
	act.sa_flags = SA_SIGINFO;
	OK(sigaction(SIGSYS, &act, NULL));
}

/** Of this thread, and those that it makes. */
static void filter(uint32_t action)
{
	struct sock_filter instructions[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, CAUGHT, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, action),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {COUNT(instructions), instructions};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
		skip("no seccomp filter can be had");
}

static void traps(void) { filter(SECCOMP_RET_TRAP | DATA); }

static pid_t child_that(void (*runs)(void))
{
	pid_t child = fork();

	if (!child) {
		setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
		runs();
		_exit(3);
	}
	return child;
}

BEHAVIOUR(sys_trap, "SECCOMP_RET_TRAP raises SIGSYS with the call's number, its architecture and the filter's data")
{
	handle();
	traps();
	syscall(CAUGHT, 0);
	CHECK(handled == 1 && seen.si_signo == SIGSYS && seen.si_code == SYS_SECCOMP);
	CHECK(seen.si_syscall == CAUGHT && seen.si_arch == AUDIT_ARCH_X86_64 && seen.si_errno == DATA);
}

BEHAVIOUR(sys_trap_place, "si_call_addr and the context are behind the instruction, with the number in rax")
{
	long result, behind;

	handle();
	traps();
	for (int i = 0; i < 1000; i++) { /* libcr changes code that makes calls often */
		__asm__ volatile("syscall\n1: lea 1b(%%rip), %%rdx" : "=a"(result), "=d"(behind) : "a"(CAUGHT), "D"(0) : "rcx", "r11", "memory");
		CHECK(result == 4711 && seen_rax == CAUGHT);
		CHECK(seen_rip == behind && seen.si_call_addr == (void *)behind);
	}
}

BEHAVIOUR(sys_trap_result, "What the handler puts into rax is the call's result; the call is not made")
{
	handle();
	traps();
	CHECK(syscall(CAUGHT, 0) == 4711);
}

static void *calls(void *arg)
{
	(void)arg;
	CHECK(syscall(CAUGHT, 0) == 4711);
	CHECK(pthread_equal(seen_thread, pthread_self()));
	return NULL;
}

BEHAVIOUR(sys_trap_threads, "It is raised for the thread that has made the call")
{
	handle();
	traps();
	for (int i = 0; i < 8; i++)
		end(begin(calls, NULL));
	CHECK(handled == 8);
	calls(NULL);
}

static void traps_by_default(void)
{
	traps();
	syscall(CAUGHT, 0);
}

BEHAVIOUR(sys_trap_default, "Without a handler it ends the process")
{
	int status = status_of(child_that(traps_by_default));

	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS && !WCOREDUMP(status));
}

static void traps_blocked(void)
{
	sigset_t set;

	handle();
	sigemptyset(&set);
	sigaddset(&set, SIGSYS);
	sigprocmask(SIG_BLOCK, &set, NULL);
	traps_by_default();
}

BEHAVIOUR(sys_trap_blocked, "So it does where SIGSYS is blocked")
{
	int status = status_of(child_that(traps_blocked));

	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
}

static void traps_ignored(void)
{
	signal(SIGSYS, SIG_IGN);
	traps_by_default();
}

BEHAVIOUR(sys_trap_ignored, "and where it is ignored")
{
	int status = status_of(child_that(traps_ignored));

	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
}

BEHAVIOUR(sys_errno, "SECCOMP_RET_ERRNO is the call's error, and no signal")
{
	handle();
	filter(SECCOMP_RET_ERRNO | ENOTNAM);
	SETS(ENOTNAM, syscall(CAUGHT, 0));
	CHECK(!handled);
}

static void kills_itself(void)
{
	filter(SECCOMP_RET_KILL_PROCESS);
	syscall(CAUGHT, 0);
}

BEHAVIOUR(sys_kill, "SECCOMP_RET_KILL_PROCESS ends it with SIGSYS, whatever it does with that")
{
	int status;

	handle();
	status = status_of(child_that(kills_itself));
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
}

BEHAVIOUR(sys_sent, "SIGSYS that is sent is a signal like others, and can be blocked")
{
	sigset_t set, old;

	handle();
	sigemptyset(&set);
	sigaddset(&set, SIGSYS);
	OK(sigprocmask(SIG_BLOCK, &set, &old));
	OK(kill(getpid(), SIGSYS));
	CHECK(!handled);
	OK(sigprocmask(SIG_SETMASK, &old, NULL));
	CHECK(handled == 1 && seen.si_code == SI_USER && seen.si_pid == getpid());
}
