/*
 * arguments.c - what the pointers of a marshalled call point at: how many bytes, and copies of it, in one block, for calls that are made
 * while JavaScript runs on (copied.h). Not for iovecs, whose data copied.c copies as one piece.
 *
 * Invariant: sizes are those that marshal.c has checked against the buffers; they are read from the marshalled words alone.
 */
#include <stdlib.h>
#include <string.h>

#include "syscalls.h"

#define ALIGNMENT 16

static int is_pointer(enum arg_kind kind) { return kind >= ARG_POINTERS_FIRST && kind <= ARG_POINTERS_LAST; }

static int is_written(enum arg_kind kind)
{
	switch (kind) {
	case ARG_OUT:
	case ARG_OUT_NULLABLE:
	case ARG_INOUT:
	case ARG_LENGTH_POINTER:
	case ARG_STRUCT_OUT:
	case ARG_STRUCT_OUT_NULLABLE:
	case ARG_STRUCT_INOUT:
	case ARG_STRUCT_INOUT_NULLABLE:
	case ARG_FILE_HANDLE:
	case ARG_FCNTL:
	case ARG_IOCTL:
	case ARG_COMMAND:
	case ARG_OUT_COUNTED:
	case ARG_PAGES_OUT:
		return 1;
	default:
		return 0;
	}
}

/** What the length argument after a buffer says. */
static size_t size_by_next(const struct call_row *row, const long *args, int i)
{
	if (i + 1 >= row->nargs)
		return 0;
	switch (row->args[i + 1].kind) {
	case ARG_LENGTH: return (size_t)args[i + 1] + row->args[i + 1].size;
	case ARG_COUNT: return (size_t)args[i + 1] * row->args[i + 1].size;
	case ARG_BITS: return (size_t)(args[i + 1] + 63) / 64 * 8;
	case ARG_LENGTH_POINTER: return args[i + 1] == 0 ? 0 : (size_t)*(const int *)args[i + 1];
	default: return row->args[i].size;
	}
}

static size_t size_of(const struct call_row *row, long number, const long *args, int i)
{
	const char *data = (const char *)args[i];
	uint32_t length;

	if (!is_pointer(row->args[i].kind) || data == NULL)
		return 0;
	switch (row->args[i].kind) {
	case ARG_PATH:
	case ARG_PATH_NULLABLE:
		return strlen(data) + 1;
	case ARG_OUT:
	case ARG_IN:
	case ARG_INOUT:
	case ARG_OUT_NULLABLE:
	case ARG_IN_NULLABLE:
		return size_by_next(row, args, i);
	case ARG_LENGTH_POINTER:
		return sizeof(int);
	case ARG_FILE_HANDLE:
		memcpy(&length, data, sizeof length);
		return FILE_HANDLE_HEADER + (size_t)length;
	case ARG_SIZED:
		memcpy(&length, data + row->args[i].size, sizeof length);
		return length > SIZED_MINIMUM ? length : SIZED_MINIMUM;
	case ARG_PAGES_OUT:
		return pages_of(args[i - 1]);
	case ARG_IN_COUNTED:
	case ARG_OUT_COUNTED:
		return (size_t)args[i - 1] * row->args[i].size;
	case ARG_FCNTL:
	case ARG_IOCTL:
	case ARG_COMMAND:
		return (size_t)call_argument_size(row, number, args, i);
	default:
		return row->args[i].size;
	}
}

static size_t aligned(size_t size) { return (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1); }

int arguments_copy(const struct call_row *row, long number, long *args, size_t *sizes, char **block)
{
	size_t total = 0;
	char *to;

	for (int i = 0; i < row->nargs; i++)
		total += aligned(sizes[i] = size_of(row, number, args, i));
	*block = to = malloc(total ? total : 1);
	if (to == NULL)
		return -1;
	for (int i = 0; i < row->nargs; i++) {
		if (sizes[i] == 0)
			continue;
		memcpy(to, (const void *)args[i], sizes[i]);
		args[i] = (long)to;
		to += aligned(sizes[i]);
	}
	return 0;
}

int arguments_have_output(const struct call_row *row, const size_t *sizes)
{
	for (int i = 0; i < row->nargs; i++)
		if (is_written(row->args[i].kind) && sizes[i] > 0)
			return 1;
	return 0;
}

void arguments_deliver(const struct call_row *row, long number, const long *from, const size_t *sizes, const long *to)
{
	/* Lengths by reference go last: until then they say how much room the buffer before has. */
	for (int lengths = 0; lengths < 2; lengths++) {
		for (int i = 0; i < row->nargs; i++) {
			if (!is_written(row->args[i].kind) || (row->args[i].kind == ARG_LENGTH_POINTER) != lengths || sizes[i] == 0)
				continue;
			size_t room = size_of(row, number, to, i);
			memcpy((void *)to[i], (const void *)from[i], sizes[i] < room ? sizes[i] : room);
		}
	}
}
