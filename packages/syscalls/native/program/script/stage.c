/* stage.c - what a call's arguments point to, into its slot: see stage.h. */
#define WITH_CALL_MEMORY
#include "stage.h"

#include <sys/socket.h>
#include <sys/uio.h>

#define PATH_SIZE 4096
#define KEPT 12288 /* of the slot, for what the supervisor puts in place of something */
#define CONTROL_SIZE 32768

/** Where so many bytes of the slot are; the room has been looked at. */
static uint32_t take_room(struct staging *s, uint32_t length)
{
	const uint32_t at = s->room;

	s->room = (at + length + 7) & ~7u;
	return at;
}

/** What is left, but for what is kept. */
static uint32_t room_left(const struct staging *s, uint32_t kept) { return s->room + kept < SLOT_SIZE ? SLOT_SIZE - s->room - kept : 0; }

/** Whether the kernel may be given it from the slot, unchanged as it is: it reads it, and nothing else, and at once. */
static bool may_be_bound(const struct argument_memory *m)
{
	return (m->ways & (MEMORY_IN | MEMORY_OUT | MEMORY_DATA)) == MEMORY_IN && m->by != BY_ALL;
}

/** Whether less of it is a legal answer: of data that is read or written, and of what the reply counts. */
static bool may_be_short(const struct staging *s, unsigned i)
{
	const struct argument_memory *m = memory(s, i);

	return m->by == BY_NEXT && !m->head && ((m->ways & MEMORY_REPLY) || call_moved((uint64_t)s->given.sm_number) != MOVES_NONE);
}

static void note(struct staging *s, unsigned i, uint8_t kind, uint32_t at, uint32_t length)
{
	const bool has_parts = kind == ARGUMENT_BUFFERS || kind == ARGUMENT_MESSAGES;
	struct staged *staged = &s->args[i];

	staged->kind = kind;
	staged->length = length;
	s->slot->sl_arguments[i] = (struct slot_argument){
		.ar_kind = kind,
		.ar_flags = (uint8_t)((staged->ways & MEMORY_IN ? ARGUMENT_IN : 0) | (staged->ways & MEMORY_OUT ? ARGUMENT_OUT : 0) |
	                              (staged->how & STAGED_SHORT ? ARGUMENT_SHORT : 0)),
		.ar_parts = has_parts ? (uint16_t)length : 0,
		.ar_data = {at, has_parts ? length * (uint32_t)sizeof(struct slot_part) : length},
	};
}

static void stage_path(struct staging *s, unsigned i)
{
	const uint32_t room = room_left(s, 0);
	const long n = user_string(in_slot(s, s->room), argument(s, i), room < PATH_SIZE ? room : PATH_SIZE);

	if (n < 0)
		return;
	s->args[i].how |= STAGED_BOUND;
	note(s, i, ARGUMENT_PATH, take_room(s, (uint32_t)n + 1), (uint32_t)n);
}

static void stage_bytes(struct staging *s, unsigned i, int64_t length)
{
	const struct argument_memory *m = memory(s, i);
	const uint32_t before = s->room, room = room_left(s, length > SMALL ? KEPT : 0);
	uint32_t at;

	if (length > room) {
		if (!may_be_short(s, i) || room < m->unit)
			return;
		length = room / m->unit * m->unit;
		s->args[i].how |= STAGED_SHORT;
	} else if (may_be_bound(m) && length <= SMALL) {
		s->args[i].how |= STAGED_BOUND;
	}
	at = take_room(s, (uint32_t)length);
	if (!(m->ways & MEMORY_REPLY) && copyin(in_slot(s, at), argument(s, i), (size_t)length)) { /* out memory, too: what nobody writes stays as it was */
		s->room = before;
		s->args[i].how = 0;
		return;
	}
	if (s->args[i].how & STAGED_SHORT)
		s->slot->sl_args[i + 1] = length / m->unit;
	note(s, i, ARGUMENT_BUFFER, at, (uint32_t)length);
}

/** The parts of an iovec, with their bytes if the kernel reads them. How many; -EFAULT. */
static long stage_parts(struct staging *s, struct slot_part *parts, uint64_t iovec, uint32_t count, bool reads, bool *is_short)
{
	struct iovec one;

	for (uint32_t n = 0; n < count; n++) {
		const uint32_t room = room_left(s, KEPT + 16 * count);
		uint32_t length;

		if (copyin(&one, iovec + n * sizeof(one), sizeof(one)))
			return -EFAULT;
		length = one.iov_len < room ? (uint32_t)one.iov_len : room;
		*is_short = length < one.iov_len;
		if (*is_short && !length)
			return n;
		parts[n] = (struct slot_part){take_room(s, length), length};
		if (reads && copyin(in_slot(s, parts[n].pa_at), (uint64_t)one.iov_base, length))
			return -EFAULT;
		if (*is_short)
			return n + 1;
	}
	return count;
}

static void stage_buffers(struct staging *s, unsigned i)
{
	const uint64_t count = argument(s, i + 1);
	const uint32_t before = s->room;
	bool is_short = false;
	uint32_t at;
	long n;

	if (count > BUFFERS_MAX)
		return;
	at = take_room(s, (uint32_t)count * sizeof(struct slot_part));
	n = stage_parts(s, (struct slot_part *)in_slot(s, at), argument(s, i), (uint32_t)count, s->args[i].ways & MEMORY_IN, &is_short);
	if (n < 0) {
		s->room = before;
		return;
	}
	if (is_short) {
		s->args[i].how |= STAGED_SHORT;
		s->slot->sl_args[i + 1] = n;
	}
	note(s, i, ARGUMENT_BUFFERS, at, (uint32_t)n);
}

/** A message's name or control data. false: can't be read. */
static bool stage_piece(struct staging *s, struct slot_part *part, const void *from, uint64_t length, bool reads)
{
	if (!from)
		length = 0;
	*part = (struct slot_part){take_room(s, (uint32_t)length), (uint32_t)length};
	return !reads || !copyin(in_slot(s, part->pa_at), (uint64_t)from, length);
}

/** A msghdr, and what it points to. Where it is in the slot; 0: it can't be read, or there is no room for it. */
static struct slot_part stage_one(struct staging *s, struct staged_message *staged, uint64_t from, bool reads, bool *is_short)
{
	const struct slot_part none = {0};
	const uint32_t before = s->room;
	struct slot_message *message;
	struct msghdr header;
	uint32_t at;
	long n = -EFAULT;

	if (copyin(&header, from, sizeof(header)) || header.msg_iovlen > BUFFERS_MAX || header.msg_namelen > SMALL || header.msg_controllen > CONTROL_SIZE)
		return none;
	if (room_left(s, KEPT) < sizeof(*message) + header.msg_iovlen * sizeof(struct slot_part) + header.msg_namelen + header.msg_controllen + 16)
		return none;
	at = take_room(s, sizeof(*message) + (uint32_t)header.msg_iovlen * sizeof(struct slot_part));
	message = (struct slot_message *)in_slot(s, at);
	message->ms_flags = (uint32_t)header.msg_flags;
	message->ms_length = 0;
	if (stage_piece(s, &message->ms_name, header.msg_name, header.msg_namelen, reads) &&
	    stage_piece(s, &message->ms_control, header.msg_control, header.msg_controllen, reads))
		n = stage_parts(s, (struct slot_part *)(message + 1), (uint64_t)header.msg_iov, (uint32_t)header.msg_iovlen, reads, is_short);
	if (n < 0) {
		s->room = before;
		return none;
	}
	message->ms_parts = (uint32_t)n;
	staged->name_room = message->ms_name.pa_length;
	staged->control_room = message->ms_control.pa_length;
	staged->told = (struct told){staged->name_room, staged->control_room, message->ms_flags, 0};
	return (struct slot_part){at, (uint32_t)(sizeof(*message) + (uint32_t)n * sizeof(struct slot_part))};
}

static void stage_message(struct staging *s, unsigned i)
{
	bool is_short = false;
	const struct slot_part where = stage_one(s, &s->messages[0], argument(s, i), s->args[i].ways & MEMORY_IN, &is_short);

	if (!where.pa_at)
		return;
	s->args[i].how |= is_short ? STAGED_SHORT : 0;
	note(s, i, ARGUMENT_MESSAGE, where.pa_at, where.pa_length);
}

/** As many as there is room for: to move fewer than was asked for is a legal answer. */
static void stage_messages(struct staging *s, unsigned i)
{
	const uint32_t count = (uint32_t)argument(s, i + 1), most = count < MESSAGES_MAX ? count : MESSAGES_MAX;
	const uint32_t before = s->room, at = take_room(s, most * sizeof(struct slot_part));
	struct slot_part *list = (struct slot_part *)in_slot(s, at);
	bool is_short = false;
	uint32_t n = 0;

	for (; n < most && !is_short; n++) {
		list[n] = stage_one(s, &s->messages[n], argument(s, i) + n * sizeof(struct messages_header), s->args[i].ways & MEMORY_IN, &is_short);
		if (!list[n].pa_at)
			break;
	}
	if (!n && count) {
		s->room = before;
		return;
	}
	if (n < count) {
		s->args[i].how |= STAGED_SHORT;
		s->slot->sl_args[i + 1] = n;
	}
	note(s, i, ARGUMENT_MESSAGES, at, n);
}

static void stage_argument(struct staging *s, unsigned i, int64_t length)
{
	s->args[i].ways = argument_ways(s, i);
	if (!argument(s, i)) {
		note(s, i, ARGUMENT_NULL, 0, 0);
		s->args[i].kind = ARGUMENT_NUMBER;
		return;
	}
	switch (memory(s, i)->by) {
	case BY_PATH: stage_path(s, i); break;
	case BY_BUFFERS: stage_buffers(s, i); break;
	case BY_MESSAGE: stage_message(s, i); break;
	case BY_MESSAGES: stage_messages(s, i); break;
	default:
		if (length >= 0)
			stage_bytes(s, i, length);
	}
}

/** Whatever may be long comes after all that is short. */
static bool is_last(const struct staging *s, unsigned i, int64_t length)
{
	return memory(s, i)->by == BY_BUFFERS || memory(s, i)->by == BY_MESSAGE || memory(s, i)->by == BY_MESSAGES || length > SMALL;
}

static void stage_number(struct slot *slot, const struct sysmsg *msg, unsigned nargs)
{
	slot->sl_number = msg->sm_number;
	slot->sl_nargs = nargs;
	slot->sl_result = 0;
	for (unsigned i = 0; i < 6; i++) {
		slot->sl_args[i] = slot->sl_given[i] = (int64_t)msg->sm_args[i];
		slot->sl_arguments[i] = (struct slot_argument){0};
	}
}

void stage_event(struct slot *slot, const char *path)
{
	static const struct sysmsg none = {.sm_number = -1};
	const size_t n = path ? strlen(path) : 0;

	stage_number(slot, &none, path ? 1 : 0);
	slot->sl_used = SLOT_DATA;
	if (!path)
		return;
	memcpy((char *)slot + SLOT_DATA, path, n + 1);
	slot->sl_arguments[0] = (struct slot_argument){.ar_kind = ARGUMENT_PATH, .ar_flags = ARGUMENT_IN, .ar_data = {SLOT_DATA, (uint32_t)n}};
	slot->sl_used += (uint32_t)(n + 8) & ~7u;
}

const struct call_memory *memory_of(int64_t number)
{
	if (number < 0 || (uint64_t)number >= sizeof(call_memory) / sizeof(call_memory[0]))
		return NULL;
	return call_memory[number].n ? &call_memory[number] : NULL;
}

void stage_call(struct staging *s, struct slot *slot, const struct sysmsg *msg)
{
	memset(s, 0, offsetof(struct staging, messages)); /* those are many, and seldom needed */
	s->slot = slot;
	s->given = *msg;
	s->room = SLOT_DATA;
	s->what = memory_of(msg->sm_number);
	stage_number(slot, msg, s->what ? s->what->n : 6);
	for (unsigned last = 0; s->what && last < 2; last++)
		for (unsigned i = 0; i < s->what->n; i++) {
			const int64_t length = memory(s, i)->by && argument(s, i) ? argument_length(s->what, msg, i) : 0;

			if (memory(s, i)->by && is_last(s, i, length) == last)
				stage_argument(s, i, length);
		}
	slot->sl_used = s->room;
}

struct slot_message *message_at(const struct staging *s, struct slot_part data)
{
	struct slot_message *message = (struct slot_message *)in_slot(s, data.pa_at);

	if (data.pa_at % 8 || !fits(data.pa_at, sizeof(*message)) || message->ms_parts > BUFFERS_MAX ||
	    !fits(data.pa_at + sizeof(*message), message->ms_parts * sizeof(struct slot_part)))
		return NULL;
	return message;
}
