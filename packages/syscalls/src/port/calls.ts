/** calls.ts: the table's rows by number and by name. */
import { type CallName, type Row, rows } from '../generated/rows.ts';

/** Numbers go up to here. */
export const CALL_COUNT: number = Math.max(...rows.map((row) => row.number)) + 1;

const byNumber: (Row | undefined)[] = [];
const byName = new Map<string, Row>();
for (const row of rows) {
  byNumber[row.number] = row;
  byName.set(row.name, row);
}

export function rowOf(number: number): Row | undefined {
  return byNumber[number];
}

export function rowNamed(name: string): Row | undefined {
  return byName.get(name);
}

/** Whether a call may block: 1 or 0 by number. */
export const mayBlock: Uint8Array = new Uint8Array(CALL_COUNT);
for (const row of rows) mayBlock[row.number] = row.block === 'never' ? 0 : 1;

/**
 * Calls that do the same thing to the same objects: a shim that asks for one gets the others too, so that nothing slips by because a
 * program, or a C library, says it in another way.
 *
 * For paths: with and without a directory's descriptor, with and without flags, links followed or not. What takes only a descriptor (fstat,
 * fchmod, fchown) is about another object, and not in the family. unlinkat is unlink's though it can remove directories: who cares for
 * these asks for rmdir and unlinkat.
 * For the rest: an old call and the newer one that takes flags, a signal mask or a finer timeout.
 */
export const families: readonly (readonly CallName[])[] = [
  ['open', 'openat', 'openat2', 'creat'],
  ['stat', 'lstat', 'newfstatat', 'statx'],
  ['access', 'faccessat', 'faccessat2'],
  ['chmod', 'fchmodat', 'fchmodat2'],
  ['chown', 'lchown', 'fchownat'],
  ['utime', 'utimes', 'futimesat', 'utimensat'],
  ['mkdir', 'mkdirat'],
  ['mknod', 'mknodat'],
  ['link', 'linkat'],
  ['symlink', 'symlinkat'],
  ['readlink', 'readlinkat'],
  ['rename', 'renameat', 'renameat2'],
  ['unlink', 'unlinkat'],
  ['setxattr', 'lsetxattr', 'setxattrat'],
  ['getxattr', 'lgetxattr', 'getxattrat'],
  ['listxattr', 'llistxattr', 'listxattrat'],
  ['removexattr', 'lremovexattr', 'removexattrat'],
  ['execve', 'execveat'],
  ['getdents', 'getdents64'],
  ['dup2', 'dup3'],
  ['pipe', 'pipe2'],
  ['accept', 'accept4'],
  ['poll', 'ppoll'],
  ['select', 'pselect6'],
  ['epoll_create', 'epoll_create1'],
  ['epoll_wait', 'epoll_pwait', 'epoll_pwait2'],
  ['eventfd', 'eventfd2'],
  ['inotify_init', 'inotify_init1'],
  ['signalfd', 'signalfd4'],
];

const familyOf = new Map<string, readonly CallName[]>();
for (const family of families) for (const name of family) familyOf.set(name, family);

/** The numbers that a name chooses: its own and its family's; undefined for a name that is no call's. */
export function numbersOf(name: string): number[] | undefined {
  const numbers = (familyOf.get(name) ?? [name]).map((member) => byName.get(member)?.number);
  return numbers.includes(undefined) ? undefined : (numbers as number[]);
}
