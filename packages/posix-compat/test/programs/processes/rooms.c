/*
 * rooms.c - a program in another root, where there is no /proc: static, so it needs no file but itself.
 *
 *   rooms FOLDER PROGRAM [ARGS...]: with that folder as its root runs PROGRAM
 *   rooms: runs itself in a child of fork, in one of vfork, and in its own place
 *   rooms WORD: prints it, and ends with 3
 */
#define _GNU_SOURCE
#include <sched.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static int run(const char *self, const char *word, pid_t child)
{
	int status;

	if (!child) {
		execl(self, self, word, NULL);
		_exit(127);
	}
	waitpid(child, &status, 0);
	return WEXITSTATUS(status);
}

int main(int argc, char **argv)
{
	if (argc == 2) {
		printf("%s\n", argv[1]);
		return 3;
	}
	if (argc > 2) {
		if (geteuid() && unshare(CLONE_NEWUSER))
			return 77;
		if (chroot(argv[1]) || chdir("/"))
			return 77;
		execv(argv[2], argv + 2);
		perror(argv[2]);
		return 1;
	}
	setbuf(stdout, NULL);
	printf("/proc: %d\n", access("/proc/self", F_OK));
	printf("fork: %d\n", run(argv[0], "a child", fork()));
	printf("vfork: %d\n", run(argv[0], "another one", vfork()));
	execl(argv[0], argv[0], "itself", NULL);
	return 1;
}
