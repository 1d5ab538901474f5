/*
 * trace.h - a system call as strace shows it: what the files share that make its text.
 *
 * Arguments are shown in order: those before the first that the kernel writes when the call comes, the others when it has returned. The program's memory may not be
 * there, or change under way: all of it is read by copyin, and where that fails the address is shown.
 */
#ifndef PROGRAM_TRACE_H
#define PROGRAM_TRACE_H

#include "program.h"

#define TRACE_NEXT "\x1f" /* in front of each argument */
#define DATA_SHOWN 32     /* bytes of data, elements of a list */

struct call_argument {
	uint8_t format; /* FORMAT_ */
	uint8_t set;    /* SET_, of flags */
	uint8_t out;    /* the kernel writes it */
};

struct call_arguments {
	uint8_t n;
	struct call_argument args[6];
};

struct flag_name {
	const char *name;
	uint32_t value;
};

/** mask: of the bits that are one small number: ~0u for a set of names, 0 for bits alone. */
struct flag_names {
	const struct flag_name *names;
	unsigned n;
	uint32_t mask;
	const char *unknown;
};

#include "generated/arguments.h"

struct traced {
	uint64_t number;
	uint64_t values[6];
	long result;
	int32_t length; /* what an address' length was before the call */
	int64_t offset; /* and sendfile's offset */
};

#define TEXT_SIZE 6144
#define RESULT_SIZE 1024               /* of that, for what is shown behind the arguments */
#define OUT_SIZE (2 * TEXT_SIZE + 256) /* JSON has a backslash more for some characters */

/**
 * A call under way: one for each lwp, as others make calls meanwhile. Its arguments have TRACE_NEXT between them. The lwp's own, but for what line.c says.
 */
struct trace_line {
	uint64_t began; /* rows_clock(), where the trace is a supervisor's */
	int tid; /* a fork's child has its parent's line, which is not its own */
	struct traced call;
	const struct call_arguments *what;
	unsigned shown, next; /* arguments: how many there are, the next */
	struct text text;
	const char *early; /* where those end that were shown when the call came, */
	bool all_early;    /* and whether there are no others */
	bool under_way;    /* it has begun, and not ended; line.c */
	bool unfinished;   /* its beginning has been written; line.c */
	char arguments[TEXT_SIZE];
	char result[RESULT_SIZE];
	char out[OUT_SIZE];
};

/* ------------------------------------------------ line.c */
void line_begins(struct trace_line *line);
void line_ends(struct trace_line *line, const char *error); /* error: its name, or NULL */
void line_drop(struct trace_line *line);
void line_exit(struct lwp *lwp);     /* nothing comes back of the call: the lwp ends */
void line_exit_all(struct lwp *lwp); /* the process ends, by the lwp's exit_group */

/* ------------------------------------------------ siginfo.c */
/** {si_signo=SIGCHLD, si_code=CLD_EXITED, ...}; false: what is there can't be read. */
bool show_siginfo(struct text *text, uint64_t address);

/** A call's arguments; six numbers where nothing is known of it. */
const struct call_arguments *arguments_of(uint64_t number);
/** How many of them are shown: open has a mode only where it makes a file. */
unsigned arguments_shown(const struct traced *call, const struct call_arguments *what);
void show_argument(struct text *text, const struct traced *call, const struct call_argument *argument, unsigned i);
/** result.c. Behind the number: what poll and select have found, flags, a timeout. */
void show_result(struct text *text, const struct traced *call);

/* ------------------------------------------------ flags.c */
void show_flags(struct text *text, unsigned set, uint64_t value);
bool flags_has_name(unsigned set, uint64_t value);
void show_signal(struct text *text, uint64_t sig);
/** [INT CHLD], ~[KILL STOP]. */
void show_signal_set(struct text *text, uint64_t mask);
void show_octal(struct text *text, uint64_t value); /* 000, 0644 */
void show_hex(struct text *text, uint64_t value);   /* 0, 0x1f */
void show_address(struct text *text, uint64_t value);
void show_mode(struct text *text, uint32_t mode);   /* S_IFREG|0644 */
void show_device(struct text *text, uint64_t device);

/* ------------------------------------------------ memory.c */
/** Bytes as a C string, `shown` of them at most. */
void show_bytes(struct text *text, uint64_t address, uint64_t n, uint64_t shown);
void show_bytes_hex(struct text *text, uint64_t address, uint64_t n, uint64_t shown);
/** A string of the program's, as far as it goes. */
void show_string(struct text *text, uint64_t address, uint64_t shown);
/** Of all buffers, `bytes` at most. */
void show_iov(struct text *text, uint64_t address, uint64_t n, uint64_t bytes);
void show_argv(struct text *text, uint64_t address);

/* ------------------------------------------------ structs.c, socket.c: false where there is no such struct to be shown */
bool show_struct(struct text *text, const struct traced *call, unsigned format, uint64_t address);
/* ------------------------------------------------ command.c */
unsigned arguments_of_fcntl(uint64_t command);
bool ioctl_is_alone(uint64_t request); /* it has no argument */
void show_fcntl(struct text *text, const struct traced *call, uint64_t value);
void show_ioctl(struct text *text, const struct traced *call, uint64_t address);
void show_request(struct text *text, uint64_t request);

/* ------------------------------------------------ process.c, ipc.c */
bool show_clone_args(struct text *text, const struct traced *call, uint64_t address);
bool show_sched_attributes(struct text *text, uint64_t address);
bool show_groups(struct text *text, uint64_t address, uint64_t n);
bool show_times(struct text *text, uint64_t address);
bool show_sigevent(struct text *text, uint64_t address);
bool show_sigset_pack(struct text *text, uint64_t address);
unsigned arguments_of_prctl(uint64_t what);
void show_prctl(struct text *text, const struct traced *call, uint64_t value);
void show_ipc_key(struct text *text, uint64_t key);
void show_ipc_flags(struct text *text, uint64_t value);
bool show_sembufs(struct text *text, uint64_t address, uint64_t n);
bool show_msgbuf(struct text *text, uint64_t address, uint64_t n);

bool show_pollfds(struct text *text, uint64_t address, uint64_t n, bool events);
/** [3 5], what of n descriptors is in the set. */
bool show_fd_set(struct text *text, uint64_t address, uint64_t n);
bool show_rlimit(struct text *text, uint64_t address, const char *infinite);
bool show_epoll_events(struct text *text, uint64_t address, uint64_t n, bool list);
bool show_sockaddr(struct text *text, uint64_t address, uint64_t length);
bool show_message(struct text *text, uint64_t address, bool out, long result);
/** Those of sendmmsg and recvmmsg, of which n were moved. */
bool show_messages(struct text *text, uint64_t address, uint64_t n, bool out);

#endif
