/** memfs.test.ts: the memfs shim: what it is made from, where it lies, how it goes together with others; what is expected before programs, too: ../expectations/memfs.ts. Its answers: tmpfs.test.ts. */
import fs from 'node:fs';
import { create, yieldNow } from '@libcr/core';
import { describe, expect, test } from 'vitest';
import { constants as c, defineShim, sys, syscallPort } from '../../src/index.ts';
import {
  directory,
  file,
  type Memfs,
  type MemfsDirectory,
  type MemfsOptions,
  memfs,
  symlink,
} from '../../src/shims/memfs/index.ts';
import { policy } from '../../src/shims/policy/index.ts';
import { here } from '../expectations/caller.ts';
import { expectMemfs, list, put, text } from '../expectations/memfs.ts';
import { codeOf, errorOf, onUserthread, temporaryFolder } from '../support.ts';

const folder = temporaryFolder();
const at = (name: string): string => `${folder}/${name}`; // not join, which takes ".." away

/** Runs fn with a tree over the program's port. */
const under = <R>(tree: Memfs, fn: () => R): R => create(fn, { syscallPort: sys.with(tree) }).join() as R;

expectMemfs(here);

describe('what a tree is made from', () => {
  test('toJSON gives what memfs takes; text as strings, other bytes as they are', () => {
    const tree = memfs({ '/x': { a: 'text', b: { c: Buffer.from([0xff]) }, d: {}, e: symlink('a') } });
    expect(tree.toJSON()).toEqual({
      '/x/a': 'text',
      '/x/b/c': Buffer.from([0xff]),
      '/x/d': null,
      '/x/e': expect.objectContaining({ kind: 'symlink', content: 'a' }),
    });
    expect(memfs(tree.toJSON() as MemfsDirectory).toJSON()).toEqual(tree.toJSON());
  });

  test('the handle', () => {
    const tree = memfs({ '/x': { a: 'one' } });
    expect(tree.readFile('/x/a', 'utf8')).toBe('one');
    expect(tree.readFile('/x/a')).toEqual(Buffer.from('one'));
    tree.writeFile('/x/a', 'two');
    tree.mkdir('/x/b/c');
    tree.mkdir('/x/b');
    tree.writeFile('/x/b/c/d', Buffer.from('three'), { mode: 0o600 });
    tree.symlink('b/c', '/x/l');
    expect([tree.readFile('/x/l/d', 'utf8'), tree.readFile('/x/a', 'utf8')]).toEqual(['three', 'two']);
    expect(tree.readdir('/x')).toEqual(['a', 'b', 'l']);
    expect([tree.exists('/x/l/d'), tree.exists('/x/nothing'), tree.exists('/etc')]).toEqual([
      true,
      false,
      false,
    ]);
    expect(tree.usage()).toEqual({ bytes: 8192, inodes: 6, descriptors: 0 });
    tree.rm('/x/b');
    tree.rm('/x/b');
    tree.rm('/x/l');
    expect(tree.toJSON()).toEqual({ '/x/a': 'two' });
    expect(tree.usage()).toEqual({ bytes: 4096, inodes: 2, descriptors: 0 });
    expect(errorOf(() => tree.readFile('/x/b'))).toMatchObject({
      code: 'ENOENT',
      syscall: 'open',
      path: '/x/b',
    });
    expect(codeOf(() => tree.readFile('/x'))).toBe('EISDIR');
    expect(codeOf(() => tree.readdir('/x/a'))).toBe('ENOTDIR');
    expect(codeOf(() => tree.writeFile('/x/no/file', ''))).toBe('ENOENT');
    expect(codeOf(() => tree.mkdir('/x/a'))).toBe('EEXIST');
    expect(codeOf(() => tree.mkdir('/nowhere/x'))).toBe('ENOENT');
    expect(codeOf(() => tree.rm('/x'))).toBe('EBUSY');
    expect(codeOf(() => tree.readFile(5 as unknown as string))).toBe('ERR_INVALID_ARG_TYPE');
  });

  test('what is no tree and no option is refused', () => {
    const bad: (() => unknown)[] = [
      () => memfs('x' as unknown as MemfsDirectory),
      () => memfs({ '/x': 5 as unknown as string }),
      () => memfs({ '/x': { 'a/../b': '' } }),
      () => memfs({ '/x': 'file', '/x/y': 'below it' }),
      () => memfs({ '/x': { 'a/b': '', a: '' } }),
      () => memfs({ '/x': { ['n'.repeat(256)]: '' } }),
      () => memfs({ '/': 'a file' }),
      () => memfs({ '/x': symlink('') }),
      () => memfs({ '/x': file('', { mod: 1 } as object) }),
      () => memfs({}, { sise: 1 } as MemfsOptions),
      () => memfs({}, { uid: -1 }),
      () => memfs({}, { umask: 0o1000 }),
      () => memfs({}, { groups: ['x' as unknown as number] }),
      () => memfs({ '/x': 'longer than a page'.repeat(1000) }, { size: 4096 }),
    ];
    for (const [i, make] of bad.entries())
      expect([i, codeOf(make)]).toEqual([i, expect.stringMatching(/^ERR_(INVALID_ARG|OUT_OF_RANGE)/)]);
  });
});

describe('where it lies', () => {
  fs.mkdirSync(at('real/sub'), { recursive: true });
  fs.writeFileSync(at('real/beside'), 'beside');
  fs.writeFileSync(at('real/motd'), 'real');

  test(
    'relative paths begin at the working directory',
    onUserthread(() => {
      const here = process.cwd();
      process.chdir(at('real'));
      try {
        under(memfs({ in: { x: 'x' }, 'sub/y': 'y' }), () => {
          expect([text('in/x'), text('./in/../in/x'), text('beside'), text('sub/y')]).toEqual([
            'x',
            'x',
            'beside',
            'y',
          ]);
        });
      } finally {
        process.chdir(here);
      }
    }),
  );

  test(
    'over everything',
    onUserthread(() => {
      const tree = memfs({ '/': { etc: { motd: 'm' } } });
      under(tree, () => {
        expect([list('/'), text('/etc/../../etc/motd')]).toEqual([['etc'], 'm']);
        expect(codeOf(() => sys.open('/proc/self/stat'))).toBe('ENOENT');
      });
    }),
  );
});

describe('descriptors', () => {
  test(
    "are the kernel's own: unique, and nothing can be done with them past the shim",
    onUserthread(() => {
      const tree = memfs({ '/x': { a: 'text' } });
      under(tree, () => {
        const fd = sys.open('/x/a', c.O_RDWR);
        const real = sys.open(at('real/beside'));
        expect(real).not.toBe(fd);
        expect(() => fs.readSync(fd, Buffer.alloc(4))).toThrow('EBADF');
        expect(() => fs.writeSync(fd, 'x')).toThrow('EBADF');
        expect(sys.fcntl(fd, c.F_GETFD)).toBe(0);
        const other = sys.open('/x/a', c.O_CLOEXEC);
        expect(sys.fcntl(other, c.F_GETFD)).toBe(c.FD_CLOEXEC);
        for (const open of [fd, real, other]) sys.close(open);
        expect(codeOf(() => sys.close(fd))).toBe('EBADF');
        expect(codeOf(() => sys.fstat(fd))).toBe('EBADF');
      });
      expect(tree.usage().descriptors).toBe(0);
    }),
  );

  test(
    'one that was closed past the port is found out when its number is given again',
    onUserthread(() => {
      const tree = memfs({ '/x': { a: 'memory' } });
      under(tree, () => {
        const stale: number[] = [];
        for (let i = 0; i < 3; i++) stale.push(sys.open('/x/a'));
        for (const fd of stale) fs.closeSync(fd);
        const opened = sys.open(at('real/beside'));
        const buffer = Buffer.alloc(10);
        expect(buffer.toString('utf8', 0, sys.read(opened, buffer))).toBe('beside');
        const pair = sys.pipe2();
        expect(sys.write(pair[1], 'pipe')).toBe(4);
        for (const fd of [opened, ...pair]) sys.close(fd);
      });
      expect(tree.usage().descriptors).toBe(0);
    }),
  );

  test(
    'an unlinked file lives until its last descriptor is closed; its room comes back',
    onUserthread(() => {
      const tree = memfs({ '/x': {} });
      under(tree, () => {
        const fd = sys.open('/x/a', c.O_CREAT | c.O_RDWR);
        sys.write(fd, 'gone');
        sys.unlink('/x/a');
        const second = sys.dup(fd);
        sys.close(fd);
        expect(sys.readlink(`/proc/self/fd/${second}`)).toBe('/x/a (deleted)');
        expect([sys.fstat(second).nlink, sys.pread64(second, Buffer.alloc(9), 9, 0)]).toEqual([0, 4]);
        expect(tree.usage()).toEqual({ bytes: 4096, inodes: 2, descriptors: 1 });
        sys.close(second);
        expect(tree.usage()).toEqual({ bytes: 0, inodes: 1, descriptors: 0 });
      });
    }),
  );

  test(
    'no descriptors left: EMFILE, and no file is made',
    onUserthread(() => {
      const tree = memfs({ '/x': {} });
      const full = defineShim({ name: 'full', on: ['openat'], shim: () => () => -c.EMFILE });
      create(() => expect(codeOf(() => sys.open('/x/a', c.O_CREAT))).toBe('EMFILE'), {
        syscallPort: sys.with(tree, full),
      }).join();
      expect(tree.toJSON()).toEqual({ '/x': null });
    }),
  );

  test(
    'where /dev/null may not be opened there is another placeholder',
    onUserthread(() => {
      const rules = policy([{ action: 'deny', on: ['openat'], path: '/**' }]);
      create(() => expect(text('/x/a')).toBe('here'), {
        syscallPort: sys.with(memfs({ '/x': { a: 'here' } }), rules),
      }).join();
    }),
  );

  test(
    'locks of open file descriptions stand in each others way; the other waits',
    onUserthread(() => {
      under(memfs({ '/x': { a: 'text' } }), () => {
        const [one, two] = [sys.open('/x/a', c.O_RDWR), sys.open('/x/a', c.O_RDWR)];
        const lock = Buffer.alloc(32);
        lock.writeInt16LE(c.F_WRLCK, 0);
        sys.fcntl(one, c.F_OFD_SETLK, lock);
        expect(codeOf(() => sys.fcntl(two, c.F_OFD_SETLK, lock))).toBe('EAGAIN');
        let got = false;
        const waiter = create(() => {
          sys.fcntl(two, c.F_OFD_SETLKW, Buffer.from(lock));
          got = true;
        });
        for (let i = 0; i < 5; i++) yieldNow();
        expect(got).toBe(false);
        sys.close(one);
        waiter.join();
        expect(got).toBe(true);
        sys.close(two);
      });
    }),
  );

  test(
    "the process' locks stand in the way of descriptions', and go when any descriptor of the file is closed",
    onUserthread(() => {
      under(memfs({ '/x': { a: 'text' } }), () => {
        const [one, two] = [sys.open('/x/a', c.O_RDWR), sys.open('/x/a', c.O_RDWR)];
        const lock = Buffer.alloc(32);
        lock.writeInt16LE(c.F_WRLCK, 0);
        for (const fd of [one, two]) sys.fcntl(fd, c.F_SETLK, lock);
        const asked = Buffer.from(lock);
        sys.fcntl(two, c.F_OFD_GETLK, asked);
        expect([asked.readInt16LE(0), asked.readInt32LE(24)]).toEqual([c.F_WRLCK, process.pid]);
        expect(codeOf(() => sys.fcntl(two, c.F_OFD_SETLK, lock))).toBe('EAGAIN');
        sys.close(one);
        sys.fcntl(two, c.F_OFD_SETLK, lock);
        expect(codeOf(() => sys.fcntl(two, c.F_SETLK, lock))).toBe('EAGAIN');
        sys.close(two);
      });
    }),
  );
});

describe('room, and times', () => {
  test(
    'ENOSPC for bytes and for inodes, and room again after',
    onUserthread(() => {
      const tree = memfs({ '/x': {} }, { size: 3 * 4096, inodes: 3 });
      under(tree, () => {
        const fd = sys.open('/x/a', c.O_CREAT | c.O_RDWR);
        expect(sys.write(fd, Buffer.alloc(20_000, 1))).toBe(12_288);
        expect(codeOf(() => sys.write(fd, 'x'))).toBe('ENOSPC');
        expect(sys.pwrite64(fd, 'over', 4, 0)).toBe(4);
        sys.ftruncate(fd, 4096);
        expect(sys.pwrite64(fd, 'again', 5, 4096)).toBe(5);
        sys.mkdir('/x/b');
        for (const full of [() => sys.mkdir('/x/c'), () => sys.symlink('a', '/x/c'), () => put('/x/c', '')])
          expect(codeOf(full)).toBe('ENOSPC');
        sys.rmdir('/x/b');
        sys.mkdir('/x/c');
        sys.close(fd);
      });
      expect(tree.usage()).toEqual({ bytes: 8192, inodes: 3, descriptors: 0 });
    }),
  );

  test(
    'a hole costs nothing; offsets beyond 2^32',
    onUserthread(() => {
      const tree = memfs({ '/x': {} });
      under(tree, () => {
        const fd = sys.open('/x/a', c.O_CREAT | c.O_RDWR);
        expect(sys.pwrite64(fd, 'far', 3, 5n * 2n ** 40n)).toBe(3);
        expect(sys.fstat(fd).size).toBe(5 * 2 ** 40 + 3);
        expect(sys.lseek(fd, 0, c.SEEK_DATA)).toBe(5 * 2 ** 40);
        expect(codeOf(() => sys.pwrite64(fd, 'x', 1, 2n ** 62n))).toBe('EFBIG');
        expect(codeOf(() => sys.pwrite64(fd, 'x', 1, -1))).toBe('EINVAL');
        sys.close(fd);
      });
      expect(tree.usage().bytes).toBe(4096);
    }),
  );

  test(
    'what is written and read moves the times that it should',
    onUserthread(() => {
      const tree = memfs({ '/x': { a: file('text', { atime: 1000, mtime: 2000 }) } });
      const times = (): [boolean, boolean] => {
        const { atimeNs, mtimeNs } = sys.statx(c.AT_FDCWD, '/x/a');
        return [atimeNs !== 1_000_000_000_000n, mtimeNs !== 2_000_000_000_000n];
      };
      under(tree, () => {
        const fd = sys.open('/x/a', c.O_RDWR | c.O_NOATIME);
        sys.read(fd, Buffer.alloc(4));
        expect(times()).toEqual([false, false]);
        expect(text('/x/a')).toBe('text');
        expect(times()).toEqual([true, false]);
        sys.write(fd, 'more');
        expect(times()).toEqual([true, true]);
        sys.close(fd);
      });
    }),
  );

  test(
    'permissions count for a user who is not root; the umask for what is made',
    onUserthread(() => {
      const tree = memfs(
        {
          '/x': directory(
            {
              mine: file('m', { mode: 0o400 }),
              group: file('g', { mode: 0o040, uid: 1, gid: 20 }),
              others: file('o', { mode: 0o004, uid: 1, gid: 1 }),
              none: file('n', { mode: 0o770, uid: 1, gid: 1 }),
              closed: directory({ inner: '' }, { mode: 0o600 }),
              sticky: directory({ theirs: file('', { uid: 1 }) }, { mode: 0o1777, uid: 1 }),
            },
            { mode: 0o755 },
          ),
        },
        { uid: 1000, gid: 1000, groups: [20], umask: 0o027 },
      );
      under(tree, () => {
        expect([text('/x/mine'), text('/x/group'), text('/x/others')]).toEqual(['m', 'g', 'o']);
        expect(codeOf(() => sys.open('/x/none'))).toBe('EACCES');
        expect(codeOf(() => sys.open('/x/mine', c.O_RDWR))).toBe('EACCES');
        expect(codeOf(() => sys.statx(c.AT_FDCWD, '/x/closed/inner'))).toBe('EACCES');
        expect(codeOf(() => sys.unlink('/x/sticky/theirs'))).toBe('EPERM');
        put('/x/made', 'm');
        const { mode, uid, gid } = sys.statx(c.AT_FDCWD, '/x/made');
        expect([mode & 0o7777, uid, gid]).toEqual([0o640, 1000, 1000]);
      });
    }),
  );
});

describe('together with others', () => {
  test(
    'two ports, two trees, at once; a tree on two ports',
    onUserthread(() => {
      const [one, two] = [memfs({ '/x': { who: 'one' } }), memfs({ '/x': { who: 'two' } })];
      const seen = [one, two, one].map((tree) =>
        create(
          () => {
            const fd = sys.open('/x/who', c.O_RDWR | c.O_APPEND);
            yieldNow();
            const buffer = Buffer.alloc(20);
            const n = sys.read(fd, buffer);
            sys.write(fd, '!');
            yieldNow();
            sys.close(fd);
            return buffer.toString('utf8', 0, n);
          },
          { syscallPort: sys.with(tree) },
        ),
      );
      expect(seen.map((td) => (td.join() as string).slice(0, 3))).toEqual(['one', 'two', 'one']);
      expect([one.readFile('/x/who', 'utf8'), two.readFile('/x/who', 'utf8')]).toEqual(['one!!', 'two!']);
    }),
  );

  test(
    'one over another',
    onUserthread(() => {
      const port = sys.with(
        memfs({ '/x/over': 'outer' }),
        memfs({ '/x': { under: 'inner' }, '/y': { z: 'z' } }),
      );
      create(
        () => {
          expect([text('/x/over'), text('/y/z')]).toEqual(['outer', 'z']);
        },
        { syscallPort: port },
      ).join();
    }),
  );

  test('on the event loop, and as promises', async () => {
    const tree = memfs({ '/x': { a: 'text' } });
    const guard = syscallPort.shim(tree);
    try {
      expect(text('/x/a')).toBe('text');
      const fd = await sys.promises.open('/x/a', c.O_RDWR);
      await sys.promises.pwrite64(fd, 'T', 1, 0);
      await sys.promises.close(fd);
    } finally {
      guard.remove();
    }
    expect(tree.readFile('/x/a', 'utf8')).toBe('Text');
    expect(fs.existsSync('/x/a')).toBe(false);
  });

  test(
    'arguments of a wrong kind are told as they are without it',
    onUserthread(() => {
      const loose = sys as unknown as Record<string, (...args: unknown[]) => unknown>;
      const calls = (path: string): unknown[] => {
        const fd = sys.open(path, c.O_RDWR);
        const wrong = [
          () => loose.read(fd, 'no buffer', 1),
          () => loose.read(fd, Buffer.alloc(1), 2),
          () => loose.read(fd, Buffer.alloc(1), -1),
          () => loose.pread64(fd, Buffer.alloc(1), 1, 'x'),
          () => loose.pread64(fd, Buffer.alloc(1), 1, 1.5),
          () => loose.readv(fd, [5]),
          () => loose.lseek(fd, 2n ** 64n, 0),
          () => loose.ftruncate(fd, null),
          () => loose.fcntl(fd, c.F_SETFL, 'x'),
          () => loose.fcntl(fd, c.F_OFD_SETLK, Buffer.alloc(3)),
          () => loose.open(`${path}\0`),
          () => loose.open('/x/'.repeat(2000)),
          () => loose.open(path, 'r'),
          () => loose.mkdir(path, 'x'),
          () => sys.raw(c.SYS_fstat, fd, Buffer.alloc(10)),
          () => sys.raw(c.SYS_getdents64, fd, Buffer.alloc(10), 11),
          () => sys.raw(c.SYS_statx, c.AT_FDCWD, path, 0, 0, null),
        ].map((call) => {
          const { code, message } = errorOf(call);
          return [code, message];
        });
        sys.close(fd);
        return wrong.map(([code, message]) => [code, String(message).replaceAll(path, 'PATH')]);
      };
      const ours = under(memfs({ '/x': { a: 'text' } }), () => calls('/x/a'));
      expect(ours).toEqual(calls(at('real/beside')));
    }),
  );
});

describe('in numbers', () => {
  test(
    'three thousand userthreads at once',
    onUserthread(() => {
      const tree = memfs({ '/x': { shared: '' } });
      under(tree, () => {
        const threads = Array.from({ length: 3000 }, (_, i) =>
          create(() => {
            const own = `/x/own-${i}`;
            put(own, `thread ${i}`);
            yieldNow();
            put('/x/shared', `${i}\n`, c.O_APPEND);
            yieldNow();
            expect(text(own)).toBe(`thread ${i}`);
            if (i % 2 === 0) sys.unlink(own);
            else sys.rename(own, `/x/moved-${i}`);
          }),
        );
        for (const td of threads) td.join();
        expect(list('/x').length).toBe(1501);
      });
      const lines = tree.readFile('/x/shared', 'utf8').trim().split('\n').map(Number);
      expect(lines.sort((a, b) => a - b)).toEqual(Array.from({ length: 3000 }, (_, i) => i));
      expect(tree.usage().descriptors).toBe(0);
    }),
  );

  test(
    'a file that grows by appending, sixteen megabytes, read back whole',
    onUserthread(() => {
      const tree = memfs({ '/x': {} });
      under(tree, () => {
        const fd = sys.open('/x/log', c.O_CREAT | c.O_RDWR | c.O_APPEND);
        const piece = Buffer.from(Array.from({ length: 10_007 }, (_, i) => i & 0xff));
        let size = 0;
        while (size < 16 * 2 ** 20) size += sys.write(fd, piece);
        const back = Buffer.alloc(size + 1);
        expect(sys.pread64(fd, back, back.length, 0)).toBe(size);
        for (let at = 0; at < size; at += piece.length)
          if (!back.subarray(at, at + piece.length).equals(piece)) throw new Error(`differs from ${at} on`);
        sys.close(fd);
      });
    }),
  );
});

describe('with shims below that let others run, or refuse', () => {
  test(
    'a number that is given again while its close is under way is the new file',
    onUserthread(() => {
      const slow = defineShim({
        name: 'slow',
        on: ['close'],
        shim: (next) => (msg) => {
          const reply = next(msg);
          yieldNow();
          return reply;
        },
      });
      const tree = memfs({ '/x': { a: 'a', b: 'b' } });
      create(
        () => {
          const fd = sys.open('/x/a');
          const closing = create(() => sys.close(fd));
          const opening = create(() => sys.open('/x/b'));
          closing.join();
          expect(opening.join()).toBe(fd);
          const buffer = Buffer.alloc(9);
          expect(buffer.toString('utf8', 0, sys.read(fd, buffer))).toBe('b');
          sys.close(fd);
        },
        { syscallPort: sys.with(tree, slow) },
      ).join();
      expect(tree.usage().descriptors).toBe(0);
    }),
  );

  test(
    'a close that was refused has not been one',
    onUserthread(() => {
      let refuse = true;
      const refusing = defineShim({
        name: 'refusing',
        on: ['close'],
        shim: (next) => (msg) => (refuse ? -c.EIO : next(msg)),
      });
      const tree = memfs({ '/x': { a: 'a' } });
      create(
        () => {
          const fd = sys.open('/x/a');
          expect(codeOf(() => sys.close(fd))).toBe('EIO');
          expect(sys.read(fd, Buffer.alloc(9))).toBe(1);
          refuse = false;
          sys.close(fd);
          expect(codeOf(() => sys.read(fd, Buffer.alloc(9)))).toBe('EBADF');
        },
        { syscallPort: sys.with(tree, refusing) },
      ).join();
      expect(tree.usage().descriptors).toBe(0);
    }),
  );

  test(
    'what changes while a descriptor is made is seen',
    onUserthread(() => {
      const slow = defineShim({
        name: 'slow',
        on: ['openat'],
        shim: (next) => (msg) => {
          yieldNow();
          return next(msg);
        },
      });
      const tree = memfs({ '/x': { a: 'a' } });
      create(
        () => {
          const opening = create(() => codeOf(() => sys.open('/x/a')));
          const making = [1, 2].map(() =>
            create(() => codeOf(() => sys.open('/x/new', c.O_CREAT | c.O_EXCL))),
          );
          yieldNow();
          tree.rm('/x/a');
          expect(opening.join()).toBe('ENOENT');
          expect(making.map((td) => td.join())).toEqual(['no error', 'EEXIST']);
        },
        { syscallPort: sys.with(tree, slow) },
      ).join();
      expect(tree.usage().descriptors).toBe(1);
    }),
  );
});
