/** attributes.ts: conformance of what a file is: stat, modes, owners, times. */
import fs from 'node:fs';
import { constants as c, type Stat, sys } from '../../src/index.ts';
import { AT, BAD, type Cases, NONE, type Place, raw } from './case.ts';

/** The fields of a Stat as node:fs has them. */
const fields = (s: Stat): unknown => [
  s.dev,
  s.ino,
  s.mode,
  s.nlink,
  s.uid,
  s.gid,
  s.size,
  s.blocks,
  s.mtimeNs,
  s.ctimeNs,
];
function theirs(path: string, how: 'statSync' | 'lstatSync' = 'statSync'): unknown {
  const s = fs[how](path, { bigint: true });
  const n = Number;
  return [
    n(s.dev),
    s.ino,
    n(s.mode),
    n(s.nlink),
    n(s.uid),
    n(s.gid),
    n(s.size),
    n(s.blocks),
    s.mtimeNs,
    s.ctimeNs,
  ];
}
const mode = (p: Place): number => fs.statSync(p.at('file')).mode & 0o7777;
const owner = (path: string): number[] => [fs.lstatSync(path).uid, fs.lstatSync(path).gid];
const link = (p: Place): string => {
  fs.symlinkSync(p.file(), p.at('link'));
  return p.at('link');
};
const me = [process.getuid?.() as number, process.getgid?.() as number] as const;
const times = (path: string): bigint[] => {
  const { atimeNs, mtimeNs } = fs.lstatSync(path, { bigint: true });
  return [atimeNs, mtimeNs];
};
const S = 1_000_000_000n;
const NOFOLLOW = c.AT_SYMLINK_NOFOLLOW;

export const attributes: Cases = {
  stat: {
    works: (p) => [fields(sys.stat(link(p))), theirs(p.at('file'))],
    fails: { ENOENT: () => sys.stat(NONE), ENOTDIR: (p) => sys.stat(`${p.file()}/x`) },
  },
  lstat: {
    works: (p) => [fields(sys.lstat(link(p))), theirs(p.at('link'), 'lstatSync')],
    fails: { ENOENT: () => sys.lstat(NONE) },
  },
  fstat: {
    works: (p) => [fields(sys.fstat(p.open())), theirs(p.at('file'))],
    fails: { EBADF: () => sys.fstat(BAD) },
  },
  newfstatat: {
    works: (p) => [fields(sys.newfstatat(AT, link(p), NOFOLLOW)), theirs(p.at('link'), 'lstatSync')],
    fails: {
      ENOENT: () => sys.newfstatat(AT, NONE),
      EINVAL: (p) => sys.newfstatat(AT, p.folder, 1),
      EBADF: () => sys.newfstatat(BAD, 'x'),
    },
  },
  statx: {
    works: (p) => {
      const { size, ino, mtimeNs } = sys.statx(AT, p.file());
      const their = fs.statSync(p.at('file'), { bigint: true });
      return [
        [BigInt(size), ino, mtimeNs],
        [their.size, their.ino, their.mtimeNs],
      ];
    },
    fails: {
      ENOENT: () => sys.statx(AT, NONE),
      EINVAL: (p) => sys.statx(AT, p.folder, 0x6000),
      EBADF: () => sys.statx(BAD, 'x'),
    },
  },
  statfs: {
    works: (p) => {
      const [ours, their] = [sys.statfs(p.folder), fs.statfsSync(p.folder)];
      return [
        [ours.type, ours.bsize, ours.blocks, ours.files],
        [their.type, their.bsize, their.blocks, their.files],
      ];
    },
    fails: { ENOENT: () => sys.statfs(NONE) },
  },
  fstatfs: {
    works: (p) => [sys.fstatfs(p.directory()).type, fs.statfsSync(p.folder).type],
    fails: { EBADF: () => sys.fstatfs(BAD) },
  },
  ustat: {
    works: (p) => [
      raw('ustat', fs.statSync('/dev/shm').dev, Buffer.alloc(32)) + p.folder.length,
      p.folder.length,
    ],
    fails: {
      EINVAL: () => raw('ustat', 0xfffff, Buffer.alloc(32)),
      ERR_OUT_OF_RANGE: () => raw('ustat', 1, Buffer.alloc(31)),
    },
  },
  access: {
    works: (p) => [sys.access(p.file(), c.R_OK | c.W_OK), undefined],
    fails: {
      ENOENT: () => sys.access(NONE),
      EINVAL: (p) => sys.access(p.file(), 0x100),
      EACCES: (p) => sys.access(p.file(), c.X_OK),
    },
  },
  faccessat: {
    works: (p) => [sys.faccessat(AT, p.file(), c.R_OK), undefined],
    fails: {
      ENOENT: () => sys.faccessat(AT, NONE),
      EBADF: () => sys.faccessat(BAD, 'x'),
      EACCES: (p) => sys.faccessat(AT, p.file(), c.X_OK),
    },
  },
  faccessat2: {
    works: (p) => [sys.faccessat2(AT, p.file(), c.R_OK, c.AT_EACCESS), undefined],
    fails: {
      EINVAL: (p) => sys.faccessat2(AT, p.file(), 0, 1),
      EACCES: (p) => sys.faccessat2(AT, p.file(), c.X_OK, c.AT_EACCESS),
    },
  },
  chmod: {
    works: (p) => {
      sys.chmod(p.file(), 0o4751);
      return [mode(p), 0o4751];
    },
    fails: {
      ENOENT: () => sys.chmod(NONE, 0),
      ERR_INVALID_ARG_TYPE: (p) => sys.chmod(p.file(), '7' as unknown as number),
    },
  },
  fchmod: {
    works: (p) => {
      sys.fchmod(p.open(), 0o640);
      return [mode(p), 0o640];
    },
    fails: { EBADF: () => sys.fchmod(BAD, 0) },
  },
  fchmodat: {
    works: (p) => {
      p.file();
      sys.fchmodat(p.directory(), 'file', 0o604);
      return [mode(p), 0o604];
    },
    fails: { EBADF: () => sys.fchmodat(BAD, 'x', 0), ENOENT: () => sys.fchmodat(AT, NONE, 0) },
  },
  fchmodat2: {
    works: (p) => {
      sys.fchmodat2(AT, p.file(), 0o600, 0);
      return [mode(p), 0o600];
    },
    fails: {
      EINVAL: (p) => sys.fchmodat2(AT, p.file(), 0, 1),
      EOPNOTSUPP: (p) => sys.fchmodat2(AT, link(p), 0, NOFOLLOW),
    },
  },
  chown: {
    works: (p) => {
      sys.chown(p.file(), me[0], -1);
      return [owner(p.at('file')), [...me]];
    },
    fails: { ENOENT: () => sys.chown(NONE, 0, 0) },
  },
  fchown: {
    works: (p) => {
      sys.fchown(p.open(), -1, me[1]);
      return [owner(p.at('file')), [...me]];
    },
    fails: { EBADF: () => sys.fchown(BAD, 0, 0) },
  },
  lchown: {
    works: (p) => {
      sys.lchown(link(p), ...me);
      return [owner(p.at('link')), [...me]];
    },
    fails: { ENOENT: () => sys.lchown(NONE, 0, 0) },
  },
  fchownat: {
    works: (p) => {
      sys.fchownat(AT, link(p), ...me, NOFOLLOW);
      return [owner(p.at('link')), [...me]];
    },
    fails: { EBADF: () => sys.fchownat(BAD, 'x', 0, 0), EINVAL: (p) => sys.fchownat(AT, p.file(), 0, 0, 1) },
  },
  utime: {
    works: (p) => {
      sys.utime(p.file(), { actime: 5, modtime: 6 });
      return [times(p.at('file')), [5n * S, 6n * S]];
    },
    fails: { ENOENT: () => sys.utime(NONE), ERR_INVALID_ARG_TYPE: (p) => sys.utime(p.file(), 1 as never) },
  },
  utimes: {
    works: (p) => {
      sys.utimes(p.file(), [1500, { sec: 2, nsec: 3999 }]);
      return [times(p.at('file')), [1_500_000_000n, 2n * S + 3000n]];
    },
    fails: {
      ENOENT: () => sys.utimes(NONE),
      EINVAL: (p) => sys.utimes(p.file(), [0, { sec: 0, nsec: 2e9 }]),
    },
  },
  futimesat: {
    works: (p) => {
      sys.futimesat(p.open(), undefined, [1000, 2000]);
      return [times(p.at('file')), [S, 2n * S]];
    },
    fails: { EBADF: () => sys.futimesat(BAD, 'x'), ENOENT: () => sys.futimesat(AT, NONE) },
  },
  utimensat: {
    works: (p) => {
      sys.utimensat(
        AT,
        link(p),
        [
          { sec: 1, nsec: 2 },
          { sec: 3, nsec: 4 },
        ],
        NOFOLLOW,
      );
      sys.utimensat(AT, p.at('link'), ['omit', { sec: 9, nsec: 0 }], NOFOLLOW);
      return [times(p.at('link')), [S + 2n, 9n * S]];
    },
    fails: {
      ENOENT: () => sys.utimensat(AT, NONE),
      EINVAL: (p) => sys.utimensat(AT, p.file(), [0, { sec: 0, nsec: 2e9 }]),
      ERR_INVALID_ARG_TYPE: (p) => sys.utimensat(AT, p.file(), [0] as never),
    },
  },
  file_getattr: {
    works: (p) => [raw('file_getattr', AT, p.file(), Buffer.alloc(24), 24, 0), 0],
    fails: {
      ENOENT: () => raw('file_getattr', AT, NONE, Buffer.alloc(24), 24, 0),
      EINVAL: (p) => raw('file_getattr', AT, p.file(), Buffer.alloc(8), 8, 0),
    },
  },
  file_setattr: {
    works: (p) => {
      const attributes = Buffer.alloc(24);
      raw('file_getattr', AT, p.file(), attributes, 24, 0);
      return [raw('file_setattr', AT, p.at('file'), attributes, 24, 0), 0];
    },
    fails: { ENOENT: () => raw('file_setattr', AT, NONE, Buffer.alloc(24), 24, 0) },
  },
};
