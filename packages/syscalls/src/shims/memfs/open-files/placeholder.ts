/**
 * placeholder.ts: the kernel's descriptor that stands for a file in memory: one that takes its number and with which nothing can be done. O_PATH
 * says so itself (EBADF); where there is no /dev/null, an epoll descriptor that nobody adds anything to is the next best.
 */
import { constants as c } from '../../../generated/constants.ts';
import { below, type Call } from '../call.ts';

const FULL: readonly number[] = [-c.EMFILE, -c.ENFILE, -c.ENOMEM];

/** A new descriptor, or -errno. */
export function placeholder(call: Call, closeOnExec: boolean): number {
  const flags = closeOnExec ? c.O_CLOEXEC : 0;
  const fd = below(call, 'openat', c.AT_FDCWD, '/dev/null', c.O_PATH | flags, 0);
  if (fd >= 0 || FULL.includes(fd)) return fd;
  const other = below(call, 'epoll_create1', flags);
  return other >= 0 || FULL.includes(other) ? other : fd;
}
