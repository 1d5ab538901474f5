/*
 * apart.c - while a thread is in vfork, or in posix_spawn, the others go on: children that wait for one of them first, many at a time beside who computes, calls and forks,
 * what children and parent change in the memory that they share, signals for both, descriptors, children that are killed.
 *
 * apart FIFO [BEHAVIOUR]: where the fifo is to be; one of them, and not all.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define SPAWNERS 4
#define SPAWNS 25

extern char **environ;
static const char *fifo;
static atomic_int stop, wrong, begun, ended;

static int status_of(pid_t pid)
{
	int status = -1;

	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

static pthread_t begin(void *(*function)(void *), void *arg)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, function, arg))
		abort();
	return thread;
}

static void *computes(void *arg)
{
	begun++;
	while (!stop)
		;
	return arg;
}

static void *calls(void *arg)
{
	begun++;
	while (!stop) {
		syscall(SYS_getppid);
		usleep(100);
	}
	return arg;
}

static void *forks(void *arg)
{
	begun++;
	while (!stop) {
		const pid_t pid = fork();

		if (!pid)
			_exit(3);
		wrong += status_of(pid) != 3;
	}
	return arg;
}

/* ---------------------------------------------------------------- a child that waits for a thread of its parent's */

static void *opens_fifo(void *arg)
{
	begun++;
	*(int *)arg = open(fifo, O_WRONLY);
	if (write(*(int *)arg, "through\n", 8) != 8)
		wrong++;
	close(*(int *)arg);
	return NULL;
}

/** The thread that writes has begun, or begins while the child waits already: either works. */
static void waits_for_fifo(void)
{
	for (int i = 0; i < 10; i++) {
		char *words[] = {"sh", "-c", "read word; test $word = through", NULL};
		posix_spawn_file_actions_t actions;
		int fd, error;
		pthread_t thread;
		pid_t pid;

		posix_spawn_file_actions_init(&actions);
		posix_spawn_file_actions_addopen(&actions, 0, fifo, O_RDONLY, 0);
		thread = begin(opens_fifo, &fd);
		error = posix_spawnp(&pid, "sh", &actions, NULL, words, environ);
		wrong += error || status_of(pid);
		pthread_join(thread, NULL);
		posix_spawn_file_actions_destroy(&actions);
	}
	printf("fifo: %d wrong\n", wrong);
}

static atomic_int said, answered;

static void *answers(void *arg)
{
	while (!said)
		usleep(100);
	answered = 1;
	return arg;
}

/** By words in their memory alone: a child that has been seen to run, and waits for its answer. */
static void waits_for_word(void)
{
	const pthread_t thread = begin(answers, NULL);
	const pid_t pid = vfork();

	if (!pid) {
		said = 1;
		while (!answered)
			usleep(100);
		_exit(6);
	}
	printf("word: %d\n", status_of(pid));
	pthread_join(thread, NULL);
}

static atomic_int words[2];

static void wait_in_futex(atomic_int *word)
{
	while (!*word)
		syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, 0, NULL);
}

static void wake_in_futex(atomic_int *word, int operation)
{
	*word = 1;
	if (operation == FUTEX_WAKE_OP_PRIVATE) /* the second word becomes what it is */
		syscall(SYS_futex, &begun, operation, 1, 1, word, FUTEX_OP(FUTEX_OP_OR, 0, FUTEX_OP_CMP_EQ, 1));
	else
		syscall(SYS_futex, word, operation, 1, NULL, NULL, ~0u);
}

static void *is_woken_and_wakes(void *arg)
{
	begun++;
	wait_in_futex(&words[0]);
	usleep(5000); /* the child waits by then, or comes and sees the word */
	wake_in_futex(&words[1], *(int *)arg);
	return NULL;
}

/** A child wakes its parent's thread, and is woken by it: futexes that are private are so to the memory, which they have in common. */
static void wakes_each_other(void)
{
	static const int operations[] = {FUTEX_WAKE_PRIVATE, FUTEX_WAKE_BITSET_PRIVATE, FUTEX_WAKE_OP_PRIVATE};

	for (volatile unsigned i = 0; i < 3; i++) {
		int operation = operations[i];
		pthread_t thread;
		pid_t pid;

		words[0] = words[1] = begun = 0;
		thread = begin(is_woken_and_wakes, &operation);
		while (!begun)
			usleep(100);
		usleep(5000);
		pid = vfork();
		if (!pid) {
			wake_in_futex(&words[0], operation == FUTEX_WAKE_OP_PRIVATE ? FUTEX_WAKE_PRIVATE : operation);
			wait_in_futex(&words[1]);
			_exit(0);
		}
		wrong += status_of(pid);
		pthread_join(thread, NULL);
	}
	printf("woken: %d wrong\n", wrong);
}

/* ---------------------------------------------------------------- many */

static void *spawns(void *arg)
{
	char *exits[] = {"sh", "-c", "exit 4", NULL}, *killed[] = {"sh", "-c", "kill -TERM $$", NULL};

	for (int i = 0; i < SPAWNS; i++) {
		pid_t pid;

		if (posix_spawnp(&pid, "sh", NULL, NULL, i % 2 ? exits : killed, environ) || status_of(pid) != (i % 2 ? 4 : 1000 + SIGTERM))
			wrong++;
		if (posix_spawn(&pid, "/nosuch", NULL, NULL, exits, environ) != ENOENT || posix_spawn(&pid, "/etc/passwd", NULL, NULL, exits, environ) != EACCES)
			wrong++;
	}
	return arg;
}

static void many(void)
{
	pthread_t threads[SPAWNERS], others[] = {begin(computes, NULL), begin(calls, NULL), begin(forks, NULL)};

	while (begun < 3)
		usleep(100);
	for (int i = 0; i < SPAWNERS; i++)
		threads[i] = begin(spawns, NULL);
	for (int i = 0; i < SPAWNERS; i++)
		pthread_join(threads[i], NULL);
	stop = 1;
	for (int i = 0; i < 3; i++)
		pthread_join(others[i], NULL);
	printf("many: %d wrong\n", wrong);
}

/* ---------------------------------------------------------------- one memory */

static void memory(void)
{
	volatile int changed = 0;
	static volatile int all;
	const pthread_t thread = begin(calls, NULL);
	pid_t pid = vfork();

	if (!pid) {
		changed = 5;
		all = getpid() == gettid() && getppid() != getpid();
		_exit(9);
	}
	printf("memory: %d %d, ended by %d\n", changed, all, status_of(pid));
	stop = 1;
	pthread_join(thread, NULL);
}

/* ---------------------------------------------------------------- descriptors */

static void descriptors(void)
{
	char *words[] = {"sh", "-c", "test -e /proc/self/fd/20 && ! test -e /proc/self/fd/21 && test -e /proc/self/fd/22", NULL};
	const pthread_t thread = begin(calls, NULL);
	posix_spawn_file_actions_t actions;
	struct stat about;
	pid_t pid;
	int fds[2];

	if (pipe(fds))
		abort();
	dup3(fds[0], 20, 0);
	dup3(fds[0], 21, O_CLOEXEC);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, fds[1], 22);
	posix_spawn_file_actions_addclosefrom_np(&actions, 23);
	wrong += posix_spawnp(&pid, "sh", &actions, NULL, words, environ) || status_of(pid);
	pid = vfork();
	if (!pid) {
		close_range(3, ~0u, 0);
		dup2(0, 900);
		_exit(0);
	}
	wrong += status_of(pid) || fstat(20, &about) || fstat(21, &about) || fstat(22, &about) != -1 || fstat(900, &about) != -1;
	usleep(1000); /* it waits, by libcr's own descriptors */
	printf("descriptors: %d wrong\n", wrong);
	stop = 1;
	pthread_join(thread, NULL);
}

/* ---------------------------------------------------------------- signals */

static atomic_int of_parent, of_child;

static void handler(int sig)
{
	if (sig == SIGUSR1)
		of_parent++;
	else
		of_child++;
}

static void *sends(void *arg)
{
	begun++;
	while (!stop) {
		kill(getpid(), SIGUSR1);
		pthread_kill(*(pthread_t *)arg, SIGUSR1);
		usleep(50);
	}
	return NULL;
}

/** For the parent's threads all the time, and for each child one, which handles it. */
static void signals(void)
{
	pthread_t self = pthread_self(), threads[3];

	signal(SIGUSR1, handler);
	signal(SIGUSR2, handler);
	threads[0] = begin(sends, &self);
	threads[1] = begin(calls, NULL);
	threads[2] = begin(computes, NULL);
	while (begun < 3)
		usleep(100);
	for (volatile int i = 0; i < 50; i++) {
		const int before = of_parent;
		pid_t pid = vfork();

		if (!pid) {
			of_child = 0;
			kill(getpid(), SIGUSR2);
			_exit(of_child);
		}
		wrong += status_of(pid) != 1;
		while (of_parent == before)
			usleep(10);
	}
	stop = 1;
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	printf("signals: %d wrong\n", wrong);
}

#define HANDLED 30

static atomic_int nhandled;

static void makes_child(int sig)
{
	int status = -1;
	const pid_t pid = vfork();

	(void)sig;
	if (!pid) {
		of_child = 0;
		kill(getpid(), SIGUSR2);
		_exit(of_child);
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	wrong += status != 1 << 8;
	nhandled++;
}

static void *sends_again(void *arg)
{
	while (!stop) {
		const int before = nhandled;

		pthread_kill(*(pthread_t *)arg, SIGUSR1);
		while (nhandled == before && !stop)
			;
	}
	return NULL;
}

/** A handler that has interrupted others, and gives the processor back when it returns, makes a child whose handler returns first. */
static void in_handler(void)
{
	pthread_t self = pthread_self(), threads[4];

	signal(SIGUSR1, makes_child);
	signal(SIGUSR2, handler);
	for (int i = 0; i < 3; i++)
		threads[i] = begin(computes, NULL);
	threads[3] = begin(sends_again, &self);
	while (nhandled < HANDLED)
		;
	stop = 1;
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	printf("in a handler: %d wrong\n", wrong);
}

/* ---------------------------------------------------------------- children that are killed, or end by a fault */

static atomic_int child;

static void *kills(void *arg)
{
	while (!stop) {
		const int pid = atomic_exchange(&child, 0);

		if (pid)
			kill(pid, SIGKILL);
	}
	return arg;
}

static void killed(void)
{
	const struct rlimit none = {0, 0};
	pthread_t threads[] = {begin(kills, NULL), begin(calls, NULL)};

	setrlimit(RLIMIT_CORE, &none);
	for (volatile int i = 0; i < 100; i++) {
		pid_t pid = vfork();

		if (!pid) {
			child = getpid();
			for (;;)
				if (i % 2)
					syscall(SYS_getppid);
		}
		wrong += status_of(pid) != 1000 + SIGKILL;
	}
	for (volatile int i = 0; i < 20; i++) {
		pid_t pid = vfork();

		if (!pid && i % 2)
			abort();
		if (!pid) {
			*(volatile int *)8 = 1;
			_exit(0);
		}
		wrong += status_of(pid) != 1000 + (i % 2 ? SIGABRT : SIGSEGV);
	}
	stop = 1;
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	printf("killed: %d wrong\n", wrong);
}

/* ---------------------------------------------------------------- children that make children */

static void nested(void)
{
	pthread_t threads[] = {begin(calls, NULL), begin(computes, NULL), begin(forks, NULL)};

	for (volatile int i = 0; i < 30; i++) {
		pid_t pid = vfork();

		if (!pid) {
			pid_t next = i % 2 ? vfork() : fork();

			if (!next && i % 3) {
				execl("/bin/sh", "sh", "-c", "exit 7", (char *)NULL);
				_exit(1);
			}
			if (!next)
				_exit(7);
			_exit(10 + status_of(next));
		}
		wrong += status_of(pid) != 17;
	}
	stop = 1;
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	printf("nested: %d wrong\n", wrong);
}

#define STACK 65536

static atomic_int orphan, over;
static char stacks[2][STACK] __attribute__((aligned(64)));

/** On a stack of its own, as its parent's parent goes on with its own. */
static int outlives(void *arg)
{
	const struct timespec moment = {0, 100000};

	(void)arg;
	orphan = (int)syscall(SYS_getpid);
	kill((pid_t)syscall(SYS_getppid), SIGKILL);
	for (int i = 0; i < 100; i++)
		syscall(SYS_nanosleep, &moment, NULL);
	over = 1;
	_exit(5);
}

static int is_outlived(void *arg)
{
	clone(outlives, stacks[1] + STACK, CLONE_VM | CLONE_VFORK | SIGCHLD, arg);
	_exit(1);
}

/** A child is killed, and its own child of vfork is in the memory of all three yet. */
static void orphaned(void)
{
	const pthread_t thread = begin(calls, NULL);

	prctl(PR_SET_CHILD_SUBREAPER, 1);
	for (int i = 0; i < 10; i++) {
		over = orphan = 0;
		wrong += status_of(clone(is_outlived, stacks[0] + STACK, CLONE_VM | CLONE_VFORK | SIGCHLD, NULL)) != 1000 + SIGKILL;
		wrong += status_of(orphan) != 5 || !over;
	}
	stop = 1;
	pthread_join(thread, NULL);
	printf("orphaned: %d wrong\n", wrong);
}

static void *waits_for_end(void *arg)
{
	char *words[] = {"sh", "-c", "exit 0", NULL};
	posix_spawn_file_actions_t actions;
	pid_t pid;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 0, fifo, O_RDONLY, 0);
	begun++;
	wrong += posix_spawnp(&pid, "sh", &actions, NULL, words, environ) || status_of(pid);
	ended++;
	return arg;
}

/** While a child waits its parent's other threads fork, and what they have made opens the other end. */
static void fork_meanwhile(void)
{
	const pthread_t thread = begin(waits_for_end, NULL);
	pid_t pid;

	while (!begun)
		usleep(100);
	usleep(10000);
	pid = fork();
	if (!pid) {
		const int fd = open(fifo, O_WRONLY);

		_exit(fd < 0 || fork() < 0);
	}
	wrong += status_of(pid);
	pthread_join(thread, NULL);
	printf("fork meanwhile: %d wrong, %d ended\n", wrong, ended);
}

static const struct behaviour {
	const char *name;
	void (*run)(void);
} behaviours[] = {
	{"fifo", waits_for_fifo}, {"word", waits_for_word}, {"woken", wakes_each_other}, {"many", many},     {"memory", memory},
	{"descriptors", descriptors}, {"signals", signals}, {"in-handler", in_handler}, {"killed", killed}, {"nested", nested}, {"orphaned", orphaned}, {"fork-meanwhile", fork_meanwhile},
};

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IONBF, 0);
	if (argc < 2)
		return 2;
	fifo = argv[1];
	unlink(fifo);
	if (mkfifo(fifo, 0600))
		return 1;
	for (unsigned i = 0; i < sizeof behaviours / sizeof behaviours[0]; i++) {
		stop = wrong = begun = ended = 0;
		if (argc < 3 || !strcmp(argv[2], behaviours[i].name))
			behaviours[i].run();
	}
	unlink(fifo);
	return 0;
}
