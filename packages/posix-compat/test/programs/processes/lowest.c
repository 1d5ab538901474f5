/*
 * lowest.c - numbers of descriptors while there are threads that wait in calls, on as many rforks as there are: the lowest that is free is the program's, as ever; and the kernel's table of
 * them (FDSize) is as large as it will be before there is a second kernel thread.
 *
 *   lowest: prints what open gave, and the table's size when a thread begins and when all have waited, in a process and in a child of its.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define THREADS 8

static int ends[2];
static int first_size;

static int table_size(void)
{
	char line[256];
	FILE *status = fopen("/proc/self/status", "r");
	int size = 0;

	while (status && fgets(line, sizeof(line), status))
		sscanf(line, "FDSize: %d", &size);
	if (status)
		fclose(status);
	return size;
}

static void *waits(void *first)
{
	char byte;

	if (first)
		first_size = table_size();
	if (read(ends[0], &byte, 1) != 1)
		abort();
	return NULL;
}

static void try(const char *name)
{
	pthread_t threads[THREADS];
	int fd;

	for (long i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, waits, i ? NULL : (void *)1);
	usleep(20000);
	fd = open("/dev/null", O_RDONLY);
	printf("%s: %d\n", name, fd);
	close(fd);
	if (write(ends[1], "abcdefgh", THREADS) != THREADS)
		abort();
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	fd = open("/dev/null", O_RDONLY);
	printf("%s, without threads: %d\n", name, fd);
	close(fd);
	fprintf(stderr, "%s: from %d to %d\n", name, first_size, table_size());
}

int main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (pipe(ends))
		return 1;
	close(0);
	try("process");
	if (fork() == 0) {
		try("child");
		exit(0);
	}
	wait(NULL);
	return 0;
}
