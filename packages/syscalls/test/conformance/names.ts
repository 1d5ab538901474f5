/** names.ts: conformance of names of files: links, renaming, removing. */
import fs from 'node:fs';
import { constants as c, sys } from '../../src/index.ts';
import { AT, BAD, type Cases, NONE, type Place } from './case.ts';

const list = (p: Place): string[] => fs.readdirSync(p.folder).sort();
const after = (p: Place, fn: (name: (name: string) => string) => void): string[] => {
  p.file('a');
  fn((name) => p.at(name));
  return list(p);
};

export const names: Cases = {
  link: {
    works: (p) => [after(p, (at) => sys.link(at('a'), at('b'))), ['a', 'b']],
    fails: {
      ENOENT: (p) => sys.link(NONE, p.at('b')),
      EEXIST: (p) => sys.link(p.file('a'), p.file('b')),
      EPERM: (p) => sys.link(p.folder, p.at('b')),
      EXDEV: (p) => sys.link('/proc/self/status', p.at('b')),
    },
  },
  linkat: {
    works: (p) => [after(p, () => sys.linkat(p.directory(), 'a', p.directory(), 'b')), ['a', 'b']],
    fails: {
      EBADF: (p) => sys.linkat(BAD, 'a', AT, p.at('b')),
      EINVAL: (p) => sys.linkat(AT, p.file(), AT, p.at('b'), 1),
    },
  },
  symlink: {
    works: (p) => {
      sys.symlink('target', p.at('l'));
      return [fs.readlinkSync(p.at('l')), 'target'];
    },
    fails: { EEXIST: (p) => sys.symlink('x', p.file()), ENOENT: (p) => sys.symlink('', p.at('l')) },
  },
  symlinkat: {
    works: (p) => {
      sys.symlinkat('target', p.directory(), 'l');
      return [fs.readlinkSync(p.at('l')), 'target'];
    },
    fails: { EBADF: () => sys.symlinkat('x', BAD, 'l'), EEXIST: (p) => sys.symlinkat('x', AT, p.file()) },
  },
  readlink: {
    works: (p) => {
      fs.symlinkSync('é', p.at('l'));
      return [
        [sys.readlink(p.at('l')), sys.readlink(p.at('l'), 'buffer')],
        ['é', Buffer.from('é')],
      ];
    },
    fails: { EINVAL: (p) => sys.readlink(p.file()), ENOENT: () => sys.readlink(NONE) },
  },
  unlink: {
    works: (p) => [after(p, (at) => sys.unlink(at('a'))), []],
    fails: {
      ENOENT: () => sys.unlink(NONE),
      EISDIR: (p) => sys.unlink(p.folder),
      ENOTDIR: (p) => sys.unlink(`${p.file()}/x`),
    },
  },
  unlinkat: {
    works: (p) => {
      fs.mkdirSync(p.at('d'));
      return [
        after(p, () => {
          sys.unlinkat(p.directory(), 'a');
          sys.unlinkat(p.directory(), 'd', c.AT_REMOVEDIR);
        }),
        [],
      ];
    },
    fails: {
      EBADF: () => sys.unlinkat(BAD, 'x'),
      EINVAL: (p) => sys.unlinkat(AT, p.file(), 1),
      EISDIR: (p) => sys.unlinkat(AT, p.folder),
    },
  },
  rename: {
    works: (p) => [after(p, (at) => sys.rename(at('a'), at('b'))), ['b']],
    fails: {
      ENOENT: (p) => sys.rename(NONE, p.at('b')),
      EISDIR: (p) => {
        fs.mkdirSync(p.at('d'));
        return sys.rename(p.file(), p.at('d'));
      },
      EINVAL: (p) => sys.rename(p.folder, p.at('inside')),
      EXDEV: (p) => sys.rename(p.file(), '/dev/shm/libcr-never'),
    },
  },
  renameat: {
    works: (p) => [after(p, () => sys.renameat(p.directory(), 'a', p.directory(), 'b')), ['b']],
    fails: {
      EBADF: (p) => sys.renameat(BAD, 'a', AT, p.at('b')),
      ENOENT: (p) => sys.renameat(AT, NONE, AT, p.at('b')),
    },
  },
  renameat2: {
    works: (p) => {
      p.file('b', 'other');
      after(p, (at) => sys.renameat2(AT, at('a'), AT, at('b'), c.RENAME_EXCHANGE));
      return [fs.readFileSync(p.at('a'), 'utf8'), 'other'];
    },
    fails: {
      EEXIST: (p) => sys.renameat2(AT, p.file('a'), AT, p.file('b'), c.RENAME_NOREPLACE),
      EINVAL: (p) => sys.renameat2(AT, p.file('a'), AT, p.file('b'), 0x80),
    },
  },
  mknod: {
    works: (p) => {
      sys.mknod(p.at('f'), c.S_IFIFO | 0o600);
      return [fs.statSync(p.at('f')).isFIFO(), true];
    },
    fails: {
      EEXIST: (p) => sys.mknod(p.file(), c.S_IFIFO),
      EINVAL: (p) => sys.mknod(p.at('f'), 0o170000),
      EPERM: (p) => sys.mknod(p.at('f'), c.S_IFDIR),
    },
  },
  mknodat: {
    works: (p) => {
      sys.mknodat(p.directory(), 'f', c.S_IFSOCK | 0o600);
      return [fs.statSync(p.at('f')).isSocket(), true];
    },
    fails: {
      EBADF: () => sys.mknodat(BAD, 'x', c.S_IFIFO),
      EEXIST: (p) => sys.mknodat(AT, p.file(), c.S_IFIFO),
    },
  },
};
