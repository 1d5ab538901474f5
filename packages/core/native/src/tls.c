/*
 * tls.c - TLS blocks for userthreads, made by the C library's front door.
 *
 * A TLS block has to be one the C library knows: its thread descriptor lies in it, dlopen initialises new static TLS in all of
 * them, malloc and locale keep pointers there. So a block is made by pthread_create on the userthread's own stack memory: the thread (a
 * "donor") notes its registers and ends its *kernel task* with a bare exit system call (lwkt_arch_donor). What stays is a stack and a TLS block that the
 * C library believes alive, and no kernel thread.
 *
 * The tid field of the block: the kernel clears it when the task has ended (CLONE_CHILD_CLEARTID), which is how we know; then the
 * rfork's own tid is written there, as pthread_getattr_np and friends ask the kernel about it. It must be a living one.
 *
 * Giving one back: a new kernel task is cloned into the donor's parked frame, with the block as its TLS. It returns from the donor's
 * function, and the C library does what it does for any thread that ends: C++ thread_local destructors, pthread keys, malloc's
 * cache. pthread_join then takes the block off its lists. Nothing is leaked and no private symbol is used.
 *
 * Invariant: between create and retire nobody but the userthread's rfork touches the block; during both the kernel task does.
 */
#define _GNU_SOURCE
#include "internal.h"

#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define DESCRIPTOR_SCAN 1536u /* bytes of the C library's thread descriptor searched for the tid: no descriptor is smaller */
#define NO_OFFSET 0u

/* Where the tid lies in the descriptor: the same for every thread of a process. Found once; races find the same value. */
static _Atomic unsigned tid_offset = NO_OFFSET;

/* How far the TLS base lies above the descriptor, which pthread_t points to: not at all on x86-64 (the TLS ABI's variant II), its size on
 * aarch64 (variant I). Known before tid_offset is. */
static _Atomic uintptr_t tls_distance;

static uintptr_t distance_here(void)
{
	return lwkt_arch_get_tls() - (uintptr_t)pthread_self();
}

/** Waits until the kernel has cleared the word. The wake-up is not a private one (kernel: mm_release). */
static void wait_cleared(int *tid)
{
	int value;

	while ((value = atomic_load_explicit((_Atomic int *)tid, memory_order_acquire)) != 0)
		syscall(SYS_futex, tid, FUTEX_WAIT, value, NULL, NULL, 0);
}

/** Two living threads, ours and this one: the tid field is the word that holds each one's own tid in both descriptors. */
struct probe {
	_Atomic int ready, go;
	int tid;
	uintptr_t distance;
};

static void *probe_donor(void *arg)
{
	struct probe *probe = arg;

	probe->distance = distance_here();
	probe->tid = (int)syscall(SYS_gettid);
	atomic_store(&probe->ready, 1);
	while (!atomic_load(&probe->go))
		sched_yield();
	return NULL;
}

static int find_tid_offset(void)
{
	struct probe probe = {0};
	unsigned self_tid = (unsigned)syscall(SYS_gettid), found = NO_OFFSET;
	const char *self = (const char *)pthread_self(), *other;
	pthread_t thread;
	int error = pthread_create(&thread, NULL, probe_donor, &probe);

	if (error)
		return error;
	while (!atomic_load(&probe.ready))
		sched_yield();
	other = (const char *)thread;
	for (unsigned off = sizeof(int); off < DESCRIPTOR_SCAN && found == NO_OFFSET; off += sizeof(int)) {
		unsigned mine, theirs;

		memcpy(&mine, self + off, sizeof(mine));
		memcpy(&theirs, other + off, sizeof(theirs));
		if (mine == self_tid && theirs == (unsigned)probe.tid)
			found = off;
	}
	atomic_store(&probe.go, 1);
	pthread_join(thread, NULL);
	if (found == NO_OFFSET || probe.distance != distance_here())
		return ENOTSUP;
	atomic_store(&tls_distance, probe.distance);
	atomic_store(&tid_offset, found);
	return 0;
}

static int start_donor(struct lwkt_stack *stack)
{
	pthread_attr_t attr;
	int error = pthread_attr_init(&attr);

	if (error)
		return error;
	memset(&stack->st_tls, 0, sizeof(stack->st_tls));
	error = pthread_attr_setstack(&attr, stack->st_base, stack->st_size);
	if (!error)
		error = pthread_create(&stack->st_tls.pthread, &attr, lwkt_arch_donor, &stack->st_tls.parked);
	pthread_attr_destroy(&attr);
	return error;
}

/**
 * Gives each of the stacks a TLS block (st_has_tls says which got one), working on several at once: their kernel tasks come
 * and go on other processors meanwhile. Returns 0, or why one could not be made: EAGAIN, ENOMEM, ENOTSUP (a C library
 * without the expected thread descriptor).
 */
int lwkt_tls_create(struct lwkt_stack **stacks, unsigned count)
{
	int carrier = (int)atomic_load_explicit(&lwkt_arch_mycpu()->gd_shared.tid, memory_order_relaxed);
	sigset_t all, old;
	unsigned started = 0, offset;
	int error = 0;

	if (atomic_load(&tid_offset) == NO_OFFSET && (error = find_tid_offset()) != 0)
		return error;
	offset = atomic_load(&tid_offset);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old); /* inherited: no signal handler ever runs on a donor */
	while (started < count && (error = start_donor(stacks[started])) == 0)
		started++;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	for (unsigned i = 0; i < started; i++) {
		struct lwkt_tls *tls = &stacks[i]->st_tls;
		int *tid = (int *)((char *)tls->pthread + offset);

		wait_cleared(tid);
		tls->tid = tid;
		*tid = carrier;
		stacks[i]->st_ctx.fs = tls->fs = (uintptr_t)tls->pthread + atomic_load(&tls_distance);
		/* Right below what the donor's caller has there: that one has no red zone. */
		stacks[i]->st_top = (char *)((uintptr_t)tls->parked.sp & ~(uintptr_t)63);
		stacks[i]->st_has_tls = true;
	}
	return error;
}

/** Gives the blocks back to the C library. Nothing but the donor's frame may be of use on the stacks. */
void lwkt_tls_retire(struct lwkt_stack **stacks, unsigned count)
{
	const unsigned long flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM | CLONE_SETTLS |
				    CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID;
	sigset_t all, old;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	for (unsigned i = 0; i < count; i++) {
		struct lwkt_tls *tls = &stacks[i]->st_tls;
		const struct timespec pause = {0, 1000000};

		lwkt_sanitizer_forget(stacks[i]->st_base, stacks[i]->st_size); /* frames that were left without returning */
		/* EAGAIN at a limit of tasks: others are ending, so wait for one of them rather than leak the block. */
		while (lwkt_arch_unpark(flags, &tls->parked, tls->tid, tls->fs) < 0)
			nanosleep(&pause, NULL);
	}
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	for (unsigned i = 0; i < count; i++) {
		pthread_join(stacks[i]->st_tls.pthread, NULL);
		stacks[i]->st_has_tls = false;
	}
}
