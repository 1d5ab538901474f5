/* rings.c - asks for an io_uring and for asynchronous I/O, and prints what the kernel, or a policy, answers. */
#include <errno.h>
#include <linux/aio_abi.h>
#include <linux/io_uring.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static const char *answer(long result)
{
	return result >= 0 ? "made" : strerror(errno);
}

int main(void)
{
	struct io_uring_params params = {0};
	aio_context_t context = 0;

	printf("io_uring_setup: %s\n", answer(syscall(SYS_io_uring_setup, 4, &params)));
	printf("io_setup: %s\n", answer(syscall(SYS_io_setup, 4, &context)));
	return 0;
}
