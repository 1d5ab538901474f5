/*
 * wait.c - calls that wait for something else than data, in place: descriptors that are ready, children, locks, time (direct.h).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/file.h>
#include <sys/select.h>
#include <sys/wait.h>
#include <time.h>

#include "direct.h"

/** Whether a call that waits for descriptors is not to wait at all. */
static int has_no_time(const struct call *call)
{
	const struct timespec *timeout; /* select's timeval has the same zero */

	switch (call->number) {
	case SYS_poll: return (int)call->args[2] == 0;
	case SYS_epoll_wait:
	case SYS_epoll_pwait: return (int)call->args[3] == 0;
	case SYS_ppoll: timeout = (const struct timespec *)call->args[2]; break;
	case SYS_epoll_pwait2: timeout = (const struct timespec *)call->args[3]; break;
	default: timeout = (const struct timespec *)call->args[4]; break;
	}
	return timeout != NULL && timeout->tv_sec == 0 && timeout->tv_nsec == 0;
}

/** What ppoll and its like say of a timeout that is none. */
static int is_bad_timeout(const struct call *call)
{
	const struct timespec *timeout;
	long limit = call->number == SYS_select ? LONG_MAX : 999999999; /* select carries microseconds over */

	switch (call->number) {
	case SYS_ppoll: timeout = (const struct timespec *)call->args[2]; break;
	case SYS_epoll_pwait2: timeout = (const struct timespec *)call->args[3]; break;
	case SYS_select:
	case SYS_pselect6: timeout = (const struct timespec *)call->args[4]; break;
	default: return 0;
	}
	return timeout != NULL && (timeout->tv_sec < 0 || timeout->tv_nsec < 0 || timeout->tv_nsec > limit);
}

long direct_poll(struct environment *environment, const struct call *call)
{
	struct nowait now;

	if (is_bad_timeout(call))
		return -EINVAL;
	call_nowait(call, &now);
	long result = direct_plain(&now.call);
	return result == 0 && !has_no_time(call) ? direct_suspend(environment, ANSWER_POLL, 0) : result;
}

long direct_select(struct environment *environment, const struct call *call)
{
	fd_set sets[3];
	struct nowait now;

	if (is_bad_timeout(call))
		return -EINVAL;
	call_nowait(call, &now);
	for (int i = 0; i < 3; i++)
		if (call->args[1 + i] != 0)
			sets[i] = *(const fd_set *)call->args[1 + i];
	long result = direct_plain(&now.call);
	if (result != 0 || has_no_time(call))
		return result;
	for (int i = 0; i < 3; i++) /* the kernel has cleared them */
		if (call->args[1 + i] != 0)
			*(fd_set *)call->args[1 + i] = sets[i];
	return direct_suspend(environment, ANSWER_POLL, 0);
}

long direct_children(struct environment *environment, const struct call *call)
{
	siginfo_t *info = (siginfo_t *)call->args[2]; /* waitid's */
	struct nowait now;

	if (call_asks_not_to_wait(call))
		return direct_plain(call);
	call_nowait(call, &now);
	if (call->number == SYS_waitid)
		info->si_pid = 0;
	long result = direct_plain(&now.call);
	int nobody = result == 0 && (call->number == SYS_wait4 || info->si_pid == 0);
	return nobody ? direct_suspend(environment, ANSWER_OFFLOAD, 0) : result;
}

long direct_lock(struct environment *environment, const struct call *call)
{
	struct nowait now;

	call_nowait(call, &now);
	long result = direct_plain(&now.call);
	if (result == 0 && call->number == SYS_fcntl && (int)now.call.args[1] == F_SETLK)
		offload_note_posix_lock();
	if (call_asks_not_to_wait(call))
		return result;
	return result == -EAGAIN || result == -EACCES ? direct_suspend(environment, ANSWER_OFFLOAD, 0) : result;
}

long direct_splice(struct environment *environment, const struct call *call)
{
	struct nowait now;

	if (call_asks_not_to_wait(call))
		return direct_plain(call);
	call_nowait(call, &now);
	long result = direct_plain(&now.call);
	return result == -EAGAIN ? direct_suspend(environment, ANSWER_OFFLOAD, 0) : result;
}

long direct_sleep(struct environment *environment, const struct call *call)
{
	int clocked = call->number == SYS_clock_nanosleep;
	const struct timespec *request = (const struct timespec *)call->args[clocked ? 2 : 0];

	if (request->tv_sec < 0 || request->tv_nsec < 0 || request->tv_nsec > 999999999)
		return -EINVAL;
	if (clocked) {
		struct timespec now;
		int clock = (int)call->args[0];
		if (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC && clock != CLOCK_BOOTTIME && clock != CLOCK_TAI)
			return clock_gettime(clock, &now) == 0 ? -EOPNOTSUPP : -EINVAL;
	}
	return direct_suspend(environment, ANSWER_SLEEP, 0);
}
