/*
 * fork-signals.c - a signal that is sent to a child as soon as it exists: another process knows its pid before it has run. It comes to the child's handler, which it has
 * from its parent, each time; whoever forks it, the only thread or one of several, by fork and by vfork.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CHILDREN 60
#define SECONDS 10 /* after which a child says that nothing has come */

static _Atomic int *pid; /* of the child, as the kernel says it; 0: there is none that wants a signal */
static _Atomic int came;

static void comes(int sig)
{
	(void)sig;
	came++;
}

static void sends(void)
{
	const pid_t parent = getppid();

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (getppid() == parent) {
		int whom = *pid;

		if (whom && atomic_compare_exchange_strong(pid, &whom, 0))
			kill(whom, SIGUSR1);
	}
}

static int child(void *arg)
{
	const time_t until = time(NULL) + SECONDS;

	while (!came && time(NULL) < until)
		usleep(100);
	_exit(came == 1 ? 0 : 1);
	return arg != NULL;
}

/** flags: 0 for fork; for vfork the child has a stack of its own here. */
static int fork_some(int flags)
{
	static char stack[65536] __attribute__((aligned(16)));
	int lost = 0, status;

	for (int i = 0; i < CHILDREN && !lost; i++) {
		pid_t made;

		came = 0;
		if (flags)
			made = clone(child, stack + sizeof(stack), flags | SIGCHLD | CLONE_PARENT_SETTID, NULL, pid);
		else
			made = (pid_t)syscall(SYS_clone, SIGCHLD | CLONE_PARENT_SETTID, NULL, pid, NULL, 0);
		if (!made)
			child(NULL);
		while (waitpid(made, &status, 0) < 0 && errno == EINTR)
			;
		lost += status != 0;
	}
	return lost;
}

static void *waits(void *arg)
{
	for (;;)
		pause();
	return arg;
}

int main(void)
{
	pthread_t thread;
	pid_t sender;
	int lost[2][2];

	pid = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	signal(SIGUSR1, comes);
	sender = fork();
	if (!sender)
		sends();
	for (int several = 0; several < 2; several++) {
		if (several)
			pthread_create(&thread, NULL, waits, NULL);
		lost[several][0] = fork_some(0);
		lost[several][1] = fork_some(CLONE_VM | CLONE_VFORK);
	}
	kill(sender, SIGKILL);
	waitpid(sender, NULL, 0);
	printf("lost: %d of fork, %d of vfork; by one of several %d and %d\n", lost[0][0], lost[0][1], lost[1][0], lost[1][1]);
	return 0;
}
