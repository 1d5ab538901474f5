/*
 * motd.c - a native shim with a file of its own: whoever opens /etc/motd to read it finds what is here. The file is one in memory, which the shim makes by
 * calls of its own; all that follows (read, fstat, mmap) is the kernel's.
 */
#define _GNU_SOURCE
#include "libcr_shim.h"

#include <fcntl.h>
#include <sys/mman.h>

const char shim_on[] = "open"; /* and openat, openat2, creat */

static const char text[] = "There is no motd but this one.\n";

static long open_text(struct sysmsg *msg, sysmsg_next next, unsigned long flags)
{
	long fd = shim_call(msg, next, SYS_memfd_create, "motd", flags & O_CLOEXEC ? MFD_CLOEXEC : 0);

	if (fd < 0)
		return fd;
	shim_call(msg, next, SYS_write, fd, text, sizeof(text) - 1);
	shim_call(msg, next, SYS_lseek, fd, 0, SEEK_SET);
	return fd;
}

long shim(struct sysmsg *msg, sysmsg_next next)
{
	char path[32];
	unsigned long flags = msg->sm_number == SYS_openat ? msg->sm_args[2] : msg->sm_args[1];

	if ((msg->sm_number != SYS_openat && msg->sm_number != SYS_open) || shim_path(msg, path, sizeof(path)) < 0 || strcmp(path, "/etc/motd"))
		return next(msg);
	return flags & O_ACCMODE ? -EROFS : open_text(msg, next, flags);
}
