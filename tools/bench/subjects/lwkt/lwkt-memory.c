/*
 * lwkt-memory.c - 10,000 userthreads that have run and are blocked: bytes of memory in use for each. What the kernel keeps to map their
 * stacks is not in it (512 bytes for each, as they lie 256 KiB apart). Peer: go-memory.go.
 */
#include <lwkt.h>

#include "sample.h"

#define THREADS 10000

static int blocked;

static void idle(void *arg)
{
	(void)arg;
	blocked++;
	lwkt_block("for good");
}

int main(void)
{
	long before;

	MUST(lwkt_cpu_init() == 0);
	before = sample_resident_bytes();
	for (int i = 0; i < THREADS; i++)
		MUST(lwkt_create(idle, NULL, NULL, NULL) == 0);
	MUST(lwkt_dispatch(0) == 0);
	MUST(blocked == THREADS);
	printf("{\"bytes\": %ld}\n", (sample_resident_bytes() - before) / THREADS);
	return 0;
}
