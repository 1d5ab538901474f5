/*
 * lwkt-domsg.c - a userthread that sends a message to another and waits for the reply: nanoseconds for the round trip. Peers:
 * go-channel.go and, for scale, mutex.c.
 */
#include <lwkt.h>

#include "sample.h"

#define ROUND_TRIPS 1000000L

static struct lwkt_port port;

static void serve(void *arg)
{
	lwkt_msg_t msg;

	(void)arg;
	lwkt_initport_thread(&port, NULL, "adder");
	while ((msg = lwkt_waitport(&port, NULL)) != NULL) {
		msg->u.ms_result++;
		MUST(lwkt_replymsg(msg, 0) == 0);
	}
}

static void ask(void *arg)
{
	struct lwkt_msg msg;

	(void)arg;
	lwkt_initmsg(&msg, NULL, 0);
	for (long i = 0; i < ROUND_TRIPS; i++) {
		msg.u.ms_result = i;
		MUST(lwkt_domsg(&port, &msg) == 0);
		MUST(msg.u.ms_result == i + 1);
	}
}

static void stretch(void)
{
	MUST(lwkt_create(ask, NULL, NULL, NULL) == 0);
	MUST(lwkt_dispatch(0) == 0);
}

int main(void)
{
	MUST(lwkt_cpu_init() == 0);
	MUST(lwkt_create(serve, NULL, NULL, NULL) == 0);
	MUST(lwkt_dispatch(0) == 0);
	sample(ROUND_TRIPS, stretch);
	return 0;
}
