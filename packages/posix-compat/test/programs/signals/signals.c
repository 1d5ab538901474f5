/* signals.c - signals and children of a program with one thread. What it prints is the same under libcr as without. */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;
static volatile int handled;
static int fds[2], told[2] = {-1, -1};

static void handler(int sig)
{
	int saved = errno;

	(void)sig;
	handled++;
	if (told[1] >= 0)
		write(told[1], "x", 1);
	errno = saved;
}

static void handle(int sig, int flags)
{
	struct sigaction act = {.sa_handler = handler, .sa_flags = flags};

	sigaction(sig, &act, NULL);
	handled = 0;
}

static int status_of(pid_t pid)
{
	int status;

	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

/* ---------------------------------------------------------------- what a signal does to a call */
static void calls(void)
{
	struct itimerval often = {{0, 100000}, {0, 100000}}, off = {{0, 0}, {0, 0}}; /* again: the first may come before the call */
	struct timespec hour = {3600, 0};
	char c;
	int result;
	pid_t child;

	handle(SIGALRM, 0);
	setitimer(ITIMER_REAL, &often, NULL);
	result = (int)read(fds[0], &c, 1);
	setitimer(ITIMER_REAL, &off, NULL);
	printf("read: %d errno %d got %d\n", result, errno, handled > 0);
	pipe(told);
	child = fork();
	if (!child) {
		read(told[0], &c, 1); /* when the handler has run */
		usleep(100000);
		write(fds[1], "x", 1);
		_exit(0);
	}
	handle(SIGALRM, SA_RESTART);
	alarm(1);
	result = (int)read(fds[0], &c, 1);
	printf("read restarted: %d got %d\n", result, handled);
	close(told[0]), close(told[1]);
	told[1] = -1;
	printf("child: %d\n", status_of(child));
	handle(SIGALRM, SA_RESTART);
	setitimer(ITIMER_REAL, &often, NULL);
	result = nanosleep(&hour, &hour);
	setitimer(ITIMER_REAL, &off, NULL);
	printf("nanosleep: %d errno %d, more than a second left %d, got %d\n", result, errno, hour.tv_sec >= 1, handled > 0);
}

static void in_a_loop(void)
{
	struct itimerval ticks = {{0, 20000}, {0, 20000}}, off = {{0, 0}, {0, 0}};

	handle(SIGALRM, 0);
	setitimer(ITIMER_REAL, &ticks, NULL);
	while (handled < 10)
		;
	setitimer(ITIMER_REAL, &off, NULL);
	printf("ten ticks\n");
}

/* ---------------------------------------------------------------- faults, and where handlers run */
static sigjmp_buf back;
static void *volatile address;

static void jumps(int sig, siginfo_t *info, void *context)
{
	(void)context;
	address = info->si_addr;
	siglongjmp(back, sig);
}

static void faults(void)
{
	struct sigaction act = {.sa_sigaction = jumps, .sa_flags = SA_SIGINFO};
	volatile int zero = 0;

	sigaction(SIGSEGV, &act, NULL);
	sigaction(SIGFPE, &act, NULL);
	for (int i = 0; i < 3; i++)
		if (!sigsetjmp(back, 1))
			*(volatile int *)8 = 1;
		else
			printf("fault at %p\n", address);
	if (!sigsetjmp(back, 1))
		zero = 7 / zero;
	else
		printf("division by zero\n");
	signal(SIGSEGV, SIG_DFL);
	signal(SIGFPE, SIG_DFL);
}

static void on_alternate_stack(int sig)
{
	char here;
	stack_t stack;

	(void)sig;
	sigaltstack(NULL, &stack);
	printf("on the alternate stack: %d, flags %d\n", &here >= (char *)stack.ss_sp && &here < (char *)stack.ss_sp + stack.ss_size, stack.ss_flags);
}

static void alternate_stack(void)
{
	stack_t stack = {.ss_sp = malloc(65536), .ss_size = 65536};
	struct sigaction act = {.sa_handler = on_alternate_stack, .sa_flags = SA_ONSTACK};

	sigaltstack(&stack, NULL);
	sigaction(SIGUSR2, &act, NULL);
	raise(SIGUSR2);
}

/* ---------------------------------------------------------------- masks, and signals that wait */
static void masks(void)
{
	struct timespec second = {1, 0}, moment = {0, 1000};
	sigset_t set, old, pending;
	siginfo_t info;
	int result;

	handle(SIGUSR1, 0);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, &old);
	raise(SIGUSR1);
	sigpending(&pending);
	printf("pending %d, got %d\n", sigismember(&pending, SIGUSR1), handled);
	result = ppoll(NULL, 0, &second, &old);
	printf("ppoll %d errno %d got %d\n", result, errno, handled);
	kill(getpid(), SIGUSR1);
	result = sigsuspend(&old);
	printf("sigsuspend %d errno %d got %d\n", result, errno, handled);
	kill(getpid(), SIGUSR1);
	result = sigwaitinfo(&set, &info);
	printf("sigwaitinfo %d of this process %d\n", result, info.si_pid == getpid());
	raise(SIGUSR1);
	result = sigtimedwait(&set, &info, &second);
	printf("sigtimedwait %d code %d\n", result, info.si_code);
	result = sigtimedwait(&set, &info, &moment);
	printf("sigtimedwait %d errno %d\n", result, errno);
	raise(SIGUSR1);
	printf("blocked: %d, ", handled);
	sigprocmask(SIG_SETMASK, &old, NULL);
	printf("and then not: %d\n", handled);
}

static int order[3], norder;

static void notes_order(int sig, siginfo_t *info, void *context)
{
	(void)context;
	order[norder++] = (sig - SIGRTMIN) * 100 + info->si_value.sival_int;
}

static void queued(void)
{
	struct sigaction act = {.sa_sigaction = notes_order, .sa_flags = SA_SIGINFO};
	int first = SIGRTMIN + 1;
	sigset_t all, old;

	sigfillset(&act.sa_mask);
	sigfillset(&all);
	sigaction(first, &act, NULL);
	sigaction(first + 1, &act, NULL);
	sigprocmask(SIG_BLOCK, &all, &old);
	for (int i = 0; i < 3; i++)
		sigqueue(getpid(), i == 0 ? first + 1 : first, (union sigval){.sival_int = i});
	sigprocmask(SIG_SETMASK, &old, NULL);
	for (int i = 0; i < norder; i++)
		printf("queued %d\n", order[i]);
	handle(SIGUSR2, SA_RESETHAND);
	raise(SIGUSR2);
	sigaction(SIGUSR2, NULL, &act);
	printf("reset after %d: %d\n", handled, act.sa_handler == SIG_DFL);
}

/* ---------------------------------------------------------------- children */
static void spawns(void)
{
	char *nosuch[] = {"nosuch", NULL}, *shell[] = {"sh", "-c", "exit 9", NULL};
	pid_t pid;

	printf("nosuch: %s\n", strerror(posix_spawnp(&pid, "nosuch", NULL, NULL, nosuch, environ)));
	posix_spawnp(&pid, "sh", NULL, NULL, shell, environ);
	printf("spawned: %d\n", status_of(pid));
	handle(SIGUSR1, 0);
	pid = vfork();
	if (!pid) {
		signal(SIGUSR1, SIG_DFL);
		_exit(4);
	}
	printf("vforked: %d\n", status_of(pid));
	raise(SIGUSR1);
	printf("its parent's handler is still there: %d\n", handled);
}

static void segv(void) { *(volatile int *)8 = 1; }
static void trap(void) { __builtin_trap(); }
static void breakpoint(void) { __asm__ volatile("int3"); }

static void die(void)
{
	static void (*const ways[])(void) = {segv, abort, trap, breakpoint};
	int status;
	pid_t pid;

	for (unsigned i = 0; i < sizeof ways / sizeof *ways; i++) {
		pid = fork();
		if (!pid) {
			ways[i]();
			_exit(1);
		}
		printf("died: %d\n", status_of(pid));
	}
	pid = fork();
	if (!pid) {
		raise(SIGSTOP);
		_exit(3);
	}
	waitpid(pid, &status, WUNTRACED);
	printf("stopped: %d\n", WIFSTOPPED(status));
	kill(pid, SIGCONT);
	printf("continued: %d\n", status_of(pid));
}

int main(void)
{
	struct timeval moment = {0, 10000};

	setvbuf(stdout, NULL, _IONBF, 0);
	pipe(fds);
	handle(SIGUSR1, 0);
	raise(SIGUSR1);
	kill(getpid(), SIGUSR1);
	printf("raised: %d\n", handled);
	calls();
	in_a_loop();
	faults();
	alternate_stack();
	masks();
	queued();
	spawns();
	die();
	printf("select: %d\n", select(0, NULL, NULL, NULL, &moment));
	kill(getpid(), SIGTERM);
	printf("not reached\n");
}
