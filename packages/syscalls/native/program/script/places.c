/*
 * places.c - the paths of a call, for the rows that are about some (rows.h): made absolute as they are written, and held against globs. src/shims/paths/ does the same for
 * shims of JavaScript; what is not plain is left to it: names of /proc and /dev that lead elsewhere, a folder that is at no path, "/" itself, no name at all.
 *
 * Invariant: what is answered here is what is answered there.
 */
#include "places.h"

#include <fcntl.h>
#include <sys/stat.h>

/** A name in a folder of which links are no text. */
static bool may_have_link(const char *path)
{
	for (const char *at = path; *at; at++)
		if (at == path || at[-1] == '/')
			if (!strncmp(at, "proc/", 5) || !strncmp(at, "dev/", 4))
				return true;
	return false;
}

static bool working_directory(char *to)
{
	return kernel_call(SYS_getcwd, to, PLACE_SIZE) > 0 && *to == '/';
}

/** Where a descriptor's folder is, if it is at the path that is said of it. */
static bool place_of(int fd, char *to)
{
	struct stat is, there;
	struct text text;
	char link[32];
	long n;

	text_begin(&text, link, sizeof(link));
	text_add(&text, "/proc/self/fd/%d", fd);
	*text.at = 0;
	n = kernel_call(SYS_readlink, link, to, PLACE_SIZE);
	if (n <= 0 || n >= PLACE_SIZE || *to != '/')
		return false;
	to[n] = 0;
	return !kernel_call(SYS_fstat, fd, &is) && !kernel_call(SYS_lstat, to, &there) && is.st_dev == there.st_dev && is.st_ino == there.st_ino;
}

/** Without ".", ".." and more slashes than are needed; in place. */
static void clean(char *path)
{
	char *to = path;
	const char *at = path;

	while (*at) {
		const char *name;

		while (*at == '/')
			at++;
		for (name = at; *at && *at != '/'; at++)
			;
		if (at == name || (at - name == 1 && *name == '.'))
			continue;
		if (at - name == 2 && name[0] == '.' && name[1] == '.') {
			while (to > path && *--to != '/')
				;
			continue;
		}
		*to++ = '/';
		memmove(to, name, (size_t)(at - name));
		to += at - name;
	}
	*to = 0;
}

/** The path, made absolute. */
static bool absolute(const char *given, int dirfd, char *to)
{
	size_t n = 0, length = strlen(given);

	if (*given != '/') {
		if (!(dirfd == AT_FDCWD ? working_directory(to) : place_of(dirfd, to)))
			return false;
		n = strlen(to);
		if (n + 1 + length >= PLACE_SIZE)
			return false;
		to[n++] = '/';
	}
	memcpy(to + n, given, length + 1);
	if (may_have_link(to))
		return false;
	clean(to);
	return *to;
}

/** A name, up to a slash or its end, and what a glob has there. Both are moved on, behind it. */
static bool name_fits(const char **glob, const char **path)
{
	const char *g = *glob, *p = *path, *star = NULL, *starred = NULL;

	for (;;) {
		const bool ends = !*p || *p == '/';

		if (*g == GLOB_STAR) {
			star = ++g;
			starred = p;
		} else if (ends && (!*g || *g == '/')) {
			*glob = g;
			*path = p;
			return true;
		} else if (!ends && (*g == *p || *g == GLOB_ONE)) {
			g++;
			p++;
		} else if (star && *starred && *starred != '/') {
			g = star;
			p = ++starred;
		} else {
			return false;
		}
	}
}

/** Both are at a slash, or at their end. */
static bool glob_fits(const char *glob, const char *path)
{
	while (*glob) {
		if (glob[1] == GLOB_NAMES) {
			glob += 2;
			if (!*glob)
				return true;
			for (;;) {
				if (glob_fits(glob, path))
					return true;
				if (!*path)
					return false;
				for (path++; *path && *path != '/'; path++)
					;
			}
		}
		if (!*path)
			return false;
		glob++;
		path++;
		if (!name_fits(&glob, &path))
			return false;
	}
	return !*path;
}

static bool some_fits(uint32_t globs, const char *path)
{
	const uint32_t *list = rows_at(globs);

	for (uint32_t i = 0; i < *list && i < 4096; i++)
		if (glob_fits(rows_at(list[1 + i]), path))
			return true;
	return false;
}

static bool is_ascii(const char *text)
{
	for (; *text; text++)
		if (*text & 0x80)
			return false;
	return true;
}

static bool has_one(uint32_t globs)
{
	const uint32_t *list = rows_at(globs);

	for (uint32_t i = 0; i < *list && i < 4096; i++)
		if (strchr(rows_at(list[1 + i]), GLOB_ONE))
			return true;
	return false;
}

/** One path of a call, held against all rows. */
static __attribute__((noinline)) bool look(const char *given, int dirfd, const struct row_list *list, uint64_t *some, uint64_t *all)
{
	char path[PLACE_SIZE];
	bool ascii;

	if (!absolute(given, dirfd, path))
		return false;
	ascii = is_ascii(path);
	for (unsigned i = 0; i < list->rl_n && i < ROWS_LIST; i++) {
		const struct row *row = rows_at(list->rl_rows[i]);

		if (!row->ro_globs)
			continue;
		if (!ascii && has_one(row->ro_globs))
			return false;
		if (some_fits(row->ro_globs, path))
			*some |= 1ull << i;
		else
			*all &= ~(1ull << i);
	}
	return true;
}

bool places_find(struct places *places, struct sysmsg *call, const struct row_list *list, uint64_t *fitting)
{
	const struct row_about *about = rows_about(call->sm_number);
	uint64_t some = 0, all = ~0ull;

	if (!about->ra_npaths || about->ra_npaths > PLACES)
		return false;
	for (unsigned i = 0; i < about->ra_npaths; i++) {
		const int at = about->ra_paths[i] & 7, dirfd = about->ra_dirfds[i];

		if (at > 5 || dirfd > 5 || user_string(places->given[i], call->sm_args[at], PLACE_SIZE) <= 0 || !*places->given[i])
			return false;
		if (!look(places->given[i], dirfd < 0 ? AT_FDCWD : (int)call->sm_args[dirfd], list, &some, &all))
			return false;
	}
	for (unsigned i = 0; i < about->ra_npaths; i++)
		call->sm_args[about->ra_paths[i] & 7] = (uint64_t)places->given[i];
	*fitting = 0;
	for (unsigned i = 0; i < list->rl_n && i < ROWS_LIST; i++)
		*fitting |= ((((const struct row *)rows_at(list->rl_rows[i]))->ro_flags & ROW_ALL_PATHS ? all : some) >> i & 1) << i;
	return true;
}
