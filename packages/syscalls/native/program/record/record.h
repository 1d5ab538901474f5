/*
 * record.h - a program's run in a file, and the same run from there (`lwkt record`, `lwkt replay`): what the files of this room share, and the file's layout, which
 * docs/recordings.md has for users.
 *
 * While a program is recorded or replayed its code runs between calls only: there is one rfork, no tick, and nobody is switched to on the way back to the program. So the
 * order in which calls return, lwps begin and signals are delivered is all of the schedule, and that is what a recording has: an event for each, with
 * what the kernel has written into the program's memory. Replay gives each lwp its turn when the next event is its.
 *
 * write/ makes events of calls and writes them (log.c), and replay/ answers calls from them; capture.c knows what a call reads and writes, kept.c what of that the program has written itself,
 * image.c has what a program begins with, and processes.c its children.
 *
 * Invariants:
 *  - A record is whole if its re_size is not 0: that is written last. What is behind the last whole one is nothing. So a recording is of use as far as it goes, whatever has
 *    ended the program.
 *  - What libcr maps while it replays lies where no program's memory is (lwkt_os_map_from): the program's can be where it was.
 */
#ifndef PROGRAM_RECORD_H
#define PROGRAM_RECORD_H

#include "program.h" /* first: it asks for all that headers have */

#include "script.h"
#include "stage.h"

#define RECORD_MAGIC 0x31474e4944524f43ull /* "CORDING1" */
#define EXTENT_MAGIC 0x544e4554582d5243ull /* "CR-XTENT" */
#define RECORD_VERSION 4
#define RECORD_PAGE 4096u /* what extents and contents begin at a multiple of */
#define RECORD_HEAD_SIZE (256u << 10)
#define RECORD_CONTENTS 6000
#define CONTENT_MAX (256u << 20)
#define RATE_BITS 20

#define REPLAY_DIFFERS 1u /* one of its processes does not do what was recorded, and has said so */
#define REPLAY_LATE 2u    /* a write did not come that another one had waited for */

enum content_state { CONTENT_FREE, CONTENT_TAKEN, CONTENT_THERE };

/** Bytes of a file that was mapped. Behind them are zeros up to the next page. */
struct record_content {
	uint64_t ct_hash[2];
	uint64_t ct_at; /* in the file */
	uint64_t ct_length;
	volatile uint32_t ct_state;
	uint32_t ct_padding;
};

/** The file's beginning, which all processes of a recording map. */
struct record_head {
	uint64_t rh_magic;
	uint32_t rh_version;
	volatile uint32_t rh_replay; /* of a replay: REPLAY_DIFFERS, REPLAY_LATE */
	volatile uint64_t rh_end;   /* what is taken of the file */
	volatile uint64_t rh_shown; /* how many writes to stdout and stderr there were, of all processes */
	volatile uint32_t rh_writer; /* the process that is about to make one; of a replay the first process, as the kernel knows it */
	volatile uint32_t rh_ended;  /* the error by which it could not be written any further, or 0 */
	struct record_content rh_contents[RECORD_CONTENTS]; /* by hash; what finds no place there is in the file nevertheless */
	volatile uint64_t rh_build; /* of the launcher, once somebody has counted it, or 0 */
	volatile uint64_t rh_tsc, rh_tsc_clock; /* the processor's counter at some time (ns), or 0 */
	volatile uint64_t rh_tsc_rate;          /* its cycles in a nanosecond, by 2^RATE_BITS; 0: not known yet */
	volatile uint64_t rh_tsc_last;          /* that the program was told */
};
_Static_assert(sizeof(struct record_head) <= RECORD_HEAD_SIZE, "the head's size");

/** A piece of a stream, which is what one process did with one program: records follow. A stream is known by the page of its window, the piece that it has to the end. */
struct record_extent {
	uint64_t ex_magic;
	uint64_t ex_size;
	volatile uint64_t ex_next;  /* where in the file the stream goes on, or 0: in its window */
	volatile uint64_t ex_first; /* a window's: where the first piece is that has gone from there, or 0 */
	volatile uint32_t ex_seq;   /* the pieces before this one */
	uint32_t ex_stream;
};

enum record_kind {
	RECORD_END = 1, /* the process ends by itself, with re_result as its exit status */
	RECORD_BEGIN,   /* an lwp's first instruction */
	RECORD_CALL,    /* a call returns: arguments, and pieces */
	RECORD_EXEC,    /* an execve is made: as RECORD_CALL. Does it fail, that comes next; else the process goes on in re_stream */
	RECORD_SIGNAL,  /* a signal is delivered: re_number, re_result is 1 where an instruction has raised it; a siginfo_t */
	RECORD_RESUMES, /* an lwp goes on that had computed for long without a call, while others could run. Where that was is not known: between the event before and the next */
	RECORD_WRITE,   /* in the middle of a call, libcr has written: a piece. Of locks with priority inheritance, whose words say who waits */
	RECORD_TSC,     /* rdtsc or rdtscp, which has answered re_result */
	RECORD_HEADER,  /* struct record_header */
	RECORD_STACK,   /* the first lwp's stack as the program begins: one piece */
	RECORD_IMAGE,   /* memory that is there as the program begins: re_result is its protection; a piece that says where, and pieces with contents */
	RECORD_NOTE,    /* text: what can't be replayed; re_number: NOTE_ESCAPES, NOTE_TRACED or 0 */
};

struct record {
	uint32_t re_size;  /* bytes, with all that belongs to it; a multiple of 8 */
	uint8_t re_kind;
	uint8_t re_nargs;  /* words that follow */
	uint16_t re_number; /* of the call, or of the signal */
	int32_t re_tid;
	uint32_t re_stream; /* of a fork that has made a process, and of an execve: where that goes on; 0: it is not recorded */
	int64_t re_result; /* also one of the kernel's -ERESTART... */
	uint64_t re_hash;  /* of all that the kernel has read */
};

/* From here on the process runs without libcr. */
#define NOTE_ESCAPES 1 /* if the execve succeeds that is made */
#define NOTE_TRACED 2

/* pc_what */
#define PIECE_IN 1      /* the kernel has read it: of long ones the beginning */
#define PIECE_OUT 2     /* the kernel has written it */
#define PIECE_CONTENT 4 /* the bytes are elsewhere: a word follows, the place in the file where they are */
#define PIECE_PLACE 8   /* there are no bytes */
#define PIECE_SHOWN 16  /* no memory: pc_address is rh_shown as it was for this write */
#define PIECE_KEPT 32   /* the program has written it, and it is kept in blocks of a page, whose numbers are the next ones; there are no bytes */
#define PIECE_AGAIN 64  /* a block that was kept: a word follows, its number */

/** Memory. Its bytes follow, and up to 7 more. */
struct piece {
	uint64_t pc_address;
	uint32_t pc_length;
	uint32_t pc_what;
};

struct record_header {
	uint64_t hd_rip, hd_rsp; /* how the program begins; 0: it is a fork's child */
	uint64_t hd_stack;
	uint64_t hd_sigmask, hd_ignored; /* signals that it began with blocked, or ignored */
	uint64_t hd_build;       /* of the launcher: a hash of its code */
	int64_t hd_time;         /* s since 1970 */
	int32_t hd_pid, hd_parent;
	uint32_t hd_argc, hd_envc;
	uint32_t hd_shown; /* shown_word */
	uint32_t hd_padding;
	/* strings: arguments, environment, working directory, the program's file, the kernel's release, libcr's version */
};

/** A call's answer. */
static inline bool is_error(int64_t result) { return result < 0 && result > -4096; }

/* ------------------------------------------------ write/log.c, write/file.c */
void log_create(const char *path);               /* ends the process where that can't be done; what follows, too */
void log_inherit(int fd);                        /* from whoever has run execve */
extern int log_fd;
void log_fail(long error) __attribute__((noreturn)); /* nothing can be recorded */
void log_end_here(long error);                   /* nothing more: the program goes on */
extern bool log_is_over;                         /* what is recorded goes nowhere */
bool log_may_write(uint64_t end);                /* of the file, up to there; else nothing more is written, which has been said */
void log_leave_window(void);
int log_open_file(const char *path, int flags);
void log_map_head(int fd);
uint32_t log_new_stream(bool of_program); /* else of a process that another has made */
void log_go_on(uint32_t stream);                 /* writes there from now on */
struct log_aside { /* what a process is at, while its vfork's child writes by itself */
	struct record_extent *window;
	uint64_t last_place;
	char *at;
	unsigned number;
};
void log_put_aside(struct log_aside *aside);
void log_again(const struct log_aside *aside);
uint64_t log_take(uint64_t size, uint64_t align); /* of the file: where */
uint64_t log_put(uint64_t address, uint64_t n, uint64_t place); /* of any memory. How much was there */
struct record *log_begin(enum record_kind kind, uint16_t number, int tid); /* a record under way: there is one at a time */
void *log_room(size_t n);                        /* room for so many bytes, behind what is there */
void log_add(const void *bytes, size_t n);
/** From the program's memory. Whether it was there. */
bool log_add_piece(uint64_t address, size_t n, uint32_t what);
struct record *log_under_way(void);
void log_end(void);
size_t log_size(void);                           /* of the record under way */
/* ------------------------------------------------ write/contents.c */
/** The file's contents from `offset` on, `length` bytes, are there, once: adds pieces for memory from `address` on. Bytes that were read; -errno. */
int64_t log_add_contents(int fd, uint64_t offset, uint64_t length, uint64_t address);
/** `n` bytes that were read are all of a file: the same, and one piece. Whether they are. */
bool log_add_whole_read(int fd, uint64_t n, uint64_t address);
/* ------------------------------------------------ replay/read.c */
void log_open(const char *path, int inherited);
void log_read(uint32_t stream);                  /* reads there from now on */
void log_share_new(int memory);                  /* of a replay: a head of its own, in a memory that all its processes have; -1: it begins */
int log_shared_memory(void);
struct read_aside { /* the same, of a replay */
	const struct record_extent *extent, *populated;
	const struct record *next;
	uint64_t events;
	unsigned escapes;
};
void log_put_aside_read(struct read_aside *aside);
void log_read_again(const struct read_aside *aside);
const struct record *log_next_of(int tid);       /* the next event of an lwp, wherever that is */
const struct record *log_next(void);             /* the next event, or NULL: it is the last */
void log_step(void);                             /* over it */
const struct record *log_first(uint32_t stream, const struct record_extent **extent, enum record_kind kind); /* of a whole stream */
const struct record *log_after(const struct record_extent **extent, const struct record *record, enum record_kind kind);
const void *log_at(uint64_t offset, uint64_t length); /* contents; NULL: not there */
long log_map(uint64_t address, uint64_t length, int protection, uint64_t offset); /* contents, as memory */
const char *log_ended(void);                     /* the error by which the recording could not be written any further; NULL: none */
uint64_t log_events(void);                       /* that were read */
bool log_escapes(void);                          /* of what the process does now nothing was recorded: it ran without libcr */
extern struct record_head *log_head;             /* of the recording, or of the replay */

static inline const uint64_t *record_args(const struct record *r) { return (const uint64_t *)(r + 1); }
/** A record's pieces, one after the other: the first, or the one behind `piece`; NULL: no more. */
const struct piece *record_piece(const struct record *r, const struct piece *piece);
/** Wherever they are; NULL: they are not there. */
const void *piece_bytes(const struct piece *piece);

/* ------------------------------------------------ hash.c */
struct hash {
	uint64_t a, b;
};
void hash_begin(struct hash *hash);
void hash_add(struct hash *hash, const void *bytes, size_t n);

/* ------------------------------------------------ capture.c */
#define CAPTURE_ROOM 2048

/** A call as it was made: one for each lwp. */
struct capture {
	struct {
		const struct call_memory *what; /* NULL: nobody knows of memory */
		struct sysmsg given;
	} call;
	unsigned nargs;
	int64_t lengths[6];
	struct hash hash;      /* of what the kernel reads */
	uint32_t used;
	char pieces[CAPTURE_ROOM]; /* PIECE_IN */
};
/** What a call is made with, and what the kernel reads for it. NULL: there is no memory. */
struct capture *capture_call(struct lwp *lwp, const struct trapframe *tf);
/** The word of a lock with priority inheritance that a call may change, whatever it answers; 0: it is no such call. */
uint64_t capture_lock(uint64_t number, const uint64_t *args);
/** Adds what the kernel has written to the record under way. */
void capture_written(const struct capture *capture, long result);

/* ------------------------------------------------ kept.c */
/** A call has returned: what it has written of the program's memory is kept, if that may be of use. */
void kept_add_write(const struct capture *c, long result);
/** Adds what the kernel has written, as log_add_piece; named where the program has written that itself. */
void kept_add_read(uint64_t address, uint64_t n);
void kept_take(const struct piece *piece); /* of a replay: PIECE_KEPT */
const void *kept_block(uint64_t number);   /* NULL: it is not there */

/* ------------------------------------------------ write/write.c */
long write_call(struct lwp *lwp, struct trapframe *tf, call_handler make);
void write_note(const char *what); /* once each: what can't be replayed, to stderr and into the file */
void write_escape(unsigned note);  /* into the file alone */

/* ------------------------------------------------ replay/, for the rest */
long replay_call(struct lwp *lwp, struct trapframe *tf, call_handler make);
void replay_fail(const char *why) __attribute__((noreturn));
void replay_end_early(const struct lwp *lwp) __attribute__((noreturn)); /* the recording has no more */
void replay_end_escaped(void) __attribute__((noreturn)); /* log_escapes() */
void replay_begins(struct lwp *lwp); /* it waits for its turn, to begin */
void replay_fault(struct lwp *lwp, const siginfo_t *info);
void replay_ends(struct lwp *lwp, int status);
bool replay_preempts(struct lwp *lwp); /* in a signal's handler: its next event is RECORD_RESUMES, or there is none */
void replay_resumes(struct lwp *lwp);
void replay_look_ahead(struct lwp *me);

uint64_t replay_tsc(struct lwp *lwp);

/* ------------------------------------------------ tsc.c */
void record_tsc_begin(void);           /* the program begins */
void record_tsc_exec(bool begins);     /* an execve is made; or it has failed */

/* ------------------------------------------------ image.c */
void image_header(const struct record_header *like, char **args, char **environment, const char *path);
const struct record_header *image_find_header(void);
/** Contents of the file's, where memory lies that is not used yet. */
long image_put(const struct piece *piece, int protection);
#define IMAGE_PROGRAM 1 /* re_number of RECORD_IMAGE: the program's own, and not its interpreter's */

/* ------------------------------------------------ show.c: stdout and stderr */
bool shown_is_output(uint64_t fd);
void shown_call(const struct trapframe *tf, long result);  /* a call has answered: a descriptor may mean something else */
void shown_write(const struct trapframe *tf, long result); /* of a replay: shows what it has written */
/** While recording, around such a write: no other process makes one meanwhile, unless this one waits for long. Whether it is to be ended. */
bool shown_begin_write(const struct lwp *lwp);
void shown_end_write(const struct lwp *lwp);
/** Of a replay: waits until all writes are shown that came before, of other processes; and says that this one is. */
void shown_wait(const struct record *event);
void shown_written(const struct record *event);
/** What 0, 1 and 2 are, for the program that follows: one number. The others are nothing to it. */
uint32_t shown_word(void);
void shown_begin(uint32_t word);
#define SHOWN_DESCRIPTORS 1024
void shown_put_aside(uint8_t *aside);
void shown_again(const uint8_t *aside);

/* ------------------------------------------------ processes.c */
extern uint32_t process_stream; /* this process' */
extern uint32_t process_made;   /* of the process that was made last */
extern uint32_t process_next;   /* of the program that is about to be run */
/** One that the recording has, too; a child of fork comes back, one of vfork begins by itself. */
long process_fork(struct lwp *lwp, struct trapframe *tf, const struct record *event);
/** The program that follows, in its place. */
void process_exec(struct lwp *lwp, const struct record *event) __attribute__((noreturn));
/** The recording has no more of this process. One that another has made was killed, as that one is told when it waits for it: so it is again. Else it returns. */
void process_killed(void); /* where the recording was written to its end */
void process_waited(const struct trapframe *tf, const struct record *event);

#endif
