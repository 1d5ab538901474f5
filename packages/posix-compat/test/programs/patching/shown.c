/*
 * shown.c - what a signal's handler sees of a call that it interrupts at a place that is patched behind the number: the program's own code, as natively. And what
 * becomes of the call: EINTR, or made again. And so does unwinding out of the handler, by cancellation, run what is to be cleaned up.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "../asleep.h"

#define OFTEN 200

/* Within one line of the cache: what lies across two is not patched. */
long call(long number, long a, void *b, long c);
extern unsigned char call_syscall[];
__asm__(".text\n.p2align 6\ncall:\n.cfi_startproc\n\tmovq %rdi, %rax\n\tmovq %rsi, %rdi\n\tmovq %rdx, %rsi\n\tmovq %rcx, %rdx\ncall_syscall:\n\tsyscall\n\tmovl %eax, %edx\n"
	"\tcmpl $0, %edx\n\tret\n.cfi_endproc\n");

static int fds[2];
static volatile int ready, handled;
static volatile long rip;

static void on_signal(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;

	(void)sig, (void)info;
	rip = uc->uc_mcontext.gregs[REG_RIP] - (long)call_syscall;
	handled = 1;
}

static void *reader(void *result)
{
	char byte;

	ready = (int)syscall(SYS_gettid);
	*(long *)result = call(SYS_read, fds[0], &byte, 1);
	return NULL;
}

static void interrupt(const char *what, int flags)
{
	struct sigaction act = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | flags};
	pthread_t thread;
	long result = 0;

	sigaction(SIGUSR1, &act, NULL);
	ready = handled = 0;
	pthread_create(&thread, NULL, reader, &result);
	while (!ready)
		usleep(1000);
	until_asleep(ready);
	pthread_kill(thread, SIGUSR1);
	while (!handled)
		usleep(1000);
	write(fds[1], "x", 1);
	pthread_join(thread, NULL);
	printf("%s: shown %ld, result %ld\n", what, rip, result);
}

static void cleanup(void *arg)
{
	*(int *)arg = 1;
}

static int cleaned;

static void *cancelled(void *arg)
{
	char byte;

	(void)arg;
	pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
	pthread_cleanup_push(cleanup, &cleaned);
	ready = (int)syscall(SYS_gettid);
	call(SYS_read, fds[0], &byte, 1);
	pthread_cleanup_pop(0);
	return NULL;
}

int main(void)
{
	char byte;
	pthread_t thread;
	void *result;

	if (pipe(fds))
		return 1;
	for (int i = 0; i < OFTEN; i++)
		if (call(SYS_write, fds[1], "x", 1) != 1 || call(SYS_read, fds[0], &byte, 1) != 1)
			return 1;
	interrupt("restarted", SA_RESTART);
	interrupt("interrupted", 0);
	read(fds[0], &byte, 1);
	ready = 0;
	pthread_create(&thread, NULL, cancelled, NULL);
	while (!ready)
		usleep(1000);
	until_asleep(ready);
	pthread_cancel(thread);
	pthread_join(thread, &result);
	printf("cancelled: %d, cleaned up: %d\n", result == PTHREAD_CANCELED, cleaned);
	fprintf(stderr, "%s\n", memcmp(call_syscall, "\x0f\x05", 2) ? "patched" : "as it was");
	return 0;
}
