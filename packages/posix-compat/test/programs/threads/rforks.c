/* rforks.c - how many kernel threads of libcr's run this program's threads, and for how many processors it is told that it has; in a child of fork, too. */
#define _GNU_SOURCE
#include <dirent.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void *nothing(void *arg)
{
	return arg;
}

/** Kernel threads of a process with the name of an rfork that is not the first. */
static int count_of(int pid)
{
	char folder[100];
	DIR *tasks;
	int n = 0;

	snprintf(folder, sizeof folder, "/proc/%d/task", pid);
	tasks = opendir(folder);
	for (struct dirent *task; (task = readdir(tasks));) {
		char path[300], name[32] = "";
		FILE *comm;

		snprintf(path, sizeof path, "%s/%s/comm", folder, task->d_name);
		comm = fopen(path, "r");
		if (!comm)
			continue;
		n += fgets(name, sizeof name, comm) && !strcmp(name, "rfork\n");
		fclose(comm);
	}
	closedir(tasks);
	return n;
}

/** Of this one, seen by another: its own threads are lwps to it. */
static int count_rforks(void)
{
	int pid = getpid(), status;

	if (!fork())
		_exit(count_of(pid));
	wait(&status);
	return WEXITSTATUS(status);
}

static void report(const char *who)
{
	int alone = count_rforks();
	pthread_t thread;
	cpu_set_t set;

	pthread_create(&thread, NULL, nothing, NULL);
	pthread_join(thread, NULL);
	sched_getaffinity(0, sizeof set, &set);
	printf("%s: %d others, then %d; processors %d\n", who, alone, count_rforks(), CPU_COUNT(&set));
	fflush(stdout);
}

int main(void)
{
	report("parent");
	if (!fork()) {
		report("child");
		return 0;
	}
	wait(NULL);
	return 0;
}
