/*
 * data.c - reading and writing what is no file: pipes, terminals, sockets, eventfds.
 */
#include <sys/socket.h>

#include "descriptor/descriptor.h"
#include "wait/ways.h"

/** read or write of a stream socket. (Of no bytes recv and send are not the same as those.) */
static bool is_of_stream(const struct call *call)
{
	return (call->number == SYS_read || call->number == SYS_write) && call->args[2] && (descriptor_look(fd_of(call)) & DESCRIPTOR_STREAM);
}

/** As recvfrom or sendto, which are the fastest that the kernel has. */
static void as_of_stream(const struct call *call, struct nowait *now)
{
	now->call = *call;
	now->call.number = call->number == SYS_read ? SYS_recvfrom : SYS_sendto;
	now->call.args[3] = MSG_DONTWAIT;
	now->call.args[4] = now->call.args[5] = 0;
}

/** As it is, but without waiting. */
static long try_data(struct caller *caller, const struct call *call)
{
	struct nowait now;

	(void)caller;
	if (is_of_stream(call))
		as_of_stream(call, &now);
	else
		call_nowait(call, &now);
	return try_call(&now.call);
}

/** Whether it is made in place: a file's, one that says itself that it won't wait, and one that preadv2 or pwritev2 would take for another. */
static bool is_in_place(const struct call *call)
{
	return (descriptor_look(fd_of(call)) & DESCRIPTOR_ENDS) || call_asks_not_to_wait(call) || (call_has_offset(call) && call->args[3] < 0);
}

long wait_read(struct caller *caller, const struct call *call)
{
	long got;

	if (is_in_place(call))
		return make_call(caller, call);
	got = try_data(caller, call);
	if (got == -EOPNOTSUPP)
		return wait_and_offload(caller, call);
	return got == -EAGAIN ? try_until_done(caller, call, call, try_data, call_events(call)) : got;
}

long wait_write(struct caller *caller, const struct call *call)
{
	long done;

	if (is_in_place(call))
		return make_call(caller, call);
	done = try_data(caller, call);
	if (done == -EOPNOTSUPP)
		return wait_and_offload(caller, call);
	if (!call_is_vector(call->number))
		return done == call->args[2] ? done : write_rest(caller, call, false, try_data, done);
	if (done == -EAGAIN)
		done = try_until_done(caller, call, call, try_data, call_events(call));
	return done <= 0 ? done : write_other_pieces(caller, call, call->args[1], (uint64_t)call->args[2], NULL, try_data, done);
}
