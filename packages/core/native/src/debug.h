/*
 * debug.h - what a debug build (-DLWKT_DEBUG; make DEBUG=1) says about misuse. In every other build nothing of it is there.
 */
#ifndef LWKT_DEBUG_H
#define LWKT_DEBUG_H

#include "internal.h"

/* MISUSE_IF(condition, error, format, ...) is error, and in a debug build a line on stderr, too, where the condition holds: function, running
 * thread, what is wrong and what to do instead. In other builds nothing but error is evaluated. PORT(port) are the arguments for
 * PORT_IS in a format, and so on. */
#define MISUSE(error, ...) MISUSE_IF(1, error, __VA_ARGS__)
#define MISUSE_IF(condition, error, ...) MISUSE_OF(__func__, condition, error, __VA_ARGS__)
#ifdef LWKT_DEBUG
#define MISUSE_OF(function, condition, error, ...) ((condition) ? lwkt_debug_misuse(function, __VA_ARGS__) : (void)0, (error))
LWKT_HIDDEN void lwkt_debug_misuse(const char *function, const char *format, ...) __attribute__((format(printf, 2, 3)));
LWKT_HIDDEN const char *lwkt_debug_no_wait(void);
LWKT_HIDDEN const char *lwkt_debug_may_not_take(lwkt_port_t port);
LWKT_HIDDEN const char *lwkt_debug_target(lwkt_msg_t msg);
LWKT_HIDDEN void lwkt_debug_thread_ends(lwkt_thread_t td);
#else
#define MISUSE_OF(function, condition, error, ...) (error)
static inline void lwkt_debug_thread_ends(lwkt_thread_t td)
{
	(void)td;
}
#endif

#define PORT_IS "port %p \"%s\""
#define PORT(port) ((void *)(port)), (port)->mp_name
#define MSG_IS "message %p (%s)" /* %s: where it is under way to */
#define MSG(msg) ((void *)(msg)), lwkt_debug_target(msg)
#define THREAD_IS "thread %p \"%s\""
#define THREAD(td) ((void *)(td)), (td)->td_comm

#endif
