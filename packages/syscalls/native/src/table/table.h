/*
 * table.h - the table of system calls: how each may wait, and what its arguments are. Its rows are generated from table/calls/.
 *
 * nowait.h says how a call of a class is made without waiting, operation.h (ring/) which of them io_uring makes.
 */
#ifndef SYSCALLS_TABLE_H
#define SYSCALLS_TABLE_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A system call, as the kernel takes it. */
struct call {
	long number;
	long args[6];
};

static inline struct call call_of(long number, const long *args)
{
	struct call call = {number, {args[0], args[1], args[2], args[3], args[4], args[5]}};

	return call;
}

enum arg_kind {
	ARG_INT,                /* 32 bits, signed or not */
	ARG_FD,                 /* a descriptor, or AT_FDCWD */
	ARG_LONG,               /* 64 bits */
	ARG_LENGTH,             /* bytes of the buffer before, but for .size at its beginning that are not counted */
	ARG_COUNT,              /* structs of .size bytes in the buffer before */
	ARG_BITS,               /* bits of the mask in the buffer before */
	ARG_SELECT_COUNT,       /* descriptors in the sets that follow: 1,024 at most */
	ARG_CHOICE,             /* one of the call's commands (command_rows) */
	ARG_NULL,               /* a pointer nobody uses: null */
	ARG_MESSAGE_IN,         /* [address, buffers, control, header]: a struct msghdr; messages.c */
	ARG_MESSAGE_OUT,
	ARG_MESSAGES_IN,        /* an array of them; the next argument is how many */
	ARG_MESSAGES_OUT,
	ARG_IOV_OUT,            /* an array of buffers */
	ARG_IOV_IN,
	ARG_IOV_COUNT,          /* how many of them, or of the messages */
	/* Pointers, from here to the end. _NULLABLE: or null. */
	ARG_PATH,               /* a string or bytes; NUL-terminated for the kernel */
	ARG_PATH_NULLABLE,
	ARG_OUT,                /* a buffer the kernel fills; the next argument is its length or count */
	ARG_OUT_NULLABLE,
	ARG_IN,                 /* a buffer the kernel reads */
	ARG_IN_NULLABLE,
	ARG_INOUT,              /* both */
	ARG_LENGTH_POINTER,     /* an int32 in a buffer of its own: in, the room in the buffer before; out, what was used */
	ARG_STRUCT_OUT,         /* a buffer of .size bytes at least */
	ARG_STRUCT_OUT_NULLABLE,
	ARG_STRUCT_IN,
	ARG_STRUCT_IN_NULLABLE,
	ARG_STRUCT_INOUT,
	ARG_STRUCT_INOUT_NULLABLE,
	ARG_IN_COUNTED,         /* a buffer; the argument before is its length in pieces of .size bytes */
	ARG_OUT_COUNTED,
	ARG_PAGES_OUT,          /* a byte for each page of the buffer before */
	ARG_SIZED,              /* a struct that says in its own word at .size how long it is */
	ARG_FILE_HANDLE,        /* struct file_handle, whose first word says how many bytes it has */
	ARG_FCNTL,              /* what the command asks for: an int, or a struct */
	ARG_IOCTL,              /* what the request asks for: an int, or a struct */
	ARG_COMMAND             /* what the command asks for, which is argument .size (command_rows) */
};

#define ARG_POINTERS_FIRST ARG_PATH
#define ARG_POINTERS_LAST ARG_COMMAND

enum block_class {
	BLOCK_NONE, /* no such call */
	BLOCK_NEVER,
	BLOCK_READ,
	BLOCK_WRITE,
	BLOCK_RECV,
	BLOCK_SEND,
	BLOCK_RECVMSG,
	BLOCK_SENDMSG,
	BLOCK_ACCEPT,
	BLOCK_CONNECT,
	BLOCK_OPEN,
	BLOCK_POLL,
	BLOCK_EPOLL,
	BLOCK_SELECT,
	BLOCK_LOCK,
	BLOCK_SPLICE,
	BLOCK_WAIT,
	BLOCK_OFFLOAD, /* for others, without end perhaps */
	BLOCK_DEVICE,  /* for a device, and ends by itself */
	BLOCK_SLEEP,
	BLOCK_SIGNAL   /* for a signal of its own thread's */
};

/** A call that marshal.c (the Node addon's) can make. */
struct call_row {
	const char *name;
	enum block_class block;
	int nargs;
	struct {
		enum arg_kind kind;
		uint32_t size;
	} args[6];
};

/** How a call may wait. Every call has a class, those too that have no row: programs make them. */
enum block_class call_class(long number);

/** The row of a call, or NULL for a number that has none. */
const struct call_row *call_row(long number);

/** How many bytes the struct has that fcntl's, ioctl's or another call's command takes as argument i; 0: an int; -1: a command that is
 *  not known. */
int call_argument_size(const struct call_row *row, long number, const long *args, int i);

/** The same of a command alone, of a call that is neither fcntl nor ioctl. */
int call_command_size(long number, long command);

#ifdef __cplusplus
}
#endif
#endif
