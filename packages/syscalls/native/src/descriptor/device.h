/*
 * device.h - devices that never wait, though a call that is asked not to wait is another one there.
 */
#ifndef SYSCALLS_DEVICE_H
#define SYSCALLS_DEVICE_H

#include <stdbool.h>
#include <sys/stat.h>

/**
 * /dev/null, /dev/zero and /dev/full: they never wait. Asked not to (RWF_NOWAIT), the kernel gives less of them than was asked for as soon as somebody else wants the
 * processor, page by page (read_iter_zero of drivers/char/mem.c).
 */
static inline bool device_never_waits(const struct stat *about)
{
	return S_ISCHR(about->st_mode) && (about->st_rdev == 0x103 || about->st_rdev == 0x105 || about->st_rdev == 0x107);
}

#endif
