/*
 * chaos.c - does at random, by a seed, what makes it hard to keep account of a program: chaos SEED DEPTH STEPS. Threads that make calls, children by fork and vfork, all at once and of
 * children, exec, signals with and without restarts, processes that are stopped, go on, and are killed at any moment, and threads that are at something when their process ends.
 *
 * It takes every answer that a call may have for good, but waits for what it has begun. The first process prints "done".
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define THREADS_MAX 4
#define STORM 8

static const char *self;
static int depth, steps;

struct dice {
	uint64_t state;
};

/** 0 to below - 1. (xorshift64*) */
static unsigned roll(struct dice *dice, unsigned below)
{
	dice->state ^= dice->state >> 12;
	dice->state ^= dice->state << 25;
	dice->state ^= dice->state >> 27;
	return (unsigned)((dice->state * 0x2545f4914f6cdd1d) >> 33) % below;
}

static struct dice dice_of(uint64_t seed)
{
	struct dice dice = {seed * 0x9e3779b97f4a7c15 + 1};

	for (int i = 0; i < 4; i++)
		roll(&dice, 2);
	return dice;
}

static uint64_t other(struct dice *dice) { return (uint64_t)roll(dice, 1u << 30) << 8 | roll(dice, 256); }

static void on_signal(int number)
{
	const int before = errno;

	(void)number;
	syscall(SYS_getppid);
	errno = before;
}

static void handle(int number, int flags)
{
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = flags};

	sigaction(number, &action, NULL);
}

static void pause_for(unsigned microseconds)
{
	const struct timespec time = {0, microseconds * 1000L};

	nanosleep(&time, NULL);
}

static void await(pid_t pid)
{
	while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

static void process(uint64_t seed);

/** A child that does as much, or less; or another program, or this one again. */
static pid_t child(struct dice *dice)
{
	const uint64_t seed = other(dice);
	const unsigned way = roll(dice, 4);
	char number[24], below[12], count[12];
	pid_t pid;

	snprintf(number, sizeof(number), "%llu", (unsigned long long)seed);
	snprintf(below, sizeof(below), "%d", depth - 1);
	snprintf(count, sizeof(count), "%d", steps / 2);
	if (way == 0) {
		pid = vfork();
		if (pid == 0) {
			execl("/bin/true", "true", NULL);
			_exit(1);
		}
		return pid;
	}
	pid = fork();
	if (pid)
		return pid;
	if (way == 1)
		execl(self, self, number, below, count, NULL);
	depth--;
	steps /= 2;
	process(seed);
	_exit(0);
}

static void storm(struct dice *dice)
{
	pid_t pids[STORM];

	for (int i = 0; i < STORM; i++) {
		pids[i] = fork();
		if (pids[i] == 0) {
			syscall(SYS_getppid);
			_exit(0);
		}
	}
	if (roll(dice, 2) && pids[0] > 0)
		kill(pids[0], SIGKILL);
	for (int i = 0; i < STORM; i++)
		await(pids[i]);
}

static void torment(struct dice *dice)
{
	const pid_t pid = child(dice);

	if (pid <= 0)
		return;
	for (unsigned n = roll(dice, 4); n; n--) {
		pause_for(roll(dice, 2000));
		if (roll(dice, 2)) {
			kill(pid, SIGSTOP);
			pause_for(roll(dice, 500));
			kill(pid, SIGCONT);
		} else {
			kill(pid, SIGUSR2); /* in /bin/true it is deadly */
		}
	}
	if (roll(dice, 2))
		kill(pid, SIGKILL);
	await(pid);
}

static void move_data(struct dice *dice)
{
	char data[8192] = "data";
	int pair[2];

	if (pipe2(pair, O_NONBLOCK | O_CLOEXEC))
		return;
	for (unsigned n = roll(dice, 4) + 1; n; n--) {
		if (write(pair[1], data, roll(dice, sizeof(data))) < 0 || read(pair[0], data, sizeof(data)) < 0)
			continue;
	}
	close(pair[0]);
	close(pair[1]);
}

static void *short_thread(void *arg)
{
	syscall(SYS_getppid);
	return arg;
}

static void step(struct dice *dice)
{
	struct stat about;
	pthread_t thread;

	switch (roll(dice, depth > 0 ? 11 : 6)) {
	case 0:
	case 1:
		for (unsigned n = roll(dice, 20); n; n--)
			syscall(SYS_getppid);
		break;
	case 2: move_data(dice); break;
	case 3: pause_for(roll(dice, 1000)); break;
	case 4: stat("/etc/passwd", &about); break;
	case 5: kill(getpid(), roll(dice, 2) ? SIGUSR1 : SIGUSR2); break;
	case 6: await(child(dice)); break;
	case 7: torment(dice); break;
	case 8: storm(dice); break;
	default:
		if (!pthread_create(&thread, NULL, short_thread, NULL))
			pthread_join(thread, NULL);
	}
}

struct work {
	struct dice dice;
	int steps;
};

static void *work(void *arg)
{
	struct work *mine = arg;

	for (int i = 0; i < mine->steps; i++)
		step(&mine->dice);
	return NULL;
}

static void process(uint64_t seed)
{
	struct dice dice = dice_of(seed);
	const unsigned n = roll(&dice, THREADS_MAX);
	struct work works[THREADS_MAX];
	pthread_t threads[THREADS_MAX];

	handle(SIGUSR1, SA_RESTART);
	handle(SIGUSR2, 0);
	for (unsigned i = 0; i < n; i++) {
		works[i] = (struct work){dice_of(other(&dice)), steps};
		for (int tries = 0; pthread_create(&threads[i], NULL, work, &works[i]); tries++) /* one of its calls may have been aborted */
			if (tries == 100)
				_exit(1);
	}
	for (int i = 0; i < steps; i++)
		step(&dice);
	if (depth < 2 && roll(&dice, 3) == 0)
		return; /* its threads may be at something */
	for (unsigned i = 0; i < n; i++)
		pthread_join(threads[i], NULL);
}

int main(int argc, char **argv)
{
	const int first = argc > 4;

	if (argc < 4)
		return 2;
	self = argv[0];
	depth = atoi(argv[2]);
	steps = atoi(argv[3]);
	process(strtoull(argv[1], NULL, 10));
	if (first)
		puts("done");
	return 0;
}
