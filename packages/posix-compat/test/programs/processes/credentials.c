/* credentials.c - a program with threads gives up its rights: all kernel threads that work for it have none afterwards. Run by root; prints which user they are. */
#define _GNU_SOURCE
#include <dirent.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#define NOBODY 65534

static int fds[2];

static void *reads(void *arg)
{
	char c;

	read(fds[0], &c, 1);
	return arg;
}

static volatile int stop;

static void *computes(void *arg)
{
	while (!stop)
		;
	return arg;
}

/** Kernel threads of this process that are still root's. */
static int count_roots(void)
{
	DIR *tasks = opendir("/proc/self/task");
	int n = 0;

	for (struct dirent *task; (task = readdir(tasks));) {
		char path[300], line[256];
		FILE *status;
		int uid = -1;

		snprintf(path, sizeof path, "/proc/self/task/%s/status", task->d_name);
		status = fopen(path, "r");
		while (status && fgets(line, sizeof line, status))
			sscanf(line, "Uid: %d", &uid);
		n += uid == 0;
		if (status)
			fclose(status);
	}
	closedir(tasks);
	return n;
}

int main(void)
{
	pthread_t threads[3];

	pipe(fds);
	pthread_create(&threads[0], NULL, reads, NULL);
	usleep(10000);
	write(fds[1], "x", 1); /* what has made this call is idle afterwards */
	pthread_join(threads[0], NULL);
	for (int i = 0; i < 3; i++)
		pthread_create(&threads[i], NULL, i < 2 ? computes : reads, NULL);
	usleep(50000);
	if (setgid(NOBODY) || setuid(NOBODY))
		return 1;
	write(fds[1], "x", 1);
	pthread_join(threads[2], NULL);
	stop = 1;
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	pthread_create(&threads[0], NULL, reads, NULL); /* a helper is needed again */
	usleep(10000);
	printf("user %d, %d threads of root's\n", (int)getuid(), count_roots());
	write(fds[1], "x", 1);
	pthread_join(threads[0], NULL);
	return 0;
}
