/*
 * trace.c - what the threads of one rfork do, written down with times: when each runs, when and for what it waits, which IPI messages go and come.
 * Not the messages between ports: who wants those in the record marks them (lwkt_trace_mark).
 *
 * While it is off nothing of it is on the path of a switch (watch.c). What is left is a look at gd_trace (a load and a branch) at each IPI message, and
 * watch.c's own.
 *
 * Invariant: the record is written and read by its own rfork only. Where it is full the oldest event makes room, and is counted as lost.
 */
#include "debug.h"

struct lwkt_trace {
	uint64_t written; /* events so far */
	uint64_t read;    /* of those, read or lost */
	uint64_t lost;
	uint64_t note;    /* te_number of the next LWKT_TRACE_LEAVE */
	unsigned size;
	struct lwkt_trace_event events[];
};

static void record(struct lwkt_trace *trace, const struct lwkt_trace_event *event, const char *text)
{
	struct lwkt_trace_event *to = &trace->events[trace->written++ % trace->size];

	if (trace->written - trace->read > trace->size) {
		trace->read++;
		trace->lost++;
	}
	*to = *event;
	if (text)
		lwkt_set_name(to->te_text, text);
}

void lwkt_trace_thread(globaldata_t gd, lwkt_thread_t td, uint32_t kind, const char *text)
{
	struct lwkt_trace_event event = {.te_time = now_ns(), .te_td = td->td_id, .te_kind = kind};

	if (kind == LWKT_TRACE_LEAVE) {
		event.te_number = gd->gd_trace->note;
		gd->gd_trace->note = 0;
	}
	record(gd->gd_trace, &event, text);
}

void lwkt_trace_ipi(globaldata_t gd, uint32_t kind, unsigned cpu, void (*func)(void *))
{
	struct lwkt_trace_event event = {
		.te_time = now_ns(), .te_td = gd->gd_curthread->td_id, .te_number = (uintptr_t)func, .te_kind = kind, .te_cpu = cpu,
	};

	record(gd->gd_trace, &event, NULL);
}

/** What a thread is shown to wait for when it leaves the CPU; nothing where it could go on. */
static const char *why_it_leaves(const struct lwkt_thread *td)
{
	if (td->td_flags & (TDF_RUNQ | TDF_THREAD0))
		return NULL;
	return td->td_wmesg ? td->td_wmesg : td->td_flags & TDF_MIGRATING ? "migration" : "blocked";
}

/** curthread is about to be switched to. Said by who leaves, as it may have been switched out when nobody traced it. One that is fresh says so itself. */
void lwkt_trace_switch_to(globaldata_t gd)
{
	lwkt_thread_t next = gd->gd_curthread;

	if (next->td_nswitches > 1 || next == &gd->gd_thread0 || next == &gd->gd_reaper) /* the reaper has thread0's td_id: to others it is thread0 */
		lwkt_trace_thread(gd, next, LWKT_TRACE_RUN, NULL);
}

void lwkt_trace_switch(globaldata_t gd, lwkt_thread_t td)
{
	lwkt_trace_thread(gd, td, LWKT_TRACE_LEAVE, why_it_leaves(td));
	lwkt_trace_switch_to(gd);
}

int lwkt_trace_start(unsigned events)
{
	globaldata_t gd = lwkt_arch_mycpu();
	struct lwkt_trace *trace;

	if (gd->gd_trace)
		return MISUSE(EBUSY, "this rfork is traced already: stop that first (lwkt_trace_stop)");
	if (events < LWKT_TRACE_EVENTS_MIN || events > LWKT_TRACE_EVENTS_MAX)
		return MISUSE(EINVAL, "%u is no number of events from %u to %u", events, LWKT_TRACE_EVENTS_MIN, LWKT_TRACE_EVENTS_MAX);
	trace = lwkt_os_alloc(sizeof(*trace) + events * sizeof(trace->events[0]));
	if (!trace)
		return ENOMEM;
	trace->size = events;
	gd->gd_trace = trace;
	lwkt_watch(gd, WATCH_TRACE);
	lwkt_trace_thread(gd, &gd->gd_thread0, LWKT_TRACE_NAME, gd->gd_thread0.td_comm);
	for (struct lwkt_list *node = gd->gd_tdallq.next; node != &gd->gd_tdallq; node = node->next) {
		lwkt_thread_t td = LIST_ENTRY(node, struct lwkt_thread, td_allq);

		if (!(td->td_flags & (TDF_EXITING | TDF_FRESH)))
			lwkt_trace_thread(gd, td, LWKT_TRACE_NAME, td->td_comm);
	}
	lwkt_trace_thread(gd, gd->gd_curthread, LWKT_TRACE_RUN, NULL);
	return 0;
}

int lwkt_trace_stop(void)
{
	globaldata_t gd = lwkt_arch_mycpu();
	struct lwkt_trace *trace = gd->gd_trace;

	if (!trace)
		return ESRCH;
	gd->gd_trace = NULL;
	lwkt_unwatch(gd, WATCH_TRACE);
	lwkt_os_free(trace);
	return 0;
}

unsigned lwkt_trace_read(struct lwkt_trace_event *to, unsigned max, uint64_t *lost)
{
	struct lwkt_trace *trace = lwkt_arch_mycpu()->gd_trace;
	unsigned n = 0;

	if (lost)
		*lost = trace ? trace->lost : 0;
	if (!trace)
		return 0;
	while (n < max && trace->read < trace->written)
		to[n++] = trace->events[trace->read++ % trace->size];
	return n;
}

int lwkt_trace_mark(uint32_t kind, uint32_t cpu, uint64_t number, uint64_t time)
{
	globaldata_t gd = lwkt_arch_mycpu();
	struct lwkt_trace_event event = {.te_td = gd->gd_curthread->td_id, .te_number = number, .te_kind = kind, .te_cpu = cpu};

	if (!gd->gd_trace)
		return ESRCH;
	if (kind < LWKT_TRACE_MARK)
		return MISUSE(EINVAL, "kind %u is the library's own: take one from LWKT_TRACE_MARK on", kind);
	event.te_time = time ? time : now_ns();
	record(gd->gd_trace, &event, NULL);
	return 0;
}

void lwkt_trace_note(uint64_t number)
{
	struct lwkt_trace *trace = lwkt_arch_mycpu()->gd_trace;

	if (trace)
		trace->note = number;
}
