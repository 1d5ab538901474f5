/*
 * pth-create.c - GNU Pth: 1,000 threads that do next to nothing, then joined: nanoseconds for one, from its creation to its end.
 */
#include <pth.h>

#include "sample.h"

#define BATCH 1000
#define BATCHES 2

static long left;

static void *run(void *arg)
{
	--left;
	return arg;
}

static void batch(void)
{
	static pth_t threads[BATCH];

	left = BATCH;
	for (int i = 0; i < BATCH; i++)
		MUST((threads[i] = pth_spawn(PTH_ATTR_DEFAULT, run, NULL)) != NULL);
	for (int i = 0; i < BATCH; i++)
		MUST(pth_join(threads[i], NULL));
	MUST(left == 0);
}

static void stretch(void)
{
	for (int i = 0; i < BATCHES; i++)
		batch();
}

int main(void)
{
	MUST(pth_init());
	sample(BATCH * BATCHES, stretch);
	return 0;
}
