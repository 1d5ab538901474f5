/* back.c - what the kernel has written, into the slot; and what is there in the end, to the program. See stage.h. */
#include "stage.h"

#include <sys/socket.h>
#include <sys/uio.h>

/* ------------------------------------------------ into the slot */

/** How much of an argument counts, after a result. */
static uint64_t written(const struct staging *s, unsigned i, long result)
{
	const struct staged *staged = &s->args[i];
	int64_t n;

	if (!(staged->ways & MEMORY_REPLY))
		return staged->length;
	n = result < 0 ? 0 : units((uint64_t)result, memory(s, i));
	return n < (int64_t)staged->length ? (uint64_t)n : staged->length;
}

/** What the number after the argument says now: in the slot, if it is there, or the program's. */
static uint64_t pointed(const struct staging *s, unsigned i, bool by_slot)
{
	const struct slot_argument *a = &s->slot->sl_arguments[i + 1];
	uint32_t value;

	if (by_slot && s->args[i + 1].kind == ARGUMENT_BUFFER && fits(a->ar_data.pa_at, 4))
		memcpy(&value, in_slot(s, a->ar_data.pa_at), 4);
	else if (user_load32((const uint32_t *)argument(s, i + 1), &value))
		return 0;
	return value < s->args[i].length ? value : s->args[i].length;
}

static void return_bytes(const struct staging *s, unsigned i, const struct slot_part *part, long result)
{
	const bool by_pointer = memory(s, i)->by == BY_POINTER;
	uint64_t n = by_pointer ? pointed(s, i, s->args[i + 1].how & STAGED_SLOT) : written(s, i, result);

	if (n > part->pa_length)
		n = part->pa_length;
	if (fits(part->pa_at, n))
		copyin(in_slot(s, part->pa_at), argument(s, i), n); /* what can't be read was not written */
}

/** `result` bytes that were read, in the program's buffers. */
static void return_parts(const struct staging *s, const struct slot_part *parts, uint32_t n, uint64_t iovec, long result)
{
	uint64_t left = result > 0 ? (uint64_t)result : 0;
	struct iovec one;

	for (uint32_t i = 0; i < n && left && !copyin(&one, iovec + i * sizeof(one), sizeof(one)); i++) {
		const uint64_t piece = left < one.iov_len ? left : one.iov_len;
		const uint64_t shown = piece < parts[i].pa_length ? piece : parts[i].pa_length;

		if (!fits(parts[i].pa_at, shown) || copyin(in_slot(s, parts[i].pa_at), (uint64_t)one.iov_base, shown))
			return;
		left -= piece;
	}
}

static void shorten(struct slot_part *part, uint64_t length, uint32_t room) { part->pa_length = length < room ? (uint32_t)length : room; }

/** A message that the kernel has filled; from what it has written there. by_slot: it is in the slot already. */
static void return_one(const struct staging *s, struct staged_message *staged, struct slot_message *message, const struct msghdr *header, bool by_slot, long result)
{
	shorten(&message->ms_name, header->msg_namelen, staged->name_room);
	shorten(&message->ms_control, header->msg_controllen, staged->control_room);
	message->ms_flags = (uint32_t)header->msg_flags;
	staged->told = (struct told){message->ms_name.pa_length, message->ms_control.pa_length, message->ms_flags, message->ms_length};
	if (by_slot) { /* the program knows of nothing yet */
		staged->told = (struct told){UINT32_MAX, UINT32_MAX, ~message->ms_flags, UINT32_MAX};
		return;
	}
	if (header->msg_name && fits(message->ms_name.pa_at, message->ms_name.pa_length))
		copyin(in_slot(s, message->ms_name.pa_at), (uint64_t)header->msg_name, message->ms_name.pa_length);
	if (header->msg_control && fits(message->ms_control.pa_at, message->ms_control.pa_length))
		copyin(in_slot(s, message->ms_control.pa_at), (uint64_t)header->msg_control, message->ms_control.pa_length);
	return_parts(s, (const struct slot_part *)(message + 1), message->ms_parts, (uint64_t)header->msg_iov, result);
}

/** Bytes of a header as the kernel has left it: in the slot, or at the program's own address. */
static long read_header(const struct staging *s, uint64_t own, uint32_t in, void *to, size_t size)
{
	if (!s->header)
		return copyin(to, own, size);
	memcpy(to, in_slot(s, s->header + in), size);
	return 0;
}

static void return_message(struct staging *s, unsigned i, const struct slot_argument *a, long result)
{
	struct slot_message *message = message_at(s, a->ar_data);
	struct msghdr header;

	if (message && !read_header(s, argument(s, i), 0, &header, sizeof(header)))
		return_one(s, &s->messages[0], message, &header, s->header, result);
}

/** How many of the messages in a list were the program's, and have been moved. */
static uint32_t moved_messages(const struct staging *s, unsigned i, const struct slot_argument *a, long result)
{
	uint32_t n = a->ar_parts < s->args[i].length ? a->ar_parts : s->args[i].length;

	return result < 0 ? 0 : result < (long)n ? (uint32_t)result : n;
}

static void return_messages(struct staging *s, unsigned i, const struct slot_argument *a, long result)
{
	const struct slot_part *list = parts_at(s, a);
	struct messages_header header;

	for (uint32_t n = 0; list && n < moved_messages(s, i, a, result); n++) {
		const uint32_t in = n * (uint32_t)sizeof(header);
		struct slot_message *message = message_at(s, list[n]);

		if (!message || read_header(s, argument(s, i) + in, in, &header, sizeof(header)))
			return;
		message->ms_length = header.mh_length;
		if (s->args[i].ways & MEMORY_OUT)
			return_one(s, &s->messages[n], message, &header.mh_header, s->header, (long)header.mh_length);
		else
			s->messages[n].told.length = s->header ? UINT32_MAX : header.mh_length;
	}
}

/** Of an argument that is as it was staged, and nothing else than that. */
static void return_argument(struct staging *s, unsigned i, const struct slot_argument *a, long result)
{
	const bool by_slot = s->args[i].how & STAGED_SLOT;

	switch (a->ar_kind) {
	case ARGUMENT_BUFFER:
		if (!by_slot)
			return_bytes(s, i, &a->ar_data, result);
		break;
	case ARGUMENT_BUFFERS:
		if (!by_slot && parts_at(s, a))
			return_parts(s, parts_at(s, a), a->ar_parts, argument(s, i), result);
		break;
	case ARGUMENT_MESSAGE: return_message(s, i, a, result); break;
	case ARGUMENT_MESSAGES: return_messages(s, i, a, result); break;
	}
}

/** Of messages that are sent, too, the kernel writes how long they were. */
static bool is_the_programs(const struct staging *s, unsigned i, const struct slot_argument *a)
{
	return (s->args[i].ways & MEMORY_OUT || s->args[i].kind == ARGUMENT_MESSAGES) && s->args[i].kind != ARGUMENT_NUMBER && a->ar_kind == s->args[i].kind;
}

/** Whether the call has written there: of the call as it came, or of another one that was given the same address. */
static bool has_it(const struct staging *s, unsigned i, const struct sysmsg *call)
{
	bool found = is_same_call(s);

	for (unsigned j = 0; j < 6; j++)
		found |= call->sm_args[j] == argument(s, i);
	return found;
}

void stage_return(struct staging *s, const struct sysmsg *call, long result)
{
	s->slot->sl_result = result;
	for (unsigned i = 0; i < 6; i++) {
		const struct slot_argument a = s->slot->sl_arguments[i];

		if (is_the_programs(s, i, &a) && has_it(s, i, call))
			return_argument(s, i, &a, result);
		s->slot->sl_arguments[i].ar_flags &= (uint8_t)~ARGUMENT_CHANGED;
	}
}

/* ------------------------------------------------ and back to the program */

/** What differs, from there on. 0 or -EFAULT. */
static long put(const struct staging *s, uint64_t to, uint32_t at, uint64_t n)
{
	long same = fits(at, n) ? user_same((const void *)to, in_slot(s, at), n) : -EFAULT;

	if (same >= 0 && (uint64_t)same < n)
		same = copyout(to + (uint64_t)same, in_slot(s, at + (uint32_t)same), n - (uint64_t)same);
	return same < 0 ? same : 0;
}

static long put_bytes(const struct staging *s, unsigned i, const struct slot_part *part, long result)
{
	const uint64_t n = memory(s, i)->by == BY_POINTER ? pointed(s, i, true) : written(s, i, result);

	return put(s, argument(s, i), part->pa_at, n < part->pa_length ? n : part->pa_length);
}

static long put_parts(const struct staging *s, const struct slot_part *parts, uint32_t n, uint64_t iovec, long result)
{
	uint64_t left = result > 0 ? (uint64_t)result : 0;
	struct iovec one;
	long error = 0;

	for (uint32_t i = 0; i < n && left && !error; i++) {
		uint64_t piece, shown;

		if (copyin(&one, iovec + i * sizeof(one), sizeof(one)))
			return -EFAULT;
		piece = left < one.iov_len ? left : one.iov_len;
		shown = piece < parts[i].pa_length ? piece : parts[i].pa_length;
		error = put(s, (uint64_t)one.iov_base, parts[i].pa_at, shown);
		left -= piece;
	}
	return error;
}

static long put_piece(const struct staging *s, const void *to, const struct slot_part *part, uint32_t room)
{
	return to ? put(s, (uint64_t)to, part->pa_at, part->pa_length < room ? part->pa_length : room) : 0;
}

/** A message, whose header the program has at `at`. */
static long put_one(const struct staging *s, uint64_t at, const struct staged_message *staged, const struct slot_message *message, long result)
{
	const uint64_t control = message->ms_control.pa_length;
	struct msghdr header;
	long error;

	if (copyin(&header, at, sizeof(header)))
		return -EFAULT;
	error = put_piece(s, header.msg_name, &message->ms_name, staged->name_room);
	if (!error)
		error = put_piece(s, header.msg_control, &message->ms_control, staged->control_room);
	if (!error)
		error = put_parts(s, (const struct slot_part *)(message + 1), message->ms_parts, (uint64_t)header.msg_iov, result);
	if (!error && message->ms_name.pa_length != staged->told.name)
		error = copyout(at + offsetof(struct msghdr, msg_namelen), &message->ms_name.pa_length, 4);
	if (!error && message->ms_control.pa_length != staged->told.control)
		error = copyout(at + offsetof(struct msghdr, msg_controllen), &control, sizeof(control));
	if (!error && message->ms_flags != staged->told.flags)
		error = copyout(at + offsetof(struct msghdr, msg_flags), &message->ms_flags, 4);
	return error;
}

static long put_message(const struct staging *s, unsigned i, const struct slot_argument *a, long result)
{
	const struct slot_message *message = message_at(s, a->ar_data);

	if (!message)
		return -EFAULT;
	return result < 0 ? 0 : put_one(s, argument(s, i), &s->messages[0], message, result);
}

static long put_messages(const struct staging *s, unsigned i, const struct slot_argument *a, long result)
{
	const struct slot_part *list = parts_at(s, a);
	long error = list ? 0 : -EFAULT;

	for (uint32_t n = 0; !error && n < moved_messages(s, i, a, result); n++) {
		const uint64_t at = argument(s, i) + n * sizeof(struct messages_header);
		const struct slot_message *message = message_at(s, list[n]);

		if (!message)
			return -EFAULT;
		if (s->args[i].ways & MEMORY_OUT)
			error = put_one(s, at, &s->messages[n], message, message->ms_length);
		if (!error && message->ms_length != s->messages[n].told.length)
			error = copyout(at + offsetof(struct messages_header, mh_length), &message->ms_length, 4);
	}
	return error;
}

static long put_argument(const struct staging *s, unsigned i, const struct slot_argument *a, long result)
{
	switch (a->ar_kind) {
	case ARGUMENT_BUFFER: return put_bytes(s, i, &a->ar_data, result);
	case ARGUMENT_BUFFERS:
		return parts_at(s, a) ? put_parts(s, parts_at(s, a), a->ar_parts, argument(s, i), result) : -EFAULT;
	case ARGUMENT_MESSAGE: return put_message(s, i, a, result);
	case ARGUMENT_MESSAGES: return put_messages(s, i, a, result);
	}
	return 0;
}

long stage_done(const struct staging *s, long result)
{
	long error = 0;

	for (unsigned i = 0; i < 6 && !error; i++) {
		const struct slot_argument a = s->slot->sl_arguments[i];

		if (is_the_programs(s, i, &a))
			error = put_argument(s, i, &a, result);
	}
	return error && result >= 0 ? error : result;
}
