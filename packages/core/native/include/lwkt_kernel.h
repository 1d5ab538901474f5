/*
 * lwkt_kernel.h - for who makes waiting of a new kind on LWKT, a queue by address for example: what lwkt.h's own waits, ports and serializers are made of.
 *
 * A wait is a loop: look at the condition, at the reasons to give up, then lwkt_wait_once. Who makes the condition true does that on the waiting thread's
 * rfork, by an IPI message (lwkt_sent_after), and wakes it there (lwkt_wake): so nothing is between the thread's look and its sleep. What the condition is
 * made of lies on the waiting thread's stack, mostly: then the thread stays until nobody has it in hand any more.
 *
 *	struct waiter { lwkt_thread_t td; bool told; } waiter = {.td = lwkt_curthread()};
 *
 *	put &waiter into a queue, under a word lock            static void tell(void *arg)
 *	lwkt_timed_begin(&timed, ns);                          {
 *	while (!waiter.told && !error)                             struct waiter *waiter = arg;
 *		error = lwkt_timed_is_up(waiter.td) ? EWOULDBLOCK
 *			: lwkt_wait_once("test");                      if (lwkt_sent_after(waiter->td, tell, waiter))
 *	lwkt_timed_end(&timed);                                        return;
 *	on an error: take it off the queue, or, where it is        waiter->told = true;
 *	not there any more, wait on until it is told               lwkt_wake(waiter->td);
 *	                                                       }
 *
 * For C, and for libcr.a and libcr.so; nothing of it is in struct lwkt_api. It may change with LWKT_VERSION more often than lwkt.h.
 */
#ifndef LWKT_KERNEL_H
#define LWKT_KERNEL_H

#include <stdbool.h>

#include "lwkt.h"

#ifdef LWKT_EXPORT
#pragma GCC visibility push(default)
#endif

/* ------------------------------------------------------------------ waiting */

/** Whether the calling thread, of the rfork gd, could wait now: not in an IPI function, inside a critical section and on an event loop's thread0. */
bool lwkt_may_wait(globaldata_t gd);

/**
 * One round of a wait loop. A userthread sleeps until somebody wakes it, for whatever reason; wmesg is its td_wmesg meanwhile. thread0 runs one pass, or
 * sleeps in the kernel where another rfork or a timer may yet do something. Returns 0, or EDEADLK, having done nothing, where the caller can't wait (lwkt_may_wait) or, on
 * thread0, nothing can run that would end the wait.
 */
int lwkt_wait_once(const char *wmesg);

/** As lwkt_schedule, for a thread that certainly exists until that has been done on its rfork, as it waits for it: nothing is held. Also for thread0,
 *  which it leaves alone. */
int lwkt_wake(lwkt_thread_t td);

/** For an IPI function that is to run where td is: if that is not here, or no more, sends it there and answers true: return at once. */
bool lwkt_sent_after(lwkt_thread_t td, void (*func)(void *arg), void *arg);

/** Whether something has come that thread0 of the calling rfork has not looked at yet: IPI messages, or lwkt_cpu_wake. Its next switch goes there. */
bool lwkt_ipi_pending(void);

/** The calling thread lets go first whoever has a higher priority, and thread0 if something has come for it; then it goes on, before its equals. Does nothing where
 *  it can't wait, and on thread0. (lwkt_preempt) */
void lwkt_preempt(void);

/**
 * Called by an rfork that has given a thread of this priority to another that asked for work (lwkt_share_work), on its thread0, after it has been sent: the other
 * may have found something else to run meanwhile, and hears of it when its thread0 looks. For who can interrupt what runs there. NULL at first; it does not block.
 */
extern void (*lwkt_share_given)(globaldata_t to, int pri);

/**
 * Called by an rfork that brings others to a known point (lwkt_cpusync_interlock), for each of them, after it has been told: the same for who computes there. Not before it is the
 * caller's turn, which may be long after the call. NULL at first; it does not block.
 */
extern void (*lwkt_cpusync_told)(globaldata_t to);

/**
 * In a child of vfork, which is another process and has this one's memory: its kernel thread, which has begun with its parent's per-CPU area, gets one of its own, so that the
 * parent can go on meanwhile. lwkt_curthread() answers a thread there whose td_data is `data`, and lwkt_cpuid() what it answers its parent. It is no rfork: nothing may wait, create or send
 * there. area: lwkt_vforked_size() bytes of zeros at a multiple of 64, the parent's to give back when the child has left this memory. Not where the child has its parent's thread-local
 * storage, and that names the area (aarch64).
 */
size_t lwkt_vforked_size(void);
void lwkt_vforked(void *area, void *data);

/** A timed section: on its thread's stack. Fields are internal. */
struct lwkt_timed {
	uint64_t outer; /* the deadline of the section that this one lies in, or 0 */
	bool began;
};

/** The waits of the calling thread, up to lwkt_timed_end, are over when ns nanoseconds have passed: it is woken then, and lwkt_timed_is_up. Nest. Does nothing where
 *  the thread can't wait, and for UINT64_MAX. Reads the clock. */
void lwkt_timed_begin(struct lwkt_timed *timed, uint64_t ns);

/** The end of that, by the same thread, on whatever rfork. Whether the time was up. */
bool lwkt_timed_end(struct lwkt_timed *timed);

/** Whether td, the calling thread, has waited long enough in its innermost timed section. */
static inline bool lwkt_timed_is_up(const struct lwkt_thread *td)
{
	return (td->td_flags & TDF_TIMEOUT) != 0;
}

/* ------------------------------------------------------------------ word locks */

/**
 * Lock a word (0: free) that guards for a few instructions what kernel threads share without an owner. Any kernel thread. Spins, and then lets others have the
 * processor. While it is held nothing may block, switch, send an IPI message or call somebody else's function; whoever takes signals on its
 * kernel thread must not want the same word in a handler.
 */
void lwkt_word_lock(uint32_t *word);

static inline void lwkt_word_unlock(uint32_t *word)
{
	__atomic_store_n(word, 0, __ATOMIC_RELEASE);
}

#ifdef LWKT_EXPORT
#pragma GCC visibility pop
#endif

#endif
