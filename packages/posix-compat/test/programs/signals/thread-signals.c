/* thread-signals.c - signals among threads: whom they interrupt, what begins again, cancellation, faults. It prints the same with userthreads. */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static volatile int handled, ready, done;
static pthread_t handler_thread;
static int fds[2];
static sem_t sem;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;

struct outcome {
	int result, error;
} outcome;

static void handler(int sig)
{
	(void)sig;
	handler_thread = pthread_self(); /* before whoever waits for the count looks at it */
	handled++;
}

static volatile int ticks;

static void on_tick(int sig)
{
	(void)sig;
	ticks++;
}

static void set_handler(int sig, int flags)
{
	struct sigaction act = {.sa_handler = handler, .sa_flags = flags};

	sigaction(sig, &act, NULL);
}

static void *waits_for_sem(void *arg)
{
	ready = 1;
	outcome.result = sem_wait(&sem);
	outcome.error = errno;
	done = 1;
	return arg;
}

static void *reads(void *arg)
{
	char c;

	ready = 1;
	outcome.result = (int)read(fds[0], &c, 1);
	outcome.error = errno;
	done = 1;
	return arg;
}

static void *polls(void *arg)
{
	struct pollfd poller = {.fd = fds[0], .events = POLLIN};

	ready = 1;
	outcome.result = poll(&poller, 1, -1);
	outcome.error = errno;
	done = 1;
	return arg;
}

static void unlock(void *arg)
{
	pthread_mutex_unlock(arg);
}

static void *waits_for_cond(void *arg)
{
	pthread_mutex_lock(&mutex);
	pthread_cleanup_push(unlock, &mutex);
	ready = 1;
	for (;;)
		pthread_cond_wait(&cond, &mutex);
	pthread_cleanup_pop(1);
	return arg;
}

static void *sleeps(void *arg)
{
	ready = 1;
	for (;;)
		sleep(100);
	return arg;
}

static void *spins(void *arg)
{
	pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
	ready = 1;
	for (;;)
		;
	return arg;
}

/** Starts a thread, and lets it come to its wait, most probably. */
static pthread_t start(void *(*func)(void *))
{
	pthread_t thread;

	ready = handled = done = 0;
	pthread_create(&thread, NULL, func, NULL);
	while (!ready)
		usleep(1000);
	usleep(10000);
	return thread;
}

static void interrupts(const char *what, void *(*func)(void *))
{
	pthread_t thread = start(func);

	for (; !done; usleep(10000)) /* it may not wait yet */
		pthread_kill(thread, SIGUSR1);
	pthread_join(thread, NULL);
	printf("%s: %d %s, handled %d, on it %d\n", what, outcome.result, strerror(outcome.error), handled > 0, pthread_equal(handler_thread, thread));
}

static void cancels(const char *what, void *(*func)(void *))
{
	pthread_t thread = start(func);
	void *result;

	pthread_cancel(thread);
	pthread_join(thread, &result);
	printf("cancelled in %s: %d\n", what, result == PTHREAD_CANCELED);
}

static void restarts(void)
{
	pthread_t thread;

	set_handler(SIGUSR1, SA_RESTART);
	thread = start(reads);
	pthread_kill(thread, SIGUSR1);
	usleep(10000);
	write(fds[1], "x", 1);
	pthread_join(thread, NULL);
	printf("read begun again: %d, handled %d\n", outcome.result, handled);
	set_handler(SIGUSR1, 0);
}

static void *waits_for_signal(void *arg)
{
	sigset_t set;
	int sig = 0;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	ready = 1;
	sigwait(&set, &sig);
	outcome.result = sig;
	return arg;
}

static void waits_by_sigwait(void)
{
	sigset_t set;
	pthread_t thread;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	thread = start(waits_for_signal);
	kill(getpid(), SIGUSR2);
	pthread_join(thread, NULL);
	printf("sigwait: %d\n", outcome.result == SIGUSR2);
	thread = start(waits_for_signal);
	pthread_kill(thread, SIGUSR2);
	pthread_join(thread, NULL);
	printf("sigwait for a thread's own: %d\n", outcome.result == SIGUSR2);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

static void *suspends(void *arg)
{
	sigset_t all, none;

	sigemptyset(&none);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, NULL);
	ready = 1;
	outcome.result = sigsuspend(&none);
	outcome.error = errno;
	done = 1;
	return arg;
}

static sigjmp_buf back;

static void jumps(int sig, siginfo_t *info, void *context)
{
	(void)sig, (void)context;
	siglongjmp(back, info->si_addr == (void *)8 ? 1 : 2);
}

static void *faults(void *arg)
{
	for (int i = 0; i < 3; i++) {
		int how = sigsetjmp(back, 1);

		if (!how)
			*(volatile int *)8 = 1;
		printf("fault caught: %d\n", how);
	}
	return arg;
}

static void *kills_process(void *arg)
{
	ready = 1;
	for (; !done; usleep(10000))
		kill(getpid(), SIGUSR1);
	return arg;
}

/** The main thread is asked first, whatever it waits in. */
static void to_the_main_thread(void)
{
	pthread_t thread = start(kills_process);
	int result = sem_wait(&sem), error = errno;

	done = 1;
	pthread_join(thread, NULL);
	printf("sem_wait of the main thread: %d %s, handled %d, on it %d\n", result, strerror(error), handled > 0, pthread_equal(handler_thread, pthread_self()));
}

static void of_the_process(void)
{
	struct itimerval every = {{0, 10000}, {0, 10000}}, off = {{0, 0}, {0, 0}};
	pthread_t thread = start(sleeps);
	sigset_t set, old;

	signal(SIGALRM, on_tick);
	setitimer(ITIMER_REAL, &every, NULL);
	while (ticks < 5) /* in a loop that makes no call */
		;
	setitimer(ITIMER_REAL, &off, NULL);
	printf("ticks\n");
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	handled = 0;
	pthread_sigmask(SIG_BLOCK, &set, &old);
	kill(getpid(), SIGUSR1); /* the other thread takes it */
	for (int i = 0; i < 1000 && !handled; i++)
		usleep(1000);
	printf("taken by the other thread: %d %d\n", handled, pthread_equal(handler_thread, thread));
	pthread_kill(pthread_self(), SIGUSR1);
	printf("blocked: %d, ", handled);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	printf("and then not: %d\n", handled);
	pthread_cancel(thread);
	pthread_join(thread, NULL);
}

int main(void)
{
	struct sigaction segv = {.sa_sigaction = jumps, .sa_flags = SA_SIGINFO};
	pthread_t thread;

	setvbuf(stdout, NULL, _IONBF, 0);
	pipe(fds);
	set_handler(SIGUSR1, 0);
	interrupts("sem_wait", waits_for_sem);
	interrupts("read", reads);
	interrupts("poll", polls);
	interrupts("sigsuspend", suspends);
	restarts();
	waits_by_sigwait();
	cancels("read", reads);
	cancels("pthread_cond_wait", waits_for_cond);
	cancels("sleep", sleeps);
	cancels("a loop", spins);
	to_the_main_thread();
	of_the_process();
	sigaction(SIGSEGV, &segv, NULL);
	pthread_create(&thread, NULL, faults, NULL);
	pthread_join(thread, NULL);
	thread = start(sleeps);
	raise(SIGTERM);
	printf("not reached\n");
}
