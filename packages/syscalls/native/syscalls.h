/*
 * syscalls.h - what the files of this folder share: a system call as a message, from JavaScript's arguments to the kernel's answer.
 *
 * The way of one call: marshal.c turns JavaScript values into the six words of curthread's sysmsg and sends it to the environment's
 * direct port; direct.c (that port's put function) makes the call without ever waiting, or answers what has to be waited for. The
 * waiting is JavaScript's (src/port/complete.ts), with ring*.c for what io_uring does, and without one readiness.c for descriptors and
 * offload.c for helper threads.
 *
 * Invariant: nothing in marshal.c and direct.c waits, so the pointers in a sysmsg are valid for as long as it is under way.
 */
#ifndef LIBCR_SYSCALLS_H
#define LIBCR_SYSCALLS_H

#define NAPI_VERSION 9
#include <node_api.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <uv.h>

#include "lwkt.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---------------------------------------------------------------- the table (generated/table.h) */

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
	BLOCK_OFFLOAD,
	BLOCK_SLEEP
};

struct call_row {
	const char *name;
	enum block_class block;
	int nargs;
	struct {
		enum arg_kind kind;
		uint32_t size;
	} args[6];
};

/** The row of a call, or NULL for a number that has none. */
const struct call_row *call_row_of(double number);

/* ---------------------------------------------------------------- answers */

/* Below the kernel's -4095..-1: what the caller has to do. src/port/answers.ts has the same numbers. */
#define ANSWER_READABLE (-5001)  /* wait until the descriptor is readable, then again */
#define ANSWER_WRITABLE (-5002)  /* … writable */
#define ANSWER_OFFLOAD (-5003)   /* make it on a helper thread */
#define ANSWER_SLEEP (-5004)     /* a timer */
#define ANSWER_POLL (-5005)      /* wait for one of several descriptors, or the timeout */
#define ANSWER_CONNECTING (-5006) /* wait until writable, then again */
#define ANSWER_RECEIVE (-5007)   /* wait for data of a stream socket, and take it: ring_receive */
#define ANSWER_BAD_TYPE (-6000)  /* minus the argument's index: not of its type */
#define ANSWER_BAD_RANGE (-6100) /* … out of its range */
#define ANSWER_BAD_NUL (-6200)   /* … a path with a NUL byte */

/* Slots of environment.status, a Float64Array that JavaScript shares. */
#define STATUS_DONE 0 /* with READABLE, WRITABLE and OFFLOAD: bytes moved already */
#define STATUS_HELD 1 /* with OFFLOAD: a descriptor that the call continues from, or -1 */
#define STATUS_SLOTS 4

#define COMPLETIONS_AT_ONCE 256

/* ---------------------------------------------------------------- one environment (main thread or Worker) */

#define FILE_HANDLE_HEADER 8 /* handle_bytes, handle_type */
#define SIZED_MINIMUM 64     /* perf_event_attr's first size, which 0 stands for; no other struct's is larger */

/** Bytes of mincore's answer for so many bytes of memory. */
static inline size_t pages_of(long length) { return ((size_t)length + 4095) / 4096; }

#define PATH_BYTES 4096 /* PATH_MAX, the NUL included */
#define PATHS 4         /* strings that a call has at most: mount */
#define MESSAGES 64     /* that sendmmsg and recvmmsg take at most */
#define IOV_COUNT 1024  /* IOV_MAX */

struct readiness;
struct offload;
struct ring;

/** Used by its environment's thread only. */
struct environment {
	napi_env env;
	const struct lwkt_api *api;
	uv_loop_t *loop;
	double *status;
	struct lwkt_port direct;          /* the bottom of every chain of ports */
	char path[PATHS][PATH_BYTES + 1];     /* of the call under way: in-place calls never overlap */
	struct iovec iov[IOV_COUNT];
	struct mmsghdr *messages;         /* MESSAGES of them; NULL until the first one */
	struct readiness *readiness;      /* NULL until the first wait */
	struct offload *offload;          /* NULL until the first one */
	struct ring *ring;                /* NULL where there is none: then the two above do its part */
	double *completions;              /* a Float64Array that JavaScript shares: number and result of COMPLETIONS_AT_ONCE operations */
	napi_ref on_ready;                /* onReady(fd, revents) */
	napi_ref on_done;                 /* onDone(id, result) */
	napi_ref on_completions;          /* onCompletions(count) */
	napi_async_context async_context;
	int open_handles;                 /* libuv handles that are not closed yet */
	int closing;
	napi_async_cleanup_hook_handle cleanup;
};

void environment_handle_closed(struct environment *environment);

/* ---------------------------------------------------------------- marshal.c */

/** A call's arguments as the kernel takes them. */
struct marshalled {
	const struct call_row *row;
	long number;
	long args[6];
	int npaths;
	int iov_count;
	int message_count;
	char *headers[MESSAGES]; /* where messages_deliver writes what the kernel has said of each */
};

/** Turns values[0..nargs) into words. Answers 0, an ANSWER_BAD_* or a -errno (ENAMETOOLONG, ENOSYS, EINVAL). */
int marshal(struct environment *environment, double number, napi_value *values, size_t nvalues, struct marshalled *out);

/** Pointer and length of a buffer, typed array or DataView. Answers 0, or -1 where it is none of them. */
int buffer_of(napi_env env, napi_value value, char **data, size_t *length);

/** How many bytes the struct has that fcntl's, ioctl's or another call's command takes as argument i; 0: an int; -1: a command that is
 *  not made here. */
int argument_size(const struct call_row *row, long number, const long *args, int i);

/* ---------------------------------------------------------------- messages.c */

/** [address, buffers, control, header] as the next struct msghdr of a call. Answers 0 or an ANSWER_BAD_*. */
int message_of(struct environment *environment, napi_value value, struct marshalled *out, int i);

/** An array of them. */
int messages_of(struct environment *environment, napi_value value, struct marshalled *out, int i);

/** Writes what the kernel has said of each message into its header. The buffers have to be what they were for message_of. */
void messages_deliver(const struct environment *environment, const struct marshalled *call);

/** The buffers of an array, after those that the call has already. Answers 0 or an ANSWER_BAD_*. */
int iov_append(struct environment *environment, napi_value value, struct marshalled *out, int i);

/* ---------------------------------------------------------------- arguments.c */

/** Copies what the pointers of a call point at into one block, and makes args point there. sizes gets the bytes of each. 0, or -1 for want
 *  of memory. */
int arguments_copy(const struct call_row *row, long number, long *args, size_t *sizes, char **block);

/** Whether the kernel writes to any of what has been copied. */
int arguments_have_output(const struct call_row *row, const size_t *sizes);

/** Copies what the kernel has written in the block (from, sizes) to the buffers of the call (to). */
void arguments_deliver(const struct call_row *row, long number, const long *from, const size_t *sizes, const long *to);

/* ---------------------------------------------------------------- direct.c */

/** Whether a call has its data in an iovec: readv and its like. */
int call_is_vector(long number);

/** Whether a call reads or writes at an offset of its own: pread64 and its like; its fourth argument then. */
int call_has_offset(long number, const long *args);

/** The direct port's put function. */
int direct_putport(lwkt_port_t port, lwkt_msg_t msg);

/** Makes the call and waits as long as the kernel does: for thread0, in place, and for helper threads. Answers the kernel's. */
long direct_blocking(const struct call_row *row, const struct sysmsg *message, int held);

/* ---------------------------------------------------------------- readiness.c */

/** Wait for events (POLL*) of fd: once. Replaces what was asked before. Answers 0 or -errno; -EPERM where fd is always ready. */
int readiness_watch(struct environment *environment, int fd, uint32_t events);
/** Whether fd can be waited for at all: a regular file can't. */
int readiness_possible(struct environment *environment, int fd);
/** Forget fd. */
void readiness_forget(struct environment *environment, int fd);
/** Whether the event loop is to stay alive for it. */
void readiness_ref(struct environment *environment, int on);
void readiness_close(struct environment *environment);

/* ---------------------------------------------------------------- offload.c */

/** Hand the call to a helper thread; args are copied. Answers an id > 0 or -errno. */
double offload_start(struct environment *environment, const struct marshalled *call, long done, int held);
/** Copy what the kernel wrote into the caller's buffers. values as offload_start's call. Answers 0, or -1 where they have become too
 *  small. Frees the job. */
int offload_finish(struct environment *environment, double id, napi_value *values, size_t nvalues);
/** Nobody waits for it any more. */
void offload_abandon(struct environment *environment, double id);
void offload_close(struct environment *environment);
/** This process has a POSIX lock. */
void offload_note_posix_lock(void);

/* ---------------------------------------------------------------- ring*.c */

/** Makes the environment's ring. Answers 0, or -errno and in `why` the reason in words. */
int ring_open(struct environment *environment, char *why, size_t size);
/** Ends it: what is under way is cancelled. Waits for a second at most, for operations that still have memory. */
void ring_close(struct environment *environment);
/** The operations that this kernel lacks, separated by commas; empty where there is no ring. */
void ring_names_missing(const struct environment *environment, char *text, size_t size);

/**
 * Gives the call to the ring; its arguments are copied. done: bytes moved before. Answers a number > 0 that onCompletions tells; -errno; or
 * ANSWER_OFFLOAD where the ring does not know the call.
 */
double ring_submit(struct environment *environment, const struct marshalled *call, long done);
/**
 * Waits for events (POLL*) of fd, nanoseconds at most (below 0: for ever); fd -1: only for the time. The result is what has happened,
 * -ETIME, -EBADF where fd has been closed, or another -errno. In the background it does not keep the loop alive. There must be a ring.
 */
double ring_poll(struct environment *environment, int fd, uint32_t events, double nanoseconds, int background);
/** Whether a wait keeps the loop alive changes. */
void ring_background(struct environment *environment, double id, int on);
/** Whether ring_receive can be used. */
int ring_receives(const struct environment *environment);
/**
 * Receives `length` bytes at most from a stream socket, waiting until there are some. Answers a number > 0, whose result is that of recv(2) (ENOBUFS:
 * there is something, and no memory of the ring's free for it); or ANSWER_READABLE where the ring can't.
 */
double ring_receive(struct environment *environment, int fd, size_t length);
/** Copies what has been received, and what there is besides, as far as there is room. Answers the bytes, or ANSWER_BAD_RANGE where the buffer has become too small. Ends the
 *  operation. */
long ring_take(struct environment *environment, double id, char *data, size_t length);
/** Ends a receive that is under way. Answers -ECANCELED if it has taken nothing; else what it has come to, and the data as ring_take. */
long ring_recall(struct environment *environment, double id, char *data, size_t length);
/** As offload_finish, for what ring_submit has answered. */
int ring_finish(struct environment *environment, double id, napi_value *values, size_t nvalues);
/** Nobody waits for it any more. */
void ring_abandon(struct environment *environment, double id);
/** The descriptors from first to last are about to be closed: the waits for them end with -EBADF, and what was begun on them goes to the files
 *  that they stand for now. There must be a ring. */
void ring_closing(struct environment *environment, unsigned first, unsigned last);

/** Calls a function of JavaScript from the event loop; what it throws is an uncaught exception. */
void environment_call(struct environment *environment, napi_ref function, double a, double b);

#ifdef __cplusplus
}
#endif
#endif
