/** files.test.ts: the calls on files and folders: what they do, compared with node:fs, and the errors that can be provoked. */
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, test } from 'vitest';
import { constants as c, sys } from '../src/index.ts';
import { codeOf, onUserthread, temporaryFolder } from './support.ts';

const folder = temporaryFolder();
const at = (name: string): string => join(folder, name);

describe('open and close', () => {
  test(
    'a descriptor of the file, flags and mode as given',
    onUserthread(() => {
      const before = process.umask(0);
      const fd = sys.open(at('opened'), c.O_CREAT | c.O_EXCL | c.O_RDWR, 0o640);
      process.umask(before);
      expect(fs.readlinkSync(`/proc/self/fd/${fd}`)).toBe(at('opened'));
      expect(fs.statSync(at('opened')).mode & 0o7777).toBe(0o640);
      expect(sys.fcntl(fd, c.F_GETFL) & ~c.O_LARGEFILE).toBe(c.O_RDWR);
      expect(sys.fcntl(fd, c.F_GETFD)).toBe(0);
      sys.close(fd);
      expect(codeOf(() => sys.close(fd))).toBe('EBADF');
    }),
  );

  test(
    'O_CLOEXEC and O_NONBLOCK are there exactly if asked for',
    onUserthread(() => {
      fs.writeFileSync(at('flags'), '');
      for (const flags of [0, c.O_NONBLOCK, c.O_CLOEXEC, c.O_APPEND | c.O_WRONLY]) {
        const fd = sys.open(at('flags'), flags);
        expect(sys.fcntl(fd, c.F_GETFL) & ~c.O_LARGEFILE).toBe(flags & ~c.O_CLOEXEC);
        expect(sys.fcntl(fd, c.F_GETFD)).toBe(flags & c.O_CLOEXEC ? c.FD_CLOEXEC : 0);
        sys.close(fd);
      }
    }),
  );

  test(
    'paths as text, bytes and URL; names that are no UTF-8',
    onUserthread(() => {
      const odd = Buffer.concat([Buffer.from(at('odd-')), Buffer.from([0xff, 0xfe])]);
      sys.close(sys.open(odd, c.O_CREAT));
      expect(fs.existsSync(odd)).toBe(true);
      sys.close(sys.open(new Uint8Array(odd)));
      fs.writeFileSync(at('näme ✓'), '');
      sys.close(sys.open(at('näme ✓')));
      sys.close(sys.open(pathToFileURL(at('näme ✓'))));
    }),
  );

  test(
    'openat begins at a directory',
    onUserthread(() => {
      fs.mkdirSync(at('dir'));
      fs.writeFileSync(at('dir/inside'), 'here');
      const dirfd = sys.open(folder, c.O_DIRECTORY);
      const fd = sys.openat(dirfd, 'dir/inside');
      const buffer = Buffer.alloc(10);
      expect(buffer.toString('utf8', 0, sys.read(fd, buffer))).toBe('here');
      sys.close(fd);
      sys.close(sys.openat(c.AT_FDCWD, at('dir/inside')));
      expect(codeOf(() => sys.openat(fd + 100, 'x'))).toBe('EBADF');
      sys.close(dirfd);
    }),
  );

  test(
    'errors',
    onUserthread(() => {
      fs.writeFileSync(at('plain'), '');
      fs.symlinkSync('loop', at('loop'));
      expect(codeOf(() => sys.open(at('none')))).toBe('ENOENT');
      expect(codeOf(() => sys.open(''))).toBe('ENOENT');
      expect(codeOf(() => sys.open(at('plain/below')))).toBe('ENOTDIR');
      expect(codeOf(() => sys.open(folder, c.O_WRONLY))).toBe('EISDIR');
      expect(codeOf(() => sys.open(at('plain'), c.O_CREAT | c.O_EXCL))).toBe('EEXIST');
      expect(codeOf(() => sys.open(at('loop')))).toBe('ELOOP');
      expect(codeOf(() => sys.open(at('plain'), c.O_DIRECTORY))).toBe('ENOTDIR');
      expect(codeOf(() => sys.open('x'.repeat(4096)))).toBe('ENAMETOOLONG');
      expect(codeOf(() => sys.open('x'.repeat(100_000)))).toBe('ENAMETOOLONG');
      expect(codeOf(() => sys.open(at('x'.repeat(256))))).toBe('ENAMETOOLONG');
      // whose last character would not fit: nothing is cut off
      for (const last of ['é', '€', '😀'])
        for (let n = 4085; n < 4096; n++) {
          const path = '/'.repeat(n) + last;
          const expected = Buffer.byteLength(path) > 4095 ? 'ENAMETOOLONG' : 'ENOENT';
          expect([path.length, codeOf(() => sys.open(path))]).toEqual([path.length, expected]);
        }
    }),
  );
});

describe('reading and writing', () => {
  test(
    'read, write and lseek move one position; 0 at the end',
    onUserthread(() => {
      const fd = sys.open(at('position'), c.O_CREAT | c.O_RDWR);
      expect(sys.write(fd, 'hello ')).toBe(6);
      expect(sys.write(fd, Buffer.from('wörld'))).toBe(6);
      expect(sys.write(fd, new Uint16Array([0x4142]))).toBe(2);
      expect(sys.write(fd, Buffer.from('xyz'), 1)).toBe(1);
      expect(sys.lseek(fd, 6, c.SEEK_SET)).toBe(6);
      const buffer = Buffer.alloc(100);
      expect(sys.read(fd, buffer, 3)).toBe(3);
      expect(sys.read(fd, buffer)).toBe(6);
      expect(buffer.toString('utf8', 0, 6)).toBe('rldBAx');
      expect(sys.read(fd, buffer)).toBe(0);
      expect(sys.lseek(fd, 0, c.SEEK_END)).toBe(15);
      expect(sys.lseek(fd, -1n, c.SEEK_CUR)).toBe(14);
      expect(codeOf(() => sys.lseek(fd, -1))).toBe('EINVAL');
      sys.close(fd);
    }),
  );

  test(
    'pread64 and pwrite64 leave the position alone; offsets beyond 2^32',
    onUserthread(() => {
      const fd = sys.open(at('offsets'), c.O_CREAT | c.O_RDWR);
      sys.write(fd, '0123456789');
      expect(sys.pwrite64(fd, 'ab', 2, 4)).toBe(2);
      const buffer = Buffer.alloc(10);
      expect(sys.pread64(fd, buffer, 4, 3)).toBe(4);
      expect(buffer.toString('utf8', 0, 4)).toBe('3ab6');
      expect(sys.lseek(fd, 0, c.SEEK_CUR)).toBe(10);
      expect(sys.pwrite64(fd, 'far', 3, 5n * 2n ** 32n)).toBe(3);
      expect(sys.pread64(fd, buffer, 10, 5 * 2 ** 32)).toBe(3);
      expect(sys.fstat(fd).size).toBe(5 * 2 ** 32 + 3);
      expect(codeOf(() => sys.pread64(fd, buffer, 1, -1))).toBe('EINVAL');
      expect(codeOf(() => sys.pwrite64(fd, 'x', 1, -1))).toBe('EINVAL');
      sys.ftruncate(fd, 0);
      sys.close(fd);
    }),
  );

  test(
    'readv and writev, empty buffers among them',
    onUserthread(() => {
      const fd = sys.open(at('vector'), c.O_CREAT | c.O_RDWR);
      expect(sys.writev(fd, [Buffer.from('ab'), Buffer.alloc(0), new Uint8Array([99, 100])])).toBe(4);
      sys.lseek(fd, 0);
      const [one, two] = [Buffer.alloc(1), Buffer.alloc(8)];
      expect(sys.readv(fd, [one, Buffer.alloc(0), two])).toBe(4);
      expect([one.toString(), two.toString('utf8', 0, 3)]).toEqual(['a', 'bcd']);
      expect(sys.readv(fd, [])).toBe(0);
      const many = Array.from({ length: 1024 }, () => Buffer.from('x'));
      expect(sys.writev(fd, many)).toBe(1024);
      sys.close(fd);
    }),
  );

  test(
    'files larger than what goes in place, read back whole',
    onUserthread(() => {
      const data = Buffer.allocUnsafe(3_000_001);
      for (let i = 0; i < data.length; i++) data[i] = (i * 7919) >> 3;
      const fd = sys.open(at('large'), c.O_CREAT | c.O_RDWR);
      expect(sys.write(fd, data)).toBe(data.length); // a helper thread's
      expect(sys.writev(fd, [data.subarray(0, 100_000), data.subarray(100_000)])).toBe(data.length);
      sys.fsync(fd);
      const back = Buffer.alloc(data.length + 1);
      expect(sys.pread64(fd, back, back.length, 0)).toBe(back.length);
      expect(back.subarray(0, data.length).equals(data)).toBe(true);
      sys.lseek(fd, data.length);
      const halves = [Buffer.alloc(1_000_000), Buffer.alloc(3_000_000)];
      expect(sys.readv(fd, halves)).toBe(data.length);
      expect(Buffer.concat(halves).subarray(0, data.length).equals(data)).toBe(true);
      sys.close(fd);
    }),
  );

  test(
    'a file that has been dropped from the page cache: the same bytes, in order',
    onUserthread(() => {
      const data = Buffer.from(Array.from({ length: 300_000 }, (_, i) => i & 0xff));
      fs.writeFileSync(at('cold'), data);
      const fd = sys.open(at('cold'));
      for (let round = 0; round < 5; round++) {
        sys.fsync(fd);
        fs.writeFileSync(at('cold'), data, { flag: 'r+' });
        sys.lseek(fd, 0);
        const parts: Buffer[] = [];
        for (;;) {
          const buffer = Buffer.alloc(70_001);
          const n = sys.read(fd, buffer);
          if (n === 0) break;
          parts.push(buffer.subarray(0, n));
        }
        expect(Buffer.concat(parts).equals(data)).toBe(true);
      }
      sys.close(fd);
    }),
  );

  test(
    'errors',
    onUserthread(() => {
      const fd = sys.open(at('plain'), c.O_RDONLY);
      const buffer = Buffer.alloc(10);
      expect(codeOf(() => sys.write(fd, 'x'))).toBe('EBADF');
      const directory = sys.open(folder, c.O_DIRECTORY);
      expect(codeOf(() => sys.read(directory, buffer))).toBe('EISDIR');
      expect(codeOf(() => sys.read(-1, buffer))).toBe('EBADF');
      expect(codeOf(() => sys.read(1_000_000, buffer))).toBe('EBADF');
      expect(codeOf(() => sys.fsync(1_000_000))).toBe('EBADF');
      expect(codeOf(() => sys.ftruncate(fd, 1))).toBe('EINVAL');
      const [r, w] = sys.pipe2();
      expect(codeOf(() => sys.lseek(r, 0))).toBe('ESPIPE');
      expect(codeOf(() => sys.pread64(r, buffer, 1, 0))).toBe('ESPIPE');
      sys.close(r);
      expect(codeOf(() => sys.write(w, 'x'))).toBe('EPIPE');
      sys.close(w);
      expect(codeOf(() => sys.write(sys.open('/dev/full', c.O_WRONLY), 'x'))).toBe('ENOSPC');
      sys.close(fd);
      sys.close(directory);
    }),
  );

  test(
    '/proc and /dev read as they are',
    onUserthread(() => {
      const buffer = Buffer.alloc(8192);
      const status = sys.open('/proc/self/stat');
      expect(buffer.toString('utf8', 0, sys.read(status, buffer))).toContain(`${process.pid} (`);
      sys.close(status);
      const zero = sys.open('/dev/zero');
      expect(sys.read(zero, buffer.fill(1))).toBe(8192);
      expect(buffer.every((byte) => byte === 0)).toBe(true);
      sys.close(zero);
      const nothing = sys.open('/dev/null', c.O_RDWR);
      expect([sys.read(nothing, buffer), sys.write(nothing, 'gone')]).toEqual([0, 4]);
      sys.close(nothing);
    }),
  );

  test(
    '/dev/zero gives all that is asked for, whoever else wants the processor',
    onUserthread(() => {
      const busy = Array.from({ length: availableParallelism() }, () =>
        spawn('sh', ['-c', 'while :; do :; done']),
      );
      const zero = sys.open('/dev/zero');
      const buffer = Buffer.alloc(8 << 20);
      try {
        for (let i = 0; i < 50; i++) {
          buffer.fill(1);
          expect(i % 2 ? sys.read(zero, buffer) : sys.pread64(zero, buffer, buffer.length, 3)).toBe(
            buffer.length,
          );
          expect(buffer.lastIndexOf(1)).toBe(-1);
        }
      } finally {
        sys.close(zero);
        for (const child of busy) child.kill('SIGKILL');
      }
    }),
  );
});

describe('names and attributes', () => {
  test(
    'fstat and statx agree with node:fs',
    onUserthread(() => {
      fs.writeFileSync(at('stat'), 'four', { mode: 0o600 });
      const fd = sys.open(at('stat'));
      const ours = sys.fstat(fd);
      const theirs = fs.fstatSync(fd, { bigint: true });
      for (const key of ['dev', 'mode', 'nlink', 'uid', 'gid', 'rdev', 'blksize', 'size', 'blocks'] as const)
        expect([key, BigInt(ours[key])]).toEqual([key, theirs[key]]);
      for (const key of ['ino', 'atimeNs', 'mtimeNs', 'ctimeNs'] as const)
        expect(ours[key]).toBe(theirs[key]);
      const more = sys.statx(c.AT_FDCWD, at('stat'), 0, c.STATX_ALL);
      for (const key of [
        'mode',
        'nlink',
        'uid',
        'gid',
        'size',
        'blksize',
        'blocks',
        'ino',
        'mtimeNs',
      ] as const)
        expect([key, more[key]]).toEqual([key, ours[key]]);
      expect(more.btimeNs).toBe(theirs.birthtimeNs);
      expect(more.devMajor * 256 + more.devMinor).toBe(ours.dev);
      expect([ours.isFile(), ours.isDirectory(), more.isFile(), more.isSymbolicLink()]).toEqual([
        true,
        false,
        true,
        false,
      ]);
      expect(sys.statx(fd, '', c.AT_EMPTY_PATH).ino).toBe(ours.ino);
      sys.close(fd);
    }),
  );

  test(
    'types of everything',
    onUserthread(() => {
      fs.symlinkSync('stat', at('link'));
      const typed = (path: string, flags = 0): string => {
        const s = sys.statx(c.AT_FDCWD, path, flags | c.AT_SYMLINK_NOFOLLOW);
        const types = {
          link: s.isSymbolicLink(),
          dir: s.isDirectory(),
          fifo: s.isFIFO(),
          char: s.isCharacterDevice(),
          block: s.isBlockDevice(),
          socket: s.isSocket(),
          file: s.isFile(),
        };
        return Object.entries(types)
          .filter(([, is]) => is)
          .map(([name]) => name)
          .join();
      };
      expect([typed(at('link')), typed(folder), typed('/dev/null'), typed(at('stat'))]).toEqual([
        'link',
        'dir',
        'char',
        'file',
      ]);
      expect(codeOf(() => sys.statx(c.AT_FDCWD, at('none')))).toBe('ENOENT');
    }),
  );

  test(
    'getdents64 lists what is there, a piece at a time',
    onUserthread(() => {
      sys.mkdir(at('many'));
      const names = Array.from({ length: 300 }, (_, i) => `file-${i}`);
      for (const name of names) fs.writeFileSync(at(`many/${name}`), '');
      const fd = sys.open(at('many'), c.O_DIRECTORY);
      const seen: string[] = [];
      let pieces = 0;
      for (;;) {
        const entries = sys.getdents64(fd, Buffer.alloc(1000));
        if (entries.length === 0) break;
        pieces++;
        for (const { name, type, ino } of entries) {
          seen.push(name as string);
          expect(type).toBe(name === '.' || name === '..' ? c.DT_DIR : c.DT_REG);
          expect(ino > 0n).toBe(true);
        }
      }
      expect(pieces).toBeGreaterThan(5);
      expect(seen.sort()).toEqual(['.', '..', ...names].sort());
      sys.lseek(fd, 0);
      expect(Buffer.isBuffer(sys.getdents64(fd, undefined, 'buffer')[0]?.name)).toBe(true);
      sys.lseek(fd, 0);
      expect(codeOf(() => sys.getdents64(fd, Buffer.alloc(10)))).toBe('EINVAL');
      sys.close(fd);
      const file = sys.open(at('stat'));
      expect(codeOf(() => sys.getdents64(file))).toBe('ENOTDIR');
      sys.close(file);
    }),
  );

  test(
    'mkdir, rmdir, rename, symlink, readlink, unlink, ftruncate',
    onUserthread(() => {
      const before = process.umask(0);
      sys.mkdir(at('made'), 0o751);
      process.umask(before);
      expect(fs.statSync(at('made')).mode & 0o7777).toBe(0o751);
      expect(codeOf(() => sys.mkdir(at('made')))).toBe('EEXIST');
      sys.symlink('target ✓', at('made/s'));
      expect(sys.readlink(at('made/s'))).toBe('target ✓');
      expect(sys.readlink(at('made/s'), 'buffer')).toEqual(Buffer.from('target ✓'));
      expect(codeOf(() => sys.readlink(at('made')))).toBe('EINVAL');
      expect(codeOf(() => sys.symlink('x', at('made/s')))).toBe('EEXIST');
      sys.rename(at('made/s'), at('made/t'));
      expect(fs.readdirSync(at('made'))).toEqual(['t']);
      expect(codeOf(() => sys.rename(at('none'), at('other')))).toBe('ENOENT');
      expect(codeOf(() => sys.rmdir(at('made')))).toBe('ENOTEMPTY');
      sys.unlink(at('made/t'));
      expect(codeOf(() => sys.unlink(at('made')))).toBe('EISDIR');
      sys.rmdir(at('made'));
      expect(fs.existsSync(at('made'))).toBe(false);
      const fd = sys.open(at('cut'), c.O_CREAT | c.O_RDWR);
      sys.write(fd, '0123456789');
      sys.ftruncate(fd, 4);
      expect(fs.readFileSync(at('cut'), 'utf8')).toBe('0123');
      expect(codeOf(() => sys.ftruncate(fd, -1))).toBe('EINVAL');
      sys.close(fd);
    }),
  );

  test(
    'dup, dup3, fcntl',
    onUserthread(() => {
      const fd = sys.open(at('stat'));
      const second = sys.dup(fd);
      expect(fs.fstatSync(second).ino).toBe(fs.fstatSync(fd).ino);
      expect(sys.dup3(fd, second + 50, c.O_CLOEXEC)).toBe(second + 50);
      expect(sys.fcntl(second + 50, c.F_GETFD)).toBe(c.FD_CLOEXEC);
      expect(codeOf(() => sys.dup3(fd, fd))).toBe('EINVAL');
      expect(codeOf(() => sys.dup(1_000_000))).toBe('EBADF');
      expect(sys.fcntl(fd, c.F_DUPFD_CLOEXEC, 200)).toBeGreaterThanOrEqual(200);
      sys.fcntl(fd, c.F_SETFL, c.O_NONBLOCK);
      expect(sys.fcntl(second, c.F_GETFL) & c.O_NONBLOCK).toBe(c.O_NONBLOCK);
      expect(codeOf(() => sys.fcntl(fd, 4711))).toBe('EINVAL');
      const lock = Buffer.alloc(32);
      lock.writeInt16LE(c.F_WRLCK, 0);
      const other = sys.open(at('stat'), c.O_RDWR);
      sys.fcntl(other, c.F_OFD_SETLK, lock);
      const question = Buffer.from(lock);
      sys.fcntl(fd, c.F_OFD_GETLK, question);
      expect(question.readInt16LE(0)).toBe(c.F_WRLCK);
      for (const open of [fd, second, second + 50, other]) sys.close(open);
    }),
  );

  test(
    'getpid, getrandom',
    onUserthread(() => {
      expect(sys.getpid()).toBe(process.pid);
      const buffer = Buffer.alloc(64);
      expect(sys.getrandom(buffer, 32)).toBe(32);
      expect(buffer.subarray(0, 32).some((byte) => byte !== 0)).toBe(true);
      expect(buffer.subarray(32).every((byte) => byte === 0)).toBe(true);
      expect(codeOf(() => sys.getrandom(buffer, 1, 0x1000))).toBe('EINVAL');
    }),
  );
});

test(
  'the status flags of what open gives are those that were asked for',
  onUserthread(() => {
    const file = at('flags');
    const O_ASYNC = 0o20000;
    const settable = c.O_APPEND | c.O_NONBLOCK | c.O_DIRECT | c.O_NOATIME | O_ASYNC;
    sys.close(sys.open(file, c.O_CREAT | c.O_RDWR));
    for (const flags of [0, c.O_APPEND, c.O_NOATIME, c.O_APPEND | c.O_NOATIME, c.O_NONBLOCK, O_ASYNC]) {
      const ours = sys.open(file, c.O_RDWR | flags);
      const theirs = fs.openSync(file, c.O_RDWR | flags);
      const [one, two] = [ours, theirs].map((fd) => sys.fcntl(fd, c.F_GETFL) & settable);
      expect([flags, one]).toEqual([flags, two]);
      sys.close(ours);
      fs.closeSync(theirs);
    }
  }),
);

test(
  'an encoding of names that is none',
  onUserthread(() => {
    const loose = sys as unknown as { readlink(path: string, encoding: string): string };
    expect(codeOf(() => loose.readlink('/proc/self/exe', 'hex'))).toBe('ERR_INVALID_ARG_VALUE');
    const fd = sys.open('/proc/self', c.O_DIRECTORY);
    expect(codeOf(() => sys.getdents64(fd, Buffer.alloc(4096), 'hex' as 'utf8'))).toBe(
      'ERR_INVALID_ARG_VALUE',
    );
    sys.close(fd);
  }),
);
