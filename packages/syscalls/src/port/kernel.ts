/** kernel.ts: the kernel's numbers that the files of this folder use. The whole list, for programs, is generated/constants.ts. */
export const POLLIN = 1;
export const POLLPRI = 2;
export const POLLOUT = 4;
export const POLLERR = 8;
export const POLLHUP = 16;

export const EPERM = 1;
export const EBADF = 9;
export const EINVAL = 22;
export const ETIME = 62;

export const SYS_close = 3;
export const SYS_poll = 7;
export const SYS_nanosleep = 35;
export const SYS_dup2 = 33;
export const SYS_dup3 = 292;
export const SYS_close_range = 436;
export const CLOSE_RANGE_CLOEXEC = 4;
