/*
 * semaphore.c - named semaphores, as glibc keeps them: a file that is mapped, of whose first eight bytes the lower half is the value and the upper half
 * the number of waiters. JavaScript can neither map a file nor wait at an address, so this is native; which userthread waits, and what gets it, is
 * src/named/.
 *
 * Each semaphore that somebody waits for has a helper, a kernel thread that sleeps in the futex for all its waiters here, and says when the value is
 * above 0. It takes nothing: that is JavaScript's.
 *
 * Invariants:
 *  - The helper is counted as a waiter exactly while it may sleep at the value, so a C program's sem_post() wakes it.
 *  - A wake-up that the helper has got, and that nobody here wants, goes to another waiter: pass_on().
 */
#define _GNU_SOURCE
#include "execve.h"

#include <errno.h>
#include <linux/futex.h>
#include <node_api.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define VALUE_MAX 0x7fffffffu
#define WAITER (1ull << 32)
#define SIZE 32 /* sem_t */
#define FALLBACK_NS 50000000 /* before Linux 5.16, or where futex_waitv is forbidden, a helper looks so often whether it is still wanted */

/* What the helper is to do. */
enum { IDLE, WATCH, END };

struct semaphore {
	_Atomic uint64_t *data;
	_Atomic uint32_t order;
	bool has_helper;
	pthread_t helper;
	napi_threadsafe_function ready;
	napi_env env;
};

/* ---------------------------------------------------------------- the futex */

static _Atomic uint32_t *value_of(struct semaphore *sem)
{
	return (_Atomic uint32_t *)sem->data; /* little endian */
}

static void wake(_Atomic uint32_t *word, int flags)
{
	syscall(SYS_futex, word, FUTEX_WAKE | flags, 1, NULL, NULL, 0);
}

/* Sleeps while the value is 0 and the order is to watch. For no reason at all, too. */
static void sleep_at_value(struct semaphore *sem)
{
	struct futex_waitv both[2] = {
		{ .val = 0, .uaddr = (uintptr_t)value_of(sem), .flags = FUTEX_32 },
		{ .val = WATCH, .uaddr = (uintptr_t)&sem->order, .flags = FUTEX_32 | FUTEX_PRIVATE_FLAG },
	};
	struct timespec slice = { .tv_nsec = FALLBACK_NS };

	if (syscall(SYS_futex_waitv, both, 2, 0, NULL, CLOCK_MONOTONIC) < 0 && errno != EAGAIN && errno != EINTR)
		syscall(SYS_futex, value_of(sem), FUTEX_WAIT, 0, &slice, NULL, 0);
}

static void pass_on(struct semaphore *sem)
{
	uint64_t data = atomic_load(sem->data);

	if ((uint32_t)data > 0 && data >= WAITER)
		wake(value_of(sem), 0);
}

static bool try_wait(struct semaphore *sem)
{
	uint64_t data = atomic_load(sem->data);

	while ((uint32_t)data > 0)
		if (atomic_compare_exchange_weak(sem->data, &data, data - 1))
			return true;
	return false;
}

static int post(struct semaphore *sem)
{
	uint64_t data = atomic_load(sem->data);

	do
		if ((uint32_t)data >= VALUE_MAX)
			return EOVERFLOW;
	while (!atomic_compare_exchange_weak(sem->data, &data, data + 1));
	if (data >= WAITER)
		wake(value_of(sem), 0);
	return 0;
}

/* ---------------------------------------------------------------- the helper */

static void *help(void *arg)
{
	struct semaphore *sem = arg;

	for (;;) {
		uint32_t order = atomic_load(&sem->order);

		if (order == END)
			return NULL;
		if (order == IDLE) {
			syscall(SYS_futex, &sem->order, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, IDLE, NULL, NULL, 0);
			continue;
		}
		atomic_fetch_add(sem->data, WAITER);
		while (atomic_load(&sem->order) == WATCH && atomic_load(value_of(sem)) == 0)
			sleep_at_value(sem);
		atomic_fetch_sub(sem->data, WAITER);
		order = WATCH;
		if (atomic_compare_exchange_strong(&sem->order, &order, IDLE))
			napi_call_threadsafe_function(sem->ready, NULL, napi_tsfn_nonblocking);
		else
			pass_on(sem); /* it is no longer wanted */
	}
}

static void give_order(struct semaphore *sem, uint32_t order)
{
	atomic_store(&sem->order, order);
	wake(&sem->order, FUTEX_PRIVATE_FLAG);
}

static void end_helper(void *arg)
{
	struct semaphore *sem = arg;

	if (!sem->has_helper)
		return;
	sem->has_helper = false;
	give_order(sem, END);
	pthread_join(sem->helper, NULL);
	napi_release_threadsafe_function(sem->ready, napi_tsfn_abort);
}

/* 0 or an errno. No signal handler of the program's runs on it. */
static int start_helper(struct semaphore *sem)
{
	sigset_t all, before;
	int error;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	error = pthread_create(&sem->helper, NULL, help, sem);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	sem->has_helper = error == 0;
	return error;
}

/* ---------------------------------------------------------------- for JavaScript */

static void close_semaphore(struct semaphore *sem)
{
	if (!sem->data)
		return;
	if (sem->has_helper)
		napi_remove_env_cleanup_hook(sem->env, end_helper, sem);
	end_helper(sem);
	munmap((void *)sem->data, SIZE);
	sem->data = NULL;
}

static void finalize(napi_env env, void *data, void *hint)
{
	(void)env;
	(void)hint;
	close_semaphore(data);
	free(data);
}

static napi_value number(napi_env env, double n)
{
	napi_value value;

	return napi_create_double(env, n, &value) == napi_ok ? value : NULL;
}

static struct semaphore *argument(napi_env env, napi_callback_info info, napi_value *second)
{
	napi_value args[2] = { NULL, NULL };
	size_t count = 2;
	void *data = NULL;

	napi_get_cb_info(env, info, &count, args, NULL, NULL);
	napi_get_value_external(env, args[0], &data);
	if (second)
		*second = args[1];
	return data;
}

/* map(fd) -> the semaphore, or an errno. The descriptor is not needed any more. */
static napi_value map(napi_env env, napi_callback_info info)
{
	napi_value arg, external;
	size_t count = 1;
	int32_t fd = -1;
	struct semaphore *sem;
	void *memory;

	napi_get_cb_info(env, info, &count, &arg, NULL, NULL);
	napi_get_value_int32(env, arg, &fd);
	memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED)
		return number(env, errno);
	sem = calloc(1, sizeof(*sem));
	if (!sem || napi_create_external(env, sem, finalize, NULL, &external) != napi_ok) {
		free(sem);
		munmap(memory, SIZE);
		return number(env, ENOMEM);
	}
	sem->data = memory;
	sem->env = env;
	return external;
}

/* close(semaphore): its memory is gone afterwards. */
static napi_value close_it(napi_env env, napi_callback_info info)
{
	close_semaphore(argument(env, info, NULL));
	return NULL;
}

/* value(semaphore) */
static napi_value value(napi_env env, napi_callback_info info)
{
	return number(env, (uint32_t)atomic_load(argument(env, info, NULL)->data));
}

/* tryWait(semaphore) -> whether it has taken one. */
static napi_value try_it(napi_env env, napi_callback_info info)
{
	napi_value taken = NULL;

	napi_get_boolean(env, try_wait(argument(env, info, NULL)), &taken);
	return taken;
}

/* post(semaphore) -> 0 or an errno. */
static napi_value post_it(napi_env env, napi_callback_info info)
{
	return number(env, post(argument(env, info, NULL)));
}

/* passOn(semaphore): nobody here wants what onReady has told. */
static napi_value pass_it_on(napi_env env, napi_callback_info info)
{
	pass_on(argument(env, info, NULL));
	return NULL;
}

/* watch(semaphore, onReady) -> 0 or an errno. onReady is called once, when the value is above 0. The first onReady is that of all times. */
static napi_value watch(napi_env env, napi_callback_info info)
{
	napi_value on_ready, name;
	struct semaphore *sem = argument(env, info, &on_ready);

	if (!sem->has_helper) {
		napi_create_string_utf8(env, "libcr: named semaphore", NAPI_AUTO_LENGTH, &name);
		if (napi_create_threadsafe_function(env, on_ready, NULL, name, 0, 1, NULL, NULL, NULL, NULL, &sem->ready) != napi_ok)
			return number(env, ENOMEM);
		napi_unref_threadsafe_function(env, sem->ready);
		atomic_store(&sem->order, WATCH);
		int error = start_helper(sem);
		if (error) {
			napi_release_threadsafe_function(sem->ready, napi_tsfn_abort);
			return number(env, error);
		}
		napi_add_env_cleanup_hook(env, end_helper, sem);
	} else
		give_order(sem, WATCH);
	return number(env, 0);
}

/* unwatch(semaphore): nobody waits any more. onReady may be called all the same. */
static napi_value unwatch(napi_env env, napi_callback_info info)
{
	give_order(argument(env, info, NULL), IDLE);
	return NULL;
}

NAPI_MODULE_INIT()
{
	static const napi_property_descriptor functions[] = {
		{ "map", NULL, map, NULL, NULL, NULL, napi_default, NULL },
		{ "close", NULL, close_it, NULL, NULL, NULL, napi_default, NULL },
		{ "value", NULL, value, NULL, NULL, NULL, napi_default, NULL },
		{ "tryWait", NULL, try_it, NULL, NULL, NULL, napi_default, NULL },
		{ "post", NULL, post_it, NULL, NULL, NULL, napi_default, NULL },
		{ "passOn", NULL, pass_it_on, NULL, NULL, NULL, napi_default, NULL },
		{ "watch", NULL, watch, NULL, NULL, NULL, napi_default, NULL },
		{ "unwatch", NULL, unwatch, NULL, NULL, NULL, napi_default, NULL },
		{ "execve", NULL, execve_it, NULL, NULL, NULL, napi_default, NULL },
	};

	napi_define_properties(env, exports, sizeof(functions) / sizeof(functions[0]), functions);
	return exports;
}
