/*
 * check.h - what the files here share: an invariant, and what is looked at.
 *
 * Who may touch what is said where each field is: of other rforks' threads nothing is read (internal.h); of other lwps what is under p_lock, and lwp_ast, by atomic
 * operations (proc.h); waiters in a queue under its lock (futex/).
 */
#ifndef CHECK_H
#define CHECK_H

#include "posix.h"

#include "internal.h" /* core's */

/** A delivery; or an rfork that has nothing to run (lwp, tf: NULL). */
struct delivery {
	struct lwp *lwp;
	struct trapframe *tf;
	globaldata_t gd;  /* its rfork */
	bool over;        /* it has been made */
};

struct invariant {
	const char *name;
	void (*check)(const struct delivery *d);
	/** Breaks it, for the test that it is seen (LIBCR_CHECK_BREAK), at a delivery, or where it is looked at; whether it could be broken there. */
	bool (*spoil)(const struct delivery *d);
};

extern const struct invariant process_invariants[], noticed_invariants[], thread_invariants[], rfork_invariants[], queue_invariants[];
extern const struct invariant idle_invariants[]; /* of an rfork that has nothing to run */

/** noticed.c, early: from here on it sees who looks. */
void noticed_begin(void);

#define EACH_LWP(lwp, proc) (struct lwp *lwp = (proc)->p_lwps; lwp; lwp = lwp->lwp_next)

/** The invariant that is being checked does not hold: says so, with what was seen, and ends the process by SIGABRT. */
void broken(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn, cold));
#define HOLDS(condition, ...) do { if (__builtin_expect(!(condition), 0)) broken(__VA_ARGS__); } while (0)

#endif
