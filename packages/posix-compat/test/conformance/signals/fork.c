/* fork.c - signals while processes are made and programs begin: none is lost, taken by another, or finds half of something. */
#include "../conformance.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/resource.h>

extern char **environ;
static volatile sig_atomic_t handled;

static void count(int sig)
{
	(void)sig;
	handled = handled + 1;
}

static void *waits(void *arg)
{
	(void)arg;
	for (;;)
		pause();
	return NULL;
}

/* A process that sends SIGUSR1 to its group, over and over. The group is this process', and all in it but those that it has made themselves handle it. */
static pid_t sender(void)
{
	pid_t child;

	if (getsid(0) != getpid()) /* whose group is its own */
		OK(setpgid(0, 0));
	catch_with(SIGUSR1, count, SA_RESTART);
	child = fork();
	CHECK(child >= 0);
	if (!child) {
		signal(SIGUSR1, SIG_IGN);
		for (pid_t parent = getppid(); getppid() == parent;) {
			kill(0, SIGUSR1);
			usleep(20);
		}
		_exit(0);
	}
	UNTIL(handled);
	return child;
}

static void forks_many(void)
{
	pid_t from = sender();

	for (int i = 0; i < 100; i++) {
		pid_t child = fork();

		if (!child)
			_exit(handled ? 0 : 1);
		OK(status_of(child));
	}
	kill(from, SIGKILL);
	status_of(from);
}

BEHAVIOUR(fork_under_signals, "fork: signals that come meanwhile are handled by parent and child")
{
	forks_many();
}

BEHAVIOUR(fork_of_threads_under_signals, "fork of a process with threads: the same")
{
	for (int i = 0; i < 4; i++)
		begin(waits, NULL);
	forks_many();
}

static void vforks_one(void)
{
	pid_t child;

	catch_with(SIGUSR1, count, 0);
	for (int i = 1; i <= 20; i++) {
		child = vfork();
		if (!child) {
			kill(getppid(), SIGUSR1);
			_exit(0);
		}
		OK(status_of(child));
		UNTIL(handled == i);
	}
}

BEHAVIOUR(vfork_signal_of_parents, "a signal for a process that is in vfork is its own, and taken when it goes on")
{
	vforks_one();
}

BEHAVIOUR(vfork_signal_of_threads, "the same with several threads")
{
	for (int i = 0; i < 3; i++)
		begin(waits, NULL);
	vforks_one();
}

#define CHILDREN 40
#define QUEUED 64

BEHAVIOUR(vfork_queue_ends, "what is queued for a child of vfork goes with it, and counts no more for RLIMIT_SIGPENDING")
{
	const struct rlimit limit = {(CHILDREN - 8) * QUEUED, (CHILDREN - 8) * QUEUED};
	sigset_t set;

	if (!own_user())
		skip("signals of others would count");
	OK(setrlimit(RLIMIT_SIGPENDING, &limit));
	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	OK(sigprocmask(SIG_BLOCK, &set, NULL));
	for (int i = 0; i < CHILDREN; i++) {
		pid_t child = vfork();

		if (!child) {
			int failed = 0;

			for (int n = 0; n < QUEUED; n++)
				failed |= raise(SIGRTMIN);
			_exit(failed != 0);
		}
		OK(status_of(child));
	}
	OK(raise(SIGRTMIN));
}

/* What a program finds pending, of its thread's and of its process': grep says so. */
static unsigned long pending_after_exec(void (*prepare)(void))
{
	static char *const says[] = {"grep", "-E", "^(SigPnd|ShdPnd)", "/proc/self/status", NULL};
	unsigned long thread, process;
	char text[200] = "";
	int fds[2];
	pid_t child;

	OK(pipe(fds));
	child = fork();
	if (!child) {
		dup2(fds[1], 1);
		prepare();
		execv("/bin/grep", says);
		_exit(1);
	}
	close(fds[1]);
	for (size_t n = 0; n < sizeof(text) - 1;) {
		ssize_t got = read(fds[0], text + n, sizeof(text) - 1 - n);

		if (got <= 0)
			break;
		n += (size_t)got;
	}
	OK(status_of(child));
	CHECK(sscanf(text, "SigPnd: %lx ShdPnd: %lx", &thread, &process) == 2);
	return thread | process;
}

#define BIT(sig) (1ul << ((sig) - 1))

static void block_and_send(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGUSR2);
	sigaddset(&set, SIGRTMIN);
	CHECK(!sigprocmask(SIG_BLOCK, &set, NULL));
	CHECK(!raise(SIGUSR1) && !kill(getpid(), SIGUSR2) && !sigqueue(getpid(), SIGRTMIN, (union sigval){7}));
}

static void send_among_threads(void)
{
	sigset_t set;

	sigfillset(&set);
	CHECK(!sigprocmask(SIG_BLOCK, &set, NULL));
	begin(waits, NULL);
	block_and_send();
}

BEHAVIOUR(exec_pending, "execve: what is pending for the thread and for the process stays so")
{
	const unsigned long all = BIT(SIGUSR1) | BIT(SIGUSR2) | BIT(SIGRTMIN);

	GIVES(all, pending_after_exec(block_and_send) & all);
	GIVES(all, pending_after_exec(send_among_threads) & all);
}

static int told;

static void tell(int sig)
{
	(void)sig;
	if (write(told, "h", 1) != 1)
		_exit(1);
}

/* Handles SIGUSR1, says that it is about to exec, and does. */
static void execs(void)
{
	catch_with(SIGUSR1, tell, 0);
	if (write(told, "e", 1) == 1)
		execl("/bin/sleep", "sleep", "30", NULL);
	_exit(1);
}

BEHAVIOUR(exec_under_signals, "a signal that comes during execve is taken by the handler that was, or ends the new program")
{
	for (int i = 0; i < 60; i++) {
		int fds[2], status;
		struct timespec soon;
		pid_t child;
		char c;

		OK(pipe2(fds, O_CLOEXEC));
		told = fds[1];
		child = fork();
		if (!child)
			execs();
		close(fds[1]);
		GIVES(1, read(fds[0], &c, 1));
		soon = (struct timespec){0, i * 20000};
		nanosleep(&soon, NULL);
		OK(kill(child, SIGUSR1));
		if (read(fds[0], &c, 1) == 1) { /* or its end: the program has begun, or has ended */
			CHECK(c == 'h');
			OK(kill(child, SIGTERM));
		}
		status = status_of(child);
		CHECK(WIFSIGNALED(status));
		close(fds[0]);
	}
}

BEHAVIOUR(spawn_under_signals, "posix_spawn: signals that come meanwhile are handled by the parent, or end the child, whose they are by default")
{
	static char *const says[] = {"true", NULL};
	pid_t from = sender();

	for (int i = 0; i < 50; i++) {
		int before = handled, status;
		pid_t child;

		OK(posix_spawn(&child, "/bin/true", NULL, NULL, says, environ));
		status = status_of(child);
		CHECK(!status || (WIFSIGNALED(status) && WTERMSIG(status) == SIGUSR1));
		UNTIL(handled > before);
	}
	kill(from, SIGKILL);
	status_of(from);
}
