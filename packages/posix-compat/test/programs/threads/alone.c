/*
 * alone.c - a thread that is alone again, each time, after another one: what it waits for in the kernel is not ended by ticks that were for both. And who begins to
 * wait for the other's end while that ends is woken.
 */
#define _GNU_SOURCE
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS 300

static volatile unsigned long sink;

static void compute(int n)
{
	for (int i = 0; i < n * 10000; i++)
		sink += (unsigned long)i;
}

static void *other(void *arg)
{
	compute((int)(long)arg % 5);
	sched_yield();
	return NULL;
}

/** Whether libcr's timer for ticks, which has the first number, runs. */
static int is_ticking(void)
{
	struct itimerspec times = {0};

	return syscall(SYS_timer_gettime, 0, &times) == 0 && times.it_value.tv_nsec;
}

/** A process that makes a call, in this one's memory, and in libcr's. */
static void begin_in_same_memory(void)
{
	if (!vfork()) {
		getppid();
		_exit(0);
	}
}

static int wait_in_kernel(int round)
{
	struct timespec a_little = {0, 200000};
	int failed = 0, fds[2];
	char byte;
	pid_t pid;

	if (round % 10 == 5)
		begin_in_same_memory();
	failed += is_ticking();
	failed += poll(NULL, 0, 1) != 0;
	failed += nanosleep(&a_little, NULL) != 0;
	if (round % 20)
		return failed;
	failed += pipe(fds) != 0;
	pid = fork(); /* it has ticks of its own to be rid of */
	if (!pid) {
		pthread_t thread;

		pthread_create(&thread, NULL, other, (void *)4);
		pthread_join(thread, NULL);
		byte = poll(NULL, 0, 2) != 0;
		_exit(write(fds[1], &byte, 1) != 1);
	}
	close(fds[1]);
	failed += read(fds[0], &byte, 1) != 1 || byte;
	failed += waitpid(pid, NULL, 0) != pid;
	close(fds[0]);
	return failed;
}

int main(void)
{
	int failed = 0;

	for (long i = 0; i < ROUNDS; i++) {
		pthread_t thread;

		pthread_create(&thread, NULL, other, (void *)i);
		compute((int)(i % 7));
		pthread_join(thread, NULL);
		compute((int)(i % 3)); /* ticks go on here */
		failed += wait_in_kernel((int)i);
	}
	printf("failed: %d of %d\n", failed, ROUNDS);
	return 0;
}
