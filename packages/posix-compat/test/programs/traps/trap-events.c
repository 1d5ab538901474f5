/*
 * trap-events.c - traps of what happens at the same time: children, signals, wake-ups, places that are patched. `trap-events NAME` tries one; it prints what it must, natively too.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static pthread_t begin(void *(*func)(void *), void *arg)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, func, arg))
		abort();
	return thread;
}

static int status_of(pid_t child)
{
	int status = -1;

	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}

static void on_signal(int sig) { (void)sig; }

static volatile int word, over;

static void *spins(void *arg)
{
	while (!over)
		;
	return arg;
}

/* ---------------------------------------------------------------- the vDSO */

/** CPU times are calls inside of it, which are caught, and patched where the kernel lets that be done. */
static void vdso(void)
{
	struct timespec last[CLOCK_BOOTTIME + 1] = {0}, now;
	int wrong = 0;

	for (int i = 0; i < 300; i++)
		for (clockid_t clock = CLOCK_MONOTONIC; clock <= CLOCK_BOOTTIME; clock++) {
			if (clock_gettime(clock, &now) || now.tv_sec < last[clock].tv_sec || (now.tv_sec == last[clock].tv_sec && now.tv_nsec < last[clock].tv_nsec))
				wrong++;
			last[clock] = now;
		}
	printf("wrong: %d\n", wrong);
}

/* ---------------------------------------------------------------- vfork, fork */

static void vfork_signals(void)
{
	struct sigaction action;
	int defaults = 0;
	sigset_t set;

	for (int sig = 1; sig < 32; sig++)
		signal(sig, on_signal);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGWINCH);
	for (int i = 0; i < 20; i++) {
		pid_t child = vfork();

		if (!child) {
			for (int sig = 1; sig < 32; sig++)
				signal(sig, sig == SIGHUP ? SIG_IGN : SIG_DFL);
			sigprocmask(SIG_BLOCK, &set, NULL);
			if (i)
				_exit(7);
			execlp("grep", "grep", "-E", "^Sig(Blk|Ign)", "/proc/self/status", NULL);
		}
		if (status_of(child) != (i ? 7 << 8 : 0))
			printf("a child has failed\n");
	}
	for (int sig = 1; sig < 32; sig++)
		if (!sigaction(sig, NULL, &action) && action.sa_handler != on_signal)
			defaults++;
	sigprocmask(SIG_BLOCK, NULL, &set);
	printf("handlers lost: %d, blocked: %d\n", defaults, sigismember(&set, SIGUSR1)); /* KILL's and STOP's are none */
}

static void *waits_for_pipe(void *arg)
{
	char c = 0;

	read(*(int *)arg, &c, 1);
	over = 1;
	return NULL;
}

/** In a child of fork: who computes is preempted, who waits is woken, and all is caught. */
static void fork_anew(void)
{
	for (int generation = 0; generation < 3; generation++) {
		int fds[2];
		pthread_t spinner, waiter;
		pid_t child;

		over = 0;
		pipe(fds);
		waiter = begin(waits_for_pipe, &fds[0]);
		spinner = begin(spins, NULL);
		write(fds[1], "x", 1);
		pthread_join(waiter, NULL);
		pthread_join(spinner, NULL);
		child = generation < 2 ? fork() : 0;
		if (child)
			exit(status_of(child) >> 8);
	}
	printf("three generations\n");
	exit(9);
}

/* ---------------------------------------------------------------- the program's own handlers */

static sigjmp_buf back;
static volatile int came[32];

static void jumps(int sig, siginfo_t *info, void *context)
{
	(void)info, (void)context;
	came[sig]++;
	if (sig == SIGSEGV)
		siglongjmp(back, 1);
}

static void handlers(void)
{
	struct sigaction action = {.sa_sigaction = jumps, .sa_flags = SA_SIGINFO | SA_ONSTACK};
	stack_t stack = {.ss_sp = malloc(65536), .ss_size = 65536};

	sigaltstack(&stack, NULL);
	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGTRAP, &action, NULL);
	sigaction(SIGSYS, &action, NULL);
	for (int i = 0; i < 200; i++) {
		if (!sigsetjmp(back, 1))
			*(volatile int *)8 = 1;
		__asm__ volatile("int3");
		raise(SIGSYS);
		getppid();
	}
	printf("segv %d trap %d sys %d\n", came[SIGSEGV], came[SIGTRAP], came[SIGSYS]);
	action.sa_flags |= SA_RESETHAND;
	sigaction(SIGUSR1, &action, NULL);
	raise(SIGUSR1);
	printf("once: %d, then %d\n", came[SIGUSR1], signal(SIGUSR1, SIG_DFL) == SIG_DFL);
}

/* ---------------------------------------------------------------- wake-ups */

static void *answers(void *arg)
{
	for (int i = 0; i < 20000; i++) {
		while (word != 1)
			syscall(SYS_futex, &word, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 0, NULL, NULL, 0);
		word = 0;
		syscall(SYS_futex, &word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1, NULL, NULL, 0);
	}
	return arg;
}

/** Store, then wake, without a fence between; look, then sleep. */
static void wakes(void)
{
	pthread_t thread = begin(answers, NULL);

	for (int i = 0; i < 20000; i++) {
		word = 1;
		syscall(SYS_futex, &word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1, NULL, NULL, 0);
		while (word != 0)
			syscall(SYS_futex, &word, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 1, NULL, NULL, 0);
	}
	pthread_join(thread, NULL);
	printf("turns: 20000\n");
}

static void *ends_soon(void *arg)
{
	for (volatile int i = 0; i < 2000 * ((long)arg % 5); i++)
		;
	return arg;
}

/** Signals for threads that are about to end, on whatever rfork. */
static void ending(void)
{
	int sent = 0;

	signal(SIGUSR1, on_signal);
	for (int round = 0; round < 100; round++) {
		pthread_t threads[20];

		for (long i = 0; i < 20; i++)
			threads[i] = begin(ends_soon, (void *)i);
		for (int i = 0; i < 20; i++)
			sent += pthread_kill(threads[i], SIGUSR1) == 0;
		for (int i = 0; i < 20; i++)
			pthread_join(threads[i], NULL);
	}
	printf("sent: %d\n", sent);
}

static void *naps(void *arg)
{
	for (int i = 0; i < 5; i++)
		usleep(20);
	over = 1;
	return arg;
}

/** Timers come though somebody computes. */
static void timers(void)
{
	pthread_t computes = begin(spins, NULL), sleeps = begin(naps, NULL);

	pthread_join(sleeps, NULL);
	pthread_join(computes, NULL);
	printf("slept\n");
}

/* ---------------------------------------------------------------- descriptors */

/** Another process makes a pipe non-blocking whose kind is known. */
static void nonblocking(void)
{
	int fds[2];
	pthread_t spinner = begin(spins, NULL);
	char c;

	pipe(fds);
	for (int i = 0; i < 50; i++) {
		write(fds[1], "x", 1);
		read(fds[0], &c, 1);
	}
	if (!fork()) {
		fcntl(fds[0], F_SETFL, O_NONBLOCK);
		_exit(0);
	}
	wait(NULL);
	printf("read: %zd ", read(fds[0], &c, 1));
	printf("%s\n", strerror(errno));
	over = 1;
	pthread_join(spinner, NULL);
}

/** A file is read whole, wherever it lies. */
static void files(void)
{
	const size_t size = 6 << 20;
	char name[] = "/tmp/libcr-trap-XXXXXX", *data = calloc(1, size);
	int fd = mkstemp(name), quiet[2];
	pthread_t waiter;
	long got = 0;

	unlink(name);
	pipe(quiet);
	waiter = begin(waits_for_pipe, &quiet[0]);
	printf("written: %d\n", write(fd, data, size) == (ssize_t)size);
	fdatasync(fd);
	for (int i = 0; i < 5; i++) {
		posix_fadvise(fd, (off_t)i << 20, 1 << 20, POSIX_FADV_DONTNEED); /* some of it is there, some is not */
		lseek(fd, 0, SEEK_SET);
		got += read(fd, data, size) == (ssize_t)size;
		got += pread(fd, data, size, 4096) == (ssize_t)size - 4096;
	}
	write(quiet[1], "x", 1);
	pthread_join(waiter, NULL);
	printf("whole: %ld\n", got);
}

/* ---------------------------------------------------------------- patching */

#define SITES 400
#define SITE_SIZE 16

static char *sites;

static void make_sites(void)
{
	static const unsigned char code[] = {0xb8, SYS_getppid, 0, 0, 0, 0x0f, 0x05, 0xc3};

	sites = mmap(NULL, SITES * SITE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memset(sites, 0x90, SITES * SITE_SIZE);
	for (int i = 0; i < SITES; i++)
		memcpy(sites + i * SITE_SIZE, code, sizeof code);
	mprotect(sites, SITES * SITE_SIZE, PROT_READ | PROT_EXEC);
}

static long call_site(int i) { return ((long (*)(void))(sites + i * SITE_SIZE))(); }

static void *calls_sites(void *arg)
{
	long wrong = 0;

	for (int i = 0; i < SITES; i++)
		for (int n = 0; n < 12; n++)
			wrong += call_site(i) != (long)arg;
	over++;
	return (void *)wrong;
}

/** Children of vfork in which SIGTRAP ends the process make the calls that others' threads are patching. */
static void patching(void)
{
	pthread_t threads[2];
	int failed = 0, children = 0;
	long wrong = 0;
	void *one;

	make_sites();
	for (int i = 0; i < 2; i++)
		threads[i] = begin(calls_sites, (void *)(long)getppid());
	while (over < 2 || children < 10) {
		pid_t child = vfork();

		if (!child) {
			signal(SIGTRAP, SIG_DFL);
			for (int i = 0; i < SITES; i += 7)
				call_site(i);
			_exit(0);
		}
		failed += status_of(child) != 0;
		children++;
	}
	for (int i = 0; i < 2; i++) {
		pthread_join(threads[i], &one);
		wrong += (long)one;
	}
	printf("wrong: %ld, children that have failed: %d\n", wrong, failed);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*func)(void);
	} all[] = {{"vdso", vdso}, {"vfork-signals", vfork_signals}, {"fork-anew", fork_anew}, {"handlers", handlers}, {"wakes", wakes}, {"ending", ending},
	           {"timers", timers}, {"nonblocking", nonblocking}, {"files", files}, {"patching", patching}};

	for (unsigned i = 0; i < sizeof all / sizeof all[0] && argc > 1; i++)
		if (!strcmp(all[i].name, argv[1])) {
			all[i].func();
			return 0;
		}
	return 1;
}
