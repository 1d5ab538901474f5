/*
 * kills.c - runs a program, and sends it signals a thousand times a second for as long as it runs:
 *
 *   kills ALL OWN COUNTS PROGRAM ARGUMENTS...
 *
 * ALL are the signals for all its processes, its children and theirs too, in whatever process groups and sessions; OWN are for the program's own process alone. Numbers
 * with commas between them; - for none. All are ignored when the program begins, and it may set handlers. At the end kills says on stderr how
 * often it has sent, and how many handlers have run, which those who run them count in the file COUNTS (handles.c), and ends as the program has ended.
 *
 * Invariant: nothing is sent but to the program's descendants, and to kills itself, which ignores it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PERIOD 1000000 /* ns */
#define LOOK 16        /* periods from one look for groups to the next */
#define GROUPS 64
#define WORDS 16

static int all[8], own[8]; /* ends with 0 */
static pid_t groups[GROUPS];
static unsigned ngroups;

static void parse(const char *text, int *signals)
{
	while (*text && *text != '-') {
		*signals = (int)strtol(text, (char **)&text, 10);
		signal(*signals++, SIG_IGN);
		text += *text == ',';
	}
}

static void note(pid_t group)
{
	for (unsigned i = 0; i < ngroups; i++)
		if (groups[i] == group)
			return;
	if (group > 1 && ngroups < GROUPS)
		groups[ngroups++] = group;
}

/** The groups of all descendants. A process that ends meanwhile is none. */
static void look(pid_t parent)
{
	char name[64], text[4096], *next = text;
	ssize_t length;
	int fd;

	snprintf(name, sizeof(name), "/proc/%d/task/%d/children", parent, parent);
	fd = open(name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	length = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[length > 0 ? length : 0] = 0;
	for (pid_t child; (child = (pid_t)strtol(next, &next, 10));) {
		note(getpgid(child));
		look(child);
	}
}

static unsigned send_all(pid_t program)
{
	unsigned sent = 0;

	for (const int *sig = all; *sig; sig++)
		for (unsigned i = 0; i < ngroups; i++)
			sent += !kill(-groups[i], *sig);
	for (const int *sig = own; *sig; sig++)
		sent += !kill(program, *sig);
	return sent;
}

int main(int argc, char **argv)
{
	unsigned long *counts, sent = 0;
	int status, fd;
	struct timespec time;
	pid_t program;

	if (argc < 5)
		return 2;
	setpgid(0, 0); /* or it is a session's first process, whose group is its own already */
	parse(argv[1], all);
	parse(argv[2], own);
	fd = open(argv[3], O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (fd < 0 || fchmod(fd, 0666) || ftruncate(fd, WORDS * sizeof(*counts)))
		return 2;
	counts = mmap(NULL, WORDS * sizeof(*counts), PROT_READ, MAP_SHARED, fd, 0);
	program = fork();
	if (!program) {
		execvp(argv[4], argv + 4);
		_exit(127);
	}
	clock_gettime(CLOCK_MONOTONIC, &time);
	for (unsigned periods = 0; !waitpid(program, &status, WNOHANG); periods++) {
		if (periods % LOOK == 0) {
			ngroups = 0;
			note(getpgrp());
			look(getpid());
		}
		sent += send_all(program);
		time.tv_nsec += PERIOD;
		if (time.tv_nsec >= 1000000000) {
			time.tv_nsec -= 1000000000;
			time.tv_sec++;
		}
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL);
	}
	fprintf(stderr, "kills: %lu sent, %lu handled\n", sent, __atomic_load_n(counts, __ATOMIC_RELAXED));
	if (WIFSIGNALED(status)) {
		signal(WTERMSIG(status), SIG_DFL);
		raise(WTERMSIG(status));
	}
	return WEXITSTATUS(status);
}
