/*
 * readiness.c - waiting for descriptors on the event loop: one epoll descriptor for each environment, and one libuv handle that
 * watches it.
 *
 * Not uv_poll for each descriptor: that makes descriptors non-blocking, and refuses those that Node itself uses.
 *
 * Invariant: an interest is armed for one event (EPOLLONESHOT); who still waits asks again.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "syscalls.h"

#define EVENTS_AT_ONCE 128

struct readiness {
	uv_poll_t poll;
	struct environment *environment;
	int epfd;
};

static void on_readable(uv_poll_t *handle, int status, int events)
{
	struct readiness *readiness = handle->data;
	struct epoll_event list[EVENTS_AT_ONCE];

	(void)status;
	(void)events;
	int n = epoll_wait(readiness->epfd, list, EVENTS_AT_ONCE, 0);
	for (int i = 0; i < n; i++)
		environment_call(readiness->environment, readiness->environment->on_ready, list[i].data.fd, list[i].events);
}

static int readiness_init(struct environment *environment)
{
	struct readiness *readiness = calloc(1, sizeof *readiness);

	if (readiness == NULL)
		return -ENOMEM;
	readiness->environment = environment;
	readiness->epfd = epoll_create1(EPOLL_CLOEXEC);
	int error = readiness->epfd < 0 ? -errno : uv_poll_init(environment->loop, &readiness->poll, readiness->epfd);
	if (error) {
		if (readiness->epfd >= 0)
			close(readiness->epfd);
		free(readiness);
		return error;
	}
	readiness->poll.data = readiness;
	environment->open_handles++;
	environment->readiness = readiness;
	uv_poll_start(&readiness->poll, UV_READABLE, on_readable);
	uv_unref((uv_handle_t *)&readiness->poll);
	return 0;
}

int readiness_watch(struct environment *environment, int fd, uint32_t events)
{
	int error = environment->readiness == NULL ? readiness_init(environment) : 0;

	if (error)
		return error;
	struct epoll_event event = {.events = events | EPOLLONESHOT, .data = {.fd = fd}};
	int epfd = environment->readiness->epfd;
	/* Mostly it is known already; a number that stands for another file by now is not. */
	if (epoll_ctl(epfd, EPOLL_CTL_MOD, fd, &event) == 0)
		return 0;
	if (errno == ENOENT && epoll_ctl(epfd, EPOLL_CTL_ADD, fd, &event) == 0)
		return 0;
	return -errno;
}

int readiness_possible(struct environment *environment, int fd)
{
	struct epoll_event event = {.events = EPOLLONESHOT, .data = {.fd = fd}};

	if (environment->readiness == NULL && readiness_init(environment) != 0)
		return 1;
	if (epoll_ctl(environment->readiness->epfd, EPOLL_CTL_ADD, fd, &event) != 0)
		return errno != EPERM;
	epoll_ctl(environment->readiness->epfd, EPOLL_CTL_DEL, fd, NULL);
	return 1;
}

void readiness_forget(struct environment *environment, int fd)
{
	if (environment->readiness != NULL)
		epoll_ctl(environment->readiness->epfd, EPOLL_CTL_DEL, fd, NULL);
}

void readiness_ref(struct environment *environment, int on)
{
	if (environment->readiness == NULL)
		return;
	if (on)
		uv_ref((uv_handle_t *)&environment->readiness->poll);
	else
		uv_unref((uv_handle_t *)&environment->readiness->poll);
}

static void on_closed(uv_handle_t *handle)
{
	struct readiness *readiness = handle->data;
	struct environment *environment = readiness->environment;

	close(readiness->epfd);
	free(readiness);
	environment_handle_closed(environment);
}

void readiness_close(struct environment *environment)
{
	if (environment->readiness == NULL)
		return;
	uv_poll_stop(&environment->readiness->poll);
	uv_close((uv_handle_t *)&environment->readiness->poll, on_closed);
	environment->readiness = NULL;
}
