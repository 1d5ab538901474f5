/*
 * children.c - SIGCHLD while no event loop turns. libuv learns from it that a child has ended, and one that waits for that in a loop of its own (spawnSync), or is a Worker's,
 * must not depend on the event loop that reads signals here. So this one signal is read by a kernel thread of its own, which tells Node at once and puts
 * the signal into the environment's inbox.
 *
 * Not here: who gets it. That is decided in src/, as of all others.
 *
 * Invariant: what the thread has taken from the kernel is in an inbox before the lock is free again; so who reads under the lock misses nothing.
 */
#include "signals.h"

#include <poll.h>
#include <unistd.h>

/* Under the lock: one that reads it. */
static struct environment *reader(void)
{
	for (struct environment *each = environments; each; each = each->next)
		if ((each->actions | each->reads) & BIT(SIGCHLD))
			return each;
	return NULL;
}

static bool is_there(const struct environment *environment)
{
	for (const struct letter *letter = environment->inbox; letter; letter = letter->next)
		if (letter->info.ssi_signo == SIGCHLD && !(letter->flags & (COPY | FORWARDED)))
			return true;
	return false;
}

static void take_one(int fd)
{
	struct letter letter;
	struct environment *to;

	if (read(fd, &letter.info, sizeof(letter.info)) != sizeof(letter.info))
		return; /* an event loop was quicker */
	letter.flags = 0;
	if (managed_is_node(SIGCHLD)) {
		managed_tell_node(SIGCHLD);
		letter.flags = TOLD;
	}
	to = reader();
	if (to && !is_there(to)) /* of a standard signal one is pending at most */
		deliver(to, (const char *)&letter.info, 0);
}

static void *watch(void *arg)
{
	struct pollfd children = { .fd = (int)(intptr_t)arg, .events = POLLIN };

	for (;;) {
		if (poll(&children, 1, -1) != 1)
			continue;
		pthread_mutex_lock(&lock);
		take_one(children.fd);
		pthread_mutex_unlock(&lock);
	}
	return NULL;
}

/* Under the lock. false: there can't be such a thread; then it is read as others are. */
bool children_watch(void)
{
	static bool watched;
	sigset_t set, all, before;
	pthread_t thread;
	int fd;

	if (watched)
		return true;
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (fd < 0)
		return false;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	watched = pthread_create(&thread, NULL, watch, (void *)(intptr_t)fd) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (watched)
		pthread_detach(thread);
	else
		close(fd);
	return watched;
}
