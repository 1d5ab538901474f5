/*
 * internal.h - what the files of this folder share: the per-CPU area and the functions that are no one else's business.
 *
 * Who may touch what: every field of struct globaldata and of struct lwkt_stack belongs to its rfork. The one exception is
 * struct lwkt_tls, which the kernel writes to while a donor's kernel task ends (see tls.c).
 */
#ifndef LWKT_INTERNAL_H
#define LWKT_INTERNAL_H

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>

#include "../include/lwkt.h"
#include "cpu.h"
#include "list.h"
#include "sanitizer.h"

#define LWKT_HIDDEN __attribute__((visibility("hidden")))

/* Stack sizes go in powers of two from 64 KiB to 64 MiB; one pool and one arena for each. */
#define STACK_CLASS_MIN_SHIFT 16
#define STACK_CLASSES 11

/** A TLS block that the C library made for a thread whose kernel task has ended. See tls.c. */
struct lwkt_tls {
	pthread_t pthread;
	uintptr_t fs;   /* what goes into %fs */
	struct lwkt_parked parked; /* where its C stack was parked; everything below parked.sp is the userthread's */
	int *tid;       /* the C library's tid field in the block */
	int error;      /* why the donor could not serve */
};

/** A stack: a slot of an arena, perhaps with a TLS block in its upper end, perhaps with a resident at its bottom. */
struct lwkt_stack {
	struct lwkt_context st_ctx;              /* valid while in the pool */
	struct lwkt_list st_link;                /* pool or arena free list */
	struct lwkt_chunk *st_chunk;
	char *st_base;                           /* lowest usable byte, just above the guard page */
	size_t st_size;                          /* usable bytes */
	char *st_top;                            /* where a userthread's frames begin; below the TLS block if there is one */
	const struct lwkt_resident *st_resident; /* whose main stands at the bottom */
	struct lwkt_tls st_tls;
	bool st_has_tls;
	bool st_unwind;                          /* the resident is to return instead of taking another thread */
	void *st_exit[5];                        /* plain C: where lwkt_exit goes back to (__builtin_setjmp) */
};

/** An arena's unit of mapping: a run of equal slots. */
struct lwkt_chunk {
	struct lwkt_list ch_link;
	char *ch_base;
	size_t ch_size;      /* bytes of a slot, its guard page included: a stack class' size */
	unsigned ch_nslots;  /* slots in all */
	unsigned ch_used;    /* handed out; the chunk goes back to the system when there are none */
	unsigned ch_touched; /* slots that ever were: the rest has no guard page yet */
	struct lwkt_list ch_freelist;
	struct lwkt_stack ch_stacks[];
};

/** Everything an rfork keeps, reached through %gs. The first word must point to the area itself (cpu.h). */
struct globaldata {
	struct globaldata *gd_self;
	lwkt_thread_t gd_curthread;
	uint32_t gd_runqmask; /* a bit for each non-empty queue below */
	uint32_t gd_flags;
	struct lwkt_list gd_tdrunq[TDPRI_MAX + 1];
	struct lwkt_list gd_tdallq;                               /* all but thread0; an exited one that nobody has joined too */
	struct lwkt_list gd_freetd;                               /* thread structures for reuse */
	struct lwkt_list gd_pool[STACK_CLASSES][2];               /* idle stacks, [1] with TLS; last in, first out */
	struct lwkt_list gd_chunks[STACK_CLASSES];                /* arenas */
	uint64_t gd_deadline; /* CLOCK_MONOTONIC ns at which a pass ends; 0: never */
	uint32_t gd_clock_skip; /* switches until the clock is read again */
	uint32_t gd_tid;      /* the rfork's kernel thread */
	uint64_t gd_next_id;
	uint64_t gd_fpcontrol; /* the floating-point control words that every plain C thread begins with */
	unsigned gd_pool_out;  /* stacks that threads have */
	unsigned gd_pool_high; /* the most and the fewest of them since lwkt_pool_swing was last called */
	unsigned gd_pool_low;
	struct lwkt_stats gd_stats;
	void (*gd_visit)(void *arg); /* lwkt_visit under way: what the visited thread is to run */
	void *gd_visit_arg;
	lwkt_thread_t gd_visitor;    /* who gets the CPU back then */
	void *gd_altstack;
	struct lwkt_thread gd_thread0;
	struct lwkt_thread gd_reaper; /* curthread while a resident unwinds */
	struct lwkt_sanitizer gd_sanitizer;
};

#define GDF_LOOP 0x1u /* thread0 is an event loop's: it never blocks */
#define CLOCK_EVERY 16 /* switches from one look at the clock to the next */

/* sched.c */
LWKT_HIDDEN void lwkt_enqueue(globaldata_t gd, lwkt_thread_t td);
LWKT_HIDDEN void lwkt_dequeue(globaldata_t gd, lwkt_thread_t td);
LWKT_HIDDEN lwkt_thread_t lwkt_peek(globaldata_t gd);
LWKT_HIDDEN bool lwkt_pass_is_over(globaldata_t gd);
LWKT_HIDDEN void lwkt_start_running(globaldata_t gd, lwkt_thread_t td);
LWKT_HIDDEN struct lwkt_context *lwkt_next_context(globaldata_t gd);
LWKT_HIDDEN int lwkt_wait_once(const char *wmesg);

/* thread.c */
LWKT_HIDDEN void lwkt_thread_init(globaldata_t gd, lwkt_thread_t td);
LWKT_HIDDEN int lwkt_thread_bind(globaldata_t gd, lwkt_thread_t td);
LWKT_HIDDEN const struct lwkt_resident *lwkt_resident_of(lwkt_thread_t td);
LWKT_HIDDEN void lwkt_thread_finish(globaldata_t gd, lwkt_thread_t td, int error);
LWKT_HIDDEN unsigned lwkt_thread_free(globaldata_t gd, unsigned max);
LWKT_HIDDEN void lwkt_thread_free_all(globaldata_t gd);

/* stack.c */
LWKT_HIDDEN unsigned lwkt_stack_class(size_t size);
LWKT_HIDDEN size_t lwkt_stack_class_size(unsigned cls);
LWKT_HIDDEN struct lwkt_stack *lwkt_stack_alloc(globaldata_t gd, unsigned cls);
LWKT_HIDDEN void lwkt_stack_free(globaldata_t gd, struct lwkt_stack *stack);

/* pool.c */
LWKT_HIDDEN int lwkt_pool_get(globaldata_t gd, lwkt_thread_t td, struct lwkt_stack **out);
LWKT_HIDDEN void lwkt_pool_put(globaldata_t gd, struct lwkt_stack *stack);
LWKT_HIDDEN void lwkt_pool_return(globaldata_t gd, struct lwkt_stack *stack);

/* resident.c */
LWKT_HIDDEN void lwkt_resident_unwind(globaldata_t gd, struct lwkt_stack *stack);
LWKT_HIDDEN void lwkt_stack_main(void);
LWKT_HIDDEN extern const struct lwkt_resident lwkt_plain_resident;

/* tls.c */
LWKT_HIDDEN int lwkt_tls_create(struct lwkt_stack **stacks, unsigned count);
LWKT_HIDDEN void lwkt_tls_retire(struct lwkt_stack **stacks, unsigned count);

/* overrun.c */
LWKT_HIDDEN int lwkt_overrun_init(globaldata_t gd);
LWKT_HIDDEN void lwkt_overrun_fini(globaldata_t gd);

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
