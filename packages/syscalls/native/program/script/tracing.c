/*
 * tracing.c - a trace that a supervisor wants to have of its programs, where it is the outermost of its shims: print/ writes it here, to the same file. Lines are those of
 * --trace, with the time that a call has taken, and of the calls only that it is about (WANTS_TRACE).
 *
 * Not here: a trace between other shims, and one that a function gets; those the supervisor makes itself.
 *
 * Invariant: the supervisor is told before the program begins where this can't be done: rh_trace_refused.
 */
#include "rows.h"
#include "script.h"
#include "own.h"

#include <fcntl.h>

static bool is_wanted(void)
{
	return script_active && options.script_trace;
}

void script_trace_open(void)
{
	const char *path = script_active ? rows_trace() : NULL;
	long fd;

	if (!path || options.script_trace) /* an execve has handed it over */
		return;
	fd = options.trace >= 0 || record_mode ? -EBUSY : kernel_call(SYS_open, path, O_WRONLY | O_APPEND | O_NOCTTY | O_CLOEXEC | O_NONBLOCK); /* a pipe may have no reader any more */
	if (fd < 0) {
		rows_refuse_trace();
		return;
	}
	kernel_call(SYS_fcntl, fd, F_SETFL, O_APPEND);
	options.trace = own_move_inherited((int)fd);
	options.script_trace = true;
}

bool traces_call(uint64_t number)
{
	return options.trace >= 0 && (!options.script_trace || (number < CALLS && (script_wants[number] & WANTS_TRACE)));
}

bool traces_rest(void)
{
	return options.trace >= 0 && (!is_wanted() || rows_trace_is_all());
}
