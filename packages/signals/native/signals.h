/*
 * signals.h - signals of a program whose threads are userthreads: the kernel's handlers are libcr's, what the program sees is made here.
 *
 * Between program and kernel:
 *  - The program's actions are a table (p_sigacts). Default and ignored ones are the kernel's too, so that it does what those mean; for all others it
 *    has libcr's handler, which notes the signal and returns.
 *  - A mask is an lwp's. The kernel blocks what all lwps block: such a signal waits there, with what came along with it. It is one kernel thread, the leader,
 *    that takes signals from outside.
 *  - A handler of the program's begins when its lwp goes back from libcr, on the program's stack, with the frame that the kernel would have laid.
 *
 * Invariant: signal handlers of libcr's touch p_incoming, lwp_ast and, of an lwp that they have interrupted in its program or in a call of that, lwp_fault. All else
 * belongs to libcr's ordinary code, under p_lock.
 */
#ifndef SIGNALS_H
#define SIGNALS_H

#include "lwkt_kernel.h"
#include "program.h"

/* Faults, and what catches calls: libcr's handlers stay, and the program's go behind them. The kernel never blocks these. */
#define SIGNALS_OURS \
	(SIGNAL_BIT(SIGSYS) | SIGNAL_BIT(SIGSEGV) | SIGNAL_BIT(SIGBUS) | SIGNAL_BIT(SIGFPE) | SIGNAL_BIT(SIGILL) | SIGNAL_BIT(SIGTRAP) | SIGNAL_BIT(SIGSTKFLT))
#define SIGNALS_UNBLOCKABLE (SIGNAL_BIT(SIGKILL) | SIGNAL_BIT(SIGSTOP))

#define REALTIME 32 /* signals from here on are queued, each that comes; of others one waits */

#define HANDLER_DEFAULT 0
#define HANDLER_IGNORE 1

/** A signal that has come. */
struct pending {
	struct pending *next;
	volatile uint32_t used; /* of the pool's */
	bool outside;           /* the kernel has let it go */
	siginfo_t info;
};

/** What an instruction of the program's has raised. */
struct fault {
	siginfo_t info;
	greg_t error, trap, address; /* as the kernel puts them into the context */
	bool used;
};

/* pending.c */
#define REALTIME 32 /* signals from here on are queued, each that comes; of others one waits */
/** How many there are, those in somebody's hands included. By atomic operations, in signal handlers, too. */
extern struct pending_counts {
	uint32_t pool;                 /* elements of the pool that are in use */
	uint32_t queued;               /* real-time signals */
	uint32_t outside[SIGNALS + 1]; /* of those from outside, by signal */
} pending_counts;
bool pending_is_pooled(const struct pending *pending);
struct pending *pending_new(const siginfo_t *info); /* NULL: too many are under way (RLIMIT_SIGPENDING), or there is no memory. Not from a handler */
void pending_free(struct pending *pending);
uint64_t pending_come(struct proc *proc, const siginfo_t *info); /* from a handler. What the kernel is to block from now on: there is no room for more */
void pending_hand_back(struct proc *proc, uint64_t blocked); /* not under p_lock: standard signals that wait here, and now can in the kernel. By the leader */
void pending_release(struct proc *proc); /* not under p_lock: tells the kernel if there is room again */
void pending_forked(struct lwp *lwp); /* in a fork's child, which begins with none: what is pending is its parent's */
struct pending *pending_leaves(struct lwp *lwp); /* the next that the lwp's execve hands on; NULL. Not under p_lock */
void pending_gone(struct lwp *lwp); /* its process is no more, whose only lwp it was */
/* Under p_lock: */
void pending_sort(struct proc *proc); /* from p_incoming to p_pending, or to the lwp that they were sent to */
void pending_add(struct pending **list, struct pending *pending);
struct pending *pending_take(struct pending **list, uint64_t wanted); /* the first of these; NULL */
struct pending *pending_next(struct lwp *lwp, uint64_t own, uint64_t process); /* the first that the lwp has of its own, or its process; NULL */
uint64_t pending_set(const struct pending *list);

/* mask.c */
void mask_set(struct lwp *lwp, uint64_t mask);
/* Under p_lock, together with p_nlwps: it is one of its process' lwps from now on, with its mask; or no more. Whether signals_mask_changed is to be told. */
bool mask_begins(struct lwp *lwp);
bool mask_ends(struct lwp *lwp);
void mask_restore(struct lwp *lwp);
void mask_for_now(struct lwp *lwp, uint64_t mask); /* for the time of a call */
/** Tells the kernel what this kernel thread is to block. */
void mask_apply(struct proc *proc);
void mask_first(struct lwp *lwp); /* a process' only lwp, and whatever mask the kernel has */
extern const struct call_entry mask_calls[];

/* action.c, catch */
void action_install(struct proc *proc, int sig);
/** Those of these signals whose default action would end the process come to libcr's handler from now on, which ends it likewise. */
void action_catch(struct proc *proc, uint64_t signals);
void action_default(int sig); /* what the kernel does by default, to this process */
/** In a handler: this kernel thread is a helper, which has its rfork's %gs, and runs no lwp. */
bool signals_on_helper(void);
void action_take_default(int sig);
extern const struct call_entry action_calls[];
void signals_on_signal(int sig, siginfo_t *si, ucontext_t *uc); /* libcr's handler of those that come from outside */
void signals_catch(void);
void signals_leave(struct lwp *lwp);
void signals_are_ours(struct lwp *lwp);

/* end.c */
/** What the kernel does by default; with the program's registers in the core, where it leaves one. Returns if the process goes on. */
void signals_end(struct trapframe *tf, int sig);
/** Whether it ends the process that an instruction raises this signal: there is no handler, or it is blocked. */
bool signals_fault_ends(const struct lwp *lwp, int sig);

/* deliver.c */
void signals_deliver(struct lwp *lwp, struct trapframe *tf);
/** Whether the lwp has a signal that does something: whose handler would run, or that ends the process. What does nothing is dropped. */
bool signals_due(struct lwp *lwp);
/** p_pending is not empty: finds who takes it. */
void signals_assign(struct proc *proc);
extern const struct call_entry deliver_calls[];

/* signalfd.c; the first two under p_lock */
bool signalfd_takes(const struct lwp *lwp, const siginfo_t *info); /* it waits in the kernel now, which shows it there */
struct lwp *signalfd_lwp(struct proc *proc, siginfo_t *info);      /* whom the kernel's signal with SI_TKILL is for; NULL: it has ended */
void signalfd_taken(uint64_t address); /* a siginfo of the kernel's, in the program's memory: it does not say for whom it was */
extern const struct call_entry signalfd_calls[];

/* send.c */
long signals_post(struct lwp *lwp, const siginfo_t *info);
/** A timer's, for an lwp or for the process (0). One that has not been taken yet has overrun: how often, in all. */
int signals_post_timer(struct proc *proc, int tid, const siginfo_t *info);
extern const struct call_entry send_calls[];

/* By posix-compat: */
/** An lwp has a signal to take: it looks before its program goes on, and if it waits it does so no longer. In two steps: under p_lock, and with what that
 *  has answered after it. */
extern void *(*signals_wake)(struct lwp *lwp);
extern void (*signals_woken)(void *woken);
/** What the kernel is to block for the process has changed (p_kernel_mask). */
extern void (*signals_mask_changed)(struct proc *proc);
extern void (*signals_mask_soon)(struct proc *proc); /* the same without waiting for it */
/** In a signal's handler: one has come, and is in p_incoming. */
extern void (*signals_come)(bool on_helper);
/** Waits until the lwp has a signal. */
extern void (*signals_pause)(struct lwp *lwp);

void signals_begin(struct lwp *lwp);
/** The options have been read: what the trace tells of comes to libcr, and the mask is the program's. */
void signals_options(struct lwp *first);
#endif
