/*
 * proc.h - a program and its lwps: what every room of the front door, of posix-compat and of signals knows of them (DragonFly: sys/proc.h).
 *
 * A struct proc is what the program takes for its process, a struct lwp what it takes for a thread. A child of vfork, which runs in its parent's
 * memory, has one of each of its own.
 *
 * Who may touch what: an lwp's fields are its own. lwp_ast is set from anywhere, signal handlers included, by atomic operations. What is said to be so is under
 * p_lock, which is held for a few instructions, and never by a signal handler.
 */
#ifndef PROGRAM_PROC_H
#define PROGRAM_PROC_H

/* Offsets into struct lwp that entry.S knows. */
#define LWP_KSTACK 0
#define LWP_AST 8

/* lwp_ast: what is to be looked at before the program goes on; with the word behind it, which entry.S looks at at once. */
#define LWP_AST_FS 12
#define AST_SIGNAL 1  /* a signal may have come */
#define AST_RESCHED 2 /* somebody else wants the processor: the lwp's turn is over */
#define AST_PREEMPT 8 /* somebody of higher priority does, or thread0; then it goes on with its turn */
#define AST_SCHEDULE 16 /* the schedule comes from a seed, and is asked each time */
#define AST_FS 4      /* lwp_ast_fs, as program_look is told */

/* What a pass through to the kernel answers beside errors. */
#include "wait/restart.h"

#ifndef __ASSEMBLER__
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trapframe.h"

/* p_stale */
#define STALE_MASK 1u /* p_kernel_mask */
#define STALE_TICK 2u /* there is one lwp, and its rfork still ticks */

#define SIGNALS 64
#define BLOCKED_DIGITS 32 /* of numbers of lwps */
#define SIGNAL_BIT(sig) (1ull << ((sig) - 1))

/** A signal's action as rt_sigaction has it. */
struct sigact {
	uint64_t act_handler;
	uint64_t act_flags;
	uint64_t act_restorer;
	uint64_t act_mask;
};

/** An alternate stack as sigaltstack has it. */
struct altstack {
	uint64_t ss_sp;
	int32_t ss_flags;
	int32_t ss_padding;
	uint64_t ss_size;
};

struct vfork;   /* a child of vfork, and what its parent keeps of it (process/fork.c) */
struct pending; /* a signal that has come (signals) */
struct fault;   /* what an instruction of the program's has done (signals) */

/** How an lwp wants to be scheduled, as the calls about that have it. Its process' p_lock. */
struct schedule {
	bool has_policy, has_nice; /* false: as its rfork's kernel thread */
	bool resets;               /* SCHED_RESET_ON_FORK */
	uint8_t policy, priority;
	int8_t nice;
	uint64_t *affinity;        /* a set of processors; NULL: all that there are */
};

struct proc {
	uint32_t p_lock;
	int p_pid;
	unsigned p_nlwps;                    /* that have not ended; written under p_lock */
	volatile uint32_t p_stale;                    /* STALE_ bits: what the kernel has not been told, and has to be before it makes a call of the program's. By atomic operations */
	struct lwp *p_lwps;                  /* linked by lwp_next; p_lock */
	struct lwp *p_main;                  /* the one that the process began with, or NULL: it has ended; p_lock */
	bool p_files_are_copies;             /* a child of vfork's: its descriptors are its own, though its memory is not */
	struct lwp *p_vforked_by;            /* this process is in vfork, and has its parent's memory: nobody but the kernel may be waited for */
	struct vfork *p_apart;               /* likewise, where its parent's other lwps go on meanwhile (process/fork.c); NULL: all of its rfork stand still */
	struct sigact p_sigacts[SIGNALS + 1]; /* p_lock */
	uint64_t p_caught;                   /* signals that come to libcr's handler; by atomic operations */
	struct pending *p_incoming;          /* put there by signal handlers, the last first: to be sorted */
	volatile bool p_unassigned;          /* some have been sorted, and nobody has looked who takes them; set under p_lock, or before p_incoming is emptied */
	uint64_t p_held;                     /* signals that the kernel keeps, as there is no room here; set by signal handlers, by atomic operations */
	struct pending *p_pending;           /* for no lwp in particular, while none takes it; p_lock */
	uint64_t p_blocked_by[BLOCKED_DIGITS]; /* how many lwps block a signal: a word for each binary digit, a bit in it for each signal; p_lock */
	uint64_t p_kernel_mask;              /* what the kernel is to block: what all lwps do; written under p_lock */
	uint64_t p_kernel_told;              /* what it has been told to; written on the kernel thread that has it, in signal handlers, too */
	unsigned p_nsigwaits;                /* lwps with an lwp_sigwait; by atomic operations */
	bool p_traced;                       /* by a debugger: what it runs is without libcr */
	bool p_execs;                        /* an execve is under way: the kernel keeps all signals */
	void *p_exec;                        /* memory of an execve under way */
	size_t p_exec_size;
	uint32_t p_script;                   /* what a supervisor knows it by (script/channel.h: sl_process) */
	uint32_t p_clock_member;             /* of a child of vfork's, in virtual time (schedule/tree/tree.c of posix-compat) */
};

/** A place in a run, told by what a thread itself has done: schedule/decisions.c of posix-compat. */
struct moment {
	uint64_t thread, point; /* the number of its birth; which stretch between two calls */
	uint64_t n;             /* instructions of it, or how often it has had the processor */
	uint64_t pages;         /* of its code that it has come to after those instructions */
	enum { AT_CALL, AT_STEP, AT_WAIT } at;
};

/** Whether pages of this stretch are counted, and which two are open, the last one first, or 0: schedule/pages.c of posix-compat. */
struct paging {
	bool is_on;
	uint64_t open[2];
};

struct lwp {
	char *lwp_kstack;     /* the end of its kernel stack, 16-byte aligned: the trapframe lies below */
	volatile uint32_t lwp_ast;    /* AST_SIGNAL, AST_RESCHED, AST_PREEMPT: set by lwp_notify */
	volatile uint32_t lwp_ast_fs; /* not 0: %fs may be another lwp's. Its own rfork's alone */
	int lwp_tid;
	char *lwp_kstack_base; /* where that begins: a stack of the program's may end right below */
	struct proc *lwp_proc;
	struct lwp *lwp_next;        /* both p_lock */
	struct lwp **lwp_place;      /* the pointer to it in that list: there may be very many */
	uint64_t lwp_fs;             /* the program's %fs base */
	uint64_t lwp_sigmask;        /* signals it blocks; written under p_lock */
	uint64_t lwp_saved_sigmask;  /* the mask to have again after the next handler, if lwp_restore_sigmask */
	bool lwp_restore_sigmask;
	uint64_t lwp_sigwait;        /* signals that it waits for, though it blocks them */
	struct pending *lwp_pending; /* signals for this lwp alone; p_lock */
	struct fault *lwp_fault;     /* and the one that it has raised itself, which comes before all others */
	struct altstack lwp_altstack;
	uint64_t lwp_clear_tid;      /* the word to be cleared and woken when it ends, or 0 */
	uint64_t lwp_robust_list;
	void *lwp_td;                /* its userthread; NULL where there is no scheduler */
	struct schedule lwp_schedule;
	uint64_t lwp_cputime;        /* ns that it has used, up to lwp_since; this and the next: clock/cputime.c of posix-compat says who writes */
	uint64_t lwp_since;          /* the cycle from which on it has the processor; 0: it has not, or nobody counts */
	uint64_t lwp_cputime_told;   /* the most that somebody was told; p_lock */
	uint64_t lwp_round;          /* in which its slice was over last; this and what follows up to lwp_early_at: turn.c of posix-compat, on its rfork */
	bool lwp_expired;
	bool lwp_early;              /* it comes before its turn, to run a signal's handler, and so far goes on */
	bool lwp_gives_back;         /* likewise, and is to give the turn back when its handler returns */
	uint64_t lwp_early_at;       /* rf_slices, and 1, as it last went on so */
	uint64_t lwp_urgency;        /* where a schedule from a seed has priorities: the highest comes first; schedule/ of posix-compat */
	struct moment lwp_moment;  /* where it is, for a schedule's list of decisions; schedule/ of posix-compat */
	struct paging lwp_paging;    /* likewise */
	uint64_t lwp_arrivals;       /* how often it has had the processor since that point; this and the next likewise */
	bool lwp_stepped;            /* it is counted on: its stretch goes on */
	uint64_t lwp_ncalls;
	uint64_t lwp_nticks;         /* of TICK_NS that it ran in; by its rfork's tick (tick.c), and none while it is alone */
	uint64_t lwp_npreemptions;   /* likewise */
	void *lwp_trace;             /* a line under way (print/trace.c) */
	void *lwp_record;            /* a call under way (record/capture.c) */
	bool lwp_waits_turn;         /* in a replay */
	bool lwp_loses_turn;         /* while recorded or replayed: a tick has found it computing for long */
	bool lwp_is_over;            /* in a replay: the recording has no more of it */
	uint8_t lwp_reads_tsc;       /* likewise: the bytes of an instruction that does so, and has been caught; 0 */
	bool lwp_deaf;               /* it waits, and no signal ends that */
	struct vfork *lwp_vfork;     /* it waits for its child of vfork, and other lwps go on */
	char lwp_comm[16];           /* as prctl(PR_SET_NAME) has it; the main lwp's is the kernel's */
};

/** A process begins with one lwp. */
static inline void proc_has_only(struct proc *proc, struct lwp *lwp)
{
	proc->p_nlwps = 1;
	proc->p_lwps = proc->p_main = lwp;
	lwp->lwp_next = NULL;
	lwp->lwp_place = &proc->p_lwps;
}

static inline void lwp_notify(struct lwp *lwp, uint32_t ast)
{
	__atomic_fetch_or(&lwp->lwp_ast, ast, __ATOMIC_SEQ_CST);
}
#endif

#endif
