/*
 * os.h - all that libcr wants of the system below it: memory, a clock, sleeping and waking, kernel threads. The one door: no other file of
 * native/src calls a C library or makes a system call, but those in hosted/, which are not there without one.
 *
 * Two implementations, of which the Makefile takes one: libc.c, beside a C library; raw.c with small.c, which make every system call
 * themselves and bring what the compiler expects of a library, for a program that has none (or has one that must not be called, as the
 * caller may be in the middle of it).
 *
 * Invariants: no function here changes errno. None but futex_wait and kthread_join waits. Any kernel thread may call them, whether it is an rfork or not.
 */
#ifndef LWKT_OS_H
#define LWKT_OS_H

#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define LWKT_OS __attribute__((visibility("hidden")))

/* ---------------------------------------------------------------- memory */

/** The bytes of a page. */
LWKT_OS size_t lwkt_os_page_size(void);

/** size bytes of zeros, whole pages, which cost memory when they are touched; NULL where there are none. */
LWKT_OS void *lwkt_os_map(size_t size);
/** Without a C library: from where on they lie, as far as there is room; 0: wherever the system puts them. */
LWKT_OS extern uintptr_t lwkt_os_map_from;
/** The place for a mapping of libcr's that is made otherwise; or 0. */
LWKT_OS uintptr_t lwkt_os_map_place(size_t size);
LWKT_OS void lwkt_os_unmap(void *base, size_t size);

/** madvise(2). Returns 0 or an errno. */
LWKT_OS int lwkt_os_advise(void *base, size_t size, int advice);

/** Makes pages inaccessible. Returns 0 or an errno. */
LWKT_OS int lwkt_os_deny(void *base, size_t size);

/** A piece of zeroed memory, aligned to 16 bytes, for any use; NULL where there is none. */
LWKT_OS void *lwkt_os_alloc(size_t size);

/** Gives one back. NULL: nothing. */
LWKT_OS void lwkt_os_free(void *piece);

/* ---------------------------------------------------------------- time, sleeping and waking */

/** CLOCK_MONOTONIC in ns. */
LWKT_OS uint64_t lwkt_os_clock(void);
/** Where time is another one: whoever links raw.c may say so, before anything waits. NULL: it is the kernel's. */
extern LWKT_OS uint64_t (*lwkt_os_clock_other)(void);

/** Sleeps while *word is `value`, until a CLOCK_MONOTONIC time in ns at the latest (0: until it is woken). For no reason at all, too. Signals
 *  are delivered meanwhile. */
LWKT_OS void lwkt_os_futex_wait(_Atomic uint32_t *word, uint32_t value, uint64_t deadline);

/** Wakes one that sleeps there. */
LWKT_OS void lwkt_os_futex_wake(_Atomic uint32_t *word);

/** Lets another kernel thread have the processor. */
LWKT_OS void lwkt_os_yield(void);

/** A descriptor that becomes readable when it is rung (an eventfd); or -1 times an errno. */
LWKT_OS int lwkt_os_bell(void);
LWKT_OS void lwkt_os_bell_ring(int fd);
LWKT_OS void lwkt_os_bell_end(int fd);
/** Where a bell's descriptor is to be, and how it is closed: whoever links raw.c may say so, before the first bell. */
extern LWKT_OS int (*lwkt_os_bell_place)(int fd);
extern LWKT_OS void (*lwkt_os_bell_close)(int fd);

/* ---------------------------------------------------------------- kernel threads */

/** The calling one's number. */
LWKT_OS uint32_t lwkt_os_tid(void);

/** One that was made here. */
struct lwkt_os_kthread;

struct lwkt_os_kthread_args {
	const char *name;  /* cut at 15 bytes */
	size_t stack_size; /* bytes */
	int processor;     /* 1 + the only one that it may run on; 0: any */
};

/** Starts a kernel thread that runs func(arg), with all signals blocked. Returns 0; EAGAIN, EINVAL (the processor), ENOMEM. */
LWKT_OS int lwkt_os_kthread_create(struct lwkt_os_kthread **kthread, const struct lwkt_os_kthread_args *args, void (*func)(void *arg), void *arg);

/** Waits until it has ended, and gives back all of it. Exactly one caller. */
LWKT_OS void lwkt_os_kthread_join(struct lwkt_os_kthread *kthread);

/* ---------------------------------------------------------------- in the child of a fork */

/** Before anything else of this: the caller is the only kernel thread. */
LWKT_OS void lwkt_os_forked(void);

/** In place of a join: it is no more. */
LWKT_OS void lwkt_os_kthread_forget(struct lwkt_os_kthread *kthread);

/* ---------------------------------------------------------------- the rest */

/** What the kernel says of the processor (AT_HWCAP2); 0 where it can't be known. */
LWKT_OS unsigned long lwkt_os_hwcap2(void);

/** vsnprintf, of which libcr may use %s, %d, %u, %x and %p, the whole numbers with z and ll as well, and no width. Answers the bytes that the text has, or would have. */
LWKT_OS size_t lwkt_os_format(char *to, size_t size, const char *format, va_list arguments) __attribute__((format(printf, 3, 0)));

/** Text for stderr, in one piece. */
LWKT_OS void lwkt_os_say(const char *text, size_t size);

#endif
