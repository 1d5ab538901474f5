/*
 * ucontext.c - the C library's swapcontext between two stacks: nanoseconds for one. It sets the signal mask, by a system call.
 */
#include <ucontext.h>

#include "sample.h"

#define SWITCHES 100000L

static ucontext_t here, other;
static char stack[64 * 1024];

static void bounce(void)
{
	for (;;)
		MUST(swapcontext(&other, &here) == 0);
}

static void stretch(void)
{
	for (long i = 0; i < SWITCHES / 2; i++)
		MUST(swapcontext(&here, &other) == 0);
}

int main(void)
{
	MUST(getcontext(&other) == 0);
	other.uc_stack.ss_sp = stack;
	other.uc_stack.ss_size = sizeof(stack);
	makecontext(&other, bounce, 0);
	sample(SWITCHES, stretch);
	return 0;
}
