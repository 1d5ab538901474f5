/*
 * epoll.c - waiting in an epoll set, where io_uring is missing or forbidden: one for each rfork, which sleeps in it when none of its userthreads can run.
 *
 * A descriptor is in the set once, whoever waits for it, with all that they wait for, and reports once (EPOLLONESHOT). All that wait for it look then, and
 * those that have to wait on arm it again. Nothing is taken out of the set: what is not armed is silent, and what is closed leaves it.
 *
 * Invariant: what is in `waits` belongs to a wait that has begun and not ended.
 */
#include "wait/ready.h"

#include <sys/epoll.h>

#define BUCKETS 256
#define EVENTS 64
#define LOOKS 16 /* of a busy rfork: each of them thorough would be a system call for each wait */

struct set {
	int fd, bell;
	unsigned looks;
	struct ready_fd *waits[BUCKETS]; /* by descriptor */
};

static struct ready_fd **bucket(struct set *set, int fd)
{
	return &set->waits[(unsigned)fd % BUCKETS];
}

static void forget(void *queue)
{
	struct set *set = queue;

	close_own_descriptor(set->fd);
	lwkt_os_free(set);
}

static void *open(int bell)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.fd = bell}; /* an edge: nobody has to silence it */
	struct set *set = lwkt_os_alloc(sizeof(*set));
	long fd = set ? kernel_call(SYS_epoll_create1, EPOLL_CLOEXEC) : -ENOMEM;

	if (fd < 0) {
		lwkt_os_free(set);
		return NULL;
	}
	set->fd = own_descriptor((int)fd);
	set->bell = bell;
	if (kernel_call(SYS_epoll_ctl, set->fd, EPOLL_CTL_ADD, bell, &event) == 0)
		return set;
	forget(set);
	return NULL;
}

/** With what all wait for. 0, or -errno. */
static long arm(struct set *set, int fd)
{
	struct epoll_event event = {.events = EPOLLONESHOT, .data.fd = fd};
	long error;

	for (struct ready_fd *wait = *bucket(set, fd); wait; wait = wait->next)
		if (wait->fd == fd)
			event.events |= wait->events;
	error = kernel_call(SYS_epoll_ctl, set->fd, EPOLL_CTL_MOD, fd, &event);
	return error == -ENOENT ? kernel_call(SYS_epoll_ctl, set->fd, EPOLL_CTL_ADD, fd, &event) : error;
}

static void end(void *queue, struct ready *ready, struct ready_fd *fds, unsigned n)
{
	(void)ready;
	for (unsigned i = 0; i < n; i++) {
		struct ready_fd **place = bucket(queue, fds[i].fd);

		while (*place && *place != &fds[i])
			place = &(*place)->next;
		if (*place)
			*place = fds[i].next;
	}
}

static long begin(void *queue, struct ready *ready, struct ready_fd *fds, unsigned n)
{
	struct set *set = queue;
	long error = 0;

	for (unsigned i = 0; i < n && !error; i++) {
		struct ready_fd **place = bucket(set, fds[i].fd);

		fds[i].next = *place;
		*place = &fds[i];
		error = arm(set, fds[i].fd);
	}
	if (error)
		end(queue, ready, fds, n);
	return error;
}

static void report(struct set *set, int fd)
{
	for (struct ready_fd *wait = *bucket(set, fd); wait; wait = wait->next) {
		if (wait->fd != fd)
			continue;
		wait->ready->over = true;
		lwkt_wake(wait->ready->td);
	}
}

static void collect(struct set *set, uint64_t ns)
{
	const int64_t timeout[2] = {(int64_t)(ns / 1000000000u), (int64_t)(ns % 1000000000u)};
	struct epoll_event events[EVENTS];
	long n = kernel_call(SYS_epoll_pwait2, set->fd, events, EVENTS, ns == UINT64_MAX ? NULL : timeout, NULL, 8);

	set->looks = 0;
	for (long i = 0; i < n; i++)
		report(set, events[i].data.fd);
}

static void look(void *queue, bool thoroughly)
{
	struct set *set = queue;

	if (thoroughly || ++set->looks >= LOOKS)
		collect(set, 0);
}

static bool is_due(const void *queue)
{
	(void)queue;
	return true;
}

static void idle(void *queue, uint64_t ns)
{
	collect(queue, lwkt_loop_sleeps(0) ? ns : 0);
	lwkt_loop_wakes();
}

const struct ready_way ready_epoll = {open, forget, begin, end, look, is_due, idle};
