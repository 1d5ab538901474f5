/*
 * libc.c - os.h beside a C library.
 */
#define _GNU_SOURCE
#include "os/os.h"

#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

size_t lwkt_os_page_size(void)
{
	static _Atomic size_t known;
	size_t size = atomic_load_explicit(&known, memory_order_relaxed);

	if (size == 0) {
		size = (size_t)sysconf(_SC_PAGESIZE);
		atomic_store_explicit(&known, size, memory_order_relaxed);
	}
	return size;
}

void *lwkt_os_map(size_t size)
{
	int saved = errno;
	void *base = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);

	errno = saved;
	return base == MAP_FAILED ? NULL : base;
}

void lwkt_os_unmap(void *base, size_t size)
{
	int saved = errno;

	munmap(base, size);
	errno = saved;
}

int lwkt_os_advise(void *base, size_t size, int advice)
{
	int saved = errno, error = madvise(base, size, advice) == 0 ? 0 : errno;

	errno = saved;
	return error;
}

int lwkt_os_deny(void *base, size_t size)
{
	int saved = errno, error = mprotect(base, size, PROT_NONE) == 0 ? 0 : errno;

	errno = saved;
	return error;
}

void *lwkt_os_alloc(size_t size)
{
	int saved = errno;
	void *piece = calloc(1, size);

	errno = saved;
	return piece;
}

void lwkt_os_free(void *piece)
{
	int saved = errno; /* before glibc 2.33 free changes it */

	free(piece);
	errno = saved;
}

uint64_t lwkt_os_clock(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

void lwkt_os_futex_wait(_Atomic uint32_t *word, uint32_t value, uint64_t deadline)
{
	struct timespec until = {.tv_sec = (time_t)(deadline / 1000000000u), .tv_nsec = (long)(deadline % 1000000000u)};
	int saved = errno;

	syscall(SYS_futex, word, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, value, deadline ? &until : NULL, NULL, FUTEX_BITSET_MATCH_ANY);
	errno = saved;
}

void lwkt_os_futex_wake(_Atomic uint32_t *word)
{
	int saved = errno;

	syscall(SYS_futex, word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1, NULL, NULL, 0); /* EFAULT: its memory is gone, and so is who slept */
	errno = saved;
}

void lwkt_os_yield(void)
{
	sched_yield();
}

int lwkt_os_bell(void)
{
	int saved = errno, fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	if (fd < 0)
		fd = -errno;
	errno = saved;
	return fd;
}

void lwkt_os_bell_ring(int fd)
{
	int saved = errno;
	uint64_t one = 1;

	/* EAGAIN: it rings already. */
	(void)!write(fd, &one, sizeof(one));
	errno = saved;
}

void lwkt_os_bell_end(int fd)
{
	int saved = errno;

	close(fd);
	errno = saved;
}

uint32_t lwkt_os_tid(void)
{
	return (uint32_t)syscall(SYS_gettid);
}

struct lwkt_os_kthread {
	pthread_t thread;
	void (*func)(void *arg);
	void *arg;
	char name[16];
};

static void *begin(void *arg)
{
	struct lwkt_os_kthread *self = arg;

	pthread_setname_np(pthread_self(), self->name);
	self->func(self->arg);
	return NULL;
}

static int set_processor(pthread_attr_t *attr, int processor)
{
	cpu_set_t set;

	if (processor == 0)
		return 0;
	if (processor < 0 || processor > CPU_SETSIZE)
		return EINVAL;
	CPU_ZERO(&set);
	CPU_SET((unsigned)processor - 1, &set);
	return pthread_attr_setaffinity_np(attr, sizeof(set), &set);
}

static int start(struct lwkt_os_kthread *kthread, const struct lwkt_os_kthread_args *args)
{
	pthread_attr_t attr;
	sigset_t all, old;
	int error = pthread_attr_init(&attr);

	if (error)
		return error;
	pthread_attr_setstacksize(&attr, args->stack_size);
	error = set_processor(&attr, args->processor);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	if (!error)
		error = pthread_create(&kthread->thread, &attr, begin, kthread);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attr);
	return error;
}

int lwkt_os_kthread_create(struct lwkt_os_kthread **kthread, const struct lwkt_os_kthread_args *args, void (*func)(void *), void *arg)
{
	struct lwkt_os_kthread *made = lwkt_os_alloc(sizeof(*made));
	int saved = errno, error;

	if (!made)
		return ENOMEM;
	made->func = func;
	made->arg = arg;
	memcpy(made->name, args->name, strnlen(args->name, sizeof(made->name) - 1));
	*kthread = made; /* before it can run */
	error = start(made, args);
	errno = saved;
	if (error)
		free(made);
	return error;
}

void lwkt_os_kthread_join(struct lwkt_os_kthread *kthread)
{
	int saved = errno;

	pthread_join(kthread->thread, NULL);
	free(kthread);
	errno = saved;
}

void lwkt_os_forked(void)
{
	/* fork() of the C library has seen to its own. */
}

void lwkt_os_kthread_forget(struct lwkt_os_kthread *kthread)
{
	lwkt_os_free(kthread); /* its stack is the C library's, which knows */
}

unsigned long lwkt_os_hwcap2(void)
{
	int saved = errno;
	unsigned long flags = getauxval(AT_HWCAP2);

	errno = saved;
	return flags;
}

size_t lwkt_os_format(char *to, size_t size, const char *format, va_list arguments)
{
	int saved = errno, length = vsnprintf(to, size, format, arguments);

	errno = saved;
	return length < 0 ? 0 : (size_t)length;
}

void lwkt_os_say(const char *text, size_t size)
{
	int saved = errno;

	if (write(STDERR_FILENO, text, size) < 0) {
		/* Whom should one tell? */
	}
	errno = saved;
}
