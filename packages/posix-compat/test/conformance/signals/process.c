/* process.c - signals and processes: children, job control, what fork, vfork, exec and posix_spawn hand on, how a process ends. */
#include "../conformance.h"

#include <fcntl.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>

extern char **environ;
static atomic_int handled, ready;
static volatile siginfo_t seen;

static void notes(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	seen = *info;
	handled++;
}

static void handle(int sig, int flags)
{
	struct sigaction act;

	memset(&act, 0, sizeof(act));
	act.sa_sigaction = notes;
	act.sa_flags = SA_SIGINFO | SA_RESTART | flags;
	OK(sigaction(sig, &act, NULL));
}

static void *waits(void *arg)
{
	ready = 1;
	for (;;)
		pause();
	return arg;
}

static pid_t child_that(void (*runs)(void))
{
	pid_t child = fork();

	if (!child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		runs();
		_exit(3);
	}
	return child;
}

static void ends(void) {}
static void stays(void) { waits(NULL); }

static void stays_with_threads(void)
{
	begin(waits, NULL);
	waits(NULL);
}

BEHAVIOUR(chld_info, "SIGCHLD says who has ended, and how: exited, killed")
{
	pid_t child;

	begin(waits, NULL);
	handle(SIGCHLD, 0);
	child = child_that(ends);
	UNTIL(handled == 1);
	CHECK(seen.si_code == CLD_EXITED && seen.si_pid == child && seen.si_status == 3);
	GIVES(3 << 8, status_of(child));
	child = child_that(stays);
	OK(kill(child, SIGKILL));
	UNTIL(handled == 2);
	CHECK(seen.si_code == CLD_KILLED && seen.si_pid == child && seen.si_status == SIGKILL);
}

BEHAVIOUR(chld_stops, "Job control: SIGCHLD and waitpid tell of a stop and of going on, all threads of a process stop")
{
	pid_t child;
	int status;

	begin(waits, NULL);
	handle(SIGCHLD, 0);
	child = child_that(stays_with_threads);
	OK(setpgid(child, child)); /* SIGTSTP stops nobody in a group that has no relative in its session */
	moment();
	OK(kill(child, SIGSTOP));
	UNTIL(handled == 1);
	CHECK(seen.si_code == CLD_STOPPED && seen.si_status == SIGSTOP);
	GIVES(child, waitpid(child, &status, WUNTRACED));
	CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
	OK(kill(child, SIGCONT));
	UNTIL(handled == 2);
	CHECK(seen.si_code == CLD_CONTINUED);
	GIVES(child, waitpid(child, &status, WCONTINUED));
	CHECK(WIFCONTINUED(status));
	OK(kill(child, SIGTSTP));
	GIVES(child, waitpid(child, &status, WUNTRACED));
	CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == SIGTSTP);
	OK(kill(child, SIGKILL));
}

BEHAVIOUR(chld_nocldstop, "With SA_NOCLDSTOP there is none for a stop")
{
	pid_t child;
	int status;

	begin(waits, NULL);
	handle(SIGCHLD, SA_NOCLDSTOP);
	child = child_that(stays);
	OK(kill(child, SIGSTOP));
	GIVES(child, waitpid(child, &status, WUNTRACED));
	moment();
	CHECK(!handled);
	OK(kill(child, SIGKILL));
	UNTIL(handled == 1);
	CHECK(seen.si_code == CLD_KILLED);
}

BEHAVIOUR(chld_nocldwait, "With SA_NOCLDWAIT, or SIGCHLD ignored, children leave no status: ECHILD when all have ended")
{
	begin(waits, NULL);
	handle(SIGCHLD, SA_NOCLDWAIT);
	child_that(ends);
	SETS(ECHILD, wait(NULL));
	CHECK(signal(SIGCHLD, SIG_IGN) != SIG_ERR);
	child_that(ends);
	SETS(ECHILD, wait(NULL));
}

BEHAVIOUR(pipe_signal, "SIGPIPE is for the thread that has written: EPIPE after its handler; ended by default")
{
	int fds[2], status;

	OK(pipe(fds));
	close(fds[0]);
	begin(waits, NULL);
	handle(SIGPIPE, 0);
	SETS(EPIPE, write(fds[1], "x", 1));
	CHECK(handled == 1 && seen.si_pid == getpid());
	signal(SIGPIPE, SIG_IGN);
	SETS(EPIPE, write(fds[1], "x", 1));
	pid_t child = fork();
	if (!child) {
		signal(SIGPIPE, SIG_DFL);
		begin(waits, NULL);
		(void)!write(fds[1], "x", 1);
		_exit(0);
	}
	status = status_of(child);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE);
}

BEHAVIOUR(itimer_real, "setitimer's SIGALRM comes again and again; what was left is told")
{
	struct itimerval times = {{0, 5000}, {0, 5000}}, old;

	begin(waits, NULL);
	alarm(0);
	handle(SIGALRM, 0);
	OK(setitimer(ITIMER_REAL, &times, NULL));
	UNTIL(handled >= 3);
	CHECK(seen.si_code == SI_KERNEL);
	memset(&times, 0, sizeof(times));
	OK(setitimer(ITIMER_REAL, &times, &old));
	CHECK(old.it_interval.tv_usec == 5000);
}

BEHAVIOUR(itimer_cpu, "ITIMER_VIRTUAL and ITIMER_PROF go by the time that the process computes: SIGVTALRM, SIGPROF")
{
	struct itimerval times = {{0, 0}, {0, 20000}};

	begin(waits, NULL);
	handle(SIGVTALRM, 0);
	handle(SIGPROF, 0);
	OK(setitimer(ITIMER_VIRTUAL, &times, NULL));
	OK(setitimer(ITIMER_PROF, &times, NULL));
	while (handled < 2)
		;
}

static void ends_by(int sig, bool threads)
{
	pid_t child = fork();
	int status;

	if (!child) {
		struct rlimit none = {0, 0};

		setrlimit(RLIMIT_CORE, &none);
		if (threads)
			begin(waits, NULL);
		raise(sig);
		_exit(0);
	}
	status = status_of(child);
	if (!WIFSIGNALED(status) || WTERMSIG(status) != sig)
		fail("raise(%s) ends it with status 0x%x", strsignal(sig), status);
}

BEHAVIOUR(end_by_each, "Each signal whose default is that ends the process, and is its status, with one thread and with several")
{
	for (int sig = 1; sig <= SIGRTMAX; sig++)
		if (sig != SIGCHLD && sig != SIGURG && sig != SIGWINCH && sig != SIGCONT && sig != SIGSTOP && sig != SIGTSTP && sig != SIGTTIN && sig != SIGTTOU &&
		    (sig < 32 || sig == SIGRTMIN || sig == SIGRTMAX)) {
			ends_by(sig, false);
			ends_by(sig, true);
		}
}

static bool is_blocked(int sig)
{
	sigset_t set;

	OK(pthread_sigmask(SIG_SETMASK, NULL, &set));
	return sigismember(&set, sig);
}

BEHAVIOUR(fork_hands_on, "fork: the calling thread's mask and the actions are the child's, nothing is pending, no alarm runs")
{
	sigset_t set;
	pid_t child;

	begin(waits, NULL);
	handle(SIGUSR1, 0);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	OK(pthread_sigmask(SIG_BLOCK, &set, NULL));
	OK(raise(SIGUSR1));
	child = fork();
	if (!child) {
		bool good = is_blocked(SIGUSR1) && !alarm(0) && !sigpending(&set) && !sigismember(&set, SIGUSR1);

		raise(SIGUSR1);
		sigemptyset(&set);
		sigprocmask(SIG_SETMASK, &set, NULL);
		_exit(!good || handled != 1);
	}
	OK(status_of(child));
}

/* grep of /proc/self/status is what the program that is executed says of itself. */
static char *const says[] = {"grep", "-E", "^Sig(Blk|Ign)", "/proc/self/status", NULL};

static void read_sets(int fd, unsigned long *blocked, unsigned long *ignored)
{
	char text[200] = "";

	for (size_t n = 0; n < sizeof(text) - 1;) {
		ssize_t got = read(fd, text + n, sizeof(text) - 1 - n);

		if (got <= 0)
			break;
		n += (size_t)got;
	}
	CHECK(sscanf(text, "SigBlk: %lx SigIgn: %lx", blocked, ignored) == 2);
}

#define BIT(sig) (1ul << ((sig) - 1))

BEHAVIOUR(exec_hands_on, "execve: the calling thread's mask stays, ignored signals stay ignored, caught ones are by default")
{
	unsigned long blocked, ignored;
	int fds[2];
	pid_t child;

	OK(pipe(fds));
	child = fork();
	if (!child) {
		sigset_t set;

		dup2(fds[1], 1);
		begin(waits, NULL);
		sigemptyset(&set);
		sigaddset(&set, SIGUSR1);
		pthread_sigmask(SIG_BLOCK, &set, NULL);
		handle(SIGUSR2, 0);
		signal(SIGTERM, SIG_IGN);
		execv("/bin/grep", says);
		_exit(1);
	}
	close(fds[1]);
	read_sets(fds[0], &blocked, &ignored);
	OK(status_of(child));
	CHECK((blocked & BIT(SIGUSR1)) && !(blocked & BIT(SIGUSR2)) && (ignored & BIT(SIGTERM)) && !(ignored & BIT(SIGUSR2)));
}

BEHAVIOUR(spawn_attributes, "posix_spawn: POSIX_SPAWN_SETSIGMASK and POSIX_SPAWN_SETSIGDEF are what the program begins with")
{
	unsigned long blocked, ignored;
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t set;
	int fds[2];
	pid_t child;

	begin(waits, NULL);
	OK(pipe(fds));
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	OK(posix_spawn_file_actions_init(&actions));
	OK(posix_spawn_file_actions_adddup2(&actions, fds[1], 1));
	OK(posix_spawn_file_actions_addclose(&actions, fds[1]));
	OK(posix_spawnattr_init(&attr));
	OK(posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF));
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	OK(posix_spawnattr_setsigmask(&attr, &set));
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	OK(posix_spawnattr_setsigdefault(&attr, &set));
	OK(posix_spawn(&child, "/bin/grep", &actions, &attr, says, environ));
	close(fds[1]);
	read_sets(fds[0], &blocked, &ignored);
	OK(status_of(child));
	CHECK((blocked & BIT(SIGUSR2)) && !(ignored & BIT(SIGTERM)) && (ignored & BIT(SIGHUP)));
	CHECK(!is_blocked(SIGUSR2));
}

BEHAVIOUR(vfork_apart, "vfork's child changes its own mask and actions, not its parent's")
{
	pid_t child;

	begin(waits, NULL);
	handle(SIGUSR1, 0);
	child = vfork();
	if (!child) {
		struct sigaction act = {.sa_handler = SIG_DFL};
		sigset_t set;

		sigemptyset(&set);
		sigaddset(&set, SIGUSR2);
		sigprocmask(SIG_BLOCK, &set, NULL);
		sigaction(SIGUSR1, &act, NULL);
		_exit(0);
	}
	OK(status_of(child));
	CHECK(!is_blocked(SIGUSR2));
	OK(raise(SIGUSR1));
	CHECK(handled == 1);
}

BEHAVIOUR(killpg_all, "killpg reaches each process of the group, with several threads too")
{
	pid_t children[3];
	int status;

	for (int i = 0; i < 3; i++) {
		children[i] = child_that(i ? stays_with_threads : stays);
		OK(setpgid(children[i], children[0]));
	}
	moment();
	OK(killpg(children[0], SIGUSR1));
	for (int i = 0; i < 3; i++) {
		status = status_of(children[i]);
		CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGUSR1);
	}
	SETS(ESRCH, kill(children[0], SIGUSR1));
}

static timer_t timer_of(int notify, int sig, clockid_t clock)
{
	struct sigevent event;
	timer_t timer;

	memset(&event, 0, sizeof(event));
	event.sigev_notify = notify;
	event.sigev_signo = sig;
	event.sigev_value.sival_int = 99;
	if (notify == SIGEV_THREAD_ID)
		event._sigev_un._tid = (int)syscall(SYS_gettid);
	OK(timer_create(clock, &event, &timer));
	return timer;
}

BEHAVIOUR(timer_each, "Timers of each kind and clock: SI_TIMER, with the value; SIGEV_NONE's time is asked for")
{
	const clockid_t clocks[] = {CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME, CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID};
	struct itimerspec times = {.it_value = {0, 2000000}}, left;

	begin(waits, NULL);
	handle(SIGRTMIN, 0);
	handle(SIGSTKFLT, 0);
	for (int i = 0; i < COUNT(clocks); i++)
		for (int kind = 0; kind < 3; kind++) {
			timer_t timer = timer_of(kind ? SIGEV_THREAD_ID : SIGEV_SIGNAL, kind == 2 ? SIGSTKFLT : SIGRTMIN, clocks[i]);
			int before = handled;

			OK(timer_settime(timer, 0, &times, NULL));
			while (handled == before)
				;
			CHECK(seen.si_code == SI_TIMER && seen.si_value.sival_int == 99);
			OK(timer_delete(timer));
		}
	timer_t none = timer_of(SIGEV_NONE, 0, CLOCK_MONOTONIC);

	OK(timer_settime(none, 0, &times, NULL));
	do
		OK(timer_gettime(none, &left));
	while (left.it_value.tv_nsec);
}

BEHAVIOUR(timer_overrun, "While its signal waits a timer's time comes again: one signal, and timer_getoverrun says how often")
{
	struct itimerspec times = {{0, 1000000}, {0, 1000000}}, none = {0};
	sigset_t real_time;

	sigemptyset(&real_time);
	sigaddset(&real_time, SIGRTMIN);
	OK(pthread_sigmask(SIG_BLOCK, &real_time, NULL));
	begin(waits, NULL);
	for (int kind = 0; kind < 2; kind++) {
		timer_t timer = timer_of(kind ? SIGEV_THREAD_ID : SIGEV_SIGNAL, SIGRTMIN, CLOCK_MONOTONIC);
		siginfo_t info;
		sigset_t set;

		sigemptyset(&set);
		sigaddset(&set, SIGRTMIN);
		OK(pthread_sigmask(SIG_BLOCK, &set, NULL));
		OK(timer_settime(timer, 0, &times, NULL));
		moment();
		GIVES(SIGRTMIN, sigwaitinfo(&set, &info));
		CHECK(info.si_overrun > 5 && timer_getoverrun(timer) >= info.si_overrun);
		OK(timer_settime(timer, 0, &none, NULL));
		OK(timer_delete(timer));
		while (sigtimedwait(&set, &info, &(struct timespec){0, 0}) > 0)
			;
	}
}
