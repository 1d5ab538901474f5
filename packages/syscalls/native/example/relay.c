/*
 * relay.c - four hundred userthreads, each of which reads a pipe and writes what comes into the next one's: one kernel thread, no callbacks.
 */
#include <libcr_syscalls.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define STATIONS 400

static int pipes[STATIONS + 1][2];

static void station(void *arg)
{
	int (*pipe)[2] = arg;
	int number;

	/* Blocks this userthread; the others go on. */
	if (sysmsg_call(SYS_read, pipe[0][0], &number, sizeof(number)) != sizeof(number))
		exit(1);
	number++;
	sysmsg_call(SYS_write, pipe[1][1], &number, sizeof(number));
}

int main(void)
{
	struct lwkt_create_args joinable = {.flags = TDF_JOINABLE};
	lwkt_thread_t last = NULL;
	int number = 0;

	if (lwkt_cpu_init())
		return 1;
	for (int i = 0; i <= STATIONS; i++)
		if (pipe(pipes[i]))
			return 1;
	for (int i = 0; i < STATIONS; i++)
		if (lwkt_create(station, &pipes[i], &last, i + 1 < STATIONS ? NULL : &joinable))
			return 1;
	if (write(pipes[0][1], &number, sizeof(number)) < 0 || sysmsg_join(last))
		return 1;
	if (read(pipes[STATIONS][0], &number, sizeof(number)) < 0)
		return 1;
	printf("%d stations have had it\n", number);
	return 0;
}
