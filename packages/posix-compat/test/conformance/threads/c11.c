/* c11.c - threads of C11 (ISO/IEC 9899:2011, 7.26, 7.17, 6.2.4): threads.h, thread storage, atomics. */
#include "../conformance.h"

#include <stdatomic.h>
#include <sys/time.h>
#include <threads.h>

static mtx_t mutex;
static cnd_t cond;
static tss_t key;
static once_flag flag = ONCE_FLAG_INIT;
static atomic_int past, calls;
static long plain;

static thrd_t start(thrd_start_t run, void *arg)
{
	thrd_t thread;

	GIVES(thrd_success, thrd_create(&thread, run, arg));
	return thread;
}

static int finish(thrd_t thread)
{
	int result;

	GIVES(thrd_success, thrd_join(thread, &result));
	return result;
}

static int gives_back(void *arg) { return *(int *)arg; }
static int exits(void *arg) { thrd_exit(*(int *)arg); }

BEHAVIOUR(thrd_result, "thrd_join gives what the function returned, or thrd_exit was given")
{
	int number = 12345;

	CHECK(finish(start(gives_back, &number)) == 12345);
	CHECK(finish(start(exits, &number)) == 12345);
	GIVES(thrd_success, thrd_join(start(exits, &number), NULL));
}

static thrd_t itself;

static int says_current(void *arg)
{
	(void)arg;
	itself = thrd_current();
	return 0;
}

BEHAVIOUR(thrd_equal_current, "thrd_current is the thread's identifier, by thrd_equal")
{
	thrd_t thread = start(says_current, NULL);

	finish(thread);
	CHECK(thrd_equal(thread, itself) && !thrd_equal(thread, thrd_current()));
}

static int passes(void *arg)
{
	(void)arg;
	past = 1;
	return 0;
}

BEHAVIOUR(thrd_detached, "A detached thread goes on by itself")
{
	GIVES(thrd_success, thrd_detach(start(passes, NULL)));
	UNTIL(past);
}

static void on_signal(int sig) { (void)sig; }

BEHAVIOUR(thrd_sleeps, "thrd_sleep sleeps not less than it was told; a signal ends it with -1 and what is left")
{
	struct timespec time = from_now(CLOCK_REALTIME, 20), duration = {0, 20000000}, left = {0, 0};
	const struct itimerval often = {{0, 100000}, {0, 100000}};

	OK(thrd_sleep(&duration, NULL));
	CHECK(has_come(CLOCK_REALTIME, &time));
	catch_with(SIGALRM, on_signal, 0);
	OK(setitimer(ITIMER_REAL, &often, NULL)); /* the first may come before the call */
	duration.tv_sec = 1000;
	GIVES(-1, thrd_sleep(&duration, &left));
	CHECK(left.tv_sec > 5 && left.tv_sec < 1000);
}

BEHAVIOUR(thrd_yields, "thrd_yield returns")
{
	for (int i = 0; i < 100; i++)
		thrd_yield();
}

static int adds(void *arg)
{
	(void)arg;
	for (int i = 0; i < 3000; i++) {
		GIVES(thrd_success, mtx_lock(&mutex));
		plain++;
		GIVES(thrd_success, mtx_unlock(&mutex));
	}
	return 0;
}

BEHAVIOUR(mtx_excludes, "One thread at a time has a mutex of any type")
{
	const int types[] = {mtx_plain, mtx_timed, mtx_plain | mtx_recursive, mtx_timed | mtx_recursive};

	for (int type = 0; type < COUNT(types); type++) {
		thrd_t threads[4];

		plain = 0;
		GIVES(thrd_success, mtx_init(&mutex, types[type]));
		for (int i = 0; i < 4; i++)
			threads[i] = start(adds, NULL);
		for (int i = 0; i < 4; i++)
			finish(threads[i]);
		CHECK(plain == 4 * 3000);
		mtx_destroy(&mutex);
	}
}

static int tries(void *arg)
{
	(void)arg;
	return mtx_trylock(&mutex);
}

BEHAVIOUR(mtx_try, "mtx_trylock of a mutex that another has is thrd_busy; a recursive one's owner gets it again")
{
	GIVES(thrd_success, mtx_init(&mutex, mtx_plain | mtx_recursive));
	GIVES(thrd_success, mtx_lock(&mutex));
	GIVES(thrd_success, mtx_trylock(&mutex));
	GIVES(thrd_busy, finish(start(tries, NULL)));
	GIVES(thrd_success, mtx_unlock(&mutex));
	GIVES(thrd_busy, finish(start(tries, NULL)));
	GIVES(thrd_success, mtx_unlock(&mutex));
	GIVES(thrd_success, finish(start(tries, NULL)));
}

static int locks_until(void *arg) { return mtx_timedlock(&mutex, arg); }

BEHAVIOUR(mtx_times_out, "mtx_timedlock ends with thrd_timedout, not before its time in UTC")
{
	struct timespec time = from_now(CLOCK_REALTIME, 30);

	GIVES(thrd_success, mtx_init(&mutex, mtx_timed));
	GIVES(thrd_success, mtx_lock(&mutex));
	GIVES(thrd_timedout, finish(start(locks_until, &time)));
	CHECK(has_come(CLOCK_REALTIME, &time));
}

static int waiting, tokens;

static int waits(void *arg)
{
	(void)arg;
	GIVES(thrd_success, mtx_lock(&mutex));
	waiting++;
	while (!tokens)
		GIVES(thrd_success, cnd_wait(&cond, &mutex));
	tokens--;
	GIVES(thrd_success, mtx_unlock(&mutex));
	return 0;
}

static void wake(int n, int (*call)(cnd_t *))
{
	thrd_t threads[8];
	int all = 0;

	GIVES(thrd_success, mtx_init(&mutex, mtx_plain));
	GIVES(thrd_success, cnd_init(&cond));
	for (int i = 0; i < 8; i++)
		threads[i] = start(waits, NULL);
	while (!all) {
		mtx_lock(&mutex);
		all = waiting == 8;
		mtx_unlock(&mutex);
	}
	for (int i = 0; i < 8; i += n) {
		mtx_lock(&mutex);
		tokens += n;
		GIVES(thrd_success, call(&cond));
		mtx_unlock(&mutex);
	}
	for (int i = 0; i < 8; i++)
		finish(threads[i]);
	cnd_destroy(&cond);
}

BEHAVIOUR(cnd_signals, "cnd_signal unblocks one of those who wait") { wake(1, cnd_signal); }
BEHAVIOUR(cnd_broadcasts, "cnd_broadcast unblocks all who wait") { wake(8, cnd_broadcast); }

BEHAVIOUR(cnd_times_out, "cnd_timedwait ends with thrd_timedout, not before its time in UTC, and has the mutex")
{
	struct timespec time = from_now(CLOCK_REALTIME, 30);

	GIVES(thrd_success, mtx_init(&mutex, mtx_plain));
	GIVES(thrd_success, cnd_init(&cond));
	GIVES(thrd_success, mtx_lock(&mutex));
	while (!has_come(CLOCK_REALTIME, &time)) {
		int result = cnd_timedwait(&cond, &mutex, &time);

		CHECK(result == thrd_timedout || result == thrd_success);
	}
	GIVES(thrd_busy, finish(start(tries, NULL)));
}

static void destroy(void *value)
{
	CHECK(value == &key && !tss_get(key));
	calls++;
}

static int sets(void *arg)
{
	CHECK(!tss_get(key));
	GIVES(thrd_success, tss_set(key, arg));
	CHECK(tss_get(key) == arg);
	return 0;
}

BEHAVIOUR(tss_values, "Thread-specific storage: NULL at first, each thread's own, destroyed at its end")
{
	GIVES(thrd_success, tss_create(&key, destroy));
	finish(start(sets, &key));
	CHECK(calls == 1 && !tss_get(key));
	finish(start(sets, NULL));
	CHECK(calls == 1);
	tss_delete(key);
}

static void sets_again(void *value)
{
	calls++;
	tss_set(key, value);
}

BEHAVIOUR(tss_iterations, "Destructors that set values again are called up to TSS_DTOR_ITERATIONS times")
{
	GIVES(thrd_success, tss_create(&key, sets_again));
	finish(start(sets, &key));
	CHECK(calls == TSS_DTOR_ITERATIONS);
}

static void count(void)
{
	calls++;
	moment();
	past = 1;
}

static int calls_once(void *arg)
{
	(void)arg;
	call_once(&flag, count);
	return past;
}

BEHAVIOUR(call_once_once, "call_once calls once; all others return after that")
{
	thrd_t threads[10];

	for (int i = 0; i < 10; i++)
		threads[i] = start(calls_once, NULL);
	for (int i = 0; i < 10; i++)
		CHECK(finish(threads[i]) == 1);
	CHECK(calls == 1);
}

static _Thread_local int local = 3;

static int changes_local(void *arg)
{
	int before = local;

	local = *(int *)arg;
	thrd_yield();
	CHECK(local == *(int *)arg);
	return before;
}

BEHAVIOUR(thread_storage, "_Thread_local objects are each thread's own, and begin with their initializer")
{
	int number = 9;

	for (int i = 0; i < 5; i++)
		CHECK(finish(start(changes_local, &number)) == 3);
	CHECK(local == 3);
}

static atomic_llong wide;
static atomic_flag spin = ATOMIC_FLAG_INIT;

static int counts_atomically(void *arg)
{
	(void)arg;
	for (int i = 0; i < 20000; i++) {
		atomic_fetch_add(&wide, 1ll << 20);
		while (atomic_flag_test_and_set(&spin))
			;
		plain++;
		atomic_flag_clear(&spin);
	}
	return 0;
}

BEHAVIOUR(atomics, "Atomic operations lose nothing; atomic_flag is a lock")
{
	thrd_t threads[4];

	for (int i = 0; i < 4; i++)
		threads[i] = start(counts_atomically, NULL);
	for (int i = 0; i < 4; i++)
		finish(threads[i]);
	CHECK(wide == (80000ll << 20) && plain == 80000);
}
