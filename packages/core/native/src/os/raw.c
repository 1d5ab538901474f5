/*
 * raw.c - os.h without a C library: each system call made by libcr itself. Memory in small pieces, and what the compiler calls by itself, is in small.c.
 *
 * The clock is a system call, too: the kernel's function in user mode (the vDSO) may turn into one outside of libcr's text, which is somebody
 * else's to catch then.
 */
#define _GNU_SOURCE
#include "os/os.h"

#include <asm/auxvec.h>
#include <errno.h>
#include <linux/fcntl.h>
#include <linux/futex.h>
#include <linux/mman.h>
#include <linux/prctl.h>
#include <linux/sched.h>
#include <linux/signal.h>
#include <linux/time.h>
#include <stdbool.h>
#include <string.h>

#include "syscall.h"

#ifndef PR_GET_AUXV
#define PR_GET_AUXV 0x41555856 /* Linux 6.4 */
#endif
#define AUXV_HWCAP2 26
#define AUXV_MAX 64 /* pairs */
#define PAGE 4096u
#define PROCESSORS 1024
#define CLONE_FLAGS (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID)

#define CALL(number, a, b, c, d, e, f) lwkt_arch_syscall(SYS_##number, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))

size_t lwkt_os_page_size(void)
{
	return PAGE;
}

uintptr_t lwkt_os_map_from;

/** With a page between two, as where the kernel puts them. */
uintptr_t lwkt_os_map_place(size_t size)
{
	return lwkt_os_map_from ? __atomic_fetch_add(&lwkt_os_map_from, (size + 2 * PAGE - 1) & ~(uintptr_t)(PAGE - 1), __ATOMIC_RELAXED) : 0;
}

void *lwkt_os_map(size_t size)
{
	long base = CALL(mmap, lwkt_os_map_place(size), size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);

	return base < 0 && base >= -4095 ? NULL : (void *)base;
}

void lwkt_os_unmap(void *base, size_t size)
{
	CALL(munmap, base, size, 0, 0, 0, 0);
}

int lwkt_os_advise(void *base, size_t size, int advice)
{
	return (int)-CALL(madvise, base, size, advice, 0, 0, 0);
}

int lwkt_os_deny(void *base, size_t size)
{
	return (int)-CALL(mprotect, base, size, PROT_NONE, 0, 0, 0);
}

uint64_t (*lwkt_os_clock_other)(void);

uint64_t lwkt_os_clock(void)
{
	struct __kernel_timespec ts = {0};

	if (__builtin_expect(lwkt_os_clock_other != NULL, 0))
		return lwkt_os_clock_other();
	CALL(clock_gettime, CLOCK_MONOTONIC, &ts, 0, 0, 0, 0);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

void lwkt_os_futex_wait(_Atomic uint32_t *word, uint32_t value, uint64_t deadline)
{
	struct __kernel_timespec until = {.tv_sec = (long)(deadline / 1000000000u), .tv_nsec = (long)(deadline % 1000000000u)};

	CALL(futex, word, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, value, deadline ? &until : NULL, 0, FUTEX_BITSET_MATCH_ANY);
}

void lwkt_os_futex_wake(_Atomic uint32_t *word)
{
	CALL(futex, word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1, 0, 0, 0);
}

void lwkt_os_yield(void)
{
	CALL(sched_yield, 0, 0, 0, 0, 0, 0);
}

int (*lwkt_os_bell_place)(int fd);
void (*lwkt_os_bell_close)(int fd);

int lwkt_os_bell(void)
{
	int fd = (int)CALL(eventfd2, 0, O_CLOEXEC | O_NONBLOCK, 0, 0, 0, 0);

	return fd >= 0 && lwkt_os_bell_place ? lwkt_os_bell_place(fd) : fd;
}

void lwkt_os_bell_ring(int fd)
{
	uint64_t one = 1;

	CALL(write, fd, &one, sizeof(one), 0, 0, 0);
}

void lwkt_os_bell_end(int fd)
{
	if (lwkt_os_bell_close)
		lwkt_os_bell_close(fd);
	else
		CALL(close, fd, 0, 0, 0, 0, 0);
}

uint32_t lwkt_os_tid(void)
{
	return (uint32_t)CALL(gettid, 0, 0, 0, 0, 0, 0);
}

/** At the bottom of its own stack's mapping, above the guard page. */
struct lwkt_os_kthread {
	uint32_t tid; /* cleared by the kernel when it has ended, which wakes who waits here (and not as a private futex) */
	void (*func)(void *arg);
	void *arg;
	int processor;
	int error; /* why it could not begin */
	_Atomic uint32_t begun;
	size_t mapped; /* bytes, the guard page included */
	char name[16];
};

static int set_processor(int processor)
{
	unsigned long set[PROCESSORS / 64] = {0};

	if (processor == 0)
		return 0;
	set[(processor - 1) / 64] = 1ul << (processor - 1) % 64;
	return (int)-CALL(sched_setaffinity, 0, sizeof(set), set, 0, 0, 0);
}

static void begin(void *arg)
{
	struct lwkt_os_kthread *self = arg;
	bool runs;

	CALL(prctl, PR_SET_NAME, self->name, 0, 0, 0, 0);
	self->error = set_processor(self->processor);
	runs = self->error == 0;
	atomic_store(&self->begun, 1);
	lwkt_os_futex_wake(&self->begun);
	if (runs)
		self->func(self->arg);
	for (;;)
		CALL(exit, 0, 0, 0, 0, 0, 0);
}

static int start(struct lwkt_os_kthread *kthread, size_t size)
{
	uint64_t all = ~0ull, old;
	long tid;

	CALL(rt_sigprocmask, SIG_SETMASK, &all, &old, sizeof(all), 0, 0);
	tid = lwkt_arch_clone(CLONE_FLAGS, (char *)kthread + size, &kthread->tid, begin, kthread);
	CALL(rt_sigprocmask, SIG_SETMASK, &old, NULL, sizeof(old), 0, 0);
	return tid < 0 ? (int)-tid : 0;
}

int lwkt_os_kthread_create(struct lwkt_os_kthread **kthread, const struct lwkt_os_kthread_args *args, void (*func)(void *), void *arg)
{
	size_t size = (args->stack_size + PAGE - 1) / PAGE * PAGE, mapped = size + PAGE;
	struct lwkt_os_kthread *made;
	char *base;
	int error;

	if (args->processor < 0 || args->processor > PROCESSORS)
		return EINVAL;
	base = lwkt_os_map(mapped);
	if (!base)
		return ENOMEM;
	made = (struct lwkt_os_kthread *)(void *)(base + PAGE);
	made->func = func;
	made->arg = arg;
	made->processor = args->processor;
	made->mapped = mapped;
	memcpy(made->name, args->name, strnlen(args->name, sizeof(made->name) - 1));
	*kthread = made; /* before it can run */
	error = lwkt_os_deny(base, PAGE);
	if (!error)
		error = start(made, size);
	if (error) {
		lwkt_os_unmap(base, mapped);
		return error;
	}
	while (!atomic_load(&made->begun))
		lwkt_os_futex_wait(&made->begun, 0, 0);
	error = made->error;
	if (error)
		lwkt_os_kthread_join(made);
	return error;
}

void lwkt_os_kthread_join(struct lwkt_os_kthread *kthread)
{
	uint32_t tid;

	while ((tid = __atomic_load_n(&kthread->tid, __ATOMIC_ACQUIRE)) != 0)
		CALL(futex, &kthread->tid, FUTEX_WAIT, tid, NULL, 0, 0);
	lwkt_os_kthread_forget(kthread);
}

void lwkt_os_kthread_forget(struct lwkt_os_kthread *kthread)
{
	lwkt_os_unmap((char *)kthread - PAGE, kthread->mapped);
}

unsigned long lwkt_os_hwcap2(void)
{
	unsigned long auxv[2 * AUXV_MAX] = {0};
	long size = CALL(prctl, PR_GET_AUXV, auxv, sizeof(auxv), 0, 0, 0);

	for (unsigned i = 0; size > 0 && i < 2 * AUXV_MAX && auxv[i] != 0; i += 2)
		if (auxv[i] == AUXV_HWCAP2)
			return auxv[i + 1];
	return 0;
}

void lwkt_os_say(const char *text, size_t size)
{
	CALL(write, 2, text, size, 0, 0, 0);
}
