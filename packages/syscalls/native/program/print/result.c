/*
 * result.c - what strace shows behind the result of a call that did not fail: what poll and select have found, flags, names.
 */
#include "trace.h"

#include <fcntl.h>

/** What select has found: in [3], out [4]. */
static void show_selected(struct text *text, const struct traced *call)
{
	static const char *const names[] = {"in", "out", "except"};
	bool any = false;

	for (unsigned i = 0; i < 3; i++) {
		const uint64_t address = call->values[1 + i];
		uint64_t words[16], bytes = (call->values[0] + 63) / 64 * 8, some = 0;

		if (!address || bytes > sizeof(words) || copyin(words, address, bytes))
			continue;
		for (unsigned word = 0; word < bytes / 8; word++)
			some |= words[word];
		if (!some)
			continue;
		text_add(text, any ? ", %s " : "%s ", names[i]);
		show_fd_set(text, address, call->values[0]);
		any = true;
	}
	if (call->values[4]) {
		text_add(text, any ? ", left " : "left ");
		show_struct(text, call, call->number == SYS_select ? FORMAT_TIMEVAL : FORMAT_TIMESPEC, call->values[4]);
	}
}

static void show_flags_behind(struct text *text, const struct traced *call)
{
	const char *name = "flags";
	unsigned set = SET_OPEN;

	if (call->values[1] == F_GETFD)
		set = SET_FD_FLAGS;
	else if (call->values[1] == F_GET_SEALS) {
		set = SET_SEALS;
		name = "seals";
	} else if (call->values[1] != F_GETFL) {
		return;
	}
	if (!call->result && set != SET_OPEN)
		return;
	text_add(text, " (%s ", name);
	show_flags(text, set, (uint64_t)call->result);
	text_char(text, ')');
}

/** Whether its result has a name. */
static bool names_result(const struct traced *call)
{
	return (call->number == SYS_rt_sigtimedwait && call->result > 0) || call->number == SYS_sched_getscheduler ||
	       (call->number == SYS_personality && !call->result) || (call->number == SYS_prctl && call->values[0] == 3 /* PR_GET_DUMPABLE */);
}

static void show_named_result(struct text *text, const struct traced *call)
{
	switch (call->number) {
	case SYS_rt_sigtimedwait: show_signal(text, (uint64_t)call->result); break;
	case SYS_sched_getscheduler: show_flags(text, SET_SCHED, (uint64_t)call->result); break;
	case SYS_prctl: show_flags(text, SET_DUMPABLE, (uint64_t)call->result); break;
	case SYS_personality: text_add(text, "PER_LINUX"); break;
	}
}

void show_result(struct text *text, const struct traced *call)
{
	bool polls = call->number == SYS_poll || call->number == SYS_ppoll, selects = call->number == SYS_select || call->number == SYS_pselect6;

	if (call->result < 0)
		return;
	if ((polls || selects) && !call->result) {
		text_add(text, " (Timeout)");
	} else if (polls || selects) {
		text_add(text, " (");
		if (polls)
			show_pollfds(text, call->values[0], call->values[1], false);
		else
			show_selected(text, call);
		if (call->number == SYS_ppoll && call->values[2]) {
			text_add(text, ", left ");
			show_struct(text, call, FORMAT_TIMESPEC, call->values[2]);
		}
		text_char(text, ')');
	} else if (call->number == SYS_fcntl) {
		show_flags_behind(text, call);
	} else if (names_result(call)) {
		text_add(text, " (");
		show_named_result(text, call);
		text_char(text, ')');
	}
}
