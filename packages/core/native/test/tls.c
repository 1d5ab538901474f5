/*
 * tls.c - threads with a TLS block of their own (TDF_TLS): thread_locals, errno and the C library's per-thread state are theirs, no
 * kernel thread stays behind for them, and a block that is given back ends as a pthread would.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <locale.h>
#include <pthread.h>

#include "check.h"

#define AT_ONCE 1000

static __thread long local = 7;
static __thread char big[4096];
static int verified;
static _Atomic int destroyed; /* by kernel tasks that end side by side */
static pthread_key_t key;
static lwkt_thread_t all[AT_ONCE];
static long *places[AT_ONCE];

static unsigned kernel_threads(void)
{
	DIR *dir = opendir("/proc/self/task");
	unsigned n = 0;

	CHECK(dir != NULL);
	for (struct dirent *entry; (entry = readdir(dir)) != NULL;)
		n += entry->d_name[0] != '.';
	closedir(dir);
	return n;
}

/** Checks that no more kernel threads than these are left. One that has ended is still listed for a moment; under an emulator, longer. */
static void expect_kernel_threads(unsigned many)
{
	for (int tries = 0; tries < 10000 && kernel_threads() > many; tries++)
		usleep(1000);
	CHECK_EQ(kernel_threads(), many);
}

/* Making its successors' stacks and blocks is not to be seen in the errno of the thread that leaves the CPU for them. */
static void keeps_errno(void *arg)
{
	errno = 4711;
	if ((long)arg > 0)
		for (int i = 0; i < 2; i++)
			start(keeps_errno, (void *)((long)arg - 1), TDF_TLS);
	for (int i = 0; i < 3; i++) {
		lwkt_yield();
		CHECK_EQ(errno, 4711);
	}
}

static void errno_is_kept(void)
{
	start(keeps_errno, (void *)7L, TDF_TLS);
	run_all();
	errno = 4712;
	lwkt_pool_trim(0, ~0u);
	CHECK_EQ(errno, 4712);
}

static void own_state(void *arg)
{
	long number = (long)arg;

	places[number] = &local;
	local = number;
	errno = (int)number % 100 + 1;
	memset(big, (int)number & 127, sizeof(big));
	lwkt_block("test");
	CHECK(&local == places[number]);
	CHECK_EQ(local, number);
	CHECK_EQ(errno, number % 100 + 1);
	CHECK_EQ(big[number], number & 127);
	verified++;
}

static int by_address(const void *a, const void *b)
{
	uintptr_t x = (uintptr_t)*(long *const *)a, y = (uintptr_t)*(long *const *)b;

	return (x > y) - (x < y);
}

static void blocks_of_their_own(void)
{
	unsigned before = kernel_threads();

	local = -1;
	errno = 99;
	for (long i = 0; i < AT_ONCE; i++)
		all[i] = start(own_state, (void *)i, TDF_TLS);
	run_all();
	CHECK_EQ(local, -1);
	CHECK_EQ(errno, 99);
	expect_kernel_threads(before);
	CHECK(stats_now().st_tls_created >= AT_ONCE);
	for (int i = 0; i < AT_ONCE; i++)
		CHECK_EQ(lwkt_schedule(all[i]), 0);
	run_all();
	CHECK_EQ(verified, AT_ONCE);
	CHECK_EQ(errno, 99);
	qsort(places, AT_ONCE, sizeof(places[0]), by_address);
	for (int i = 1; i < AT_ONCE; i++)
		CHECK(places[i] != places[i - 1]);
	lwkt_pool_trim(0, ~0u);
	CHECK_EQ(stats_now().st_tls_retired, stats_now().st_tls_created);
	CHECK_EQ(stats_now().st_pooled, 0);
	expect_kernel_threads(before);
}

static void shares(void *arg)
{
	CHECK(&local == arg);
	local++;
	errno = 55;
}

static void without_a_block(void)
{
	local = 1;
	errno = 0;
	start(shares, &local, 0);
	start(shares, &local, 0);
	run_all();
	CHECK_EQ(local, 3);
	CHECK_EQ(errno, 55);
	CHECK_EQ(stats_now().st_tls_created, 0);
}

static void count_destroyed(void *value)
{
	CHECK_EQ(*(int *)value, 4711);
	free(value);
	destroyed++;
}

static void sets_key(void *arg)
{
	int *value = pthread_getspecific(key);

	(void)arg;
	if (!value) { /* else the block served another thread before */
		value = malloc(sizeof(*value));
		CHECK(value != NULL);
		*value = 4711;
		CHECK_EQ(pthread_setspecific(key, value), 0);
	}
	lwkt_yield();
	CHECK(pthread_getspecific(key) == value);
}

static void given_back_as_a_pthread(void)
{
	CHECK_EQ(pthread_key_create(&key, count_destroyed), 0);
	for (int i = 0; i < 50; i++)
		start(sets_key, NULL, TDF_TLS);
	run_all();
	CHECK_EQ(destroyed, 0);
	CHECK(pthread_getspecific(key) == NULL);
	CHECK(lwkt_pool_trim(10, ~0u) >= 40);
	CHECK(destroyed >= 40);
	lwkt_pool_trim(0, ~0u);
	CHECK_EQ(destroyed, 50);
	CHECK_EQ(pthread_key_delete(key), 0);
}

/* What a C library keeps for each thread must work on a block whose kernel task has gone. */
static void uses_the_library(void *arg)
{
	pthread_t self = pthread_self();
	pthread_attr_t attr;
	pthread_mutex_t mutex = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
	char text[64], here;
	void *stack, *mine[100];
	size_t size;
	locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0);

	CHECK(!pthread_equal(self, *(pthread_t *)arg));
	CHECK(uselocale(c) != (locale_t)0);
	for (int i = 0; i < 100; i++) {
		CHECK((mine[i] = malloc(1u << (i % 16))) != NULL);
		if (i % 10 == 0)
			lwkt_yield();
	}
	CHECK_EQ(pthread_mutex_lock(&mutex), 0);
	CHECK_EQ(pthread_mutex_lock(&mutex), 0);
	CHECK_EQ(pthread_mutex_unlock(&mutex), 0);
	CHECK_EQ(pthread_mutex_unlock(&mutex), 0);
	snprintf(text, sizeof(text), "%.3f %s", 1.5, strerror(ENOENT));
	CHECK(strncmp(text, "1.500 ", 6) == 0);
	CHECK_EQ(pthread_getattr_np(self, &attr), 0);
	CHECK_EQ(pthread_attr_getstack(&attr, &stack, &size), 0);
	pthread_attr_destroy(&attr);
	CHECK(&here >= (char *)stack && &here < (char *)stack + size);
	CHECK(pthread_equal(self, pthread_self()));
	for (int i = 0; i < 100; i++)
		free(mine[i]);
	uselocale(LC_GLOBAL_LOCALE);
	freelocale(c);
	verified++;
}

static void the_library(void)
{
	pthread_t self = pthread_self();

	verified = 0;
	for (int i = 0; i < 40; i++)
		start(uses_the_library, &self, TDF_TLS);
	run_all();
	CHECK_EQ(verified, 40);
	CHECK(pthread_equal(self, pthread_self()));
}

int main(void)
{
	ON_RFORK(blocks_of_their_own);
	ON_RFORK(without_a_block);
	ON_RFORK(errno_is_kept);
	ON_RFORK(given_back_as_a_pthread);
	ON_RFORK(the_library);
	return 0;
}
