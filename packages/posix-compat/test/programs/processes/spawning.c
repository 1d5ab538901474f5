/* spawning.c - processes begun by a program with threads: posix_spawn, fork, vfork, system, popen, exec. */
#define _GNU_SOURCE
#include <pthread.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;
static volatile int stop;

static void *works(void *arg)
{
	while (!stop)
		usleep(500);
	return arg;
}

static int status_of(pid_t pid)
{
	int status;

	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

static void spawns(void)
{
	char *words[] = {"sh", "-c", "exit 4", NULL};
	int wrong = 0;

	for (int i = 0; i < 20; i++) {
		pid_t pid;

		wrong += posix_spawnp(&pid, "sh", NULL, NULL, words, environ) || status_of(pid) != 4;
	}
	printf("spawned: %d wrong, nosuch: %s\n", wrong, strerror(posix_spawnp(&(pid_t){0}, "nosuch", NULL, NULL, words, environ)));
}

static void *adds(void *arg)
{
	__atomic_fetch_add((int *)arg, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

/** A child of fork has one thread, and may make others. */
static void forks(void)
{
	int wrong = 0;

	for (int i = 0; i < 20; i++) {
		pid_t pid = fork();

		if (!pid) {
			pthread_t threads[5];
			int n = 0;

			for (int k = 0; k < 5; k++)
				pthread_create(&threads[k], NULL, adds, &n);
			for (int k = 0; k < 5; k++)
				pthread_join(threads[k], NULL);
			_exit(n * 10 + (gettid() == getpid()));
		}
		wrong += status_of(pid) != 51;
	}
	printf("forked: %d wrong\n", wrong);
}

static void vforks(void)
{
	pid_t pid = vfork();

	if (!pid)
		_exit(9);
	printf("vforked: %d\n", status_of(pid));
	pid = vfork();
	if (!pid) {
		execl("/bin/sh", "sh", "-c", "exit 8", (char *)NULL);
		_exit(1);
	}
	printf("vforked and run: %d\n", status_of(pid));
}

static void *runs_another(void *arg)
{
	execl("/bin/echo", "echo", "run by a thread", (char *)NULL);
	return arg;
}

int main(void)
{
	pthread_t threads[4], last;
	char text[32] = "";
	FILE *pipe;

	setvbuf(stdout, NULL, _IONBF, 0);
	for (int i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, works, NULL);
	spawns();
	forks();
	vforks();
	printf("system: %d\n", WEXITSTATUS(system("exit 7")));
	pipe = popen("echo from a pipe", "r");
	fgets(text, sizeof text, pipe);
	printf("%s%d\n", text, pclose(pipe));
	pthread_create(&last, NULL, runs_another, NULL); /* ends all of the others */
	pthread_join(last, NULL);
	printf("not reached\n");
}
