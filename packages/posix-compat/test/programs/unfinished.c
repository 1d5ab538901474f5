/* unfinished.c - a thread that waits in a read while the other one makes calls; then one that waits when the process ends. */
#include <pthread.h>
#include <unistd.h>

static int fds[2];

static void *wait_in_read(void *arg)
{
	char c;

	read(fds[0], &c, 1);
	return arg;
}

int main(void)
{
	pthread_t thread;

	pipe(fds);
	pthread_create(&thread, NULL, wait_in_read, NULL);
	usleep(1000); /* the other one runs */
	getppid();
	write(fds[1], "x", 1);
	pthread_join(thread, NULL);
	pthread_create(&thread, NULL, wait_in_read, NULL);
	usleep(1000);
	_exit(3);
}
