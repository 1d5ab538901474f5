/*
 * unwinding.c - what debuggers, profilers and C++ exceptions rely on: the call frame information is right at every instruction of a switch,
 * and a userthread's stack has a clean end.
 *
 * The switch is run one instruction at a time (stepping.h), and at each the stack is unwound from there.
 */
#define _GNU_SOURCE
#include <execinfo.h>
#include <signal.h>
#include <unwind.h>

#include "check.h"
#include "cpu.h"
#include "stepping.h"

#define DEEPEST 64

struct trace {
	uintptr_t ips[DEEPEST];
	int depth;
	_Unwind_Reason_Code end;
};

static _Unwind_Reason_Code note_frame(struct _Unwind_Context *context, void *arg)
{
	struct trace *trace = arg;

	if (trace->depth == DEEPEST)
		return _URC_NORMAL_STOP; /* shows as an end of another kind */
	trace->ips[trace->depth++] = _Unwind_GetIP(context);
	return _URC_NO_REASON;
}

__attribute__((noinline)) static void unwind(struct trace *trace)
{
	trace->depth = 0;
	trace->end = _Unwind_Backtrace(note_frame, trace);
	if (trace->depth > 0 && trace->ips[trace->depth - 1] == 0)
		trace->depth--; /* "no caller" is reported as a frame at 0 */
}

/** Whether the return address ip is one into the function that starts at func. */
static bool within(uintptr_t ip, uintptr_t func)
{
	return (uintptr_t)_Unwind_FindEnclosingFunction((void *)(ip - 1)) == func;
}

static bool passes(const struct trace *trace, uintptr_t func)
{
	for (int i = 0; i < trace->depth; i++)
		if (within(trace->ips[i], func))
			return true;
	return false;
}

static void expect_clean_end(const struct trace *trace)
{
	CHECK_EQ(trace->end, _URC_END_OF_STACK);
	CHECK(trace->depth > 1);
	CHECK(within(trace->ips[trace->depth - 1], (uintptr_t)lwkt_arch_start));
}

static int traced;

__attribute__((noinline)) static void trace_here(void *arg)
{
	struct trace trace;
	void *frames[DEEPEST];
	int depth = backtrace(frames, DEEPEST);

	(void)arg;
	unwind(&trace);
	expect_clean_end(&trace);
	CHECK(depth > 1 && depth < DEEPEST);
	CHECK(within((uintptr_t)frames[depth - 1], (uintptr_t)lwkt_arch_start));
	traced++;
}

__attribute__((noinline)) static void deeper(int levels)
{
	if (levels == 0)
		trace_here(NULL);
	else
		deeper(levels - 1);
	__asm__ volatile("" ::: "memory"); /* no tail call */
}

static void traces_deeper(void *arg)
{
	deeper((int)(long)arg);
	lwkt_yield();
	deeper((int)(long)arg);
}

static void running_threads(void)
{
	start(trace_here, NULL, 0);
	start(trace_here, NULL, 0);
	for (long i = 0; i < 20; i++)
		start(traces_deeper, (void *)i, 0);
	run_all();
	CHECK_EQ(traced, 42);
}

__attribute__((noinline)) static void sleeps(void *arg)
{
	lwkt_block("test");
	CHECK(arg == NULL);
}

static void trace_visited(void *arg)
{
	struct trace trace;

	unwind(&trace);
	expect_clean_end(&trace);
	CHECK(passes(&trace, (uintptr_t)lwkt_block));
	CHECK(passes(&trace, (uintptr_t)sleeps));
	++*(int *)arg;
}

/* The frames of a thread that is switched out. */
static void suspended_threads(void)
{
	lwkt_thread_t one = start(sleeps, NULL, 0), other = start(sleeps, NULL, 0);
	int visited = 0;

	run_all();
	CHECK_EQ(lwkt_visit(one, trace_visited, &visited), 0);
	CHECK_EQ(lwkt_visit(other, trace_visited, &visited), 0);
	CHECK_EQ(visited, 2);
	CHECK_EQ(lwkt_schedule(one), 0);
	CHECK_EQ(lwkt_schedule(other), 0);
	run_all();
}

/* ---- one instruction at a time */

static int steps_in_switch, steps, bad_ends, good_ends, ends_on_thread0;

static void steps_through(void *arg);
int main(void);

static void on_step(int signo, siginfo_t *info, void *context)
{
	uintptr_t pc = stepped(context);
	struct trace trace;

	(void)signo;
	(void)info;
	steps++;
	if (pc < (uintptr_t)lwkt_arch_switch || pc >= (uintptr_t)lwkt_arch_start)
		return;
	steps_in_switch++;
	unwind(&trace);
	/* At its first instruction the address is not behind a call, so it is not looked for in the trace. */
	if (trace.end != _URC_END_OF_STACK || trace.depth < 4)
		bad_ends++;
	else if (within(trace.ips[trace.depth - 1], (uintptr_t)lwkt_arch_start) && passes(&trace, (uintptr_t)steps_through))
		good_ends++;
	else if (passes(&trace, (uintptr_t)main))
		ends_on_thread0++;
	else
		bad_ends++;
}

__attribute__((noinline)) static void steps_through(void *arg)
{
	lwkt_yield(); /* all of them have their stacks after this: making one blocks signals, SIGTRAP too */
	for (int i = 0; i < 3; i++) {
		stepping(true);
		lwkt_yield();
		stepping(false);
	}
	(void)arg;
}

static void every_instruction(void)
{
	struct sigaction action = {.sa_sigaction = on_step, .sa_flags = SA_SIGINFO}, old;
	struct trace first;

	unwind(&first); /* the unwinder finds its tables, before it has to in a handler */
	CHECK_EQ(sigaction(SIGTRAP, &action, &old), 0);
	for (int i = 0; i < 3; i++)
		start(steps_through, NULL, 0);
	run_all();
	stepping(false);
	CHECK_EQ(sigaction(SIGTRAP, &old, NULL), 0);
	printf("  %d steps, %d of them in the switch: %d unwound well, %d to thread0, %d badly\n", steps, steps_in_switch, good_ends,
	       ends_on_thread0, bad_ends);
	CHECK_EQ(bad_ends, 0);
	CHECK(good_ends > 100);
}

int main(void)
{
	ON_RFORK(running_threads);
	ON_RFORK(suspended_threads);
	ON_RFORK(every_instruction);
	return 0;
}
