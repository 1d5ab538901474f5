/** overlay.test.ts: a writable layer over real directories: what is written stays in memory, and the lower directories stay as they are. */
import { spawnSync } from 'node:child_process';
import nodeFs from 'node:fs';
import { join } from 'node:path';
import { create, run } from '@libcr/core';
import { expect, test } from 'vitest';
import ownFs from '../../src/fs/index.ts';
import { constants as c, sys } from '../../src/index.ts';
import { directory, file, type Overlay, overlay, symlink } from '../../src/shims/overlay/index.ts';
import { codeOf, errorOf, temporaryFolder } from '../support.ts';

const fs = ownFs as unknown as typeof nodeFs;
const folder = temporaryFolder();
let folders = 0;

/** A real directory with something in it. */
function lowerDirectory(files: Record<string, string>): string {
  const path = join(folder, `l${folders++}`);
  nodeFs.mkdirSync(path);
  for (const [name, text] of Object.entries(files)) {
    nodeFs.mkdirSync(join(path, name, '..'), { recursive: true });
    nodeFs.writeFileSync(join(path, name), text);
  }
  return path;
}

/** All that is really there. */
function snapshot(path: string): unknown[] {
  return nodeFs
    .readdirSync(path, { recursive: true })
    .map(String)
    .sort()
    .map((name) => {
      const { ino, mode, nlink, uid, gid, size, mtimeMs, ctimeMs } = nodeFs.lstatSync(join(path, name));
      return { name, ino, mode, nlink, uid, gid, size, mtimeMs, ctimeMs };
    });
}

/** Runs fn on a userthread that sees the overlay. */
const within = <R>(tree: Overlay, fn: () => R): Promise<Awaited<R>> =>
  run(() => create(fn, { syscallPort: sys.with(tree) }).join()) as Promise<Awaited<R>>;

test('a dry run: everything is changed, and nothing is', async () => {
  const lower = lowerDirectory({
    'a.txt': 'a',
    'b.txt': 'b',
    'dir/one': '1',
    'dir/deep/two': '2',
    'other/x': '',
  });
  nodeFs.linkSync(join(lower, 'a.txt'), join(lower, 'hard.txt'));
  nodeFs.symlinkSync('a.txt', join(lower, 'soft.txt'));
  const before = snapshot(lower);
  const tree = overlay({ lower });
  const at = (name: string): string => join(lower, name);
  const seen = await within(tree, () => {
    const { ino } = fs.statSync(at('a.txt'));
    fs.appendFileSync(at('soft.txt'), '+');
    const same = fs.statSync(at('hard.txt'));
    fs.renameSync(at('dir'), at('moved'));
    fs.rmSync(at('b.txt'));
    fs.rmSync(at('other'), { recursive: true });
    fs.mkdirSync(at('other'));
    fs.writeFileSync(at('new'), 'new');
    fs.chmodSync(at('moved/one'), 0o600);
    return {
      linked: [same.ino === ino, same.nlink, fs.readFileSync(at('hard.txt'), 'utf8')],
      names: fs.readdirSync(lower).sort(),
      two: fs.readFileSync(at('moved/deep/two'), 'utf8'),
      other: fs.readdirSync(at('other')),
      gone: codeOf(() => fs.statSync(at('b.txt'))),
      excl: codeOf(() => fs.writeFileSync(at('b.txt'), 'again', { flag: 'wx' })),
    };
  });
  expect(seen).toEqual({
    linked: [true, 2, 'a+'],
    names: ['a.txt', 'hard.txt', 'moved', 'new', 'other', 'soft.txt'],
    two: '2',
    other: [],
    gone: 'ENOENT',
    excl: 'no error',
  });
  expect(snapshot(lower)).toEqual(before);
  expect(tree.changes().map(({ path, change }) => `${change} ${path.slice(lower.length)}`)).toEqual([
    'changed /a.txt',
    'removed /b.txt',
    'added /b.txt',
    'removed /dir',
    'changed /hard.txt',
    'added /moved',
    'added /moved/deep',
    'added /moved/deep/two',
    'added /moved/one',
    'added /new',
    'removed /other',
    'added /other',
  ]);
  const again = overlay({ lower, upper: tree.toJSON() });
  expect(await within(again, () => fs.readdirSync(lower).sort())).toEqual([
    'a.txt',
    'b.txt',
    ...seen.names.slice(1),
  ]);
  expect(again.readFile(at('moved/deep/two'), 'utf8')).toBe('2');
  expect(again.readFile(at('a.txt'), 'utf8')).toBe('a+');
  expect(again.readdir(at('other'))).toEqual([]);
});

test('save(): what has been changed, in the form of overlayfs', async () => {
  const lower = lowerDirectory({
    'keep/a': 'a',
    'dir/x': 'x',
    'replaced/old': 'o',
    gone: '',
    file: 'f',
    mode: 'm',
  });
  const at = (name: string): string => join(lower, name);
  const tree = overlay({ lower });
  await within(tree, () => {
    fs.unlinkSync(at('gone'));
    fs.appendFileSync(at('file'), '!');
    fs.linkSync(at('file'), at('linked'));
    fs.renameSync(at('dir'), at('moved'));
    fs.rmSync(at('replaced'), { recursive: true });
    fs.mkdirSync(at('replaced'));
    fs.writeFileSync(at('replaced/new'), 'n');
    fs.writeFileSync(at('keep/b'), 'b');
    fs.chmodSync(at('mode'), 0o640);
    fs.utimesSync(at('mode'), 7, 8);
    fs.symlinkSync('file', at('soft'));
  });
  const saved = join(folder, `saved${folders++}`);
  tree.save(saved);
  expect(errorOf(() => tree.save(saved)).code).toBe('ENOTEMPTY');
  expect(nodeFs.lstatSync(join(saved, 'gone'))).toMatchObject({ rdev: 0 });
  expect(nodeFs.readdirSync(join(saved, 'keep'))).toEqual(['b']);
  const again = overlay({ lower: [saved, lower], at: '/again' });
  const look = (tree: Overlay, root: string): Promise<unknown[]> =>
    within(tree, () =>
      (fs.readdirSync(root, { recursive: true }) as string[]).sort().map((name) => {
        const stat = fs.lstatSync(join(root, name));
        const { mode, uid, gid, mtimeMs } = stat;
        const text = stat.isFile() ? fs.readFileSync(join(root, name), 'utf8') : '';
        return [name, mode, uid, gid, text, stat.isFile() ? [stat.nlink, mtimeMs] : 0];
      }),
    );
  expect(await look(again, '/again')).toEqual(await look(tree, lower));
  expect(again.changes()).toEqual([]);
});

test('several layers: the uppermost first; whiteouts and what replaces a directory', async () => {
  const top = lowerDirectory({ 'both/top': 't', 'file-over-directory': 'f' });
  const bottom = lowerDirectory({
    'both/bottom': 'b',
    'both/top': 'hidden',
    'file-over-directory/x': '',
    only: 'o',
  });
  const tree = overlay({
    lower: [top, bottom],
    at: '/merged/here',
    upper: {
      only: false,
      both: { 'new/file': 'n' },
      replaced: directory({ inside: file('i', { mode: 0o600 }) }),
      link: symlink('both/top'),
      empty: null,
    },
  });
  const list = await within(tree, () => ({
    root: fs.readdirSync('/merged/here').sort(),
    both: fs.readdirSync('/merged/here/both').sort(),
    top: fs.readFileSync('/merged/here/link', 'utf8'),
    file: fs.readFileSync('/merged/here/file-over-directory', 'utf8'),
    new: fs.readFileSync('/merged/here/both/new/file', 'utf8'),
    mode: fs.statSync('/merged/here/replaced/inside').mode & 0o777,
    above: fs.readdirSync('/merged'),
  }));
  expect(list).toEqual({
    root: ['both', 'empty', 'file-over-directory', 'link', 'replaced'],
    both: ['bottom', 'new', 'top'],
    top: 't',
    file: 'f',
    new: 'n',
    mode: 0o600,
    above: ['here'],
  });
});

test('open files: what is read, written and unlinked stays as it was opened', async () => {
  const lower = lowerDirectory({ file: 'lower', gone: 'still here', big: 'x'.repeat(3_000_000) });
  const tree = overlay({ lower });
  const at = (name: string): string => join(lower, name);
  const seen = await within(tree, () => {
    const reader = sys.open(at('file'), c.O_RDONLY);
    const before = sys.fstat(reader);
    const writer = sys.open(at('file'), c.O_WRONLY | c.O_APPEND);
    sys.write(writer, '+upper');
    const buffer = Buffer.alloc(100);
    const text = buffer.toString('utf8', 0, sys.read(reader, buffer));
    const after = sys.fstat(reader);
    const gone = sys.open(at('gone'), c.O_RDWR);
    sys.unlink(at('gone'));
    sys.write(gone, 'STILL');
    const left = buffer.toString('utf8', 0, sys.pread64(gone, buffer, 100, 0));
    const cut = sys.open(at('big'), c.O_RDWR);
    sys.ftruncate(cut, 10);
    const { size } = sys.fstat(cut);
    for (const fd of [reader, writer, gone, cut]) sys.close(fd);
    return { text, same: before.ino === after.ino && before.dev === after.dev, left, size: Number(size) };
  });
  expect(seen).toEqual({ text: 'lower+upper', same: true, left: 'STILL here', size: 10 });
  expect(nodeFs.readFileSync(at('file'), 'utf8')).toBe('lower');
  expect(tree.usage().descriptors).toBe(0);
});

test('attributes and extended attributes are copied, and changed above only', async () => {
  const lower = lowerDirectory({ file: 'x', 'dir/y': '' });
  const at = (name: string): string => join(lower, name);
  nodeFs.utimesSync(at('file'), 1_000, 2_000);
  const before = snapshot(lower);
  const tree = overlay({ lower });
  const seen = await within(tree, () => {
    const { mtimeMs } = fs.statSync(at('file'));
    sys.setxattr(at('file'), 'user.note', Buffer.from('hi'), 0);
    fs.chmodSync(at('dir'), 0o700);
    fs.utimesSync(at('file'), 5, 6);
    return {
      mtimeMs,
      note: String(sys.getxattr(at('file'), 'user.note', 10)),
      names: sys.listxattr(at('file'), 1000).length > 0,
      mode: fs.statSync(at('dir')).mode & 0o777,
      later: fs.statSync(at('file')).mtimeMs,
    };
  });
  expect(seen).toEqual({ mtimeMs: 2_000_000, note: 'hi', names: true, mode: 0o700, later: 6000 });
  expect(tree.changes()).toEqual([
    { path: at('dir'), change: 'attributes', type: 'directory' },
    { path: at('file'), change: 'attributes', type: 'file' },
  ]);
  expect(snapshot(lower)).toEqual(before);
});

test('a FIFO and a device below are opened where they lie', async () => {
  const lower = lowerDirectory({});
  await run(() => sys.mknod(join(lower, 'fifo'), c.S_IFIFO | 0o600, 0));
  const tree = overlay({ lower });
  const text = await within(tree, () => {
    const fd = sys.open(join(lower, 'fifo'), c.O_RDWR | c.O_NONBLOCK);
    sys.write(fd, 'through');
    const buffer = Buffer.alloc(10);
    const n = sys.read(fd, buffer);
    sys.close(fd);
    return buffer.toString('utf8', 0, n);
  });
  expect(text).toBe('through');
});

test('it is watched like memfs', async () => {
  const lower = lowerDirectory({ old: '' });
  const tree = overlay({ lower });
  const events: string[] = [];
  const ended = new Promise<void>((resolve) => {
    within(tree, () =>
      fs.watch(lower, function (this: nodeFs.FSWatcher, type, name) {
        events.push(`${type} ${name}`);
        if (name !== 'new') return;
        watcher?.close();
        resolve();
      }),
    ).then((made) => {
      watcher = made;
      tree.rm(join(lower, 'old'));
      tree.writeFile(join(lower, 'new'), '');
    });
  });
  let watcher: nodeFs.FSWatcher | undefined;
  await ended;
  expect(events.slice(0, 2)).toEqual(['rename old', 'rename new']);
});

test('what it refuses', () => {
  const lower = lowerDirectory({ file: '' });
  const refused = (options: unknown): unknown => errorOf(() => overlay(options as never)).code;
  expect(refused(undefined)).toBe('ERR_INVALID_ARG_TYPE');
  expect(refused({})).toBe('ERR_INVALID_ARG_TYPE');
  expect(refused({ lower: [] })).toBe('ERR_INVALID_ARG_VALUE');
  expect(refused({ lower: 'a\0b' })).toBe('ERR_INVALID_ARG_VALUE');
  expect(refused({ lower: join(lower, 'missing') })).toBe('ENOENT');
  expect(refused({ lower: join(lower, 'file') })).toBe('ENOTDIR');
  expect(refused({ lower, at: '/' })).toBe('ERR_INVALID_ARG_VALUE');
  expect(refused({ lower, at: 1 })).toBe('ERR_INVALID_ARG_TYPE');
  expect(refused({ lower, upper: '/tmp' })).toBe('ERR_INVALID_ARG_VALUE');
  expect(refused({ lower, upper: 1 })).toBe('ERR_INVALID_ARG_TYPE');
  expect(refused({ lower, upper: { 'file/x': '' } })).toBe('ERR_INVALID_ARG_VALUE');
  expect(refused({ lower, upper: { '../x': '' } })).toBe('ERR_INVALID_ARG_VALUE');
  expect(refused({ lower, colour: 'red' })).toBe('ERR_INVALID_ARG_VALUE');
});

test.each([
  [
    'options',
    { overlay: { lower: './', upper: { file: 'above', added: 'a', gone: false } } },
    'above a false',
  ],
  ['a directory', { overlay: '.' }, 'below none true'],
])('in a configuration file: %s', (_name, shims, expected) => {
  const lower = lowerDirectory({ file: 'below', gone: '' });
  nodeFs.writeFileSync(join(lower, 'libcr.config.json'), JSON.stringify({ fs: true, shims }));
  const program =
    "const fs = require('fs'); const has = fs.existsSync; fs.writeFileSync('written', '');" +
    "console.log(fs.readFileSync('file', 'utf8'), has('added') ? 'a' : 'none', has('gone'));";
  const register = join(import.meta.dirname, '../../dist/register.js');
  const { stdout, stderr } = spawnSync(process.execPath, ['--import', register, '-e', program], {
    cwd: lower,
    encoding: 'utf8',
    timeout: 60_000,
  });
  expect({ stdout, stderr }).toEqual({ stdout: `${expected}\n`, stderr: '' });
  expect(nodeFs.existsSync(join(lower, 'written'))).toBe(false);
});

test('without permissions: as the modes say', async () => {
  const lower = lowerDirectory({ file: 'x', 'closed/y': '' });
  nodeFs.chmodSync(join(lower, 'closed'), 0o700);
  nodeFs.chmodSync(join(lower, 'file'), 0o644);
  const tree = overlay({ lower, uid: 65_534, gid: 65_534 });
  const codes = await within(tree, () => [
    codeOf(() => fs.readFileSync(join(lower, 'file'))),
    codeOf(() => fs.writeFileSync(join(lower, 'file'), '')),
    codeOf(() => fs.readFileSync(join(lower, 'closed/y'))),
    codeOf(() => fs.writeFileSync(join(lower, 'new'), '')),
  ]);
  expect(codes).toEqual(['no error', 'EACCES', 'EACCES', 'EACCES']);
  nodeFs.chmodSync(join(lower, 'closed'), 0o755);
});

test('more than there is room for: ENOSPC, and the file stays as it was', async () => {
  const lower = lowerDirectory({ big: 'y'.repeat(100_000) });
  const tree = overlay({ lower, size: 8192 });
  const seen = await within(tree, () => [
    codeOf(() => fs.appendFileSync(join(lower, 'big'), 'z')),
    fs.readFileSync(join(lower, 'big')).length,
    codeOf(() => fs.writeFileSync(join(lower, 'big'), 'small')),
    fs.readFileSync(join(lower, 'big'), 'utf8'),
  ]);
  expect(seen).toEqual(['ENOSPC', 100_000, 'no error', 'small']);
});
