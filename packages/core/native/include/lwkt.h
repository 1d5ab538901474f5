/*
 * lwkt.h - light weight kernel threading, in userland, for C.
 *
 * The public C interface of @libcr/core: rforks, userthreads, message ports, messages, IPI messages and the per-CPU area. The terms and
 * the semantics are DragonFly BSD's LWKT (lwkt_thread.c, lwkt_msgport.c and lwkt_ipiq.c of 2007 and later); what differs is said at
 * each function. This header knows neither Node nor V8.
 *
 * Invariants:
 *  - A userthread belongs to one rfork (one "CPU", one struct globaldata) and only that rfork touches it. Within one rfork there is no
 *    lock, no atomic read-modify-write and no fence on any path in this header; another rfork is reached by IPI messages only. What has no
 *    owner says so: a serializer, a spin port and a serialised port have a word that is locked for a few instructions.
 *  - A message has one owner at each moment: sender -> port -> receiver -> (reply) -> sender.
 *  - Misuse answers an error number (a positive errno) and changes nothing. Nothing here aborts the process. A debug build (make DEBUG=1) also
 *    says on stderr, in a line for each, which function refused what, on which thread, and what to do instead.
 *
 * Every function is to be called on a kernel thread that has called lwkt_cpu_init(), unless it says otherwise. "Blocks"
 * means: the calling userthread is switched away from; its rfork goes on with others.
 */
#ifndef LWKT_H
#define LWKT_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
#ifdef LWKT_EXPORT /* the library is being built: what is declared here is what it exports */
#pragma GCC visibility push(default)
#endif

/** Version of this header and of struct lwkt_api. Grows by one at every incompatible change. */
#define LWKT_VERSION 5

/** The answer of a put function that will reply later. Never a result. Outside Linux' errno range (1..4095), unlike
 *  DragonFly's 99, which is EADDRNOTAVAIL here. */
#define EASYNC 4096

/* Fixed priorities: 0 (idle) to 31, higher runs first, equals go round robin. */
#define TDPRI_IDLE 0
#define TDPRI_USER 6
#define TDPRI_KERN 12 /* what a new userthread gets, as in DragonFly */
#define TDPRI_SOFT 16
#define TDPRI_INT 28
#define TDPRI_MAX 31

#define LWKT_CPU_MAX 128   /* rforks that can exist at a time */
#define LWKT_NAME_MAX 32   /* bytes of a thread's or a port's name, its NUL included; longer ones are cut */
#define LWKT_WMESG_MAX 24  /* bytes of a wait reason, its NUL included */
#define LWKT_STACK_MIN (16u * 1024) /* for code that one knows: C libraries want more, signal handlers a stack of their own */
#define LWKT_STACK_DEFAULT (256u * 1024)
#define LWKT_STACK_MAX (64u * 1024 * 1024)

typedef struct lwkt_thread *lwkt_thread_t;
typedef struct lwkt_port *lwkt_port_t;
typedef struct lwkt_msg *lwkt_msg_t;
typedef struct globaldata *globaldata_t;
typedef struct lwkt_token *lwkt_token_t;
struct lwkt_serialize;
struct lwkt_waiter; /* internal */

/** A doubly linked list's head and link; an empty list and an unlinked node point at themselves. */
struct lwkt_list {
	struct lwkt_list *next, *prev;
};

/* ------------------------------------------------------------------ messages */

/* Message flags. DONE: finished, or never sent. REPLY: came back through its reply port. QUEUED: linked on a port. SYNC: the
 * sender blocks on this very message, so its reply is not queued (the later DragonFly polarity; 2003 had ASYNC). */
#define MSGF_DONE 0x0001u
#define MSGF_REPLY 0x0002u
#define MSGF_QUEUED 0x0004u
#define MSGF_SYNC 0x0008u
#define MSGF_DROPABLE 0x0040u /* the target may drop it (lwkt_dropmsg): nobody may wait for it */
#define MSGF_ABORTABLE 0x0080u
#define MSGF_PRIORITY 0x0100u /* overtakes ordinary messages in a port's queue */

/**
 * A message: the caller's memory. Embed it first in a larger struct and append arguments. Between the send and the reply the
 * sender must not touch it. Fields are written by the message's present owner only, but for ms_abort and ms_waiter,
 * which are the reply port's.
 */
struct lwkt_msg {
	struct lwkt_list ms_node;
	lwkt_port_t ms_target_port; /* where it was last sent; NULL before */
	lwkt_port_t ms_reply_port;  /* where its reply goes */
	uint32_t ms_flags;          /* MSGF_* */
	int ms_error;               /* 0 or a positive errno; valid once DONE */
	union {
		int64_t ms_result;
		void *ms_resultp;
	} u;
	void (*ms_abortfn)(lwkt_msg_t msg); /* with MSGF_ABORTABLE: asks the target to finish early */
	uint32_t ms_abort;                  /* internal to lwkt_default_abortmsg */
	struct lwkt_waiter *ms_waiter;      /* who waits for it at a spin port; under that port's lock */
};

/** A system call as a message: one is built into each userthread, so that a call allocates nothing. */
struct sysmsg {
	struct lwkt_msg sm_msg;
	long sm_number;  /* the architecture's system-call number */
	long sm_args[6]; /* as the kernel takes them */
	long sm_result;  /* >= 0 the result, < 0 -errno */
};

#define MSGPORTF_WAITING 0x0001u /* a thread port's owner is blocked in waitport or waitmsg; set and cleared by the owner */
#define MSGPORTF_SPIN 0x0002u    /* a spin or a serialised port: guarded by its lock, not by an owner */

/**
 * A port: a function vector that says what sending to it means, and a queue. Requests and replies share the queue of a thread
 * port; MSGF_REPLY tells which a message is. Overriding single vectors of an initialised port is an official technique.
 */
struct lwkt_port {
	struct lwkt_list mp_msgq;      /* FIFO; touched on the owner's rfork only, or under mp_lock */
	struct lwkt_list mp_msgq_prio; /* polled first */
	uint32_t mp_flags;             /* MSGPORTF_* */
	uint32_t mp_count;             /* messages queued now */
	lwkt_thread_t mp_td;           /* the owner: only it may get and wait; NULL for the other kinds */
	char mp_name[LWKT_NAME_MAX];
	void *mp_data; /* the owner's own */
	int (*mp_putport)(lwkt_port_t port, lwkt_msg_t msg); /* 0 or errno: done in place; EASYNC: will reply */
	lwkt_msg_t (*mp_getport)(lwkt_port_t port);
	int (*mp_waitmsg)(lwkt_msg_t msg);
	lwkt_msg_t (*mp_waitport)(lwkt_port_t port);
	void (*mp_replyport)(lwkt_port_t port, lwkt_msg_t msg);
	struct lwkt_serialize *mp_serialize; /* a serialised port's; constant */
	struct lwkt_list mp_waiters;         /* MSGPORTF_SPIN: who waits for any message, in order; under mp_lock */
	uint32_t mp_lock;                    /* MSGPORTF_SPIN: guards the queues and the count; held for a few instructions */
};

/* ------------------------------------------------------------------ threads */

/* Thread flags, changed by the owning rfork only. */
#define TDF_RUNNING 0x0001u  /* its context is live on the CPU; cleared by its successor, after the switch */
#define TDF_RUNQ 0x0002u     /* linked on the run queue (a running thread stays there) */
#define TDF_EXITING 0x0004u  /* lwkt_exit was called */
#define TDF_NOSTART 0x0008u  /* lwkt_create: do not schedule */
#define TDF_JOINABLE 0x0020u /* lwkt_create: keep the exited thread until somebody joins it */
#define TDF_THREAD0 0x0040u  /* the rfork's own kernel stack */
#define TDF_FRESH 0x0080u    /* has not run yet: it gets its stack when it is first switched to */
#define TDF_INTR 0x0100u     /* an abort is pending: interruptible waits answer EINTR */
#define TDF_MIGRATING 0x0200u /* on its way to an rfork, as it moves or was created elsewhere: no run queue takes it */
#define TDF_TOKWAIT 0x0400u   /* waits for its tokens, before it goes on with anything else */
#define TDF_TIMEOUT 0x0800u   /* the time of its timed wait is up */
#define TDF_MIGRATABLE 0x1000u /* lwkt_create: may be moved to another rfork, see lwkt_share_work */
#define TDF_PINNED 0x4000u /* would be TDF_MIGRATABLE, but for lwkt_pin */
#define TDF_PREEMPTIBLE 0x2000u /* its runtime may take the CPU from it while it computes; set and looked at by that alone */

/** What a switch saves outside the stack. The offset is known to arch/<cpu>/switch.S. */
struct lwkt_context {
	void *sp; /* stack pointer; the callee-saved registers lie there */
};

/**
 * What of its kernel thread's own state goes with a userthread, valid while it is switched out: errno, and the C++ exceptions that it handles and
 * throws. A new thread begins with 0 and none. All else that is thread-local (thread_local variables, the locale, malloc's caches) is the kernel
 * thread's and seen by all userthreads there. The exceptions go along where the C++ runtime (libstdc++, libc++abi) was there when libcr was loaded:
 * a C program that gets it later, by dlopen of a library in C++, has to be linked with it for that (-lstdc++, with -Wl,--no-as-needed before it).
 */
struct lwkt_thread_state {
	void *ts_caught; /* __cxa_eh_globals of the Itanium C++ ABI */
	unsigned ts_uncaught;
	int ts_errno;
};

/**
 * What stands at the bottom of a userthread's stack. With NULL it is the plain loop that calls td_func. A runtime that has to
 * keep something on the stack from one thread to the next (a virtual machine's entry, say) brings its own main, which calls
 * lwkt_resident_adopt and lwkt_resident_park.
 */
struct lwkt_resident {
	void (*main)(void); /* first frame of each new stack; returns when lwkt_resident_park says 0 */
	void (*swtch)(struct lwkt_context *from, struct lwkt_context *to); /* td_switch of its threads; NULL: lwkt_light_switch */
	void (*failed)(lwkt_thread_t td, int error); /* td could not get a stack and is finished; may be NULL */
};

/** When a timed wait ends: one in each thread. Internal (timer.c). */
struct lwkt_timer {
	uint64_t tm_deadline;         /* CLOCK_MONOTONIC ns; 0: its thread is in no timed wait */
	struct lwkt_timer *tm_child;  /* the first of those that fire later than it and are ordered by it */
	struct lwkt_timer *tm_next;   /* its next sibling */
	struct lwkt_timer **tm_link;  /* what points to it; NULL while it is in no heap */
};

/**
 * A userthread. Everything in it belongs to its rfork (td_gd); other rforks must not even read it, but for td_gd itself. Read the
 * fields, write only td_data and td_errno.
 */
struct lwkt_thread {
	struct lwkt_context td_ctx; /* valid while switched out */
	struct lwkt_thread_state td_state; /* likewise */
	globaldata_t td_gd;         /* the owner */
	struct lwkt_list td_threadq; /* run queue or a wait queue: never two */
	uint32_t td_flags;    /* TDF_* */
	int td_pri;           /* 0..31 */
	int td_critcount;     /* critical sections entered; a new thread starts at 1, which its first frame leaves */
	int td_errno;         /* errno of system calls made as messages; written on error only */
	struct lwkt_list td_allq; /* all threads of td_gd that have not been released */
	uint64_t td_id;       /* unique in the process' life on this rfork, 0 is thread0 */
	uint64_t td_nswitches; /* times it was switched to */
	size_t td_stack_size; /* bytes asked for, rounded up: to a power of two, to four pages */
	const char *td_wmesg; /* what it waits for, a string that outlives the wait; NULL while runnable */
	void (*td_func)(void *arg);
	void *td_arg;
	void *td_data;        /* the creator's own */
	int td_error;         /* why it could not run (lwkt_join's answer), or 0 */
	struct lwkt_stack *td_stack;           /* NULL for thread0 and before the first run */
	const struct lwkt_resident *td_resident; /* NULL: plain C */
	void (*td_switch)(struct lwkt_context *from, struct lwkt_context *to); /* how one switches away from it (DragonFly's td_switch) */
	struct lwkt_tokref *td_toks;           /* the tokens it holds, the last taken first */
	struct lwkt_join *td_join;             /* who waits in lwkt_join, on whatever rfork */
	struct lwkt_port td_msgport;    /* default reply port, and a service port if wanted */
	struct sysmsg td_sysmsg;
	char td_comm[LWKT_NAME_MAX];
	struct lwkt_timer td_timer;
	uint64_t td_cputime; /* ns, see lwkt_cputime */
	void (*td_own_switch)(struct lwkt_context *from, struct lwkt_context *to); /* its td_switch; that of a watched thread calls this one */
	uint32_t td_refs;   /* lwkt_hold; atomic */
	unsigned td_pins;   /* lwkt_pin */
	uint64_t td_fpcontrol; /* what it begins with; 0: its rfork's */
};

/** Counters of one rfork, copied out by lwkt_stats(). */
struct lwkt_stats {
	uint64_t st_switches;      /* stack switches made */
	uint64_t st_created;       /* userthreads created */
	uint64_t st_messages;      /* messages sent to ports */
	uint64_t st_ipis;          /* IPI messages run here */
	uint64_t st_sleeps;        /* times it slept in the kernel as nobody could run */
	uint64_t st_stacks_created; /* stacks made, as no idle one was there */
	uint64_t st_stacks_freed;  /* stacks given back to the system */
	uint32_t st_alive;         /* userthreads that have not exited */
	uint32_t st_pooled;        /* idle stacks kept for reuse */
	uint32_t st_runnable;      /* on the run queue now, the running one included */
	uint32_t st_timers;        /* timed waits under way, thread0's included */
	uint64_t st_timeouts;      /* timed waits whose time was up */
	uint64_t st_sleep_ns;      /* how long it slept in the kernel's futex, in all. An event loop's own sleep is not known here */
	uint64_t st_token_waits;   /* times a thread had to wait for a token */
	uint64_t st_shared_in;     /* userthreads that came by lwkt_share_work */
	uint64_t st_shared_out;    /* userthreads that went */
	uint64_t st_ipis_sent;     /* IPI messages sent to other rforks */
};

/** Creation parameters of lwkt_create; zero-initialise, then set what matters. */
struct lwkt_create_args {
	const char *name;  /* NULL: "userthread" */
	size_t stack_size; /* bytes, LWKT_STACK_MIN..LWKT_STACK_MAX; 0: LWKT_STACK_DEFAULT */
	int priority;      /* 0..31; -1: TDPRI_KERN */
	uint32_t flags;    /* TDF_NOSTART | TDF_JOINABLE | TDF_MIGRATABLE */
	void *data;        /* goes to td_data */
	const struct lwkt_resident *resident; /* NULL: plain C */
	globaldata_t rfork; /* where it is to run; NULL: the caller's own */
	/**
	 * Its td_switch, for a thread that has more to keep than the callee-saved registers: called on td's stack whenever it is switched away from, it saves,
	 * calls lwkt_light_switch(from, to), and restores when that returns, on another rfork perhaps. td is curthread no more when it is called, and
	 * again when lwkt_light_switch returns. Not called when td ends. NULL: lwkt_light_switch itself, or the resident's.
	 */
	void (*swtch)(struct lwkt_context *from, struct lwkt_context *to);
	uint64_t fpcontrol; /* the floating-point control words that it begins with, of lwkt_fpcontrol; 0: those of its rfork. In plain C only */
};

/* ------------------------------------------------------------------ the CPU */

/**
 * Make the calling kernel thread an rfork: gives it a per-CPU area (x86-64: reached through %gs from now on) whose thread0 is the
 * stack it stands on. May be called on any kernel thread that has none. Returns 0, EEXIST where it has one already, EAGAIN where there
 * are LWKT_CPU_MAX, ENOMEM.
 */
int lwkt_cpu_init(void);

/**
 * Undo lwkt_cpu_init: gives back pooled threads, stacks and the area itself. On thread0 only. Returns 0, EPERM on a
 * userthread, EBUSY while unfinished userthreads exist, here or (with a stack from here) elsewhere, and while the answer to lwkt_share_ask is under way.
 */
int lwkt_cpu_fini(void);

/** Whether the calling kernel thread is an rfork: 1 or 0. Any kernel thread; costs a system call (gettid), two without FSGSBASE. */
int lwkt_is_rfork(void);

/** The per-CPU area of the calling rfork: one load, two on aarch64. On rforks only: elsewhere it faults, or answers NULL or another's area, as a
 *  new kernel thread begins with its creator's %gs. Ask lwkt_is_rfork() where that is in doubt. */
globaldata_t lwkt_mycpu(void);

/** The running userthread; thread0 on the rfork's own stack. Two loads; on rforks only, as lwkt_mycpu. (curthread) */
lwkt_thread_t lwkt_curthread(void);

/** The number of the calling rfork, 0 to LWKT_CPU_MAX - 1: the lowest that was free when it began. (gd_cpuid) */
unsigned lwkt_cpuid(void);

/** How many rforks there are now. Any kernel thread. (ncpus) */
unsigned lwkt_ncpus(void);

/** This rfork's thread0. */
lwkt_thread_t lwkt_thread0(void);

/** Copies this rfork's counters out. */
void lwkt_stats(struct lwkt_stats *out);

/* ------------------------------------------------------------------ thread operations */

/**
 * Create a userthread that runs func(arg) and exits when func returns; scheduled unless TDF_NOSTART. In plain C it begins
 * with the floating-point control words that its rfork had at lwkt_cpu_init, or with args->fpcontrol. On another rfork (args->rfork) it comes to be by an IPI message,
 * and gets its td_id there; a thread of a resident's can be created on its own rfork only.
 * *tdp is set before the thread can run. Does not switch. The thread gets its stack when it first runs: a finished thread's
 * where there is one. If none can be had then, the thread is finished at once with td_error (ENOMEM).
 * Returns 0, EINVAL (stack size, priority or flags out of range; a resident elsewhere, with TDF_MIGRATABLE or with a swtch), ENOMEM, ESRCH (that rfork has ended).
 * (DragonFly: lwkt_create.)
 */
int lwkt_create(void (*func)(void *arg), void *arg, lwkt_thread_t *tdp, const struct lwkt_create_args *args);

/** The caller's floating-point control words: rounding, what traps, what becomes of denormals. x86-64: mxcsr without its flags, in the upper half the
 *  x87's; aarch64: FPCR. */
uint64_t lwkt_fpcontrol(void);

/** End the calling userthread: does not return. EPERM on thread0 and on a thread with a resident of its own, which ends by
 *  returning. (lwkt_exit) */
int lwkt_exit(void);

/**
 * Wait until a thread created with TDF_JOINABLE has exited, then release it; td is invalid afterwards. It may be another rfork's. Blocks; on
 * thread0 it runs the others meanwhile and returns EDEADLK if none of them can run, none waits for a time, and there is no other rfork. Returns
 * 0, td's td_error, EDEADLK for oneself, EINVAL where td is not joinable, EBUSY where somebody joins it already, ESRCH where its rfork has ended.
 */
int lwkt_join(lwkt_thread_t td);

/**
 * Keep td's structure until lwkt_rele, whatever becomes of the thread: for who finds it in a table, from whatever rfork, and it may end meanwhile. Of a
 * thread that has ended td_flags says TDF_EXITING, and what is asked of it answers EINVAL. The caller must know that td exists when it calls
 * this: it is td itself, has held it already, or td can't have got past a place where it would have taken itself out of the table. Holds are
 * counted. Any kernel thread; an atomic addition. (lwkt_hold)
 */
void lwkt_hold(lwkt_thread_t td);

/** The end of one lwkt_hold: td may be invalid afterwards. Any kernel thread; an atomic subtraction. (lwkt_rele) */
void lwkt_rele(lwkt_thread_t td);

/** Make td runnable: last of its priority. Idempotent; does not switch. Another rfork's thread is scheduled there, by an IPI message
 *  that follows it should it migrate, and holds it (lwkt_hold). Returns 0, EINVAL for thread0 or an exited thread (of this
 *  rfork), ESRCH where its rfork has ended. (lwkt_schedule) */
int lwkt_schedule(lwkt_thread_t td);

/** Take the calling userthread off the run queue. It runs on until lwkt_switch. (lwkt_deschedule_self) */
void lwkt_deschedule_self(void);

/**
 * Switch to the runnable userthread with the highest priority, or to thread0 if there is none or the pass' time is up.
 * Blocks if the caller was descheduled, else it is a yield. On thread0: runs one pass, see lwkt_dispatch. Returns 0, or EDEADLK inside a
 * critical section and in an IPI function, where it does nothing: a descheduled caller runs on, and leaves at its next switch. (lwkt_switch;
 * DragonFly's lets a thread switch inside its critical section, which then protects nothing)
 */
int lwkt_switch(void);

/** Let equals and betters run; returns at once if there are none. Never blocks for good. Returns 0, or EDEADLK where there are some and the
 *  caller is inside a critical section or an IPI function. (lwkt_yield) */
int lwkt_yield(void);

/** deschedule_self + switch with a wait reason; returns when somebody has scheduled the caller. Spurious wake-ups happen:
 *  loop on the condition. Returns 0, EDEADLK on thread0, inside a critical section and in an IPI function. (lwkt_sleep) */
int lwkt_block(const char *wmesg);

/**
 * As lwkt_block, and it returns when ns nanoseconds have passed, too (UINT64_MAX: never for that reason; 0: as soon as the others had their
 * turn). Never before; later by what it takes until the rfork's next switch point, by up to 16 of those on a busy one. Returns 0 when somebody
 * has scheduled the caller, EWOULDBLOCK when the time is up, EDEADLK on an event loop's thread0 and in an IPI function. Who is scheduled at the
 * moment at which the time is up may be told either: look at the condition once more. Another thread0 may call it: one round then runs a pass, or
 * sleeps in the kernel, and 0 means that something may have changed. (tsleep; EWOULDBLOCK is its answer)
 */
int lwkt_block_timed(const char *wmesg, uint64_t ns);

/** Sleep for ns nanoseconds, whoever schedules the caller meanwhile (UINT64_MAX: for ever). Returns 0, EINTR where lwkt_interrupt ended it or came
 *  before it, which is used up thereby; EDEADLK as lwkt_block_timed. (nanosleep1) */
int lwkt_nanosleep(uint64_t ns);

/** Nanoseconds until the first timed wait of this rfork is over, 0 where it should be already, UINT64_MAX where there is none. For an event loop:
 *  arm a timer of your own after each lwkt_dispatch, and call lwkt_dispatch, which wakes them, when it fires. Reads the clock. */
uint64_t lwkt_next_timer(void);

/** Set td's priority, 0..31; requeues it last of the new level. Returns 0, EINVAL, EPERM for another rfork's. (lwkt_setpri) */
int lwkt_setpri(lwkt_thread_t td, int pri);

/**
 * On thread0: run userthreads until none is runnable or about budget_ns nanoseconds have passed (0: no limit); those first whose timed waits are
 * over; lwkt_cpu_wake ends it, too. Returns the number of userthreads that are still runnable; lwkt_next_timer says when to come back for those that wait for a time. On a
 * userthread, and inside a critical section: returns 0 and does nothing.
 */
unsigned lwkt_dispatch(uint64_t budget_ns);

#define LWKT_DISPATCH_ONE 1 /* a budget: one userthread has its turn */

/** On thread0: those that could be next, as many as max, in the order in which they would come: the userthreads on the run queue of the highest priority there is. Returns how
 *  many there are. For who decides himself whose turn it is (tests of orders), together with lwkt_dispatch_next. Elsewhere it returns 0. */
unsigned lwkt_candidates(lwkt_thread_t *tds, unsigned max);

/** On thread0: runs td, one of the candidates, until it gives way; else whoever is first. Returns what lwkt_dispatch does. */
unsigned lwkt_dispatch_next(lwkt_thread_t td);

/** The pass under way ends at the next switch point, whatever its budget. Callable in an IPI function. For an embedder whose thread0 has got
 *  something else to do. */
void lwkt_pass_end(void);

/** Give back up to max of the idle stacks beyond keep, with their memory. Returns how many went. thread0 only; elsewhere it returns 0. */
unsigned lwkt_pool_trim(unsigned keep, unsigned max);

/** How far the number of stacks in use has risen and fallen since the last call: as many idle ones a load like that can use. The rest
 *  may be trimmed. */
unsigned lwkt_pool_swing(void);

/** For a resident's main: finish the running thread; where the next to run is a fresh thread of the same kind, become it
 *  without a switch and return 1. 0: call lwkt_resident_park. */
int lwkt_resident_adopt(void);

/** For a resident's main, after adopt said 0: put this stack into the pool and switch away. Returns 1 when the stack has been given
 *  to a fresh thread (curthread; run it), 0 when main must unwind and return. */
int lwkt_resident_park(void);

/** How many userthreads are on the run queue, the running one included. */
unsigned lwkt_runnable(void);

/** Whether lwkt_yield would switch: somebody else is runnable at this priority or above, or the pass' time is up. */
int lwkt_yield_wanted(void);

/** Whether td is that rfork's curthread. Any kernel thread may ask; the answer may be out of date at once. td is not looked into. */
int lwkt_runs_on(globaldata_t rfork, lwkt_thread_t td);

/** Whether somebody waits for that rfork's processor: more runnable threads than the one that runs, or IPI messages. Any kernel thread may ask; the
 *  answer may be out of date at once. */
int lwkt_is_wanted(globaldata_t rfork);

/** thread0 belongs to an event loop: whatever would block it answers EDEADLK instead of running a pass, and it is switched away from
 *  by swtch. data becomes its td_data. NULL: it is an ordinary thread0 again. Ends a trace of the rfork (lwkt_trace_stop). */
void lwkt_thread0_is_loop(void (*swtch)(struct lwkt_context *from, struct lwkt_context *to), void *data);

/**
 * For an event loop: the descriptor (an eventfd) that becomes readable when an IPI message comes while the loop sleeps. Poll it, read it when it is
 * readable, never close it: it stays with the per-CPU area. -1 times an errno where none can be had. thread0 only.
 */
int lwkt_doorbell(void);

/** For an event loop that has a doorbell and is about to sleep in its poll: 1, and from now on an IPI message rings it; or 0, some have come already:
 *  poll without sleeping. Where an answer is expected it looks for one first, for some tens of microseconds, as long as that pays. */
int lwkt_loop_sleeps(int expecting);

/** For an event loop that has come back from its poll: no ringing any more. Whether IPI messages have come, which lwkt_dispatch runs. */
int lwkt_loop_wakes(void);

/** The plain switch: callee-saved registers and stack. What a td_switch of one's own calls in its middle. The scheduler sees to errno and C++
 *  exceptions, around td_switch. */
void lwkt_light_switch(struct lwkt_context *from, struct lwkt_context *to);

/** The lowest usable byte of td's stack, NULL for thread0 and for a thread that has not run. */
void *lwkt_stack_base(lwkt_thread_t td);

/** The upper end of td's stack: the first byte above it. NULL for thread0 and for a thread that has not run. */
void *lwkt_stack_end(lwkt_thread_t td);

/**
 * How many bytes of td's stack have been used, from its upper end to the lowest page ever touched: a multiple of the page size. Touched by td, or by the threads that had the stack before it: a stack that comes from the pool keeps their
 * pages, one that was trimmed (lwkt_pool_trim) begins anew. 0 for thread0, a thread that has not run or has exited, another rfork's, and where
 * the system does not tell. Makes three system calls: for an operator's eye, not for a busy path. Not in a freestanding build.
 */
size_t lwkt_stack_used(lwkt_thread_t td);

/**
 * Run fn(arg) on the stack of td, which is switched out, as if td had called it; then td is switched out again as before. For looking
 * at a suspended thread. fn must not block. Returns 0, EPERM for another rfork's, EINVAL where td has no stack or is running.
 */
int lwkt_visit(lwkt_thread_t td, void (*fn)(void *arg), void *arg);

/** Interrupt td: an interruptible wait answers EINTR, now or when it next begins. Another rfork's thread is interrupted there, as lwkt_schedule does. Returns 0,
 *  EINVAL for thread0 or an exited thread (of this rfork), ESRCH where its rfork has ended. */
int lwkt_interrupt(lwkt_thread_t td);

/** Use up an interrupt that is pending for the calling thread, as an interruptible wait would: EINTR; or 0, there is none. For who has found out
 *  otherwise what it was about. */
int lwkt_take_interrupt(void);

/** lwkt_interrupt for all unfinished userthreads of this rfork but the caller: for an embedder that wants to end. Returns how many there are. */
unsigned lwkt_interrupt_all(void);

/** Critical sections nest and belong to the thread. Nothing preempts: IPI messages run at switch points only, so this costs an addition. While
 *  in one the thread does not switch: what would block answers EDEADLK instead, so that what is looked at inside stays as it is.
 *  crit_exit without crit_enter answers EPERM. */
void lwkt_crit_enter(void);
int lwkt_crit_exit(void);

/* ------------------------------------------------------------------ rforks */

/** Creation parameters of lwkt_rfork_create; zero-initialise, then set what matters. */
struct lwkt_rfork_args {
	const char *name; /* of its kernel thread, cut at 15 bytes; NULL: "rfork" */
	int processor;    /* 1 + the processor it is to stay on; 0: any. Not with `make` */
	/**
	 * What its thread0 does, in place of running userthreads and sleeping: NULL, or a function that lasts until lwkt_cpu_ending(), runs them by
	 * lwkt_dispatch, and sleeps as it likes: by lwkt_cpu_idle, or in a call of its own, to be woken by lwkt_doorbell. It can set up the kernel
	 * thread first: its signals are blocked. Where it returns earlier the rest is done without it.
	 */
	void (*loop)(void *data);
	/**
	 * Makes its kernel thread: has begin(arg) called on a new one, and returns 0, or an errno where there is none. begin returns when the rfork has
	 * ended. NULL: libcr makes it.
	 */
	int (*make)(void (*begin)(void *arg), void *arg, void *data);
	void (*join)(void *data); /* with `make`: waits until that kernel thread has left begin. Called once, by lwkt_rfork_join, or where the rfork can't begin */
	void *data;               /* for the three */
};

/**
 * Start an rfork: a kernel thread that runs userthreads, and sleeps in the kernel (futex) while none of them can run. It begins with main(arg)
 * as its first userthread, or with none (NULL), and lasts until lwkt_rfork_join. All signals are blocked on it.
 * Any rfork may call it. Returns 0, EAGAIN (no more kernel threads, or LWKT_CPU_MAX rforks), EINVAL (processor; make without join), ENOMEM,
 * what args->make has returned.
 * (libcaps: caps_fork_vcpu)
 */
int lwkt_rfork_create(void (*main)(void *arg), void *arg, globaldata_t *gdp, const struct lwkt_rfork_args *args);

/**
 * Wait until all userthreads of an rfork made by lwkt_rfork_create have exited, those too that began there and have moved on, and end it; gd is
 * invalid afterwards. Blocks as
 * lwkt_join. Exactly one caller; nobody may create threads there or send to its ports any more when the last one exits. Returns 0,
 * EINVAL where gd was not made by lwkt_rfork_create, EDEADLK for the caller's own, EBUSY where somebody joins it already.
 */
int lwkt_rfork_join(globaldata_t gd);

/**
 * In the child of a fork, before it does anything else with libcr: the caller's rfork is the only one there is, and the caller its only userthread (and thread0,
 * if that is not the caller). All others are no more, and what they had, their stacks among it, is this rfork's. What came to be under way between rforks is lost. It has a
 * doorbell of its own. Callable by who has forked only; it never returns in the others.
 *
 * The others must stand still when the parent forks, or what they were in the middle of is half done in the child: lwkt_cpusync_interlock for all rforks
 * before, lwkt_cpusync_deinterlock in the parent afterwards; in the child that is over by this call. (Or they sleep for certain.) Tokens, serializers,
 * ports and wait queues in which threads are that are no more must be begun anew before they are used. Returns 0, EDEADLK in an IPI function. Never blocks.
 */
int lwkt_forked(void);

/** For a loop of one's own: whether the calling rfork is being joined and has nothing left to do, so that the loop must return: 1 or 0. */
int lwkt_cpu_ending(void);

/**
 * For a loop of one's own, on thread0: sleeps in the kernel until another rfork sends something or the first timed wait is over; on an rfork that shares
 * its work it asks for some first (lwkt_share_ask), and wakes up when it is time to ask again. Returns at once where a userthread can run, where something has come, on
 * an event loop's thread0 and on a userthread; for no reason at all, too: lwkt_dispatch comes next.
 */
void lwkt_cpu_idle(void);

/**
 * Have an rfork's loop look around: lwkt_dispatch returns at the next switch point, whoever could run, and lwkt_cpu_idle at once, or does not sleep where it is
 * about to; a loop that sleeps in a call of its own hears its doorbell. Any kernel thread, and a signal handler, on the rfork itself, too: say first what
 * has come, and then this; the loop looks after each lwkt_dispatch. Never blocks; a few atomic operations, and a system call where the rfork sleeps.
 */
void lwkt_cpu_wake(globaldata_t rfork);

/* ------------------------------------------------------------------ tokens and serializers */

/**
 * A token: whoever holds it is the only one of its holders that runs, on all rforks. A thread that blocks or yields lets go of all
 * that it holds, and has them again before it goes on: so what they protect may have changed across every call that blocks, taking another
 * token among them, and waiting with a token can't deadlock. The memory is the caller's; all fields are internal. (DragonFly 2004: lwkt_token)
 */
struct lwkt_token {
	globaldata_t t_cpu;           /* the rfork that has it; changed by that one only, read by all */
	lwkt_thread_t t_pin;          /* t_cpu's: it was given for this thread, which has not run since; or there are shares */
	struct lwkt_list t_requests;  /* t_cpu's: who waits for it, in order; struct request of token.c */
	const char *t_name;
	uint32_t t_shares;            /* t_cpu's: takings of it, shared, that have not come back */
};

/** One taking of a token: on the taker's stack. */
struct lwkt_tokref {
	uintptr_t tr_tok; /* the token; how it was taken is in the lowest bits */
	struct lwkt_tokref *tr_next;
};

/** Begin a token, owned by the calling rfork. name, for display, must outlive it. (lwkt_token_init) */
void lwkt_token_init(lwkt_token_t tok, const char *name);

/**
 * Take a token; the same thread may take it again. Blocks while another rfork has it in use; on its own rfork, and uncontended, it is a load, a
 * compare and two stores. Returns 0, EPERM on thread0, EDEADLK in an IPI function, where the caller holds it shared, and where it would have to
 * block inside a critical section, ESRCH where the rfork that had it has ended. (lwkt_gettoken)
 */
int lwkt_gettoken(struct lwkt_tokref *ref, lwkt_token_t tok);

/** Take a token if that needs no waiting. Returns 0, EBUSY, EPERM on thread0, EDEADLK in an IPI function and where the caller holds it shared.
 *  (lwkt_trytoken) */
int lwkt_trytoken(struct lwkt_tokref *ref, lwkt_token_t tok);

/**
 * Take a token shared: with others who do the same, on whatever rforks, and without anybody who takes it for himself. Blocks while somebody has it
 * so, or waits for it: who waits to have it for himself comes before all that ask later. A thread that has it for itself may take it shared as
 * well, and goes on having it for itself. Where the token is another rfork's it costs two IPI messages and the wait for the answer, and lwkt_reltoken
 * one: worth it where it is held for longer than that. Returns 0, EPERM on thread0, EDEADLK in an IPI function, ESRCH where the rfork that had it
 * has ended. (lwkt_gettoken_shared)
 */
int lwkt_gettoken_shared(struct lwkt_tokref *ref, lwkt_token_t tok);

/** Let go of the token that was taken last. Never blocks. Returns 0, EPERM where ref is not the running thread's last. A thread that exits lets
 *  go of all, and a debug build says so. (lwkt_reltoken) */
int lwkt_reltoken(struct lwkt_tokref *ref);

/**
 * A serializer: a lock for threads of all rforks that is kept while its holder blocks. Waiters get it in order. It does not nest. The
 * memory is the caller's; all fields are internal. (lwkt_serialize)
 */
struct lwkt_serialize {
	uint32_t s_lock;            /* guards the rest; held for a few instructions */
	lwkt_thread_t s_owner;      /* NULL: free */
	struct lwkt_list s_waiters; /* struct lwkt_waiter of waiter.h */
};

/** Begin a serializer, free. (lwkt_serialize_init) */
void lwkt_serialize_init(struct lwkt_serialize *s);

/** Enter; blocks while somebody else is in. Returns 0, EDEADLK where the caller is in already, in an IPI function, and, if it would have to
 *  wait, inside a critical section and on an event loop's thread0. (lwkt_serialize_enter) */
int lwkt_serialize_enter(struct lwkt_serialize *s);

/** Enter if nobody is in. Returns 0, EBUSY, EDEADLK where the caller is in already. (lwkt_serialize_try) */
int lwkt_serialize_try(struct lwkt_serialize *s);

/** Leave; the first who waits is in at once. Returns 0, EPERM where the caller is not in. (lwkt_serialize_exit) */
int lwkt_serialize_exit(struct lwkt_serialize *s);

/* ------------------------------------------------------------------ wait queues */

/**
 * A wait queue: where threads of all rforks wait for a condition of the caller's, in order. A generation number, which each signal moves on,
 * closes the gap between a look at the condition and the wait: who looked before the signal does not wait. The memory is the caller's, and must
 * stay until all have come back who wait; all fields are internal. (DragonFly 2003: struct lwkt_wait)
 *
 *	uint32_t gen = lwkt_wait_gen(w);         and who makes it true:
 *	while (!condition)                           condition = true;
 *		lwkt_wait_block(w, "condition", &gen);   lwkt_wait_signal(w, 1);
 *
 * What the condition is made of is not protected by this: it is one rfork's, atomic, or under a token or serializer.
 */
struct lwkt_wait {
	uint32_t w_lock;            /* guards the rest; held for a few instructions */
	uint32_t w_gen;             /* changed under the lock, read by all */
	struct lwkt_list w_waiters; /* struct waiter of wait.c */
};

/** Begin a wait queue, empty. (lwkt_init_wait) */
void lwkt_wait_init(struct lwkt_wait *w);

/** The generation: to be read before the condition is looked at. Never blocks. */
uint32_t lwkt_wait_gen(const struct lwkt_wait *w);

/**
 * Wait until somebody signals, unless somebody has since *gen was read; *gen is the present generation afterwards, to look at the condition with.
 * Blocks; being scheduled does not end it. Returns 0, EINTR where lwkt_interrupt ended it or came before it, which is used up thereby, EDEADLK in an
 * IPI function, on an event loop's thread0, and on another thread0 as lwkt_join. A signal is never used up by who returns anything but 0.
 * (DragonFly 2003: lwkt_block)
 */
int lwkt_wait_block(struct lwkt_wait *w, const char *wmesg, uint32_t *gen);

/** As lwkt_wait_block, for ns nanoseconds at most (lwkt_block_timed says how exactly; UINT64_MAX: no limit). EWOULDBLOCK: the time is up. */
int lwkt_wait_block_timed(struct lwkt_wait *w, const char *wmesg, uint32_t *gen, uint64_t ns);

/** Wake up to count of those who wait, those first that have waited longest; all of them where count is negative. They run when their rforks come to
 *  it. Never blocks; callable in an IPI function. Returns how many. (DragonFly 2003: lwkt_signal) */
unsigned lwkt_wait_signal(struct lwkt_wait *w, int count);

/* ------------------------------------------------------------------ migration */

/**
 * Move the calling userthread to another rfork: it goes on there, last of its priority. Nothing that was read from its old rfork holds
 * afterwards (lwkt_mycpu, C thread_locals; and errno's address, which a compiler may keep). Its stack's memory stays with the rfork that it began on, which
 * therefore can't end before it. Returns 0, EPERM on thread0, EINVAL for a thread of a resident's own (one that runs JavaScript), EDEADLK in an
 * IPI function and inside a critical section, EBUSY where it is pinned, ESRCH where the target has ended. A thread with TDF_MIGRATABLE loses that: it
 * has chosen.
 * (lwkt_setcpu_self)
 */
int lwkt_setcpu_self(globaldata_t target);

/**
 * The calling thread stays on its rfork until lwkt_unpin: TDF_MIGRATABLE does not count meanwhile, lwkt_setcpu_self and lwkt_giveaway refuse. For what is
 * the rfork's own, as a request in its ring that has to be cancelled there. Nests. Never blocks. (FreeBSD: sched_pin)
 */
void lwkt_pin(void);

/** The end of that. Returns 0, EPERM where the thread is not pinned. */
int lwkt_unpin(void);

/**
 * Give a userthread of this rfork away: to no rfork, until one takes it by lwkt_acquire. It must have been descheduled and switched out, and
 * whoever wants it scheduled or joined meanwhile has to wait: a wake-up is lost. How the other learns of it is the caller's affair, an IPI
 * message for example. Returns 0, EPERM for another rfork's, EINVAL for one that is runnable, running, pinned, exited, thread0 or of a resident's own.
 * (lwkt_giveaway)
 */
int lwkt_giveaway(lwkt_thread_t td);

/** Take a userthread that has been given away; it is not scheduled. Callable in an IPI function. Returns 0, EINVAL where it has not been
 *  given away. (lwkt_acquire) */
int lwkt_acquire(lwkt_thread_t td);

/**
 * Whether the calling rfork shares its work; at first none does. One that does gives runnable threads with TDF_MIGRATABLE to others that share
 * and have nothing to do: one each time it is asked, as long as it has two such threads or more. If it was made by lwkt_rfork_create it asks in
 * its turn before it sleeps (lwkt_cpu_idle, lwkt_share_ask), and again after 1 to 64 ms if there was nothing. Such a thread may find itself on another rfork after every call
 * that blocks or yields, with what lwkt_setcpu_self says of that; all others stay where they are. An rfork that others' threads have begun on
 * can't end before they do. On any thread of the rfork, or in an IPI function. (DragonFly's scheduler of user processes pulls in this way.)
 */
void lwkt_share_work(int on);

/**
 * The asking alone, for an rfork that shares its work and sleeps in a call of its own (with lwkt_doorbell and lwkt_loop_sleeps): on thread0, when no
 * userthread can run. Asks the busiest rfork for a thread, unless there is none, or it has been told no a moment ago. Answers for how many ns it may sleep
 * before it should ask again; UINT64_MAX: for good, as the answer comes by an IPI message, or as the rfork does not share; 0: not at all, a thread
 * has come already. The rfork can't end before the answer has come (lwkt_cpu_fini: EBUSY). Never blocks.
 */
uint64_t lwkt_share_ask(void);

/* ------------------------------------------------------------------ IPI messages */

/**
 * Have func(arg) run on another rfork: in order with what this rfork has sent there before, on its thread0's or a waiting thread's stack, at
 * its next switch point or by waking it. func must not block, switch or take tokens (those answer EDEADLK there or do nothing); it may send
 * IPI messages. To oneself it runs in place. May spin while the target's ring of 256 is full, and runs this rfork's own
 * incoming IPI messages meanwhile, so two that fill each other's rings go on. *seq (may be NULL) is for lwkt_wait_ipiq.
 * Returns 0, ESRCH where the target has ended, ENOMEM. (lwkt_send_ipiq)
 */
int lwkt_send_ipiq(globaldata_t target, void (*func)(void *arg), void *arg, uint64_t *seq);

/** The same without waking the target: it runs when that next has a reason of its own to look. (lwkt_send_ipiq_passive) */
int lwkt_send_ipiq_passive(globaldata_t target, void (*func)(void *arg), void *arg, uint64_t *seq);

/** Wait until an IPI message that this rfork sent has been run. Spins, then yields the processor; runs incoming IPI messages meanwhile.
 *  Returns 0, ESRCH where the target has ended without running it, EDEADLK while the caller has a cpusync interlocked. (lwkt_wait_ipiq) */
int lwkt_wait_ipiq(globaldata_t target, uint64_t seq);

/** Run the IPI messages that have come for this rfork. Switch points do so by themselves: for long computations. (lwkt_process_ipiq) */
void lwkt_process_ipiq(void);

/**
 * A cpusync: brings a set of rforks to a known point, has a function run on each, lets them go. What the master writes while they stand
 * still is seen by all of them, and what they wrote before is seen by it: for what all read without any lock and somebody changes seldom. The
 * memory is the master's, the stack will do; all fields are internal. (lwkt_cpusync; cs_mask is an array here)
 */
struct lwkt_cpusync {
	const globaldata_t *cs_rforks;
	unsigned cs_count;
	void (*cs_func)(void *arg);
	void *cs_data;
	lwkt_thread_t cs_master; /* NULL unless interlocked; written and read by the master */
	uint32_t cs_sent;        /* the master's: how many rforks are to count themselves below */
	uint32_t cs_parked;      /* the targets count here; (cs_mack) */
	uint32_t cs_release;     /* written by the master, read by the targets */
	uint32_t cs_done;        /* the targets count here */
};

/** For count rforks, among which the caller's own may be; the array must last as long as the cpusync. func(arg) is an IPI function, and runs once for
 *  each time that an rfork is named. (lwkt_cpusync_init) */
void lwkt_cpusync_init(struct lwkt_cpusync *cs, const globaldata_t *rforks, unsigned count, void (*func)(void *arg), void *arg);

/**
 * Wait until all rforks of the set but the caller's stand still: they run no thread, only IPI functions, until lwkt_cpusync_deinterlock. One
 * that sleeps is woken. One that has ended, or ends meanwhile, is left out. One whose thread0 is an event loop's notices at the loop's next
 * pass, and one in a long computation at its next switch point: so long this takes, and so long the others stand still. The caller's own rfork
 * runs nothing but the caller: until deinterlock it is inside a critical section. One cpusync at a time is under way in the process: who comes
 * later waits. Spins, then yields the processor, and runs incoming IPI messages meanwhile, a cpusync of somebody else's among them. Returns 0,
 * EDEADLK in an IPI function and where the caller has a cpusync interlocked, ENOMEM. (lwkt_cpusync_interlock)
 */
int lwkt_cpusync_interlock(struct lwkt_cpusync *cs);

/** Have the function run on each rfork of the set, the caller's too if it is named, all at the same time, and let them go; returns when it has run
 *  everywhere. By the thread that interlocked. Returns 0, EPERM where that was not the caller. (lwkt_cpusync_deinterlock) */
int lwkt_cpusync_deinterlock(struct lwkt_cpusync *cs);

/** Both, one after the other. Returns 0, EDEADLK, ENOMEM, as lwkt_cpusync_interlock. (lwkt_cpusync_simple) */
int lwkt_cpusync_simple(const globaldata_t *rforks, unsigned count, void (*func)(void *arg), void *arg);

/* ------------------------------------------------------------------ ports and messages */

/** A port owned by td (NULL: the caller), which alone may get from it and wait on it. name may be NULL. */
void lwkt_initport_thread(lwkt_port_t port, lwkt_thread_t td, const char *name);

/**
 * A port that threads of all rforks may get from and wait on, each message going to one of them; the service of a pool of threads, or the
 * reply port of several that send. Its queue is guarded by a lock that is held for a few instructions, so that sending to it from another
 * rfork costs no IPI message, but for waking somebody who waits; who waits gets in line. The port's memory may go when nobody waits, sends,
 * aborts or replies any more: after lwkt_waitmsg, not after lwkt_checkmsg alone. name may be NULL. (lwkt_initport_spin)
 */
void lwkt_initport_spin(lwkt_port_t port, const char *name);

/**
 * A spin port that only those may take from who are in the serializer s: so what belongs together with its messages is guarded by one thing.
 * Who waits is out of s while blocked, and in again afterwards. Who sends or replies need not be in s, unlike DragonFly's: it could have to
 * block for that, which a put function must not. After an EDEADLK on thread0, where nothing can run, the caller may have lost s to a thread
 * that is blocked. name may be NULL. (lwkt_initport_serialize)
 */
void lwkt_initport_serialize(lwkt_port_t port, struct lwkt_serialize *s, const char *name);

/** A port that only takes replies, and only marks them DONE: for senders that look at the message itself. */
void lwkt_initport_replyonly_null(lwkt_port_t port);

/** A port whose put runs put(port, msg) in the sender's context: its answer is the result, or EASYNC. */
void lwkt_initport_putonly(lwkt_port_t port, int (*put)(lwkt_port_t port, lwkt_msg_t msg), const char *name);

/** Initialise a message: flags = MSGF_DONE | flags; reply_port NULL means the caller's own port. */
void lwkt_initmsg(lwkt_msg_t msg, lwkt_port_t reply_port, uint32_t flags);

/** As lwkt_initmsg, and abortfn is what lwkt_abortmsg calls. */
void lwkt_initmsg_abortable(lwkt_msg_t msg, lwkt_port_t reply_port, uint32_t flags, void (*abortfn)(lwkt_msg_t));

/**
 * Send without waiting, to a port of any rfork. The message comes back on its reply port, even if the target finished it in place.
 * Returns 0, EBUSY where the message is under way already. (lwkt_sendmsg)
 */
int lwkt_sendmsg(lwkt_port_t port, lwkt_msg_t msg);

/**
 * Send and wait for the reply; blocks only if the target did not finish in place. Returns the message's error: 0 or a positive errno, never
 * EASYNC; EBUSY where the message is under way; EINVAL where it is MSGF_DROPABLE; EPERM where the reply port is another thread's; EDEADLK for
 * one's own thread port, on thread0 when the target would have to run and nothing can, and inside a critical section if it would have to wait.
 * After the last two the message is under way still. (lwkt_domsg)
 */
int lwkt_domsg(lwkt_port_t port, lwkt_msg_t msg);

/** Pass a message that was taken from a port on to another; the reply goes to the first sender. Returns 0 or EASYNC, EINVAL
 *  where the caller does not hold it (QUEUED or DONE). (lwkt_forwardmsg) */
int lwkt_forwardmsg(lwkt_port_t port, lwkt_msg_t msg);

/** Finish a message: it belongs to its sender again, don't touch it any more. error: 0 or a positive errno. Returns 0,
 *  EALREADY for a message that is DONE, EBUSY for one still QUEUED, EINVAL for EASYNC or a negative error. (lwkt_replymsg) */
int lwkt_replymsg(lwkt_msg_t msg, int error);

/** The port's next message, or NULL with *error 0; *error EPERM where the caller does not own the port, or is not in its serializer. Never
 *  blocks. error may be NULL. (lwkt_getport) */
lwkt_msg_t lwkt_getport(lwkt_port_t port, int *error);

/** The port's next message; blocks until there is one. NULL with *error: EPERM as lwkt_getport, EDEADLK on thread0 when nothing can run,
 *  inside a critical section and in an IPI function. (lwkt_waitport) */
lwkt_msg_t lwkt_waitport(lwkt_port_t port, int *error);

/** As lwkt_waitport, for ns nanoseconds at most (lwkt_block_timed says how exactly; UINT64_MAX: no limit). NULL with *error: EWOULDBLOCK where
 *  the time is up and there is no message; EPERM, EDEADLK as lwkt_waitport. A serialised port's serializer is entered again however long that
 *  takes. A port whose mp_waitport is a function of its own is timed if that waits by the one which it has overridden. */
lwkt_msg_t lwkt_waitport_timed(lwkt_port_t port, uint64_t ns, int *error);

/** Wait until this message is DONE and take it off its reply port's queue; blocks. Returns its error; EPERM where the reply port is another
 *  thread's, or the caller is not in its serializer; EINVAL for a message never sent or MSGF_DROPABLE; EDEADLK as waitport; EBUSY where
 *  somebody waits for this message already, at a spin port. (lwkt_waitmsg) */
int lwkt_waitmsg(lwkt_msg_t msg);

/** As lwkt_waitmsg, for ns nanoseconds at most, as lwkt_waitport_timed. EWOULDBLOCK: the time is up, and the message is under way still: its memory
 *  must stay, and it must be waited for again, aborted or not. Where that may be its own error as well, lwkt_checkmsg tells. */
int lwkt_waitmsg_timed(lwkt_msg_t msg, uint64_t ns);

/** Whether the message is DONE (true for one never sent). (lwkt_checkmsg) */
int lwkt_checkmsg(lwkt_msg_t msg);

/** By who may take from the port that it was sent to: take a message off that is still queued there, and leave it at that: no reply comes, the
 *  sender sees it DONE and not REPLY. Returns 0, ENOENT where it is not queued there (any more), EINVAL where it is not MSGF_DROPABLE, EPERM where
 *  the port is another thread's or the caller is not in its serializer. (lwkt_dropmsg) */
int lwkt_dropmsg(lwkt_msg_t msg);

/** For lwkt_initmsg_abortable, where the target is a thread port, a spin port or a serialised one: a message that is still queued comes back
 *  at once with ECONNABORTED; one that has been taken from the port, or is MSGF_DROPABLE, is left alone. It looks for the message on whatever
 *  rfork it has been forwarded to. The reply port must be the caller's, or a spin or serialised port. (DragonFly, 2003:
 *  lwkt_default_abortmsg) */
void lwkt_default_abortmsg(lwkt_msg_t msg);

/** Ask the target to finish early. Optional for the target; never finishes the message: exactly one reply still comes, and the sender still waits
 *  for it. Returns 0, EOPNOTSUPP where the message is not ABORTABLE, EALREADY where it is done. (lwkt_abortmsg) */
int lwkt_abortmsg(lwkt_msg_t msg);

/* ------------------------------------------------------------------ CPU time */

/**
 * Count from now on how long each thread of the calling rfork runs, from 0. Costs a look at the clock at each switch; while it is off a switch has
 * nothing to do with it. Threads get another td_switch for as long, as with lwkt_trace_start. Returns 0, or EALREADY, and it goes on. (DragonFly's td_uticks
 * and td_sticks, which the clock interrupt counts)
 */
int lwkt_cputime_start(void);

/** End that; td_cputime stays as it is. Also done by lwkt_cpu_fini and by lwkt_thread0_is_loop. Returns 0, or ESRCH where it does not count. */
int lwkt_cputime_stop(void);

/** For how long this rfork has counted, in ns; 0 where it does not. */
uint64_t lwkt_cputime_counted(void);

/** How long td has run, in ns, while that was counted (on whatever rfork): elapsed time, so what the kernel gave to others meanwhile is in it. 0 for another
 *  rfork's. Never blocks. */
uint64_t lwkt_cputime(lwkt_thread_t td);

/** For an event loop, on thread0: it is about to sleep in its poll (1), or has come back (0). What lies between is nobody's time. */
void lwkt_cputime_idle(int idle);

/* ------------------------------------------------------------------ tracing */

/* What a trace event says. Where nothing else is said te_td is the thread that ran. */
#define LWKT_TRACE_NAME 1u     /* te_td exists; te_text: its name */
#define LWKT_TRACE_BEGIN 2u    /* te_td runs for the first time; te_text: its name */
#define LWKT_TRACE_RUN 3u      /* te_td has the CPU again */
#define LWKT_TRACE_LEAVE 4u    /* te_td leaves the CPU; te_text: what it waits for, "" where it could go on (and for thread0); te_number: lwkt_trace_note */
#define LWKT_TRACE_END 5u      /* te_td has finished; te_text: its name */
#define LWKT_TRACE_SLEEP 6u    /* thread0 sleeps in the kernel, as nobody can run */
#define LWKT_TRACE_WAKE 7u     /* it has come back */
#define LWKT_TRACE_IPI_SEND 8u /* an IPI message goes to rfork te_cpu (lwkt_cpuid); te_number: the function's address */
#define LWKT_TRACE_IPI_RUN 9u  /* one from rfork te_cpu is about to be run */
#define LWKT_TRACE_MARK 16u    /* this and above: the program's own, see lwkt_trace_mark */

#define LWKT_TRACE_EVENTS_MIN 16u
#define LWKT_TRACE_EVENTS_MAX (1u << 24)

/** One event of a trace: 64 bytes. */
struct lwkt_trace_event {
	uint64_t te_time; /* CLOCK_MONOTONIC ns */
	uint64_t te_td;   /* td_id; one that has migrated keeps the one that it began with */
	uint64_t te_number;
	uint32_t te_kind; /* LWKT_TRACE_* */
	uint32_t te_cpu;
	char te_text[LWKT_NAME_MAX];
};

/**
 * Write down what the calling rfork does from now on: the last `events` events (LWKT_TRACE_EVENTS_MIN to LWKT_TRACE_EVENTS_MAX, 64 bytes each, committed as
 * they are used); what is older is lost, and counted. Its threads get another td_switch for as long, which calls the one that they were created with;
 * while it is off a switch has nothing to do with it. Returns 0, EBUSY where it is traced already, EINVAL, ENOMEM. (DragonFly: KTR)
 */
int lwkt_trace_start(unsigned events);

/** End that; what has not been read is gone. Also done by lwkt_cpu_fini and by lwkt_thread0_is_loop. Returns 0, or ESRCH where it is not traced. */
int lwkt_trace_stop(void);

/** Take up to max of the oldest events out of the record. Returns how many; 0 where the rfork is not traced. *lost (may be NULL): how many have been lost in
 *  all since lwkt_trace_start. Never blocks. */
unsigned lwkt_trace_read(struct lwkt_trace_event *to, unsigned max, uint64_t *lost);

/** An event of the program's own: kind from LWKT_TRACE_MARK on; cpu and number as it likes; time 0: now. Never blocks. Returns 0, EINVAL, or ESRCH where the
 *  rfork is not traced, and nothing is done. */
int lwkt_trace_mark(uint32_t kind, uint32_t cpu, uint64_t number, uint64_t time);

/** The te_number of the next LWKT_TRACE_LEAVE on this rfork: for a runtime that knows more of a wait's reason than td_wmesg says. */
void lwkt_trace_note(uint64_t number);

/* ------------------------------------------------------------------ the table other packages' native halves use */

/**
 * What core hands to the native halves of other packages, instead of link order or shared globals. Check version first; a
 * larger size with the same version only appends.
 */
struct lwkt_api {
	uint32_t version; /* LWKT_VERSION */
	uint32_t size;    /* sizeof(struct lwkt_api) of who filled it */
	lwkt_thread_t (*curthread)(void);
	int (*schedule)(lwkt_thread_t td);
	/**
	 * Block the calling userthread, which stands in a native call made by JavaScript: leaves V8, switches, comes back.
	 * Returns 0 when it was scheduled, EINTR where an abort is pending for it, EDEADLK on thread0 (where nothing was done), ECANCELED
	 * where its environment ends and the call must return to JavaScript at once.
	 */
	int (*js_block)(const char *wmesg);
	/** Whether an abort is pending for the running userthread: a blocking call should not begin. */
	int (*js_aborting)(void);
	int (*sendmsg)(lwkt_port_t port, lwkt_msg_t msg);
	int (*domsg)(lwkt_port_t port, lwkt_msg_t msg);
	int (*replymsg)(lwkt_msg_t msg, int error);
	void (*initmsg)(lwkt_msg_t msg, lwkt_port_t reply_port, uint32_t flags);
	void (*initport_putonly)(lwkt_port_t port, int (*put)(lwkt_port_t, lwkt_msg_t), const char *name);
	/*
	 * From here on for native userthreads (lwkt_client.h), each the function of that name. There is nothing that makes rforks or moves threads: an
	 * event loop could not tell that something is still to come from there. create, sendmsg and others that make threads runnable may be
	 * called on thread0 as well, and see to it that the event loop runs them.
	 */
	int (*create)(void (*func)(void *arg), void *arg, lwkt_thread_t *tdp, const struct lwkt_create_args *args);
	int (*exit)(void);
	int (*join)(lwkt_thread_t td);
	int (*block)(const char *wmesg);
	int (*block_timed)(const char *wmesg, uint64_t ns);
	int (*nanosleep)(uint64_t ns);
	int (*yield)(void);
	int (*yield_wanted)(void);
	int (*setpri)(lwkt_thread_t td, int pri);
	int (*interrupt)(lwkt_thread_t td);
	void (*crit_enter)(void);
	int (*crit_exit)(void);
	void (*initport_thread)(lwkt_port_t port, lwkt_thread_t td, const char *name);
	void (*initport_spin)(lwkt_port_t port, const char *name);
	void (*initport_serialize)(lwkt_port_t port, struct lwkt_serialize *s, const char *name);
	void (*initport_replyonly_null)(lwkt_port_t port);
	void (*initmsg_abortable)(lwkt_msg_t msg, lwkt_port_t reply_port, uint32_t flags, void (*abortfn)(lwkt_msg_t));
	int (*forwardmsg)(lwkt_port_t port, lwkt_msg_t msg);
	lwkt_msg_t (*getport)(lwkt_port_t port, int *error);
	lwkt_msg_t (*waitport)(lwkt_port_t port, int *error);
	lwkt_msg_t (*waitport_timed)(lwkt_port_t port, uint64_t ns, int *error);
	int (*waitmsg)(lwkt_msg_t msg);
	int (*waitmsg_timed)(lwkt_msg_t msg, uint64_t ns);
	int (*checkmsg)(lwkt_msg_t msg);
	int (*dropmsg)(lwkt_msg_t msg);
	void (*default_abortmsg)(lwkt_msg_t msg);
	int (*abortmsg)(lwkt_msg_t msg);
	void (*serialize_init)(struct lwkt_serialize *s);
	int (*serialize_enter)(struct lwkt_serialize *s);
	int (*serialize_try)(struct lwkt_serialize *s);
	int (*serialize_exit)(struct lwkt_serialize *s);
	void (*wait_init)(struct lwkt_wait *w);
	uint32_t (*wait_gen)(const struct lwkt_wait *w);
	int (*wait_block)(struct lwkt_wait *w, const char *wmesg, uint32_t *gen);
	int (*wait_block_timed)(struct lwkt_wait *w, const char *wmesg, uint32_t *gen, uint64_t ns);
	unsigned (*wait_signal)(struct lwkt_wait *w, int count);
};

#ifdef LWKT_EXPORT
#pragma GCC visibility pop
#endif
#ifdef __cplusplus
}
#endif
#endif
