/*
 * rows.c - makes calls that shims are about, and says what they answer:
 *
 *   rows FOLDER < PATHS
 *   rows                   waits for a signal
 *
 * In FOLDER it looks at each path of its input, by its name and from a descriptor's folder; then reads, writes, closes, asks for its parent and for a child.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

static long last(long result) { return result < 0 ? -errno : result; }

static void calls(const char *who)
{
	printf("%s getppid", who);
	for (int i = 0; i < 24; i++) {
		long result = last(syscall(SYS_getppid));

		printf(" %s", result > 0 ? "ok" : strerrorname_np((int)-result));
	}
	printf("\n");
}

static void data(void)
{
	char buffer[256];
	int fd = open("data", O_RDWR | O_CREAT | O_TRUNC, 0600);
	struct iovec parts[2] = {{buffer, 3}, {buffer + 3, 60}};

	memset(buffer, 'x', sizeof(buffer));
	if (fd < 0)
		exit(3);
	printf("pwrite %ld %ld", last(pwrite(fd, buffer, 200, 0)), last(pwrite(fd, buffer, 1, 200)));
	printf(" pread %ld %ld %ld %ld", last(pread(fd, buffer, 200, 0)), last(pread(fd, buffer, 100, 0)), last(pread(fd, buffer, 2, 0)), last(pread(fd, buffer, 0, 0)));
	printf(" preadv %ld", last(preadv(fd, parts, 2, 0)));
	printf(" close %ld", last(close(fd)));
	printf(" %ld\n", last(close(fd)));
}

int main(int argc, char **argv)
{
	char line[4096];
	int folder;

	if (argc == 1) {
		printf("waits\n");
		fflush(stdout);
		pause();
	}
	if (argc < 2 || chdir(argv[1]) || (folder = open(".", O_RDONLY | O_DIRECTORY)) < 0)
		return 2;
	while (fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = 0;
		printf("%s %ld", line, last(access(line, F_OK)));
		printf(" %ld", last(faccessat(folder, line, F_OK, 0)));
		printf(" %ld\n", last(rename(line, "/nonexistent/x")));
	}
	data();
	calls("first");
	fflush(stdout);
	if (fork() == 0) {
		calls("child");
		fflush(stdout);
		_exit(7);
	}
	wait(NULL);
	calls("again");
	return 0;
}
