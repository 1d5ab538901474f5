/*
 * libraries.c - libraries whose text is preempted between instructions as the program's own is: the interpreter's of a Python that has it in one, and those that
 * --preempt-in=NAME[,NAME]... names: by a file's name, or its beginning up to a dot (libmine.so for libmine.so.1.2).
 *
 * Invariant: a library that the program unmaps is forgotten before it is gone: what lies there later is somebody else's.
 */
#include "schedule.h"

#include <fcntl.h>
#include <sys/mman.h>

#define MAPS_PIECE 4096

/** Of a library that is an interpreter, part of its path. */
#define PYTHON "/libpython"

struct mapping {
	uint64_t from, to;
	uint64_t base;    /* where its file begins */
	bool executable;
	const char *path; /* NULL: of no file */
};

/** Whether it is looked for. */
typedef bool wanted_t(const char *path);

static uint64_t hexadecimal(const char **text)
{
	uint64_t number = 0;

	for (char c; (c = **text), (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); (*text)++)
		number = number << 4 | (uint64_t)(c <= '9' ? c - '0' : c - 'a' + 10);
	return number;
}

/** A line of /proc/self/maps; what stands in *one is the line before. */
static void read_mapping(const char *line, struct mapping *one)
{
	static char last[TEXT_PATH];
	const char *path = strchr(line, '/');

	one->from = hexadecimal(&line);
	line++;
	one->to = hexadecimal(&line);
	one->executable = line[3] == 'x';
	one->path = path;
	if (!path || !one->base || strncmp(path, last, sizeof(last) - 1)) {
		one->base = one->from;
		last[0] = 0;
	}
	if (path && strlen(path) < sizeof(last))
		memcpy(last, path, strlen(path) + 1);
}

static bool add(const struct mapping *one, struct text_range *to)
{
	*to = (struct text_range){one->from, one->to, one->base, "?"};
	if (strlen(one->path) < sizeof(to->path))
		memcpy(to->path, one->path, strlen(one->path) + 1);
	return true;
}

/** Those that are wanted, so many at most. How many there are. */
static unsigned find(wanted_t *wanted, struct text_range *to, unsigned room)
{
	static char piece[2 * MAPS_PIECE];
	const int fd = (int)kernel_call(SYS_open, "/proc/self/maps", O_RDONLY | O_CLOEXEC, 0);
	struct mapping one = {0};
	unsigned found = 0;
	long have = 0, n;

	while (fd >= 0 && found < room && (n = kernel_call(SYS_read, fd, piece + have, sizeof(piece) - 1 - (size_t)have)) > 0) {
		char *line = piece, *end;

		have += n;
		piece[have] = 0;
		for (; found < room && (end = strchr(line, '\n')); line = end + 1) {
			*end = 0;
			read_mapping(line, &one);
			if (one.executable && one.path && wanted(one.path))
				found += add(&one, &to[found]);
		}
		have -= line - piece;
		memmove(piece, line, (size_t)have);
	}
	if (fd >= 0)
		kernel_call(SYS_close, fd);
	return found;
}

bool libraries_is_python(const char *path)
{
	for (; path; path = strchr(path + 1, '/'))
		if (!strncmp(path, PYTHON, sizeof(PYTHON) - 1))
			return true;
	return false;
}

static bool is_named(const char *path)
{
	const char *file = strrchr(path, '/') + 1;

	for (const char *name = options.preempt_in, *end; *name; name = *end ? end + 1 : end) {
		const size_t size = (size_t)((end = strchr(name, ',') ?: name + strlen(name)) - name);

		if (size && !strncmp(file, name, size) && (!file[size] || file[size] == '.'))
			return true;
	}
	return false;
}

bool libraries_python(struct text_range *to)
{
	return find(libraries_is_python, to, 1);
}

unsigned libraries_named(struct text_range *to, unsigned room)
{
	return options.preempt_in ? find(is_named, to, room) : 0;
}

void libraries_call(const struct trapframe *tf)
{
	if (!options.preempt_in)
		return;
	if (tf->tf_number == SYS_mmap && (tf->tf_rdx & PROT_EXEC))
		pages_changed();
	else if (tf->tf_number == SYS_munmap)
		pages_unmapped(tf->tf_rdi, tf->tf_rsi);
}
