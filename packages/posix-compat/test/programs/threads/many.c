/*
 * many.c - very many threads at once, all blocked, then all woken and joined: many THREADS [cond|read|sleep]. Their stacks are of 64 KiB without guard pages: so the kernel
 * has one mapping for all of them, and vm.max_map_count does not count.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static unsigned waiting, left, n;
static int over, fds[2];
static const char *how = "cond";

static void *waits(void *number)
{
	char byte;

	pthread_mutex_lock(&mutex);
	waiting++;
	if (!strcmp(how, "cond"))
		while (!over)
			pthread_cond_wait(&cond, &mutex);
	pthread_mutex_unlock(&mutex);
	if (!strcmp(how, "read") && read(fds[0], &byte, 1) != 1)
		abort();
	pthread_mutex_lock(&mutex);
	left++;
	pthread_mutex_unlock(&mutex);
	return number;
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/** KiB: of a line of /proc/self/status. */
static long status(const char *what)
{
	char line[256];
	FILE *file = fopen("/proc/self/status", "r");
	long value = 0;

	while (fgets(line, sizeof(line), file))
		if (!strncmp(line, what, strlen(what)))
			value = atol(line + strlen(what));
	fclose(file);
	return value;
}

static unsigned mappings(void)
{
	FILE *file = fopen("/proc/self/maps", "r");
	unsigned lines = 0;
	int c;

	while ((c = getc(file)) != EOF)
		lines += c == '\n';
	fclose(file);
	return lines;
}

static void wait_for_all(void)
{
	unsigned there;

	do {
		usleep(1000);
		pthread_mutex_lock(&mutex);
		there = waiting;
		pthread_mutex_unlock(&mutex);
	} while (there < n);
	usleep(10000);
}

static void wake_all(void)
{
	static char bytes[4096];

	pthread_mutex_lock(&mutex);
	over = 1;
	pthread_cond_broadcast(&cond);
	pthread_mutex_unlock(&mutex);
	for (unsigned done = 0; !strcmp(how, "read") && done < n;) {
		long size = write(fds[1], bytes, n - done < sizeof(bytes) ? n - done : sizeof(bytes));

		if (size <= 0)
			abort();
		done += (unsigned)size;
	}
}

int main(int argc, char **argv)
{
	unsigned created = 0, right = 0;
	pthread_t *threads;
	pthread_attr_t attr;
	double begun, made, ended;
	long memory;

	n = argc > 1 ? (unsigned)atoi(argv[1]) : 1000;
	if (argc > 2)
		how = argv[2];
	threads = calloc(n, sizeof(*threads));
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 64 * 1024);
	pthread_attr_setguardsize(&attr, 0);
	if (pipe(fds))
		return 2;
	memory = status("VmRSS:");
	begun = now();
	for (; created < n; created++) {
		int error = pthread_create(&threads[created], &attr, waits, &threads[created]);

		if (error) {
			printf("thread %u: %s\n", created, strerror(error));
			return 1;
		}
	}
	wait_for_all();
	made = now();
	memory = status("VmRSS:") - memory;
	fprintf(stderr, "%u at once after %.2f s, %ld bytes each, page tables %ld KiB, %u mappings\n", n, made - begun, memory * 1024 / n, status("VmPTE:"), mappings());
	wake_all();
	for (unsigned i = 0; i < n; i++) {
		void *value;

		if (!pthread_join(threads[i], &value) && value == &threads[i])
			right++;
	}
	ended = now();
	fprintf(stderr, "woken and joined after %.2f s\n", ended - made);
	printf("%u at once, %u left, %u joined\n", waiting, left, right);
	return 0;
}
