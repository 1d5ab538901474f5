/**
 * memfs.ts: what is expected of the memfs shim, whoever makes the calls, but for what docs/shims/programs.md says is something else before programs: there the tree is the
 * kernel's files. So what room there is, how times move and who may what is the kernel's there, and is expected of calls from here alone (memfs.test.ts).
 */
import fs from 'node:fs';
import { expect, test } from 'vitest';
import { constants as c, sys } from '../../src/index.ts';
import { directory, file, type Memfs, memfs, symlink } from '../../src/shims/memfs/index.ts';
import { policy } from '../../src/shims/policy/index.ts';
import { trace } from '../../src/shims/trace/index.ts';
import { codeOf, onUserthread, temporaryFolder } from '../support.ts';
import { under as underShims, type Way } from './caller.ts';

/** What a file says. */
export const text = (path: string): string => {
  const fd = sys.open(path, c.O_CLOEXEC);
  const buffer = Buffer.alloc(1000);
  const length = sys.read(fd, buffer);
  sys.close(fd);
  return buffer.toString('utf8', 0, length);
};

export const put = (path: string, data: string, flags: number = c.O_CREAT | c.O_TRUNC): void => {
  const fd = sys.open(path, flags | c.O_WRONLY | c.O_CLOEXEC, 0o644);
  sys.write(fd, data);
  sys.close(fd);
};

/** The names in a directory. */
export const list = (path: string, size: number = 32768): string[] => {
  const fd = sys.open(path, c.O_DIRECTORY | c.O_CLOEXEC);
  const names: string[] = [];
  for (;;) {
    const entries = sys.getdents64(fd, Buffer.alloc(size));
    if (entries.length === 0) break;
    names.push(...entries.map(({ name }) => name as string));
  }
  sys.close(fd);
  return names.filter((name) => name !== '.' && name !== '..').sort();
};

export function expectMemfs(way: Way): void {
  const folder = fs.realpathSync(temporaryFolder());
  const at = (name: string): string => `${folder}/${name}`; // not join, which takes ".." away
  const isRoot = process.geteuid?.() === 0;
  const under = <R>(tree: Memfs, fn: () => R): R => underShims(way, tree, fn);
  fs.mkdirSync(at('real/sub'), { recursive: true });
  fs.writeFileSync(at('real/beside'), 'beside');
  fs.writeFileSync(at('real/motd'), 'real');

  test(
    'nested objects, flat paths, and marks for attributes',
    onUserthread(() => {
      const tree = memfs({
        [at('app')]: {
          'index.js': 'main()',
          'lib/util.js': Buffer.from([0xff, 0xfe]),
          empty: null,
          private: directory(
            { key: file('secret', { mode: 0o600, mtime: 1.5 }) },
            { mode: 0o700, uid: 7, gid: 8 },
          ),
          current: symlink('index.js'),
        },
        [at('app/lib/more/deep.js')]: 'deep',
      });
      under(tree, () => {
        expect(list(at('app'))).toEqual(['current', 'empty', 'index.js', 'lib', 'private']);
        expect([text(at('app/current')), text(at('app/lib/more/deep.js'))]).toEqual(['main()', 'deep']);
        const kept = sys.statx(c.AT_FDCWD, at('app/private'));
        expect(kept.mode & 0o7777).toBe(0o700);
        if (isRoot || !way.isProgram) expect([kept.uid, kept.gid]).toEqual([7, 8]);
        expect(sys.statx(c.AT_FDCWD, at('app/private/key')).mtimeNs).toBe(1_500_000_000n);
      });
      expect(fs.existsSync(at('app'))).toBe(false);
    }),
  );

  test(
    'the handle: what it writes is seen, and the other way round',
    onUserthread(() => {
      const tree = memfs({ '/x': { a: 'one' } });
      const caller = way.begin([tree]);
      const inside = <R>(fn: () => R): R => caller.inside(fn);
      expect(inside(() => text('/x/a'))).toBe('one');
      tree.writeFile('/x/a', 'two');
      tree.mkdir('/x/b/c');
      tree.writeFile('/x/b/c/d', Buffer.from('three'), { mode: 0o600 });
      tree.symlink('b/c', '/x/l');
      expect(inside(() => [text('/x/a'), text('/x/l/d'), list('/x')])).toEqual([
        'two',
        'three',
        ['a', 'b', 'l'],
      ]);
      expect(inside(() => sys.statx(c.AT_FDCWD, '/x/b/c/d').mode & 0o777)).toBe(0o600);
      inside(() => {
        sys.rename('/x/b/c/d', '/x/moved');
        sys.unlink('/x/l');
        sys.rmdir('/x/b/c');
        put('/x/a', 'four');
      });
      expect(tree.toJSON()).toEqual({ '/x/a': 'four', '/x/b': null, '/x/moved': 'three' });
      expect([tree.exists('/x/moved'), tree.exists('/x/l'), tree.exists('/etc')]).toEqual([
        true,
        false,
        false,
      ]);
      tree.rm('/x/b');
      expect(inside(() => codeOf(() => sys.open('/x/b')))).toBe('ENOENT');
      expect(codeOf(() => tree.readFile('/x/b'))).toBe('ENOENT');
      expect(codeOf(() => tree.readFile('/x'))).toBe('EISDIR');
      caller.end();
      expect(tree.readFile('/x/moved', 'utf8')).toBe('three'); // when nobody runs any more
    }),
  );

  test(
    'a file, over one that is there; what is beside it is the real file system',
    onUserthread(() => {
      const tree = memfs({ [at('real/motd')]: 'memory' });
      under(tree, () => {
        expect([text(at('real/motd')), text(at('real/beside'))]).toEqual(['memory', 'beside']);
        put(at('real/motd'), 'changed');
        put(at('real/new'), 'new');
        expect(text(at('real/../real/./motd'))).toBe('changed');
        expect(text(at('real/sub/../motd'))).toBe('changed');
        expect(codeOf(() => sys.unlink(at('real/motd')))).toBe('EBUSY');
        const itself = codeOf(() => sys.rename(at('real/motd'), at('real/motd')));
        expect(itself).toBe(way.isProgram ? 'EBUSY' : 'no error');
        expect(codeOf(() => sys.unlink(at('real/motd')))).toBe('EBUSY');
        // A program's tree is on the real file system, where this is as of what is mounted.
        expect(codeOf(() => sys.rename(at('real/new'), at('real/motd')))).toBe(
          way.isProgram ? 'EBUSY' : 'EXDEV',
        );
        expect(codeOf(() => sys.mkdir(at('real/motd')))).toBe('EEXIST');
        expect(codeOf(() => sys.open(at('real/motd/x')))).toBe('ENOTDIR');
      });
      expect(tree.readFile(at('real/motd'), 'utf8')).toBe('changed');
      expect([fs.readFileSync(at('real/motd'), 'utf8'), fs.readFileSync(at('real/new'), 'utf8')]).toEqual([
        'real',
        'new',
      ]);
      fs.unlinkSync(at('real/new'));
    }),
  );

  test(
    'directories on the way that are missing are in memory',
    onUserthread(() => {
      under(memfs({ [at('made/up/file')]: 'x', [at('made/other')]: 'y' }), () => {
        expect([list(at('made')), list(at('made/up'))]).toEqual([['other', 'up'], ['file']]);
        put(at('made/third'), 'z');
        expect(text(at('made/third'))).toBe('z');
      });
      expect(fs.existsSync(at('made'))).toBe(false);
    }),
  );

  test(
    'real directories show what is mounted in them',
    onUserthread(() => {
      under(memfs({ [at('real/motd')]: symlink('x'), [at('real/extra')]: {}, [at('real/more')]: '' }), () => {
        expect(list(at('real'))).toEqual(['beside', 'extra', 'more', 'motd', 'sub']);
        expect(list(at('real'), 40)).toEqual(['beside', 'extra', 'more', 'motd', 'sub']);
        const fd = sys.open(at('real'), c.O_DIRECTORY);
        for (let i = 0; i < 2; i++) {
          const types: Record<string, number> = {};
          for (;;) {
            const entries = sys.getdents64(fd);
            if (entries.length === 0) break;
            for (const { name, type } of entries) types[name as string] = type;
          }
          expect(types).toMatchObject({ motd: c.DT_LNK, extra: c.DT_DIR, more: c.DT_REG, beside: c.DT_REG });
          sys.lseek(fd, 0);
        }
        const more = sys.openat(fd, 'more');
        expect(sys.read(more, Buffer.alloc(1))).toBe(0);
        expect(codeOf(() => sys.openat(fd, 'beside', c.O_DIRECTORY))).toBe('ENOTDIR');
        for (const open of [fd, more]) sys.close(open);
      });
    }),
  );

  test(
    'out of the tree by ".." and by links, and in again',
    onUserthread(() => {
      const tree = memfs({
        [at('real/in')]: {
          out: symlink('../beside'),
          absolute: symlink(at('real/beside')),
          folder: symlink('..'),
          back: symlink(`${at('real')}/../real/in/inner`),
          inner: 'inner',
          deep: { up: symlink('../../beside') },
        },
        [at('real/link')]: symlink('in/inner'),
      });
      under(tree, () => {
        for (const path of ['out', 'absolute', 'folder/beside', '../beside', 'deep/up', 'deep/../../beside'])
          expect([path, text(at(`real/in/${path}`))]).toEqual([path, 'beside']);
        // Before a program a link outside of the tree that leads into it is not followed there.
        const through = way.isProgram ? [] : ['in/folder/in/inner'];
        for (const path of ['in/back', 'link', 'in/../in/inner', ...through])
          expect([path, text(at(`real/${path}`))]).toEqual([path, 'inner']);
        const fd = sys.open(at('real/in/deep'), c.O_PATH | c.O_DIRECTORY);
        const beside = sys.openat(fd, '../../beside');
        expect(sys.read(beside, Buffer.alloc(10))).toBe(6);
        sys.mkdir(at('real/in/folder/made'), 0o755);
        expect(fs.statSync(at('real/made')).isDirectory()).toBe(true);
        fs.rmdirSync(at('real/made'));
        expect(codeOf(() => sys.rename(at('real/in/inner'), at('real/inner')))).toBe('EXDEV');
        for (const open of [fd, beside]) sys.close(open);
      });
    }),
  );

  test(
    '".." after a real link, and after nothing',
    onUserthread(() => {
      fs.mkdirSync(at('elsewhere/sub'), { recursive: true });
      fs.writeFileSync(at('elsewhere/in'), 'the real one');
      fs.symlinkSync(at('elsewhere/sub'), at('real/away'));
      under(memfs({ [at('real/in')]: 'memory' }), () => {
        // Before a program ".." goes up by one name, whatever is there.
        expect(text(at('real/away/../in'))).toBe(way.isProgram ? 'memory' : 'the real one');
        expect(codeOf(() => sys.close(sys.open(at('real/nothing/../in'))))).toBe(
          way.isProgram ? 'no error' : 'ENOENT',
        );
      });
      fs.unlinkSync(at('real/away'));
    }),
  );

  test(
    'forty links are followed, and no more; relative paths begin at the working directory',
    onUserthread(() => {
      const links: Record<string, ReturnType<typeof symlink> | string> = { l0: 'end', loop: symlink('loop') };
      for (let i = 1; i <= 41; i++) links[`l${i}`] = symlink(`l${i - 1}`);
      under(memfs({ [at('loops')]: links, [at('real/in/x')]: 'x' }), () => {
        expect(text(at('loops/l40'))).toBe('end');
        expect(codeOf(() => sys.open(at('loops/l41')))).toBe('ELOOP');
        expect(codeOf(() => sys.open(at('loops/loop')))).toBe('ELOOP');
        sys.chdir(at('real'));
        expect([text('in/x'), text('./in/../in/x'), text('beside')]).toEqual(['x', 'x', 'beside']);
        sys.chdir('in');
        expect([text('x'), text('../beside'), sys.getcwd()]).toEqual(['x', 'beside', at('real/in')]);
      });
    }),
  );

  test(
    'names that are no UTF-8',
    onUserthread(() => {
      const tree = memfs({ '/x': {} });
      under(tree, () => {
        const name = Buffer.concat([Buffer.from('/x/'), Buffer.from([0xff, 0xfe])]);
        sys.close(sys.open(name, c.O_CREAT | c.O_WRONLY, 0o600));
        const fd = sys.open('/x', c.O_DIRECTORY);
        expect(sys.getdents64(fd, undefined, 'buffer').map((entry) => entry.name)).toContainEqual(
          Buffer.from([0xff, 0xfe]),
        );
        sys.close(fd);
        sys.mkdir('/x/wörld ✓');
        expect(list('/x')).toContain('wörld ✓');
      });
      expect(tree.exists('/x/wörld ✓')).toBe(true);
    }),
  );

  test(
    'an unlinked file lives until its last descriptor is closed; locks stand in each other’s way',
    onUserthread(() => {
      under(memfs({ '/x': { a: 'text' } }), () => {
        const fd = sys.open('/x/b', c.O_CREAT | c.O_RDWR, 0o600);
        sys.write(fd, 'gone');
        sys.unlink('/x/b');
        const second = sys.dup(fd);
        sys.close(fd);
        expect(sys.readlink(`/proc/self/fd/${second}`)).toBe('/x/b (deleted)');
        expect([sys.fstat(second).nlink, sys.pread64(second, Buffer.alloc(9), 9, 0)]).toEqual([0, 4]);
        const [one, two] = [sys.open('/x/a', c.O_RDWR), sys.open('/x/a', c.O_RDWR)];
        const lock = Buffer.alloc(32);
        lock.writeInt16LE(c.F_WRLCK, 0);
        sys.fcntl(one, c.F_OFD_SETLK, lock);
        expect(codeOf(() => sys.fcntl(two, c.F_OFD_SETLK, lock))).toBe('EAGAIN');
        sys.close(one);
        sys.fcntl(two, c.F_OFD_SETLK, lock);
        for (const open of [second, two]) sys.close(open);
      });
    }),
  );

  test(
    'a hole, and offsets beyond 2^32; times that move; modes and the umask',
    onUserthread(() => {
      const tree = memfs({ '/x': { a: file('text', { atime: 1000, mtime: 2000 }) } }, { umask: 0o027 });
      under(tree, () => {
        const fd = sys.open('/x/far', c.O_CREAT | c.O_RDWR, 0o600);
        expect(sys.pwrite64(fd, 'far', 3, 5n * 2n ** 33n)).toBe(3);
        expect(sys.fstat(fd).size).toBe(5 * 2 ** 33 + 3);
        expect(sys.lseek(fd, 0, c.SEEK_DATA)).toBe(5 * 2 ** 33);
        expect(codeOf(() => sys.pwrite64(fd, 'x', 1, -1))).toBe('EINVAL');
        sys.ftruncate(fd, 0);
        sys.close(fd);
        const times = (): bigint[] => {
          const { atimeNs, mtimeNs } = sys.statx(c.AT_FDCWD, '/x/a');
          return [atimeNs, mtimeNs];
        };
        expect(times()).toEqual([1_000_000_000_000n, 2_000_000_000_000n]);
        put('/x/a', 'more', c.O_APPEND);
        expect(times()[1]).not.toBe(2_000_000_000_000n);
        sys.umask(0o027);
        put('/x/made', 'm');
        expect(sys.statx(c.AT_FDCWD, '/x/made').mode & 0o7777).toBe(0o640);
      });
      expect(tree.readFile('/x/a', 'utf8')).toBe('textmore');
    }),
  );

  test(
    'trace outside, policy inside, which sees none of the tree’s names; one over another',
    onUserthread(() => {
      const lines: string[] = [];
      const shims = [
        trace({ output: (line) => lines.push(line) }),
        memfs({ '/etc/shadow': 'not the real one' }),
        memfs({ '/etc/shadow': 'not this one either', '/y': { z: 'z' } }),
        policy([{ action: 'deny', on: ['open'], path: '/etc/**', errno: 'EACCES' }]),
      ];
      underShims(way, shims, () => {
        expect([text('/etc/shadow'), text('/y/z')]).toEqual(['not the real one', 'z']);
        expect(codeOf(() => sys.open('/etc/passwd'))).toBe('EACCES');
      });
      expect(lines.some((line) => line.includes('"not the real one"'))).toBe(true);
      expect(lines.some((line) => /libcr-memfs-|\/dev\/null/.test(line))).toBe(false);
    }),
  );

  test(
    'a thousand files, listed in pieces, removed meanwhile; sixteen megabytes',
    onUserthread(() => {
      const names = Array.from({ length: 1000 }, (_, i) => `f${String(i).padStart(4, '0')}`);
      const tree = memfs({ '/x': Object.fromEntries(names.map((name) => [name, name])) });
      under(tree, () => {
        expect(list('/x', way.isProgram ? 2000 : 200)).toEqual(names);
        const log = sys.open('/x/log', c.O_CREAT | c.O_RDWR | c.O_APPEND, 0o600);
        const piece = Buffer.from(Array.from({ length: 100_007 }, (_, i) => i & 0xff));
        let size = 0;
        while (size < 16 * 2 ** 20) size += sys.write(log, piece);
        const back = Buffer.alloc(piece.length);
        for (let from = 0; from < size; from += piece.length)
          expect([sys.pread64(log, back, back.length, from), back.equals(piece)]).toEqual([
            piece.length,
            true,
          ]);
        sys.close(log);
        sys.unlink('/x/log');
        const fd = sys.open('/x', c.O_DIRECTORY);
        const seen: string[] = [];
        for (;;) {
          const entries = sys.getdents64(fd, Buffer.alloc(way.isProgram ? 5000 : 500));
          if (entries.length === 0) break;
          for (const { name } of entries) {
            seen.push(name as string);
            if (name !== '.' && name !== '..') sys.unlink(`/x/${name}`); // rm -r
          }
        }
        sys.close(fd);
        expect(seen.sort()).toEqual(['.', '..', ...names]);
      });
      expect(tree.toJSON()).toEqual({ '/x': null });
      if (!way.isProgram) expect(tree.usage()).toEqual({ bytes: 0, inodes: 1, descriptors: 0 });
    }),
  );
}
