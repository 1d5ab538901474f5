/* last.c - the last thread of a process waits in the kernel, wherever it has been moved to, and a signal ends that. Its name is the process'. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/time.h>
#include <unistd.h>

#define ROUNDS 6
#define OTHERS 3

static volatile int stop;

static void on_alarm(int sig)
{
	(void)sig;
}

static void *computes(void *arg)
{
	while (!stop)
		;
	return arg;
}

/** Whether what it is called by one way is seen by the other. */
static int has_name(int number)
{
	char name[16], other[16] = "";
	FILE *file;

	snprintf(name, sizeof(name), "number %d", number);
	prctl(PR_SET_NAME, name);
	file = fopen("/proc/self/comm", "r");
	if (!file || fscanf(file, "%15[^\n]", other) != 1 || strcmp(name, other))
		return 0;
	fclose(file);
	return prctl(PR_GET_NAME, other) == 0 && strcmp(name, other) == 0;
}

int main(void)
{
	struct itimerval again = {.it_interval.tv_usec = 20000, .it_value.tv_usec = 20000}, never = {0};
	struct sigaction act = {.sa_handler = on_alarm}; /* no SA_RESTART */
	int fds[2], ended = 0, named = 0;
	pthread_t threads[OTHERS];
	char byte;

	sigaction(SIGALRM, &act, NULL);
	if (pipe(fds))
		return 2;
	for (int i = 0; i < ROUNDS; i++) {
		stop = 0;
		for (int k = 0; k < OTHERS; k++)
			pthread_create(&threads[k], NULL, computes, NULL);
		for (volatile int n = 0; n < 5000000; n++)
			;
		stop = 1;
		for (int k = 0; k < OTHERS; k++)
			pthread_join(threads[k], NULL);
		setitimer(ITIMER_REAL, &again, NULL);
		ended += read(fds[0], &byte, 1) < 0 && errno == EINTR;
		setitimer(ITIMER_REAL, &never, NULL);
		named += has_name(i);
	}
	printf("%d ended, %d named\n", ended, named);
	return 0;
}
