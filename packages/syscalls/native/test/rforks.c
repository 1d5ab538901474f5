/*
 * rforks.c - userthreads of several rforks that pass bytes on in a ring of pipes; rforks that end, and others that have their numbers after them.
 */
#include "check.h"

#define RFORKS 3
#define ROUNDS 500

static int pipes[RFORKS][2];

static void passes_on(void *arg)
{
	unsigned i = (unsigned)(uintptr_t)arg;
	unsigned char byte = 0;

	for (unsigned round = 0; round < ROUNDS; round++) {
		byte = (unsigned char)round;
		if (i == 0)
			CHECK(sysmsg_call(SYS_write, pipes[0][1], &byte, 1) == 1);
		CHECK(sysmsg_call(SYS_read, pipes[i][0], &byte, 1) == 1 && byte == (unsigned char)round);
		if (i + 1 < RFORKS)
			CHECK(sysmsg_call(SYS_write, pipes[i + 1][1], &byte, 1) == 1);
	}
}

static void joins(void *arg)
{
	globaldata_t *rforks = arg;

	for (unsigned i = 0; i < RFORKS; i++)
		CHECK(lwkt_rfork_join(rforks[i]) == 0);
}

int main(int argc, char **argv)
{
	struct lwkt_rfork_args args = {.loop = sysmsg_loop};
	globaldata_t rforks[RFORKS];

	check_begins(argc, argv);
	for (unsigned again = 0; again < 3; again++) {
		for (unsigned i = 0; i < RFORKS; i++)
			CHECK(pipe(pipes[i]) == 0);
		for (unsigned i = 0; i < RFORKS; i++)
			CHECK(lwkt_rfork_create(passes_on, (void *)(uintptr_t)i, &rforks[i], &args) == 0);
		CHECK(sysmsg_join(begin(joins, rforks)) == 0);
		for (unsigned i = 0; i < RFORKS; i++)
			CHECK(close(pipes[i][0]) == 0 && close(pipes[i][1]) == 0);
	}
	return 0;
}
