/*
 * until.c - a call that has been tried and would have to wait: what it answers in the end.
 */
#include "wait/ready.h"
#include "descriptor/descriptor.h"

#define VAIN_MAX 3 /* times that a descriptor may be called ready and not be: it is ready for less than the call wants */

bool let_others(void)
{
	call_user->look();
	if (!lwkt_yield_wanted())
		return false;
	lwkt_yield();
	return true;
}

static long wait_ready(struct caller *caller, const struct call *call, short events)
{
	struct pollfd one = {.fd = fd_of(call), .events = events};

	return ready_wait(caller, &one, 1, call_name((uint64_t)call->number));
}

/** A call that the ring can make as it is: it waits then, O_NONBLOCK or not. */
static bool is_plain_read(const struct call *call)
{
	return call->number == SYS_read || (call->number == SYS_recvfrom && !(call->args[3] | call->args[4]));
}

long try_until_done(struct caller *caller, const struct call *call, const struct call *whole, call_maker try, short events)
{
	long result = -EAGAIN, error;

	if (!(descriptor_look(fd_of(call)) & DESCRIPTOR_NONBLOCKING) && let_others())
		result = try(caller, call);
	if (result != -EAGAIN || descriptor_is_nonblocking(fd_of(call)))
		return result;
	if (descriptor_is_timed(fd_of(call)))
		return offload(caller, whole);
	if (is_plain_read(whole)) {
		result = ready_operate(caller, whole, true, call_name((uint64_t)whole->number));
		if (result != -EAGAIN && result != -EOPNOTSUPP)
			return result;
	}
	for (unsigned vain = 0; vain < VAIN_MAX; vain++) {
		error = wait_ready(caller, call, events);
		if (error == -EOPNOTSUPP)
			break;
		result = try(caller, call);
		if (error && (result == -EAGAIN || result == -ERESTARTNOINTR)) /* it is the signal that keeps it from being made, and the call has waited */
			return error;
		if (result != -EAGAIN)
			return result;
	}
	return offload(caller, whole);
}

long wait_and_offload(struct caller *caller, const struct call *call)
{
	long error;

	if (descriptor_is_nonblocking(fd_of(call)))
		return make_call(caller, call);
	error = descriptor_is_timed(fd_of(call)) ? 0 : wait_ready(caller, call, call_events(call));
	return error == -ERESTARTSYS ? error : offload(caller, call);
}

long wait_descriptor(struct caller *caller, const struct call *call)
{
	return descriptor_is_nonblocking(fd_of(call)) ? make_call(caller, call) : offload(caller, call);
}
