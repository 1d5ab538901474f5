/*
 * script.h - shims in another process, among the files of this room: the channel's end here (channel.c), what of the program's memory goes by it (stage.h), the
 * calls that do (script.c), and what is decided here by what the supervisor has said in advance (rows.h).
 */
#ifndef PROGRAM_SCRIPT_H
#define PROGRAM_SCRIPT_H

#include "program.h" /* first: it asks for all that headers have */

#include "channel.h"
#ifndef SHIM_INTERNAL
#define SHIM_INTERNAL
#endif
#include "libcr_shim.h" /* struct sysmsg */

/* ------------------------------------------------ channel.c */
/** A slot for the lwp. 0; -ESRCH: there is no supervisor any more, and the program goes on without; -ERESTARTNOINTR, where that may be: a signal has come while all
 *  were taken. */
long channel_take(struct lwp *lwp, struct slot **slot, bool may_be_interrupted);
void channel_free(struct slot *slot);
void channel_forked(struct lwp *lwp); /* in a child of fork or vfork */
/** Posts what is in the slot, and waits for the answer. A signal is told to the supervisor if it `cancels`, and is waited out. 0; -ESRCH: there is no supervisor any more. */
long channel_ask(struct lwp *lwp, struct slot *slot, bool cancels);

/* ------------------------------------------------ script.c */
struct chain;
/** Calls of which nothing comes back. */
static inline bool script_is_end(int64_t number) { return number == SYS_exit || number == SYS_exit_group; }
/** A call that the supervisor wants, below all native shims. make: what makes one. */
long script_call(struct lwp *lwp, struct sysmsg *msg, long (*make)(struct sysmsg *msg, const struct chain *chain), const struct chain *chain);
/** The supervisor is asked. rows: it has been through its rows, and what is made goes through those below. */
long script_ask(struct lwp *lwp, struct sysmsg *msg, long (*make)(struct sysmsg *msg, const struct chain *chain), const struct chain *chain, bool rows);
extern uint32_t script_forks; /* counted in each child of fork, which has a copy: the parent's stays as it was */

/* ------------------------------------------------ rows.c */
/** In the channel's memory. */
void rows_open(int memory);
/** A call of the program's that has rows; and one that the supervisor wants to be made in its stead, or lets go on. */
long rows_call(struct lwp *lwp, struct sysmsg *msg, long (*make)(struct sysmsg *msg, const struct chain *chain), const struct chain *chain);
long rows_below(struct lwp *lwp, struct sysmsg *msg, long (*make)(struct sysmsg *msg, const struct chain *chain), const struct chain *chain);
/** The file that a trace goes to, or NULL; whether all is traced; it can't be done here. */
const char *rows_trace(void);
bool rows_trace_is_all(void);
void rows_refuse_trace(void);

#endif
