/*
 * crash.c - a program ends by what it does wrong: crash HOW [thread]. With "thread" another thread than the main one does it, while others wait and compute.
 * The function that does it is wrong_NAME, with a name of its own in each core. crash status HOW [thread] says how a child of it ends.
 */
#define _GNU_SOURCE
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define WRONG(name) __attribute__((noinline)) static void wrong_##name(void)

static volatile int zero;
static volatile char *volatile nowhere;

__attribute__((noinline)) static int deeper(volatile int *above)
{
	volatile int here[256];

	here[0] = *above + 1;
	return deeper(here) + here[0]; /* no tail call */
}

WRONG(stack)
{
	volatile int first = 0;

	zero = deeper(&first);
}

WRONG(jump_null)
{
	void (*volatile to)(void) = NULL;

	to();
	zero++;
}

WRONG(jump_unmapped)
{
	void (*volatile to)(void) = (void (*)(void))0x123456789000;

	to();
	zero++;
}

WRONG(jump_data)
{
	void (*volatile to)(void) = (void (*)(void))(uintptr_t)&zero;

	to();
	zero++;
}

WRONG(instruction)
{
	__asm__ volatile("ud2");
}

WRONG(divide)
{
	zero = 100 / zero;
}

WRONG(write)
{
	*nowhere = 1;
}

/** Beyond the end of a file: SIGBUS. */
WRONG(bus)
{
	char name[] = "/tmp/crash-XXXXXX";
	int fd = mkstemp(name);
	volatile char *at = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);

	unlink(name);
	zero = *at;
}

WRONG(abort)
{
	abort();
}

WRONG(free)
{
	char *volatile p = malloc(40);

	free(p);
	free(p);
}

WRONG(trap)
{
	__asm__ volatile("int3");
	zero++;
}

/** Blocked, and all the same the end. */
WRONG(blocked)
{
	sigset_t all;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, NULL);
	*nowhere = 1;
}

static void never(int sig)
{
	_exit(sig);
}

/** A handler, for which the stack has no room. */
WRONG(handler)
{
	signal(SIGSEGV, never);
	wrong_stack();
}

/* What a debugger is to find in the registers that a call keeps, and in vectors. */
#define KNOWN                                                                                                                                \
	"movq $0x1111111111111111, %%rbx\n\tmovq $0x2222222222222222, %%r12\n\tmovq $0x3333333333333333, %%r13\n\tmovq $0x4444444444444444, %%r14\n\t" \
	"movq $0x5555555555555555, %%r15\n\tmovq %%r15, %%xmm3\n\tmovq %%r12, %%xmm15\n\t"
#define KNOWN_CLOBBERS "rbx", "r12", "r13", "r14", "r15", "xmm3", "xmm15", "memory"

/** At an instruction. */
WRONG(registers)
{
	__asm__ volatile(KNOWN "ud2" ::: KNOWN_CLOBBERS);
}

/** In a call, by a signal that the thread sends to itself. */
WRONG(registers_quit)
{
	__asm__ volatile(KNOWN "syscall" ::"a"(SYS_tkill), "D"(gettid()), "S"(SIGQUIT) : "rcx", "r11", KNOWN_CLOBBERS);
}

/** In a call that a filter of its own catches. */
WRONG(registers_trap)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getpgid, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {sizeof(filter) / sizeof(filter[0]), filter};

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
	__asm__ volatile(KNOWN "syscall" ::"a"(SYS_getpgid), "D"(0) : "rcx", "r11", KNOWN_CLOBBERS);
}

static const struct {
	const char *name;
	void (*run)(void);
} ways[] = {{"stack", wrong_stack}, {"jump_null", wrong_jump_null}, {"jump_unmapped", wrong_jump_unmapped}, {"jump_data", wrong_jump_data}, {"instruction", wrong_instruction},
            {"divide", wrong_divide}, {"write", wrong_write}, {"bus", wrong_bus}, {"abort", wrong_abort}, {"free", wrong_free}, {"trap", wrong_trap}, {"blocked", wrong_blocked}, {"handler", wrong_handler},
            {"registers", wrong_registers}, {"registers_quit", wrong_registers_quit}, {"registers_trap", wrong_registers_trap}};

static void do_it(const char *name)
{
	for (unsigned i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		if (!strcmp(ways[i].name, name))
			ways[i].run();
	printf("not reached\n");
	exit(1);
}

static void *does_it(void *name)
{
	do_it(name);
	return NULL;
}

static void *waits(void *arg)
{
	for (;;)
		pause();
	return arg;
}

static void *computes(void *arg)
{
	for (volatile unsigned n = 0;;)
		n++;
	return arg;
}

static void tell_status(void)
{
	int status;

	while (wait(&status) < 0)
		;
	printf("signal %d, core %d\n", WTERMSIG(status), WCOREDUMP(status));
	exit(0);
}

int main(int argc, char **argv)
{
	pthread_t thread;

	if (argc > 2 && !strcmp(argv[1], "status")) {
		if (fork())
			tell_status();
		argv++;
		argc--;
	}
	if (argc < 2) {
		for (unsigned i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
			puts(ways[i].name);
		return 0;
	}
	if (argc < 3)
		do_it(argv[1]);
	pthread_create(&thread, NULL, waits, NULL);
	pthread_create(&thread, NULL, computes, NULL);
	pthread_create(&thread, NULL, does_it, argv[1]);
	pthread_join(thread, NULL);
	return 1;
}
