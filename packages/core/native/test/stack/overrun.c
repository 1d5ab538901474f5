/*
 * overrun.c - a thread that runs over the end of its stack is named on stderr before the process dies of it; another fault is not
 * blamed on a stack. Each case runs in a child process of its own.
 */
#include <signal.h>
#include <sys/wait.h>

#include "check.h"

static char said[65536];

__attribute__((noinline)) static int dive(volatile int *depth)
{
	volatile int frame[64];

	frame[0] = *depth + 1;
	if (frame[0] < 0)
		return 0;
	return dive(frame) + frame[0] * frame[1];
}

static void dives(void *arg)
{
	volatile int depth = 0;

	(void)arg;
	printf("%d\n", dive(&depth));
}

/* The fault itself is wanted, not a sanitiser's word on it. */
__attribute__((no_sanitize("undefined", "address"))) static void follows_null(void *arg)
{
	*(volatile int *)arg = 1;
}

static void overrun_plain(void)
{
	struct lwkt_create_args args = {.name = "deep diver", .priority = -1};

	lwkt_create(dives, NULL, NULL, &args);
	run_all();
}

static void overrun_small(void)
{
	struct lwkt_create_args args = {.name = "deep diver", .priority = -1, .stack_size = LWKT_STACK_MIN};

	lwkt_create(follows_null, &args, NULL, &args); /* another one first, for the numbers to differ */
	lwkt_create(dives, NULL, NULL, &args);
	run_all();
}

static void another_fault(void)
{
	struct lwkt_create_args args = {.name = "deep diver", .priority = -1};

	lwkt_create(follows_null, NULL, NULL, &args);
	run_all();
}

static void fault_on_thread0(void)
{
	follows_null(NULL);
}

static void earlier_handler(int signo)
{
	(void)signo;
	if (write(STDERR_FILENO, "earlier\n", 8) == 8)
		_exit(42);
}

static void earlier_handler_gets_the_rest(void)
{
	follows_null(NULL);
}

/** Runs test in a child and returns its wait status; what it wrote to stderr is in said. */
static int in_child(const char *name, void (*test)(void))
{
	int ends[2], status;
	size_t length = 0;
	ssize_t n;
	pid_t pid;

	topic(name);
	CHECK_EQ(pipe(ends), 0);
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		dup2(ends[1], STDERR_FILENO);
		close(ends[0]);
		close(ends[1]);
		if (test == earlier_handler_gets_the_rest)
			signal(SIGSEGV, earlier_handler);
		CHECK_EQ(lwkt_cpu_init(), 0);
		test();
		_exit(0);
	}
	close(ends[1]);
	while ((n = read(ends[0], said + length, sizeof(said) - 1 - length)) > 0)
		length += (size_t)n;
	said[length] = '\0';
	close(ends[0]);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	return status;
}

#define IN_CHILD(test) in_child(#test, test)

int main(void)
{
	int status = IN_CHILD(overrun_plain);
	char expected[128];

	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
	CHECK(strstr(said, "libcr: userthread 1 \"deep diver\" overran its C stack of 256 KiB") != NULL);
	CHECK(strstr(said, "stackSize") != NULL);
	status = IN_CHILD(overrun_small);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
	snprintf(expected, sizeof(expected), "libcr: userthread 2 \"deep diver\" overran its C stack of %zu KiB",
		 stack_size_of(LWKT_STACK_MIN) / 1024);
	CHECK(strstr(said, expected) != NULL);
	/* A sanitiser has a handler of its own, which then ends the process with a report. */
	status = IN_CHILD(another_fault);
	CHECK(CHECK_SANITIZED ? WIFEXITED(status) && WEXITSTATUS(status) != 0 : WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
	CHECK(strstr(said, "overran") == NULL);
	status = IN_CHILD(fault_on_thread0);
	CHECK(CHECK_SANITIZED ? WIFEXITED(status) && WEXITSTATUS(status) != 0 : WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
	CHECK(strstr(said, "overran") == NULL);
	status = IN_CHILD(earlier_handler_gets_the_rest);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 42);
	CHECK_EQ(strcmp(said, "earlier\n"), 0);
	return 0;
}
