/* files.c - what files.mjs and read.mjs do, in C: SCRATCH files|statx|read. Prints nanoseconds for one file or one read. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define FILES 5000
#define READ 4096
#define READS 10000
#define SAMPLES 7
#define WARMUPS 3

static char paths[FILES][256];

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static void read_file(const char *path)
{
	struct stat about;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &about) != 0)
		fail(path);
	char *data = malloc((size_t)about.st_size);
	if (data == NULL || read(fd, data, (size_t)about.st_size) != about.st_size)
		fail(path);
	close(fd);
	free(data);
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

int main(int argc, char **argv)
{
	double figures[SAMPLES];
	static char buffer[READ];
	char path[256];

	if (argc != 3)
		return 2;
	for (int i = 0; i < FILES; i++)
		snprintf(paths[i], sizeof paths[i], "%s/small/f%d", argv[1], i);
	snprintf(path, sizeof path, "%s/read", argv[1]);
	for (int sample = -WARMUPS; sample < SAMPLES; sample++) {
		double start = now();
		int count = FILES;
		if (strcmp(argv[2], "files") == 0) {
			for (int i = 0; i < FILES; i++)
				read_file(paths[i]);
		} else if (strcmp(argv[2], "statx") == 0) {
			struct statx about;
			for (int i = 0; i < FILES; i++)
				if (statx(AT_FDCWD, paths[i], 0, STATX_BASIC_STATS, &about) != 0)
					fail(paths[i]);
		} else {
			int fd = open(path, O_RDONLY);
			for (count = 0; count < READS; count++)
				if (read(fd, buffer, READ) != READ)
					fail(path);
			close(fd);
		}
		if (sample >= 0)
			figures[sample] = (now() - start) / count;
	}
	qsort(figures, SAMPLES, sizeof figures[0], by_size);
	printf("{\"ns\": %f}\n", figures[SAMPLES / 2]);
	return 0;
}
