/*
 * overrun.c - a userthread that runs over the end of its C stack hits its guard page; this says whose it was.
 *
 * It does not save the process: the signal's old action follows. It must work on a stack of its own, as the thread's is used up,
 * so each rfork gets an alternate signal stack.
 *
 * Invariant: everything in the handler is async-signal-safe; a fault that is none of ours goes to the old action unchanged.
 */
#define _GNU_SOURCE
#include "internal.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ALTSTACK_SIZE (64u * 1024)
#define NEAR_GUARD 65536u /* a large frame may step some way beyond the page */

static struct sigaction old_action;
static pthread_mutex_t install_lock = PTHREAD_MUTEX_INITIALIZER;
static int installed;

static void say(const struct lwkt_thread *td)
{
	char text[256];
	int n = snprintf(text, sizeof(text),
			 "libcr: userthread %llu \"%s\" overran its C stack of %zu KiB; create it with a larger stackSize\n",
			 (unsigned long long)td->td_id, td->td_comm, td->td_stack_size / 1024);

	if (write(STDERR_FILENO, text, (size_t)n) < 0)
		return; /* nobody left to tell */
}

static void pass_on(int signo, siginfo_t *info, void *context)
{
	if (old_action.sa_flags & SA_SIGINFO) {
		old_action.sa_sigaction(signo, info, context);
		return;
	}
	if (old_action.sa_handler != SIG_DFL && old_action.sa_handler != SIG_IGN) {
		old_action.sa_handler(signo);
		return;
	}
	signal(signo, SIG_DFL); /* the faulting instruction runs again and ends the process */
}

static void on_fault(int signo, siginfo_t *info, void *context)
{
	struct lwkt_thread *td = lwkt_is_rfork() ? lwkt_arch_mycpu()->gd_curthread : NULL;
	struct lwkt_stack *stack = td ? td->td_stack : NULL;
	uintptr_t address = (uintptr_t)info->si_addr;

	if (stack && address < (uintptr_t)stack->st_base && (uintptr_t)stack->st_base - address <= NEAR_GUARD) {
		say(td);
		signal(signo, SIG_DFL);
		return;
	}
	pass_on(signo, info, context);
}

static void install(void)
{
	struct sigaction action = {0};

	pthread_mutex_lock(&install_lock);
	if (!installed) {
		action.sa_sigaction = on_fault;
		action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
		sigemptyset(&action.sa_mask);
		installed = sigaction(SIGSEGV, &action, &old_action) == 0;
	}
	pthread_mutex_unlock(&install_lock);
}

/** Gives the calling kernel thread an alternate signal stack, unless it has one, and the process its handler. */
int lwkt_overrun_init(globaldata_t gd)
{
	stack_t now, ours = {0};

	install();
	if (sigaltstack(NULL, &now) != 0 || !(now.ss_flags & SS_DISABLE))
		return 0;
	gd->gd_altstack = malloc(ALTSTACK_SIZE);
	if (!gd->gd_altstack)
		return ENOMEM;
	ours.ss_sp = gd->gd_altstack;
	ours.ss_size = ALTSTACK_SIZE;
	return sigaltstack(&ours, NULL) == 0 ? 0 : errno;
}

void lwkt_overrun_fini(globaldata_t gd)
{
	stack_t none = {.ss_flags = SS_DISABLE};

	if (!gd->gd_altstack)
		return;
	sigaltstack(&none, NULL);
	lwkt_overrun_forget(gd);
}

void lwkt_overrun_forget(globaldata_t gd)
{
	free(gd->gd_altstack);
	gd->gd_altstack = NULL;
}
