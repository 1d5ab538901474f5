/*
 * pipes.c - a read() of an empty pipe blocks one userthread: the others run, write what it reads, and no write is short.
 */
#include "check.h"

#define PIPES 200
#define LARGE (1 << 20)

static int pipes[PIPES][2];
static unsigned counted, got;

static void reader(void *arg)
{
	int *fds = arg;
	char byte = 0;

	CHECK(sysmsg_call(SYS_read, fds[0], &byte, 1) == 1);
	CHECK(byte == (char)(fds - pipes[0]));
	got++;
}

/** Runs while all of them are blocked. */
static void counter(void *arg)
{
	(void)arg;
	while (counted < 1000) {
		counted++;
		lwkt_yield();
	}
	CHECK(got == 0);
	for (unsigned i = 0; i < PIPES; i++) {
		char byte = (char)(pipes[i] - pipes[0]);

		CHECK(sysmsg_call(SYS_write, pipes[i][1], &byte, 1) == 1);
	}
}

static void many(void)
{
	lwkt_thread_t tds[PIPES], td;

	for (unsigned i = 0; i < PIPES; i++) {
		CHECK(pipe(pipes[i]) == 0);
		tds[i] = begin(reader, pipes[i]);
	}
	td = begin(counter, NULL);
	for (unsigned i = 0; i < PIPES; i++)
		CHECK(sysmsg_join(tds[i]) == 0);
	CHECK(sysmsg_join(td) == 0);
	CHECK(counted == 1000 && got == PIPES);
	for (unsigned i = 0; i < PIPES; i++)
		CHECK(close(pipes[i][0]) == 0 && close(pipes[i][1]) == 0);
}

static char sent[LARGE], received[LARGE];

static void writer(void *arg)
{
	CHECK(sysmsg_call(SYS_write, *(int *)arg, sent, LARGE) == LARGE);
	CHECK(sysmsg_call(SYS_close, *(int *)arg) == 0);
}

static void all_reader(void *arg)
{
	long sum = 0, n;

	while ((n = sysmsg_call(SYS_read, *(int *)arg, received + sum, LARGE - (size_t)sum)) > 0)
		sum += n;
	CHECK(n == 0 && sum == LARGE);
}

static void large(void)
{
	int fds[2];
	lwkt_thread_t from, to;

	for (unsigned i = 0; i < LARGE; i++)
		sent[i] = (char)(i * 7 + i / 251);
	CHECK(pipe(fds) == 0);
	to = begin(writer, &fds[1]);
	from = begin(all_reader, &fds[0]);
	CHECK(sysmsg_join(to) == 0 && sysmsg_join(from) == 0);
	CHECK(memcmp(sent, received, LARGE) == 0);
	close(fds[0]);
}

static void interrupted(void *arg)
{
	char byte;

	CHECK(sysmsg_call(SYS_read, *(int *)arg, &byte, 1) == -EINTR);
}

static void interrupts(void *arg)
{
	CHECK(lwkt_interrupt(arg) == 0);
}

int main(int argc, char **argv)
{
	lwkt_thread_t td;
	int fds[2];

	check_begins(argc, argv);
	many();
	large();
	CHECK(pipe(fds) == 0);
	td = begin(interrupted, &fds[0]);
	begin(interrupts, td);
	CHECK(sysmsg_join(td) == 0);
	return 0;
}
