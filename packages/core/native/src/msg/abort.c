/*
 * abort.c - messages that are taken off a port unserved: lwkt_dropmsg, by the target; and, by the sender, lwkt_default_abortmsg, which takes
 * one back that is still queued somewhere, on whatever rfork (DragonFly: the "chasing abort"
 * of 2003 to 2006, with the rules of 2007: abort never finishes a message by itself, exactly one reply comes).
 *
 * The reply port's rfork sends the abort after the message: along the same rings, so it never overtakes it. Where it finds the message
 * queued it takes it off and replies; where that is being served, or has been replied to, it does nothing. Then it comes
 * back and says so. Until then a reply that arrives is held back (msgport.c): the sender could free the message.
 *
 * A spin port has no rfork: there the queue is looked into under the port's lock, from wherever the abort is, and where it is the reply port
 * its lock stands for its rfork.
 *
 * Invariant: ms_abort is touched on the reply port's rfork only, or under its lock. On others, of a message that is not theirs, only the flags and
 * the target port are read.
 */
#include "debug.h"

static lwkt_port_t target_of(lwkt_msg_t msg)
{
	return __atomic_load_n(&msg->ms_target_port, __ATOMIC_RELAXED);
}

/** Back on the reply port's rfork; a spin port has none. */
static void came_back(void *arg)
{
	lwkt_msg_t msg = arg;
	lwkt_port_t port = msg->ms_reply_port;
	uint32_t was;

	if (is_spinport(port)) {
		lwkt_spinport_aborted(msg);
		return;
	}
	if (sent_after(port->mp_td, came_back, msg))
		return;
	was = msg->ms_abort;
	msg->ms_abort = ABORT_NONE;
	if (was == ABORT_REPLIED)
		lwkt_port_complete(port, msg);
}

/** Takes the message off its target port, whose owner is on the rfork `owner`, if that is this one and it is queued there. */
static bool withdraw(lwkt_port_t target, globaldata_t owner, lwkt_msg_t msg)
{
	if (is_spinport(target))
		return lwkt_spinport_withdraw(target, msg);
	if (owner != lwkt_arch_mycpu() || (msg_flags(msg) & (MSGF_QUEUED | MSGF_REPLY)) != MSGF_QUEUED)
		return false;
	lwkt_port_dequeue(target, msg);
	return true;
}

static void look(void *arg)
{
	lwkt_msg_t msg = arg;
	lwkt_port_t target;
	globaldata_t owner;

	do {
		target = target_of(msg);
		owner = target->mp_td ? owner_of(target->mp_td) : NULL;
		if (owner && owner != lwkt_arch_mycpu() && !(msg_flags(msg) & MSGF_REPLY) &&
		    lwkt_send_ipiq(owner, look, msg, NULL) == 0)
			return; /* it has been forwarded */
		if (withdraw(target, owner, msg))
			lwkt_replymsg(msg, ECONNABORTED);
	} while (target_of(msg) != target && !(msg_flags(msg) & MSGF_REPLY)); /* forwarded just now: from a spin port that could be anywhere */
	came_back(msg);
}

int lwkt_dropmsg(lwkt_msg_t msg)
{
	lwkt_port_t target = target_of(msg);

	if (!(msg_flags(msg) & MSGF_DROPABLE))
		return MISUSE(EINVAL, MSG_IS " is not to be dropped: reply to it (lwkt_replymsg), or begin it with MSGF_DROPABLE", MSG(msg));
	if (!target || (msg_flags(msg) & MSGF_DONE))
		return ENOENT;
	if (!lwkt_may_take(target))
		return MISUSE(EPERM, PORT_IS ": %s", PORT(target), lwkt_debug_may_not_take(target));
	if (!withdraw(target, target->mp_td ? lwkt_arch_mycpu() : NULL, msg))
		return ENOENT;
	msg_set_flags(msg, msg->ms_flags | MSGF_DONE);
	return 0;
}

void lwkt_default_abortmsg(lwkt_msg_t msg)
{
	if (msg_flags(msg) & MSGF_DROPABLE)
		return; /* it could be gone while it is looked for */
	if (is_spinport(msg->ms_reply_port)) {
		if (lwkt_spinport_abort(msg))
			look(msg);
		return;
	}
	if (msg->ms_reply_port->mp_td != lwkt_arch_mycpu()->gd_curthread || msg->ms_abort || (msg_flags(msg) & MSGF_DONE))
		return;
	msg->ms_abort = ABORT_LOOKING;
	look(msg);
}
