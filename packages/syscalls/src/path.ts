/** path.ts: which way the system calls of this environment go that have to wait. */
import { native } from './native.ts';

/** What path() answers. */
export interface SyscallPath {
  /** "ring": io_uring, and helper threads for what it lacks. "readiness": epoll on the event loop, and helper threads. */
  readonly name: 'ring' | 'readiness';
  /** Why it is not the ring, in words; "" where it is. */
  readonly why: string;
  /** Operations (IORING_OP_*, without the prefix) that libcr would use and this kernel lacks: helper threads do those. */
  readonly missing: readonly string[];
}

/**
 * Which way was chosen when this environment (the main thread or a Worker) loaded the package. The environment variable LIBCR_SYSCALLS_PATH
 * asks for one: "ring" fails where there is none, "readiness" goes without.
 */
export function path(): SyscallPath {
  const { path: name, why, missing } = native;
  return { name, why, missing: missing === '' ? [] : missing.split(',') };
}
