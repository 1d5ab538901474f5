/*
 * pieces.c - a write is whole, unless it fails: what one attempt has left goes on with the next.
 */
#include <sys/socket.h>

#include "wait/ways.h"

#define IOV_COUNT_MAX 1024

long write_rest(struct caller *caller, const struct call *call, bool nowait, call_maker try, long done)
{
	struct call plain = *call;
	struct nowait now = {.call = *call};
	long whole = 0;

	for (;;) {
		if (nowait)
			call_nowait(&plain, &now);
		else
			now.call = plain;
		if (done == -EAGAIN)
			done = try_until_done(caller, &now.call, &plain, try, call_events(call));
		if (done < 0)
			return whole ? whole : done;
		whole += done;
		plain.args[1] += done;
		plain.args[2] -= done;
		if (done == 0 || plain.args[2] == 0)
			return whole;
		now.call.args[1] = plain.args[1];
		now.call.args[2] = plain.args[2];
		done = try(caller, &now.call);
	}
}

/** A list of pieces, of which `done` bytes have been written. How many bytes are left. */
static uint64_t skip_pieces(struct iovec **iov, uint64_t *count, uint64_t done)
{
	uint64_t left = 0;

	for (; *count && done >= (*iov)->iov_len; (*iov)++, (*count)--)
		done -= (*iov)->iov_len;
	if (*count) {
		(*iov)->iov_base = (char *)(*iov)->iov_base + done;
		(*iov)->iov_len -= done;
	}
	for (uint64_t i = 0; i < *count; i++)
		left += (*iov)[i].iov_len;
	return left;
}

/** writev and sendmsg: of pieces that are a copy, and may be changed. message: sendmsg's, a copy, too. */
static long write_pieces(struct caller *caller, const struct call *call, struct iovec *iov, uint64_t count, struct msghdr *message, call_maker try, long done)
{
	struct call plain = *call;
	struct nowait now;
	long whole = 0;

	for (;;) {
		if (done < 0)
			return whole ? whole : done;
		whole += done;
		if (!skip_pieces(&iov, &count, (uint64_t)done) || !done)
			return whole;
		if (message) {
			*message = (struct msghdr){.msg_name = message->msg_name, .msg_namelen = message->msg_namelen, .msg_iov = iov, .msg_iovlen = count};
			plain.args[1] = (long)message;
			call_nowait(&plain, &now);
		} else {
			plain.args[1] = (long)iov;
			plain.args[2] = (long)count;
			now.call = plain;
		}
		done = try(caller, &now.call);
		if (done == -EAGAIN)
			done = try_until_done(caller, &now.call, &plain, try, call_events(call));
	}
}

long write_other_pieces(struct caller *caller, const struct call *call, long from, uint64_t count, struct msghdr *message, call_maker try, long done)
{
	struct iovec *copy;
	uint64_t total = 0;
	long result = done;

	if (count == 0 || count > IOV_COUNT_MAX)
		return done;
	copy = lwkt_os_alloc(count * sizeof(*copy));
	if (!copy)
		return done;
	if (!copy_in(copy, from, count * sizeof(*copy))) {
		for (uint64_t i = 0; i < count; i++)
			total += copy[i].iov_len;
		if ((uint64_t)done < total)
			result = write_pieces(caller, call, copy, count, message, try, done);
	}
	lwkt_os_free(copy);
	return result;
}
