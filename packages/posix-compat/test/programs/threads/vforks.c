/*
 * vforks.c - a thread whose child of vfork has ended, or runs another program, is the thread that it was: what its thread-local storage says, while others run in between.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROUNDS 20

static volatile int over;
static __thread int number;

static void *others(void *arg)
{
	number = 2;
	while (!over)
		syscall(SYS_getppid);
	return arg;
}

int main(void)
{
	const pthread_t self = pthread_self();
	pthread_t thread;
	int wrong = 0;

	number = 1;
	pthread_create(&thread, NULL, others, NULL);
	for (int i = 0; i < ROUNDS; i++) {
		const pid_t child = vfork();

		if (!child && i % 2)
			_exit(0);
		if (!child) {
			execl("/bin/true", "true", (char *)NULL);
			_exit(1);
		}
		wrong += !pthread_equal(pthread_self(), self) || number != 1;
		waitpid(child, NULL, 0);
	}
	over = 1;
	pthread_join(thread, NULL);
	printf("another thread: %d times\n", wrong);
	return 0;
}
