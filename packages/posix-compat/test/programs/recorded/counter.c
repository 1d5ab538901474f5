/*
 * counter.c - for recordings: the processor's counter, read by both instructions, by two threads, and around a signal's handler and an execve.
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>
#include <x86intrin.h>

static unsigned long long handled;

static void handler(int sig)
{
	(void)sig;
	handled = __rdtsc();
}

static void *work(void *arg)
{
	unsigned processor = 1;
	unsigned long long last = 0;

	for (int i = 0; i < 100; i++) {
		const unsigned long long now = i & 1 ? __rdtsc() : __rdtscp(&processor);

		if (now <= last)
			return NULL;
		last = now;
		usleep(10);
	}
	*(unsigned long long *)arg = last;
	return arg;
}

int main(int argc, char **argv)
{
	unsigned long long last[2];
	pthread_t threads[2];

	for (int i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, work, &last[i]);
	for (int i = 0; i < 2; i++) {
		void *result;

		pthread_join(threads[i], &result);
		if (!result)
			return 1;
	}
	signal(SIGUSR1, handler);
	raise(SIGUSR1);
	printf("%llu %llu %llu %llu\n", last[0], last[1], handled, __rdtsc());
	fflush(stdout);
	if (argc == 1)
		execl(argv[0], argv[0], "again", NULL);
	return 0;
}
