/*
 * kept.c - reads what it has written: blocks of a file in another order, changed ones, some at a time, at odd places; those of others meanwhile; and of its parent. All of it is random, so
 * a replay has it from nowhere else.
 *
 *   kept FILE BLOCKS: prints a sum for each way
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <unistd.h>

#define BLOCK 4096
#define MANY 16

static int file;
static long blocks;
static char block[MANY * BLOCK];

static void check(int ok)
{
	if (!ok)
		abort();
}

/** Random in its first words, the same behind them. */
static void fill(char *bytes, long number)
{
	memset(bytes, 'a' + (int)(number % 20), BLOCK);
	check(getrandom(bytes, 16, 0) == 16);
	memcpy(bytes + 16, &number, sizeof(number));
}

static uint64_t sum(uint64_t before, const char *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		before = (before ^ (unsigned char)bytes[i]) * 0x100000001b3ull;
	return before;
}

static void write_all(void)
{
	for (long i = 0; i < blocks; i++) {
		fill(block, i);
		check(pwrite(file, block, BLOCK, i * BLOCK) == BLOCK);
		block[20] ^= 1; /* it is not what lies there that counts, but what was written */
	}
}

static void read_all(const char *name, size_t size, off_t shift)
{
	uint64_t all = 0;

	for (long i = 0; i + (long)(size / BLOCK) < blocks; i++) {
		const long n = i * 7919 % (blocks - (long)(size / BLOCK));

		check(pread(file, block, size, n * BLOCK + shift) == (ssize_t)size);
		all = sum(all, block, size);
	}
	printf("%s: %016lx\n", name, all);
}

static void *others(void *arg)
{
	char own[BLOCK];

	for (int i = 0; i < 50; i++) {
		fill(own, i);
		check(pwrite(file, own, BLOCK, (blocks + (long)arg) * BLOCK) == BLOCK);
		sched_yield();
		own[0]++;
		check(pread(file, own, BLOCK, (blocks + (long)arg) * BLOCK) == BLOCK);
		sched_yield();
	}
	return (void *)sum(0, own, BLOCK);
}

static void threads(void)
{
	pthread_t them[4];
	void *result;

	for (long i = 0; i < 4; i++)
		pthread_create(&them[i], NULL, others, (void *)i);
	for (int i = 0; i < 4; i++) {
		pthread_join(them[i], &result);
		printf("thread: %016lx\n", (uint64_t)result);
	}
}

int main(int argc, char **argv)
{
	check(argc == 3);
	blocks = atol(argv[2]);
	file = open(argv[1], O_RDWR | O_CREAT | O_TRUNC, 0600);
	check(file >= 0);
	setvbuf(stdout, NULL, _IOLBF, 0);
	write_all();
	read_all("one", BLOCK, 0);
	for (int i = 0; i < MANY; i++)
		fill(block + i * BLOCK, i);
	check(pwrite(file, block, sizeof(block), 3 * BLOCK) == sizeof(block));
	read_all("many", sizeof(block), 0);
	read_all("odd", BLOCK, 100);
	read_all("some", 3 * BLOCK / 2, 0);
	threads();
	if (fork() == 0) {
		read_all("child", BLOCK, 0);
		write_all();
		read_all("child, its own", BLOCK, 0);
		_exit(0);
	}
	wait(NULL);
	read_all("parent", BLOCK, 0);
	if (vfork() == 0) {
		pwrite(file, block, BLOCK, 0);
		_exit(0);
	}
	wait(NULL);
	read_all("parent, behind a vfork", BLOCK, 0);
	return 0;
}
