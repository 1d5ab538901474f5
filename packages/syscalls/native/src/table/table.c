/* table.c - see table.h. */
#include "table/table.h"

#include <fcntl.h>
#include <stddef.h>

#include "table/generated/calls.h"

enum block_class call_class(long number)
{
	return number >= 0 && number <= CALL_NUMBER_MAX ? (enum block_class)call_classes[number] : BLOCK_NONE;
}

const struct call_row *call_row(long number)
{
	return number >= 0 && number <= CALL_NUMBER_MAX && call_rows[number].name ? &call_rows[number] : NULL;
}

static int fcntl_size(long command)
{
	switch ((int)command) {
	case F_DUPFD: case F_GETFD: case F_SETFD: case F_GETFL: case F_SETFL: case 8: case 9: case 10: case 11:
	case 1024: case 1025: case 1026: case 1030: case 1031: case 1032: case 1033: case 1034:
		return 0;
	case 5: case 6: case 7: case 36: case 37: case 38:
		return sizeof(struct flock);
	case 15: case 16: case 1035: case 1036: case 1037: case 1038:
		return 8;
	default:
		return -1;
	}
}

static int ioctl_size(long request)
{
	for (size_t i = 0; i < sizeof(ioctl_rows) / sizeof(*ioctl_rows); i++)
		if (ioctl_rows[i].request == (uint32_t)request)
			return ioctl_rows[i].size;
	return -1;
}

int call_command_size(long number, long command)
{
	for (size_t i = 0; i < sizeof(command_rows) / sizeof(*command_rows); i++)
		if (command_rows[i].number == number && command_rows[i].command == (int)command)
			return command_rows[i].size;
	return -1;
}

int call_argument_size(const struct call_row *row, long number, const long *args, int i)
{
	switch (row->args[i].kind) {
	case ARG_FCNTL: return fcntl_size(args[1]);
	case ARG_IOCTL: return ioctl_size(args[1]);
	default: return call_command_size(number, args[row->args[i].size]);
	}
}
