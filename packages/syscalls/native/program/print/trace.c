/*
 * trace.c - what --trace prints of a system call: its arguments while they are as the program had them, the rest when it has returned. line.c writes the lines.
 */
#include "trace.h"
#include "os/os.h" /* core's */

#include <fcntl.h>

#define ERESTART_RESTARTBLOCK 516 /* as ERESTARTNOHAND, but for where the call goes on: include/linux/errno.h */

static bool is_late(const struct call_argument *argument)
{
	switch (argument->format) {
	case FORMAT_IOCTL_ARGUMENT:
	case FORMAT_FCNTL_ARGUMENT:
	case FORMAT_LENGTH_OUT:
	case FORMAT_CLONE: return true;
	default: return argument->out;
	}
}

/** Shows arguments, up to the first that the kernel has still to write. */
static void show_arguments(struct trace_line *line, bool late)
{
	for (; line->next < line->shown; line->next++) {
		const struct call_argument *argument = &line->what->args[line->next];

		if (!late && is_late(argument)) {
			line->early = line->text.at;
			line->all_early = false;
			return;
		}
		text_add(&line->text, TRACE_NEXT);
		show_argument(&line->text, &line->call, argument, line->next);
	}
	if (late)
		return;
	line->early = line->text.at;
	line->all_early = true;
}

/** What the kernel is told about an address' length is changed by it. */
static int read_length(const struct trace_line *line)
{
	int length = 0;

	for (unsigned i = 0; i < line->what->n; i++)
		if (line->what->args[i].format == FORMAT_LENGTH_OUT && line->call.values[i])
			return copyin(&length, line->call.values[i], sizeof(length)) ? 0 : length;
	return length;
}

static void describe(struct trace_line *line, int tid, uint64_t number)
{
	line->tid = tid;
	line->call.number = number;
	line->what = arguments_of(number);
	line->next = 0;
	text_begin(&line->text, line->arguments, sizeof(line->arguments));
}

void trace_begin(struct lwp *lwp, const struct trapframe *tf)
{
	const uint64_t values[6] = {tf->tf_rdi, tf->tf_rsi, tf->tf_rdx, tf->tf_r10, tf->tf_r8, tf->tf_r9};
	struct trace_line *line;

	if (!lwp->lwp_trace)
		lwp->lwp_trace = lwkt_os_alloc(sizeof(*line));
	line = lwp->lwp_trace;
	if (!line)
		return;
	describe(line, lwp->lwp_tid, tf->tf_number);
	memcpy(line->call.values, values, sizeof(values));
	if (tf->tf_number == SYS_rt_sigreturn)
		line->call.values[0] = tf->tf_rsp;
	line->shown = arguments_shown(&line->call, line->what);
	line->call.length = read_length(line);
	if (tf->tf_number == SYS_sendfile && line->call.values[2] && copyin(&line->call.offset, line->call.values[2], sizeof(line->call.offset)))
		line->call.offset = 0;
	show_arguments(line, false);
	line_begins(line);
	if (tf->tf_number == SYS_exit)
		line_exit(lwp);
	else if (tf->tf_number == SYS_exit_group)
		line_exit_all(lwp);
}

/** How the kernel says that a signal has ended a call that does not say so itself. */
static long restart_of(uint64_t number, long result)
{
	if (result != -EINTR)
		return result;
	switch (number) {
	case SYS_pause:
	case SYS_ppoll:
	case SYS_pselect6:
	case SYS_rt_sigsuspend:
	case SYS_select: return -ERESTARTNOHAND;
	case SYS_clock_nanosleep:
	case SYS_nanosleep:
	case SYS_poll: return -ERESTART_RESTARTBLOCK;
	default: return result;
	}
}

static const char *restart_name(long result)
{
	switch (-result) {
	case ERESTART_RESTARTBLOCK: return "ERESTART_RESTARTBLOCK (Interrupted by signal)";
	case ERESTARTSYS: return "ERESTARTSYS (To be restarted if SA_RESTART is set)";
	case ERESTARTNOHAND: return "ERESTARTNOHAND (To be restarted if no handler)";
	default: return NULL;
	}
}

static bool is_hexadecimal(const struct traced *call)
{
	switch (call->number) {
	case SYS_mmap:
	case SYS_brk:
	case SYS_mremap:
	case SYS_shmat: return true;
	case SYS_fcntl: return call->values[1] == F_GETFL || call->values[1] == F_GETFD || call->values[1] == F_GET_SEALS || call->values[1] == F_GETLEASE;
	default: return false;
	}
}

/** Returns the error's name, or NULL. */
static const char *result_text(struct trace_line *line)
{
	const long result = line->call.result;
	struct text text;

	text_begin(&text, line->result, sizeof(line->result));
	if (result >= 0 || result < -4095) {
		if (line->call.number == SYS_umask)
			show_octal(&text, (uint64_t)result);
		else if (is_hexadecimal(&line->call))
			show_hex(&text, (uint64_t)result);
		else
			text_add(&text, "%ld", result);
		show_result(&text, &line->call);
		return NULL;
	}
	if (restart_name(restart_of(line->call.number, result))) {
		text_add(&text, "? %s", restart_name(restart_of(line->call.number, result)));
		return result == -EINTR ? error_name(EINTR) : NULL;
	}
	if (error_name((unsigned)-result)) {
		text_add(&text, "-1 %s (%s)", error_name((unsigned)-result), error_text((unsigned)-result));
		return error_name((unsigned)-result);
	}
	text_add(&text, "-1 (errno %ld)", -result);
	return "UNKNOWN";
}

void trace_end(struct lwp *lwp, long result)
{
	struct trace_line *line = lwp->lwp_trace;

	if (!line || line->tid != lwp->lwp_tid)
		return;
	if (result == -ERESTARTNOINTR || (options.trace_json && restart_name(result))) {
		line_drop(line); /* it comes again */
		return;
	}
	line->call.result = result;
	show_arguments(line, true);
	line_ends(line, result_text(line));
}

void trace_started(const char *path, char **argv, uint64_t environment)
{
	struct trace_line *line = lwkt_os_alloc(sizeof(*line));

	if (!line)
		return;
	describe(line, curproc()->p_pid, SYS_execve);
	line->call.values[0] = (uint64_t)path;
	line->call.values[1] = (uint64_t)argv;
	line->call.values[2] = environment;
	line->call.result = 0;
	line->shown = line->what->n;
	line_begins(line);
	show_arguments(line, true);
	line_ends(line, result_text(line));
	lwkt_os_free(line);
}

void trace_show(struct text *text, uint64_t number, const uint64_t values[6])
{
	const struct call_arguments *what = arguments_of(number);
	struct traced call = {.number = number};
	const char *name = call_name(number);

	memcpy(call.values, values, sizeof(call.values));
	if (name)
		text_add(text, "%s(", name);
	else
		text_add(text, "call %lu(", (unsigned long)number);
	for (unsigned i = 0; i < arguments_shown(&call, what); i++) {
		if (i)
			text_add(text, ", ");
		if (is_late(&what->args[i]))
			show_address(text, call.values[i]);
		else
			show_argument(text, &call, &what->args[i], i);
	}
	text_char(text, ')');
}
