/* flags.c - the arithmetic flags of a thread that computes are its own, whatever comes between two instructions: signals of another thread, one right behind the other (so that
 * the second is taken on the way out of the first one's handler), and preemption. The argument: how many signals; or 200. */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define OVERFLOWN 0x894ul /* of 0x7fffffff + 1: overflow, sign, adjust, parity */
#define CARRIED 0x55ul    /* of 0xffffffff + 1: carry, zero, adjust, parity */
#define ARITHMETIC 0x8d5ul

static _Atomic int handled, stop, wrong;

static void handler(int sig)
{
	(void)sig;
	handled++;
	__asm__ volatile("xorl %%eax, %%eax" ::: "eax", "cc"); /* other flags */
}

static unsigned long add_one(unsigned to)
{
	unsigned long flags;

	__asm__ volatile("subq $128, %%rsp\n\taddl $1, %1\n\t.rept 64\n\tnop\n\t.endr\n\tpushfq\n\tpopq %0\n\tleaq 128(%%rsp), %%rsp" : "=r"(flags), "+r"(to)::"cc");
	return flags & ARITHMETIC;
}

static void *computes(void *arg)
{
	while (!stop)
		wrong += (add_one(0x7fffffff) != OVERFLOWN) + (add_one(0xffffffff) != CARRIED);
	return arg;
}

int main(int argc, char **argv)
{
	const int signals = argc > 1 ? atoi(argv[1]) : 200;
	pthread_t threads[2];

	alarm(200);
	signal(SIGUSR1, handler);
	signal(SIGUSR2, handler);
	for (int i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, computes, NULL);
	while (handled < signals)
		for (int i = 0; i < 2; i++) {
			pthread_kill(threads[i], SIGUSR1);
			pthread_kill(threads[i], SIGUSR2);
		}
	stop = 1;
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	printf("%d wrong\n", wrong);
	return 0;
}
