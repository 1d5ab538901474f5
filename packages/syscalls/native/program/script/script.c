/*
 * script.c - calls that go by way of the supervisor (channel.h), and the events by which it knows of processes.
 *
 * A native shim is in front of this, the kernel below. While the supervisor decides only the lwp waits that makes the call.
 *
 * Invariant: whoever has a slot is in one of these functions, and gives it back when that ends. A child of fork is in its parent's, whose slot it does not touch.
 */
#include "stage.h"

#include <fcntl.h>
#include <linux/prctl.h>

uint32_t script_forks;

/** The process' name is its main lwp's, which asks for it once, until it changes: of the process' first kernel thread. */
static void find_name(struct lwp *lwp)
{
	long fd, n;

	if (kernel_call(SYS_gettid) == lwp->lwp_proc->p_pid) {
		kernel_call(SYS_prctl, PR_GET_NAME, lwp->lwp_comm);
		return;
	}
	fd = kernel_call(SYS_open, "/proc/self/comm", O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? fd : kernel_call(SYS_read, fd, lwp->lwp_comm, sizeof(lwp->lwp_comm));
	if (fd >= 0)
		kernel_call(SYS_close, fd);
	if (n > 0)
		lwp->lwp_comm[n - 1] = 0; /* a newline */
}

/** Who it is that asks. */
static void tell_who(struct lwp *lwp, struct slot *slot, enum slot_event event)
{
	if (!lwp->lwp_comm[0])
		find_name(lwp);
	slot->sl_event = event;
	slot->sl_tid = lwp->lwp_tid;
	memcpy(slot->sl_name, lwp->lwp_comm, sizeof(slot->sl_name));
}

/** The call that the supervisor wants. In a child of fork, for which it has answered: *forked. */
static long make_wanted(struct staging *staging, struct sysmsg *msg, long (*make)(struct sysmsg *msg, const struct chain *chain), const struct chain *chain, bool *forked)
{
	const uint32_t before = script_forks;
	struct sysmsg call;
	long result = stage_make(staging, &call);

	if (!result)
		result = staging->slot->sl_rows ? rows_below(curlwp(), &call, make, chain) : make(&call, chain);
	*forked = script_forks != before;
	if (*forked) {
		msg->sm_pid = call.sm_pid;
		msg->sm_tid = call.sm_tid;
	} else {
		stage_return(staging, &call, result);
	}
	return result;
}

long script_ask(struct lwp *lwp, struct sysmsg *msg, long (*make)(struct sysmsg *msg, const struct chain *chain), const struct chain *chain, bool rows)
{
	struct staging staging;
	struct slot *slot;
	bool made = false, forked = false;
	long result = channel_take(lwp, &slot, !script_is_end(msg->sm_number));

	if (result == -ESRCH)
		return make(msg, chain);
	if (result)
		return result;
	tell_who(lwp, slot, EVENT_CALL);
	slot->sl_rows = rows;
	stage_call(&staging, slot, msg);
	while (!channel_ask(lwp, slot, !made) && slot->sl_command == COMMAND_CALL && !script_is_end(msg->sm_number)) {
		result = make_wanted(&staging, msg, make, chain, &forked);
		if (forked)
			return result;
		made = true;
		slot->sl_event = EVENT_RETURN;
	}
	if (__atomic_load_n(&slot->sl_state, __ATOMIC_ACQUIRE) == SLOT_ANSWER && slot->sl_command == COMMAND_DONE && !script_is_end(msg->sm_number)) {
		result = stage_done(&staging, slot->sl_result);
		made = true;
	} else if (made) {
		result = stage_done(&staging, result);
	}
	channel_free(slot);
	if (made)
		return result;
	return rows ? rows_below(lwp, msg, make, chain) : make(msg, chain);
}

long script_call(struct lwp *lwp, struct sysmsg *msg, long (*make)(struct sysmsg *msg, const struct chain *chain), const struct chain *chain)
{
	const long number = msg->sm_number;
	const uint8_t wants = script_wants[number];
	long result;

	if (!(wants & (WANTS_ROWS | WANTS_CALL)))
		return make(msg, chain);
	result = wants & WANTS_ROWS ? rows_call(lwp, msg, make, chain) : script_ask(lwp, msg, make, chain, false);
	/* A signal has ended a shim's wait. Of a call that never waits by itself no program expects EINTR: sigaction, fstat, mmap. */
	return result == -ERESTARTSYS && !program_may_wait[number] ? -ERESTARTNOINTR : result;
}

/* ------------------------------------------------ processes */

/** Tells of something that is no call. */
static void tell(struct lwp *lwp, enum slot_event event, int parent, const char *path)
{
	struct slot *slot;

	if (channel_take(lwp, &slot, false))
		return;
	tell_who(lwp, slot, event);
	slot->sl_parent = parent;
	stage_event(slot, path);
	channel_ask(lwp, slot, false);
	channel_free(slot);
}

void script_begin(const char *path)
{
	if (script_active)
		tell(program_proc.p_main, EVENT_BEGIN, 0, path);
}

void script_forked(struct lwp *lwp, int parent)
{
	if (!lwp->lwp_proc->p_vforked_by)
		script_forks++;
	channel_forked(lwp);
	if (script_active)
		tell(lwp, EVENT_FORKED, parent, NULL);
}
