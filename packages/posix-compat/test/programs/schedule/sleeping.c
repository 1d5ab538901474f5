/* sleeping.c - threads that sleep for hours, and every way to have a timeout. What it prints is the same in each run under --time=virtual. */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define THREADS 8

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* Rounded: a reading of the clock takes a microsecond. */
static void passed(const char *what, double since)
{
	printf("%s: %.2f s\n", what, now() - since);
}

static void *sleeper(void *arg)
{
	long n = (long)arg;

	for (int i = 0; i < 3; i++)
		usleep((useconds_t)(100000 * n));
	printf("thread %ld is done\n", n);
	return NULL;
}

static void threads_sleep(void)
{
	pthread_t threads[THREADS];
	double began = now();

	for (long i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, sleeper, (void *)(THREADS - i));
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	passed("threads", began);
}

static struct timespec in(clockid_t clock, time_t seconds)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	ts.tv_sec += seconds;
	return ts;
}

static void locks_time_out(void)
{
	pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
	pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
	struct timespec until = in(CLOCK_REALTIME, 100);
	double began = now();
	sem_t sem;

	pthread_mutex_lock(&mutex);
	printf("condition: %s\n", strerror(pthread_cond_timedwait(&condition, &mutex, &until)));
	passed("condition", began);
	began = now();
	sem_init(&sem, 0, 0);
	until = in(CLOCK_REALTIME, 200);
	if (sem_timedwait(&sem, &until))
		printf("semaphore: %s\n", strerror(errno));
	passed("semaphore", began);
}

static void descriptors_time_out(void)
{
	struct epoll_event event;
	struct timeval tv = {40, 0};
	int ends[2], set = epoll_create1(0), timer = timerfd_create(CLOCK_MONOTONIC, 0);
	struct itimerspec times = {.it_value = {50, 0}, .it_interval = {7, 0}};
	double began = now();
	unsigned long fired;
	struct pollfd fd;
	fd_set fds;

	if (pipe(ends))
		return;
	fd = (struct pollfd){ends[0], POLLIN, 0};
	printf("poll: %d\n", poll(&fd, 1, 20000));
	passed("poll", began);
	began = now();
	printf("epoll: %d\n", epoll_wait(set, &event, 1, 30000));
	passed("epoll", began);
	began = now();
	FD_ZERO(&fds);
	FD_SET(ends[0], &fds);
	printf("select: %d\n", select(ends[0] + 1, &fds, NULL, NULL, &tv));
	passed("select", began);
	began = now();
	timerfd_settime(timer, 0, &times, NULL);
	for (int i = 0; i < 2; i++)
		if (read(timer, &fired, sizeof(fired)) == sizeof(fired))
			passed("timerfd", began);
}

static void on_alarm(int sig)
{
	(void)sig;
}

static void signals_time_out(void)
{
	struct itimerval times = {.it_value = {0, 500000}, .it_interval = {0, 250000}};
	struct timespec limit = {60, 0};
	double began = now();
	sigset_t set;

	signal(SIGALRM, on_alarm);
	alarm(90);
	pause();
	passed("alarm", began);
	began = now();
	setitimer(ITIMER_REAL, &times, NULL);
	pause();
	pause();
	passed("setitimer", began);
	memset(&times, 0, sizeof(times));
	setitimer(ITIMER_REAL, &times, NULL);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	began = now();
	if (sigtimedwait(&set, NULL, &limit) < 0)
		printf("sigtimedwait: %s\n", strerror(errno));
	passed("sigtimedwait", began);
}

static void timers_fire(void)
{
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM};
	struct itimerspec times = {.it_value = {1000, 0}};
	double began = now();
	timer_t timer;

	timer_create(CLOCK_REALTIME, &event, &timer);
	timer_settime(timer, 0, &times, NULL);
	pause();
	passed("timer", began);
}

int main(void)
{
	double began = now();

	setvbuf(stdout, NULL, _IOLBF, 0);
	threads_sleep();
	sleep(3600);
	passed("an hour", began);
	locks_time_out();
	descriptors_time_out();
	signals_time_out();
	timers_fire();
	return 0;
}
