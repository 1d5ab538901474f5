/*
 * posix.h - lwps: what a program takes for threads, on userthreads. What the files of this folder and its rooms share.
 *
 * An lwp is an ordinary lwkt thread, whose own stack is the lwp's kernel stack: the program's registers lie at the top of it (trapframe.h), its stack is
 * wherever the program has it. So libcr never stands on a stack of the program's, which may be small, guarded, or gone.
 *
 * While a process has one lwp, its calls wait in the kernel. From the second on whatever may wait is kept from stopping the rfork (wait.c).
 */
#ifndef POSIX_H
#define POSIX_H

#include "program.h"
#include "signals.h"

#include <time.h>

#include "list.h" /* core's */
#include "lwkt_kernel.h"
#include "os/os.h"
#include "wait/wait.h" /* syscalls' */

#define LWP_TID_FIRST 0x10000000 /* the main lwp's tid is the pid; the others' lie from here on: above every pid, inside of FUTEX_TID_MASK */
#define LWP_TIDS 0x0fff0000      /* so many */

/*
 * Priorities. An lwp whose slice is over, as a tick has found it computing while others could, stands behind all that are not so far (expired, as in Linux' O(1)
 * scheduler): who waits a while and computes little has not to queue behind each that computes, for a slice of each. It is as the others again when it waits in a
 * later round; a round of an rfork is over when a tick finds one computing for the second time. So nobody comes before another for more than a slice a round.
 *
 * A signal waits for nobody's tick: an lwp that is to take one comes before all that compute, from when it is told until its program goes on. What runs
 * there meanwhile is interrupted, lets it go first, and has its turn again then, before its equals (lwkt_preempt). One that has come before its turn so goes on when its handler
 * returns, as somebody may wait for what the handler has asked of it (Go, to stop the world); but once only until another one has had a slice in its turn: else it would keep
 * the processor where it is signalled at each tick, as Go does with what computes.
 *
 * Invariant: an lwp looks before its program goes on, and has its own priority again then, as it has something in lwp_ast or has been switched to.
 */
#define TDPRI_EXPIRED (TDPRI_USER - 1)
#define TDPRI_SIGNAL (TDPRI_USER + 1)

/** What an rfork has besides its struct globaldata. Its own, where nothing else is said. */
struct rfork {
	uint64_t rf_fs;  /* what %fs is */
	int rf_tid;      /* its kernel thread's number */
	int rf_tick;     /* its timer's number in the kernel, or -1 */
	bool rf_ticking; /* that runs, or is about to. Of any rfork's */
	globaldata_t rf_gd;
	struct lwkt_cpusync rf_forking; /* while an lwp forks there: one on each rfork may want to at the same time */
	globaldata_t rf_still[LWKT_CPU_MAX]; /* whom it wants to stand still */
	uint64_t rf_cputime;      /* what its kernel thread had used when that was asked last, ns, */
	uint64_t rf_charged;      /* and with what lwps have been charged since then */
	uint64_t rf_nlwps;        /* that have begun here */
	uint64_t rf_npreemptions;
	uint64_t rf_nswitches;
	uint64_t rf_round;  /* how many rounds are over; this and the next: turn.c */
	uint64_t rf_slices; /* how many slices are over of those that had their turn */
};

extern struct rfork rforks[LWKT_CPU_MAX]; /* by lwkt_cpuid() */
extern struct rfork *rfork_leader;        /* the one that takes signals from outside: the first, or the one that has forked */

static inline struct rfork *rfork_self(void) { return &rforks[lwkt_cpuid()]; }

/* rfork.c */
void rfork_begin(const struct trapframe *tf) __attribute__((noreturn)); /* this kernel thread runs lwps from now on, the program's first first */
void rfork_look(void);                /* at what has come, on the rfork */
void rfork_look_thoroughly(void); /* now and then, if it is busy */
void rfork_start_others(void);        /* as many as are wanted, before there is a second lwp */
void rfork_interrupt(globaldata_t gd); /* another rfork: the lwp that runs there looks, at once. Say first what has come. From helpers, too */
void rfork_all(void (*func)(void *arg), void *arg); /* on each rfork at the same time, as an IPI function */
void rfork_forks(bool begins);
void rfork_forked(void);
/** Each rfork that runs. */
#define EACH_RFORK(rfork) (struct rfork *rfork = rforks; rfork < rforks + LWKT_CPU_MAX; rfork++) if (rfork->rf_gd)

/* main.c */
/** signals_mask_changed, where the last lwp may be the leader's and wait in the kernel: nobody waits for it. Until it is done such a signal comes, and waits in libcr. */
void mask_changed_soon(struct proc *proc);

/* lwp.c */
struct lwp *lwp_new(struct proc *proc, int tid);
int lwp_start(struct lwp *lwp, const struct trapframe *tf); /* 0, or an errno */
void lwp_link(struct proc *proc, struct lwp *lwp);
unsigned lwp_unlink(struct lwp *lwp); /* takes it out of its process, with the signals that were its own. How many are left: 0, it is still there */
/** Whether its calls wait in the kernel: in virtual time none does, but a child of vfork's. */
static inline bool lwp_is_alone(const struct lwp *lwp)
{
	return lwp->lwp_proc->p_nlwps <= 1 && (!options.virtual_time || lwp->lwp_proc->p_vforked_by);
}
void lwp_exit(struct lwp *lwp, int status) __attribute__((noreturn));
bool lwp_exists(struct proc *proc, int tid);
struct lwp *lwp_find(const struct proc *proc, int tid); /* under p_lock */
/** Waits until somebody wakes the lwp or has a signal for it; not at all if *over, which may become true while it looks at what has come. Whether it
 *  has a signal to take. */
bool lwp_wait(struct lwp *lwp, const char *wmesg, const bool *over);

/* thread.c */
void thread_forked(struct lwp *lwp);
extern const struct call_entry thread_calls[];

/* x86_64/switch.S, vectors.c: td_switch of an lwp, with its vector registers */
void lwp_switch_xsave(struct lwkt_context *from, struct lwkt_context *to);
void lwp_switch_ymm(struct lwkt_context *from, struct lwkt_context *to);
void lwp_switch_zmm(struct lwkt_context *from, struct lwkt_context *to);
extern void (*lwp_switch)(struct lwkt_context *from, struct lwkt_context *to);
void vectors_find(void);
size_t vectors_stack_size(void); /* of a kernel stack that has room for them */

/* fs.c */
void fs_find(char **environment);
void fs_load(struct lwp *lwp);
extern const struct call_entry fs_calls[];

/* futex.c */
long futex_wake(uint64_t address, int count, uint32_t bitset);
void futex_wake_queue(unsigned queue); /* all that wait there, whatever for: those whom it does not concern look, and wait again */
long futex_wake_for(const struct proc *proc, uint64_t address, int count, uint32_t bitset); /* the same in a child of vfork, too: lwps of its parent's, whose memory it has */
/** What a call has woken of the lwps, and those that are left of its number (tf_rdx) in the kernel: other processes', if it is not private, and children of vfork. As FUTEX_WAKE answers. */
long futex_wake_rest(struct lwp *lwp, const struct trapframe *tf, long woken, bool is_private);
void futex_wake_in_kernel(uint64_t address); /* an lwp of ours that waits in the kernel: being the only one, or by a helper */
long futex_wait(struct lwp *lwp, uint64_t address, uint32_t expected, uint32_t bitset, uint64_t ns);
/** expected: what the word at address has to be, or NULL. */
long futex_requeue(uint64_t address, int wakes, int moves, uint64_t address2, const uint32_t *expected);
void futex_forked(void);
extern const struct call_entry futex_calls[];

/* futex/pi.c: those with priority inheritance */
bool pi_is_its(int op);
long pi_call(struct lwp *lwp, struct trapframe *tf);
void pi_forked(void);
/** An lwp has ended, whose tid it was: what it has is others'. It is no more among its process' lwps. */
void pi_exit(const struct proc *proc, int tid);

/* futex/later.c: futex_waitv, futex_wake, futex_wait, futex_requeue */
extern const struct call_entry futex_later_calls[];

/* robust.c */
void robust_release(struct lwp *lwp);
extern const struct call_entry robust_calls[];

/* clock/cputime.c */
void cputime_start(void);                     /* as early as can be: the cycles of a second are found from here on */
void cputime_begin(struct lwp *first);        /* there will be a second lwp */
void cputime_rfork(struct rfork *self);       /* on it, before it runs lwps */
void cputime_comes(struct lwp *lwp);          /* it has the processor from now on */
void cputime_switch(struct lwkt_context *from, struct lwkt_context *to); /* lwp_switch, counted */
void cputime_tick(struct lwp *lwp);           /* in a signal's handler that has interrupted it in its program */
void cputime_forked(struct lwp *lwp);
bool cputime_counts(void);                    /* there are, or have been, several lwps */
/** The CPU clock of the lwp with this tid, or of me (0), who runs (NULL: thread0 does). Whether there is such an lwp. */
bool cputime_read(struct lwp *me, int tid, uint64_t *ns);
/** Whether it is the clock of one of the process' lwps, or could be one's that has ended: whose. */
bool cputime_clock(struct lwp *lwp, int clock, int *tid);
/** clock_nanosleep by such a clock. Whether it is one. */
bool cputime_sleep(struct lwp *lwp, struct trapframe *tf, long *result);
extern const struct call_entry cputime_calls[];

/* task/ */
enum proc_path task_path(struct lwp *lwp, int dirfd, char *path, size_t size, int64_t flags, long *result);
extern const struct call_entry folder_calls[];

/* clock/timers.c */
extern bool timers_due;                  /* timers_look has something to do */
void timers_fired(const siginfo_t *si);  /* in the handler of the kernel's signal */
void timers_look(void);
uint64_t timers_next(void);     /* in virtual time, when the first is due; UINT64_MAX */
bool timers_tick(void);                  /* a timer of a CPU clock is armed: it is looked at at each tick */
void timers_forked(void);
extern const struct call_entry timers_calls[];

/* turn.c: whose turn it is among the lwps of an rfork. On it, by the lwp itself */
int turn_priority(const struct lwp *lwp); /* its own, signals apart */
void turn_is_over(struct lwp *lwp);       /* a tick has found it computing, and others could run */
void turn_early(struct lwp *lwp);         /* it waits for its turn, and is to run a signal's handler first */
void turn_waits(struct lwp *lwp);         /* it is about to wait */
void turn_yield(struct lwp *lwp);         /* all others first */

/* sched.c */
int sched_priority(const struct lwp *lwp); /* of SCHED_FIFO and SCHED_RR; 0 for all others */
void sched_inherit(struct lwp *lwp, const struct lwp *from);
void sched_end(struct lwp *lwp);
void sched_forked(struct lwp *lwp); /* in a child, on its only lwp: its kernel thread has what the lwp had */
extern const struct call_entry sched_calls[];

/* wait.c */
void wait_begin(char **environment); /* program_wait and what belongs to it */
void waits_go_by(uint64_t (*clock)(int clock)); /* call_user's clock is this */
long lwp_offload(struct lwp *lwp, const struct trapframe *tf, const char *wmesg); /* the call as it is, by a helper */
extern const struct call_entry wait_calls[];

/* record.c */
void record_preempted(struct lwp *lwp); /* by a tick, in its program: others have their turn */
void record_tick(const struct lwp *lwp); /* it has the processor. In a signal handler */
void record_turns(void); /* turns of a recorded, or replayed, program */

/* credentials.c */
extern unsigned credentials_generation; /* changes when they do */
extern const struct call_entry credentials_calls[];

/* traced.c */
extern const struct call_entry traced_calls[];

/* tick.c */
bool tick_has_timer(int number);    /* the kernel's, of an rfork */
#define TICK_NS 10000000 /* CPU time; the kernel looks at its own ticks, 1 to 10 ms */
void tick_begin(void);
void tick_make(struct rfork *rfork); /* on it */
void tick_start(void);               /* on all: there are several lwps */
void tick_join(struct rfork *rfork); /* on it, once it can be seen: if there are */
void tick_forked(struct rfork *rfork); /* in a fork's child: the only one there is */
void tick_once(void);                /* for one lwp alone, until it calls the kernel (STALE_TICK). On its rfork, in signal handlers, too */
void tick_stop(void);                /* the one lwp that is left: STALE_TICK */
void tick_update(void);              /* whether a timer of a CPU clock runs may be another now */

#endif
