/* shimmed.c - calls that shims of test/shims/ are about: shimmed WHICH. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void order(void)
{
	printf("%d\n", getpgid(getpid() - 2) == getpgrp());
	printf("%d\n", getpgid(0x7ffffff0) == -1 && errno == ESRCH);
}

static void *wait_in_shim(void *arg)
{
	getpgid(0);
	return arg;
}

static void threads(void)
{
	pthread_t all[8];

	for (int i = 0; i < 8; i++)
		pthread_create(&all[i], NULL, wait_in_shim, NULL);
	for (int i = 0; i < 8; i++)
		pthread_join(all[i], NULL);
	printf("%d\n", getpgid(1000));
}

static void memory(void)
{
	char bytes[5] = "";
	long n;

	syscall(SYS_renameat, AT_FDCWD, "from", AT_FDCWD, "to");
	printf("%s\n", strerror(errno));
	n = syscall(SYS_getrandom, bytes, 4, 0);
	printf("%ld %s\n", n, bytes);
	n = syscall(SYS_getrandom, 16, 4, 0);
	printf("%ld %d\n", n, errno == EFAULT);
}

static volatile int caught;
static int told[2] = {-1, -1};

static void on_alarm(int sig)
{
	caught = sig;
	if (told[1] >= 0)
		write(told[1], "x", 1);
}

/** A read that a signal ends, and one that goes on after it. */
static void signals(void)
{
	struct sigaction act = {.sa_handler = on_alarm};
	int fds[2];
	ssize_t n;
	char c;

	pipe(fds);
	sigaction(SIGALRM, &act, NULL);
	ualarm(20000, 20000); /* again: the first may come before the read */
	n = read(fds[0], &c, 1);
	ualarm(0, 0);
	printf("%zd %d %d\n", n, errno == EINTR, caught);
	act.sa_flags = SA_RESTART;
	caught = 0;
	pipe(told);
	sigaction(SIGALRM, &act, NULL);
	if (!fork()) {
		read(told[0], &c, 1); /* when the handler has run */
		usleep(100000);
		write(fds[1], "x", 1);
		_exit(0);
	}
	ualarm(20000, 0);
	n = read(fds[0], &c, 1);
	printf("%zd %c %d\n", n, c, caught);
	wait(NULL);
}

/** What comes back of a call is more than an int; a child of each kind. */
static void results(void)
{
	char *map = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int status;
	pid_t pid = vfork();

	if (!pid)
		_exit(3);
	waitpid(pid, &status, 0);
	printf("%d %d\n", *map, WEXITSTATUS(status));
	fflush(stdout);
	pid = fork();
	if (!pid)
		_exit(getpid() != syscall(SYS_gettid));
	waitpid(pid, &status, 0);
	printf("%d\n", WEXITSTATUS(status));
}

int main(int argc, char **argv)
{
	const char *which = argc > 1 ? argv[1] : "";

	if (!strcmp(which, "order"))
		order();
	else if (!strcmp(which, "threads"))
		threads();
	else if (!strcmp(which, "memory"))
		memory();
	else if (!strcmp(which, "signals"))
		signals();
	else if (!strcmp(which, "results"))
		results();
	return 0;
}
