/*
 * threads.c - changes the signal masks of all kernel threads of the process, also of those that exist already: libuv's, V8's, other environments'.
 *
 * Each is sent a signal (the carrier) whose handler edits the mask that the kernel restores when it returns: as glibc does it for setuid(). Threads that are
 * made later have their mask from those that make them. The carrier is a signal that nobody uses at that time, borrowed.
 *
 * Invariant: the carrier's handler is there as long as a thread may have it pending.
 */
#include "signals.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#define PATIENCE 5000 /* naps of 1 ms */
#define LOOKS 500 /* of 10 ms each */
#define THREADS_MAX 4096
#define BLOCKING_MAX 64
#define OFTEN 3

static _Atomic uint64_t to_block, to_unblock;
static _Atomic uint32_t edited;
static _Atomic int stray; /* a carrier that was not ours */
static pid_t self;

static void edit(int sig, siginfo_t *info, void *context)
{
	uint64_t *mask = (uint64_t *)&((ucontext_t *)context)->uc_sigmask; /* the kernel has these eight bytes only */
	int before = errno;

	if (info->si_code != SI_TKILL || info->si_pid != self)
		atomic_store(&stray, sig);
	else {
		*mask = (*mask | atomic_load(&to_block)) & ~atomic_load(&to_unblock);
		atomic_fetch_add(&edited, 1);
		syscall(SYS_futex, &edited, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1, NULL, NULL, 0);
	}
	errno = before;
}

/* A thread's mask; false: it is no more. */
static bool mask_of(pid_t tid, uint64_t *mask)
{
	char path[64], text[4096], *at;
	ssize_t length;
	int fd;

	snprintf(path, sizeof(path), "/proc/self/task/%d/status", tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	length = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (length <= 0)
		return false;
	text[length] = '\0';
	at = strstr(text, "\nSigBlk:");
	if (!at)
		return false;
	*mask = strtoull(at + 8, NULL, 16);
	return true;
}

static bool differs(uint64_t mask)
{
	return (to_block & ~mask) || (to_unblock & mask);
}

/* Threads that have been seen to block everything, and how often. */
static struct {
	pid_t tid;
	unsigned seen;
} blocking[BLOCKING_MAX];

/*
 * Of a thread that blocks the carrier: whether it does so for a moment only. glibc does where it makes a thread, 32 and 33 included, which nobody else can block; so do our
 * own handlers, in which a thread may still be from the time before. libuv does where it starts a process, on the first thread say. All others do so for ever (V8's and
 * Node's for the inspector, libcr's helpers), unless they make a thread that is to: who is found so again and again is one of these.
 */
static bool is_temporary(pid_t tid, uint64_t mask)
{
	uint64_t internal = BIT(32) | BIT(33);

	if (tid == self || (mask & internal) == internal)
		return true;
	for (unsigned i = 0; i < BLOCKING_MAX; i++) {
		if (blocking[i].tid == 0)
			blocking[i].tid = tid;
		if (blocking[i].tid == tid)
			return ++blocking[i].seen < OFTEN;
	}
	return false;
}

/* Sends the carrier to all that are not as they should be. How many. *again: some could not be told yet. */
static uint32_t send_round(int carrier, pid_t *sent, bool *again)
{
	DIR *folder = opendir("/proc/self/task");
	struct dirent *entry;
	uint32_t count = 0;

	*again = false;
	if (!folder)
		return 0;
	while ((entry = readdir(folder)) && count < THREADS_MAX) {
		pid_t tid = atoi(entry->d_name);
		uint64_t mask;

		if (tid <= 0 || tid == gettid() || !mask_of(tid, &mask))
			continue;
		if (mask & BIT(carrier)) {
			*again = *again || is_temporary(tid, mask);
			continue;
		}
		if (!differs(mask))
			continue;
		if (syscall(SYS_tgkill, self, tid, carrier) == 0)
			sent[count++] = tid;
		else if (errno == EAGAIN)
			*again = true; /* so many signals are pending for processes of this user that the kernel takes no more just now */
	}
	closedir(folder);
	return count;
}

/* Whether all have run the handler, or have ended. */
static bool wait_round(const pid_t *sent, uint32_t count)
{
	struct timespec slice = { .tv_nsec = 10 * 1000 * 1000 };

	for (int i = 0; i < LOOKS; i++) {
		uint32_t done = atomic_load(&edited);
		uint32_t left = 0;

		if (done >= count)
			return true;
		if (syscall(SYS_futex, &edited, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, done, &slice, NULL, 0) == 0 || errno != ETIMEDOUT)
			continue;
		for (uint32_t k = 0; k < count; k++) {
			uint64_t mask;

			left += mask_of(sent[k], &mask) && differs(mask);
		}
		if (left == 0)
			return true;
	}
	return false;
}

/* Whether sig may be the carrier now: it has its default action. Its handler is there then. */
static bool borrows(int sig, struct sigaction *before)
{
	struct sigaction action = { .sa_sigaction = edit, .sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK };

	*(uint64_t *)&action.sa_mask = ~0ull; /* glibc's own two as well: who looks at a thread's mask sees that it is in here, see is_temporary */
	if (sigaction(sig, NULL, before) != 0 || (before->sa_handler != SIG_DFL && before->sa_sigaction != edit))
		return false;
	return sigaction(sig, &action, NULL) == 0;
}

/* One that we do not manage; where we manage all of the real-time ones, a fault that nobody raises. 0: there is none. */
static int borrow(uint64_t managed, struct sigaction *before)
{
	for (int sig = SIGRTMAX; sig >= SIGRTMIN; sig--)
		if (!((managed | to_block | to_unblock) & BIT(sig)) && borrows(sig, before))
			return sig;
	return borrows(SIGSYS, before) ? SIGSYS : 0;
}

void threads_edit(uint64_t block, uint64_t unblock, uint64_t managed)
{
	static pid_t sent[THREADS_MAX];
	struct sigaction before;
	int carrier;
	bool all = true, again;
	int patience = PATIENCE;
	sigset_t mask;

	self = getpid();
	to_block = block;
	to_unblock = unblock;
	carrier = borrow(managed, &before);
	if (carrier) {
		/* Until nobody is left: a thread that was not told yet may have made another one meanwhile. */
		for (;;) {
			uint32_t count;

			edited = 0;
			count = send_round(carrier, sent, &again);
			if (count == 0 && (!again || patience-- == 0))
				break;
			if (count == 0)
				usleep(1000);
			if (!wait_round(sent, count)) {
				all = false;
				break;
			}
		}
		if (all)
			sigaction(carrier, &before, NULL);
		if (atomic_exchange(&stray, 0))
			kill(self, carrier);
	}
	pthread_sigmask(SIG_SETMASK, NULL, &mask);
	*(uint64_t *)&mask = (*(uint64_t *)&mask | block) & ~unblock;
	pthread_sigmask(SIG_SETMASK, &mask, NULL);
}
