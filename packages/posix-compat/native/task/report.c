/*
 * report.c - the text of an lwp's files: the kernel's of the process' main thread (proc_pid_stat(5), proc_pid_status(5)), with what is the lwp's own in its place.
 */
#include "task.h"

#include <fcntl.h>

#define TICK 10000000 /* ns of the unit in stat: USER_HZ is 100 */

/** What a report says of its lwp. */
struct about {
	int tid;
	char name[16]; /* "": the kernel's */
	char state;
	uint64_t cputime, blocked, pending;
	unsigned nlwps;
	bool whole;
};

static bool find_about(int tid, struct about *about)
{
	struct proc *proc = &program_proc;
	const struct lwp *lwp;
	const struct lwkt_thread *td;

	lwkt_word_lock(&proc->p_lock);
	lwp = lwp_find(proc, tid);
	if (lwp) {
		td = lwp->lwp_td;
		memcpy(about->name, tid == proc->p_pid ? "" : lwp->lwp_comm, tid == proc->p_pid ? 1 : sizeof(about->name));
		about->state = lwp == curlwp() || (td && (td->td_flags & (TDF_RUNNING | TDF_RUNQ | TDF_MIGRATING))) ? 'R' : 'S';
		about->blocked = lwp->lwp_sigmask;
		about->pending = pending_set(lwp->lwp_pending);
	}
	about->nlwps = proc->p_nlwps;
	lwkt_word_unlock(&proc->p_lock);
	about->tid = tid;
	return lwp && cputime_read(curlwp(), tid, &about->cputime);
}

static long read_kernel(const char *file, char *to, size_t size)
{
	char path[64];
	struct text text;
	long fd, n, all = 0;

	text_begin(&text, path, sizeof(path));
	text_add(&text, "/proc/self/%s", file);
	fd = kernel_call(SYS_open, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return fd;
	while ((size_t)all < size - 1 && (n = kernel_call(SYS_read, fd, to + all, size - 1 - (size_t)all)) > 0)
		all += n;
	kernel_call(SYS_close, fd);
	to[all] = 0;
	return all;
}

/** The next word of a line of stat; *at goes behind it. */
static void copy_word(struct text *text, const char **at)
{
	while (**at && **at != ' ' && **at != '\n')
		text_char(text, *(*at)++);
}

static void skip_word(const char **at)
{
	while (**at && **at != ' ' && **at != '\n')
		++*at;
}

static void report_stat(struct text *text, const char *kernel, const struct about *about)
{
	const char *open = strchr(kernel, '('), *close = strrchr(kernel, ')'), *at;

	if (!open || !close)
		return;
	text_add(text, "%d (", about->tid);
	for (at = about->name[0] ? about->name : open + 1; *at && (about->name[0] || at < close); at++)
		text_char(text, *at);
	text_char(text, ')');
	at = close + 1;
	for (unsigned field = 3; *at == ' '; field++) { /* man 5 proc_pid_stat counts from 1 */
		text_char(text, *at++);
		if (field == 3)
			text_char(text, about->state);
		else if (field == 20)
			text_add(text, "%u", about->nlwps);
		else if ((field == 14 || field == 15) && !about->whole)
			text_add(text, "%lu", field == 14 ? about->cputime / TICK : 0);
		else {
			copy_word(text, &at);
			continue;
		}
		skip_word(&at);
	}
	text_char(text, '\n');
}

static void add_set(struct text *text, uint64_t set)
{
	for (int shift = 60; shift >= 0; shift -= 4)
		text_char(text, "0123456789abcdef"[set >> shift & 15]);
}

static bool begins(const char *line, const char *with)
{
	return !strncmp(line, with, strlen(with));
}

static void report_status(struct text *text, const char *line, const struct about *about)
{
	while (*line) {
		const char *next = strchr(line, '\n');

		next = next ? next + 1 : line + strlen(line);
		if (begins(line, "Name:") && about->name[0])
			text_add(text, "Name:\t%s\n", about->name);
		else if (begins(line, "State:"))
			text_add(text, "State:\t%s\n", about->state == 'R' ? "R (running)" : "S (sleeping)");
		else if (begins(line, "Pid:"))
			text_add(text, "Pid:\t%d\n", about->tid);
		else if (begins(line, "Threads:"))
			text_add(text, "Threads:\t%u\n", about->nlwps);
		else if (begins(line, "SigPnd:") || begins(line, "SigBlk:")) {
			text_add(text, line[3] == 'P' ? "SigPnd:\t" : "SigBlk:\t");
			add_set(text, line[3] == 'P' ? about->pending : about->blocked);
			text_char(text, '\n');
		} else
			for (const char *at = line; at < next; at++)
				text_char(text, *at);
		line = next;
	}
}

long task_report(int tid, const char *file, bool whole, char *to, size_t *size)
{
	struct about about = {.whole = whole};
	struct text text;
	char *kernel;
	long error = 0;

	if (!find_about(tid, &about))
		return -ENOENT;
	kernel = lwkt_os_alloc(TASK_REPORT_MAX);
	if (!kernel)
		return -ENOMEM;
	text_begin(&text, to, TASK_REPORT_MAX);
	if (!strcmp(file, "comm"))
		text_add(&text, "%s\n", about.name);
	else if (strcmp(file, "children") && (error = read_kernel(file, kernel, TASK_REPORT_MAX)) >= 0) {
		error = 0;
		(strcmp(file, "stat") ? report_status : report_stat)(&text, kernel, &about);
	}
	*size = (size_t)(text.at - to);
	lwkt_os_free(kernel);
	return error;
}
