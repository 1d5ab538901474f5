/* ways.c - prints in what the kernel thread of a thread that waits for a pipe does so. With an argument io_uring is forbidden first. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../asleep.h"

static int fds[2];
static volatile int tid;

static void forbid(void)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_io_uring_setup, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {4, filter};

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
		perror("seccomp");
}

static void *reads(void *arg)
{
	char c;

	(void)arg;
	tid = (int)syscall(SYS_gettid);
	return (void *)(long)read(fds[0], &c, 1);
}

/** In a child: of itself a process sees the program's descriptors only. */
static void print_anonymous(void)
{
	char name[32];
	struct dirent *entry;
	char target[100];
	DIR *folder;

	snprintf(name, sizeof name, "/proc/%d/fd", (int)getpid());
	if (fork()) {
		wait(NULL);
		return;
	}
	folder = opendir(name);

	while ((entry = readdir(folder))) {
		ssize_t n = atoi(entry->d_name) >= 900 ? readlinkat(dirfd(folder), entry->d_name, target, sizeof target - 1) : -1;

		if (n > 0) {
			target[n] = 0;
			printf("%s ", target + strcspn(target, ":"));
		}
	}
	closedir(folder);
	fflush(stdout);
	_exit(0);
}

int main(int argc, char **argv)
{
	pthread_t thread;
	void *got;

	(void)argv;
	if (argc > 1)
		forbid();
	pipe(fds);
	pthread_create(&thread, NULL, reads, NULL);
	while (!tid)
		usleep(200);
	until_asleep(tid);
	print_anonymous();
	write(fds[1], "x", 1);
	pthread_join(thread, &got);
	printf("%ld\n", (long)got);
	return 0;
}
