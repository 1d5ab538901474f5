/**
 * calls.test.ts: the memfs shim's answers that tmpfs.test.ts has no operation for: the working directory, statfs, openat2, copies
 * into the tree and out, what is refused. A call that the table has not is not tested, and its test says so.
 */
import fs from 'node:fs';
import { create, curthread } from '@libcr/core';
import { expect, test } from 'vitest';
import { constants as c, sys } from '../../src/index.ts';
import { rowNamed } from '../../src/port/calls.ts';
import { type Memfs, memfs, symlink } from '../../src/shims/memfs/index.ts';
import { codeOf, onUserthread, temporaryFolder } from '../support.ts';

const folder = temporaryFolder();
fs.writeFileSync(`${folder}/real`, 'the real one');

const under = <R>(tree: Memfs, fn: () => R): R => create(fn, { syscallPort: sys.with(tree) }).join() as R;

/** Calls by name: which there are depends on the table. */
// biome-ignore lint/suspicious/noExplicitAny: arguments and results are those of each call
const call = sys as unknown as Record<string, (...args: any[]) => any>;

/** A test of calls; skipped where one is missing. */
const testOf = (names: string[], what: string, fn: () => void): void => {
  const missing = names.filter((name) => rowNamed(name) === undefined);
  test.skipIf(missing.length > 0)(
    `${what}${missing.length > 0 ? ` (no ${missing.join()})` : ''}`,
    onUserthread(fn),
  );
};

const readAll = (fd: number): string => {
  const buffer = Buffer.alloc(1000);
  return buffer.toString('utf8', 0, sys.pread64(fd, buffer, buffer.length, 0));
};

testOf(['chdir', 'fchdir', 'getcwd'], 'the working directory goes into the tree and out again', () => {
  const here = process.cwd();
  under(memfs({ [`${folder}/x`]: { a: { b: 'b' } } }), () => {
    call.chdir(`${folder}/x/a`);
    expect(call.getcwd()).toBe(`${folder}/x/a`);
    const fd = sys.open('b');
    expect(readAll(fd)).toBe('b');
    sys.close(fd);
    sys.rename(`${folder}/x/a`, `${folder}/x/moved`);
    expect(call.getcwd()).toBe(`${folder}/x/moved`);
    expect(codeOf(() => call.chdir('b'))).toBe('ENOTDIR');
    call.chdir('..');
    const directory = sys.open('moved', c.O_DIRECTORY);
    call.fchdir(directory);
    sys.close(directory);
    expect(call.getcwd()).toBe(`${folder}/x/moved`);
    expect(process.cwd()).toBe(here);
    call.chdir(here);
    expect(call.getcwd()).toBe(here);
  });
});

testOf(['stat', 'lstat', 'newfstatat', 'access'], 'stat and its relatives say the same', () => {
  under(memfs({ '/x': { a: 'text', l: symlink('a') } }), () => {
    const fd = sys.open('/x/a');
    const directory = sys.open('/x', c.O_PATH);
    const { ino } = sys.fstat(fd);
    expect([
      call.stat('/x/l').ino,
      call.newfstatat(directory, 'l').ino,
      call.newfstatat(fd, '', c.AT_EMPTY_PATH).ino,
    ]).toEqual([ino, ino, ino]);
    expect([
      call.lstat('/x/l').isSymbolicLink(),
      call.newfstatat(directory, 'l', c.AT_SYMLINK_NOFOLLOW).size,
    ]).toEqual([true, 1]);
    const { dev } = call.stat('/x/a');
    const { devMajor, devMinor } = sys.statx(c.AT_FDCWD, '/x/a');
    expect([devMajor, (dev & 0xff) + Math.floor(dev / 2 ** 12 / 256) * 256]).toEqual([0, devMinor]);
    expect(codeOf(() => call.access('/x/none', 0))).toBe('ENOENT');
    for (const open of [fd, directory]) sys.close(open);
  });
});

testOf(['statfs', 'fstatfs'], 'statfs tells how much room there is', () => {
  under(memfs({ '/x': { a: 'text' } }, { size: 40_960, inodes: 10 }), () => {
    expect(call.statfs('/x')).toMatchObject({
      type: 0x01021994,
      bsize: 4096,
      blocks: 10,
      bfree: 9,
      bavail: 9,
      files: 10,
      ffree: 8,
    });
    const fd = sys.open('/x/a');
    expect(call.fstatfs(fd)).toEqual(call.statfs('/x/a'));
    sys.close(fd);
  });
});

testOf(['openat2'], 'openat2; not with conditions on how the path is resolved', () => {
  under(memfs({ '/x': { a: 'text' } }), () => {
    const fd = call.openat2(c.AT_FDCWD, '/x/a', { flags: c.O_RDONLY, mode: 0, resolve: 0 });
    expect(readAll(fd)).toBe('text');
    sys.close(fd);
    expect(codeOf(() => call.openat2(c.AT_FDCWD, '/x/a', { flags: 0, mode: 0, resolve: 8 }))).toBe('ENOTSUP');
  });
});

testOf(['sendfile', 'copy_file_range'], 'copies in, out and within', () => {
  const tree = memfs({ '/x': { a: 'from memory' } });
  under(tree, () => {
    const memory = sys.open('/x/a', c.O_RDWR);
    const real = sys.open(`${folder}/real`, c.O_RDWR);
    const copied = sys.open('/x/b', c.O_CREAT | c.O_RDWR);
    const [reading, writing] = sys.pipe2();
    expect(call.sendfile(writing, memory, 5, 100)).toBe(6);
    const buffer = Buffer.alloc(20);
    expect(buffer.toString('utf8', 0, sys.read(reading, buffer))).toBe('memory');
    expect([call.sendfile(copied, real, undefined, 100), readAll(copied)]).toEqual([12, 'the real one']);
    expect(sys.lseek(real, 0, c.SEEK_CUR)).toBe(12);
    expect([call.copy_file_range(memory, 0, copied, 4, 4), readAll(copied)]).toEqual([4, 'the from one']);
    expect(codeOf(() => call.copy_file_range(memory, 0, real, 0, 4))).toBe('EXDEV');
    for (const open of [memory, real, copied, reading, writing]) sys.close(open);
  });
});

testOf(['dup2', 'close_range'], 'dup2 takes a number over; close_range closes many', () => {
  const tree = memfs({ '/x': { a: 'text' } });
  under(tree, () => {
    const fd = sys.open('/x/a');
    const real = sys.open(`${folder}/real`);
    call.dup2(fd, real);
    expect(readAll(real)).toBe('text');
    call.dup2(sys.open(`${folder}/real`), fd);
    expect([readAll(fd), tree.usage().descriptors]).toEqual(['the real one', 1]);
    const far = sys.fcntl(real, c.F_DUPFD, 5000);
    expect([readAll(far), tree.usage().descriptors]).toEqual(['text', 2]);
    call.close_range(far, far + 10);
    expect(tree.usage().descriptors).toBe(1);
    for (const open of [fd, real]) sys.close(open);
  });
});

testOf(['linkat'], 'a file of O_TMPFILE gets a name, unless it was opened with O_EXCL', () => {
  under(memfs({ '/x': {} }), () => {
    const write = (flags: number): number => {
      const fd = sys.open('/x', c.O_TMPFILE | c.O_RDWR | flags, 0o600);
      sys.write(fd, 'made');
      return fd;
    };
    const [open, excl] = [write(0), write(c.O_EXCL)];
    const link = (fd: number): void =>
      call.linkat(c.AT_FDCWD, `/proc/self/fd/${fd}`, c.AT_FDCWD, '/x/a', c.AT_SYMLINK_FOLLOW);
    expect(codeOf(() => link(excl))).toBe('ENOENT');
    link(open);
    expect([sys.fstat(open).nlink, readAll(sys.open('/x/a'))]).toEqual([1, 'made']);
  });
});

testOf(['getxattr', 'listxattr', 'setxattr'], 'extended attributes', () => {
  under(memfs({ '/x': { a: '' } }), () => {
    expect(codeOf(() => call.getxattr('/x/a', 'user.x'))).toBe('ENODATA');
    expect(codeOf(() => call.setxattr('/x/a', 'other.x', 'y'))).toBe('ENOTSUP');
    expect(call.listxattr('/x/a')).toEqual([]);
    call.setxattr('/x/a', 'user.x', 'y');
    expect(String(call.getxattr('/x/a', 'user.x'))).toBe('y');
    expect(call.listxattr('/x/a')).toEqual(['user.x']);
    expect(codeOf(() => call.getxattr('/x/none', 'user.x'))).toBe('ENOENT');
  });
});

testOf(['mknod'], 'no devices, sockets and FIFOs', () => {
  under(memfs({ '/x': {} }), () => {
    call.mknod('/x/file', c.S_IFREG | 0o600, 0);
    for (const type of [c.S_IFIFO, c.S_IFSOCK, c.S_IFCHR])
      expect(codeOf(() => call.mknod('/x/other', type | 0o600, 0))).toBe('EPERM');
  });
});

testOf(['umask'], 'umask counts in the tree, too', () => {
  const before = process.umask();
  const tree = memfs({ '/x': {} });
  under(tree, () => {
    call.umask(0o077);
    try {
      sys.mkdir('/x/d');
    } finally {
      call.umask(before);
    }
    expect(sys.statx(c.AT_FDCWD, '/x/d').mode & 0o777).toBe(0o700);
  });
});

test(
  'always ready, together with what is not; epoll refuses it',
  onUserthread(() => {
    under(memfs({ '/x': { a: '' } }), () => {
      const fd = sys.open('/x/a');
      const [reading, writing] = sys.pipe2();
      const fds = [
        { fd: reading, events: c.POLLIN, revents: 0 },
        { fd, events: c.POLLIN | c.POLLOUT, revents: 0 },
        { fd: writing, events: c.POLLOUT, revents: 0 },
      ];
      expect(sys.poll(fds, -1)).toBe(2);
      expect(fds.map(({ revents }) => revents)).toEqual([0, c.POLLIN | c.POLLOUT, c.POLLOUT]);
      const epfd = sys.epoll_create1();
      expect(codeOf(() => sys.epoll_ctl(epfd, c.EPOLL_CTL_ADD, fd, { events: c.EPOLLIN, data: 1 }))).toBe(
        'EPERM',
      );
      for (const open of [fd, reading, writing, epfd]) sys.close(open);
    });
  }),
);

test(
  '/proc/self/fd and /dev/fd lead to open files',
  onUserthread(() => {
    under(memfs({ '/x': { a: 'text', d: { e: 'e' } } }), () => {
      const [fd, directory] = [sys.open('/x/a', c.O_PATH), sys.open('/x/d', c.O_DIRECTORY)];
      expect(readAll(sys.open(`/proc/self/fd/${fd}`))).toBe('text');
      expect(readAll(sys.open(`/dev/fd/${directory}/e`))).toBe('e');
      expect(sys.readlink(`/proc/self/fd/${directory}`)).toBe('/x/d');
      expect(codeOf(() => sys.read(fd, Buffer.alloc(1)))).toBe('EBADF');
      expect(codeOf(() => sys.openat(fd, 'x'))).toBe('ENOTDIR');
      expect(codeOf(() => sys.openat(1_000_000, '../x'))).toBe('EBADF');
    });
  }),
);

test(
  'as mkdtemp does it',
  onUserthread(() => {
    const tree = memfs({ '/tmp/of/the/test': {} });
    under(tree, () => {
      sys.mkdir('/tmp/of/the/test/app-Xy12', 0o700);
      expect(codeOf(() => sys.mkdir('/tmp/of/the/test/app-Xy12'))).toBe('EEXIST');
      const fd = sys.open('/tmp/of/the/test/app-Xy12/file', c.O_CREAT | c.O_EXCL | c.O_RDWR, 0o600);
      expect(codeOf(() => sys.open('/tmp/of/the/test/app-Xy12/file', c.O_CREAT | c.O_EXCL))).toBe('EEXIST');
      sys.close(fd);
    });
    expect(fs.existsSync('/tmp/of')).toBe(false);
  }),
);

testOf(['mmap'], 'a file in memory cannot be mapped', () => {
  under(memfs({ '/x': { a: 'text' } }), () => {
    const fd = sys.open('/x/a');
    const SYS_mmap = rowNamed('mmap')?.number as number;
    expect(sys.raw(SYS_mmap, 0, 4096, 1, 2, fd, 0)).toBe(-1);
    expect(curthread().errno).toBe(c.ENODEV);
    sys.close(fd);
  });
});

test(
  'a number of descriptors that is none is the caller’s RangeError, as without memfs',
  onUserthread(() => {
    const count = (n: number): unknown => codeOf(() => sys.raw(c.SYS_poll, Buffer.alloc(8), n, 0));
    const without = count(-1);
    expect(without).toBe('ERR_OUT_OF_RANGE');
    under(memfs({ '/x': {} }), () => expect(count(-1)).toBe(without));
  }),
);

test(
  'relative paths begin where the kernel has the working directory, also after sys.chdir',
  onUserthread(() => {
    const before = process.cwd();
    const tree = memfs({ '/usr/libcr-memory': { file: 'text' } });
    create(
      () => {
        sys.chdir('/usr');
        try {
          expect(sys.stat('libcr-memory/file').size).toBe(4);
          expect(tree.readFile('libcr-memory/file', 'utf8')).toBe('text');
        } finally {
          sys.chdir(before);
        }
      },
      { syscallPort: sys.with(tree) },
    ).join();
  }),
);
