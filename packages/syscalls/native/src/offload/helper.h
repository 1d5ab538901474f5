/*
 * helper.h - a helper: a kernel thread that does one piece of work after the other, which it is handed. What becomes of it between them, and how many there may be, is
 * its owner's affair: the Node addon has a queue for all of its threads (../offload.c), calls of C programs and of lwps have one helper each while they last
 * (wait/offload.c).
 *
 * Invariant: it is handed work while it is idle only, which its owner sees to.
 */
#ifndef SYSCALLS_HELPER_H
#define SYSCALLS_HELPER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct helper;
struct lwkt_os_kthread;

/** What helpers of one kind do. All of it on the helper, where all signals are blocked. */
struct helper_kind {
	const char *name;
	size_t stack_size;
	size_t size;      /* bytes of `own` */
	uint64_t idle_ns; /* after which `tired` is asked; 0: never */
	void (*begins)(struct helper *helper);               /* or NULL */
	bool (*run)(struct helper *helper, void *work);      /* false: it ends, which its owner knows */
	bool (*tired)(struct helper *helper);                /* whether it ends, nobody having handed it anything: its owner knows then, and hands it nothing any more */
};

struct helper {
	struct helper *next;    /* its owner's */
	const struct helper_kind *kind;
	_Atomic uint32_t ready; /* a futex: 1 while `work` is to be done. Set by who hands it over, cleared by the helper */
	void *work;             /* NULL: it shall end */
	uint32_t tid;           /* of its kernel thread, once it has begun */
	struct lwkt_os_kthread *kthread;
	_Alignas(16) char own[]; /* zeroed at first */
};

/** A new one, idle. 0, or an errno. */
int helper_new(const struct helper_kind *kind, struct helper **helper);
void helper_give(struct helper *helper, void *work);
/** Ends an idle one, and waits until it is no more. */
void helper_end(struct helper *helper);
/** Waits for the end of one that ends by itself. */
void helper_join(struct helper *helper);

#endif
