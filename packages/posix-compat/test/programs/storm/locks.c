/*
 * locks.c - calls of the storm that wait for a futex or a lock: as many are woken as were said to have been, and a lock is one thread's at a time.
 */
#include "storm.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <sched.h>
#include <semaphore.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

pid_t holder;

/* ---------------------------------------------------------------- futexes: as many have been woken as were said to have been */

static int futex(uint32_t *word, int op, uint32_t value, const struct timespec *ts, uint32_t value3)
{
	return (int)syscall(SYS_futex, word, op, value, ts, NULL, value3);
}

static int was_woken(struct kind *self, int result)
{
	return result < 0 && errno == EAGAIN ? 0 : has_got(self, result);
}

static uint32_t word_of(struct kind *self) { return __atomic_load_n(&self->words[0], __ATOMIC_SEQ_CST); }

static void wake_by(struct kind *self, int flag)
{
	int n;

	__atomic_fetch_add(&self->words[0], 1, __ATOMIC_SEQ_CST);
	n = futex(&self->words[0], FUTEX_WAKE_BITSET | flag, choose(FEW), NULL, 1u << choose(2) | 4);
	if (n > 0)
		self->fed += n;
}

static void wake_private(struct kind *self) { wake_by(self, FUTEX_PRIVATE_FLAG); }
static void wake_shared(struct kind *self) { wake_by(self, 0); }
static long nobody_left(struct kind *self) { (void)self; return 0; }

static int futex_private(struct kind *self, bool for_long)
{
	(void)for_long;
	return was_woken(self, futex(&self->words[0], FUTEX_WAIT_PRIVATE, word_of(self), NULL, 0));
}

static int futex_shared(struct kind *self, bool for_long)
{
	(void)for_long;
	return was_woken(self, futex(&self->words[0], FUTEX_WAIT, word_of(self), NULL, 0));
}

static int futex_bitset(struct kind *self, bool for_long)
{
	(void)for_long;
	return was_woken(self, futex(&self->words[0], FUTEX_WAIT_BITSET_PRIVATE, word_of(self), NULL, 2 | 8));
}

/** A futex's wait for a time: its time may be up. */
static int timed_futex(struct kind *self, int result, bool for_long, int64_t began)
{
	if (result >= 0 || errno != ETIMEDOUT)
		return was_woken(self, result);
	was_long_enough(self, began, for_long);
	return 0;
}

static int futex_timed(struct kind *self, bool for_long)
{
	struct timespec ts = how_long(for_long);
	int64_t began = now_ns();

	return timed_futex(self, futex(&self->words[0], FUTEX_WAIT_PRIVATE, word_of(self), &ts, 0), for_long, began);
}

static int futex_shared_timed(struct kind *self, bool for_long)
{
	struct timespec ts = how_long(for_long);
	int64_t began = now_ns();

	return timed_futex(self, futex(&self->words[0], FUTEX_WAIT, word_of(self), &ts, 0), for_long, began);
}

static int futex_bitset_timed(struct kind *self, bool for_long)
{
	int64_t began = now_ns();
	struct timespec ts = until(CLOCK_MONOTONIC, for_long);

	return timed_futex(self, futex(&self->words[0], FUTEX_WAIT_BITSET_PRIVATE, word_of(self), &ts, 1 | 8), for_long, began);
}

#ifndef SYS_futex_waitv
#define SYS_futex_waitv 449
#endif
struct waitv {
	uint64_t value, address;
	uint32_t flags, reserved;
};

static bool has_waitv(struct kind *self)
{
	(void)self;
	return syscall(SYS_futex_waitv, NULL, 0, 0, NULL, 0) < 0 && errno != ENOSYS;
}

/** Only the first word is ever woken. */
static int wait_vector(struct kind *self, bool for_long, uint32_t flag)
{
	struct waitv words[2] = {{word_of(self), (uintptr_t)&self->words[0], 2 | flag, 0}, {0, (uintptr_t)&self->words[1], 2 | FUTEX_PRIVATE_FLAG, 0}};
	int64_t began = now_ns();
	struct timespec ts = until(CLOCK_MONOTONIC, for_long);
	int result = (int)syscall(SYS_futex_waitv, words, 2, 0, &ts, CLOCK_MONOTONIC);

	if (result > 0)
		complain(self->name, 0, result);
	return timed_futex(self, result, for_long, began);
}

static int futex_waitv_private(struct kind *self, bool for_long) { return wait_vector(self, for_long, FUTEX_PRIVATE_FLAG); }
static int futex_waitv_shared(struct kind *self, bool for_long) { return wait_vector(self, for_long, 0); }

/* ---------------------------------------------------------------- locks: words[1] says how many are inside */

static void inside(struct kind *self)
{
	uint32_t others = __atomic_fetch_add(&self->words[1], 1, __ATOMIC_SEQ_CST);

	if (others)
		complain(self->name, 0, others);
	if (!choose(8))
		sched_yield();
	__atomic_fetch_sub(&self->words[1], 1, __ATOMIC_SEQ_CST);
}

static int lock_pi(struct kind *self, bool for_long)
{
	uint32_t tid = (uint32_t)gettid(), free = 0;

	(void)for_long;
	if (!__atomic_compare_exchange_n(&self->words[0], &free, tid, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST) &&
	    futex(&self->words[0], FUTEX_LOCK_PI_PRIVATE, 0, NULL, 0) < 0)
		return errno;
	inside(self);
	if (!__atomic_compare_exchange_n(&self->words[0], &tid, 0, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST) &&
	    futex(&self->words[0], FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, 0) < 0)
		return errno;
	return 0;
}

static int lock_mutex(struct kind *self, bool for_long)
{
	static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
	int error = pthread_mutex_lock(&mutex);

	(void)for_long;
	if (error)
		return error;
	inside(self);
	return pthread_mutex_unlock(&mutex);
}

static pthread_mutex_t cond_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;

static int wait_cond(struct kind *self, bool for_long)
{
	struct timespec ts = until(CLOCK_REALTIME, false);
	int error;

	(void)for_long;
	pthread_mutex_lock(&cond_mutex);
	error = pthread_cond_timedwait(&cond, &cond_mutex, &ts);
	inside(self);
	pthread_mutex_unlock(&cond_mutex);
	return error == ETIMEDOUT ? 0 : error;
}

static void signal_cond(struct kind *self)
{
	(void)self;
	pthread_cond_signal(&cond);
}

static sem_t semaphores[2];

static bool make_sem(struct kind *self)
{
	self->words[0] = !strcmp(self->name, "sem_timedwait");
	return !sem_init(&semaphores[self->words[0]], 0, 0);
}

static void post_sem(struct kind *self) { has_fed(self, sem_post(&semaphores[self->words[0]])); }

static long sem_left(struct kind *self)
{
	int n = 0;

	sem_getvalue(&semaphores[self->words[0]], &n);
	return n;
}

static int wait_sem(struct kind *self, bool for_long)
{
	(void)for_long;
	return has_got(self, sem_wait(&semaphores[self->words[0]]));
}

static int wait_sem_timed(struct kind *self, bool for_long)
{
	struct timespec ts = until(CLOCK_REALTIME, for_long);
	int error = has_got(self, sem_timedwait(&semaphores[self->words[0]], &ts));

	return error == ETIMEDOUT && !for_long ? 0 : error;
}

/* The holder has the file "held" locked in every way, for ever; "free" is the threads'. */
static int held, ofd_held;

static int try_flock(struct kind *self, bool for_long)
{
	int fd = open(for_long ? "held" : "free", O_RDWR), error;

	if (fd < 0)
		return errno;
	error = flock(fd, LOCK_EX) ? errno : 0;
	if (!error && for_long)
		complain("flock of what another has", 1, 0);
	if (!error)
		inside(self);
	close(fd);
	return error;
}

static int try_posix_lock(struct kind *self, bool for_long)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 1};

	(void)for_long;
	if (!fcntl(held, F_SETLKW, &lock))
		complain(self->name, -1, 0);
	return errno;
}

static int try_ofd_lock(struct kind *self, bool for_long)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 1, .l_len = 1};
	int fd, error;

	if (for_long) {
		if (!fcntl(ofd_held, F_OFD_SETLKW, &lock))
			complain(self->name, -1, 0);
		return errno;
	}
	fd = open("free", O_RDWR);
	if (fd < 0)
		return errno;
	error = fcntl(fd, F_OFD_SETLKW, &lock) ? errno : 0;
	if (!error)
		inside(self);
	close(fd);
	return error;
}

pid_t holder_begins(void)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 1};
	int fds[2];
	char byte;

	close(open("held", O_CREAT | O_RDWR, 0600));
	close(open("free", O_CREAT | O_RDWR, 0600));
	if (pipe(fds))
		return -1;
	holder = fork();
	if (holder) {
		close(fds[1]);
		if (read(fds[0], &byte, 1) != 1)
			return -1;
		close(fds[0]);
		held = open("held", O_RDWR);
		ofd_held = open("held", O_RDWR);
		return holder;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	held = open("held", O_RDWR);
	if (flock(held, LOCK_EX) || fcntl(held, F_SETLK, &lock))
		_exit(1);
	lock.l_start = 1;
	if (fcntl(open("held", O_RDWR), F_OFD_SETLK, &lock) || write(fds[1], "x", 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

struct kind storm_locks[] = {
	{"futex", GOES_ON, NULL, futex_private, wake_private, nobody_left},
	{"futex with a time", ENDS, NULL, futex_timed, wake_private, nobody_left},
	{"futex, shared", GOES_ON, NULL, futex_shared, wake_shared, nobody_left},
	{"futex, shared, with a time", ENDS, NULL, futex_shared_timed, wake_shared, nobody_left},
	{"futex with a set", GOES_ON, NULL, futex_bitset, wake_private, nobody_left},
	{"futex with a set, until a time", ENDS, NULL, futex_bitset_timed, wake_private, nobody_left},
	{"futex_waitv", GOES_ON, has_waitv, futex_waitv_private, wake_private, nobody_left},
	{"futex_waitv, shared", GOES_ON, has_waitv, futex_waitv_shared, wake_shared, nobody_left},
	{"futex with priority inheritance", NEVER, NULL, lock_pi, NULL, NULL},
	{"a mutex", NEVER, NULL, lock_mutex, NULL, NULL},
	{"a condition", NEVER, NULL, wait_cond, signal_cond, NULL},
	{"sem_wait", GOES_ON, make_sem, wait_sem, post_sem, sem_left},
	{"sem_timedwait", ENDS, make_sem, wait_sem_timed, post_sem, sem_left},
	{"flock", GOES_ON, NULL, try_flock, NULL, NULL},
	{"fcntl", GOES_ON, NULL, try_posix_lock, NULL, NULL},
	{"fcntl, of a description", GOES_ON, NULL, try_ofd_lock, NULL, NULL},
	{0},
};
