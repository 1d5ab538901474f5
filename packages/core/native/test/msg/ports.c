/*
 * ports.c - the kinds of ports: the order in which a thread port gives messages out, who may take from it, waiting on it, and the ports
 * that queue nothing.
 */
#include "check.h"

static struct lwkt_port server_port;
static int served;

static void queueing(void)
{
	struct lwkt_port port;
	struct lwkt_msg msgs[4];
	int error = -1;

	lwkt_initport_thread(&port, NULL, "a port's name that is longer than it may ever be");
	CHECK_EQ(strlen(port.mp_name), LWKT_NAME_MAX - 1);
	CHECK(port.mp_td == lwkt_curthread());
	CHECK(lwkt_getport(&port, &error) == NULL);
	CHECK_EQ(error, 0);
	CHECK(lwkt_getport(&port, NULL) == NULL);
	for (int i = 0; i < 4; i++) {
		lwkt_initmsg(&msgs[i], NULL, i >= 2 ? MSGF_PRIORITY : 0);
		CHECK_EQ(lwkt_sendmsg(&port, &msgs[i]), 0);
		CHECK(msgs[i].ms_flags & MSGF_QUEUED);
		CHECK(msgs[i].ms_target_port == &port);
		CHECK_EQ(port.mp_count, i + 1);
	}
	CHECK_EQ(stats_now().st_messages, 4);
	for (int i = 0; i < 4; i++) {
		lwkt_msg_t msg = lwkt_waitport(&port, &error);

		CHECK_EQ(error, 0);
		CHECK(msg == &msgs[(i + 2) % 4]); /* both of priority, then both ordinary ones; each kind first in, first out */
		CHECK_EQ(msg->ms_flags & (MSGF_QUEUED | MSGF_DONE), 0);
		CHECK_EQ(port.mp_count, 3 - i);
		CHECK_EQ(lwkt_replymsg(msg, 0), 0);
	}
	/* The replies lie on thread0's own port: same rules. */
	for (int i = 0; i < 4; i++) {
		lwkt_msg_t msg = lwkt_getport(&lwkt_curthread()->td_msgport, NULL);

		CHECK(msg == &msgs[(i + 2) % 4]);
		CHECK(msg->ms_flags & MSGF_REPLY);
		CHECK(lwkt_checkmsg(msg));
	}
	CHECK_EQ(lwkt_thread0()->td_msgport.mp_count, 0);
}

static void server(void *arg)
{
	lwkt_msg_t msg;
	int error;

	lwkt_initport_thread(&server_port, NULL, "server");
	for (long i = 0; i < (long)arg; i++) {
		msg = lwkt_waitport(&server_port, &error);
		CHECK(msg != NULL);
		CHECK_EQ(error, 0);
		CHECK_EQ(server_port.mp_flags & MSGPORTF_WAITING, 0);
		served++;
		CHECK_EQ(lwkt_replymsg(msg, 0), 0);
	}
}

static void waiting(void)
{
	struct lwkt_msg msg, second;
	lwkt_thread_t td = start(server, (void *)3L, 0);
	int error;

	served = 0;
	run_all();
	CHECK(server_port.mp_flags & MSGPORTF_WAITING);
	CHECK_EQ(strcmp(td->td_wmesg, "waitport"), 0);
	CHECK_EQ(lwkt_schedule(td), 0); /* woken for nothing, it waits on */
	run_all();
	CHECK_EQ(served, 0);
	lwkt_initmsg(&msg, NULL, 0);
	CHECK_EQ(lwkt_sendmsg(&server_port, &msg), 0);
	CHECK(lwkt_waitport(&lwkt_thread0()->td_msgport, &error) == &msg); /* thread0 runs the others meanwhile */
	CHECK_EQ(error, 0);
	lwkt_initmsg(&second, NULL, 0);
	CHECK_EQ(lwkt_sendmsg(&server_port, &msg), 0);
	CHECK_EQ(lwkt_sendmsg(&server_port, &second), 0);
	CHECK_EQ(lwkt_waitmsg(&second), 0); /* out of order: just that one is taken off the port */
	CHECK_EQ(lwkt_thread0()->td_msgport.mp_count, 1);
	CHECK(lwkt_getport(&lwkt_thread0()->td_msgport, NULL) == &msg);
	CHECK_EQ(served, 3);
	CHECK(lwkt_waitport(&lwkt_thread0()->td_msgport, &error) == NULL); /* nobody could send anything */
	CHECK_EQ(error, EDEADLK);
	run_all();
}

static void takes_from_anothers(void *arg)
{
	struct lwkt_msg msg;
	int error = 0;

	CHECK(lwkt_getport(arg, &error) == NULL);
	CHECK_EQ(error, EPERM);
	error = 0;
	CHECK(lwkt_waitport(arg, &error) == NULL);
	CHECK_EQ(error, EPERM);
	CHECK(lwkt_waitport(arg, NULL) == NULL);
	lwkt_initmsg(&msg, arg, 0);
	CHECK_EQ(lwkt_sendmsg(arg, &msg), 0);
	CHECK_EQ(lwkt_waitmsg(&msg), EPERM);
	lwkt_block("until msg is done");
	CHECK(lwkt_checkmsg(&msg));
	CHECK_EQ(lwkt_waitmsg(&msg), EPERM);
	lwkt_block("until msg is taken");
}

static void owners(void)
{
	struct lwkt_port port;
	lwkt_thread_t td;
	lwkt_msg_t msg;

	lwkt_initport_thread(&port, NULL, NULL);
	CHECK_EQ(port.mp_name[0], '\0');
	td = start(takes_from_anothers, &port, 0);
	run_all();
	msg = lwkt_getport(&port, NULL);
	CHECK(msg != NULL);
	CHECK_EQ(lwkt_replymsg(msg, 0), 0); /* thread0 is receiver and owner of the reply port */
	CHECK_EQ(lwkt_schedule(td), 0);
	run_all();
	CHECK(lwkt_getport(&port, NULL) == msg);
	CHECK_EQ(lwkt_schedule(td), 0);
	run_all();
	/* A port may be made for somebody else. */
	td = start(takes_from_anothers, &port, TDF_NOSTART);
	lwkt_initport_thread(&port, td, NULL);
	CHECK(port.mp_td == td);
	CHECK(lwkt_getport(&port, NULL) == NULL);
	lwkt_initport_thread(&port, NULL, NULL);
	CHECK_EQ(lwkt_schedule(td), 0);
	run_all();
	CHECK_EQ(lwkt_replymsg(lwkt_getport(&port, NULL), 0), 0);
	for (int i = 0; i < 2; i++) {
		CHECK_EQ(lwkt_schedule(td), 0);
		run_all();
	}
}

static void replyonly_null(void)
{
	struct lwkt_port null, port;
	struct lwkt_msg msg;
	int error = -1;

	lwkt_initport_replyonly_null(&null);
	lwkt_initport_thread(&port, NULL, NULL);
	lwkt_initmsg(&msg, &null, 0);
	CHECK_EQ(lwkt_sendmsg(&port, &msg), 0);
	CHECK(!lwkt_checkmsg(&msg));
	CHECK_EQ(lwkt_waitmsg(&msg), EDEADLK); /* nobody would wake a waiter */
	CHECK_EQ(lwkt_replymsg(lwkt_getport(&port, NULL), ENOENT), 0);
	CHECK(lwkt_checkmsg(&msg));
	CHECK_EQ(msg.ms_error, ENOENT);
	CHECK_EQ(msg.ms_flags & MSGF_QUEUED, 0);
	CHECK(lwkt_getport(&null, &error) == NULL);
	CHECK_EQ(error, 0);
	CHECK_EQ(lwkt_waitmsg(&msg), ENOENT);
	lwkt_initmsg(&msg, NULL, 0);
	CHECK_EQ(lwkt_domsg(&null, &msg), EOPNOTSUPP); /* it takes replies only */
}

static int (*queue_it)(lwkt_port_t port, lwkt_msg_t msg);
static int puts_seen;

static int count_put(lwkt_port_t port, lwkt_msg_t msg)
{
	puts_seen++;
	return queue_it(port, msg);
}

static int add_in_place(lwkt_port_t port, lwkt_msg_t msg)
{
	msg->u.ms_result += *(int *)port->mp_data;
	return msg->u.ms_result > 100 ? ERANGE : 0;
}

static void putonly_and_overriding(void)
{
	struct lwkt_port adder, port;
	struct lwkt_msg msg;
	int step = 60;

	lwkt_initport_putonly(&adder, add_in_place, "adder");
	adder.mp_data = &step;
	CHECK(adder.mp_td == NULL);
	lwkt_initmsg(&msg, NULL, 0);
	CHECK_EQ(lwkt_domsg(&adder, &msg), 0);
	CHECK_EQ(msg.u.ms_result, 60);
	CHECK_EQ(lwkt_domsg(&adder, &msg), ERANGE);
	CHECK_EQ(msg.ms_error, ERANGE);
	CHECK_EQ(lwkt_thread0()->td_msgport.mp_count, 0);
	msg.u.ms_result = 0;
	CHECK_EQ(lwkt_sendmsg(&adder, &msg), 0); /* done in place, and it comes back as if it had not been */
	CHECK(lwkt_getport(&lwkt_thread0()->td_msgport, NULL) == &msg);
	CHECK_EQ(msg.u.ms_result, 60);

	lwkt_initport_thread(&port, NULL, "counted");
	queue_it = port.mp_putport;
	port.mp_putport = count_put;
	CHECK_EQ(lwkt_sendmsg(&port, &msg), 0);
	CHECK(lwkt_getport(&port, NULL) == &msg);
	CHECK_EQ(puts_seen, 1);
	CHECK_EQ(lwkt_replymsg(&msg, 0), 0);
	CHECK_EQ(lwkt_waitmsg(&msg), 0);
}

int main(void)
{
	ON_RFORK(queueing);
	ON_RFORK(waiting);
	ON_RFORK(owners);
	ON_RFORK(replyonly_null);
	ON_RFORK(putonly_and_overriding);
	return 0;
}
