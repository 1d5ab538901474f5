/*
 * program.h - the front door for programs: what its files share, and what posix-compat and signals build on.
 *
 * A program is loaded (load/), its system calls are caught (catch/) and come through x86_64/entry.S to program_syscall (catch/dispatch.c), which gives each
 * to its handler, or to the kernel as it is. process/ has what begins and ends a process, print/ what is said of it, shim/ and script/ who decides about its calls.
 *
 * All of it is freestanding: no C library, no thread-local storage, general registers only, since a program may be interrupted anywhere, in its own
 * malloc too.
 */
#ifndef PROGRAM_H
#define PROGRAM_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>

#include "kernel.h"
#include "policy/policy.h" /* the library's, src/ */
#include "proc.h"
#include "script/channel.h"
#include "table/names.h"
#include "text.h"

#define CALLS 512 /* numbers of system calls that are known */

/* ------------------------------------------------ entry.S */
extern char program_text[], program_text_end[]; /* the linker's: libcr's text */
extern char program_entry[], program_leave[], program_return[], program_return_end[];
extern char program_pass_begin[], program_pass_end[], program_through_begin[], program_through_end[]; /* from the look to behind the syscall */
extern char user_access_begin[], user_access_end[], user_access_fault[];

void program_enter(struct trapframe *tf) __attribute__((noreturn)); /* the program goes on with these registers */
long program_pass_as(struct lwp *lwp, const struct trapframe *tf);  /* the call to the kernel. Also -ERESTARTSYS, -ERESTARTNOINTR */
void program_restorer(void);                                        /* sigreturn, from libcr's text */
void program_sigreturn(void *uc) __attribute__((noreturn));         /* of that context, which has a word in front of it, by the kernel */
long program_clone_call(uint64_t flags, void *stack, int *ptid, int *ctid, uint64_t tls, void (*func)(void *), void *arg);

/* The program's memory, which may not be there: 0 or -EFAULT. */
long user_copy(void *to, const void *from, size_t n);
long user_copy64(void *to, const void *from); /* eight bytes */
long user_load32(const uint32_t *from, uint32_t *value);
long user_store32(uint32_t *to, uint32_t value);
/** How many bytes are the same from there on, up to n. */
long user_same(const void *a, const void *b, size_t n);
long user_swap32(uint32_t *at, uint32_t *expected, uint32_t value); /* compare and exchange: *expected is what was there */
long user_xsave(void *area, uint64_t features); /* of the vector and floating-point state, as XSAVE lays it out; 64-byte aligned, its header zero */
long user_xrstor(const void *area, uint64_t features);

#define ARCH_GET_XCOMP_SUPP 0x1021 /* asm/prctl.h of Linux 5.16 */
#define ARCH_GET_XCOMP_PERM 0x1022
#define ARCH_REQ_XCOMP_PERM 0x1023
#define AMX_TILES (1ull << 18)
uint64_t vectors_features(void);           /* that a process has: bits of XCR0 */
uint32_t vectors_size(uint64_t features);  /* bytes, as XSAVE lays them out */
/** Copies a string with its NUL. Its length, -EFAULT, or -ENAMETOOLONG where it has more than size bytes. */
long user_string(char *to, uint64_t from, size_t size);

/** Copies to or from the address that a program gave. */
static inline long copyin(void *to, uint64_t from, size_t n)
{
	return __builtin_constant_p(n == 8) && n == 8 ? user_copy64(to, (const void *)from) : user_copy(to, (const void *)from, n);
}

static inline long copyout(uint64_t to, const void *from, size_t n)
{
	return __builtin_constant_p(n == 8) && n == 8 ? user_copy64((void *)to, from) : user_copy((void *)to, from, n);
}

/* ------------------------------------------------ what runs: process/process.c, catch/catch.c */
struct lwp *curlwp(void);
struct proc *curproc(void);
void set_curlwp(struct lwp *lwp);
void process_begin(struct lwp *first);
extern struct proc program_proc; /* the first, or a fork's child: all but vfork's children */

static inline bool in_libcr(uint64_t rip) { return rip >= (uint64_t)program_text && rip < (uint64_t)program_text_end; }
/** Whether the program was interrupted, and not libcr on its behalf. td may run on its kernel stack outside of libcr's text, in the vDSO. */
bool in_program(const struct lwp *lwp, const ucontext_t *uc);
/** In a signal's handler, after lwp_ast was set: the lwp that runs will see it before its program's next instruction, and a call that it is making
 *  ends. Where the program itself was interrupted, it goes into libcr once the handler returns. */
void program_interrupt(const struct lwp *lwp, ucontext_t *uc);
/** The same on a kernel thread that makes a program's call for somebody (program_pass), and is no rfork: the call ends. */
void program_interrupt_pass(ucontext_t *uc);

/* ------------------------------------------------ catch/frame.c */
void trapframe_load(struct trapframe *tf, const ucontext_t *uc);
void trapframe_store(const struct trapframe *tf, greg_t *registers);

/* ------------------------------------------------ catch/dispatch.c */
typedef long (*call_handler)(struct lwp *lwp, struct trapframe *tf);
/** What a handler answers that has nothing to do: the call is made as one that has none. */
#define NOT_HANDLED INT64_MIN
struct call_entry {
	int number;
	call_handler handler;
	call_handler *below; /* where the call has a handler already: is set to that, for this one to call. Nobody hides another's handler without it */
};
/** Puts handlers in front of the kernel, up to one without a handler. */
void program_handle(const struct call_entry *entries);
/** The call goes to the kernel as it is. What the kernel has not been told yet it is told before. Also -ERESTARTSYS, -ERESTARTNOINTR. */
long program_pass(struct lwp *lwp, const struct trapframe *tf);
/** How a call that nobody handles is made, as it may wait: posix-compat's, or program_pass. */
extern call_handler program_wait;
/** Of which calls program_wait makes anything else than a pass, while there are several lwps. */
extern bool program_may_wait[CALLS];
/** A call has answered -EPIPE or -EFBIG, which raises a signal: it may be another kernel thread's than the lwp's. */
extern void (*program_raised)(struct lwp *lwp, long error);
/** Tells the kernel what it has not been told: p_stale. */
extern void (*program_refresh)(struct lwp *lwp);
/** What is to be looked at before a call is made: WATCHES_ bits. */
extern unsigned program_watched;
#define WATCHES_ALL 1u    /* each call, for a trace, a policy or to be counted */
#define WATCHES_WANTED 2u /* those that a shim wants */
/** Where calls are watched: a call of the program's begins; and who is asked before the call's handler. May be NULL. */
extern void (*program_before)(struct lwp *lwp);
extern void (*program_after)(struct lwp *lwp, uint64_t number); /* it has been answered, and the lwp has not looked at that yet */
extern call_handler program_first;
/** What is to be done before the program goes on, by AST_ bits that are cleared already. */
extern void (*program_look)(struct lwp *lwp, struct trapframe *tf, uint32_t ast);
/** The program's call is to be made again: it goes on at its syscall instruction. */
void program_restart(struct trapframe *tf);

/* ------------------------------------------------ catch/catch.c */
/** libcr's own handler of a signal, on the kernel thread's alternate stack, with all others but faults blocked. */
void catch_signal(int sig, void (*handler)(int, siginfo_t *, ucontext_t *), uint64_t flags);
/** This kernel thread's alternate stack (NULL: it has one), and from now on its system calls are caught. 0, or -errno. */
long catch_thread(void *altstack, size_t size);
#define ALTSTACK_SIZE (64 * 1024)
#define KSTACK_SIZE (32 * 1024)      /* of an lwp's kernel stack, at most */
#define KSTACK_SHIM_SIZE (64 * 1024) /* the same where there are shims, which use it, too */
/** Asked before anybody else what an instruction has raised; whether that was all. May be NULL. */
extern bool (*program_fault)(int sig, siginfo_t *si, ucontext_t *uc);
/** Before a thread's first. other: what to do with a SIGSYS that is none of libcr's. */
void catch_begin(void (*other)(int sig, siginfo_t *si, ucontext_t *uc));

/* catch/tsc.c */
#define TSC_PROCESSOR 3 /* rdtscp, which says the processor, too */
void tsc_catch(bool caught);                              /* rdtsc and rdtscp raise SIGSEGV */
void tsc_leave(void);                                     /* the process goes on without libcr: they do not, if libcr has them do so */
unsigned tsc_instruction(int sig, const ucontext_t *uc);  /* the length of one that has; 0: it is something else */

/* ------------------------------------------------ catch/escape.c */
/** From now on the process, and whatever it runs, is killed for a system call from outside of libcr's text. */
void escapes_kill(void);

/* ------------------------------------------------ shim/ */
#define SHIMS_MAX 16
#define SCHEDULE_WORDS 3
/** Loads a shared object as the next shim; what can't be used ends the process, with a sentence. Returns the file's own path. */
const char *shims_load(const char *path, char **environment);
/** The shims that want a call, a bit for each; and those that want numbers that nobody knows. */
extern uint32_t shims_wanted[CALLS], shims_wanted_unknown;
static inline uint32_t shims_wanting(uint64_t number) { return number < CALLS ? shims_wanted[number] : shims_wanted_unknown; }
/** The call by way of these, and at last of `made`. */
long shims_call(struct lwp *lwp, struct trapframe *tf, uint32_t wanting, call_handler made);
void shims_begin(void); /* the program begins */
void shims_forked(void);
void shims_end(int status);
/** The file of the shim whose code is there, or NULL. */
const char *shims_at(uint64_t address);
extern unsigned shims_count;

/* ------------------------------------------------ script/: shims in another process, the supervisor (channel.h) */
/** The channel's memory, and its doorbell; process: its number before the execve, or 0. What is no channel ends the process, with a sentence. */
void script_open(int memory, int doorbell, uint32_t process);
extern bool script_active; /* there is a channel */
extern const volatile uint8_t *script_wants; /* by number: WANTS_ */
static inline bool script_wants_call(uint64_t number) { return number < CALLS && script_wants[number] && number != SYS_rt_sigreturn; }
void script_trace_open(void); /* the options have been read */
bool traces_call(uint64_t number); /* options.trace has this call; and the rest: signals, ends */
bool traces_rest(void);
uint64_t rows_clock(void); /* ns, from some time on, as a supervisor's rows have it */
void script_begin(const char *path); /* the program begins */
void script_forked(struct lwp *lwp, int parent); /* in a child of fork or vfork, before it goes on */
/** Waits while *word is value, until somebody wakes it, of another process, too (FUTEX_WAKE); other lwps go on. As FUTEX_WAIT answers; or earlier: lwp_ast has a signal,
 *  unless it is deaf. wmesg: what it waits for. */
extern long (*program_wait_word)(struct lwp *lwp, const volatile uint32_t *word, uint32_t value, const struct timespec *timeout, const char *wmesg, bool deaf);

/* ------------------------------------------------ record/: a run in a file, and the same run from there (record.h) */
enum record_mode { RECORD_OFF, RECORD_WRITES, RECORD_REPLAYS };
extern enum record_mode record_mode;
/** --record=FILE and --replay=FILE. Where it can't be had the process ends. */
void record_open(const char *path);
void replay_open(const char *path);
/** The same after an execve of libcr's: where in the file it goes on, and descriptors that were inherited: of the file, and of the memory that a replay's processes share;
 *  output: what 0, 1 and 2 are. */
void record_go_on(uint32_t stream, uint32_t output, int fd);
void replay_go_on(uint32_t stream, int memory, int fd);
/** Before anything else is read: the process begins again where the kernel puts nothing at random, if it does so. */
void record_begin_fixed(char **argv, char **environment);
/** A call, in place of make. */
long record_call(struct lwp *lwp, struct trapframe *tf, call_handler make);
void record_lwp_begins(struct lwp *lwp); /* on it, before its first instruction */
void record_signal(struct lwp *lwp, const siginfo_t *info, bool is_fault); /* it is about to be delivered */
void record_write(const struct lwp *lwp, uint64_t address, size_t n); /* in the middle of its call, which may wait then, memory has been written */
/** Of a replay: the next signal for the lwp, where it came. Whether there is one. */
bool replay_signal(struct lwp *lwp, siginfo_t *info);
/** In a tick that has interrupted the program: whether others are to run, as it makes no calls. */
bool record_preempts(struct lwp *lwp, bool others_wait);
void record_resumes(struct lwp *lwp);    /* behind that: recording, it has its turn again; of a replay, waits for it */
void record_tsc(struct lwp *lwp, struct trapframe *tf); /* it has come to an instruction that reads the processor's counter: has it done */
void record_end(int status);             /* the process ends by itself */
void record_escapes(void);               /* if the execve succeeds that is being made, what it runs is without libcr */
void record_forks(void);                 /* a process is about to be made */
void record_forked(struct lwp *lwp, int parent); /* in it */
/** Around a vfork, whose child has its parent's memory, and with that what a recording is at: the parent's is put aside, and is there again. */
void *record_vforks(void);
void record_vfork_over(void *aside);
struct image;
/** What the program begins with. */
void record_begin(const char *path, char **args, char **environment, const struct trapframe *tf);
/** Of a replay: it is there again, without its files; or with this one in place of the program's. */
void replay_begin(struct trapframe *tf, const struct image *other);
/** A part of a loaded file: memory of `size` bytes, of which `filled` have the file's contents from `offset` on. */
void record_image(uint64_t at, uint64_t size, int protection, int fd, uint64_t offset, uint64_t filled);
void record_images_of(uint16_t which); /* what is loaded next: 1, the program; 0 */
/** For the launcher that an execve goes on with: --record-next. NULL: nothing is recorded. */
const char *record_option(char *buffer, size_t size);
/** By posix-compat: an lwp waits for its turn until it is told that it has come. And: before a call is made, others run who have waited long. */
extern void (*program_turn_wait)(void);
extern void (*program_ticks)(void); /* ticks from now on, until the lwp, if it is alone, calls the kernel. In signal handlers, too */
extern void (*program_turn_comes)(struct lwp *lwp);
extern void (*program_turn_over)(struct lwp *lwp);
/** By signals: another mask while a call waits, and what the lwp had before. */
extern void (*program_mask_for_now)(struct lwp *lwp, uint64_t mask);
extern void (*program_mask_over)(struct lwp *lwp);
/** By signals: whether what has come waits for the program's next call, and does not interrupt it. In signal handlers. */
extern bool (*program_postpones)(const struct lwp *lwp);

/* ------------------------------------------------ policy.c */
/** Reads --policy's rules; those that are none end the process. */
void policy_read(const char *rules);

/* ------------------------------------------------ load/, process/ */
struct options {
	int stats, trace;  /* descriptors, or -1: the program may close its own */
	bool script_trace; /* trace is a supervisor's (script/tracing.c) */
	bool trace_json;   /* an object for each call, and not strace's line */
	const char *metrics; /* the file, by its whole path, or NULL */
	int metrics_first;   /* the process that it is of; others have a file each. 0: this one */
	int metrics_before;  /* a descriptor with what this process had counted before its execve, or -1 */
	const char *policy; /* what policy_read has read, for the programs that this one runs; or NULL */
	bool replays_other; /* --replay with a PROGRAM: that, and not the recorded one */
	int script[2];     /* descriptors: the channel's memory and its doorbell, or -1 */
	bool no_patch;     /* all calls come by a signal */
	unsigned rforks;   /* kernel threads that run lwps */
	bool deterministic;   /* two runs make the same calls (load/deterministic.c) */
	bool virtual_time;    /* time moves only when no lwp can run; so deterministic, too */
	const char *schedule; /* whose turn it is comes from a seed: as it was given, or NULL; so virtual_time, too */
	const char *schedule_log; /* the file, by its whole path, that is told of each decision; or NULL */
	const char *preempt_in; /* names of libraries that count as the program's own text, with commas between; or NULL */
	char *schedule_words[SCHEDULE_WORDS]; /* these three as they stood in argv */
	uint64_t lineage;     /* of this process among those that the first has made: the same in each run. 0: the first */
	uint64_t clock;       /* ns: where virtual time begins; 0: it is said nowhere */
	int clock_memory;      /* a descriptor of what a tree of processes has of it; or -1 */
	uint32_t clock_member; /* which of those this one is; UINT32_MAX: none yet */
	const char *shims[SHIMS_MAX + 1]; /* files, the outermost first */
	const char *argv0; /* what the program is to find there, or NULL: PROGRAM */
	bool no_search;    /* as execve was called: PATH does not count */
	bool has_sigmask;
	uint64_t sigmask;  /* what the program begins with; otherwise as this process blocks */
};
extern struct options options;
/** Reads the launcher's options; returns what is left of argv: the program, and its arguments. A wrong command line ends the process. */
char **options_read(char **argv, char **environment);
extern char program_exe[4096];  /* what /proc/self/exe is to say */
extern uint64_t program_base;    /* by how much it lies elsewhere than its file says */
extern uint64_t program_code[2]; /* where the program's own code lies, without its libraries' */
extern uint64_t program_stack;  /* where the first lwp's stack begins; it grows down from there */

#define PREFIX_MAX 12

/** What is at a path that somebody wants to run. */
struct executable {
	char path[4096];                 /* of the ELF file: a script's interpreter */
	char interpreter[4096];          /* the ELF file's, or "" */
	const char *refusal;             /* why the kernel may run it and libcr can't, or NULL */
	const char *prefix[PREFIX_MAX];  /* what a script puts in place of argv[0]: interpreter, argument, script */
	unsigned nprefix;                /* 0: no script */
	size_t used;
	char words[8192];
};
/** What execve would find at path: 0, or -errno. -ENOEXEC: no program for this machine and this loader. */
long examine(const char *path, struct executable *exe);
/** Whether the kernel has an interpreter for a file that is nothing else (binfmt_misc). */
bool binfmt_knows(const char *path);
/** Looks for name as a shell does. 0, or -errno. */
long find_program(const char *name, const char *path, char *to, size_t size);

/** Where libcr's own memory lies, if it must not be among the program's (core's lwkt_os_map_from): where nothing of the program's is put. */
#define OWN_MEMORY_FROM 0x110000000000ull

/* load/deterministic.c */
/** Addresses are the same in each run from here on; this process may begin anew for it. */
void deterministic_begin(char **argv, char **environment);
/** An entry of the kernel's auxiliary vector, as the program finds it: of what type. Random bytes that it points to are others then. */
uint64_t deterministic_auxiliary(uint64_t type, uint64_t value);
/** The same stack pointer, whatever the launcher's options are. */
uint64_t *deterministic_stack(uint64_t *stack);
/** One more step of a generator, which goes by nothing but *state (splitmix64). */
uint64_t deterministic_next(uint64_t *state);
/** Of a process that this one makes now. Before the fork's child changes anything; in a child of vfork before its execve. */
uint64_t deterministic_child(void);

struct image {
	uint64_t entry, base, phdr, phnum;
	uint64_t code[2], data[2]; /* where they begin and end */
	bool executable_stack;
};
long load_image(const char *path, struct image *image);

/* load/launcher.c */
void launcher_find(char **environment); /* before anything else */
void launcher_found(int fd);            /* kept by the process that ran execve */
void launcher_begin(void);              /* options are read */
int launcher_descriptor(void);          /* -1: /proc/self/exe does */
long launcher_run(const void *argv, const void *environment); /* execve of the launcher. -errno */

/** An execve begins, or has failed. May be NULL. */
extern void (*program_execs)(bool begins);
extern const struct call_entry exec_calls[], fork_calls[], self_calls[], process_calls[], launcher_calls[];
/** Before an execve: what has come goes back to the kernel, which lets nothing through any more. By signals, as the next. */
extern void (*program_signals_leave)(struct lwp *lwp);
/** After one that has failed: signals are caught by libcr again. */
extern void (*program_signals_are_ours)(struct lwp *lwp);

/** Where the program's arguments and environment lie: what /proc/self/cmdline shows. */
struct strings {
	uint64_t args[2], environment[2], stack;
	const void *auxv;
	size_t auxv_size;
};
void self_init(const char *path, const char *file, const struct image *image, const struct strings *strings);
bool is_self_exe(const char *path);
/** A path below /proc, or from a descriptor on, that may be one of this process' threads': what becomes of a call with it. flags: open's; -1: it is another call. */
enum proc_path {
	PROC_PATH_OTHER,    /* the call as it is */
	PROC_PATH_CHANGED,  /* with this path instead */
	PROC_PATH_ANSWERED, /* *result */
};
extern enum proc_path (*program_proc_path)(struct lwp *lwp, int dirfd, char *path, size_t size, int64_t flags, long *result);
struct clone_args;
long program_fork(struct lwp *lwp, struct trapframe *tf, uint64_t flags, uint64_t stack, uint64_t tls); /* clone, of a process */
long fork_read_args(const struct trapframe *tf, struct clone_args *args);
/** Before a fork, and after it in the parent: nothing of libcr's may be half done on another kernel thread meanwhile. */
extern void (*program_forks)(bool begins);
/** In a fork's child, once it is caught: what else has to begin anew. */
extern void (*program_forked)(struct lwp *lwp);
extern void (*program_vforked)(struct lwp *lwp); /* the same in a vfork's */
extern void (*program_vfork_over)(struct lwp *lwp); /* the parent goes on: what that child has left in its memory */
/** A child of vfork with a p_apart would wake lwps of its parent's, and is on none of its rforks: the parent's lwp that waits for it does so (program_vfork_wakes), soon. queue: which
 *  of VFORK_QUEUES. */
void vfork_wakes(const struct proc *proc, unsigned queue);
/** How many such children there are. They wait in the kernel, for words of this memory, and lwps may have to wake them there. By atomic operations. */
extern unsigned vforks_apart;
/** Whether a child of vfork, whose lwp this is, has left this memory, or has been killed. The lwp may be no more: then it has. */
bool vfork_is_over(const struct lwp *lwp);
extern void (*program_vfork_wakes)(unsigned queue);
#define VFORK_QUEUES 256u

/* ------------------------------------------------ patch/ */
/** A syscall instruction that was caught, and the call that it makes. Answers where the program goes on behind it. In SIGSYS' handler. */
uint64_t patch_caught(uint64_t at, uint64_t number);
/** Where a call begins again that goes on at rip. */
uint64_t patch_again(uint64_t rip);
/** A handler of the program's is about to be shown these registers: rip is one of the program's own code. */
void patch_show(struct trapframe *tf);
/** The program goes on by registers that such a handler had. */
void patch_resume(struct trapframe *tf);
/** While a child of vfork is out nothing is patched: its traps need not be ours. */
void patch_hold(bool hold);
/** From now on several kernel threads run the program's code; or, in a fork's child, one. */
void patch_shared(bool shared);
/** In SIGTRAP's handler: whether it is a place that is being patched; then that is over now, and the instruction is to be done again. */
bool patch_trap(uint64_t at);
extern uint64_t patch_count, patch_trapped; /* sites; calls that came by a signal */

/* ------------------------------------------------ print/ */
void stats_count(uint64_t number); /* where options.stats */
void stats_forget(void);
/** What posix-compat has counted. */
struct lwp_counts {
	uint64_t lwps, switches, preemptions;
};
extern void (*stats_more)(struct lwp_counts *counts);
void stats_print(void);
/* --metrics: a call begins, and has ended. */
uint64_t metrics_begin(uint64_t number); /* when */
void metrics_end(uint64_t number, uint64_t began, long result);
void metrics_make(void);                 /* the options have been read */
void metrics_forget(void);               /* in a fork's child */
void metrics_print(void);                /* the process ends by itself */
int metrics_hand_over(void);             /* execve: a descriptor with what has been counted, or -1 */
void trace_begin(struct lwp *lwp, const struct trapframe *tf); /* while the memory that the arguments point to is as it was */
void trace_end(struct lwp *lwp, long result);
bool trace_tells_of(int sig);                            /* so it has to come to libcr, whatever the program does about it */
void trace_signal(const struct lwp *lwp, const siginfo_t *info); /* it is delivered */
void trace_killed(const struct lwp *lwp, int sig);       /* it ends the process now */
void trace_forget(void);                                 /* in a fork's child */
void trace_show(struct text *text, uint64_t number, const uint64_t values[6]); /* number's call with these arguments, one that has not been made */
void trace_gone(struct lwp *lwp);                        /* a child of vfork, in the middle of its execve, maybe */
void trace_started(const char *path, char **argv, uint64_t environment); /* the line for the execve that began this program */

/** Reads the launcher's command line and loads the program: tf is how it begins. Where that can't be done the process ends, with a sentence. */
void program_load(uint64_t *stack, struct trapframe *tf);
/** libcr can't: says what and why, and ends. */
void program_fail(int status, const char *what, const char *why) __attribute__((noreturn));
void program_exit(int status) __attribute__((noreturn)); /* the whole process */
#endif
