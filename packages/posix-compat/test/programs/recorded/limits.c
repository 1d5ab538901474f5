/* limits.c - what changes memory and fails, for reasons that a replay does not have: its limits are others, and no file is mapped there. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#define PAGE 4096
#define LARGE (1l << 28)

static void say(const char *what, int failed)
{
	printf("%s: %s\n", what, failed ? strerror(errno) : "done");
}

static void limit(int which, rlim_t to)
{
	const struct rlimit limit = {to, to};

	setrlimit(which, &limit);
}

int main(void)
{
	const int fd = open("/etc/passwd", O_RDONLY);
	char *file = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0), *hole = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	say("a file's memory is to be written", mprotect(file, PAGE, PROT_READ | PROT_WRITE));
	munmap(hole + PAGE, PAGE);
	say("a hole is protected", mprotect(hole, 3 * PAGE, PROT_READ));
	say("at no page", munmap(file + 1, PAGE));
	limit(RLIMIT_DATA, LARGE / 4);
	say("brk", sbrk(LARGE) == (void *)-1);
	say("mmap", mmap(NULL, LARGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
	limit(RLIMIT_AS, LARGE);
	say("mremap", mremap(hole, PAGE, LARGE, MREMAP_MAYMOVE) == MAP_FAILED);
	say("the break is where it was", sbrk(0) == (void *)-1);
	return 0;
}
