/**
 * lookups.ts: how the kernel looks up each path argument of the table: whether a symbolic link that is its last name is followed.
 *
 * Not here: where a relative path begins (arguments.ts). Invariant: each argument of format "path" that names a file has its entry; a test goes through
 * the table.
 */
import { constants as c } from '../../generated/constants.ts';
import type { CallName } from '../../generated/rows.ts';

/**
 * follow: a link that is the last name is followed. itself: it is not, but for a slash behind it. name: the last name is made, removed or moved as a
 * name in its folder.
 */
export type Last = 'follow' | 'itself' | 'name';

export interface Lookup {
  readonly last: Last | 'open';
  /** The argument that says so, and its bits with which it is the other of follow and itself. */
  readonly flags?: string;
  readonly turned?: number;
}

const FOLLOW: Lookup = { last: 'follow' };
const ITSELF: Lookup = { last: 'itself' };
const NAME: Lookup = { last: 'name' };
/** As its flags say (openLast). */
const OPEN: Lookup = { last: 'open' };
const unless = (turned: number, flags = 'flags'): Lookup => ({ last: 'follow', flags, turned });
const onlyWith = (turned: number): Lookup => ({ last: 'itself', flags: 'flags', turned });

type Lookups = Readonly<Record<string, Lookup>>;
const each = (names: readonly CallName[], lookups: Lookups): [CallName, Lookups][] =>
  names.map((name) => [name, lookups]);

const known = new Map<CallName, Lookups>([
  ...each(['open', 'openat', 'openat2'], { path: OPEN }),
  ...each(
    [
      'creat',
      'stat',
      'access',
      'faccessat',
      'truncate',
      'chdir',
      'chroot',
      'execve',
      'chmod',
      'fchmodat',
      'chown',
      'utime',
      'utimes',
      'futimesat',
      'statfs',
      'acct',
      'swapon',
      'swapoff',
      'setxattr',
      'getxattr',
      'listxattr',
      'removexattr',
    ],
    { path: FOLLOW },
  ),
  ...each(
    ['lstat', 'lchown', 'readlink', 'readlinkat', 'lsetxattr', 'lgetxattr', 'llistxattr', 'lremovexattr'],
    { path: ITSELF },
  ),
  ...each(
    [
      'newfstatat',
      'statx',
      'faccessat2',
      'fchmodat2',
      'fchownat',
      'utimensat',
      'execveat',
      'open_tree',
      'open_tree_attr',
      'mount_setattr',
      'file_getattr',
      'file_setattr',
      'listxattrat',
      'removexattrat',
    ],
    { path: unless(c.AT_SYMLINK_NOFOLLOW) },
  ),
  ...each(['mkdir', 'mkdirat', 'mknod', 'mknodat', 'rmdir', 'unlink', 'unlinkat'], { path: NAME }),
  ...each(['rename', 'renameat', 'renameat2'], { path: NAME, dest: NAME }),
  ...each(['symlink', 'symlinkat'], { dest: NAME }), // the other is text, and looked up by nobody
  ['link', { path: ITSELF, dest: NAME }],
  ['linkat', { path: onlyWith(c.AT_SYMLINK_FOLLOW), dest: NAME }],
  ['name_to_handle_at', { path: onlyWith(c.AT_SYMLINK_FOLLOW) }],
  ['inotify_add_watch', { path: unless(c.IN_DONT_FOLLOW, 'mask') }],
  ['fanotify_mark', { path: unless(c.FAN_MARK_DONT_FOLLOW) }],
  ['pivot_root', { path: FOLLOW, dest: FOLLOW }],
  ['mount', { source: FOLLOW, path: FOLLOW }],
  ['umount2', { path: unless(c.UMOUNT_NOFOLLOW) }],
  ['fspick', { path: unless(c.FSPICK_SYMLINK_NOFOLLOW) }],
  ['move_mount', { path: onlyWith(c.MOVE_MOUNT_F_SYMLINKS), dest: onlyWith(c.MOVE_MOUNT_T_SYMLINKS) }],
]);

/** How an argument is looked up; undefined for one that is no path. */
export function lookupOf(call: CallName, argument: string): Lookup | undefined {
  return known.get(call)?.[argument];
}

/** Whether a call has an argument that is a path. */
export function looksUp(call: CallName): boolean {
  return known.has(call);
}

/** Opening follows the last link, but with O_NOFOLLOW, and where the file is to be a new one. */
export function openLast(flags: number): Last {
  const isNew = (flags & (c.O_CREAT | c.O_EXCL)) === (c.O_CREAT | c.O_EXCL);
  return (flags & c.O_NOFOLLOW) !== 0 || isNew ? 'itself' : 'follow';
}

/** Calls that name files in a way that can't be read here: why. Calls that are refused are among them, as a shim may answer those. */
export const hidden: ReadonlyMap<CallName, string> = new Map<CallName, string>([
  ['open_by_handle_at', 'a handle does not say where its file is'],
  ['uselib', 'its arguments are not known'],
  ['quotactl', 'its arguments are not known'],
  ['bpf', 'its arguments are not known'],
  ['setxattrat', 'its arguments are not known'],
  ['getxattrat', 'its arguments are not known'],
  ['io_uring_setup', 'what a ring does is not seen'],
  ['io_uring_enter', 'what a ring does is not seen'],
  ['io_uring_register', 'what a ring does is not seen'],
  ['io_submit', 'its arguments are not known'],
]);
