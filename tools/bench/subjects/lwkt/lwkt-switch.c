/*
 * lwkt-switch.c - two userthreads that give way to each other: nanoseconds for one switch, the scheduler included. Peers: boost-fiber-switch.cpp, pth-switch.c, go-switch.go.
 *
 * Both threads run the same function, here and in the peers: the kindest case, as the processor predicts the returns after a switch.
 */
#include <lwkt.h>

#include "sample.h"

#define SWITCHES 2000000

static void turns(void *arg)
{
	(void)arg;
	for (long i = 0; i < SWITCHES / 2; i++)
		lwkt_yield();
}

static void stretch(void)
{
	MUST(lwkt_create(turns, NULL, NULL, NULL) == 0);
	MUST(lwkt_create(turns, NULL, NULL, NULL) == 0);
	MUST(lwkt_dispatch(0) == 0);
}

int main(void)
{
	MUST(lwkt_cpu_init() == 0);
	sample(SWITCHES, stretch);
	return 0;
}
