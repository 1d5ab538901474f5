/*
 * handles.c - a library for LD_PRELOAD: each program that it is in begins with a handler for SIGWINCH, which spoils the registers that it may, and counts in the
 * file HANDLES_COUNTS that it has run. By default the signal is ignored, so that one which comes before does no harm.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static unsigned long here, *handled = &here;

static void handle(int sig)
{
	(void)sig;
	__asm__ volatile("pcmpeqd %%xmm0, %%xmm0; movdqa %%xmm0, %%xmm1; movdqa %%xmm0, %%xmm6; movdqa %%xmm0, %%xmm7; movdqa %%xmm0, %%xmm8; movdqa %%xmm0, %%xmm15"
			 :
			 :
			 : "xmm0", "xmm1", "xmm6", "xmm7", "xmm8", "xmm15");
	__atomic_fetch_add(handled, 1, __ATOMIC_RELAXED);
}

__attribute__((constructor)) static void begin(void)
{
	const struct sigaction act = {.sa_handler = handle, .sa_flags = SA_RESTART | SA_ONSTACK};
	const char *name = getenv("HANDLES_COUNTS");
	int fd = name ? open(name, O_RDWR | O_CLOEXEC) : -1;
	void *counts = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof(here), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (counts != MAP_FAILED)
		handled = counts;
	if (fd >= 0)
		close(fd);
	sigaction(SIGWINCH, &act, NULL);
}
