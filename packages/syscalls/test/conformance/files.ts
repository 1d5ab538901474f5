/** files.ts: conformance of opening, closing and positions. */
import fs from 'node:fs';
import { constants as c, sys } from '../../src/index.ts';
import { AT, BAD, type Cases, NONE } from './case.ts';

const text = (fd: number): string => fs.readFileSync(`/proc/self/fd/${fd}`, 'utf8');
const LONG = `/${'x'.repeat(300)}`;

export const files: Cases = {
  open: {
    works: (p) => [text(p.keep(sys.open(p.file()))), 'hello world'],
    fails: {
      ENOENT: () => sys.open(NONE),
      ENOTDIR: (p) => sys.open(`${p.file()}/x`),
      EEXIST: (p) => sys.open(p.file(), c.O_CREAT | c.O_EXCL),
      EISDIR: (p) => sys.open(p.folder, c.O_WRONLY),
      ENAMETOOLONG: () => sys.open(LONG),
      ELOOP: (p) => {
        fs.symlinkSync('loop', p.at('loop'));
        return sys.open(p.at('loop'));
      },
      ERR_INVALID_ARG_TYPE: () => sys.open(1 as unknown as string),
      ERR_INVALID_ARG_VALUE: () => sys.open('a\0b'),
    },
  },
  openat: {
    works: (p) => {
      p.file();
      return [text(p.keep(sys.openat(p.directory(), 'file'))), 'hello world'];
    },
    fails: {
      EBADF: () => sys.openat(BAD, 'x'),
      ENOENT: (p) => sys.openat(p.directory(), 'none'),
      ENOTDIR: (p) => sys.openat(p.open(), 'x'),
    },
  },
  openat2: {
    works: (p) => {
      p.file();
      const how = { flags: c.O_RDONLY, resolve: c.RESOLVE_BENEATH };
      return [text(p.keep(sys.openat2(p.directory(), 'file', how))), 'hello world'];
    },
    fails: {
      EXDEV: (p) => sys.openat2(p.directory(), '/etc/passwd', { resolve: c.RESOLVE_BENEATH }),
      EINVAL: (p) => sys.openat2(p.directory(), '.', { flags: 2 ** 40 }),
      ENOENT: (p) => sys.openat2(p.directory(), 'none', {}),
      EBADF: () => sys.openat2(BAD, 'x', {}),
      ERR_INVALID_ARG_TYPE: () => sys.openat2(AT, 'x', 1 as unknown as object),
      ERR_OUT_OF_RANGE: () => sys.openat2(AT, 'x', { flags: -1 }),
    },
  },
  creat: {
    works: (p) => {
      sys.write(p.keep(sys.creat(p.file())), 'new');
      return [fs.readFileSync(p.at('file'), 'utf8'), 'new'];
    },
    fails: { ENOENT: () => sys.creat(`${NONE}/x`), EISDIR: (p) => sys.creat(p.folder) },
  },
  close: {
    works: (p) => {
      const fd = p.open();
      sys.close(fd);
      return [fs.existsSync(`/proc/self/fd/${fd}`), false];
    },
    fails: { EBADF: () => sys.close(BAD), ERR_OUT_OF_RANGE: () => sys.close(0.5) },
  },
  lseek: {
    works: (p) => [sys.lseek(p.open(), -5, c.SEEK_END), 6],
    fails: {
      EBADF: () => sys.lseek(BAD, 0),
      EINVAL: (p) => sys.lseek(p.open(), -1),
      ENXIO: (p) => sys.lseek(p.open(), 100, c.SEEK_DATA),
      ESPIPE: (p) => sys.lseek(p.pipe()[0], 0),
    },
  },
  name_to_handle_at: {
    works: (p) => {
      const { handle, type } = sys.name_to_handle_at(AT, p.file());
      return [
        [handle.length > 0, type],
        [true, sys.name_to_handle_at(AT, p.at('file')).type],
      ];
    },
    fails: { ENOENT: () => sys.name_to_handle_at(AT, NONE), EBADF: () => sys.name_to_handle_at(BAD, 'x') },
  },
  open_by_handle_at: {
    works: (p) => {
      const handle = sys.name_to_handle_at(AT, p.file());
      return [text(p.keep(sys.open_by_handle_at(p.directory(), handle))), 'hello world'];
    },
    fails: {
      EBADF: () => sys.open_by_handle_at(BAD, { type: 1, handle: new Uint8Array(8) }),
      EINVAL: (p) => sys.open_by_handle_at(p.directory(), { type: 1, handle: new Uint8Array(0) }),
      ESTALE: (p) => sys.open_by_handle_at(p.directory(), { type: 1, handle: new Uint8Array(8).fill(0xee) }),
    },
  },
  memfd_create: {
    works: (p) => [fs.readlinkSync(`/proc/self/fd/${p.keep(sys.memfd_create('it'))}`), '/memfd:it (deleted)'],
    fails: {
      EINVAL: () => sys.memfd_create('x', 0x40000000),
      ERR_INVALID_ARG_TYPE: () => sys.memfd_create(1 as unknown as string),
    },
  },
};
