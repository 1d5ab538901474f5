/*
 * sender.c - sends a process real-time signals with numbers, in order, and standard ones between them. Usage: sender PID SIGNAL COUNT SEED. What the kernel has no
 * room for is sent again.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

int main(int argc, char **argv)
{
	static const int standard[] = { SIGUSR2, SIGURG, SIGWINCH, SIGIO };
	struct rlimit limit = { 10000, 10000 };
	pid_t pid;
	int sig, count;
	unsigned seed;

	if (argc != 5)
		return 2;
	pid = atoi(argv[1]);
	sig = atoi(argv[2]);
	count = atoi(argv[3]);
	seed = (unsigned)atoi(argv[4]);
	/* What may be pending is counted for all processes of the user: so much that others have room, and that it is full now and then. */
	if (prlimit(pid, RLIMIT_SIGPENDING, &limit, NULL) != 0) {
		perror("prlimit");
		return 1;
	}
	for (int i = 0; i < count; i++) {
		union sigval value = { .sival_int = i };

		while (sigqueue(pid, sig, value) != 0) {
			if (errno != EAGAIN) {
				perror("sigqueue");
				return 1;
			}
			sched_yield();
		}
		seed = seed * 1103515245 + 12345;
		if (seed >> 28 == 0)
			kill(pid, standard[seed >> 16 & 3]);
	}
	return 0;
}
