// operations.mjs: operations on files as plain data, so that they can be applied to two file systems, printed, and left out one by one.
//
// Paths begin at a base directory; descriptors are slots of a table that each of the two file systems has. Calls that the table of system calls has
// not are not made.
import { constants as c, sys } from '@libcr/syscalls';

const NAMES = ['a', 'b', 'c', 'd', 'e'];
const SLOTS = 6;
const SIZES = [0, 1, 10, 100, 4095, 4096, 4097, 9000, 20000];
const XATTRS = [
  'user.a',
  'user.a',
  'user.b',
  'user.b',
  'trusted.c',
  'user.',
  'none',
  `user.${'n'.repeat(251)}`,
];
const MODES = [0o666, 0o777, 0o644, 0o600, 0o000, 0o444, 0o222, 0o111, 0o7777, 0o1777, 0o2775];

const has = (name) => name in sys;

export function path(r) {
  const names = [];
  for (
    let n = r.weighted([
      [1, 5],
      [2, 4],
      [3, 2],
      [4, 0.5],
    ]);
    n > 0;
    n--
  )
    names.push(
      r.weighted([
        [r.pick(NAMES), 20],
        ['.', 0.7],
        ['..', 1],
      ]),
    );
  const text = names.join(r.chance(0.03) ? '//' : '/');
  if (r.chance(0.01)) return 'x'.repeat(256);
  return r.chance(0.05) ? `${text}/` : text;
}

const slot = (r) => r.below(SLOTS);
const size = (r) => (r.chance(0.5) ? r.pick(SIZES) : r.below(6000));

function openFlags(r) {
  let flags = r.weighted([
    [c.O_RDONLY, 3],
    [c.O_WRONLY, 2],
    [c.O_RDWR, 5],
    [3, 0.1],
  ]);
  for (const [flag, p] of [
    [c.O_CREAT, 0.6],
    [c.O_EXCL, 0.15],
    [c.O_TRUNC, 0.2],
    [c.O_APPEND, 0.15],
    [c.O_DIRECTORY, 0.2],
    [c.O_NOFOLLOW, 0.1],
    [c.O_CLOEXEC, 0.3],
    [c.O_NONBLOCK, 0.05],
    [c.O_NOATIME, 0.05],
    [c.O_PATH, 0.08],
    [c.O_TMPFILE, 0.04],
  ])
    if (r.chance(p)) flags |= flag;
  // O_CREAT | O_DIRECTORY has had different meanings in different kernels
  return (flags & c.O_CREAT) !== 0 && (flags & c.O_TMPFILE) !== c.O_TMPFILE ? flags & ~c.O_DIRECTORY : flags;
}

// Locks are those of descriptions: the process' own go when any descriptor of the file is closed, and helper threads close copies of them.
/** [name, weight, arguments]; names are those of sys, or of apply.mjs' own. */
const KINDS = [
  ['open', 14, (r) => [slot(r), path(r), openFlags(r), r.pick(MODES)]],
  ['openat', 5, (r) => [slot(r), slot(r), path(r), openFlags(r), r.pick(MODES)]],
  ['close', 5, (r) => [slot(r)]],
  ['read', 6, (r) => [slot(r), size(r) + 1]],
  ['write', 10, (r) => [slot(r), size(r), r.below(256)]],
  ['pread64', 3, (r) => [slot(r), size(r) + 1, r.chance(0.05) ? -1 : size(r)]],
  ['pwrite64', 4, (r) => [slot(r), size(r), r.below(256), r.chance(0.05) ? -1 : size(r)]],
  ['readv', 2, (r) => [slot(r), [size(r), 0, size(r)]]],
  ['writev', 2, (r) => [slot(r), [size(r), 0, size(r)], r.below(256)]],
  ['preadv', 1, (r) => [slot(r), [size(r), size(r)], size(r)]],
  ['pwritev', 1, (r) => [slot(r), [size(r), size(r)], r.below(256), size(r)]],
  ['lseek', 5, (r) => [slot(r), r.chance(0.2) ? -r.below(100) : size(r), r.below(r.chance(0.1) ? 7 : 5)]],
  ['fstat', 4, (r) => [slot(r)]],
  ['statx', 6, (r) => [path(r), r.chance(0.5) ? c.AT_SYMLINK_NOFOLLOW : 0]],
  ['statxOf', 2, (r) => [slot(r)]],
  ['list', 4, (r) => [slot(r), r.chance(0.3) ? r.pick([10, 24, 25, 48, 80]) : 4096]],
  ['mkdir', 10, (r) => [path(r), r.pick(MODES)]],
  ['rmdir', 4, (r) => [path(r)]],
  ['unlink', 6, (r) => [path(r)]],
  ['rename', 10, (r) => [path(r), path(r)]],
  ['symlink', 6, (r) => [r.chance(0.3) ? { absolute: path(r) } : r.chance(0.02) ? '' : path(r), path(r)]],
  ['longSymlink', 0.5, (r) => [r.pick([127, 128, 200, 4095]), path(r)]],
  ['readlink', 3, (r) => [path(r)]],
  ['ftruncate', 4, (r) => [slot(r), r.chance(0.05) ? -1 : size(r)]],
  ['fsync', 1, (r) => [slot(r)]],
  ['dup', 2, (r) => [slot(r), slot(r)]],
  ['dup3', 1, (r) => [slot(r), slot(r)]],
  ['getfl', 2, (r) => [slot(r)]],
  ['setfl', 2, (r) => [slot(r), r.pick([0, c.O_APPEND, c.O_NONBLOCK, c.O_APPEND | c.O_NOATIME])]],
  ['getfd', 1, (r) => [slot(r)]],
  ['dupfd', 1, (r) => [slot(r), slot(r)]],
  ['poll', 1, (r) => [slot(r), r.pick([0, c.POLLIN, c.POLLOUT, c.POLLIN | c.POLLOUT | c.POLLPRI])]],
  ['epoll', 0.5, (r) => [slot(r)]],
  [
    'lock',
    2,
    (r) => [
      slot(r),
      r.pick([c.F_OFD_SETLK, c.F_OFD_GETLK, c.F_OFD_GETLK]),
      r.below(3),
      r.below(3),
      r.below(200) - 20,
      r.below(100),
    ],
  ],
  ['procfd', 1, (r) => [slot(r), slot(r), r.pick([c.O_RDONLY, c.O_RDWR])]],
  ['link', 6, (r) => [path(r), path(r)]],
  ['linkat', 2, (r) => [path(r), path(r), c.AT_SYMLINK_FOLLOW]],
  ['linkTemporary', 1, (r) => [slot(r), path(r)]],
  [
    'renameat2',
    5,
    (r) => [
      path(r),
      path(r),
      r.weighted([
        [0, 1],
        [1, 3],
        [2, 5],
        [3, 0.3],
      ]),
    ],
  ],
  ['unlinkat', 2, (r) => [slot(r), path(r), r.pick([0, 0x200])]],
  ['mkdirat', 2, (r) => [slot(r), path(r), r.pick(MODES)]],
  ['chmod', 4, (r) => [path(r), r.pick(MODES)]],
  ['fchmod', 2, (r) => [slot(r), r.pick(MODES)]],
  ['chown', 1, (r) => [path(r), r.pick([-1, 0, 1, 65534]), r.pick([-1, 0, 1, 65534])]],
  ['fchown', 1, (r) => [slot(r), r.pick([-1, 0, 65534]), r.pick([-1, 0, 65534])]],
  ['access', 3, (r) => [path(r), r.below(8)]],
  ['truncate', 3, (r) => [path(r), r.chance(0.05) ? -1 : size(r)]],
  ['fallocate', 3, (r) => [slot(r), r.pick([0, 1, 2, 3, 3]), r.chance(0.05) ? -1 : size(r), size(r)]],
  ['utimensat', 2, (r) => [path(r), r.below(1e9), r.below(1e9), r.chance(0.5) ? c.AT_SYMLINK_NOFOLLOW : 0]],
  ['sendfile', 2, (r) => [slot(r), slot(r), r.chance(0.5) ? size(r) : undefined, size(r)]],
  ['copy_file_range', 2, (r) => [slot(r), slot(r), size(r), size(r), size(r)]],
  [
    'setxattr',
    2,
    (r) => [path(r), r.pick(XATTRS), r.pick([0, 3, 200]), r.pick([0, 0, c.XATTR_CREATE, c.XATTR_REPLACE])],
  ],
  ['lsetxattr', 1, (r) => [path(r), r.pick(XATTRS), 3, 0]],
  ['fsetxattr', 1, (r) => [slot(r), r.pick(XATTRS), 5, 0]],
  ['getxattr', 2, (r) => [path(r), r.pick(XATTRS), r.pick([0, 2, 400])]],
  ['lgetxattr', 1, (r) => [path(r), r.pick(XATTRS), 400]],
  ['fgetxattr', 1, (r) => [slot(r), r.pick(XATTRS), 400]],
  ['listxattr', 2, (r) => [path(r), r.pick([0, 5, 1000])]],
  ['llistxattr', 1, (r) => [path(r), 1000]],
  ['flistxattr', 1, (r) => [slot(r), 1000]],
  ['removexattr', 1, (r) => [path(r), r.pick(XATTRS)]],
  ['lremovexattr', 1, (r) => [path(r), r.pick(XATTRS)]],
  ['fremovexattr', 1, (r) => [slot(r), r.pick(XATTRS)]],
  ['flock', 1, (r) => [slot(r), r.pick([1, 2]) | 4]],
];

/** Those that need a row of the table which may be missing. */
const NEEDS = { linkTemporary: 'linkat' };
const OWN = new Set([
  'statxOf',
  'list',
  'longSymlink',
  'getfl',
  'setfl',
  'getfd',
  'dupfd',
  'epoll',
  'lock',
  'procfd',
]);

/** Older kernels' tmpfs has no user.*. */
const hasXattrs = (() => {
  try {
    sys.getxattr('/dev/shm', 'user.libcr-none', 0);
  } catch (error) {
    return error.code === 'ENODATA';
  }
  return true;
})();

export const kinds = KINDS.filter(
  ([name]) => (hasXattrs || !name.includes('xattr')) && (OWN.has(name) || has(NEEDS[name] ?? name)),
);

export function makeOperations(r, count, kinds) {
  const pairs = kinds.map((kind) => [kind, kind[1]]);
  return Array.from({ length: count }, () => {
    const [name, , makeArguments] = r.weighted(pairs);
    return [name, ...makeArguments(r)];
  });
}
