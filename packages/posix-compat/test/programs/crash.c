/*
 * crash.c - a program ends by what it does wrong: crash HOW [thread]. With "thread" another thread than the main one does it, while others wait and compute.
 * The function that does it is wrong_NAME, with a name of its own in each core.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
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

static const struct {
	const char *name;
	void (*run)(void);
} ways[] = {{"stack", wrong_stack}, {"jump_null", wrong_jump_null}, {"jump_unmapped", wrong_jump_unmapped}, {"jump_data", wrong_jump_data}, {"instruction", wrong_instruction},
            {"divide", wrong_divide}, {"write", wrong_write}, {"bus", wrong_bus}, {"abort", wrong_abort}, {"free", wrong_free}, {"trap", wrong_trap}, {"blocked", wrong_blocked}, {"handler", wrong_handler}};

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

int main(int argc, char **argv)
{
	pthread_t thread;

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
