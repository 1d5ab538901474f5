/* pointers.c - calls that libcr answers, with pointers to nothing and other nonsense, while there are two threads: what the kernel answers, and the program goes on. */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/futex.h>
#include <linux/sched.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static void *waits(void *arg)
{
	char c;

	read(*(int *)arg, &c, 1);
	return NULL;
}

static void print(const char *call, long result)
{
	printf("%s: %ld %s\n", call, result, result < 0 ? strerror(errno) : "");
}

#define TRY(...) print(#__VA_ARGS__, syscall(__VA_ARGS__))

static void wakes(int *word, int *odd)
{
	TRY(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
	TRY(SYS_futex, word, FUTEX_WAKE_PRIVATE, 0, NULL, NULL, 0);
	TRY(SYS_futex, odd, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
	TRY(SYS_futex, -4096l, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
	TRY(SYS_futex, word, FUTEX_WAKE_BITSET_PRIVATE, 1, NULL, NULL, 0);
	TRY(SYS_futex, word, FUTEX_WAKE_BITSET_PRIVATE, 1, NULL, NULL, 8);
	TRY(SYS_futex, word, FUTEX_WAKE_PRIVATE | FUTEX_CLOCK_REALTIME, 1, NULL, NULL, 0);
}

int main(void)
{
	char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), *end = page + 4096, c;
	int *odd = (int *)(page + 1), *word = (int *)page;
	void *bad = (void *)8, *half = end - 4; /* four bytes are there, the rest is not */
	struct timespec wrong = {0, 2000000000};
	pthread_t thread;
	int fds[2];

	setvbuf(stdout, NULL, _IONBF, 0);
	munmap(end, 4096);
	pipe(fds);
	wakes(word, odd); /* of one thread */
	pthread_create(&thread, NULL, waits, &fds[0]);
	TRY(SYS_futex, bad, FUTEX_WAIT, 0, NULL, NULL, 0);
	TRY(SYS_futex, word, FUTEX_WAIT, 0, bad, NULL, 0);
	TRY(SYS_futex, word, FUTEX_WAIT, 0, &wrong, NULL, 0);
	TRY(SYS_futex, word, FUTEX_WAIT, 1, NULL, NULL, 0);
	TRY(SYS_futex, odd, FUTEX_WAIT, 0, NULL, NULL, 0);
	TRY(SYS_futex, word, FUTEX_WAIT_BITSET, 0, NULL, NULL, 0);
	TRY(SYS_futex, word, FUTEX_CMP_REQUEUE, 1, 1, word, 5);
	TRY(SYS_futex, word, FUTEX_WAKE_OP, 1, 1, bad, 0);
	TRY(SYS_futex, word, FUTEX_WAKE, 1, NULL, NULL, 0);
	wakes(word, odd);
	TRY(SYS_nanosleep, bad, NULL);
	TRY(SYS_nanosleep, half, NULL);
	TRY(SYS_nanosleep, &wrong, NULL);
	TRY(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, bad, NULL);
	TRY(SYS_rt_sigaction, SIGUSR1, bad, NULL, 8);
	TRY(SYS_rt_sigaction, SIGUSR1, NULL, half, 8);
	TRY(SYS_rt_sigaction, SIGKILL, page, NULL, 8);
	TRY(SYS_rt_sigaction, 65, NULL, page, 8);
	TRY(SYS_rt_sigprocmask, SIG_BLOCK, bad, NULL, 8);
	TRY(SYS_rt_sigprocmask, SIG_BLOCK, NULL, half, 8);
	TRY(SYS_rt_sigprocmask, 9, page, NULL, 8);
	TRY(SYS_rt_sigprocmask, SIG_BLOCK, page, NULL, 4);
	TRY(SYS_rt_sigpending, bad, 8);
	TRY(SYS_rt_sigsuspend, bad, 8);
	TRY(SYS_rt_sigtimedwait, bad, NULL, NULL, 8);
	TRY(SYS_sigaltstack, bad, NULL);
	TRY(SYS_sigaltstack, NULL, half);
	TRY(SYS_clone3, bad, sizeof(struct clone_args));
	TRY(SYS_clone3, page, 8);
	TRY(SYS_set_robust_list, page, 8);
	TRY(SYS_sched_getaffinity, 0, 128, bad);
	TRY(SYS_tgkill, getpid(), 0x7fffffff, 0);
	TRY(SYS_tgkill, getpid(), getpid(), 99);
	TRY(SYS_execve, bad, NULL, NULL);
	TRY(SYS_execve, "/bin/true", bad, NULL);
	TRY(SYS_execve, half, NULL, NULL);
	TRY(SYS_readlink, "/proc/self/exe", bad, 10);
	TRY(SYS_readlink, "/proc/self/exe", page, -1);
	TRY(SYS_read, fds[0], page, 0);
	TRY(SYS_write, fds[1], "x", 1);
	pthread_join(thread, NULL);
	TRY(SYS_write, fds[1], bad, 1);
	TRY(SYS_write, fds[1], "x", 1);
	TRY(SYS_read, fds[0], bad, 1);
	return (int)read(fds[0], &c, 0);
}
