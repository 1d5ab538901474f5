/* tasks.c - what a program with threads is told of them and of itself: /proc/self/task, names, how they are scheduled, children. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

static pthread_barrier_t barrier;
static int tids[3];

static void say(const char *what, int so) { printf("%s: %s\n", what, so ? "yes" : "no"); }

static const char *read_from(int folder, const char *path)
{
	static char text[8192];
	int fd = openat(folder, path, O_RDONLY | O_CLOEXEC);
	long n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (n < 0)
		snprintf(text, sizeof(text), "%s", strerror(errno));
	else
		text[n] = 0;
	close(fd);
	if (n > 0 && text[n - 1] == '\n')
		text[n - 1] = 0;
	return text;
}

static const char *of(int tid, const char *file)
{
	char path[100];

	sprintf(path, "/proc/self/task/%d/%s", tid, file);
	return read_from(AT_FDCWD, path);
}

static long field(const char *stat, int which)
{
	const char *at = strrchr(stat, ')') + 2;

	while (which-- > 3)
		at = strchr(at, ' ') + 1;
	return which == 2 && *at > '9' ? *at : atol(at);
}

static const char *line(const char *status, const char *name)
{
	static char text[200];
	const char *at = strstr(status, name);

	snprintf(text, sizeof(text), "%.*s", at ? (int)strcspn(at, "\n") : 0, at ? at : "");
	return text;
}

static void *is_there(void *arg)
{
	sigset_t set;
	struct sched_param param = {0};
	char own[40];

	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	tids[(long)arg] = (int)syscall(SYS_gettid);
	sprintf(own, "worker %ld", (long)arg);
	prctl(PR_SET_NAME, own);
	pthread_barrier_wait(&barrier);
	pthread_barrier_wait(&barrier); /* the first looks around */
	if (arg == (void *)1) {
		char link[40] = "", expected[40];
		struct stat about;

		sprintf(expected, "%d/task/%d", getpid(), tids[1]);
		say("own link", readlink("/proc/thread-self", link, sizeof(link) - 1) > 0 && !strcmp(link, expected));
		say("is a link", !lstat("/proc/thread-self", &about) && S_ISLNK(about.st_mode) && !stat("/proc/thread-self", &about) && S_ISDIR(about.st_mode));
		say("is not followed", open("/proc/thread-self", O_RDONLY | O_NOFOLLOW) < 0 && errno == ELOOP);
		printf("own comm: %s\n", read_from(AT_FDCWD, "/proc/thread-self/comm"));
		say("own stat", atoi(read_from(AT_FDCWD, "/proc/thread-self/stat")) == tids[1]);
		printf("policies: %d %d\n", pthread_setschedparam(pthread_self(), SCHED_BATCH, &param), sched_getscheduler(0));
		param.sched_priority = 1;
		printf("wrong: %d\n", pthread_setschedparam(pthread_self(), SCHED_BATCH, &param));
		printf("nice: %d", setpriority(PRIO_PROCESS, 0, 5));
		printf(" %d %d\n", getpriority(PRIO_PROCESS, 0), getpriority(PRIO_PROCESS, (id_t)tids[0]));
	}
	pthread_barrier_wait(&barrier);
	pthread_barrier_wait(&barrier);
	return NULL;
}

static int listed(DIR *folder, int *known)
{
	int n = 0;

	*known = 0;
	for (struct dirent *entry; (entry = readdir(folder));) {
		int tid = atoi(entry->d_name);

		n += tid != 0;
		*known += tid == getpid() || tid == tids[0] || tid == tids[1] || tid == tids[2];
	}
	return n;
}

static void look_around(void)
{
	DIR *folder = opendir("/proc/self/task");
	char path[100], exe[4096];
	struct stat about;
	int known, n = listed(folder, &known), fd;
	ssize_t size;

	printf("threads: %d, known: %d\n", n, known);
	rewinddir(folder);
	printf("again: %d\n", listed(folder, &known));
	sprintf(path, "%d/comm", tids[2]);
	printf("from the folder: %s\n", read_from(dirfd(folder), path));
	closedir(folder);
	for (int i = 0; i < 3; i++) {
		printf("comm %s, ", of(tids[i], "comm"));
		printf("state %c, ", (char)field(of(tids[i], "stat"), 3));
		printf("threads %ld, own tid %d, ", field(of(tids[i], "stat"), 20), atoi(of(tids[i], "stat")) == tids[i]);
		printf("%s, ", line(of(tids[i], "status"), "Name:"));
		printf("%s, ", line(of(tids[i], "status"), "State:"));
		printf("%s, ", line(of(tids[i], "status"), "SigBlk:"));
		printf("%s\n", line(of(tids[i], "status"), "Threads:"));
	}
	say("of the process", atoi(strchr(line(of(getpid(), "status"), "Tgid:"), '\t')) == getpid());
	say("command line", !strcmp(of(tids[0], "cmdline"), read_from(AT_FDCWD, "/proc/self/cmdline")));
	printf("children '%s'\n", of(tids[0], "children"));
	printf("process: %s\n", line(read_from(AT_FDCWD, "/proc/self/status"), "Threads:"));
	printf("process: %ld\n", field(read_from(AT_FDCWD, "/proc/self/stat"), 20));
	printf("nobody: %s\n", of(0x3ffffffe, "comm"));
	sprintf(path, "/proc/self/task/%d", tids[1]);
	printf("stat %d, ", stat(path, &about));
	printf("%d, access %d, ", S_ISDIR(about.st_mode), access(path, F_OK));
	sprintf(path, "/proc/%d/task/%d/comm", getpid(), tids[1]);
	printf("%d\n", access(path, R_OK));
	fd = open(path, O_WRONLY);
	size = write(fd, "renamed by another one", 22);
	close(fd);
	printf("written %zd: %s\n", size, of(tids[1], "comm"));
	sprintf(path, "/proc/self/task/%d/exe", tids[1]);
	size = readlink(path, exe, sizeof(exe) - 1);
	exe[size < 0 ? 0 : size] = 0;
	printf("exe %s\n", strrchr(exe, '/') ? strrchr(exe, '/') : exe);
}

static void look_at_calls(void)
{
	cpu_set_t all, one;
	void *head = NULL;
	size_t size = 0;
	int cpu = 0;

	printf("robust list: %ld ", syscall(SYS_get_robust_list, tids[0], &head, &size));
	printf("%zu %d\n", size, head != NULL);
	printf("of nobody: %ld\n", syscall(SYS_get_robust_list, 0x3ffffffe, &head, &size) ? (long)-errno : 0);
	sched_getaffinity(tids[0], sizeof(all), &all);
	while (!CPU_ISSET(cpu, &all))
		cpu++;
	CPU_ZERO(&one);
	printf("no processor: %d\n", sched_setaffinity(tids[0], sizeof(one), &one) ? -errno : 0);
	CPU_SET(cpu, &one);
	printf("one processor: %d ", sched_setaffinity(tids[0], sizeof(one), &one));
	sched_getaffinity(tids[0], sizeof(all), &all);
	printf("%d", CPU_EQUAL(&all, &one));
	printf(" scheduler %d %d, ", sched_getscheduler(tids[1]), sched_getscheduler(0));
	printf("nice %d %d\n", getpriority(PRIO_PROCESS, (id_t)tids[1]), getpriority(PRIO_PROCESS, 0));
	printf("wrong policy: %d\n", sched_setscheduler(tids[0], 99, &(struct sched_param){0}) ? -errno : 0);
	printf("no thread: %d\n", sched_getscheduler(0x3ffffffe) < 0 ? -errno : 0);
	printf("barriers: %d\n", syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) == 0 &&
	                                 syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) == 0);
	printf("to oneself: %ld\n", syscall(SYS_tgkill, getpid(), tids[0], 0));
	printf("to nobody: %ld\n", syscall(SYS_tgkill, getpid(), 0x3ffffffe, 0) ? (long)-errno : 0);
}

static void handler(int sig) { (void)sig; }

/* A child of vfork that waits for a signal of its own, which is its own parent's to send. */
static void vfork_suspends(void)
{
	sigset_t usr1, none;
	pid_t child;
	int status;

	sigemptyset(&usr1);
	sigaddset(&usr1, SIGUSR1);
	sigemptyset(&none);
	sigprocmask(SIG_BLOCK, &usr1, NULL);
	child = vfork();
	if (!child) {
		signal(SIGUSR1, handler);
		kill(getpid(), SIGUSR1);
		_exit(sigsuspend(&none) == -1 && errno == EINTR ? 7 : 1);
	}
	waitpid(child, &status, 0);
	printf("vfork, sigsuspend: %d\n", WEXITSTATUS(status));
	say("its handler is not its parent's", signal(SIGUSR1, SIG_DFL) == SIG_DFL);
	sigprocmask(SIG_UNBLOCK, &usr1, NULL);
}

static void *waits_for_child(void *arg)
{
	siginfo_t info;
	int status;

	printf("another thread's: %d\n", waitpid(*(pid_t *)arg, &status, __WALL) == *(pid_t *)arg && WEXITSTATUS(status) == 3);
	printf("none is left: %d\n", waitid(P_ALL, 0, &info, WEXITED) ? -errno : 0);
	return NULL;
}

static void children(void)
{
	pthread_t thread;
	pid_t child = fork();
	int status;

	if (!child)
		_exit(3);
	pthread_create(&thread, NULL, waits_for_child, &child);
	pthread_join(thread, NULL);
	child = fork();
	if (!child)
		_exit(4);
	printf("one's own: %d\n", waitpid(child, &status, __WNOTHREAD) == child && WEXITSTATUS(status) == 4);
	child = fork();
	if (!child) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGSTOP);
		_exit(5);
	}
	printf("traced: %d, ", waitpid(child, &status, __WALL) == child && WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
	printf("its registers: %d, ", ptrace(PTRACE_PEEKUSER, child, offsetof(struct user_regs_struct, rip), NULL) != 0);
	printf("goes on: %ld, ", ptrace(PTRACE_CONT, child, NULL, NULL));
	printf("%d\n", waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 5);
}

static void *forks(void *arg)
{
	char name[16];
	int status;

	prctl(PR_SET_NAME, "forker");
	if (!fork()) {
		prctl(PR_GET_NAME, name);
		printf("a child's name: %s, %s\n", name, read_from(AT_FDCWD, "/proc/self/comm"));
		_exit(0);
	}
	wait(&status);
	return arg;
}

int main(void)
{
	pthread_t threads[3];

	alarm(200);
	setvbuf(stdout, NULL, _IOLBF, 0);
	vfork_suspends();
	pthread_barrier_init(&barrier, NULL, 4);
	for (long i = 0; i < 3; i++)
		pthread_create(&threads[i], NULL, is_there, (void *)i);
	pthread_barrier_wait(&barrier);
	for (int i = 0; i < 3; i++)
		while (field(of(tids[i], "stat"), 3) != 'S')
			usleep(1000);
	look_around();
	pthread_barrier_wait(&barrier);
	pthread_barrier_wait(&barrier);
	look_at_calls();
	vfork_suspends();
	children();
	pthread_barrier_wait(&barrier);
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	pthread_create(&threads[0], NULL, forks, NULL);
	pthread_join(threads[0], NULL);
	return 0;
}
