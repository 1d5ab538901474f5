/*
 * counted.c - makes calls whose answers it knows, and counts them: counted THREADS CALLS. Each thread makes CALLS calls: it writes a number into a file, reads it back, asks for
 * its parent (the shims answer 7), and moves nothing by lseek; each thousandth time a child of fork makes eight of them, and a thread that lasts no longer.
 * Prints "CALLS made, WRONG wrong".
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define OTHERS 8
#define EVERY 1000
#define FORKED 4

static int fd;
static long calls, made, wrong;

static long check(long right)
{
	if (!right)
		__atomic_fetch_add(&wrong, 1, __ATOMIC_RELAXED);
	return 1;
}

/** One call; i: which of them. */
static long one(long i, long thread)
{
	const off_t at = thread * 8;
	long value;

	switch (i % 4) {
	case 0:
		value = i << 16 | thread;
		return check(syscall(SYS_pwrite64, fd, &value, sizeof(value), at) == sizeof(value));
	case 1:
		return check(syscall(SYS_pread64, fd, &value, sizeof(value), at) == sizeof(value) && value == ((i - 1) << 16 | thread));
	case 2:
		return check(syscall(SYS_getppid) == 7);
	default:
		return check(syscall(SYS_lseek, fd, 0, SEEK_CUR) == 0);
	}
}

static void *short_thread(void *arg)
{
	long n = 0;

	for (long i = 0; i < OTHERS; i++)
		n += one(i, (long)arg);
	return (void *)n;
}

static long child(long thread)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		long before = wrong;
		short_thread((void *)thread);
		_exit(wrong != before);
	}
	check(pid > 0 && waitpid(pid, &status, 0) == pid && status == 0);
	return OTHERS;
}

static long others(long i, long thread)
{
	pthread_t id;
	void *n = 0;

	if (i % EVERY)
		return 0;
	check(!pthread_create(&id, NULL, short_thread, (void *)thread) && !pthread_join(id, &n));
	return (long)n + (i % (FORKED * EVERY) ? 0 : child(thread));
}

static void *work(void *arg)
{
	long n = 0;

	for (long i = 0; i < calls; i++) {
		n += one(i, (long)arg);
		if (i % 4 == 3)
			n += others(i + 1, (long)arg);
	}
	__atomic_fetch_add(&made, n, __ATOMIC_RELAXED);
	return NULL;
}

int main(int argc, char **argv)
{
	long threads = argc > 2 ? atol(argv[1]) : 1;
	pthread_t ids[threads];

	calls = argc > 2 ? atol(argv[2]) : 0;
	fd = memfd_create("counted", 0);
	for (long i = 0; i < threads; i++)
		check(!pthread_create(&ids[i], NULL, work, (void *)i));
	for (long i = 0; i < threads; i++)
		pthread_join(ids[i], NULL);
	printf("%ld made, %ld wrong\n", made, wrong);
	return 0;
}
