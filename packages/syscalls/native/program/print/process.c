/*
 * process.c - what processes and threads are made and scheduled by, as strace shows it: clone3, the scheduler's structs, prctl, groups, timers' events.
 */
#include "trace.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/times.h>

#define GROUPS_SHOWN 32

struct sched_attributes {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
};

bool show_clone_args(struct text *text, const struct traced *call, uint64_t address)
{
	struct clone_args args = {0};
	const uint64_t size = call->values[1] < sizeof(args) ? call->values[1] : sizeof(args);
	int tid;

	if (size < CLONE_ARGS_SIZE_VER0 || copyin(&args, address, size))
		return false;
	text_add(text, "{flags=");
	show_flags(text, SET_CLONE, args.flags);
	if (args.flags & CLONE_PIDFD)
		text_add(text, ", pidfd=0x%lx", (uint64_t)args.pidfd);
	if (args.flags & (CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID))
		text_add(text, ", child_tid=0x%lx", (uint64_t)args.child_tid);
	if (args.flags & CLONE_PARENT_SETTID)
		text_add(text, ", parent_tid=0x%lx", (uint64_t)args.parent_tid);
	text_add(text, ", exit_signal=");
	show_signal(text, args.exit_signal);
	text_add(text, ", stack=");
	show_address(text, args.stack);
	text_add(text, ", stack_size=");
	show_hex(text, args.stack_size);
	if (args.flags & CLONE_SETTLS)
		text_add(text, ", tls=0x%lx", (uint64_t)args.tls);
	text_char(text, '}');
	if (call->result > 0 && (args.flags & CLONE_PARENT_SETTID) && !copyin(&tid, args.parent_tid, sizeof(tid)))
		text_add(text, " => {parent_tid=[%d]}", tid);
	return true;
}

bool show_sched_attributes(struct text *text, uint64_t address)
{
	struct sched_attributes attributes;

	if (copyin(&attributes, address, sizeof(attributes)))
		return false;
	text_add(text, "{size=%u, sched_policy=", attributes.size);
	show_flags(text, SET_SCHED, attributes.policy);
	text_add(text, ", sched_flags=");
	show_flags(text, SET_SCHED_FLAGS, attributes.flags);
	text_add(text, ", sched_nice=%d, sched_priority=%u, sched_runtime=%lu, sched_deadline=%lu, sched_period=%lu}", attributes.nice, attributes.priority,
	         attributes.runtime, attributes.deadline, attributes.period);
	return true;
}

bool show_groups(struct text *text, uint64_t address, uint64_t n)
{
	uint32_t group;

	if (n && copyin(&group, address, sizeof(group)))
		return false;
	text_char(text, '[');
	for (uint64_t i = 0; i < n; i++) {
		text_add(text, i ? ", " : "");
		if (i == GROUPS_SHOWN || copyin(&group, address + i * sizeof(group), sizeof(group))) {
			text_add(text, "...");
			break;
		}
		text_add(text, "%u", group);
	}
	text_char(text, ']');
	return true;
}

bool show_times(struct text *text, uint64_t address)
{
	struct tms times;

	if (copyin(&times, address, sizeof(times)))
		return false;
	text_add(text, "{tms_utime=%ld, tms_stime=%ld, tms_cutime=%ld, tms_cstime=%ld}", times.tms_utime, times.tms_stime, times.tms_cutime, times.tms_cstime);
	return true;
}

bool show_sigevent(struct text *text, uint64_t address)
{
	struct sigevent event;

	if (copyin(&event, address, sizeof(event)))
		return false;
	text_add(text, "{sigev_value={sival_int=%d, sival_ptr=", event.sigev_value.sival_int);
	show_address(text, (uint64_t)event.sigev_value.sival_ptr);
	text_add(text, "}, sigev_signo=");
	show_signal(text, (uint64_t)event.sigev_signo);
	text_add(text, ", sigev_notify=");
	show_flags(text, SET_SIGEV_NOTIFY, (uint32_t)event.sigev_notify);
	if (event.sigev_notify == 4 /* SIGEV_THREAD_ID */)
		text_add(text, ", sigev_notify_thread_id=%d", event._sigev_un._tid);
	text_char(text, '}');
	return true;
}

/** pselect6's mask, and its size. */
bool show_sigset_pack(struct text *text, uint64_t address)
{
	uint64_t pack[2], mask;

	if (copyin(pack, address, sizeof(pack)))
		return false;
	text_add(text, "{sigmask=");
	if (pack[0] && !copyin(&mask, pack[0], sizeof(mask)))
		show_signal_set(text, mask);
	else
		show_address(text, pack[0]);
	text_add(text, ", sigsetsize=%lu}", pack[1]);
	return true;
}

unsigned arguments_of_prctl(uint64_t what)
{
	switch (what) {
	case PR_GET_DUMPABLE:
	case PR_GET_KEEPCAPS:
	case PR_GET_SECCOMP:
	case PR_GET_TIMERSLACK: return 1;
	case PR_SET_NO_NEW_PRIVS:
	case PR_GET_NO_NEW_PRIVS:
	case 0x53564d41 /* PR_SET_VMA */: return 5;
	default: return 2;
	}
}

void show_prctl(struct text *text, const struct traced *call, uint64_t value)
{
	int sig;

	switch (call->values[0]) {
	case PR_SET_NAME: show_string(text, value, 15); return;
	case PR_GET_NAME:
		if (call->result)
			break;
		show_string(text, value, 16);
		return;
	case PR_SET_PDEATHSIG: show_signal(text, value); return;
	case PR_GET_PDEATHSIG:
		if (call->result || copyin(&sig, value, sizeof(sig)))
			break;
		text_char(text, '[');
		show_signal(text, (uint64_t)sig);
		text_char(text, ']');
		return;
	case PR_CAPBSET_READ:
	case PR_CAPBSET_DROP: show_flags(text, SET_CAPABILITY, value); return;
	case PR_SET_DUMPABLE: show_flags(text, SET_DUMPABLE, value); return;
	case PR_SET_KEEPCAPS:
	case PR_SET_NO_NEW_PRIVS:
	case PR_GET_NO_NEW_PRIVS:
	case PR_SET_CHILD_SUBREAPER:
	case PR_SET_TIMERSLACK: text_add(text, "%lu", value); return;
	}
	show_hex(text, value);
}
