/** directories.ts: conformance of directories, and of the process' place among them. */
import fs from 'node:fs';
import { sys } from '../../src/index.ts';
import { AT, BAD, type Cases, NONE, raw } from './case.ts';

/** Runs fn, and goes back to where the process was. */
function elsewhere<T>(fn: () => T): T {
  const before = process.cwd();
  try {
    return fn();
  } finally {
    process.chdir(before);
  }
}

export const directories: Cases = {
  mkdir: {
    works: (p) => {
      sys.mkdir(p.at('d'), 0o700);
      return [fs.statSync(p.at('d')).mode, 0o40700];
    },
    fails: {
      EEXIST: (p) => sys.mkdir(p.folder),
      ENOENT: () => sys.mkdir(`${NONE}/x`),
      ENOTDIR: (p) => sys.mkdir(`${p.file()}/x`),
    },
  },
  mkdirat: {
    works: (p) => {
      sys.mkdirat(p.directory(), 'd', 0o700);
      return [fs.statSync(p.at('d')).mode, 0o40700];
    },
    fails: { EBADF: () => sys.mkdirat(BAD, 'x'), EEXIST: (p) => sys.mkdirat(AT, p.folder) },
  },
  rmdir: {
    works: (p) => {
      fs.mkdirSync(p.at('d'));
      sys.rmdir(p.at('d'));
      return [fs.existsSync(p.at('d')), false];
    },
    fails: {
      ENOENT: () => sys.rmdir(NONE),
      ENOTDIR: (p) => sys.rmdir(p.file()),
      ENOTEMPTY: (p) => {
        p.file();
        return sys.rmdir(p.folder);
      },
      EINVAL: (p) => sys.rmdir(`${p.folder}/.`),
    },
  },
  getdents64: {
    works: (p) => {
      p.file('a');
      p.file('b');
      return [
        sys
          .getdents64(p.directory())
          .map(({ name }) => name)
          .sort(),
        ['.', '..', ...fs.readdirSync(p.folder)].sort(),
      ];
    },
    fails: {
      EBADF: () => sys.getdents64(BAD),
      ENOTDIR: (p) => sys.getdents64(p.open()),
      EINVAL: (p) => sys.getdents64(p.directory(), Buffer.alloc(1)),
    },
  },
  getdents: {
    works: (p) => {
      const b = Buffer.alloc(1000);
      return [raw('getdents', p.directory(), b, 1000) > 0 && b.includes('..'), true];
    },
    fails: {
      EBADF: () => raw('getdents', BAD, Buffer.alloc(10), 10),
      ENOTDIR: (p) => raw('getdents', p.open(), Buffer.alloc(100), 100),
    },
  },
  getcwd: {
    works: () => [
      [sys.getcwd(), sys.getcwd('buffer').toString()],
      [process.cwd(), process.cwd()],
    ],
    fails: { ERANGE: () => raw('getcwd', Buffer.alloc(1), 1) },
  },
  chdir: {
    works: (p) => [
      elsewhere(() => {
        sys.chdir(p.folder);
        return fs.readlinkSync('/proc/self/cwd'); // process.cwd() remembers
      }),
      fs.realpathSync(p.folder),
    ],
    fails: { ENOENT: () => sys.chdir(NONE), ENOTDIR: (p) => sys.chdir(p.file()) },
  },
  fchdir: {
    works: (p) => [
      elsewhere(() => {
        sys.fchdir(p.directory());
        return sys.getcwd();
      }),
      fs.realpathSync(p.folder),
    ],
    fails: { EBADF: () => sys.fchdir(BAD), ENOTDIR: (p) => sys.fchdir(p.open()) },
  },
  chroot: {
    why: 'would change the root of the tests',
    fails: { ENOENT: () => sys.chroot(NONE), ENOTDIR: (p) => sys.chroot(p.file()) },
  },
  umask: {
    works: () => {
      const before = sys.umask(0o77);
      return [
        [sys.umask(before), process.umask()],
        [0o77, before],
      ];
    },
    fails: { ERR_INVALID_ARG_TYPE: () => sys.umask('x' as unknown as number) },
  },
};
