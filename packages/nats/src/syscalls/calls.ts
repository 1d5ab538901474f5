/**
 * calls.ts: which system calls are made elsewhere, and what they do to descriptors. All others are about the process that makes them (memory, signals, children, identity, the working directory), and stay where it is; with a
 * descriptor of another host's they fail: its number is another file's here.
 *
 * Invariant: a call that gives a descriptor, or takes one by a number that is not its argument of that format, is named here.
 */
import { type CallName, constants as c } from '@libcr/syscalls';

/** Of files, by path or descriptor. */
const FILES: readonly CallName[] = [
  'open',
  'openat',
  'openat2',
  'creat',
  'close',
  'read',
  'write',
  'pread64',
  'pwrite64',
  'readv',
  'writev',
  'preadv',
  'pwritev',
  'preadv2',
  'pwritev2',
  'lseek',
  'stat',
  'fstat',
  'lstat',
  'newfstatat',
  'statx',
  'access',
  'faccessat',
  'faccessat2',
  'mkdir',
  'mkdirat',
  'mknod',
  'mknodat',
  'rmdir',
  'unlink',
  'unlinkat',
  'rename',
  'renameat',
  'renameat2',
  'link',
  'linkat',
  'symlink',
  'symlinkat',
  'readlink',
  'readlinkat',
  'chmod',
  'fchmod',
  'fchmodat',
  'fchmodat2',
  'chown',
  'fchown',
  'lchown',
  'fchownat',
  'utime',
  'utimes',
  'futimesat',
  'utimensat',
  'truncate',
  'ftruncate',
  'fallocate',
  'fsync',
  'fdatasync',
  'syncfs',
  'sync_file_range',
  'fadvise64',
  'readahead',
  'getdents',
  'getdents64',
  'statfs',
  'fstatfs',
  'flock',
  'fcntl',
  'dup',
  'sendfile',
  'copy_file_range',
  'splice',
  'tee',
  'getxattr',
  'lgetxattr',
  'fgetxattr',
  'listxattr',
  'llistxattr',
  'flistxattr',
  'setxattr',
  'lsetxattr',
  'fsetxattr',
  'removexattr',
  'lremovexattr',
  'fremovexattr',
  'memfd_create',
];

/** Of pipes and sockets. */
const STREAMS: readonly CallName[] = [
  'pipe',
  'pipe2',
  'eventfd',
  'eventfd2',
  'socket',
  'socketpair',
  'bind',
  'listen',
  'accept',
  'accept4',
  'connect',
  'getsockname',
  'getpeername',
  'sendto',
  'recvfrom',
  'shutdown',
  'setsockopt',
  'getsockopt',
  'poll',
  'ppoll',
];

export const ELSEWHERE: ReadonlySet<string> = new Set<string>([...FILES, ...STREAMS]);

/** What a call that is made nowhere else answers to a descriptor or path of another host's: what file systems answer that can't. */
const REFUSED: ReadonlyMap<string, number> = new Map<CallName, number>([
  ['mmap', c.ENODEV],
  ['ioctl', c.ENOTTY],
  ['epoll_ctl', c.EPERM],
  ['execve', c.EACCES],
  ['execveat', c.EACCES],
]);
export const refusalOf = (name: string): number => -(REFUSED.get(name) ?? c.EOPNOTSUPP);

/** What they answer is a descriptor. */
const GIVES_DESCRIPTOR: ReadonlySet<string> = new Set<CallName>([
  'open',
  'openat',
  'openat2',
  'creat',
  'dup',
  'memfd_create',
  'eventfd',
  'eventfd2',
  'socket',
  'accept',
  'accept4',
]);

/** Where they write two of them: the index of the argument. */
export const GIVES_PAIR: ReadonlyMap<string, number> = new Map<CallName, number>([
  ['pipe', 0],
  ['pipe2', 0],
  ['socketpair', 3],
]);

/** fcntl's: what it answers then. */
export const DUPLICATES: ReadonlySet<unknown> = new Set([c.F_DUPFD, c.F_DUPFD_CLOEXEC]);

/** Whether what it answers is a descriptor. */
export function givesDescriptor(name: string, args: readonly unknown[]): boolean {
  return GIVES_DESCRIPTOR.has(name) || (name === 'fcntl' && DUPLICATES.has(args[1]));
}

/** Calls that name descriptors in sets of bits, which have no room for another host's. */
export const SELECTS: ReadonlySet<string> = new Set<CallName>(['select', 'pselect6']);

/** Calls whose first argument is a struct pollfd's array, of 8 bytes each. */
export const POLLS: ReadonlySet<string> = new Set<CallName>(['poll', 'ppoll']);
export const POLLFD_SIZE = 8;

/** Whose length may be less than asked for: so that it goes into a message. The index of the count. */
export const SHORT: ReadonlyMap<string, number> = new Map<CallName, number>([
  ['read', 2],
  ['write', 2],
  ['pread64', 2],
  ['pwrite64', 2],
  ['getdents', 2],
  ['getdents64', 2],
]);

/** Whose answer is a number of bytes in buffers: which argument those are. */
const VECTORS: ReadonlySet<string> = new Set<CallName>([
  'readv',
  'writev',
  'preadv',
  'pwritev',
  'preadv2',
  'pwritev2',
]);
/** Which argument says how many bytes there may be; 0 asks how many there are. */
const SIZED: ReadonlyMap<string, number> = new Map<CallName, number>([
  ['readlink', 2],
  ['readlinkat', 3],
  ['getxattr', 3],
  ['lgetxattr', 3],
  ['fgetxattr', 3],
  ['listxattr', 2],
  ['llistxattr', 2],
  ['flistxattr', 2],
]);

/** The largest answer that a call can have: who has asked has no more memory. */
export function mostOf(name: string, args: readonly unknown[]): number {
  const count = SHORT.get(name) ?? SIZED.get(name);
  if (count !== undefined) return (args[count] as number) || (SHORT.has(name) ? 0 : Number.POSITIVE_INFINITY);
  if (!VECTORS.has(name)) return Number.POSITIVE_INFINITY;
  return (args[1] as readonly ArrayBufferView[]).reduce((sum, { byteLength }) => sum + byteLength, 0);
}
