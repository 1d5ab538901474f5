/* give.c - a call as the supervisor wants it to be made: which arguments the kernel has from the slot. See stage.h. */
#include "stage.h"

#include <sys/socket.h>
#include <sys/uio.h>

/** Whether bytes in the slot are other ones than the program's. What of those can't be read the kernel finds. */
static bool differs(const struct staging *s, struct slot_part part, uint64_t from, uint64_t length)
{
	const uint64_t n = part.pa_length < length ? part.pa_length : length;
	const long same = fits(part.pa_at, n) ? user_same((const void *)from, in_slot(s, part.pa_at), n) : 0;

	return same >= 0 && (uint64_t)same < n;
}

static bool parts_differ(const struct staging *s, const struct slot_part *parts, uint32_t n, uint64_t iovec)
{
	struct iovec one;

	for (uint32_t i = 0; i < n; i++)
		if (!copyin(&one, iovec + i * sizeof(one), sizeof(one)) && differs(s, parts[i], (uint64_t)one.iov_base, one.iov_len))
			return true;
	return false;
}

/** Room of the slot for what only this call needs, behind all that the supervisor has there. NULL: there is none. */
static void *room_for(const struct staging *s, uint32_t *room, uint64_t size)
{
	const uint64_t at = (*room + 7) & ~7ull;

	if (!fits(at, size))
		return NULL;
	*room = (uint32_t)(at + size);
	return in_slot(s, (uint32_t)at);
}

/** An iovec of parts. NULL: there is no room, or a part lies elsewhere. */
static struct iovec *build_iovec(const struct staging *s, uint32_t *room, const struct slot_part *parts, uint32_t n)
{
	struct iovec *iovec = room_for(s, room, n * sizeof(*iovec));

	for (uint32_t i = 0; iovec && i < n; i++) {
		if (!fits(parts[i].pa_at, parts[i].pa_length))
			return NULL;
		iovec[i] = (struct iovec){in_slot(s, parts[i].pa_at), parts[i].pa_length};
	}
	return iovec;
}

/** A msghdr with what is in the slot. Its buffers are those of the program's own, which is at `at`, where the supervisor has left them as they were. 0 or -EFAULT. */
static long fill_header(const struct staging *s, const struct slot_message *message, bool changed, uint64_t at, uint32_t *room, struct msghdr *header)
{
	const struct slot_part *parts = (const struct slot_part *)(message + 1);
	struct msghdr own = {0};

	if (!message || !fits(message->ms_name.pa_at, message->ms_name.pa_length) || !fits(message->ms_control.pa_at, message->ms_control.pa_length))
		return -EFAULT;
	*header = (struct msghdr){.msg_namelen = message->ms_name.pa_length, .msg_controllen = message->ms_control.pa_length, .msg_flags = (int)message->ms_flags};
	header->msg_name = header->msg_namelen ? in_slot(s, message->ms_name.pa_at) : NULL;
	header->msg_control = header->msg_controllen ? in_slot(s, message->ms_control.pa_at) : NULL;
	if (!changed && (copyin(&own, at, sizeof(own)) || own.msg_iovlen < message->ms_parts))
		return -EFAULT;
	if (changed || parts_differ(s, parts, message->ms_parts, (uint64_t)own.msg_iov)) {
		header->msg_iovlen = message->ms_parts;
		header->msg_iov = build_iovec(s, room, parts, message->ms_parts);
		return header->msg_iov ? 0 : -EFAULT;
	}
	header->msg_iov = own.msg_iov;
	header->msg_iovlen = own.msg_iovlen;
	return 0;
}

static long give_message(struct staging *s, unsigned i, const struct slot_argument *a, uint32_t *room, struct sysmsg *call)
{
	struct msghdr *header = room_for(s, room, sizeof(*header));
	const long error = header ? fill_header(s, message_at(s, a->ar_data), a->ar_flags & ARGUMENT_CHANGED, argument(s, i), room, header) : -EFAULT;

	if (error)
		return error;
	s->header = (uint32_t)((char *)header - (char *)s->slot);
	call->sm_args[i] = (uint64_t)header;
	return 0;
}

static long give_messages(struct staging *s, unsigned i, const struct slot_argument *a, uint32_t *room, struct sysmsg *call)
{
	const struct slot_part *list = parts_at(s, a);
	struct messages_header *headers = list && i < 5 ? room_for(s, room, a->ar_parts * sizeof(*headers)) : NULL;
	long error = headers ? 0 : -EFAULT;

	for (uint32_t n = 0; n < a->ar_parts && !error; n++) {
		const uint64_t own = argument(s, i) + n * sizeof(*headers);

		headers[n].mh_length = 0;
		error = fill_header(s, message_at(s, list[n]), a->ar_flags & ARGUMENT_CHANGED, own, room, &headers[n].mh_header);
	}
	if (error)
		return error;
	s->header = (uint32_t)((char *)headers - (char *)s->slot);
	call->sm_args[i] = (uint64_t)headers;
	if ((uint32_t)call->sm_args[i + 1] > a->ar_parts)
		call->sm_args[i + 1] = a->ar_parts;
	return 0;
}

static long give_buffers(const struct staging *s, unsigned i, const struct slot_argument *a, uint32_t *room, struct sysmsg *call)
{
	const struct slot_part *parts = parts_at(s, a);
	struct iovec *iovec = parts && i < 5 ? build_iovec(s, room, parts, a->ar_parts) : NULL;

	if (!iovec)
		return -EFAULT;
	call->sm_args[i] = (uint64_t)iovec;
	call->sm_args[i + 1] = a->ar_parts;
	return 0;
}

/** The argument is in the slot. 0 or -EFAULT. */
static long give(struct staging *s, unsigned i, const struct slot_argument *a, uint32_t *room, struct sysmsg *call)
{
	const uint32_t at = a->ar_data.pa_at, length = a->ar_data.pa_length;

	switch (a->ar_kind) {
	case ARGUMENT_PATH:
		if (!fits(at, (uint64_t)length + 1))
			return -EFAULT;
		*in_slot(s, at + length) = 0;
		break;
	case ARGUMENT_BUFFER:
		if (!fits(at, length))
			return -EFAULT;
		break;
	case ARGUMENT_BUFFERS: return give_buffers(s, i, a, room, call);
	case ARGUMENT_MESSAGE: return give_message(s, i, a, room, call);
	case ARGUMENT_MESSAGES: return give_messages(s, i, a, room, call);
	case ARGUMENT_NULL: call->sm_args[i] = 0; return 0;
	default: return 0;
	}
	call->sm_args[i] = (uint64_t)in_slot(s, at);
	return 0;
}

/** Whether an argument that the supervisor has not said to be changed goes to the kernel from the slot. */
static bool goes_from_slot(const struct staging *s, unsigned i, const struct slot_argument *a)
{
	const struct staged *staged = &s->args[i];

	if (a->ar_kind != staged->kind || s->slot->sl_args[i] != (int64_t)argument(s, i))
		return false;
	if (staged->how & STAGED_BOUND)
		return true;
	switch (staged->ways & MEMORY_IN ? staged->kind : ARGUMENT_NUMBER) {
	case ARGUMENT_BUFFER: return differs(s, a->ar_data, argument(s, i), staged->length);
	case ARGUMENT_BUFFERS:
		return a->ar_parts == staged->length && parts_at(s, a) && parts_differ(s, parts_at(s, a), a->ar_parts, argument(s, i));
	case ARGUMENT_MESSAGE:
	case ARGUMENT_MESSAGES: return true;
	}
	return false;
}

/** An argument that was cut goes to the kernel whole, where nobody has said otherwise. */
static void give_whole(const struct staging *s, unsigned i, struct sysmsg *call)
{
	const struct staged *staged = &s->args[i];
	const int64_t told = staged->kind == ARGUMENT_BUFFER ? staged->length / memory(s, i)->unit : staged->length;

	if ((staged->how & STAGED_SHORT) && i < 5 && (int64_t)call->sm_args[i + 1] == told)
		call->sm_args[i + 1] = argument(s, i + 1);
}

/** Whether what the kernel is given of the slot ends there, by the call's own counts: behind it are others'. */
static bool all_fits(const struct staging *s, const struct sysmsg *call)
{
	const struct call_memory *what = memory_of(call->sm_number);

	for (unsigned i = 0; what && i < what->n; i++) {
		const struct slot_argument *a = &s->slot->sl_arguments[i];
		const int64_t length = (s->args[i].how & STAGED_SLOT) && a->ar_kind == ARGUMENT_BUFFER && what->args[i].by ? argument_length(what, call, i) : 0;

		if (length > 0 && !fits(a->ar_data.pa_at, (uint64_t)length))
			return false;
	}
	return true;
}

long stage_make(struct staging *s, struct sysmsg *call)
{
	const struct slot *slot = s->slot;
	const bool same = is_same_call(s);
	uint32_t room = slot->sl_used;
	long error = 0;

	*call = s->given;
	call->sm_number = slot->sl_number;
	s->header = 0;
	for (unsigned i = 0; i < 6; i++)
		call->sm_args[i] = (uint64_t)slot->sl_args[i];
	for (unsigned i = 0; i < 6 && !error; i++) {
		const struct slot_argument a = slot->sl_arguments[i];

		s->args[i].how &= (uint8_t)~STAGED_SLOT;
		if ((a.ar_flags & ARGUMENT_CHANGED) || (same && goes_from_slot(s, i, &a))) {
			s->args[i].how |= STAGED_SLOT;
			error = give(s, i, &a, &room, call);
		} else if (same && s->args[i].kind != ARGUMENT_MESSAGE) {
			give_whole(s, i, call);
		}
	}
	return error || all_fits(s, call) ? error : -EFAULT;
}
