/*
 * select.c - select and pselect6: as poll.c, with sets of bits.
 */
#include "wait/ways.h"

#define SELECT_MAX 1024
#define SECOND 1000000000u
#define SET_WORDS (SELECT_MAX / 64)

static const short select_events[3] = {POLLIN, POLLOUT, POLLPRI};

/** The sets as the caller gave them, and as they are answered. */
struct select_sets {
	uint64_t wanted[3][SET_WORDS], found[3][SET_WORDS];
	long where[3];
	size_t bytes;
};

/** The kernel clears what is not ready. */
static void before(struct polling *polling)
{
	struct select_sets *sets = polling->sets;

	memcpy(sets->found, sets->wanted, sizeof(sets->found));
}

/** The descriptors of the sets, if they are not too many. */
static bool may_select(struct polling *polling, struct select_sets *sets, const struct call *call)
{
	int n = (int)call->args[0];

	if (n < 0 || n > SELECT_MAX)
		return false;
	memset(sets, 0, sizeof(*sets));
	sets->bytes = ((size_t)n + 63) / 64 * 8;
	for (unsigned i = 0; i < 3; i++) {
		sets->where[i] = call->args[1 + i];
		if (sets->where[i] && copy_in(sets->wanted[i], sets->where[i], sets->bytes))
			return false;
		polling->now.call.args[1 + i] = sets->where[i] ? (long)sets->found[i] : 0;
	}
	for (int fd = 0; fd < n; fd++) {
		short events = 0;

		for (unsigned i = 0; i < 3; i++)
			if (sets->wanted[i][fd / 64] >> fd % 64 & 1)
				events |= select_events[i];
		if (events && polling->n == POLLED_MAX)
			return false;
		if (events)
			polling->fds[polling->n++] = (struct pollfd){.fd = fd, .events = events};
	}
	polling->before = before;
	polling->sets = sets;
	return true;
}

static long give_sets(const struct select_sets *sets)
{
	for (unsigned i = 0; i < 3; i++)
		if (sets->where[i] && copy_out(sets->where[i], sets->found[i], sets->bytes))
			return -EFAULT;
	return 0;
}

/** unit: ns of the second word of the time. */
static long wait_sets(struct caller *caller, const struct call *call, uint64_t ns, unsigned unit)
{
	struct polling polling = {.ns = ns};
	struct select_sets sets;
	uint64_t left;
	long ready = -EOPNOTSUPP;

	polling_begin(&polling, call);
	if (may_select(&polling, &sets, call))
		ready = poll_until(caller, &polling, &left);
	if (ready == -EOPNOTSUPP)
		return offload(caller, &polling.unmasked);
	give_left(call->args[4], left, unit);
	return ready < 0 ? ready : give_sets(&sets) ?: ready;
}

/** A timeval, whose microseconds may be more than a second. 0, -EFAULT, or -EINVAL. */
static long read_timeval(long address, uint64_t *ns)
{
	int64_t time[2];

	if (copy_in(time, address, sizeof(time)))
		return -EFAULT;
	if (time[0] < 0 || time[1] < 0 || time[0] > INT64_MAX / SECOND - 1 || time[1] >= INT64_MAX / 1000)
		return -EINVAL;
	*ns = (uint64_t)time[0] * SECOND + (uint64_t)time[1] * 1000;
	return 0;
}

long wait_select(struct caller *caller, const struct call *call)
{
	bool timeval = call->number == SYS_select;
	uint64_t ns = UINT64_MAX;
	long error = 0;

	if (call->args[4])
		error = timeval ? read_timeval(call->args[4], &ns) : time_read(call->args[4], &ns);
	if (error == -EINVAL && timeval)
		return offload(caller, call); /* the kernel says whether that is too long, or none */
	return error ? error : wait_sets(caller, call, ns, timeval ? 1000 : 1);
}
