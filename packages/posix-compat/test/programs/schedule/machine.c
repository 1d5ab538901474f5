/* machine.c - what the processor's own clock says of two looks, and how many processors there are. `machine run PROGRAM`: and then the same of a program that this one becomes. */
#define _GNU_SOURCE
#include <sched.h>
#include <stdio.h>
#include <unistd.h>
#include <x86intrin.h>

int main(int argc, char **argv)
{
	unsigned processor;
	unsigned long long before = __rdtsc(), after = __rdtscp(&processor);
	cpu_set_t set;

	printf("cycles %llu\n", after - before);
	fflush(stdout);
	if (argc > 2) {
		execl(argv[2], argv[2], NULL);
		return 1;
	}
	sched_getaffinity(0, sizeof(set), &set);
	printf("processors %d\n", CPU_COUNT(&set));
	return 0;
}
