/*
 * registers.c - what a switch must preserve: the callee-saved registers and the floating-point control words, each thread its own; and
 * that a new thread does not inherit a predecessor's.
 */
#include <fenv.h>

#include "check.h"
#if defined(__x86_64__)
#include "../arch/x86_64/cpu.h"
#endif

#define ROUNDS 1000

/*
 * int registers_survive(uint64_t seed): puts seed + 1.. into the callee-saved registers, yields, and answers whether they are still there.
 * In assembly, as a compiler decides by itself what lies in them.
 */
int registers_survive(uint64_t seed);
#if defined(__x86_64__)
__asm__(".text\n"
	".globl registers_survive\n"
	".hidden registers_survive\n"
	".type registers_survive, @function\n"
	"registers_survive:\n"
	"	pushq %rbp\n	pushq %rbx\n	pushq %r12\n	pushq %r13\n	pushq %r14\n	pushq %r15\n"
	"	pushq %rdi\n"
	"	leaq 1(%rdi), %rbx\n	leaq 2(%rdi), %rbp\n	leaq 3(%rdi), %r12\n"
	"	leaq 4(%rdi), %r13\n	leaq 5(%rdi), %r14\n	leaq 6(%rdi), %r15\n"
	"	call lwkt_yield\n"
	"	movq (%rsp), %rdi\n"
	"	subq %rdi, %rbx\n	subq %rdi, %rbp\n	subq %rdi, %r12\n"
	"	subq %rdi, %r13\n	subq %rdi, %r14\n	subq %rdi, %r15\n"
	"	xorl %eax, %eax\n"
	"	cmpq $1, %rbx\n	jne 1f\n	cmpq $2, %rbp\n	jne 1f\n	cmpq $3, %r12\n	jne 1f\n"
	"	cmpq $4, %r13\n	jne 1f\n	cmpq $5, %r14\n	jne 1f\n	cmpq $6, %r15\n	jne 1f\n"
	"	movl $1, %eax\n"
	"1:\n"
	"	popq %rdi\n"
	"	popq %r15\n	popq %r14\n	popq %r13\n	popq %r12\n	popq %rbx\n	popq %rbp\n"
	"	ret\n"
	".size registers_survive, . - registers_survive\n");
#elif defined(__aarch64__)
__asm__(".macro each_register do\n"
	".irp n, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29\n	\\do x\\n, \\n\n	.endr\n"
	".endm\n"
	".macro fill register, n\n	add \\register, x0, \\n\n	.endm\n"
	".macro fill_d n\n	add x9, x0, \\n\n	fmov d\\n, x9\n	.endm\n"
	".macro compare register, n\n	sub x9, \\register, x10\n	cmp x9, \\n\n	b.ne 1f\n	.endm\n"
	".macro compare_d n\n	fmov x9, d\\n\n	sub x9, x9, x10\n	cmp x9, \\n\n	b.ne 1f\n	.endm\n"
	".macro each_d do\n"
	".irp n, 8, 9, 10, 11, 12, 13, 14, 15\n	\\do \\n\n	.endr\n"
	".endm\n"
	".macro pairs do\n"
	"	\\do x29, x30, [sp]\n	\\do x19, x20, [sp, 16]\n	\\do x21, x22, [sp, 32]\n	\\do x23, x24, [sp, 48]\n"
	"	\\do x25, x26, [sp, 64]\n	\\do x27, x28, [sp, 80]\n	\\do d8, d9, [sp, 96]\n	\\do d10, d11, [sp, 112]\n"
	"	\\do d12, d13, [sp, 128]\n	\\do d14, d15, [sp, 144]\n"
	".endm\n"
	".text\n"
	".globl registers_survive\n"
	".hidden registers_survive\n"
	".type registers_survive, %function\n"
	"registers_survive:\n"
	"	sub sp, sp, 176\n"
	"	pairs stp\n"
	"	str x0, [sp, 160]\n"
	"	each_register fill\n"
	"	each_d fill_d\n"
	"	bl lwkt_yield\n"
	"	ldr x10, [sp, 160]\n"
	"	mov x0, 0\n"
	"	each_register compare\n"
	"	each_d compare_d\n"
	"	mov x0, 1\n"
	"1:\n"
	"	pairs ldp\n"
	"	add sp, sp, 176\n"
	"	ret\n"
	".size registers_survive, . - registers_survive\n");
#endif

static void with_registers(void *arg)
{
	for (uint64_t i = 0; i < ROUNDS; i++)
		CHECK(registers_survive(((uint64_t)(uintptr_t)arg << 32) + i * 10));
}

static void integer_registers(void)
{
	struct lwkt_stats before = stats_now();

	for (uintptr_t i = 1; i <= 4; i++)
		start(with_registers, (void *)i, 0);
	run_all();
	CHECK(stats_now().st_switches - before.st_switches >= 4 * ROUNDS);
}

static const int modes[] = {FE_TONEAREST, FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO};

#if defined(__x86_64__)
static unsigned mxcsr_rounding(void)
{
	unsigned word;

	__asm__ volatile("stmxcsr %0" : "=m"(word));
	return word >> 13 & 3;
}

static unsigned x87_rounding(void)
{
	unsigned short word;

	__asm__ volatile("fnstcw %0" : "=m"(word));
	return word >> 10 & 3;
}

/** That both units round as mode says: glibc's constants are the x87's bits, in place. */
static bool rounds(int mode)
{
	return x87_rounding() == (unsigned)mode >> 10 && mxcsr_rounding() == (unsigned)mode >> 10;
}
#elif defined(__aarch64__)
/** That FPCR rounds as mode says: glibc's constants are its bits, in place. */
static bool rounds(int mode)
{
	uint64_t fpcr;

	__asm__ volatile("mrs %0, fpcr" : "=r"(fpcr));
	return (fpcr & FE_TOWARDZERO) == (uint64_t)mode;
}
#endif

static void with_mode(void *arg)
{
	int mode = *(const int *)arg;

	CHECK(rounds(FE_TONEAREST));
	CHECK_EQ(fesetround(mode), 0);
	for (int i = 0; i < ROUNDS; i++) {
		lwkt_yield();
		CHECK(rounds(mode));
	}
}

static void control_words(void)
{
	for (int i = 0; i < 8; i++)
		start(with_mode, (void *)&modes[i % 4], 0);
	run_all();
	CHECK(rounds(FE_TONEAREST));
	/* thread0's own, and that threads begin with what was set when the rfork began. */
	CHECK_EQ(fesetround(FE_DOWNWARD), 0);
	start(with_mode, (void *)&modes[1], 0);
	run_all();
	CHECK(rounds(FE_DOWNWARD));
	CHECK_EQ(fesetround(FE_TONEAREST), 0);
}

static void return_rounding_up(void *arg)
{
	(void)arg;
	CHECK_EQ(fesetround(FE_UPWARD), 0);
}

static void exit_rounding_up(void *arg)
{
	return_rounding_up(arg);
	lwkt_exit();
}

static void expect_nearest(void *arg)
{
	(void)arg;
	CHECK(rounds(FE_TONEAREST));
}

static void nothing_inherited(void)
{
	for (int i = 0; i < 4; i++) {
		start(i % 2 ? return_rounding_up : exit_rounding_up, NULL, 0);
		if (i / 2)
			run_all(); /* by way of the pool, else by taking over */
		start(expect_nearest, NULL, 0);
		run_all();
		CHECK_EQ(stats_now().st_pooled, 1);
	}
}

static void expect_upward(void *arg)
{
	(void)arg;
	CHECK(rounds(FE_UPWARD));
	lwkt_yield();
	CHECK(rounds(FE_UPWARD));
}

/* As a new thread of a process has its creator's. */
static void given_at_creation(void)
{
	struct lwkt_create_args args = {.priority = -1};

	CHECK_EQ(fesetround(FE_UPWARD), 0);
	args.fpcontrol = lwkt_fpcontrol();
	CHECK_EQ(fesetround(FE_TONEAREST), 0);
	CHECK(args.fpcontrol != lwkt_fpcontrol());
	for (int i = 0; i < 3; i++) {
		CHECK_EQ(lwkt_create(expect_upward, NULL, NULL, &args), 0);
		start(expect_nearest, NULL, 0);
		if (i == 1)
			run_all();
	}
	run_all();
	CHECK(rounds(FE_TONEAREST));
}

int main(void)
{
	ON_RFORK(integer_registers);
	ON_RFORK(given_at_creation);
	ON_RFORK(control_words);
	ON_RFORK(nothing_inherited);
#if defined(__x86_64__)
	lwkt_arch_loads_mxcsr ^= 1; /* as on a processor of another maker */
	ON_RFORK(control_words);
	ON_RFORK(nothing_inherited);
	ON_RFORK(given_at_creation);
#endif
	return 0;
}
