/*
 * path.c - which file of /proc/self/task a path means, and what becomes of a call with it: a file that says something of a single lwp is made here, when it is
 * opened, and is of that moment; another one of an lwp's is the main thread's, as it says the same of all.
 */
#include "task.h"

#include <fcntl.h>
#include <sys/mman.h>

/** What a path leads to. */
struct place {
	int tid;          /* whose */
	bool whole;       /* /proc/self itself: not below task/ */
	const char *file; /* what follows, "" for the folder */
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static const char *read_number(const char *at, int *number)
{
	for (*number = 0; is_digit(*at) && *number < 100000000; at++)
		*number = *number * 10 + (*at - '0');
	return at;
}

static const char *skip_slashes(const char *at)
{
	while (*at == '/')
		at++;
	return at;
}

/** What is behind a name and its slashes; NULL: it is not that name. */
static const char *behind(const char *at, const char *name)
{
	size_t n = strlen(name);

	if (strncmp(at, name, n) || (at[n] && at[n] != '/'))
		return NULL;
	return skip_slashes(at + n);
}

static bool is_lwp(int tid)
{
	return lwp_exists(&program_proc, tid);
}

/** From behind task/. */
static bool find_task(const char *at, struct place *place)
{
	const char *end = read_number(at, &place->tid);

	if (end == at || (*end && *end != '/') || !is_lwp(place->tid))
		return false;
	place->file = skip_slashes(end);
	return true;
}

/** From behind /proc/. */
static bool find_place(const struct lwp *lwp, const char *at, struct place *place)
{
	const char *next = behind(at, "self"), *end;

	place->tid = program_proc.p_pid;
	place->whole = true;
	if (!next && (next = behind(at, "thread-self"))) {
		place->tid = lwp->lwp_tid;
		place->whole = false;
	}
	if (!next && is_digit(*at)) {
		end = read_number(at, &place->tid);
		next = (*end && *end != '/') || !is_lwp(place->tid) ? NULL : skip_slashes(end);
	}
	if (!next)
		return false;
	place->file = next;
	next = behind(next, "task");
	if (!next || !*next)
		return true; /* not below it */
	place->whole = false;
	return find_task(next, place);
}

/** A path from an open /proc/self/task on. */
static bool find_from(int dirfd, const char *path, struct place *place)
{
	place->whole = false;
	return is_digit(*path) && dirfd >= 0 && task_is_folder(dirfd) && find_task(path, place);
}

static bool is_made(const struct place *place)
{
	static const char *const made[] = {"stat", "status", "comm", "children"};
	bool is_main = place->tid == program_proc.p_pid;

	for (unsigned i = 0; i < 4; i++)
		if (!strcmp(place->file, made[i]))
			return i < 2 || !is_main; /* the main one's name and children are the process' */
	return false;
}

/** The file, with what it says now. */
static long open_made(const struct place *place, uint64_t flags)
{
	char *report = lwkt_os_alloc(TASK_REPORT_MAX);
	size_t size = 0;
	long error, fd;

	if (!report)
		return -ENOMEM;
	error = task_report(place->tid, place->file, place->whole, report, &size);
	fd = error ? error : kernel_call(SYS_memfd_create, place->file, flags & O_CLOEXEC ? MFD_CLOEXEC : 0);
	if (fd >= 0) {
		out_put((int)fd, report, size);
		if ((flags & O_ACCMODE) != O_RDONLY)
			comm_opened((int)fd, place->tid);
	}
	lwkt_os_free(report);
	return fd;
}

/** The same of the main thread, which the kernel knows. */
static void name_main(const struct place *place, char *path, size_t size)
{
	char file[64];
	struct text text;

	text_begin(&text, file, sizeof(file));
	text_add(&text, "%s", place->file);
	text_begin(&text, path, size);
	text_add(&text, "/proc/self/task/%d/%s", program_proc.p_pid, file);
}

static enum proc_path answer(const struct lwp *lwp, int dirfd, char *path, size_t size, int64_t flags, long *result)
{
	struct place place;
	bool writes = flags >= 0 && (flags & O_ACCMODE) != O_RDONLY;

	if (!task_is_ours(lwp))
		return PROC_PATH_OTHER;
	if (!(path[0] == '/' ? !strncmp(path, "/proc/", 6) && find_place(lwp, skip_slashes(path + 6), &place) : find_from(dirfd, path, &place)))
		return PROC_PATH_OTHER;
	if (flags >= 0 && !(flags & (O_DIRECTORY | O_PATH)) && is_made(&place)) {
		*result = writes && strcmp(place.file, "comm") ? -EACCES : open_made(&place, (uint64_t)flags);
		return PROC_PATH_ANSWERED;
	}
	if (place.whole || strlen(place.file) > 48)
		return PROC_PATH_OTHER;
	name_main(&place, path, size);
	return PROC_PATH_CHANGED;
}

enum proc_path task_path(struct lwp *lwp, int dirfd, char *path, size_t size, int64_t flags, long *result)
{
	return path[0] == '/' || is_digit(path[0]) ? answer(lwp, dirfd, path, size, flags, result) : PROC_PATH_OTHER;
}
