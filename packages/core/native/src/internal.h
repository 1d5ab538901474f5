/*
 * internal.h - what the rooms of native/src share: the per-CPU area and the functions that are no one else's business.
 *
 * Who may touch what: every field of struct globaldata and of struct lwkt_stack belongs to its rfork. The exception is struct shared, which
 * says itself.
 */
#ifndef LWKT_INTERNAL_H
#define LWKT_INTERNAL_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* sanitizer.h */
#endif

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

#include "../include/lwkt_kernel.h"
#include "cpu.h"
#include "list.h"
#include "os/os.h"
#include "overrun.h"
#include "sanitizer.h"
#include "thread-state.h"

#define LWKT_HIDDEN __attribute__((visibility("hidden")))

/** Before a function that deals with other rforks, by atomic operations. It is never inlined, so that test/fastpath.sh can tell what it does
 *  from what its callers do: those have no atomic operation. */
#define LWKT_OTHER_RFORK __attribute__((noinline))

/* Stack sizes go in powers of two from 16 KiB to 64 MiB; one pool and one arena for each. */
#define STACK_CLASS_MIN_SHIFT 14
#define STACK_CLASSES 13

/** A stack: a slot of an arena, perhaps with a resident at its bottom. */
struct lwkt_stack {
	struct lwkt_context st_ctx;              /* valid while in the pool */
	struct lwkt_list st_link;                /* pool or arena free list */
	struct lwkt_chunk *st_chunk;
	char *st_base;                           /* lowest usable byte, just above the guard page */
	size_t st_size;                          /* usable bytes */
	const struct lwkt_resident *st_resident; /* whose main stands at the bottom */
	bool st_unwind;                          /* the resident is to return instead of taking another thread */
	void *st_exit[5];                        /* plain C: where lwkt_exit goes back to (__builtin_setjmp) */
	struct lwkt_sanitizer st_sanitizer;
};

/** An arena's unit of mapping: a run of equal slots. */
struct lwkt_chunk {
	struct lwkt_list ch_link;
	globaldata_t ch_gd;  /* whose it is: its stacks come home to end, wherever their threads did */
	char *ch_base;
	size_t ch_size;      /* bytes of a slot, its guard page included: a stack class' size */
	unsigned ch_nslots;  /* slots in all */
	unsigned ch_used;    /* handed out; the chunk goes back to the system when there are none */
	unsigned ch_touched; /* slots that ever were: the rest has no guard page yet */
	struct lwkt_list ch_freelist;
	struct lwkt_stack ch_stacks[];
};

/** What other rforks may touch of a CPU: with atomic operations only. See ipiq.c. */
struct shared {
	_Atomic uint32_t tid;       /* of the rfork's kernel thread; 0: none. Written by itself, read by anyone (lwkt_is_rfork) */
	_Atomic uint32_t state;     /* CPU_*; written by itself, read by senders */
	_Atomic uint32_t sleeping;  /* a futex: SLEEP_*, while it sleeps or is about to. Set by itself, cleared by whoever wakes it */
	_Atomic int doorbell;       /* 1 + the eventfd that wakes it from SLEEP_LOOP; 0: none yet. Written once, by itself; kept with the area */
	_Atomic uint32_t pending;   /* some bit of `sources` may be set. Set by senders, cleared by itself */
	_Atomic uint32_t wanted;    /* thread0's loop is to look around (lwkt_cpu_wake). Set by whoever wants that, cleared by itself */
	_Atomic uint32_t load;      /* runnable threads that it would share (share.c): a hint. Written by itself, read by those with nothing to do */
	_Atomic uint64_t sources[LWKT_CPU_MAX / 64]; /* which rforks' rings have something: set by senders, cleared by itself */
};

enum { CPU_NONE, CPU_ONLINE, CPU_ENDING };
enum { SLEEP_NOT, SLEEP_FUTEX, SLEEP_LOOP };

/** Everything an rfork keeps, reached by lwkt_arch_mycpu. The first word must point to the area itself (x86_64/cpu.h). */
struct globaldata {
	struct globaldata *gd_self;
	lwkt_thread_t gd_curthread;
	uint32_t gd_runqmask; /* a bit for each non-empty queue below */
	uint32_t gd_flags;
	struct lwkt_state_places gd_state;
	struct lwkt_list gd_tdrunq[TDPRI_MAX + 1];
	struct lwkt_list gd_tdallq;                               /* all but thread0; an exited one that nobody has joined too */
	struct lwkt_list gd_freetd;                               /* thread structures for reuse */
	struct lwkt_list gd_pool[STACK_CLASSES];                  /* idle stacks; last in, first out */
	struct lwkt_list gd_chunks[STACK_CLASSES];                /* arenas */
	uint64_t gd_deadline; /* CLOCK_MONOTONIC ns at which thread0 must have its turn: the earlier of the next two; 0: never */
	uint64_t gd_pass_end; /* when a pass ends; 0: never */
	struct lwkt_timer *gd_timers; /* a heap: the first to fire, or NULL. See timer.c */
	uint32_t gd_clock_skip; /* switches until the clock is read again */
	unsigned gd_ipi_depth;  /* IPI functions under way: nothing may block or switch */
	uint64_t gd_ipi_known[LWKT_CPU_MAX / 64]; /* rforks that have ever sent something */
	bool gd_wanted;         /* the pass ends, as thread0's loop is to look around */
	unsigned gd_idles;      /* idle periods */
	unsigned gd_idle_spins; /* looks before the next sleep */
	uint64_t gd_next_id;
	uint64_t gd_fpcontrol; /* the floating-point control words that every plain C thread begins with */
	unsigned gd_pool_out;  /* stacks that threads have */
	unsigned gd_pool_high; /* the most and the fewest of them since lwkt_pool_swing was last called */
	unsigned gd_pool_low;
	unsigned gd_stacks_away;  /* stacks of ours on which threads of other rforks stand */
	lwkt_thread_t gd_leaving; /* switched out for the last time here, and on its way to gd_leaving_to */
	globaldata_t gd_leaving_to;
	struct lwkt_stack *gd_homing; /* another rfork's, whose thread has ended here */
	unsigned gd_migratable;   /* threads with TDF_MIGRATABLE on the run queue */
	bool gd_shares;           /* lwkt_share_work */
	bool gd_asking;           /* for work: an answer comes */
	bool gd_ending;           /* its joiner waits: it ends when it has nothing more to do */
	uint64_t gd_share_again;  /* CLOCK_MONOTONIC ns before which it does not ask, as it has asked in vain; 0: it may */
	uint64_t gd_share_pause;  /* ns */
	struct lwkt_stats gd_stats;
	void (*gd_visit)(void *arg); /* lwkt_visit under way: what the visited thread is to run */
	void *gd_visit_arg;
	lwkt_thread_t gd_visitor;    /* who gets the CPU back then */
	void *gd_altstack; /* overrun.c */
	struct lwkt_thread gd_thread0;
	struct lwkt_thread gd_reaper; /* curthread while a resident unwinds */
	struct lwkt_sanitizer gd_sanitizer;
	struct lwkt_rfork *gd_rfork; /* NULL unless lwkt_rfork_create made it */
	uint32_t gd_watchers; /* WATCH_*; 0: nobody sees its switches. See watch.c */
	struct lwkt_trace *gd_trace; /* NULL: nobody traces it. See trace.c */
	uint64_t gd_cputime_began; /* See cputime.c */
	uint64_t gd_cputime_since;
	/* From here on nothing is cleared when an area is used again: a kernel thread that inherited its %gs may look at gd_shared.tid. */
	_Atomic uint32_t gd_cpuid; /* written by itself before it is CPU_ONLINE */
	char gd_padding[64]; /* what others write to shares no cache line with what is ours */
	struct shared gd_shared;
};

/** Whether thread0 has something to send off that could not be touched while somebody stood on it. */
static inline bool migration_pending(globaldata_t gd)
{
	return __builtin_expect(gd->gd_leaving != NULL || gd->gd_homing != NULL, 0);
}

#define GDF_LOOP 0x1u /* thread0 is an event loop's: it never blocks */
#define CLOCK_EVERY 16 /* switches from one look at the clock to the next */

/* sched/sched.c */
LWKT_HIDDEN void lwkt_enqueue(globaldata_t gd, lwkt_thread_t td);
LWKT_HIDDEN void lwkt_dequeue(globaldata_t gd, lwkt_thread_t td);
LWKT_HIDDEN lwkt_thread_t lwkt_peek(globaldata_t gd);
LWKT_HIDDEN bool lwkt_pass_is_over(globaldata_t gd);
LWKT_HIDDEN void lwkt_start_running(globaldata_t gd, lwkt_thread_t td);
LWKT_HIDDEN struct lwkt_context *lwkt_next_context(globaldata_t gd);
LWKT_HIDDEN bool lwkt_time_is_up(globaldata_t gd);

/* sched/timer.c */
LWKT_HIDDEN void lwkt_deadline_changed(globaldata_t gd);
LWKT_HIDDEN void lwkt_timers_fire(globaldata_t gd, uint64_t now);
LWKT_HIDDEN void lwkt_timer_leave(globaldata_t gd, lwkt_thread_t td);
LWKT_HIDDEN void lwkt_timer_arrive(globaldata_t gd, lwkt_thread_t td);

/* rfork/ipiq.c */
LWKT_HIDDEN int lwkt_ipiq_online(globaldata_t gd);
LWKT_HIDDEN void lwkt_ipiq_offline(globaldata_t gd);
LWKT_HIDDEN void lwkt_ipiq_idle(globaldata_t gd, uint64_t limit_ns);
LWKT_HIDDEN globaldata_t lwkt_ipiq_busiest(globaldata_t gd);
LWKT_HIDDEN bool lwkt_ipiq_look(globaldata_t gd, unsigned most);
LWKT_HIDDEN void lwkt_ipiq_wait(unsigned *spins);

/* for rfork/forked.c, where what they forget is */
LWKT_HIDDEN globaldata_t lwkt_ipiq_forked(globaldata_t gd);
LWKT_HIDDEN void lwkt_cpusync_forked(globaldata_t gd);
LWKT_HIDDEN void lwkt_area_forked(globaldata_t gd);
LWKT_HIDDEN void lwkt_area_forget(globaldata_t gd);
LWKT_HIDDEN void lwkt_rfork_forget(struct lwkt_rfork *rfork);
LWKT_HIDDEN void lwkt_thread_forget(globaldata_t gd, lwkt_thread_t td);
LWKT_HIDDEN void lwkt_stack_inherit(globaldata_t gd, globaldata_t from);

/* rfork/cpusync.c */
LWKT_HIDDEN bool lwkt_cpusync_mastered(globaldata_t gd);

/* rfork/doorbell.c */
LWKT_HIDDEN void lwkt_doorbell_ring(globaldata_t target);

/* msg/msgport.c */
LWKT_HIDDEN void lwkt_port_enqueue(lwkt_port_t port, lwkt_msg_t msg);
LWKT_HIDDEN void lwkt_port_dequeue(lwkt_port_t port, lwkt_msg_t msg);
LWKT_HIDDEN lwkt_msg_t lwkt_port_next(lwkt_port_t port);
LWKT_HIDDEN void lwkt_port_complete(lwkt_port_t port, lwkt_msg_t msg);

/* msg/spinport.c */
LWKT_HIDDEN bool lwkt_spinport_withdraw(lwkt_port_t port, lwkt_msg_t msg);
LWKT_HIDDEN bool lwkt_spinport_abort(lwkt_msg_t msg);
LWKT_HIDDEN void lwkt_spinport_aborted(lwkt_msg_t msg);

/* lock/serialize.c */
LWKT_HIDDEN bool lwkt_serialize_held(struct lwkt_serialize *s);

/* A message's ms_abort. */
enum { ABORT_NONE, ABORT_LOOKING, ABORT_REPLIED };

/* thread/thread.c */
LWKT_HIDDEN void lwkt_thread_init(globaldata_t gd, lwkt_thread_t td);
LWKT_HIDDEN int lwkt_thread_bind(globaldata_t gd, lwkt_thread_t td);
LWKT_HIDDEN const struct lwkt_resident *lwkt_resident_of(lwkt_thread_t td);
LWKT_HIDDEN void lwkt_thread_finish(globaldata_t gd, lwkt_thread_t td, int error);
LWKT_HIDDEN unsigned lwkt_thread_free(globaldata_t gd, unsigned max);
LWKT_HIDDEN void lwkt_thread_free_all(globaldata_t gd);

/* lock/token.c */
LWKT_HIDDEN void lwkt_tokens_leave(globaldata_t gd, lwkt_thread_t td);
LWKT_HIDDEN void lwkt_tokens_arrive(lwkt_thread_t td);
LWKT_HIDDEN void lwkt_tokens_drop(globaldata_t gd, lwkt_thread_t td);

/* thread/migrate.c */
LWKT_HIDDEN void lwkt_migrate_finish(globaldata_t gd);
LWKT_HIDDEN void lwkt_migrate_send(globaldata_t gd, lwkt_thread_t td, globaldata_t target, void (*arrives)(void *td));
LWKT_HIDDEN void lwkt_migrate_arrive(void *td);

/* thread/share.c */
LWKT_HIDDEN void lwkt_share_count(globaldata_t gd, int change);

/* stack/stack.c */
LWKT_HIDDEN unsigned lwkt_stack_class(size_t size);
LWKT_HIDDEN size_t lwkt_stack_class_size(unsigned cls);
LWKT_HIDDEN size_t lwkt_stack_size_for(size_t size);
LWKT_HIDDEN struct lwkt_stack *lwkt_stack_alloc(globaldata_t gd, unsigned cls);
LWKT_HIDDEN void lwkt_stack_free(globaldata_t gd, struct lwkt_stack *stack);

/* stack/pool.c */
LWKT_HIDDEN struct lwkt_stack *lwkt_pool_get(globaldata_t gd, lwkt_thread_t td);
LWKT_HIDDEN bool lwkt_pool_is_warm(globaldata_t gd, lwkt_thread_t td);
LWKT_HIDDEN void lwkt_pool_return(globaldata_t gd, struct lwkt_stack *stack);

/* thread/resident.c */
LWKT_HIDDEN void lwkt_resident_unwind(globaldata_t gd, struct lwkt_stack *stack);
LWKT_HIDDEN void lwkt_stack_main(void);
LWKT_HIDDEN extern const struct lwkt_resident lwkt_plain_resident;

/* watch/trace.c */
LWKT_HIDDEN void lwkt_trace_thread(globaldata_t gd, lwkt_thread_t td, uint32_t kind, const char *text);
LWKT_HIDDEN void lwkt_trace_ipi(globaldata_t gd, uint32_t kind, unsigned cpu, void (*func)(void *));
LWKT_HIDDEN void lwkt_trace_switch(globaldata_t gd, lwkt_thread_t td);
LWKT_HIDDEN void lwkt_trace_switch_to(globaldata_t gd);

/* watch/cputime.c */
LWKT_HIDDEN void lwkt_cputime_charge(globaldata_t gd, lwkt_thread_t td);

/* watch/watch.c */
#define WATCH_TRACE 0x1u
#define WATCH_CPUTIME 0x2u
LWKT_HIDDEN void lwkt_watch(globaldata_t gd, uint32_t watcher);
LWKT_HIDDEN void lwkt_unwatch(globaldata_t gd, uint32_t watcher);
LWKT_HIDDEN void lwkt_watch_begins(globaldata_t gd, lwkt_thread_t td, bool elsewhere);
LWKT_HIDDEN void lwkt_watch_ends(globaldata_t gd, lwkt_thread_t td);
LWKT_HIDDEN void lwkt_watch_sleeps(globaldata_t gd, bool sleeps);

/** Whether somebody sees the rfork's switches: a load and a branch, where a thread begins, ends or arrives, and before a sleep. Never in a switch. */
static inline bool is_watched(globaldata_t gd)
{
	return __builtin_expect(gd->gd_watchers != 0, 0);
}

/** Whether the rfork is traced: a load and a branch, where another rfork is dealt with. Never in a switch. */
static inline bool is_traced(globaldata_t gd)
{
	return __builtin_expect(gd->gd_trace != NULL, 0);
}

/** Sets a thread's or a port's name, cut where it is too long. name is NUL-terminated. (snprintf would be half of lwkt_create.) */
static inline void lwkt_set_name(char to[LWKT_NAME_MAX], const char *name)
{
	size_t length = 0;

	for (; length < LWKT_NAME_MAX - 1 && name[length]; length++)
		to[length] = name[length];
	to[length] = '\0';
}

/** An rfork's number. */
static inline unsigned cpuid_of(globaldata_t gd)
{
	return atomic_load_explicit(&gd->gd_cpuid, memory_order_relaxed);
}

/* A tokref's tr_tok: the token's address, and in the bits that are 0 there, how it was taken. An exclusive taking has none of them. */
#define TOKREF_SHARED ((uintptr_t)1)
#define TOKREF_SHARE ((uintptr_t)2) /* it has the thread's share now */
#define TOKREF_BITS (TOKREF_SHARED | TOKREF_SHARE)

static inline lwkt_token_t token_of(const struct lwkt_tokref *ref)
{
	return (lwkt_token_t)(ref->tr_tok & ~TOKREF_BITS);
}

/** Whether td has tokens that it lets go of when it leaves, and must have when it arrives. */
static inline bool has_tokens(const struct lwkt_thread *td)
{
	return __builtin_expect(td->td_toks != NULL, 0) && !(td->td_flags & TDF_TOKWAIT);
}

static inline uint64_t now_ns(void)
{
	return lwkt_os_clock();
}

/** For an interruptible wait of td's, which runs: EINTR, once, where an abort is pending; else 0. */
static inline int take_interrupt(lwkt_thread_t td)
{
	if (!(td->td_flags & TDF_INTR))
		return 0;
	td->td_flags &= ~TDF_INTR;
	return EINTR;
}

/** Whether IPI messages have come: one load. */
static inline bool ipi_pending(globaldata_t gd)
{
	return __builtin_expect(atomic_load_explicit(&gd->gd_shared.pending, memory_order_relaxed) != 0, 0);
}

/** The rfork that td belongs to. Another one's may be out of date at once: whoever acts on it there looks again. */
static inline globaldata_t owner_of(const struct lwkt_thread *td)
{
	return __atomic_load_n(&td->td_gd, __ATOMIC_ACQUIRE);
}

/** For a function of an IPI message that is to run where td is: if that is not here (any more), sends it there. Whether it did. */
static inline bool sent_after(const struct lwkt_thread *td, void (*func)(void *), void *arg)
{
	globaldata_t owner = owner_of(td);

	return owner != lwkt_arch_mycpu() && lwkt_send_ipiq(owner, func, arg, NULL) == 0;
}

/** A message's flags are read by its sender while it belongs to the receiver, on another rfork perhaps. Plain loads and stores on x86. */
static inline uint32_t msg_flags(const struct lwkt_msg *msg)
{
	return __atomic_load_n(&msg->ms_flags, __ATOMIC_ACQUIRE);
}

static inline void msg_set_flags(lwkt_msg_t msg, uint32_t flags)
{
	__atomic_store_n(&msg->ms_flags, flags, __ATOMIC_RELEASE);
}

/** Whether a port is guarded by its lock. (Another rfork's thread port has flags that must not be looked at.) */
static inline bool is_spinport(const struct lwkt_port *port)
{
	return !port->mp_td && (port->mp_flags & MSGPORTF_SPIN);
}

/** Whether the running thread may get from a port and wait on it. */
static inline bool lwkt_may_take(lwkt_port_t port)
{
	if (port->mp_td)
		return port->mp_td == lwkt_arch_mycpu()->gd_curthread;
	return !port->mp_serialize || lwkt_serialize_held(port->mp_serialize);
}

/** The switch to curthread, which is the next one already, follows. Empty unless looking for races. */
static inline void sanitizer_leaving(globaldata_t gd)
{
#if LWKT_SANITIZE_RACES
	const struct lwkt_stack *stack = gd->gd_curthread->td_stack;

	__tsan_switch_to_fiber(stack ? stack->st_sanitizer.fiber : gd->gd_sanitizer.fiber, 0);
#else
	(void)gd;
#endif
}

/** Where curthread's C stack lies. Empty unless sanitising. */
static inline void sanitizer_arrived(globaldata_t gd)
{
#if LWKT_SANITIZE
	const struct lwkt_stack *stack = gd->gd_curthread->td_stack;

	lwkt_sanitizer_stack_is(stack ? stack->st_base : gd->gd_sanitizer.base, stack ? stack->st_size : gd->gd_sanitizer.size);
#else
	(void)gd;
#endif
}

#endif
