/*
 * msg.c - messages: sending, waiting, replying, forwarding, aborting, on whatever kind of port (DragonFly: lwkt_msgport.c, 2007+).
 *
 * Invariants:
 *  - A message has one owner at each moment. DONE: the sender's (or never sent). QUEUED: the port's. Neither: the receiver's.
 *  - EASYNC is a put function's answer, never a message's error.
 *  - Abort never finishes a message: exactly one reply still comes.
 */
#include "debug.h"

void lwkt_initmsg(lwkt_msg_t msg, lwkt_port_t reply_port, uint32_t flags)
{
	list_init(&msg->ms_node);
	msg->ms_target_port = NULL;
	msg->ms_reply_port = reply_port ? reply_port : &lwkt_arch_mycpu()->gd_curthread->td_msgport;
	msg->ms_flags = MSGF_DONE | flags;
	msg->ms_error = 0;
	msg->u.ms_result = 0;
	msg->ms_abortfn = NULL;
	msg->ms_abort = 0;
	msg->ms_waiter = NULL;
}

void lwkt_initmsg_abortable(lwkt_msg_t msg, lwkt_port_t reply_port, uint32_t flags, void (*abortfn)(lwkt_msg_t))
{
	lwkt_initmsg(msg, reply_port, flags | MSGF_ABORTABLE);
	msg->ms_abortfn = abortfn;
}

/** Another rfork may read it, to find the message that it is to abort. */
static void msg_set_target(lwkt_msg_t msg, lwkt_port_t port)
{
	__atomic_store_n(&msg->ms_target_port, port, __ATOMIC_RELAXED);
}

/** Makes the message the target's. Returns 0, EBUSY where it is under way, or EINVAL where it may be dropped and would be waited for. */
static int prepare(lwkt_port_t port, lwkt_msg_t msg, uint32_t sync)
{
	uint32_t flags = msg_flags(msg);

	if ((flags & (MSGF_DONE | MSGF_QUEUED | (sync ? MSGF_DROPABLE : 0))) != MSGF_DONE)
		return sync && (flags & MSGF_DROPABLE) ? EINVAL : EBUSY;
	msg_set_flags(msg, (flags & ~(MSGF_DONE | MSGF_REPLY | MSGF_SYNC)) | sync);
	msg_set_target(msg, port);
	lwkt_arch_mycpu()->gd_stats.st_messages++;
	return 0;
}

int lwkt_sendmsg(lwkt_port_t port, lwkt_msg_t msg)
{
	int error = prepare(port, msg, 0);

	if (error)
		return MISUSE(error, MSG_IS " is under way, or its reply has not been taken yet: wait for it first (lwkt_waitmsg), or send another", MSG(msg));
	error = port->mp_putport(port, msg);
	if (error != EASYNC)
		lwkt_replymsg(msg, error); /* the sender sees one interface, whoever did the work */
	return 0;
}

int lwkt_domsg(lwkt_port_t port, lwkt_msg_t msg)
{
	int error;

	if (port->mp_td && port->mp_td == lwkt_arch_mycpu()->gd_curthread)
		return MISUSE(EDEADLK, PORT_IS " is the thread's own, and nobody else could serve it: send without waiting (lwkt_sendmsg)",
		              PORT(port));
	if (!lwkt_may_take(msg->ms_reply_port))
		return MISUSE(EPERM, "the reply to message %p would go to " PORT_IS ": %s", (void *)msg, PORT(msg->ms_reply_port),
		              lwkt_debug_may_not_take(msg->ms_reply_port));
	error = prepare(port, msg, MSGF_SYNC);
	if (error)
		return MISUSE(error, MSG_IS " %s", MSG(msg),
		              error == EINVAL ? "may be dropped without a reply: send without waiting (lwkt_sendmsg)"
		                              : "is under way, or its reply has not been taken yet: wait for it first (lwkt_waitmsg), or send another");
	error = port->mp_putport(port, msg);
	if (error != EASYNC) {
		msg->ms_error = error;
		msg_set_flags(msg, msg->ms_flags | MSGF_DONE | MSGF_REPLY);
		return error;
	}
	return lwkt_waitmsg(msg);
}

int lwkt_forwardmsg(lwkt_port_t port, lwkt_msg_t msg)
{
	int error;

	if (msg_flags(msg) & (MSGF_QUEUED | MSGF_DONE | MSGF_REPLY))
		return MISUSE(EINVAL, MSG_IS " is not the receiver's: take it from its port first (lwkt_getport), and don't reply", MSG(msg));
	msg_set_target(msg, port);
	error = port->mp_putport(port, msg);
	if (error != EASYNC)
		lwkt_replymsg(msg, error);
	return error;
}

int lwkt_replymsg(lwkt_msg_t msg, int error)
{
	if (error < 0 || error == EASYNC)
		return MISUSE(EINVAL, MSG_IS ": %d is neither 0 nor a positive errno", MSG(msg), error);
	if (msg_flags(msg) & (MSGF_DONE | MSGF_REPLY))
		return MISUSE(EALREADY, MSG_IS " has been replied to, or was never sent: it is its sender's, reply once", MSG(msg));
	if (msg->ms_flags & MSGF_QUEUED)
		return MISUSE(EBUSY, MSG_IS " is queued on its port still: take it first (lwkt_getport)", MSG(msg));
	msg->ms_error = error;
	msg->ms_reply_port->mp_replyport(msg->ms_reply_port, msg);
	return 0;
}

lwkt_msg_t lwkt_getport(lwkt_port_t port, int *error)
{
	int allowed = lwkt_may_take(port);

	if (error)
		*error = allowed ? 0 : EPERM;
	if (!allowed)
		return MISUSE(NULL, PORT_IS ": %s", PORT(port), lwkt_debug_may_not_take(port));
	return port->mp_getport(port);
}

/** The next message of a port that the caller may take from; NULL: it can't wait (EDEADLK), or for no longer (lwkt_timed_begin). */
static lwkt_msg_t wait_on_port(lwkt_port_t port, int *failed)
{
	lwkt_msg_t msg = NULL;

	*failed = EPERM;
	if (lwkt_may_take(port)) {
		msg = port->mp_waitport(port);
		*failed = msg ? 0 : EDEADLK;
	}
	return msg;
}

lwkt_msg_t lwkt_waitport(lwkt_port_t port, int *error)
{
	int failed;
	lwkt_msg_t msg = wait_on_port(port, &failed);

	if (error)
		*error = failed;
	return MISUSE_IF(!msg, msg, PORT_IS ": %s", PORT(port), failed == EPERM ? lwkt_debug_may_not_take(port) : lwkt_debug_no_wait());
}

lwkt_msg_t lwkt_waitport_timed(lwkt_port_t port, uint64_t ns, int *error)
{
	struct lwkt_timed timed;
	lwkt_msg_t msg = lwkt_getport(port, error);
	int failed;
	bool up;

	if (msg || !lwkt_may_take(port))
		return msg;
	lwkt_timed_begin(&timed, ns);
	msg = wait_on_port(port, &failed);
	up = lwkt_timed_end(&timed);
	if (failed && up)
		failed = EWOULDBLOCK;
	if (error)
		*error = failed;
	return MISUSE_IF(failed == EDEADLK, msg, PORT_IS ": %s", PORT(port), lwkt_debug_no_wait());
}

int lwkt_waitmsg(lwkt_msg_t msg)
{
	int error;

	if (msg_flags(msg) & MSGF_DROPABLE)
		return MISUSE(EINVAL, MSG_IS " may be dropped without a reply: look whether it is done (lwkt_checkmsg)", MSG(msg));
	if (!__atomic_load_n(&msg->ms_target_port, __ATOMIC_RELAXED)) /* never sent; it may be under way elsewhere just now */
		return MISUSE(EINVAL, MSG_IS " was never sent, and nothing will come back", MSG(msg));
	if (!lwkt_may_take(msg->ms_reply_port))
		return MISUSE(EPERM, MSG_IS ", whose reply goes to " PORT_IS ": %s", MSG(msg), PORT(msg->ms_reply_port),
		              lwkt_debug_may_not_take(msg->ms_reply_port));
	error = msg->ms_reply_port->mp_waitmsg(msg);
	return MISUSE_IF(error && error != EWOULDBLOCK && !lwkt_checkmsg(msg), error, MSG_IS ": %s", MSG(msg),
	                 error == EBUSY ? "another thread waits for it already" : lwkt_debug_no_wait());
}

int lwkt_waitmsg_timed(lwkt_msg_t msg, uint64_t ns)
{
	struct lwkt_timed timed;
	int error;

	if (lwkt_checkmsg(msg))
		return lwkt_waitmsg(msg);
	lwkt_timed_begin(&timed, ns);
	error = lwkt_waitmsg(msg);
	lwkt_timed_end(&timed);
	return error;
}

int lwkt_checkmsg(lwkt_msg_t msg)
{
	return (msg_flags(msg) & MSGF_DONE) != 0;
}

int lwkt_abortmsg(lwkt_msg_t msg)
{
	uint32_t flags = msg_flags(msg);

	if (flags & (MSGF_DONE | MSGF_REPLY))
		return EALREADY;
	if (!(flags & MSGF_ABORTABLE) || !msg->ms_abortfn)
		return MISUSE(EOPNOTSUPP, MSG_IS " can't be aborted: begin it by lwkt_initmsg_abortable", MSG(msg));
	msg->ms_abortfn(msg);
	return 0;
}
