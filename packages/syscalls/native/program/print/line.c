/*
 * line.c - the lines of --trace: which is written when. As with strace -f -o FILE, a call is one line, unless another lwp of the process has something to say while it is under
 * way: then its beginning is written first, with <unfinished ...>, and the rest later, with <... resumed>. Lines of other processes come between whole lines.
 * With --trace-format=json a call is an object in a line, when it has returned, and nothing else is said.
 *
 * Signals are told when their handler begins, or what they do by default; and what ends a thread or the process.
 *
 * Invariant: `opened` is the last call that has begun, while nothing was written since; it is changed, and all is written, under `lock`, and so are the fields of a trace_line that
 * trace.h says so of. A line of `early` arguments does not change until its lwp has ended the call. Never in a signal's handler, unless that has interrupted the program
 * itself, and not libcr.
 */
#include "trace.h"
#include "lwkt_kernel.h" /* core's */

#include <fcntl.h>
#include <sys/resource.h>

#define RESULT_COLUMN 40

static uintptr_t lock; /* 0; 1; or a child of vfork's lwp that has it, and may be killed meanwhile: a line is written by a system call */
static struct trace_line *opened;

static bool failed; /* it can't be written any more */

static void break_lock(uintptr_t owner)
{
	__atomic_compare_exchange_n(&lock, &owner, 0, false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);
}

static void take_lock(void)
{
	const struct lwp *lwp = curlwp();
	const uintptr_t me = lwp && lwp->lwp_proc->p_vforked_by ? (uintptr_t)lwp : 1;
	uintptr_t owner = 0;

	while (!__atomic_compare_exchange_n(&lock, &owner, me, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) {
		if (owner > 1 && vfork_is_over((const struct lwp *)owner))
			break_lock(owner);
		kernel_call(SYS_sched_yield);
		owner = 0;
	}
}

static void drop_lock(void)
{
	__atomic_store_n(&lock, 0, __ATOMIC_RELEASE);
}

/** Under the lock. */
static void write_all(const char *at, const char *end)
{
	const long error = failed ? 0 : out_write(options.trace, at, (size_t)(end - at));

	if (!error)
		return;
	failed = true;
	out_failed(options.trace, "--trace", error);
}

static void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void say(const char *format, ...)
{
	char buffer[512];
	struct text text;
	va_list list;

	text_begin(&text, buffer, sizeof(buffer));
	va_start(list, format);
	text_add_list(&text, format, list);
	va_end(list);
	write_all(buffer, text.at);
}

static void print_name(struct text *out, uint64_t number)
{
	if (call_name(number))
		text_add(out, "%s", call_name(number));
	else
		text_add(out, "syscall_0x%lx", number);
}

/** Arguments with commas between; behind the first `n` of them. Returns how many there are now. */
static unsigned print_arguments(struct text *out, const char *from, const char *end, unsigned n)
{
	for (; from < end; from++) {
		if (*from != *TRACE_NEXT)
			text_char(out, *from);
		else if (n++)
			text_add(out, ", ");
	}
	return n;
}

/** What has begun, and is not going to be the last line: under the lock. */
static void print_unfinished(struct trace_line *line)
{
	struct text out;

	text_begin(&out, line->out, OUT_SIZE);
	text_add(&out, "%-5d ", line->tid);
	print_name(&out, line->call.number);
	text_char(&out, '(');
	if (print_arguments(&out, line->arguments, line->early, 0) && !line->all_early)
		text_add(&out, ", ");
	text_add(&out, " <unfinished ...>\n");
	line->unfinished = true;
	write_all(line->out, out.at);
}

/** Something else is to be written. */
static void make_room(void)
{
	if (opened && !options.trace_json)
		print_unfinished(opened);
	opened = NULL;
}

/** As the supervisor's own lines have it. By constants, as it is done for each line. */
static void print_time(struct text *out, uint64_t ns)
{
	uint64_t rest = ns % 1000000000 / 1000;
	char digits[] = " <0.000000>";

	for (char *at = digits + sizeof(digits) - 3; at > digits + 3; rest /= 10)
		*at-- = (char)('0' + rest % 10);
	if (ns < 10000000000) {
		digits[2] = (char)('0' + ns / 1000000000);
		text_add(out, "%s", digits);
	} else {
		text_add(out, " <%lu%s", ns / 1000000000, digits + 3);
	}
}

static void print_result(struct trace_line *line, struct text *out, const char *result)
{
	while (!options.script_trace && out->at < line->out + RESULT_COLUMN - 1)
		text_char(out, ' ');
	text_add(out, " = %s", result);
	if (options.script_trace && *result != '?')
		print_time(out, rows_clock() - line->began);
	text_char(out, '\n');
	write_all(line->out, out->at);
}

static void print_line(struct trace_line *line)
{
	struct text out;

	text_begin(&out, line->out, OUT_SIZE);
	text_add(&out, line->unfinished ? "%-5d <... " : "%-5d ", line->tid);
	print_name(&out, line->call.number);
	if (line->unfinished) {
		text_add(&out, " resumed>");
		print_arguments(&out, line->early, line->text.at, 0);
	} else {
		text_char(&out, '(');
		print_arguments(&out, line->arguments, line->text.at, 0);
	}
	text_char(&out, ')');
	print_result(line, &out, line->result);
}

/** The arguments' text has printable characters only. */
static void print_json(struct trace_line *line, const char *error, bool ends)
{
	struct text out;
	bool first = true;

	text_begin(&out, line->out, OUT_SIZE);
	text_add(&out, "{\"pid\":%d,\"tid\":%d,\"name\":\"", curproc()->p_pid, line->tid);
	print_name(&out, line->call.number);
	text_add(&out, "\",\"args\":[");
	for (const char *c = line->arguments; *c; c++) {
		if (*c == *TRACE_NEXT) {
			text_add(&out, first ? "\"" : "\",\"");
			first = false;
			continue;
		}
		if (*c == '"' || *c == '\\')
			text_char(&out, '\\');
		text_char(&out, *c);
	}
	text_add(&out, first ? "]" : "\"]");
	if (ends)
		text_add(&out, ",\"result\":null}\n");
	else if (error)
		text_add(&out, ",\"result\":-1,\"errno\":\"%s\"}\n", error);
	else
		text_add(&out, ",\"result\":%ld}\n", line->call.result);
	write_all(line->out, out.at);
}

void line_begins(struct trace_line *line)
{
	take_lock();
	make_room();
	if (options.script_trace)
		line->began = rows_clock();
	opened = line;
	line->under_way = true;
	line->unfinished = false;
	drop_lock();
}

/** Under the lock: it is over, whatever is written of it. */
static void close_line(struct trace_line *line)
{
	if (opened == line)
		opened = NULL;
	else
		make_room();
	line->under_way = false;
}

void line_ends(struct trace_line *line, const char *error)
{
	take_lock();
	close_line(line);
	if (options.trace_json)
		print_json(line, error, false);
	else
		print_line(line);
	drop_lock();
}

void line_drop(struct trace_line *line)
{
	take_lock();
	if (opened == line)
		opened = NULL;
	line->under_way = false;
	drop_lock();
}

/** The last call of an lwp, of which nothing comes back, where it is under way. */
static void print_last(struct trace_line *line)
{
	struct text out;

	text_begin(&out, line->out, OUT_SIZE);
	text_add(&out, "%-5d <... ", line->tid);
	print_name(&out, line->call.number);
	text_add(&out, line->all_early ? " resumed>)" : " resumed> <unfinished ...>)");
	print_result(line, &out, "?");
}

/** The line of a call that does not come back. Whether lines of strace's follow, of what it has ended. Under the lock. */
static bool print_exit(struct trace_line *line)
{
	close_line(line);
	memcpy(line->result, "?", 2);
	if (options.trace_json)
		print_json(line, NULL, true);
	else
		print_line(line);
	return !options.trace_json && traces_rest();
}

void line_exit(struct lwp *lwp)
{
	struct trace_line *line = lwp->lwp_trace;

	take_lock();
	if (print_exit(line))
		say("%-5d +++ exited with %d +++\n", line->tid, (int)line->call.values[0] & 0xff);
	drop_lock();
}

/** What becomes of each lwp of a process that ends: the main one's is the last. Under both locks. */
static void print_ends(struct proc *proc, const char *how)
{
	struct lwp *lwp, *first = proc->p_main;

	for (lwp = proc->p_lwps; lwp; lwp = lwp->lwp_next) {
		struct trace_line *line = lwp->lwp_trace;

		if (line && line->under_way && line->tid == lwp->lwp_tid)
			print_last(line);
	}
	for (lwp = proc->p_lwps; lwp; lwp = lwp->lwp_next)
		if (lwp != first)
			say("%-5d +++ %s +++\n", lwp->lwp_tid, how);
	say("%-5d +++ %s +++\n", proc->p_pid, how);
}

static void end_all(struct proc *proc, const char *how)
{
	lwkt_word_lock(&proc->p_lock);
	print_ends(proc, how);
	lwkt_word_unlock(&proc->p_lock);
}

void line_exit_all(struct lwp *lwp)
{
	struct trace_line *line = lwp->lwp_trace;
	char how[24];
	struct text text;

	take_lock();
	if (print_exit(line)) {
		text_begin(&text, how, sizeof(how));
		text_add(&text, "exited with %d", (int)line->call.values[0] & 0xff);
		end_all(lwp->lwp_proc, how);
	}
	drop_lock();
}

/* ------------------------------------------------ signals */

static bool is_told(void) { return traces_rest() && !options.trace_json; }

bool trace_tells_of(int sig)
{
	const uint64_t quiet = SIGNAL_BIT(SIGCHLD) | SIGNAL_BIT(SIGURG) | SIGNAL_BIT(SIGWINCH) | SIGNAL_BIT(SIGCONT) | SIGNAL_BIT(SIGTSTP) | SIGNAL_BIT(SIGTTIN) |
	                       SIGNAL_BIT(SIGTTOU) | SIGNAL_BIT(SIGSTOP) | SIGNAL_BIT(SIGKILL);

	return is_told() && !(quiet & SIGNAL_BIT(sig));
}

void trace_signal(const struct lwp *lwp, const siginfo_t *info)
{
	char buffer[384];
	struct text text;

	if (!is_told())
		return;
	text_begin(&text, buffer, sizeof(buffer));
	show_signal(&text, (uint64_t)info->si_signo);
	text_char(&text, ' ');
	show_siginfo(&text, (uint64_t)info);
	take_lock();
	make_room();
	say("%-5d --- %s ---\n", lwp->lwp_tid, buffer);
	drop_lock();
}

/** Whether the kernel is going to write a core: as far as that can be known. */
static bool dumps_core(int sig)
{
	const uint64_t cores = SIGNAL_BIT(SIGQUIT) | SIGNAL_BIT(SIGILL) | SIGNAL_BIT(SIGTRAP) | SIGNAL_BIT(SIGABRT) | SIGNAL_BIT(SIGBUS) | SIGNAL_BIT(SIGFPE) | SIGNAL_BIT(SIGSEGV) |
	                       SIGNAL_BIT(SIGXCPU) | SIGNAL_BIT(SIGXFSZ) | SIGNAL_BIT(SIGSYS);
	struct rlimit limit = {0};

	return (cores & SIGNAL_BIT(sig)) && !kernel_call(SYS_prlimit64, 0, RLIMIT_CORE, NULL, &limit) && limit.rlim_cur > 0;
}

void trace_killed(const struct lwp *lwp, int sig)
{
	char how[48];
	struct text text;

	if (!trace_tells_of(sig))
		return;
	text_begin(&text, how, sizeof(how));
	text_add(&text, "killed by ");
	show_signal(&text, (uint64_t)sig);
	text_add(&text, dumps_core(sig) ? " (core dumped)" : "");
	take_lock();
	make_room();
	end_all(lwp->lwp_proc, how);
	drop_lock();
}

void trace_gone(struct lwp *lwp)
{
	break_lock((uintptr_t)lwp);
	if (lwp->lwp_trace)
		line_drop(lwp->lwp_trace);
}

void trace_forget(void)
{
	lock = 0;
	opened = NULL;
}
