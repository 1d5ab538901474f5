/*
 * sanitizer.h - what AddressSanitizer and ThreadSanitizer must be told when the stack changes under them. No code at all when not
 * sanitising.
 *
 * AddressSanitizer: to it an rfork is one thread, which stands on many stacks. A switch may be announced before it and confirmed afterwards; here
 * whoever arrives does both, which takes nothing from one side to the other. Between the switch and that point nothing here takes the address of a
 * local. Wants detect_stack_use_after_return=0, as a fake stack would belong to the rfork and not to the userthread.
 *
 * ThreadSanitizer: each stack is one of its "fibers", which is announced before the switch.
 *
 * Invariant: the sanitiser knows the bounds of the stack that runs, whenever code outside of native/src runs.
 */
#ifndef LWKT_SANITIZER_H
#define LWKT_SANITIZER_H

#include <stddef.h>

#if defined(__SANITIZE_ADDRESS__)
#define LWKT_SANITIZE 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define LWKT_SANITIZE 1
#endif
#endif
#ifndef LWKT_SANITIZE
#define LWKT_SANITIZE 0
#endif
#if defined(__SANITIZE_THREAD__)
#define LWKT_SANITIZE_RACES 1
#include <sanitizer/tsan_interface.h>
#else
#define LWKT_SANITIZE_RACES 0
#endif

/** Where thread0's C stack lies: only a sanitiser asks. And of every stack, what ThreadSanitizer calls it. */
struct lwkt_sanitizer {
#if LWKT_SANITIZE
	const void *base;
	size_t size;
#elif LWKT_SANITIZE_RACES
	void *fiber;
#else
	char unused[0];
#endif
};

#if LWKT_SANITIZE

#include <pthread.h>
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>

static inline void lwkt_sanitizer_stack_is(const void *base, size_t size)
{
	void *fake = NULL;

	__sanitizer_start_switch_fiber(&fake, base, size);
	__sanitizer_finish_switch_fiber(fake, NULL, NULL);
}

/** The stack the caller stands on becomes thread0's. */
static inline void lwkt_sanitizer_init(struct lwkt_sanitizer *self)
{
	pthread_attr_t attr;
	void *base = NULL;

	if (pthread_getattr_np(pthread_self(), &attr) != 0)
		return;
	pthread_attr_getstack(&attr, &base, &self->size);
	pthread_attr_destroy(&attr);
	self->base = base;
}

/** No frame on this memory is of use any more. */
static inline void lwkt_sanitizer_forget(const void *base, size_t size)
{
	__asan_unpoison_memory_region(base, size);
}

#else

static inline void lwkt_sanitizer_init(struct lwkt_sanitizer *self)
{
#if LWKT_SANITIZE_RACES
	self->fiber = __tsan_get_current_fiber();
#else
	(void)self;
#endif
}

static inline void lwkt_sanitizer_forget(const void *base, size_t size)
{
	(void)base;
	(void)size;
}

#endif
/** A stack begins, or ends. Empty unless looking for races. */
static inline void lwkt_sanitizer_stack_begins(struct lwkt_sanitizer *self)
{
#if LWKT_SANITIZE_RACES
	if (!self->fiber)
		self->fiber = __tsan_create_fiber(0);
#else
	(void)self;
#endif
}

static inline void lwkt_sanitizer_stack_ends(struct lwkt_sanitizer *self)
{
#if LWKT_SANITIZE_RACES
	__tsan_destroy_fiber(self->fiber);
	self->fiber = NULL;
#else
	(void)self;
#endif
}

#endif
