/*
 * channels.c - pairs of threads: one asks, the other answers, and each waits for the other all the time, in one of the ways that there are. A
 * wake-up that is lost ends the pair for good.
 */
#include "soak.h"

#include <linux/futex.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#define QUIT UINT64_MAX
#define BARRIER 3

/** One value at a time, one way. */
struct channel {
	pthread_mutex_t mutex;
	pthread_cond_t cond;
	sem_t sem;
	int full; /* under the mutex; or a futex */
	uint64_t value;
	int fds[2], epoll; /* fds[0] is read */
	pthread_t reader;
};

static void keep_on(long result)
{
	CHECK(result >= 0 || errno == EINTR);
}

static int futex(int *word, int op, int value, const struct timespec *timeout)
{
	return (int)syscall(SYS_futex, word, op | FUTEX_PRIVATE_FLAG, value, timeout, NULL, 0);
}

static void put_cond(struct channel *c, uint64_t value)
{
	int early = (int)dice(2);

	OK(pthread_mutex_lock(&c->mutex));
	c->value = value;
	c->full = 1;
	if (early)
		OK(pthread_cond_signal(&c->cond));
	OK(pthread_mutex_unlock(&c->mutex));
	if (!early)
		OK(pthread_cond_signal(&c->cond));
}

static uint64_t get_cond(struct channel *c)
{
	uint64_t value;

	OK(pthread_mutex_lock(&c->mutex));
	while (!c->full)
		OK(pthread_cond_wait(&c->cond, &c->mutex));
	c->full = 0;
	value = c->value;
	OK(pthread_mutex_unlock(&c->mutex));
	return value;
}

/** With time limits, that are mostly too short. */
static uint64_t get_cond_timed(struct channel *c)
{
	uint64_t value;
	int error;

	OK(pthread_mutex_lock(&c->mutex));
	while (!c->full) {
		clockid_t clock = dice(2) ? CLOCK_REALTIME : CLOCK_MONOTONIC;
		struct timespec ts = soon(clock, (long)dice(300));

		error = pthread_cond_clockwait(&c->cond, &c->mutex, clock, &ts);
		CHECK(error == 0 || error == ETIMEDOUT);
	}
	c->full = 0;
	value = c->value;
	OK(pthread_mutex_unlock(&c->mutex));
	return value;
}

static void put_sem(struct channel *c, uint64_t value)
{
	c->value = value;
	OK(sem_post(&c->sem));
}

static uint64_t get_sem(struct channel *c)
{
	struct timespec ts = soon(CLOCK_REALTIME, (long)dice(300));

	while ((dice(2) ? sem_wait(&c->sem) : sem_timedwait(&c->sem, &ts)) < 0)
		CHECK(errno == EINTR || errno == ETIMEDOUT);
	return c->value;
}

static void put_futex(struct channel *c, uint64_t value)
{
	c->value = value;
	__atomic_store_n(&c->full, 1, __ATOMIC_SEQ_CST);
	CHECK(futex(&c->full, FUTEX_WAKE, 1, NULL) >= 0);
}

static uint64_t get_futex(struct channel *c)
{
	while (!__atomic_load_n(&c->full, __ATOMIC_SEQ_CST)) {
		struct timespec ts = {0, (long)dice(300000)};

		if (futex(&c->full, FUTEX_WAIT, 0, dice(3) ? NULL : &ts) < 0)
			CHECK(errno == EAGAIN || errno == EINTR || errno == ETIMEDOUT);
	}
	__atomic_store_n(&c->full, 0, __ATOMIC_SEQ_CST);
	return c->value;
}

static void put_fd(struct channel *c, uint64_t value)
{
	long n;

	do
		keep_on(n = write(c->fds[1], &value, sizeof(value)));
	while (n != sizeof(value));
}

static uint64_t get_fd(struct channel *c)
{
	uint64_t value;
	long n;

	do
		keep_on(n = read(c->fds[0], &value, sizeof(value)));
	while (n != sizeof(value));
	return value;
}

static uint64_t get_polled(struct channel *c)
{
	struct pollfd one = {.fd = c->fds[0], .events = POLLIN};
	int n;

	do
		keep_on(n = poll(&one, 1, dice(2) ? -1 : (int)dice(3)));
	while (n != 1);
	return get_fd(c);
}

static uint64_t get_selected(struct channel *c)
{
	int n;

	do {
		struct timeval tv = {0, (suseconds_t)dice(2000)};
		fd_set set;

		FD_ZERO(&set);
		FD_SET(c->fds[0], &set);
		keep_on(n = select(c->fds[0] + 1, &set, NULL, NULL, dice(2) ? NULL : &tv));
	} while (n != 1);
	return get_fd(c);
}

static uint64_t get_epoll(struct channel *c)
{
	struct epoll_event event;
	int n;

	do
		keep_on(n = epoll_wait(c->epoll, &event, 1, dice(2) ? -1 : (int)dice(3)));
	while (n != 1);
	return get_fd(c);
}

static void put_signal(struct channel *c, uint64_t value)
{
	c->value = value;
	OK(pthread_kill(c->reader, SIGNAL_CHANNEL));
}

static uint64_t get_signal(struct channel *c)
{
	struct timespec ts = {0, (long)dice(300000)};
	sigset_t set;
	int sig;

	sigemptyset(&set);
	sigaddset(&set, SIGNAL_CHANNEL);
	while ((sig = dice(2) ? sigwaitinfo(&set, NULL) : sigtimedwait(&set, NULL, &ts)) < 0)
		CHECK(errno == EINTR || errno == EAGAIN);
	CHECK(sig == SIGNAL_CHANNEL);
	return c->value;
}

static struct pair {
	const char *name;
	void (*put)(struct channel *c, uint64_t value);
	uint64_t (*get)(struct channel *c);
	struct channel there, back;
	pthread_barrier_t begun;
} pairs[] = {
	{.name = "cond", .put = put_cond, .get = get_cond},
	{.name = "cond, timed", .put = put_cond, .get = get_cond_timed},
	{.name = "semaphore", .put = put_sem, .get = get_sem},
	{.name = "futex", .put = put_futex, .get = get_futex},
	{.name = "pipe", .put = put_fd, .get = get_fd},
	{.name = "poll", .put = put_fd, .get = get_polled},
	{.name = "select", .put = put_fd, .get = get_selected},
	{.name = "epoll", .put = put_fd, .get = get_epoll},
	{.name = "sigwait", .put = put_signal, .get = get_signal},
};
#define PAIRS ((int)(sizeof(pairs) / sizeof(pairs[0])))

static void channel_init(struct channel *c, int socket)
{
	struct epoll_event event = {.events = EPOLLIN};

	pthread_mutex_init(&c->mutex, NULL);
	pthread_cond_init(&c->cond, NULL);
	sem_init(&c->sem, 0, 0);
	CHECK((socket ? socketpair(AF_UNIX, SOCK_STREAM, 0, c->fds) : pipe(c->fds)) == 0);
	c->epoll = epoll_create1(0);
	CHECK(epoll_ctl(c->epoll, EPOLL_CTL_ADD, c->fds[0], &event) == 0);
}

static void *asker(void *actor)
{
	struct pair *pair = &pairs[((struct actor *)begin_actor(actor))->index];
	uint64_t value = 0, answer;

	pair->back.reader = pthread_self();
	pthread_barrier_wait(&pair->begun);
	while (!board->stop) {
		DO("asking");
		pair->put(&pair->there, ++value);
		DO("waiting for an answer");
		answer = pair->get(&pair->back);
		if (answer != value * 3)
			wrong(__FILE__, __LINE__, pair->name, (long)(answer - value * 3));
		me->progress++;
		if (dice(64) == 0)
			usleep((useconds_t)dice(200));
	}
	DO("saying that it is over");
	pair->put(&pair->there, QUIT);
	return end_actor();
}

static void *answerer(void *actor)
{
	struct pair *pair = &pairs[((struct actor *)begin_actor(actor))->index];
	uint64_t value;

	pair->there.reader = pthread_self();
	pthread_barrier_wait(&pair->begun);
	for (;;) {
		DO("waiting to be asked");
		value = pair->get(&pair->there);
		if (value == QUIT)
			return end_actor();
		DO("answering");
		pair->put(&pair->back, value * 3);
		me->progress++;
	}
}

/* Rounds of several, which all begin when the last one has come. */
static pthread_barrier_t barrier;
static volatile int barrier_quit, barrier_serial;

static void *round_maker(void *actor)
{
	begin_actor(actor);
	for (;;) {
		int last;

		if (me->index == 0)
			barrier_quit = board->stop;
		DO("pthread_barrier_wait");
		last = pthread_barrier_wait(&barrier);
		if (last == PTHREAD_BARRIER_SERIAL_THREAD)
			barrier_serial++;
		else
			OK(last);
		if (barrier_quit)
			return end_actor();
		me->progress++;
		DO("pthread_barrier_wait, again");
		pthread_barrier_wait(&barrier); /* or the flag could be the next round's already */
		CHECK((uint64_t)barrier_serial == me->progress);
		DO("pthread_barrier_wait, the third");
		pthread_barrier_wait(&barrier);
	}
}

void channels_begin(void)
{
	for (int i = 0; i < PAIRS; i++) {
		channel_init(&pairs[i].there, i & 1);
		channel_init(&pairs[i].back, i & 1);
		pthread_barrier_init(&pairs[i].begun, NULL, 2);
		act(pairs[i].name, i, asker);
		act(pairs[i].name, i, answerer);
	}
	pthread_barrier_init(&barrier, NULL, BARRIER);
	for (int i = 0; i < BARRIER; i++)
		act("barrier", i, round_maker);
}
