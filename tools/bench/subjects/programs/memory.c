/*
 * memory.c - bytes of memory for each of some thousand threads that wait for a semaphore: the process' own pages and page tables, and what the kernel has for
 * them: their kernel stacks, and what it keeps of each thread. The latter two by the whole machine's figures: nothing else should begin or end much meanwhile.
 */
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define THREADS 4000
#define STACK 65536

static sem_t begun, never;

/** The kB of a line of the file. */
static long field(const char *path, const char *name)
{
	FILE *file = fopen(path, "r");
	char line[256];
	long value = 0;

	while (file && fgets(line, sizeof(line), file))
		if (strncmp(line, name, strlen(name)) == 0 && line[strlen(name)] == ':')
			value = atol(line + strlen(name) + 1);
	if (file)
		fclose(file);
	return value;
}

static long kilobytes(void)
{
	return field("/proc/self/status", "VmRSS") + field("/proc/self/status", "VmPTE") + field("/proc/meminfo", "KernelStack") + field("/proc/meminfo", "SUnreclaim");
}

static void *wait_for_ever(void *arg)
{
	sem_post(&begun);
	sem_wait(&never);
	return arg;
}

int main(void)
{
	pthread_attr_t attr;
	pthread_t thread;
	long before;

	sem_init(&begun, 0, 0);
	sem_init(&never, 0, 0);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK);
	before = kilobytes();
	for (int i = 0; i < THREADS; i++)
		if (pthread_create(&thread, &attr, wait_for_ever, NULL)) {
			perror("pthread_create");
			return 1;
		}
	for (int i = 0; i < THREADS; i++)
		sem_wait(&begun);
	usleep(100000);
	printf("{\"bytes\": %ld}\n", (kilobytes() - before) * 1024 / THREADS);
	return 0;
}
