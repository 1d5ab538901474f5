/*
 * spinport.c - ports that threads of all rforks take from: spin ports, and serialised ports, which are the same but for who may take
 * (DragonFly: lwkt_msgport.c's lwkt_spin_* and lwkt_serialize_*). Thread ports and those that queue nothing are in msgport.c.
 *
 * Nobody owns such a port, so there is nobody to send an IPI message to: the lock stands in for the owner. Other rforks' threads are woken by
 * IPI message, as ever.
 *
 * Invariants:
 *  - Queues, count, mp_waiters and, of a message whose reply port this is, DONE, ms_waiter and ms_abort are changed under mp_lock. Whoever sees
 *    DONE there, under the lock, has the message for itself: the replier's last touch of message and port was before.
 *  - Of those who wait for any message each is in mp_waiters, or has been taken out and will look again. Each message that is queued takes one
 *    out, so there is never a message that nobody looks for while somebody waits.
 *  - Who has taken a waiter wakes it after letting go of the lock; the waiter stays until then (waiter.h).
 */
#include "lock/waiter.h"

static int spin_putport(lwkt_port_t port, lwkt_msg_t msg)
{
	struct lwkt_waiter *waiter;

	lwkt_word_lock(&port->mp_lock);
	lwkt_port_enqueue(port, msg);
	waiter = lwkt_waiter_take(&port->mp_waiters);
	lwkt_word_unlock(&port->mp_lock); /* from here on both may be gone */
	if (waiter)
		lwkt_waiter_wake(waiter);
	return EASYNC;
}

static lwkt_msg_t spin_getport(lwkt_port_t port)
{
	lwkt_msg_t msg;

	lwkt_word_lock(&port->mp_lock);
	msg = lwkt_port_next(port);
	lwkt_word_unlock(&port->mp_lock);
	return msg;
}

/** Waits, out of the serializer if there is one. The waiter is in its place, and the lock is free. */
static int wait_on(lwkt_port_t port, struct lwkt_waiter *waiter, const char *wmesg)
{
	struct lwkt_serialize *s = port->mp_serialize;
	int error;

	if (s)
		lwkt_serialize_exit(s); /* only now: who enters and puts finds the waiter */
	error = lwkt_waiter_wait(waiter, &port->mp_lock, wmesg, true);
	if (s)
		lwkt_serialize_enter(s); /* whatever time is left; where it fails the wait has, too */
	return error;
}

static lwkt_msg_t spin_waitport(lwkt_port_t port)
{
	bool may_wait = lwkt_may_wait(lwkt_arch_mycpu());
	struct lwkt_waiter waiter;
	lwkt_msg_t msg;

	do {
		lwkt_waiter_init(&waiter);
		lwkt_word_lock(&port->mp_lock);
		msg = lwkt_port_next(port);
		if (!msg && may_wait)
			list_append(&port->mp_waiters, &waiter.link);
		lwkt_word_unlock(&port->mp_lock);
	} while (!msg && may_wait && wait_on(port, &waiter, "waitport") == 0);
	return msg;
}

/** Under the lock: the reply has arrived, and no abort is looking for the message. Answers who is to be woken. */
static struct lwkt_waiter *complete(lwkt_port_t port, lwkt_msg_t msg)
{
	struct lwkt_waiter *waiter = msg->ms_waiter;

	msg->ms_waiter = NULL;
	if (!(msg->ms_flags & MSGF_SYNC)) {
		lwkt_port_enqueue(port, msg);
		if (!waiter)
			waiter = lwkt_waiter_take(&port->mp_waiters);
	}
	msg_set_flags(msg, msg->ms_flags | MSGF_DONE | MSGF_REPLY);
	return waiter;
}

static void spin_replyport(lwkt_port_t port, lwkt_msg_t msg)
{
	struct lwkt_waiter *waiter = NULL;

	lwkt_word_lock(&port->mp_lock);
	if (msg->ms_abort) {
		msg_set_flags(msg, msg->ms_flags | MSGF_REPLY);
		msg->ms_abort = ABORT_REPLIED;
	} else {
		waiter = complete(port, msg);
	}
	lwkt_word_unlock(&port->mp_lock);
	if (waiter)
		lwkt_waiter_wake(waiter);
}

/** Whether the message is DONE; if so takes it off the queue, if not puts the waiter (if there is one) where the reply finds it. *error: the
 *  message's, or EBUSY where somebody else waits for it. */
static bool look(lwkt_port_t port, lwkt_msg_t msg, struct lwkt_waiter *waiter, int *error)
{
	bool done;

	lwkt_word_lock(&port->mp_lock); /* even where DONE can be seen without: the replier may have the lock still */
	done = msg_flags(msg) & MSGF_DONE;
	if (done) {
		if (msg->ms_flags & MSGF_QUEUED)
			lwkt_port_dequeue(port, msg);
		*error = msg->ms_error;
	} else if (msg->ms_waiter) {
		*error = EBUSY;
	} else {
		msg->ms_waiter = waiter;
		*error = waiter ? 0 : EDEADLK;
	}
	lwkt_word_unlock(&port->mp_lock);
	return done;
}

static int spin_waitmsg(lwkt_msg_t msg)
{
	bool may_wait = lwkt_may_wait(lwkt_arch_mycpu());
	lwkt_port_t port = msg->ms_reply_port;
	struct lwkt_waiter waiter;
	int error;

	lwkt_waiter_init(&waiter);
	waiter.place = &msg->ms_waiter;
	if (look(port, msg, may_wait ? &waiter : NULL, &error) || error)
		return error;
	error = wait_on(port, &waiter, "waitmsg");
	if (!error)
		look(port, msg, NULL, &error); /* what wakes this waiter is the reply */
	return error;
}

/** An abort: takes a message off that is queued here. */
bool lwkt_spinport_withdraw(lwkt_port_t port, lwkt_msg_t msg)
{
	bool here;

	lwkt_word_lock(&port->mp_lock);
	here = (msg_flags(msg) & (MSGF_QUEUED | MSGF_REPLY)) == MSGF_QUEUED &&
	       __atomic_load_n(&msg->ms_target_port, __ATOMIC_RELAXED) == port; /* in this order: see forwardmsg */
	if (here)
		lwkt_port_dequeue(port, msg);
	lwkt_word_unlock(&port->mp_lock);
	return here;
}

/** An abort of a message whose reply comes here begins to look for it. Whether there is anything to look for. */
bool lwkt_spinport_abort(lwkt_msg_t msg)
{
	lwkt_port_t port = msg->ms_reply_port;
	bool begins;

	lwkt_word_lock(&port->mp_lock);
	begins = !msg->ms_abort && !(msg_flags(msg) & MSGF_DONE);
	if (begins)
		msg->ms_abort = ABORT_LOOKING;
	lwkt_word_unlock(&port->mp_lock);
	return begins;
}

/** It has come back: a reply that was held back arrives now. */
void lwkt_spinport_aborted(lwkt_msg_t msg)
{
	lwkt_port_t port = msg->ms_reply_port;
	struct lwkt_waiter *waiter = NULL;
	uint32_t was;

	lwkt_word_lock(&port->mp_lock);
	was = msg->ms_abort;
	msg->ms_abort = ABORT_NONE;
	if (was == ABORT_REPLIED)
		waiter = complete(port, msg);
	lwkt_word_unlock(&port->mp_lock);
	if (waiter)
		lwkt_waiter_wake(waiter);
}

void lwkt_initport_spin(lwkt_port_t port, const char *name)
{
	lwkt_initport_putonly(port, spin_putport, name);
	list_init(&port->mp_waiters);
	port->mp_flags = MSGPORTF_SPIN;
	port->mp_getport = spin_getport;
	port->mp_waitport = spin_waitport;
	port->mp_waitmsg = spin_waitmsg;
	port->mp_replyport = spin_replyport;
}

void lwkt_initport_serialize(lwkt_port_t port, struct lwkt_serialize *s, const char *name)
{
	lwkt_initport_spin(port, name);
	port->mp_serialize = s;
}
