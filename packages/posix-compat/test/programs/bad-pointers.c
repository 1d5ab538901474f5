/*
 * bad-pointers.c - makes calls with pointers to nothing in place of each that they take, in turn, and prints what they answer. From stdin, a line for each call: its name,
 * its number, what its arguments are (f descriptor, p pointer, s size, n another number), and what the other arguments may be: 0 nothing, v what is valid, 1 that and ones.
 *
 * That is done by a child with two threads, which is killed if it hangs, and then by the next from the next call on; and with descriptors of several kinds.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096
#define HANGS 60 /* s */
#define FDS 4
#define NOBODY 65534
#define HERE 0x300000000000ul

static int fds[FDS], quiet[2];
static char *valid; /* zeros, of which calls may make what they like */
static const void *bad[3]; /* nobody's, the kernel's, one that begins well */

static void *waits(void *arg)
{
	char c;

	read(quiet[0], &c, 1);
	return arg;
}

static void print_result(long result)
{
	if (result >= 0)
		printf(" ok");
	else
		printf(" %s", strerrorname_np(errno) ?: "?");
}

static void fill(long *arguments, const char *kinds, char mode, int fd)
{
	for (unsigned i = 0; i < 6; i++)
		arguments[i] = 0;
	for (unsigned i = 0; kinds[i]; i++) {
		if (kinds[i] == 'f')
			arguments[i] = fd;
		else if (kinds[i] == 'p' && mode != '0')
			arguments[i] = (long)(valid + i * PAGE);
		else if (kinds[i] == 's' && mode != '0')
			arguments[i] = mode == 'v' ? 16 : 8;
		else if (kinds[i] == 'n' && mode == '1')
			arguments[i] = 1;
	}
}

static void try_all(long number, const char *kinds, const char *modes)
{
	long a[6];

	for (; *modes; modes++)
		for (int fd = 0; fd < (strchr(kinds, 'f') ? FDS : 1); fd++)
			for (unsigned i = 0; kinds[i]; i++)
				for (unsigned b = 0; b < sizeof bad / sizeof bad[0] && kinds[i] == 'p'; b++) {
					memset(valid, 0, 6 * PAGE);
					memset((void *)bad[2], 0, 4);
					fill(a, kinds, *modes, fds[fd]);
					a[i] = (long)bad[b];
					print_result(syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]));
				}
}

/** What is tried must not be able to change the machine: some pointer may be a good one after all. */
static void give_up_rights(void)
{
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (!geteuid() && (setgroups(0, NULL) || setresgid(NOBODY, NOBODY, NOBODY) || setresuid(NOBODY, NOBODY, NOBODY)))
		_exit(99);
	if (!geteuid() || !getuid())
		_exit(98);
}

/** Not at random: an address may be taken for flags. */
static char *map_at(unsigned long address, int pages)
{
	char *at = mmap((void *)address, (size_t)pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

	if (at != (char *)address)
		_exit(97);
	return at;
}

static void prepare(void)
{
	char *end = map_at(HERE, 2) + PAGE;
	int pipes[2], sockets[2];
	pthread_t thread;

	give_up_rights();
	mprotect(end, PAGE, PROT_NONE); /* and not unmapped: a call that maps something might map it there */
	bad[0] = (void *)8, bad[1] = (void *)-8l, bad[2] = end - 4;
	valid = map_at(HERE + (1 << 20), 6);
	pipe(quiet);
	pipe2(pipes, O_NONBLOCK);
	socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, sockets);
	write(pipes[1], "some data to be read", 20);
	write(sockets[1], "some data to be read", 20);
	fds[0] = memfd_create("file", 0);
	write(fds[0], "some data to be read", 20);
	fds[1] = open("/", O_RDONLY | O_DIRECTORY);
	fds[2] = sockets[0];
	fds[3] = pipes[0];
	pthread_create(&thread, NULL, waits, NULL);
}

struct call {
	char name[64], kinds[8], modes[8];
	int number;
};

static struct call calls[512];
static volatile int *at; /* shared: which call is being made */

static void try_from(int first, int n)
{
	prepare();
	for (*at = first; *at < n; ++*at) {
		printf("%s:", calls[*at].name);
		fflush(stdout);
		try_all(calls[*at].number, calls[*at].kinds, calls[*at].modes);
		printf("\n");
	}
	fflush(stdout);
	_exit(0);
}

/** Which is next: -1, all have been tried. */
static int reap(pid_t child)
{
	struct timespec patience = {HANGS, 0};
	sigset_t set;
	int status = 0, before = *at;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	while (!waitpid(child, &status, WNOHANG)) {
		if (sigtimedwait(&set, NULL, &patience) < 0 && errno == EAGAIN && *at == before)
			kill(child, SIGKILL);
		before = *at;
	}
	if (!status)
		return -1;
	printf(" %s by %d\n", WIFSIGNALED(status) ? "killed" : "ended", WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	fflush(stdout);
	return *at + 1;
}

int main(void)
{
	const struct rlimit none = {0};
	char line[128];
	sigset_t set;
	int n = 0;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	setrlimit(RLIMIT_CORE, &none);
	setvbuf(stdout, NULL, _IOFBF, 1 << 16);
	at = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	while (fgets(line, sizeof line, stdin))
		n += sscanf(line, "%63s %d %7s %7s", calls[n].name, &calls[n].number, calls[n].kinds, calls[n].modes) == 4;
	for (int next = 0; next >= 0 && next < n;) {
		pid_t child = fork();

		if (!child)
			try_from(next, n);
		next = reap(child);
	}
	return 0;
}
