/*
 * schedule.h - runs that can be had again (--deterministic), time that moves only when nobody can run (--time=virtual), and schedules from a seed (--schedule). What the
 * files of this folder share, and what lwps ask of them. Nothing of it is in the way of a program that runs without.
 *
 * Invariant: what is decided here goes by the seed, the program's calls and its instructions alone: no real clock, no process' number, no address of libcr's memory.
 */
#ifndef SCHEDULE_H
#define SCHEDULE_H

#include "posix.h"

/* schedule.c: whose turn it is */
extern bool schedule_is_seeded;
void schedule_begin(void);             /* the options have been read, the program is loaded */
void schedule_next(void);              /* on thread0: who runs next comes first */
void schedule_arrives(void);           /* an lwp has the processor: after its next wait thread0 decides anew */
void schedule_switch(struct lwkt_context *from, struct lwkt_context *to); /* td_switch of an lwp */
void schedule_born(struct lwp *lwp);
void schedule_yields(struct lwp *lwp); /* sched_yield */
void schedule_point(struct lwp *lwp);  /* AST_SCHEDULE */
void schedule_preempts(struct lwp *lwp); /* its instructions up to here are counted off: another one has its turn, if any can run */
void schedule_forks(void);             /* in the parent, before */
void schedule_forked(struct lwp *lwp); /* in the child */

/* strategy.c: what the seed says */
extern enum strategy { RANDOM, PCT, ROUND_ROBIN, LIST } strategy;
void strategy_read(const char *text);  /* --schedule's */
void strategy_is_interpreted(void);    /* what is counted is an interpreter's */
void strategy_forked(void);            /* in the child */
bool strategy_keeps(void);             /* who makes a call goes on, whoever else could */
bool strategy_time_moves(const struct moment *moment); /* time moves to the first timer where an lwp makes a call, or is preempted: it has computed for so long */
/** After how many instructions of the program's own somebody is interrupted, and how many pages of its code are come to after those. Nothing of both: not before his next call. */
struct quantum {
	uint64_t instructions, pages;
};

struct quantum schedule_quantum(const struct lwp *lwp, struct quantum left); /* where so much was left */
uint64_t schedule_returns(uint64_t quantum); /* the same where the lwp comes back from a library, with so much left: what is done with what that has given may be short */

/* moment.c: where lwps are; by the one that runs */
void moment_born(struct lwp *lwp);
void moment_forked(void);
void moment_arrives(struct lwp *lwp);   /* it has the processor */
void moment_leaves(struct lwp *lwp);    /* its program goes on */
const struct moment *moment_call(struct lwp *lwp); /* it makes a call, before which another one may go on; where that is */
const struct moment *moment_step(struct lwp *lwp); /* between two instructions; where that is */
/* On thread0. */
struct lwp *moment_stays(void);         /* who goes on by itself; NULL: nobody, that one waits */
const struct moment *moment_choose(void); /* the place of this choice; NULL: it is none */
void moment_write(uint64_t next);       /* the choice was another one than by itself */

/* decisions.c */
#define NEXT_TIME UINT64_MAX
void decisions_read(const char *text);
bool decisions_find(const struct moment *moment, uint64_t *next); /* who goes on there; false: it is not listed */
bool decisions_time_moves(const struct moment *moment);         /* whether time moves there */
struct quantum decisions_next_step(const struct lwp *lwp);        /* how far the next one is from where it is; nothing: none in this stretch */
void decisions_write(const struct moment *moment, uint64_t next, const char *call, uint64_t rip);

/* random.c: numbers of a stream */
void random_begin(uint64_t seed);
uint64_t random_below(uint64_t n);     /* a schedule's: 0 to n - 1 */
long random_call(struct lwp *lwp, struct trapframe *tf); /* getrandom, reads of /dev/urandom; or NOT_HANDLED */

/* machine.c */
long machine_call(struct lwp *lwp, struct trapframe *tf);
long machine_processors(uint64_t to); /* sched_getaffinity, where there is a schedule */

/* step.c: preemption between instructions */
void step_begin(void);
void step_enters(struct trapframe *tf); /* before anybody looks at the flags of a frame */
void step_leaves(struct lwp *lwp, struct trapframe *tf);

extern uint64_t step_count;             /* instructions that were counted, and pages */

/* pages.c: which of the program's own text (and of libraries that count as that) can be executed */
bool pages_are_own(uint64_t rip);
bool pages_closed(uint64_t at);         /* of its own text, and it can't be executed */
void pages_of_threads(void);            /* there is a second thread */
void pages_changed(void);               /* there may be other libraries now: they are looked for before the program goes on */
void pages_unmapped(uint64_t from, uint64_t size); /* these pages will be */
void pages_look(void);                  /* before one goes on: for those that there are now, if they may be others */
uint64_t pages_place(uint64_t rip, const char **library); /* in the file where that is; *library: its path, "" for the program's */
void pages_open(void);                  /* all of them */
void pages_close(void);
void pages_begin(struct lwp *lwp, uint64_t rip); /* from here on they are counted; */
void pages_resume(const struct lwp *lwp); /* it goes on so: those that were open are; */
void pages_come(struct lwp *lwp, uint64_t to);   /* to another one; */
void pages_find(void);

/** Text that is preempted between instructions: whole pages. */
#define TEXT_PATH 256
struct text_range {
	uint64_t from, to;
	uint64_t base;        /* where its file lies */
	char path[TEXT_PATH]; /* a library's, or "" */
};

/* text.c */
bool text_threads(struct text_range *own); /* the same where there is a second thread: whether it is an interpreter's, which has its libraries by then */
void text_find(struct text_range *own);    /* where the program's own text is */

/* libraries.c */
bool libraries_is_python(const char *path);
bool libraries_python(struct text_range *to);                     /* the interpreter's; false: there is none */
unsigned libraries_named(struct text_range *to, unsigned room);   /* those of --preempt-in */
void libraries_call(const struct trapframe *tf);                  /* one that may change which those are is made now */

/* watch.c */
#define WATCH_NS 100000000 /* of CPU time */
bool schedule_stands_still(const struct lwp *lwp, const ucontext_t *uc);

/* clock.c: time */
void clock_begin(void);
uint64_t clock_of_user(int clock);      /* what a clock of the kernel's says then */
uint64_t clock_now(void);              /* CLOCK_MONOTONIC, ns; nothing moves by it */
void clock_move(uint64_t to);
void clock_passes(uint64_t ns);
long clock_call(struct lwp *lwp, struct trapframe *tf);

/* tree.c: of a tree of processes */
void tree_begin(void);
bool tree_has(void);                   /* whether this process is one of it */
uint64_t tree_now(void);               /* to which it has come; 0: there is none */
void tree_forks(void);                 /* in the parent, before */
void tree_forked(void);                /* in the child */
void tree_vforked(struct proc *proc);
void tree_waits(uint64_t next, bool helped); /* no lwp can run, and the first timer is due then; helped: by kernel threads that wait for some */
bool tree_looks(void);                 /* and it has looked for what comes from outside; whether somebody waits for that */
void tree_runs(void);
bool tree_moves(uint64_t to);          /* whether time may move: all have been seen to have nothing to do before */

/* order.c: with a schedule, of a tree of processes: one at a time */
bool order_has(void);                  /* whether this process is one of such a tree */
void order_take(void);                 /* waits until it is this process' turn */
void order_passes(void);               /* no lwp can run: others have theirs, and it comes again; time may have moved */
void order_runs(void);                 /* an lwp can run */
void order_call(void);                 /* one makes a call */
void order_ends(void);                 /* this process makes its last call */
void order_settles(void);              /* it has been made, and may have woken others, or ended them */
void order_begins(void);                /* in the child: it has a turn of its own, and not what is left of its parent's */
void order_forked(void);               /* in the parent: its child is one of the tree, and waits for its turn */
void order_vforked(uint32_t child);    /* in a vfork's child, while its parent stands */

/* tsc.c: the processor's */
void tsc_begin(void);
bool tsc_fault(int sig, siginfo_t *si, ucontext_t *uc);

/* alarm.c: timers that the kernel has otherwise */
uint64_t alarm_next(void);             /* when the first is due; UINT64_MAX: none is armed */
void alarm_fire(void);                 /* those that are due */
long alarm_call(struct lwp *lwp, struct trapframe *tf);
void alarm_forked(void);

/* idle.c: no lwp can run */
uint64_t idle_next(void);              /* when the first timer is due, of any kind; UINT64_MAX */
void schedule_idle(void);

#define NEVER UINT64_MAX

#endif
