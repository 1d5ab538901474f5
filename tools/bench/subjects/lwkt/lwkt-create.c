/*
 * lwkt-create.c [joined] - a userthread that creates 1,000 others, which do next to nothing; it joins each, or waits for the last:
 * nanoseconds for one, from its creation to its end. Peers: boost-fiber-create.cpp, pth-create.c, go-create.go, pthread-create.c.
 */
#include <stdbool.h>

#include <lwkt.h>

#include "sample.h"

#define BATCH 1000
#define BATCHES 50

static struct lwkt_create_args args = {.priority = -1};
static bool joined;
static lwkt_thread_t parent;
static long left;

static void run(void *arg)
{
	(void)arg;
	if (--left == 0 && !joined)
		lwkt_schedule(parent);
}

static void batch(void)
{
	static lwkt_thread_t threads[BATCH];

	left = BATCH;
	for (int i = 0; i < BATCH; i++)
		MUST(lwkt_create(run, NULL, &threads[i], &args) == 0);
	for (int i = 0; joined && i < BATCH; i++)
		MUST(lwkt_join(threads[i]) == 0);
	while (left != 0)
		MUST(lwkt_block("batch") == 0);
}

static void stretch(void)
{
	for (int i = 0; i < BATCHES; i++)
		batch();
}

static void measure(void *arg)
{
	(void)arg;
	sample(BATCH * BATCHES, stretch);
}

int main(int argc, char **argv)
{
	(void)argv;
	joined = argc > 1;
	args.flags = joined ? TDF_JOINABLE : 0;
	MUST(lwkt_cpu_init() == 0);
	MUST(lwkt_create(measure, NULL, &parent, NULL) == 0);
	MUST(lwkt_dispatch(0) == 0);
	return 0;
}
