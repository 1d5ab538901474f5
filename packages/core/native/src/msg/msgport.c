/*
 * msgport.c - thread ports and ports that queue nothing: what putting, getting, waiting and replying mean on each (DragonFly:
 * lwkt_msgport.c, 2007+). The kinds that any thread may take from are in spinport.c, the operations that are the same for every kind in msg.c.
 *
 * Invariants:
 *  - A thread port's queues, count and WAITING flag are touched by its owner's rfork only, and only its owner takes from it. A message or
 *    a reply from another rfork comes by IPI message, which follows the owner should that migrate.
 *  - DONE is set by the reply, on the reply port's rfork. A reply to a SYNC message is never queued.
 *  - While an abort is looking for a message (ms_abort, abort.c) its reply is held back: the memory must stay a message until then.
 */
#include "debug.h"

#include <string.h>

void lwkt_port_enqueue(lwkt_port_t port, lwkt_msg_t msg)
{
	list_append(msg->ms_flags & MSGF_PRIORITY ? &port->mp_msgq_prio : &port->mp_msgq, &msg->ms_node);
	msg_set_flags(msg, msg->ms_flags | MSGF_QUEUED);
	port->mp_count++;
}

void lwkt_port_dequeue(lwkt_port_t port, lwkt_msg_t msg)
{
	list_remove(&msg->ms_node);
	msg_set_flags(msg, msg->ms_flags & ~MSGF_QUEUED);
	port->mp_count--;
}

/** The next message, taken off; NULL where there is none. */
lwkt_msg_t lwkt_port_next(lwkt_port_t port)
{
	struct lwkt_list *queue = list_empty(&port->mp_msgq_prio) ? &port->mp_msgq : &port->mp_msgq_prio;
	lwkt_msg_t msg;

	if (list_empty(queue))
		return NULL;
	msg = LIST_ENTRY(queue->next, struct lwkt_msg, ms_node);
	lwkt_port_dequeue(port, msg);
	return msg;
}

static void wake_owner(lwkt_port_t port)
{
	if (port->mp_flags & MSGPORTF_WAITING)
		lwkt_wake(port->mp_td);
}

/* ---- thread ports */

static int thread_putport(lwkt_port_t port, lwkt_msg_t msg);

static void put_here(void *arg)
{
	lwkt_msg_t msg = arg;
	int error = thread_putport(msg->ms_target_port, msg); /* again: the owner may have moved on */

	if (error != EASYNC)
		lwkt_replymsg(msg, error);
}

static int thread_putport(lwkt_port_t port, lwkt_msg_t msg)
{
	globaldata_t owner = owner_of(port->mp_td);

	if (owner != lwkt_arch_mycpu()) {
		int error = lwkt_send_ipiq(owner, put_here, msg, NULL);

		return error ? error : EASYNC;
	}
	lwkt_port_enqueue(port, msg);
	wake_owner(port);
	return EASYNC;
}

static int wait_on(lwkt_port_t port, const char *wmesg)
{
	int error;

	if (lwkt_timed_is_up(lwkt_arch_mycpu()->gd_curthread))
		return EWOULDBLOCK;
	port->mp_flags |= MSGPORTF_WAITING;
	error = lwkt_wait_once(wmesg);
	port->mp_flags &= ~MSGPORTF_WAITING;
	return error;
}

static lwkt_msg_t thread_waitport(lwkt_port_t port)
{
	lwkt_msg_t msg;

	while ((msg = lwkt_port_next(port)) == NULL)
		if (wait_on(port, "waitport") != 0)
			return NULL;
	return msg;
}

static int thread_waitmsg(lwkt_msg_t msg)
{
	lwkt_port_t port = msg->ms_reply_port;
	int error;

	while (!(msg_flags(msg) & MSGF_DONE)) {
		error = wait_on(port, "waitmsg");
		if (error)
			return error;
	}
	if (msg->ms_flags & MSGF_QUEUED)
		lwkt_port_dequeue(port, msg);
	return msg->ms_error;
}

/** The reply has arrived, and no abort is looking for the message. */
void lwkt_port_complete(lwkt_port_t port, lwkt_msg_t msg)
{
	if (!(msg->ms_flags & MSGF_SYNC))
		lwkt_port_enqueue(port, msg);
	msg_set_flags(msg, msg->ms_flags | MSGF_DONE | MSGF_REPLY);
	wake_owner(port);
}

static void thread_replyport(lwkt_port_t port, lwkt_msg_t msg);

static void reply_here(void *arg)
{
	lwkt_msg_t msg = arg;

	thread_replyport(msg->ms_reply_port, msg);
}

static void thread_replyport(lwkt_port_t port, lwkt_msg_t msg)
{
	globaldata_t owner = owner_of(port->mp_td);

	if (owner != lwkt_arch_mycpu()) {
		msg_set_flags(msg, msg->ms_flags | MSGF_REPLY);
		/* ESRCH: the rfork of the sender has ended, and the sender with it. Nobody is left to tell. */
		lwkt_send_ipiq(owner, reply_here, msg, NULL);
		return;
	}
	if (msg->ms_abort) {
		msg_set_flags(msg, msg->ms_flags | MSGF_REPLY);
		msg->ms_abort = ABORT_REPLIED;
		return;
	}
	lwkt_port_complete(port, msg);
}

void lwkt_initport_thread(lwkt_port_t port, lwkt_thread_t td, const char *name)
{
	memset(port, 0, sizeof(*port));
	list_init(&port->mp_msgq);
	list_init(&port->mp_msgq_prio);
	port->mp_td = td ? td : lwkt_arch_mycpu()->gd_curthread;
	port->mp_putport = thread_putport;
	port->mp_getport = lwkt_port_next;
	port->mp_waitport = thread_waitport;
	port->mp_waitmsg = thread_waitmsg;
	port->mp_replyport = thread_replyport;
	if (name)
		lwkt_set_name(port->mp_name, name);
}

/* ---- ports that queue nothing */

static int refuse_putport(lwkt_port_t port, lwkt_msg_t msg)
{
	(void)port;
	(void)msg;
	return MISUSE_OF("lwkt_sendmsg or lwkt_domsg", 1, EOPNOTSUPP, PORT_IS " only takes replies: send to a service port", PORT(port));
}

static lwkt_msg_t no_message(lwkt_port_t port)
{
	(void)port;
	return NULL;
}

static int done_waitmsg(lwkt_msg_t msg)
{
	return msg_flags(msg) & MSGF_DONE ? msg->ms_error : EDEADLK; /* nobody would wake the waiter */
}

static void null_replyport(lwkt_port_t port, lwkt_msg_t msg)
{
	(void)port;
	msg_set_flags(msg, msg->ms_flags | MSGF_DONE | MSGF_REPLY); /* whose sender looks sees the result, too: a release */
}

void lwkt_initport_replyonly_null(lwkt_port_t port)
{
	memset(port, 0, sizeof(*port));
	list_init(&port->mp_msgq);
	list_init(&port->mp_msgq_prio);
	port->mp_putport = refuse_putport;
	port->mp_getport = no_message;
	port->mp_waitport = no_message;
	port->mp_waitmsg = done_waitmsg;
	port->mp_replyport = null_replyport;
}

void lwkt_initport_putonly(lwkt_port_t port, int (*put)(lwkt_port_t, lwkt_msg_t), const char *name)
{
	lwkt_initport_replyonly_null(port);
	port->mp_putport = put;
	if (name)
		lwkt_set_name(port->mp_name, name);
}
