/*
 * poll.c - waiting for several descriptors at once: poll, ppoll, and what waits in an epoll set. A mask of signals has been set by the user before, and is not a
 * helper's.
 */
#include "wait/ready.h"

#define SECOND 1000000000u

void polling_begin(struct polling *polling, const struct call *call)
{
	polling->unmasked = *call;
	switch (call->number) {
	case SYS_ppoll: polling->unmasked.args[3] = 0; break;
	case SYS_epoll_pwait: case SYS_epoll_pwait2: polling->unmasked.args[4] = 0; break;
	case SYS_pselect6: polling->unmasked.args[5] = 0; break;
	}
	call_nowait(&polling->unmasked, &polling->now);
}

/** Once, without waiting. What interrupts it all the same, as poll and select can be, is libcr's tick, or a signal that somebody sees to later. */
static long try(struct polling *polling)
{
	long ready;

	do {
		if (polling->before)
			polling->before(polling);
		ready = try_call(&polling->now.call);
	} while (ready == -EINTR);
	return ready;
}

long poll_until(struct caller *caller, struct polling *polling, uint64_t *left)
{
	uint64_t began, took;
	struct lwkt_timed timed;
	long ready = try(polling), error = 0;

	*left = polling->ns;
	if (ready || !polling->ns)
		return ready;
	if (let_others() && (ready = try(polling)))
		return ready;
	began = lwkt_os_clock();
	lwkt_timed_begin(&timed, polling->ns);
	while (!ready && !error && !lwkt_timed_is_up(lwkt_curthread())) {
		error = ready_wait(caller, polling->fds, polling->n, call_name((uint64_t)polling->unmasked.number));
		if (error != -EOPNOTSUPP)
			ready = try(polling);
	}
	lwkt_timed_end(&timed);
	took = lwkt_os_clock() - began;
	*left = polling->ns == UINT64_MAX ? UINT64_MAX : took < polling->ns ? polling->ns - took : 0;
	if (ready || !error)
		return ready;
	return error == -ERESTARTSYS ? -ERESTARTNOHAND : error;
}

void give_left(long at, uint64_t left, unsigned unit)
{
	if (at)
		copy_out(at, (uint64_t[]){left / SECOND, left % SECOND / unit}, 16); /* the kernel does not mind either if it can't */
}

static uint64_t from_ms(long ms)
{
	return (int)ms < 0 ? UINT64_MAX : (uint64_t)(int)ms * 1000000u;
}

static bool may_poll(struct polling *polling, const struct call *call)
{
	polling->n = (unsigned)call->args[1];
	return (uint64_t)call->args[1] <= POLLED_MAX && !copy_in(polling->fds, call->args[0], polling->n * sizeof(struct pollfd));
}

long wait_poll(struct caller *caller, const struct call *call)
{
	struct polling polling = {.ns = call->number == SYS_poll ? from_ms(call->args[2]) : UINT64_MAX};
	long given = call->number == SYS_ppoll ? call->args[2] : 0; /* where its time is */
	uint64_t left;
	long ready = given ? time_read(given, &polling.ns) : 0;

	if (ready)
		return ready;
	polling_begin(&polling, call);
	ready = may_poll(&polling, call) ? poll_until(caller, &polling, &left) : -EOPNOTSUPP;
	if (ready == -EOPNOTSUPP)
		return offload(caller, &polling.unmasked);
	if (ready != -EFAULT)
		give_left(given, left, 1);
	return ready;
}

long wait_epoll(struct caller *caller, const struct call *call)
{
	struct polling polling = {.fds = {{.fd = fd_of(call), .events = call_events(call)}}, .n = 1, .ns = from_ms(call->args[3])};
	uint64_t left;
	long ready = 0;

	polling_begin(&polling, call);
	if (call->number == SYS_epoll_pwait2) {
		polling.ns = UINT64_MAX;
		ready = call->args[3] ? time_read(call->args[3], &polling.ns) : 0;
	}
	if (!ready)
		ready = poll_until(caller, &polling, &left);
	return ready == -EOPNOTSUPP ? offload(caller, &polling.unmasked) : ready;
}
