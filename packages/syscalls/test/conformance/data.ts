/** data.ts: conformance of reading, writing, and what belongs to a file's data. */
import fs from 'node:fs';
import { constants as c, sys } from '../../src/index.ts';
import { AT, BAD, type Cases, NONE } from './case.ts';

const buffer = (length = 20): Buffer => Buffer.alloc(length);
const text = (bytes: Buffer, length: number): string => bytes.toString('utf8', 0, length);
const readFile = (path: string): string => fs.readFileSync(path, 'utf8');
const pair = (): [Buffer, Buffer] => [buffer(3), buffer(20)];
const joined = (list: Buffer[], length: number): string => text(Buffer.concat(list), length);
const detached = (): Uint8Array => {
  const view = new Uint8Array(8);
  structuredClone(view.buffer, { transfer: [view.buffer] });
  return view;
};

export const data: Cases = {
  read: {
    works: (p) => {
      const b = buffer();
      return [text(b, sys.read(p.open(), b)), 'hello world'];
    },
    fails: {
      EBADF: () => sys.read(BAD, buffer()),
      EISDIR: (p) => sys.read(p.directory(), buffer()),
      EINVAL: (p) => sys.read(p.keep(sys.timerfd_create(c.CLOCK_MONOTONIC)), buffer(4)),
      ERR_OUT_OF_RANGE: (p) => sys.read(p.open(), buffer(), 2 ** 40),
      ERR_INVALID_ARG_TYPE: (p) => sys.read(p.open(), 'text' as unknown as Buffer),
    },
  },
  write: {
    works: (p) => {
      const n = sys.write(p.open(), 'HELLO');
      return [
        [n, readFile(p.at('file'))],
        [5, 'HELLO world'],
      ];
    },
    fails: {
      EBADF: (p) => sys.write(p.open('file', '', c.O_RDONLY), 'x'),
      ENOSPC: (p) => sys.write(p.keep(fs.openSync('/dev/full', 'w')), 'x'),
      EPIPE: (p) => {
        const [r, w] = p.pipe();
        fs.closeSync(r);
        return sys.write(w, 'x');
      },
      ERR_OUT_OF_RANGE: (p) => sys.write(p.open(), 'x', 2),
      ERR_INVALID_ARG_TYPE: (p) => sys.write(p.open(), {} as unknown as Buffer),
    },
  },
  pread64: {
    works: (p) => {
      const b = buffer();
      return [text(b, sys.pread64(p.open(), b, 20, 6)), 'world'];
    },
    fails: {
      ESPIPE: (p) => sys.pread64(p.pipe()[0], buffer(), 1, 0),
      EINVAL: (p) => sys.pread64(p.open(), buffer(), 1, -1),
      EBADF: () => sys.pread64(BAD, buffer(), 1, 0),
    },
  },
  pwrite64: {
    works: (p) => {
      sys.pwrite64(p.open(), 'W', 1, 6);
      return [readFile(p.at('file')), 'hello World'];
    },
    fails: {
      ESPIPE: (p) => sys.pwrite64(p.pipe()[1], 'x', 1, 0),
      EINVAL: (p) => sys.pwrite64(p.open(), 'x', 1, -1),
    },
  },
  readv: {
    works: (p) => {
      const list = pair();
      return [joined(list, sys.readv(p.open(), list)), 'hello world'];
    },
    fails: {
      EBADF: () => sys.readv(BAD, pair()),
      ERR_INVALID_ARG_TYPE: (p) => sys.readv(p.open(), [1] as unknown as Buffer[]),
      EINVAL: (p) => sys.readv(p.open(), Array<Buffer>(1025).fill(buffer(1))),
    },
  },
  writev: {
    works: (p) => {
      sys.writev(p.open(), [Buffer.from('HE'), Buffer.from('LLO')]);
      return [readFile(p.at('file')), 'HELLO world'];
    },
    fails: { EBADF: () => sys.writev(BAD, pair()) },
  },
  preadv: {
    works: (p) => {
      const list = pair();
      return [joined(list, sys.preadv(p.open(), list, 6)), 'world'];
    },
    fails: {
      ESPIPE: (p) => sys.preadv(p.pipe()[0], pair(), 0),
      EINVAL: (p) => sys.preadv(p.open(), pair(), -2),
    },
  },
  pwritev: {
    works: (p) => {
      sys.pwritev(p.open(), [Buffer.from('W'), Buffer.from('O')], 6);
      return [readFile(p.at('file')), 'hello WOrld'];
    },
    fails: { ESPIPE: (p) => sys.pwritev(p.pipe()[1], pair(), 0), EBADF: () => sys.pwritev(BAD, pair(), 0) },
  },
  preadv2: {
    works: (p) => {
      const fd = p.open();
      const [first, second] = [pair(), pair()];
      return [
        [joined(first, sys.preadv2(fd, first, 6)), joined(second, sys.preadv2(fd, second, -1))],
        ['world', 'hello world'],
      ];
    },
    fails: {
      EOPNOTSUPP: (p) => sys.preadv2(p.open(), pair(), 0, 0x4000),
      EBADF: () => sys.preadv2(BAD, pair(), 0),
    },
  },
  pwritev2: {
    works: (p) => {
      sys.pwritev2(p.open(), [Buffer.from('!')], 0, c.RWF_APPEND);
      return [readFile(p.at('file')), 'hello world!'];
    },
    fails: {
      EOPNOTSUPP: (p) => sys.pwritev2(p.open(), pair(), 0, 0x4000),
      EBADF: () => sys.pwritev2(BAD, pair(), 0),
    },
  },
  fsync: {
    works: (p) => [sys.fsync(p.open()), undefined],
    fails: { EBADF: () => sys.fsync(BAD), EINVAL: (p) => sys.fsync(p.pipe()[0]) },
  },
  fdatasync: {
    works: (p) => [sys.fdatasync(p.open()), undefined],
    fails: { EBADF: () => sys.fdatasync(BAD), EINVAL: (p) => sys.fdatasync(p.pipe()[0]) },
  },
  sync: {
    works: () => [sys.sync(), undefined],
  },
  syncfs: {
    works: (p) => [sys.syncfs(p.keep(fs.openSync('/proc/self/status', 'r'))), undefined],
    fails: { EBADF: () => sys.syncfs(BAD) },
  },
  sync_file_range: {
    works: (p) => [sys.sync_file_range(p.open(), 0, 0, c.SYNC_FILE_RANGE_WRITE), undefined],
    fails: {
      EBADF: () => sys.sync_file_range(BAD, 0, 0, 0),
      EINVAL: (p) => sys.sync_file_range(p.open(), -1, 0, 0),
      ESPIPE: (p) => sys.sync_file_range(p.pipe()[0], 0, 0, 0),
    },
  },
  truncate: {
    works: (p) => {
      sys.truncate(p.file(), 5);
      return [readFile(p.at('file')), 'hello'];
    },
    fails: {
      ENOENT: () => sys.truncate(NONE, 0),
      EINVAL: (p) => sys.truncate(p.file(), -1),
      EISDIR: (p) => sys.truncate(p.folder, 0),
    },
  },
  ftruncate: {
    works: (p) => {
      sys.ftruncate(p.open(), 5);
      return [readFile(p.at('file')), 'hello'];
    },
    fails: { EBADF: () => sys.ftruncate(BAD, 0), EINVAL: (p) => sys.ftruncate(p.open(), -1) },
  },
  fallocate: {
    works: (p) => {
      sys.fallocate(p.open(), 0, 0, 100);
      return [fs.statSync(p.at('file')).size, 100];
    },
    fails: {
      EBADF: () => sys.fallocate(BAD, 0, 0, 1),
      EINVAL: (p) => sys.fallocate(p.open(), 0, 0, 0),
      ESPIPE: (p) => sys.fallocate(p.pipe()[1], 0, 0, 1),
      EOPNOTSUPP: (p) => sys.fallocate(p.open(), 0x4000, 0, 1),
    },
  },
  fadvise64: {
    works: (p) => [sys.fadvise64(p.open(), 0, 0, c.POSIX_FADV_RANDOM), undefined],
    fails: {
      EBADF: () => sys.fadvise64(BAD, 0, 0, 0),
      EINVAL: (p) => sys.fadvise64(p.open(), 0, 0, 99),
      ESPIPE: (p) => sys.fadvise64(p.pipe()[0], 0, 0, 0),
    },
  },
  readahead: {
    works: (p) => [sys.readahead(p.open(), 0, 100), undefined],
    fails: { EBADF: () => sys.readahead(BAD, 0, 1), EINVAL: (p) => sys.readahead(p.pipe()[0], 0, 1) },
  },
  cachestat: {
    works: (p) => [sys.cachestat(p.open(), { offset: 0, length: 0 }).cached, 1],
    fails: {
      EBADF: () => sys.cachestat(BAD, { offset: 0, length: 0 }),
      ERR_OUT_OF_RANGE: (p) => sys.cachestat(p.open(), { offset: -1, length: 0 }),
    },
  },
  copy_file_range: {
    works: (p) => {
      const n = sys.copy_file_range(p.open('a'), 6, p.open('b', ''), undefined, 100);
      return [
        [n, readFile(p.at('b'))],
        [5, 'world'],
      ];
    },
    fails: {
      EBADF: (p) => sys.copy_file_range(BAD, 0, p.open(), 0, 1),
      EINVAL: (p) => sys.copy_file_range(p.pipe()[0], undefined, p.open(), 0, 1),
      EISDIR: (p) => sys.copy_file_range(p.directory(), 0, p.open(), 0, 1),
    },
  },
  sendfile: {
    works: (p) => {
      const n = sys.sendfile(p.open('b', ''), p.open('a'), 6, 100);
      return [
        [n, readFile(p.at('b'))],
        [5, 'world'],
      ];
    },
    fails: {
      EBADF: (p) => sys.sendfile(BAD, p.open(), 0, 1),
      EINVAL: (p) => sys.sendfile(p.open('b'), p.open('a'), -1, 1),
      ESPIPE: (p) => sys.sendfile(p.open(), p.pipe()[0], 0, 1),
    },
  },
  splice: {
    works: (p) => {
      const [r, w] = p.pipe();
      sys.write(w, 'hello');
      const n = sys.splice(r, undefined, p.open('b', ''), 0, 100);
      return [
        [n, readFile(p.at('b'))],
        [5, 'hello'],
      ];
    },
    fails: {
      EBADF: (p) => sys.splice(BAD, undefined, p.open(), 0, 1),
      EINVAL: (p) => sys.splice(p.open('a'), 0, p.open('b'), 0, 1),
      ESPIPE: (p) => sys.splice(p.pipe()[0], 0, p.open(), 0, 1),
    },
  },
  tee: {
    works: (p) => {
      const [[r, w], [r2, w2]] = [p.pipe(), p.pipe()];
      sys.write(w, 'hello');
      const b = buffer();
      return [
        [sys.tee(r, w2, 100), text(b, sys.read(r2, b)), text(b, sys.read(r, b))],
        [5, 'hello', 'hello'],
      ];
    },
    fails: { EINVAL: (p) => sys.tee(p.open(), p.pipe()[1], 1) },
  },
  getrandom: {
    works: () => {
      const [a, b] = [buffer(32), buffer(32)];
      return [
        [sys.getrandom(a), sys.getrandom(b), a.equals(b)],
        [32, 32, false],
      ];
    },
    fails: {
      EINVAL: () => sys.getrandom(buffer(), 4, 0x100),
      ERR_OUT_OF_RANGE: () => sys.getrandom(detached(), 8),
    },
  },
  readlinkat: {
    works: (p) => {
      fs.symlinkSync('target', p.at('link'));
      return [sys.readlinkat(AT, p.at('link')), 'target'];
    },
    fails: {
      EINVAL: (p) => sys.readlinkat(AT, p.file()),
      ENOENT: () => sys.readlinkat(AT, NONE),
      EBADF: () => sys.readlinkat(BAD, 'x'),
    },
  },
};
