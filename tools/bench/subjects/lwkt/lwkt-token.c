/*
 * lwkt-token.c - a token taken and let go of while nobody else wants it, in a process that has another rfork: nanoseconds for both. Peer:
 * mutex.c.
 */
#include <lwkt.h>

#include "sample.h"

#define TIMES 2000000L

static struct lwkt_token token;
static long counter;

static void takes(void *arg)
{
	struct lwkt_tokref ref;

	(void)arg;
	for (long i = 0; i < TIMES; i++) {
		lwkt_gettoken(&ref, &token);
		counter++;
		lwkt_reltoken(&ref);
	}
}

static void stretch(void)
{
	MUST(lwkt_create(takes, NULL, NULL, NULL) == 0);
	MUST(lwkt_dispatch(0) == 0);
}

int main(void)
{
	globaldata_t another;

	MUST(lwkt_cpu_init() == 0);
	MUST(lwkt_rfork_create(NULL, NULL, &another, NULL) == 0);
	lwkt_token_init(&token, "token");
	sample(TIMES, stretch);
	MUST(counter == TIMES * (WARMUPS + SAMPLES));
	return 0;
}
