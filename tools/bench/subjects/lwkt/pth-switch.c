/*
 * pth-switch.c - GNU Pth: two threads that give way to each other: nanoseconds for one pth_yield. Each goes through Pth's scheduler, which
 * is a thread of its own.
 */
#include <pth.h>

#include "sample.h"

#define SWITCHES 20000L

static void *turns(void *arg)
{
	for (long i = 0; i < SWITCHES / 2; i++)
		pth_yield(NULL);
	return arg;
}

static void stretch(void)
{
	pth_t one = pth_spawn(PTH_ATTR_DEFAULT, turns, NULL);
	pth_t two = pth_spawn(PTH_ATTR_DEFAULT, turns, NULL);

	MUST(one != NULL && two != NULL);
	MUST(pth_join(one, NULL) && pth_join(two, NULL));
}

int main(void)
{
	MUST(pth_init());
	sample(SWITCHES, stretch);
	return 0;
}
