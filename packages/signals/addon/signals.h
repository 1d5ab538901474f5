/*
 * signals.h - the native half of @libcr/signals: what JavaScript can't do itself. Which userthread gets a signal is decided in src/.
 *
 * A managed signal is blocked in all kernel threads of the process, so that the kernel keeps it, in order and with what came along, until an environment
 * reads it from its signalfd. There is one of these files in a process: what is static here is shared by all its environments.
 *
 * Locks: `lock` is for all that is shared; nobody calls JavaScript or waits for another environment with it.
 */
#ifndef LIBCR_SIGNALS_ADDON_H
#define LIBCR_SIGNALS_ADDON_H

#define _GNU_SOURCE
#include <node_api.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/signalfd.h>
#include <uv.h>

#include "lwkt.h"

#define SIGNALS 64
#define BIT(sig) (1ull << ((sig) - 1))

/* What the kernel raises for an instruction: it ends the process where these are blocked, and V8 has handlers of its own. Never managed. */
#define FAULTS (BIT(SIGSEGV) | BIT(SIGBUS) | BIT(SIGFPE) | BIT(SIGILL) | BIT(SIGTRAP) | BIT(SIGSYS))
/* Those of the kernel that nobody can have, and glibc's two. */
#define IMPOSSIBLE (BIT(SIGKILL) | BIT(SIGSTOP) | BIT(32) | BIT(33))
#define MANAGEABLE (~(FAULTS | IMPOSSIBLE | BIT(SIGPROF)))

enum kind { ACTION_DEFAULT, ACTION_IGNORE, ACTION_HANDLER };

/* Why an environment gets a signal; beside the struct, in its padding. */
enum { TOLD = 1, FORWARDED = 2, COPY = 4 };

/* A signal under way: signalfd's struct, and our own two words in its padding. */
struct letter {
	struct letter *next;
	union {
		struct signalfd_siginfo info;
		struct {
			char before[120];
			uint32_t flags;
		};
	};
};

enum { READER_NONE, READER_WAITS, READER_WOKEN };

/* What an environment's JavaScript and C tell each other without a call. */
struct shared {
	/* what other environments want; written under the lock */
	uint64_t others_waiting;
	uint64_t others_subscribed;
	uint32_t lost;           /* how often a handler of this environment's has been replaced */
	_Atomic uint32_t others; /* how many there are. Who waits writes `waiting`, and then looks at this; who comes adds itself here, and then looks at that */
	/* written by JavaScript */
	_Atomic uint64_t waiting; /* somebody waits for them here */
	uint32_t reading;         /* what `reader` does; the environment's thread only */
};

struct environment {
	/* under the lock */
	struct environment *next;
	uint32_t id;
	uint64_t actions;    /* signals that have a handler here */
	uint64_t reads;      /* that it reads besides */
	uint64_t paused;     /* that stay in the kernel for now, as much of them waits here */
	uint64_t waiting;    /* somebody waits for them, as others have been told */
	uint64_t subscribed; /* somebody gets all of them */
	uint64_t held;       /* it has read them, and they wait for a userthread */
	struct letter *inbox, **last;
	/* written by setup only */
	int fd;
	bool main;
	const struct lwkt_api *api;
	struct shared *shared; /* in an ArrayBuffer */
	char *buffer;          /* in an ArrayBuffer: room for BATCH letters without their link */
	/* the environment's thread only */
	napi_env env;
	napi_async_context context;
	napi_ref on_ready, memory;
	napi_async_cleanup_hook_handle hook;
	uv_poll_t poll;
	uv_async_t async;
	lwkt_thread_t reader; /* a userthread that waits for signals, and reads them instead of the event loop */
	int handles;
	int holds; /* reasons for which the loop stays alive */
	struct timer *timers;
};

#define BATCH 64
#define LETTER 128 /* bytes in the buffer */

extern pthread_mutex_t lock;
extern struct environment *environments;

/* managed.c: under the lock. */
void managed_init(void);
void managed_update(void);
void managed_ignore(int sig, bool on);
bool managed_is_node(int sig);
void managed_tell_node(int sig);
void managed_default(int sig);

/* children.c: under the lock. From now on SIGCHLD, which is managed, is read also while no event loop turns. */
bool children_watch(void);

/* threads.c: under the lock. Blocks and unblocks in every kernel thread of the process; those that block all signals are left alone. */
void threads_edit(uint64_t block, uint64_t unblock, uint64_t managed);

/* timer.c */
void timer_functions(napi_env env, napi_value exports);
void timer_end_all(struct environment *environment);

/* addon.c */
void deliver(struct environment *to, const char *record, uint32_t flags); /* under the lock */
napi_value number(napi_env env, double n);
struct environment *arguments(napi_env env, napi_callback_info info, double *values, size_t count);

#endif
