/*
 * trap-state.c - what of a thread's state libcr must keep: registers over a system call, thread-local storage, vectors and flags over a preemption or a signal, the rounding mode of a
 * thread's creator. `trap-state NAME` tries one; it prints what it must, natively too.
 */
#define _GNU_SOURCE
#include <immintrin.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define THREADS 6
#define TURNS 5

static pthread_t threads[THREADS];
static volatile long turns[THREADS];

/** Counts a turn of one thread's, until all have had some: as nobody makes a call, by preemption on one rfork. */
static int all_had_turns(long i)
{
	turns[i]++;
	for (i = 0; i < THREADS; i++)
		if (turns[i] < TURNS)
			return 0;
	return 1;
}

/** All do the same, and answer how often it was wrong. */
static long in_all(void *(*func)(void *))
{
	long wrong = 0;
	void *one;

	for (long i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, func, (void *)i);
	for (int i = 0; i < THREADS; i++) {
		pthread_join(threads[i], &one);
		wrong += (long)one;
	}
	return wrong;
}

/* ---------------------------------------------------------------- registers over a call */

/** rdi rsi rdx r10 r8 r9 are arguments, and they and rbx rbp r12 to r15 are kept. How many are not. */
static long changed_by(long number, const long arguments[6])
{
	static const uint64_t marks[6] = {0x1111, 0x2222, 0x3333, 0x4444, 0x5555, 0x6666};
	uint64_t after[12];
	double vector[4] = {1.5, 2.5, 3.5, 4.5}, kept[4];
	long wrong = 0;

	__asm__ volatile(
		"push %%rbp; push %%rbx; push %%r12; push %%r13; push %%r14; push %%r15\n"
		"push %[after]; push %[kept]\n"
		"vmovupd (%[vector]), %%ymm9\n"
		"mov %[number], %%rax; mov %[arguments], %%r11; mov %[marks], %%rcx\n"
		"mov 0(%%rcx), %%rbx; mov 8(%%rcx), %%rbp; mov 16(%%rcx), %%r12; mov 24(%%rcx), %%r13; mov 32(%%rcx), %%r14; mov 40(%%rcx), %%r15\n"
		"mov 0(%%r11), %%rdi; mov 8(%%r11), %%rsi; mov 16(%%r11), %%rdx; mov 24(%%r11), %%r10; mov 32(%%r11), %%r8; mov 40(%%r11), %%r9\n"
		"syscall\n"
		"mov 8(%%rsp), %%rax\n"
		"mov %%rdi, 0(%%rax); mov %%rsi, 8(%%rax); mov %%rdx, 16(%%rax); mov %%r10, 24(%%rax); mov %%r8, 32(%%rax); mov %%r9, 40(%%rax)\n"
		"mov %%rbx, 48(%%rax); mov %%rbp, 56(%%rax); mov %%r12, 64(%%rax); mov %%r13, 72(%%rax); mov %%r14, 80(%%rax); mov %%r15, 88(%%rax)\n"
		"pop %%rax; vmovupd %%ymm9, (%%rax); pop %%rax\n"
		"pop %%r15; pop %%r14; pop %%r13; pop %%r12; pop %%rbx; pop %%rbp\n"
		:
		: [number] "r"(number), [arguments] "r"(arguments), [marks] "r"(marks), [after] "r"(after), [kept] "r"(kept), [vector] "r"(vector)
		: "rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "ymm9", "memory", "cc");
	for (int i = 0; i < 6; i++)
		wrong += (after[i] != (uint64_t)arguments[i]) + (after[6 + i] != marks[i]);
	return wrong + (memcmp(vector, kept, sizeof kept) != 0);
}

static void *calls_of_all_kinds(void *arg)
{
	static int word;
	struct timespec soon = {0, 100000}, time;
	uint64_t set = 0, cpus[16];
	int fds[2];
	long wrong = 0;
	char byte;

	(void)arg;
	pipe(fds);
	for (int i = 0; i < 200; i++) {
		const struct {
			long number, arguments[6];
		} calls[] = {
			{SYS_getppid, {1, 2, 3, 4, 5, 6}},
			{SYS_sched_yield, {1, 2, 3, 4, 5, 6}},
			{SYS_futex, {(long)&word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1, 4, 5, 6}},
			{SYS_futex, {(long)&word, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 0, (long)&soon, 5, 6}},
			{SYS_clock_gettime, {CLOCK_MONOTONIC, (long)&time, 3, 4, 5, 6}},
			{SYS_write, {fds[1], (long)"x", 1, 4, 5, 6}},
			{SYS_read, {fds[0], (long)&byte, 1, 4, 5, 6}},
			{SYS_ppoll, {0, 0, (long)&soon, (long)&set, 8, 6}},
			{SYS_rt_sigprocmask, {SIG_SETMASK, (long)&set, 0, 8, 5, 6}},
			{SYS_sched_getaffinity, {getpid(), sizeof cpus, (long)cpus, 4, 5, 6}},
			{SYS_close, {-1, 2, 3, 4, 5, 6}},
			{SYS_close_range, {70000, 70001, 2, 4, 5, 6}},
			{SYS_readlink, {(long)"/proc/self/exe", (long)cpus, 64, 4, 5, 6}},
			{SYS_clone3, {8, 64, 3, 4, 5, 6}},
			{SYS_execve, {(long)"/nosuch", 0, 0, 4, 5, 6}},
			{SYS_arch_prctl, {0x1003, (long)cpus, 3, 4, 5, 6}},
			{999, {1, 2, 3, 4, 5, 6}},
		};

		soon = (struct timespec){0, 1000};
		for (unsigned n = 0; n < sizeof calls / sizeof calls[0]; n++)
			wrong += changed_by(calls[n].number, calls[n].arguments);
	}
	close(fds[0]);
	close(fds[1]);
	return (void *)wrong;
}

static void registers(void)
{
	long alone = (long)calls_of_all_kinds(NULL);

	printf("changed: %ld %ld\n", alone, in_all(calls_of_all_kinds));
}

/* ---------------------------------------------------------------- thread-local storage, vectors, flags */

static __thread volatile long local;

static void *looks_at_local(void *arg)
{
	long wrong = 0, base;

	local = (long)arg;
	while (!all_had_turns((long)arg))
		for (int i = 0; i < 10000; i++)
			wrong += local != (long)arg;
	syscall(SYS_arch_prctl, 0x1003 /* ARCH_GET_FS */, &base);
	return (void *)(wrong + (base != (long)pthread_self()));
}

static void storage(void)
{
	printf("another thread's storage: %ld\n", in_all(looks_at_local));
}

static void *keeps_vectors(void *arg)
{
	long wrong = 0;
	double mine[4] = {(double)(long)arg, 2, 3, 4}, now[4];

	while (!all_had_turns((long)arg)) {
		__asm__ volatile("vmovupd (%1), %%ymm14\n mov $300000, %%ecx\n 1: dec %%ecx\n jnz 1b\n vmovupd %%ymm14, (%0)" : : "r"(now), "r"(mine) : "ecx", "ymm14", "memory");
		wrong += memcmp(mine, now, sizeof now) != 0;
	}
	return (void *)wrong;
}

static void vectors(void)
{
	printf("another thread's vectors: %ld\n", in_all(keeps_vectors));
}

static volatile long handled;
static volatile int over;

static void on_signal(int sig)
{
	handled++;
	if (sig == SIGUSR1)
		raise(SIGUSR2); /* it comes when this one's frame is left */
}

/** The carry flag, over as many signals as come between. */
static void *keeps_flags(void *arg)
{
	long wrong = 0;

	(void)arg;
	while (!over) {
		uint8_t carry;

		__asm__ volatile("mov $100000, %%rcx\n stc\n 1: lea -1(%%rcx), %%rcx\n jrcxz 2f\n jmp 1b\n 2: setc %0" : "=q"(carry) : : "rcx", "cc");
		wrong += !carry;
	}
	return (void *)wrong;
}

static void *storms(void *arg)
{
	while (!over) {
		for (int i = 0; i < THREADS; i++)
			pthread_kill(threads[i], SIGUSR1);
		usleep(200);
	}
	return arg;
}

static void flags(void)
{
	struct sigaction action = {.sa_handler = on_signal};
	struct itimerval often = {{0, 1000}, {0, 1000}};
	pthread_t storm;
	long wrong = 0;
	void *one;

	sigaddset(&action.sa_mask, SIGUSR2);
	sigaction(SIGUSR1, &action, NULL);
	sigaction(SIGUSR2, &action, NULL);
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	for (long i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, keeps_flags, NULL);
	pthread_create(&storm, NULL, storms, NULL);
	while (handled < 100)
		usleep(1000);
	over = 1;
	pthread_join(storm, NULL); /* nobody is told who has ended */
	for (int i = 0; i < THREADS; i++) {
		pthread_join(threads[i], &one);
		wrong += (long)one;
	}
	printf("flags lost: %ld\n", wrong);
}

/* ---------------------------------------------------------------- what a thread begins with */

#define X87_UP 0x0800

static uint16_t x87_control(void)
{
	uint16_t word;

	__asm__ volatile("fnstcw %0" : "=m"(word));
	return word;
}

static void *tells_rounding(void *arg)
{
	(void)arg;
	return (void *)(long)((_MM_GET_ROUNDING_MODE() == _MM_ROUND_UP) + 2 * ((x87_control() & X87_UP) != 0));
}

static void rounding(void)
{
	const uint16_t control = x87_control() | X87_UP;
	void *of_thread;
	int status = 0;

	_MM_SET_ROUNDING_MODE(_MM_ROUND_UP);
	__asm__ volatile("fldcw %0" : : "m"(control));
	pthread_create(&threads[0], NULL, tells_rounding, NULL);
	pthread_join(threads[0], &of_thread);
	if (!fork())
		_exit((int)(long)tells_rounding(NULL));
	wait(&status);
	printf("a thread: %ld, a child: %d\n", (long)of_thread, WEXITSTATUS(status));
}

/** Nested handlers, each with a call that waits, in a thread that has little stack. */
static void on_nested(int sig)
{
	usleep(10);
	if (sig < SIGRTMIN + 8)
		raise(sig + 1);
	handled++;
}

static void *nests(void *arg)
{
	raise(SIGRTMIN);
	return arg;
}

static void stacks(void)
{
	pthread_attr_t attr;

	for (int sig = SIGRTMIN; sig <= SIGRTMIN + 8; sig++)
		signal(sig, on_nested);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 64 * 1024);
	for (int i = 0; i < THREADS; i++)
		pthread_create(&threads[i], &attr, nests, NULL);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	printf("handlers: %ld\n", handled);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*func)(void);
	} all[] = {{"registers", registers}, {"storage", storage}, {"vectors", vectors}, {"flags", flags}, {"rounding", rounding}, {"stacks", stacks}};

	for (unsigned i = 0; i < sizeof all / sizeof all[0] && argc > 1; i++)
		if (!strcmp(all[i].name, argv[1])) {
			all[i].func();
			return 0;
		}
	return 1;
}
