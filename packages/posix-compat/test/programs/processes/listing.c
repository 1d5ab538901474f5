/*
 * listing.c: lists a directory with a small buffer, in ways in which a listing may go wrong, and says in one line what it has found: the number of names, and what is not as it should be.
 *
 *   listing DIRECTORY SIZE look|write|remove
 *
 * look: each name comes once, with its number and type, from every position that the listing has given, from the beginning again, and in two processes that share the descriptor. write: each file is opened
 * for writing as it comes. remove: each is removed as it comes.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define MOST 20000

struct entry {
	unsigned long long ino;
	long long next;
	unsigned short size;
	unsigned char type;
	char name[];
};

static struct {
	char name[256];
	long long next;
} seen[MOST];
static int count, wrong;
static char buffer[1 << 16];
static int size;

#define WRONG(...) (wrong++ < 5 ? printf(__VA_ARGS__) : 0)

static int isDots(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

static long list(int fd)
{
	long n = syscall(SYS_getdents64, fd, buffer, size);
	if (n < 0) {
		printf("getdents64: %s\n", strerror(errno));
		exit(1);
	}
	return n;
}

static int byName(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void each(int at, const char *mode, const struct entry *entry)
{
	struct stat st;

	if (isDots(entry->name))
		return;
	if (fstatat(at, entry->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		WRONG("%s: %s\n", entry->name, strerror(errno));
	else if (st.st_ino != entry->ino || (st.st_mode & S_IFMT) >> 12 != entry->type)
		WRONG("%s: %llu, type %d, and is %llu, type %d\n", entry->name, entry->ino, entry->type,
		      (unsigned long long)st.st_ino, (st.st_mode & S_IFMT) >> 12);
	if (strcmp(mode, "remove") == 0 &&
	    unlinkat(at, entry->name, S_ISDIR(st.st_mode) ? AT_REMOVEDIR : 0) < 0)
		WRONG("%s: %s\n", entry->name, strerror(errno));
	if (strcmp(mode, "write") == 0 && S_ISREG(st.st_mode)) {
		int fd = openat(at, entry->name, O_WRONLY);
		if (fd < 0)
			WRONG("%s: %s\n", entry->name, strerror(errno));
		close(fd);
	}
}

static void whole(int fd, int at, const char *mode)
{
	long n;

	while ((n = list(fd)) > 0)
		for (long i = 0; i < n;) {
			struct entry *entry = (struct entry *)(buffer + i);
			if (count == MOST)
				exit(1);
			strcpy(seen[count].name, entry->name);
			seen[count].next = entry->next;
			count++;
			each(at, mode, entry);
			i += entry->size;
		}
	if (list(fd) != 0)
		WRONG("it goes on behind its end\n");
}

/** From a position: the names are those that came behind it. */
static void from(int fd, int first)
{
	if (lseek(fd, first == 0 ? 0 : seen[first - 1].next, SEEK_SET) < 0)
		WRONG("lseek: %s\n", strerror(errno));
	long n = list(fd);
	int i = first;
	for (long at = 0; at < n; i++) {
		struct entry *entry = (struct entry *)(buffer + at);
		if (i >= count || strcmp(entry->name, seen[i].name) != 0) {
			WRONG("from %d: %s\n", first, entry->name);
			break;
		}
		at += entry->size;
	}
	if (n == 0 && first < count)
		WRONG("from %d: nothing\n", first);
}

/** Two processes take turns with one descriptor. */
static void shared(int fd)
{
	int names = 0, status;

	lseek(fd, 0, SEEK_SET);
	for (;;) {
		fflush(stdout);
		pid_t child = fork();
		if (child == 0)
			_exit(list(fd) == 0);
		waitpid(child, &status, 0);
		long n = list(fd);
		for (long at = 0; at < n; names++)
			at += ((struct entry *)(buffer + at))->size;
		if (n == 0)
			break;
	}
	if (names >= count)
		WRONG("%d names of %d, after another process' share\n", names, count);
}

int main(int argc, char **argv)
{
	if (argc != 4)
		return 2;
	size = atoi(argv[2]);
	int fd = open(argv[1], O_RDONLY | O_DIRECTORY);
	int at = open(argv[1], O_RDONLY | O_DIRECTORY);
	if (fd < 0 || at < 0 || size > (int)sizeof(buffer))
		return 2;
	whole(fd, at, argv[3]);
	if (strcmp(argv[3], "look") == 0) {
		for (int i = 0; i < count; i += count / 20 + 1)
			from(fd, i);
		from(fd, count - 1);
		from(fd, 0);
		if (count < 100)
			shared(fd);
	}
	qsort(seen, count, sizeof(seen[0]), byName);
	for (int i = 1; i < count; i++)
		if (strcmp(seen[i - 1].name, seen[i].name) == 0)
			WRONG("twice: %s\n", seen[i].name);
	if (strcmp(argv[3], "remove") == 0 && rmdir(argv[1]) < 0)
		WRONG("rmdir: %s\n", strerror(errno));
	printf("%d names, %d wrong\n", count, wrong);
	return 0;
}
