/*
 * syscalls.h - what the files of the Node addon share, which are those of this folder (src/ is the library, libcr_syscalls): a system call as a message, from JavaScript's arguments to the kernel's answer.
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
#include "table/table.h"

#ifdef __cplusplus
extern "C" {
#endif

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
struct supervisor;

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
	struct supervisor *supervisors;   /* of programs */
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

/** quote(view, length): the text of bytes as trace shows them. (quote.c) */
napi_value quote(napi_env env, napi_callback_info info);

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

/** The direct port's put function. */
int direct_putport(lwkt_port_t port, lwkt_msg_t msg);

/** Makes the call and waits as long as the kernel does: for thread0, in place, and for helper threads. Answers the kernel's. */
long direct_blocking(const struct call *call, int held);

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

/* ---------------------------------------------------------------- supervisor.c */

/**
 * supervise(onBell, onEnded, waiting): the memory for programs' calls, and what is done with it: an object of src/native.ts, or -errno. onBell(): there are calls, and on_ended(pid): a
 * process that was watched has ended, both from the event loop. waiting: an Int32Array whose first is how many calls have been taken, and not begun; while there are some onBell comes
 * before each sleep of the loop.
 */
napi_value supervise(napi_env env, napi_callback_info info);
void supervisors_close(struct environment *environment);

/** Calls a function of JavaScript from the event loop; what it throws is an uncaught exception. */
void environment_call(struct environment *environment, napi_ref function, double a, double b);

#ifdef __cplusplus
}
#endif
#endif
