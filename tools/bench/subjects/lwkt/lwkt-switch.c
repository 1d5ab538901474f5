/*
 * lwkt-switch.c [tls] - two userthreads that give way to each other, with a TLS block of their own or without: nanoseconds for one
 * switch, the scheduler included. Peers: boost-fiber-switch.cpp, pth-switch.c, go-switch.go.
 *
 * Both threads run the same function, here and in the peers: the kindest case, as the processor predicts the returns after a switch.
 */
#include <lwkt.h>

#include "sample.h"

static struct lwkt_create_args args = {.priority = -1};
static long switches;

static void turns(void *arg)
{
	(void)arg;
	for (long i = 0; i < switches / 2; i++)
		lwkt_yield();
}

static void stretch(void)
{
	MUST(lwkt_create(turns, NULL, NULL, &args) == 0);
	MUST(lwkt_create(turns, NULL, NULL, &args) == 0);
	MUST(lwkt_dispatch(0) == 0);
}

int main(int argc, char **argv)
{
	(void)argv;
	args.flags = argc > 1 ? TDF_TLS : 0;
	/* Where user mode may not write %fs itself, a switch with TLS is a system call. */
	switches = argc > 1 ? 100000 : 2000000;
	MUST(lwkt_cpu_init() == 0);
	sample(switches, stretch);
	return 0;
}
