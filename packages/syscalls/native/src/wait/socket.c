/*
 * socket.c - messages and connections.
 */
#include <sys/socket.h>

#include "descriptor/descriptor.h"
#include "wait/ready.h"

static int flags_of(const struct call *call)
{
	return (int)call->args[call->number == SYS_recvfrom || call->number == SYS_sendto ? 3 : 2];
}

/** recvfrom and recvmsg. MSG_WAITALL, and several messages at once, are a helper's affair. */
long wait_receive(struct caller *caller, const struct call *call)
{
	struct nowait now;
	long result;

	if (call_asks_not_to_wait(call))
		return make_call(caller, call);
	if (call->number == SYS_recvmmsg || (flags_of(call) & MSG_WAITALL))
		return wait_descriptor(caller, call);
	call_nowait(call, &now);
	result = make_call(caller, &now.call);
	return result == -EAGAIN ? try_until_done(caller, &now.call, call, make_call, call_events(call)) : result;
}

static long send_message(struct caller *caller, const struct call *call, const struct call *now, long done)
{
	struct msghdr message;

	if (done == -EAGAIN)
		done = try_until_done(caller, now, call, make_call, call_events(call));
	if (done <= 0 || copy_in(&message, call->args[1], sizeof(message)))
		return done;
	return write_other_pieces(caller, call, (long)message.msg_iov, message.msg_iovlen, &message, make_call, done);
}

long wait_send(struct caller *caller, const struct call *call)
{
	struct nowait now;
	long done;

	if (call_asks_not_to_wait(call))
		return make_call(caller, call);
	if (call->number == SYS_sendmmsg)
		return wait_descriptor(caller, call);
	call_nowait(call, &now);
	done = make_call(caller, &now.call);
	if (call->number == SYS_sendmsg)
		return send_message(caller, call, &now.call, done);
	return done == call->args[2] || (done < 0 && done != -EAGAIN) ? done : write_rest(caller, call, true, make_call, done);
}

/** accept, accept4, connect: there is no trying them, but the ring makes them. */
long wait_connection(struct caller *caller, const struct call *call)
{
	long result;

	if (descriptor_is_nonblocking(fd_of(call)))
		return make_call(caller, call);
	if (descriptor_is_timed(fd_of(call)))
		return offload(caller, call);
	result = ready_operate(caller, call, false, call_name((uint64_t)call->number));
	if (result != -EOPNOTSUPP)
		return result;
	return call->number == SYS_connect ? offload(caller, call) : wait_and_offload(caller, call);
}
