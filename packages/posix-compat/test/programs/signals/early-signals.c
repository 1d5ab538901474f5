/*
 * early-signals.c - signals that come between the call that blocks them and the program's next one, which is when libcr tells the kernel. What the program
 * sees is what it sees of signals that were blocked when they came, whatever their action. And signals for a child of fork that has hardly begun.
 */
#define _GNU_SOURCE
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SENDS 3

static volatile sig_atomic_t handled, last_value;
static volatile int *steps; /* [0]: the child may send; [1]: it has */

static void handler(int sig, siginfo_t *info, void *context)
{
	(void)sig, (void)context;
	handled++;
	last_value = info->si_value.sival_int;
}

/** A process that sends when it is told to, some with values, and says so. */
static pid_t start_sender(int sig)
{
	pid_t parent = getpid(), pid;

	steps[0] = steps[1] = 0;
	pid = fork();
	if (pid)
		return pid;
	while (!steps[0])
		;
	for (int i = 0; i < SENDS; i++)
		sigqueue(parent, sig, (union sigval){.sival_int = i + 1});
	steps[1] = 1;
	_exit(0);
}

/** Blocks the signal, or as a C library does all of them, and makes no call until it has come. */
static sigset_t block_and_wait(int sig, int all)
{
	sigset_t set, old;

	sigemptyset(&set);
	sigaddset(&set, sig);
	if (all)
		memset(&set, -1, sizeof(set));
	syscall(SYS_rt_sigprocmask, SIG_BLOCK, &set, &old, 8);
	steps[0] = 1;
	while (!steps[1])
		;
	return old;
}

static void read_by_descriptor(const sigset_t *set, pid_t sender)
{
	struct signalfd_siginfo info;
	int fd = signalfd(-1, set, SFD_NONBLOCK);

	printf("signalfd: %d bytes", (int)read(fd, &info, sizeof(info)));
	printf(", signal %u, value %d, by %d\n", info.ssi_signo, info.ssi_int, info.ssi_pid == (unsigned)sender);
	close(fd);
}

static void one(int sig, int all)
{
	pid_t sender = start_sender(sig);
	struct pollfd nothing = {.fd = -1};
	struct timespec at_once = {0, 0};
	siginfo_t info;
	sigset_t set, old, pending;

	handled = last_value = 0;
	sigemptyset(&set);
	sigaddset(&set, sig);
	old = block_and_wait(sig, all);
	waitpid(sender, NULL, 0);
	sigpending(&pending);
	printf("%d: handled %d, pending %d, poll %d\n", sig, handled, sigismember(&pending, sig), poll(&nothing, 1, 1));
	if (!all)
		read_by_descriptor(&set, sender);
	if (sigtimedwait(&set, &info, &at_once) == sig)
		printf("sigtimedwait: value %d, by %d\n", info.si_value.sival_int, info.si_pid == sender);
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &old, NULL, 8);
	printf("unblocked: handled %d, value %d\n", handled, last_value);
}

static void *keep_blocked(void *arg)
{
	sigset_t all;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, NULL);
	pthread_barrier_wait(arg);
	pthread_barrier_wait(arg);
	return NULL;
}

/** A signal that the next program has to find. */
static void across_exec(char *self)
{
	pid_t pid = fork(), sender;

	if (pid) {
		waitpid(pid, NULL, 0);
		return;
	}
	sender = start_sender(SIGTERM);
	block_and_wait(SIGTERM, 0);
	waitpid(sender, NULL, 0);
	execl(self, self, "pending", NULL);
	_exit(1);
}

/** One whose default action ends the process: it does once it is unblocked, unless it is ignored by then. */
static void without_handler(int sig, int ignored)
{
	pid_t pid = fork(), sender;
	sigset_t old, pending;
	int status = 0;

	if (!pid) {
		sender = start_sender(sig);
		old = block_and_wait(sig, 0);
		if (ignored)
			signal(sig, SIG_IGN);
		sigpending(&pending);
		printf("%d: pending %d\n", sig, sigismember(&pending, sig));
		waitpid(sender, NULL, 0);
		syscall(SYS_rt_sigprocmask, SIG_SETMASK, &old, NULL, 8);
		printf("goes on\n");
		_exit(0);
	}
	waitpid(pid, &status, 0);
	printf("ended by %d\n", WIFSIGNALED(status) ? WTERMSIG(status) : 0);
}

#define CHILDREN 100

/** A signal for a child that need not have come back from fork yet. */
static void to_children(void)
{
	int ended = 0, status;

	for (int i = 0; i < CHILDREN; i++) {
		pid_t pid;

		handled = 0;
		pid = fork();
		if (!pid) {
			while (!handled)
				;
			_exit(handled);
		}
		kill(pid, SIGUSR1);
		waitpid(pid, &status, 0);
		ended += WIFEXITED(status) && WEXITSTATUS(status) == 1;
	}
	printf("children that had their signal: %d\n", ended);
}

int main(int argc, char **argv)
{
	struct sigaction act = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
	pthread_barrier_t barrier;
	pthread_t thread;
	sigset_t pending;

	setvbuf(stdout, NULL, _IONBF, 0);
	if (argc == 2) {
		sigpending(&pending);
		printf("after exec: pending %d\n", sigismember(&pending, SIGTERM));
		return 0;
	}
	steps = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	sigaction(SIGUSR1, &act, NULL);
	sigaction(SIGUSR2, &act, NULL);
	sigaction(SIGRTMIN + 1, &act, NULL);
	for (int all = 0; all < 2; all++) {
		one(SIGUSR1, all);
		one(SIGRTMIN + 1, all);
	}
	pthread_barrier_init(&barrier, NULL, 2);
	pthread_create(&thread, NULL, keep_blocked, &barrier);
	pthread_barrier_wait(&barrier);
	for (int all = 0; all < 2; all++) { /* another thread, which has all blocked */
		one(SIGUSR2, all);
		one(SIGRTMIN + 1, all);
	}
	pthread_barrier_wait(&barrier);
	pthread_join(thread, NULL);
	one(SIGUSR1, 0);
	without_handler(SIGTERM, 0);
	without_handler(SIGQUIT, 0);
	without_handler(SIGALRM, 1);
	to_children();
	across_exec(argv[0]);
	return 0;
}
