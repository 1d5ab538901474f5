/*
 * lwkt-rforks.c - a userthread that sends a message to one of another rfork's and waits for the reply: nanoseconds for the round trip. "busy": both
 * rforks have another thread that is always runnable, so neither sleeps. Else each has nothing to do between the messages, and sleeps
 * in its futex if the next one takes longer than some microseconds. Peers: go-channel.go, eventfd.c, futex.c.
 */
#include <lwkt.h>
#include <stdatomic.h>
#include <string.h>

#include "sample.h"

#define ROUND_TRIPS 50000L

static struct lwkt_port port;
static globaldata_t other;
static _Atomic int ready;

static void serve(void *arg)
{
	lwkt_msg_t msg;

	(void)arg;
	lwkt_initport_thread(&port, NULL, "adder");
	atomic_store(&ready, 1);
	while ((msg = lwkt_waitport(&port, NULL)) != NULL) {
		msg->u.ms_result++;
		MUST(lwkt_replymsg(msg, 0) == 0);
	}
}

static void busy(void *arg)
{
	(void)arg;
	for (;;)
		lwkt_yield();
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

static lwkt_thread_t start(globaldata_t rfork, void (*func)(void *))
{
	struct lwkt_create_args args = {.priority = -1, .flags = TDF_JOINABLE, .rfork = rfork};
	lwkt_thread_t td;

	MUST(lwkt_create(func, NULL, &td, &args) == 0);
	return td;
}

static globaldata_t asker;

static void stretch(void)
{
	MUST(lwkt_join(start(asker, ask)) == 0);
}

int main(int argc, char **argv)
{
	MUST(lwkt_cpu_init() == 0);
	MUST(lwkt_rfork_create(NULL, NULL, &other, NULL) == 0);
	MUST(lwkt_rfork_create(NULL, NULL, &asker, NULL) == 0); /* this one only waits: it has a processor too few */
	start(other, serve);
	while (!atomic_load(&ready))
		usleep(1000);
	if (argc > 1 && strcmp(argv[1], "busy") == 0) {
		start(other, busy);
		start(asker, busy);
	}
	sample(ROUND_TRIPS, stretch);
	fflush(stdout);
	_exit(0); /* some never end */
}
