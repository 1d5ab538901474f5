/*
 * lwkt-raw.c - the bare context switch, lwkt_light_switch, without the scheduler: nanoseconds for one. Peers: fcontext.cpp, ucontext.c.
 *
 * A userthread that has blocked is switched to behind the scheduler's back, and switches back; neither side calls anything else, so the
 * scheduler, which takes thread0 for the running thread all the time, does not notice.
 */
#include <lwkt.h>

#include "sample.h"

#define SWITCHES 4000000L

static struct lwkt_context here;
static lwkt_thread_t other;

static void bounce(void *arg)
{
	(void)arg;
	lwkt_block("sample"); /* from here on td_ctx is valid */
	for (;;)
		lwkt_light_switch(&other->td_ctx, &here);
}

static void stretch(void)
{
	for (long i = 0; i < SWITCHES / 2; i++)
		lwkt_light_switch(&here, &other->td_ctx);
}

int main(void)
{
	MUST(lwkt_cpu_init() == 0);
	MUST(lwkt_create(bounce, NULL, &other, NULL) == 0);
	MUST(lwkt_dispatch(0) == 0);
	sample(SWITCHES, stretch);
	return 0;
}
