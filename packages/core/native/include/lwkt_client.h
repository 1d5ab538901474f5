/*
 * lwkt_client.h - for a library whose functions run as native userthreads of a JavaScript program: createNative() of @libcr/core. The library
 * calls the functions of lwkt.h that struct lwkt_api has, and what it calls is the one libcr of the process, inside core's addon.
 *
 * The library is not linked with libcr: that would be a second one, which knows nothing of the event loop's rfork. Instead exactly one of its
 * files says
 *
 *	#define LWKT_CLIENT_STUBS
 *	#include <lwkt_client.h>
 *
 * and defines thereby, for the library alone, lwkt_create and the others, each a jump through the table. A function that is not in the table stays
 * undefined, and the library is refused when it is loaded. The same sources, without that, are linked with libcr.a for a program without Node.
 *
 * On a userthread that runs JavaScript, in a function which that has called, an addon blocks by lwkt_client->js_block, not by lwkt_block, which knows
 * nothing of Node's async context.
 *
 * Invariant: lwkt_client is set before any function of the library runs as a native userthread, once and for all.
 */
#ifndef LWKT_CLIENT_H
#define LWKT_CLIENT_H

#include "lwkt.h"

#ifdef __cplusplus
extern "C" {
#define LWKT_NATIVE_LINKAGE extern "C"
#else
#define LWKT_NATIVE_LINKAGE
#endif

/** What the function of a native userthread is given. The memory is core's and stays until the function returns. */
struct lwkt_native {
	void *arg;      /* createNative's arg: where a buffer's bytes are, or what was a bigint; NULL where there is none */
	size_t size;    /* a buffer's bytes, which stay where they are until the function returns; else 0 */
	int64_t result; /* what td.join() returns, as a bigint, if the function answers 0; 0 at first */
};

/** What LWKT_NATIVE exports. It is data, so that core can look at it before it runs anything of the library's. */
struct lwkt_native_entry {
	uint32_t version; /* LWKT_VERSION, and sizeof(struct lwkt_api), when the library was compiled */
	uint32_t size;
	const struct lwkt_api **client; /* the library's lwkt_client, which core sets */
	int (*func)(struct lwkt_native *native);
};

/** The table; NULL until createNative() has found something in this library. */
extern const struct lwkt_api *lwkt_client __attribute__((visibility("hidden")));

/**
 * Makes `int name(struct lwkt_native *native)`, which is defined above, something that createNative({ library, symbol: 'name' }) can start. It runs on
 * a stack of its own, on the JavaScript CPU's kernel thread, and the others there wait until it blocks, yields or returns. errno and C++ exceptions
 * are its own, too; a thread_local variable is all threads' there (struct lwkt_thread_state). It answers 0 or a positive errno, which JavaScript gets
 * as an error. It must not call V8 or Node-API, nor let C++ exceptions out.
 */
#define LWKT_NATIVE(name) \
	LWKT_NATIVE_LINKAGE __attribute__((visibility("default"), used)) const struct lwkt_native_entry lwkt_native_##name = { \
		LWKT_VERSION, sizeof(struct lwkt_api), &lwkt_client, name}

/**
 * Whether the running userthread is to end: td.abort() was called, or its environment ends. lwkt_nanosleep and lwkt_wait_block answer EINTR then, and
 * lwkt_block returns; a wait at a port goes on, so give it a time limit and ask this in between. Answer EINTR or ECANCELED then. One EINTR uses
 * the abort up; the end of the environment is not used up.
 */
static inline int lwkt_client_aborting(void)
{
	return lwkt_client->js_aborting();
}

#ifdef LWKT_CLIENT_STUBS

const struct lwkt_api *lwkt_client;

#define LWKT_STUB(type, name, parameters, arguments) \
	__attribute__((visibility("hidden"))) type lwkt_##name parameters { return lwkt_client->name arguments; }
#define LWKT_STUB_VOID(name, parameters, arguments) \
	__attribute__((visibility("hidden"))) void lwkt_##name parameters { lwkt_client->name arguments; }

LWKT_STUB(lwkt_thread_t, curthread, (void), ())
LWKT_STUB(int, create, (void (*func)(void *), void *arg, lwkt_thread_t *tdp, const struct lwkt_create_args *args), (func, arg, tdp, args))
LWKT_STUB(int, exit, (void), ())
LWKT_STUB(int, join, (lwkt_thread_t td), (td))
LWKT_STUB(int, schedule, (lwkt_thread_t td), (td))
LWKT_STUB(int, block, (const char *wmesg), (wmesg))
LWKT_STUB(int, block_timed, (const char *wmesg, uint64_t ns), (wmesg, ns))
LWKT_STUB(int, nanosleep, (uint64_t ns), (ns))
LWKT_STUB(int, yield, (void), ())
LWKT_STUB(int, yield_wanted, (void), ())
LWKT_STUB(int, setpri, (lwkt_thread_t td, int pri), (td, pri))
LWKT_STUB(int, interrupt, (lwkt_thread_t td), (td))
LWKT_STUB_VOID(crit_enter, (void), ())
LWKT_STUB(int, crit_exit, (void), ())
LWKT_STUB_VOID(initport_thread, (lwkt_port_t port, lwkt_thread_t td, const char *name), (port, td, name))
LWKT_STUB_VOID(initport_spin, (lwkt_port_t port, const char *name), (port, name))
LWKT_STUB_VOID(initport_serialize, (lwkt_port_t port, struct lwkt_serialize *s, const char *name), (port, s, name))
LWKT_STUB_VOID(initport_replyonly_null, (lwkt_port_t port), (port))
LWKT_STUB_VOID(initport_putonly, (lwkt_port_t port, int (*put)(lwkt_port_t, lwkt_msg_t), const char *name), (port, put, name))
LWKT_STUB_VOID(initmsg, (lwkt_msg_t msg, lwkt_port_t reply_port, uint32_t flags), (msg, reply_port, flags))
LWKT_STUB_VOID(initmsg_abortable, (lwkt_msg_t msg, lwkt_port_t reply_port, uint32_t flags, void (*abortfn)(lwkt_msg_t)),
               (msg, reply_port, flags, abortfn))
LWKT_STUB(int, sendmsg, (lwkt_port_t port, lwkt_msg_t msg), (port, msg))
LWKT_STUB(int, domsg, (lwkt_port_t port, lwkt_msg_t msg), (port, msg))
LWKT_STUB(int, forwardmsg, (lwkt_port_t port, lwkt_msg_t msg), (port, msg))
LWKT_STUB(int, replymsg, (lwkt_msg_t msg, int error), (msg, error))
LWKT_STUB(lwkt_msg_t, getport, (lwkt_port_t port, int *error), (port, error))
LWKT_STUB(lwkt_msg_t, waitport, (lwkt_port_t port, int *error), (port, error))
LWKT_STUB(lwkt_msg_t, waitport_timed, (lwkt_port_t port, uint64_t ns, int *error), (port, ns, error))
LWKT_STUB(int, waitmsg, (lwkt_msg_t msg), (msg))
LWKT_STUB(int, waitmsg_timed, (lwkt_msg_t msg, uint64_t ns), (msg, ns))
LWKT_STUB(int, checkmsg, (lwkt_msg_t msg), (msg))
LWKT_STUB(int, dropmsg, (lwkt_msg_t msg), (msg))
LWKT_STUB_VOID(default_abortmsg, (lwkt_msg_t msg), (msg))
LWKT_STUB(int, abortmsg, (lwkt_msg_t msg), (msg))
LWKT_STUB_VOID(serialize_init, (struct lwkt_serialize *s), (s))
LWKT_STUB(int, serialize_enter, (struct lwkt_serialize *s), (s))
LWKT_STUB(int, serialize_try, (struct lwkt_serialize *s), (s))
LWKT_STUB(int, serialize_exit, (struct lwkt_serialize *s), (s))
LWKT_STUB_VOID(wait_init, (struct lwkt_wait *w), (w))
LWKT_STUB(uint32_t, wait_gen, (const struct lwkt_wait *w), (w))
LWKT_STUB(int, wait_block, (struct lwkt_wait *w, const char *wmesg, uint32_t *gen), (w, wmesg, gen))
LWKT_STUB(int, wait_block_timed, (struct lwkt_wait *w, const char *wmesg, uint32_t *gen, uint64_t ns), (w, wmesg, gen, ns))
LWKT_STUB(unsigned, wait_signal, (struct lwkt_wait *w, int count), (w, count))

#undef LWKT_STUB
#undef LWKT_STUB_VOID

#endif
#ifdef __cplusplus
}
#endif
#endif
