/*
 * sleep.c - nanosleep and its like, as timed waits of a userthread; and times as a caller gives them.
 */
#include <time.h>

#include "wait/ways.h"

#define SECOND 1000000000ull

long time_read(long address, uint64_t *ns)
{
	int64_t ts[2];

	if (copy_in(ts, address, sizeof(ts)))
		return -EFAULT;
	if (ts[0] < 0 || ts[1] < 0 || ts[1] >= (int64_t)SECOND)
		return -EINVAL;
	*ns = (uint64_t)ts[0] >= UINT64_MAX / SECOND ? UINT64_MAX : (uint64_t)ts[0] * SECOND + (uint64_t)ts[1];
	return 0;
}

uint64_t time_now(int clock)
{
	int64_t ts[2] = {0};

	if (call_user->clock)
		return call_user->clock(clock);
	kernel_call(SYS_clock_gettime, clock, ts);
	return (uint64_t)ts[0] * SECOND + (uint64_t)ts[1];
}

long time_until(long address, int clock, uint64_t *ns)
{
	uint64_t now;
	long error;

	*ns = UINT64_MAX;
	if (!address)
		return 0;
	error = time_read(address, ns);
	if (error)
		return error;
	now = time_now(clock);
	*ns = *ns > now ? *ns - now : 0;
	return 0;
}

/** Sleeps for so many ns. 0, or -ERESTARTNOHAND with what is left. */
static long sleep_for(struct caller *caller, uint64_t ns, uint64_t *left)
{
	uint64_t began = lwkt_os_clock(), slept;
	struct lwkt_timed timed;
	const bool never = false;
	long error = 0;

	lwkt_timed_begin(&timed, ns);
	while (!error && !lwkt_timed_is_up(lwkt_curthread()))
		if (call_user->wait(caller, "nanosleep", &never))
			error = -ERESTARTNOHAND;
	lwkt_timed_end(&timed);
	slept = lwkt_os_clock() - began;
	*left = slept < ns ? ns - slept : 0;
	return error;
}

static long sleep_relative(struct caller *caller, long request, long remain)
{
	uint64_t ns, left;
	long error = time_read(request, &ns);

	if (!error)
		error = sleep_for(caller, ns, &left);
	if (error == -ERESTARTNOHAND && remain && copy_out(remain, (uint64_t[]){left / SECOND, left % SECOND}, 16))
		return -EFAULT;
	return error;
}

long wait_sleep(struct caller *caller, const struct call *call)
{
	int clock = (int)call->args[0];
	uint64_t ns, left;
	long error;

	if (call->number == SYS_nanosleep)
		return sleep_relative(caller, call->args[0], call->args[1]);
	if (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC && clock != CLOCK_BOOTTIME && clock != CLOCK_TAI)
		return offload(caller, call);
	if (!(call->args[1] & TIMER_ABSTIME))
		return sleep_relative(caller, call->args[2], call->args[3]);
	if (!call->args[2])
		return -EFAULT;
	error = time_until(call->args[2], clock, &ns);
	return error || !ns ? error : sleep_for(caller, ns, &left);
}
