/* futexes.c - what each futex call answers, one line for each, and what stands in the words afterwards: to be compared with the kernel's own answers. A second thread
 * is there all the time, and does what is wanted of it while the first one waits. */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../asleep.h"

#define WAITV 449
#define WAKE2 454
#define WAIT2 455
#define REQUEUE2 456
#define U32 2
#define PRIVATE 128
#define HERE (U32 | PRIVATE)
#define PI(op) ((op) | FUTEX_PRIVATE_FLAG)

static uint32_t *a, *b, *c; /* words: in private memory, or in shared */
static int main_tid;
static _Atomic int other_tid;

static long call(long result) { return result < 0 ? -errno : result; }
#define CALL(...) call(syscall(__VA_ARGS__))
#define SHOW(...) show(#__VA_ARGS__, CALL(__VA_ARGS__))

static const char *word(uint32_t value)
{
	static char text[4][64];
	static unsigned next;
	char *at = text[next++ % 4];
	uint32_t tid = value & FUTEX_TID_MASK;

	sprintf(at, "%s%s%s", tid == (uint32_t)main_tid ? "main" : tid && tid == (uint32_t)other_tid ? "other" : tid ? "n" : "0",
	        value & FUTEX_WAITERS ? "+waiters" : "", value & FUTEX_OWNER_DIED ? "+died" : "");
	return at;
}

static void show(const char *what, long result)
{
	printf("%s = %ld%s%s", what, result, result < 0 ? " " : "", result < 0 ? strerrorname_np((int)-result) : "");
	printf("   a %s b %s\n", word(*a), word(*b));
}

/* What the other thread does, and its answer. */
static struct {
	pthread_t thread;
	long number, args[6];
	_Atomic int tid;
	_Atomic long result;
	_Atomic int done;
} jobs[4];

static void *do_job(void *arg)
{
	long i = (long)arg, *x = jobs[i].args;

	jobs[i].tid = (int)syscall(SYS_gettid);
	jobs[i].result = CALL(jobs[i].number, x[0], x[1], x[2], x[3], x[4], x[5]);
	jobs[i].done = 1;
	while (jobs[i].done != 2) /* it is a thread until its answer has been looked at: it may have a lock */
		usleep(200);
	return NULL;
}

static void *is_there(void *arg)
{
	pause();
	return arg;
}

/* In the thread i. */
#define BEGIN(i, ...) begin(i, (long[7]){__VA_ARGS__})
static void begin(long i, const long *args)
{
	jobs[i].number = args[0];
	memcpy(jobs[i].args, args + 1, sizeof(jobs[i].args));
	jobs[i].done = jobs[i].tid = 0;
	pthread_create(&jobs[i].thread, NULL, do_job, (void *)i);
	while (!jobs[i].tid)
		usleep(200);
	if (i == 0)
		other_tid = jobs[0].tid;
}

/* Until so many wait for the word: as many as could be moved from it to itself. */
static void until_queued(uint32_t *at, int n, int flag)
{
	while (CALL(SYS_futex, at, FUTEX_REQUEUE | flag, 0, 99, at) != n)
		usleep(200);
}

static void until_waited_for(const uint32_t *lock)
{
	while (!(*(const volatile uint32_t *)lock & FUTEX_WAITERS))
		usleep(200);
}

/* It does nothing else than to wait for a futex. */
static void until_sleeps(long i) { until_asleep(jobs[i].tid); }

static void end(const char *what, long i)
{
	while (!jobs[i].done)
		usleep(200);
	show(what, jobs[i].result);
	jobs[i].done = 2;
	pthread_join(jobs[i].thread, NULL);
}

static struct timespec in(clockid_t clock, long ms)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	ts.tv_nsec += ms * 1000000;
	ts.tv_sec += ts.tv_nsec / 1000000000;
	ts.tv_nsec %= 1000000000;
	return ts;
}

static void plain(int flag)
{
	struct timespec relative = {0, 5000000}, bad = {0, 2000000000}, until;
	const int shared = !flag;

	printf("--- futex(2), %s\n", shared ? "shared" : "private");
	SHOW(SYS_futex, a, FUTEX_WAIT | flag, 1, NULL);
	SHOW(SYS_futex, a, FUTEX_WAIT | flag, 0, &relative);
	SHOW(SYS_futex, a, FUTEX_WAIT | flag, 0, &bad);
	SHOW(SYS_futex, (char *)a + 1, FUTEX_WAIT | flag, 0, NULL);
	SHOW(SYS_futex, a, FUTEX_WAIT | FUTEX_CLOCK_REALTIME | flag, 0, &relative) ;
	SHOW(SYS_futex, a, FUTEX_WAIT_BITSET | flag, 0, NULL, NULL, 0);
	until = in(CLOCK_MONOTONIC, 5);
	SHOW(SYS_futex, a, FUTEX_WAIT_BITSET | flag, 0, &until, NULL, 1);
	until = in(CLOCK_REALTIME, 5);
	SHOW(SYS_futex, a, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME | flag, 0, &until, NULL, 1);
	SHOW(SYS_futex, a, FUTEX_WAKE_BITSET | flag, 1, NULL, NULL, 0);
	SHOW(SYS_futex, a, 77 | flag, 1, NULL, NULL, 0);
	BEGIN(0, SYS_futex, (long)a, FUTEX_WAIT_BITSET | flag, 0, 0, 0, 6);
	until_queued(a, 1, flag);
	SHOW(SYS_futex, a, FUTEX_WAKE_BITSET | flag, 1, NULL, NULL, 8);
	SHOW(SYS_futex, a, FUTEX_WAKE_BITSET | flag, 1, NULL, NULL, 2);
	end("bitset", 0);
	for (int i = 0; i < 4; i++)
		BEGIN(i, SYS_futex, (long)a, FUTEX_WAIT | flag, 0, 0);
	until_queued(a, 4, flag);
	SHOW(SYS_futex, a, FUTEX_CMP_REQUEUE | flag, 1, 1, b, 1);
	SHOW(SYS_futex, a, FUTEX_CMP_REQUEUE | flag, -1, 1, b, 0);
	SHOW(SYS_futex, a, FUTEX_CMP_REQUEUE | flag, 1, -1, b, 0);
	SHOW(SYS_futex, a, FUTEX_CMP_REQUEUE | flag, 1, 1, b, 0);
	SHOW(SYS_futex, a, FUTEX_REQUEUE | flag, 0, 1, b, 0);
	SHOW(SYS_futex, a, FUTEX_WAKE | flag, 5);
	SHOW(SYS_futex, b, FUTEX_WAKE | flag, 5);
	for (int i = 0; i < 4; i++)
		end("requeued", i);
	for (int i = 0; i < 2; i++)
		BEGIN(i, SYS_futex, (long)(i ? b : a), FUTEX_WAIT | flag, 0, 0);
	until_queued(a, 1, flag);
	until_queued(b, 1, flag);
	SHOW(SYS_futex, a, FUTEX_WAKE_OP | flag, 1, 1, b, FUTEX_OP(FUTEX_OP_ADD, 5, FUTEX_OP_CMP_GT, 0));
	SHOW(SYS_futex, a, FUTEX_WAKE_OP | flag, 1, 1, b, FUTEX_OP((FUTEX_OP_OPARG_SHIFT | FUTEX_OP_OR), 3, FUTEX_OP_CMP_EQ, 5));
	printf("%u\n", *b);
	SHOW(SYS_futex, a, FUTEX_WAKE_OP | flag, 1, 1, b, FUTEX_OP(FUTEX_OP_ANDN, 13, FUTEX_OP_CMP_NE, 7));
	SHOW(SYS_futex, a, FUTEX_WAKE_OP | flag, 1, 1, b, FUTEX_OP(FUTEX_OP_XOR, -1, FUTEX_OP_CMP_LT, -1));
	printf("%u\n", *b);
	SHOW(SYS_futex, a, FUTEX_WAKE_OP | flag, 1, 1, b, FUTEX_OP(FUTEX_OP_SET, 0, FUTEX_OP_CMP_LE, -1));
	SHOW(SYS_futex, a, FUTEX_WAKE_OP | flag, 1, 1, b, FUTEX_OP(FUTEX_OP_SET, 0, 9, -1));
	SHOW(SYS_futex, a, FUTEX_WAKE_OP | flag, 1, 1, b, FUTEX_OP(7, 0, FUTEX_OP_CMP_EQ, 0));
	for (int i = 0; i < 2; i++)
		end("operated", i);
}

static void vectors(int first, int second)
{
	struct futex_waitv v[3] = {{.val = 0, .uaddr = (uintptr_t)a, .flags = (uint32_t)first}, {.val = 0, .uaddr = (uintptr_t)b, .flags = (uint32_t)second},
	                           {.val = 0, .uaddr = (uintptr_t)c, .flags = (uint32_t)first}};
	struct timespec until = in(CLOCK_MONOTONIC, 5);

	printf("--- futex_waitv, %s and %s\n", first & PRIVATE ? "private" : "shared", second & PRIVATE ? "private" : "shared");
	SHOW(WAITV, v, 3, 0, &until, CLOCK_MONOTONIC);
	until = in(CLOCK_REALTIME, 5);
	SHOW(WAITV, v, 3, 0, &until, CLOCK_REALTIME);
	SHOW(WAITV, v, 3, 0, &until, CLOCK_BOOTTIME);
	SHOW(WAITV, v, 3, 1, NULL, 0);
	SHOW(WAITV, v, 0, 0, NULL, 0);
	SHOW(WAITV, v, 129, 0, NULL, 0);
	SHOW(WAITV, NULL, 1, 0, NULL, 0);
	SHOW(WAITV, 8, 1, 0, NULL, 0);
	v[1].val = 1;
	SHOW(WAITV, v, 3, 0, NULL, 0);
	v[1].val = 1ull << 32;
	SHOW(WAITV, v, 3, 0, NULL, 0);
	v[1].val = 0;
	v[1].__reserved = 1;
	SHOW(WAITV, v, 3, 0, NULL, 0);
	v[1].__reserved = 0;
	v[1].flags |= 64;
	SHOW(WAITV, v, 3, 0, NULL, 0);
	v[1].flags = (uint32_t)second;
	v[1].uaddr = 8;
	SHOW(WAITV, v, 3, 0, NULL, 0);
	v[1].uaddr = (uintptr_t)b + 1;
	SHOW(WAITV, v, 3, 0, NULL, 0);
	v[1].uaddr = (uintptr_t)b;
	for (int i = 0; i < 3; i++) {
		uint32_t *which = i == 0 ? a : i == 1 ? b : c;

		BEGIN(0, WAITV, (long)v, 3, 0, 0, 0);
		until_queued(which, 1, v[i].flags & PRIVATE);
		SHOW(SYS_futex, which, FUTEX_WAKE | (v[i].flags & PRIVATE), 2);
		end("waitv", 0);
	}
}

static void second_generation(int flags)
{
	struct futex_waitv v[2] = {{.val = 0, .uaddr = (uintptr_t)a, .flags = (uint32_t)flags}, {.val = 0, .uaddr = (uintptr_t)b, .flags = (uint32_t)flags}};
	struct timespec until = in(CLOCK_MONOTONIC, 5);

	printf("--- futex_wait, futex_wake, futex_requeue, %s\n", flags & PRIVATE ? "private" : "shared");
	SHOW(WAIT2, a, 1, 1, flags, NULL, 0);
	SHOW(WAIT2, a, 0, 1, flags, &until, CLOCK_MONOTONIC);
	SHOW(WAIT2, a, 0, 1, flags, &until, CLOCK_TAI);
	SHOW(WAIT2, a, 0, 0, flags, NULL, 0);
	SHOW(WAIT2, a, 0, 1l << 32, flags, NULL, 0);
	SHOW(WAIT2, a, 1l << 32, 1, flags, NULL, 0);
	SHOW(WAIT2, a, 0, 1, flags & ~U32, NULL, 0);
	SHOW(WAIT2, (char *)a + 1, 0, 1, flags, NULL, 0);
	SHOW(WAIT2, 8, 0, 1, flags, NULL, 0);
	SHOW(WAKE2, a, 1, 1, flags);
	SHOW(WAKE2, a, 0, 1, flags);
	SHOW(WAKE2, a, 1, 1, 64 | flags);
	BEGIN(0, WAIT2, (long)a, 0, 6, flags, 0, 0);
	until_queued(a, 1, flags & PRIVATE);
	SHOW(WAKE2, a, 8, 1, flags);
	SHOW(WAKE2, a, 4, 0, flags);
	SHOW(WAKE2, a, 4, 1, flags);
	end("wait", 0);
	for (int i = 0; i < 3; i++)
		BEGIN(i, WAIT2, (long)a, 0, -1u, flags, 0, 0);
	until_queued(a, 3, flags & PRIVATE);
	SHOW(REQUEUE2, v, 1, 1, 1);
	SHOW(REQUEUE2, NULL, 0, 1, 1);
	SHOW(REQUEUE2, v, 0, -1, 1);
	v[0].val = 1;
	SHOW(REQUEUE2, v, 0, 1, 1);
	v[0].val = 0;
	SHOW(REQUEUE2, v, 0, 1, 1);
	SHOW(WAKE2, a, -1u, 9, flags);
	SHOW(WAKE2, b, -1u, 9, flags);
	for (int i = 0; i < 3; i++)
		end("requeued", i);
}

static void inheriting(int flag)
{
	struct timespec until, bad = {0, 2000000000};

	printf("--- priority inheritance, %s\n", flag ? "private" : "shared");
	SHOW(SYS_futex, a, FUTEX_LOCK_PI | flag, 0, NULL);
	SHOW(SYS_futex, a, FUTEX_LOCK_PI | flag, 0, NULL);
	SHOW(SYS_futex, a, FUTEX_TRYLOCK_PI | flag, 0, NULL);
	SHOW(SYS_futex, a, FUTEX_UNLOCK_PI | flag);
	SHOW(SYS_futex, a, FUTEX_UNLOCK_PI | flag);
	SHOW(SYS_futex, a, FUTEX_TRYLOCK_PI | flag, 0, NULL);
	SHOW(SYS_futex, a, FUTEX_LOCK_PI | FUTEX_CLOCK_REALTIME | flag, 0, NULL);
	SHOW(SYS_futex, a, FUTEX_LOCK_PI | flag, 0, &bad);
	SHOW(SYS_futex, (char *)a + 1, FUTEX_LOCK_PI | flag, 0, NULL);
	SHOW(SYS_futex, 8, FUTEX_LOCK_PI | flag, 0, NULL);
	BEGIN(0, SYS_futex, (long)a, FUTEX_TRYLOCK_PI | flag, 0, 0);
	end("trylock of another's", 0);
	BEGIN(0, SYS_futex, (long)a, FUTEX_UNLOCK_PI | flag, 0, 0);
	end("unlock of another's", 0);
	until = in(CLOCK_REALTIME, 5);
	BEGIN(0, SYS_futex, (long)a, FUTEX_LOCK_PI | flag, 0, (long)&until);
	end("lock until a time", 0);
	until = in(CLOCK_MONOTONIC, 5);
	BEGIN(0, SYS_futex, (long)a, FUTEX_LOCK_PI2 | flag, 0, (long)&until);
	end("lock2 until a time", 0);
	SHOW(SYS_futex, a, FUTEX_UNLOCK_PI | flag);
	SHOW(SYS_futex, a, FUTEX_LOCK_PI2 | flag, 0, NULL);
	BEGIN(0, SYS_futex, (long)a, FUTEX_LOCK_PI | flag, 0, 0);
	until_waited_for(a);
	show("waited for", 0);
	printf("unlock = %ld\n", CALL(SYS_futex, a, FUTEX_UNLOCK_PI | flag));
	while (!jobs[0].done)
		usleep(200);
	SHOW(SYS_futex, a, FUTEX_TRYLOCK_PI | flag, 0, NULL);
	jobs[0].done = 2; /* it ends with the lock */
	pthread_join(jobs[0].thread, NULL);
	*a = 0;
	*b = 0;
}

/* What only the private ones answer alike: the other's way is documented. */
static void inheriting_private(void)
{
	struct timespec until;

	printf("--- priority inheritance: owners\n");
	*a = 0x3ffffff0; /* nobody's */
	SHOW(SYS_futex, a, PI(FUTEX_LOCK_PI), 0, NULL);
	*a = FUTEX_OWNER_DIED;
	SHOW(SYS_futex, a, PI(FUTEX_LOCK_PI), 0, NULL);
	SHOW(SYS_futex, a, PI(FUTEX_UNLOCK_PI));
	SHOW(SYS_futex, a, PI(FUTEX_CMP_REQUEUE_PI), 2, 0, b, 0);
	SHOW(SYS_futex, a, PI(FUTEX_CMP_REQUEUE_PI), 1, 0, a, 0);
	SHOW(SYS_futex, a, PI(FUTEX_CMP_REQUEUE_PI), 1, 0, b, 5);
	SHOW(SYS_futex, a, PI(FUTEX_CMP_REQUEUE_PI), 1, 0, b, 0);
	SHOW(SYS_futex, a, PI(FUTEX_WAIT_REQUEUE_PI), 1, NULL, b, 0);
	SHOW(SYS_futex, a, PI(FUTEX_WAIT_REQUEUE_PI), 0, NULL, a, 0);
	until = in(CLOCK_MONOTONIC, 5);
	SHOW(SYS_futex, a, PI(FUTEX_WAIT_REQUEUE_PI), 0, &until, b, 0);
	BEGIN(0, SYS_futex, (long)a, PI(FUTEX_WAIT_REQUEUE_PI), 0, 0, (long)b);
	until_sleeps(0);
	SHOW(SYS_futex, a, PI(FUTEX_CMP_REQUEUE_PI), 1, 0, c, 0);
	SHOW(SYS_futex, a, PI(FUTEX_CMP_REQUEUE_PI), 1, 0, b, 0);
	end("requeued, free", 0);
	*b = 0;
	SHOW(SYS_futex, b, PI(FUTEX_LOCK_PI), 0, NULL);
	for (int i = 0; i < 2; i++) {
		BEGIN(i, SYS_futex, (long)a, PI(FUTEX_WAIT_REQUEUE_PI), 0, 0, (long)b);
		until_sleeps(i);
	}
	SHOW(SYS_futex, a, PI(FUTEX_CMP_REQUEUE_PI), 1, 5, b, 0);
	SHOW(SYS_futex, b, PI(FUTEX_UNLOCK_PI));
	end("requeued, first", 0); /* and it ends with the lock */
	end("requeued, second", 1);
	*b = 0;
	/* a circle: the other has b and wants a */
	BEGIN(0, SYS_futex, (long)b, PI(FUTEX_LOCK_PI), 0, 0);
	while (!jobs[0].done)
		usleep(200);
	SHOW(SYS_futex, a, PI(FUTEX_LOCK_PI), 0, NULL);
	jobs[0].done = 2;
	pthread_join(jobs[0].thread, NULL);
	show("it has ended", 0);
	SHOW(SYS_futex, b, PI(FUTEX_LOCK_PI), 0, NULL);
	*a = *b = 0;
}

static void *wants_both(void *arg)
{
	uint32_t **order = arg;

	show("has", CALL(SYS_futex, order[0], PI(FUTEX_LOCK_PI), 0, NULL) + 0 * (other_tid = (int)syscall(SYS_gettid)));
	jobs[3].tid = 1;
	jobs[3].result = CALL(SYS_futex, order[1], PI(FUTEX_LOCK_PI), 0, NULL);
	CALL(SYS_futex, order[1], PI(FUTEX_UNLOCK_PI));
	CALL(SYS_futex, order[0], PI(FUTEX_UNLOCK_PI));
	return NULL;
}

static void circle(void)
{
	uint32_t *order[2] = {b, a};
	pthread_t thread;

	printf("--- a circle\n");
	jobs[3].tid = 0;
	CALL(SYS_futex, a, PI(FUTEX_LOCK_PI), 0, NULL);
	pthread_create(&thread, NULL, wants_both, order);
	until_waited_for(a);
	SHOW(SYS_futex, b, PI(FUTEX_LOCK_PI), 0, NULL);
	CALL(SYS_futex, a, PI(FUTEX_UNLOCK_PI));
	pthread_join(thread, NULL);
	show("it had both", jobs[3].result);
}

int main(void)
{
	pthread_t thread;
	uint32_t *memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	static uint32_t words[3];

	alarm(200);
	setvbuf(stdout, NULL, _IOLBF, 0);
	main_tid = (int)syscall(SYS_gettid);
	pthread_create(&thread, NULL, is_there, NULL);
	for (int shared = 0; shared < 2; shared++) {
		a = shared ? memory : words;
		b = a + 1;
		c = a + 2;
		plain(shared ? 0 : FUTEX_PRIVATE_FLAG);
		*b = 0;
		if (CALL(WAITV, NULL, 0, 0, NULL, 0) != -ENOSYS)
			vectors(shared ? U32 : HERE, shared ? U32 : HERE);
		if (CALL(WAKE2, words, 1, 1, HERE) != -ENOSYS)
			second_generation(shared ? U32 : HERE);
		inheriting(shared ? 0 : FUTEX_PRIVATE_FLAG);
	}
	if (CALL(WAITV, NULL, 0, 0, NULL, 0) != -ENOSYS)
		vectors(HERE, U32);
	a = words;
	b = words + 1;
	c = words + 2;
	inheriting_private();
	circle();
	return 0;
}
