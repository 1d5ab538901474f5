/*
 * managed.c - which signals are managed: all that some environment reads. And the kernel's actions for them.
 *
 * The kernel has an action of ours for a managed signal, the net: should a thread not block it, one of a library's own say, the net's handler puts it back
 * into the process' queue and blocks it there. But where Node listens (process.on) its handler stays, and is called for each signal that is read.
 *
 * Invariant: `before` has what is to be the kernel's action when the signal is managed no more.
 */
#include "signals.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

static _Atomic uint64_t managed;
static struct sigaction original[SIGNALS + 1]; /* when this file was loaded */
static struct sigaction before[SIGNALS + 1];
static uint64_t replaced; /* `before` counts */
static void (*node_handler)(int);

static void net(int sig, siginfo_t *info, void *context)
{
	int error = errno;

	*(uint64_t *)&((ucontext_t *)context)->uc_sigmask |= atomic_load(&managed);
	/* Only the first thread may say that a signal was kill()'s: others lose who has sent it. */
	if (syscall(SYS_rt_sigqueueinfo, getpid(), sig, info) != 0)
		kill(getpid(), sig);
	errno = error;
}

/* Ignores a signal as SIG_IGN does, but is no SIG_IGN for the programs that are started. */
static void nothing(int sig)
{
	(void)sig;
}

static bool is_ours(const struct sigaction *action)
{
	return action->sa_sigaction == net;
}

static bool is_node(const struct sigaction *action)
{
	return node_handler && action->sa_handler == node_handler;
}

static void never(uv_signal_t *handle, int sig)
{
	(void)handle;
	(void)sig;
}

/* What libuv gives to sigaction(2): the same function for all its signals. */
static void find_node_handler(void)
{
	static uv_loop_t loop;
	static uv_signal_t probe;
	struct sigaction action;

	for (int sig = SIGRTMAX; sig >= SIGRTMIN; sig--) {
		if (original[sig].sa_handler != SIG_DFL)
			continue;
		if (uv_loop_init(&loop) != 0)
			return;
		if (uv_signal_init(&loop, &probe) == 0) {
			if (uv_signal_start(&probe, never, sig) == 0) {
				sigaction(sig, NULL, &action);
				node_handler = action.sa_handler;
			}
			uv_close((uv_handle_t *)&probe, NULL);
			uv_run(&loop, UV_RUN_DEFAULT);
		}
		uv_loop_close(&loop);
		return;
	}
}

void managed_init(void)
{
	for (int sig = 1; sig <= SIGNALS; sig++)
		sigaction(sig, NULL, &original[sig]);
	memcpy(before, original, sizeof(before));
	find_node_handler();
}

static void take_over(int sig)
{
	struct sigaction now, ours = { .sa_sigaction = net, .sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK };

	*(uint64_t *)&ours.sa_mask = ~0ull; /* see threads.c, is_temporary */
	if (sigaction(sig, NULL, &now) != 0)
		return;
	if (is_node(&now)) {
		before[sig] = now;
		before[sig].sa_handler = SIG_DFL; /* what libuv makes of it when nobody listens any more */
		return;
	}
	before[sig] = now;
	replaced |= BIT(sig);
	sigaction(sig, &ours, NULL);
}

static void give_back(int sig)
{
	struct sigaction now;

	replaced &= ~BIT(sig);
	if (sigaction(sig, NULL, &now) == 0 && is_ours(&now))
		sigaction(sig, &before[sig], NULL);
}

/* Something of what the environments read has changed. */
void managed_update(void)
{
	uint64_t wanted = 0, now = atomic_load(&managed), added, removed;

	for (struct environment *each = environments; each; each = each->next)
		wanted |= each->actions | each->reads;
	wanted &= MANAGEABLE;
	added = wanted & ~now;
	removed = now & ~wanted;
	if (!added && !removed)
		return;
	atomic_store(&managed, wanted);
	for (int sig = 1; sig <= SIGNALS; sig++) {
		if (added & BIT(sig))
			take_over(sig);
		if (removed & BIT(sig))
			give_back(sig);
	}
	threads_edit(added, removed, wanted | now);
	if (added & BIT(SIGCHLD))
		children_watch();
}

/* The action is to ignore the signal, or is that no more. A managed one is dropped by who reads it. */
void managed_ignore(int sig, bool on)
{
	struct sigaction action = original[sig], now;

	if (on) {
		memset(&action, 0, sizeof(action));
		action.sa_flags = SA_RESTART;
		/* Who is started inherits SIG_IGN, and libuv resets that below 32 only; of SIGCHLD it would reap Node's children. */
		action.sa_handler = sig < 32 && sig != SIGCHLD ? SIG_IGN : nothing;
	}
	before[sig] = action;
	if (sigaction(sig, NULL, &now) == 0 && !is_ours(&now) && !is_node(&now))
		sigaction(sig, &action, NULL);
}

/* Whether process.on listens, or libuv itself does (SIGCHLD). */
bool managed_is_node(int sig)
{
	struct sigaction now;

	return sigaction(sig, NULL, &now) == 0 && is_node(&now);
}

/* libuv's handler may be called from everywhere, but not interrupted by itself. */
void managed_tell_node(int sig)
{
	sigset_t all, mask;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &mask);
	node_handler(sig);
	pthread_sigmask(SIG_SETMASK, &mask, NULL);
}

/* Does what the signal does to a process without this package: here and now, unless it is ignored. */
void managed_default(int sig)
{
	sigset_t one, mask;
	bool ours = replaced & BIT(sig);
	struct sigaction action = { .sa_handler = SIG_DFL };

	if (ours)
		sigaction(sig, &before[sig], NULL);
	else if (FAULTS & BIT(sig))
		sigaction(sig, &action, NULL); /* else V8 would look for the instruction that it was */
	sigemptyset(&one);
	sigaddset(&one, sig);
	pthread_sigmask(SIG_UNBLOCK, &one, &mask);
	syscall(SYS_tgkill, getpid(), gettid(), sig);
	pthread_sigmask(SIG_SETMASK, &mask, NULL);
	if (ours)
		take_over(sig);
}
