/*
 * offload.c - helpers: kernel threads that make a call for a userthread that waits for it, while the rfork goes on with others. They have the process' memory
 * and descriptors, so the call is made as it is.
 *
 * A signal for the userthread, or its timed section's end, ends the helper's call as it would have ended its own, where the user can do that (helper_interrupt).
 */
#include "offload/helper.h"
#include "wait/ready.h"

#define STACK_SIZE (32 * 1024)
#define IDLE_MAX 64 /* helpers that wait for work; more of them end */

/** A call under way: on the stack of the userthread that waits for it. */
struct offload {
	struct offload *next; /* in `done` of its rfork */
	const struct call *call;
	lwkt_thread_t td;
	struct waits *waits; /* td's rfork's: it stays there */
	long result;
	siginfo_t info; /* a signal that the call has raised for its caller; si_signo is 0 where there is none */
	bool done; /* written on that rfork */
};

/** What a helper has of its own. */
struct own {
	unsigned generation;
	_Alignas(16) char caller[]; /* what `make` is told: the user's */
};

static struct own *own_of(struct helper *helper) { return (struct own *)(void *)helper->own; }
static struct caller *caller_of(struct helper *helper) { return (struct caller *)(void *)own_of(helper)->caller; }

static unsigned generation(void) { return call_user->generation ? *(const volatile unsigned *)call_user->generation : 0; }

static void push_done(struct offload *work)
{
	struct waits *waits = work->waits;
	globaldata_t gd = waits->gd; /* the work is not to be touched any more once it is on the list */

	work->next = __atomic_load_n(&waits->done, __ATOMIC_RELAXED);
	while (!__atomic_compare_exchange_n(&waits->done, &work->next, work, false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
		;
	lwkt_cpu_wake(gd);
}

static void begins(struct helper *helper)
{
	(void)helper;
	if (call_user->helper_begins)
		call_user->helper_begins();
}

static bool run(struct helper *helper, void *arg)
{
	struct offload *work = arg;
	globaldata_t gd = work->waits->gd;
	long number = work->call->number;

	work->result = make_call(caller_of(helper), work->call);
	if (call_user->raised)
		call_user->raised(work->result, &work->info);
	push_done(work);
	if (call_user->helper_done)
		call_user->helper_done(caller_of(helper), number, gd);
	return true;
}

/** The size is the user's: set before the first. */
static struct helper_kind kind = {.name = "helper", .stack_size = STACK_SIZE, .begins = begins, .run = run};

static struct helper *new_helper(void)
{
	unsigned now = generation();
	struct helper *helper;

	kind.size = sizeof(struct own) + call_user->caller_size;
	if (helper_new(&kind, &helper))
		return NULL;
	own_of(helper)->generation = now;
	return helper;
}

static struct helper *get_helper(struct waits *self)
{
	struct helper *helper = self->idle;

	if (!helper)
		return new_helper();
	self->idle = helper->next;
	self->nidle--;
	return helper;
}

void offload_end_idle(void)
{
	struct waits *self = waits_self();

	while (self->idle)
		helper_end(get_helper(self));
}

static void put_helper(struct waits *self, struct helper *helper)
{
	if (self->nidle >= IDLE_MAX || own_of(helper)->generation != generation()) {
		helper_end(helper);
		return;
	}
	helper->next = self->idle;
	self->idle = helper;
	self->nidle++;
}

void offload_reap(struct waits *self)
{
	struct offload *work = __atomic_exchange_n(&self->done, NULL, __ATOMIC_SEQ_CST);

	while (work) {
		struct offload *next = work->next;

		work->done = true;
		lwkt_wake(work->td);
		work = next;
	}
}

/** Whether the kernel makes a call again that a signal has ended, where no handler runs, though EINTR is all that one sees of it. (Of others, semop for example, EINTR is the end.) */
static bool is_made_again(long number)
{
	switch (number) {
	case SYS_msgrcv:
	case SYS_msgsnd:
	case SYS_futex:
	case SYS_nanosleep:
	case SYS_clock_nanosleep:
	case SYS_poll:
	case SYS_ppoll:
	case SYS_select:
	case SYS_pselect6:
	case SYS_io_pgetevents: return true;
	}
	return false;
}

/** On the userthread's rfork, where it is pinned. */
static long make(struct waits *self, struct caller *caller, const struct call *call, const char *wmesg)
{
	struct offload work = {.call = call, .td = lwkt_curthread(), .waits = self};
	struct helper *helper = get_helper(self);
	bool interrupts = false;

	if (!helper) /* no kernel thread can be had: then all wait */
		return make_call(caller, call);
	if (call_user->helper_call)
		call_user->helper_call(caller_of(helper));
	self->nhelped++;
	helper_give(helper, &work);
	while (!work.done && !lwkt_timed_is_up(work.td) && !call_user->wait(caller, wmesg, &work.done))
		;
	if (!work.done && call_user->helper_interrupt) { /* a signal, or the time is up: the call ends, if it has not */
		interrupts = true;
		self->nending++;
		call_user->helper_interrupt(caller_of(helper), helper->tid);
	}
	while (!work.done) {
		call_user->look();
		if (!work.done)
			lwkt_wait_once(wmesg);
	}
	self->nhelped--;
	self->nending -= interrupts;
	put_helper(self, helper);
	if (work.info.si_signo)
		call_user->raise(caller, &work.info);
	/* The helper has had a handler; whether the caller has is seen later: another may take the signal. */
	return interrupts && work.result == -EINTR && is_made_again(call->number) ? -ERESTARTNOHAND : work.result;
}

long offload_call(struct caller *caller, const struct call *call, const char *wmesg)
{
	long result;

	lwkt_pin();
	result = make(waits_self(), caller, call, wmesg);
	lwkt_unpin();
	return result;
}
