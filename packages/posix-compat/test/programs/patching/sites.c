/*
 * sites.c - calls getpid at generated places by four threads at once, each place often and by all of them at the same time, while signals come. Prints how many answers were wrong.
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/time.h>
#include <unistd.h>

#define THREADS 4
#define OFTEN 50

extern const struct {
	long (*function)(void);
	long more;
} sites[];

static pthread_barrier_t barrier;
static long wrong;

static void on_alarm(int sig)
{
	(void)sig;
	getppid();
}

static void *run(void *arg)
{
	long pid = getpid();

	for (int i = 0; sites[i].function; i++) {
		pthread_barrier_wait(&barrier);
		for (int n = 0; n < OFTEN; n++)
			if (sites[i].function() != pid + sites[i].more)
				__atomic_fetch_add(&wrong, 1, __ATOMIC_SEQ_CST);
	}
	return arg;
}

int main(void)
{
	pthread_t threads[THREADS];
	struct itimerval often = {{0, 700}, {0, 700}};
	struct sigaction act = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
	int n = 0;

	sigaction(SIGALRM, &act, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	pthread_barrier_init(&barrier, NULL, THREADS);
	for (int i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, run, NULL);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	while (sites[n].function)
		n++;
	printf("%d places, %ld wrong\n", n, wrong);
	return 0;
}
