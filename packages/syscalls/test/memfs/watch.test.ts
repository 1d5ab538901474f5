/** watch.test.ts: inotify on memfs: as a real tmpfs' by random operations; and what fs.watch, promises.watch and watchFile make of it. */
import type nodeFs from 'node:fs';
import { statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { create, run } from '@libcr/core';
import { expect, test } from 'vitest';
import ownFs from '../../src/fs/index.ts';
import { constants as c, sys } from '../../src/index.ts';
import { memfs } from '../../src/shims/memfs/index.ts';
import { codeOf, runProgram, temporaryFolder } from '../support.ts';

const fs = ownFs as unknown as typeof nodeFs;
const folder = temporaryFolder();
const TMPFS_MAGIC = 0x01021994;
const seed = Number(process.env.LIBCR_SEED ?? Math.floor(Math.random() * 2 ** 31));

function isTmpfs(path: string): boolean {
  try {
    return statfsSync(path).type === TMPFS_MAGIC;
  } catch {
    return false;
  }
}

const on = isTmpfs('/dev/shm');
if (!on) console.log('/dev/shm is no tmpfs here: inotify on memfs is not compared with it');

test.skipIf(!on).each([
  [50, 60],
  [3, 400],
])('as on a tmpfs: %i sequences of %i operations', async (sequences, length) => {
  console.log(`LIBCR_SEED=${seed}`);
  const args = ['/dev/shm', tmpdir(), String(seed), String(sequences), String(length)];
  const { status, stdout, stderr } = await runProgram('memfs/inotify.mjs', ...args);
  expect({ status, stdout, stderr }).toEqual({
    status: 0,
    stdout: expect.stringMatching(/^\d+ kinds of operations\nthe same: /),
    stderr: '',
  });
});

/** Waits until it holds; the test's own time limit is the end. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await pause(2);
}

/** Runs fn on a userthread that sees the tree. */
const within = <R>(tree: ReturnType<typeof memfs>, fn: () => R): Promise<Awaited<R>> =>
  run(() => create(fn, { syscallPort: sys.with(tree) }).join()) as Promise<Awaited<R>>;

test('fs.watch: what is done through the port, and by the handle', async () => {
  const tree = memfs({ '/virtual': { file: 'x', sub: {} } });
  const events: string[] = [];
  const watcher = await within(tree, () => {
    const made = fs.watch('/virtual', (type, name) => void events.push(`${type} ${name}`));
    fs.writeFileSync('/virtual/new', 'text');
    fs.renameSync('/virtual/new', '/virtual/newer');
    fs.chmodSync('/virtual/file', 0o600);
    fs.unlinkSync('/virtual/file');
    fs.writeFileSync('/virtual/sub/unseen', '');
    return made;
  });
  tree.writeFile('/virtual/outside', '1');
  tree.rm('/virtual/newer');
  tree.mkdir('/virtual/end');
  await until(() => events.at(-1) === 'rename end');
  watcher.close();
  expect(events).toEqual([
    'rename new',
    'change new',
    'rename new',
    'rename newer',
    'change file',
    'rename file',
    'rename outside',
    'change outside',
    'rename newer',
    'rename end',
  ]);
  await until(() => tree.usage().descriptors === 0);
});

test('fs.watch, recursive: directories that come later', async () => {
  const tree = memfs({ '/virtual': { a: {} } });
  const events = new Set<string>();
  const watcher = await within(tree, () =>
    fs.watch('/virtual', { recursive: true }, (type, name) => void events.add(`${type} ${name}`)),
  );
  tree.mkdir('/virtual/a/b/c');
  await until(() => events.has('rename a/b/c'));
  tree.writeFile('/virtual/a/b/c/file', '');
  await until(() => events.has('rename a/b/c/file'));
  watcher.close();
});

test('promises.watch and watchFile', async () => {
  const tree = memfs({ '/virtual/file': 'old' });
  const [found, sizes] = await within(tree, async () => {
    const controller = new AbortController();
    const events = fs.promises.watch('/virtual/file', {
      signal: controller.signal,
    }) as AsyncGenerator<{ eventType: string; filename: string | null }>;
    const first = events.next();
    const changed = new Promise<number[]>((resolve) => {
      fs.watchFile('/virtual/file', { interval: 2 }, (now, before) => resolve([before.size, now.size]));
    });
    await pause(20);
    tree.writeFile('/virtual/file', 'longer');
    const both = await Promise.all([first, changed]);
    fs.unwatchFile('/virtual/file');
    controller.abort();
    return both;
  });
  expect(found.value).toEqual({ eventType: 'change', filename: 'file' });
  expect(sizes).toEqual([3, 6]);
});

test('one descriptor watches memory and a real folder; poll and a blocking read are woken', async () => {
  const tree = memfs({ '/virtual': {} });
  const seen = await within(tree, () => {
    const fd = sys.inotify_init1(c.IN_CLOEXEC);
    const real = sys.inotify_add_watch(fd, folder, c.IN_CREATE);
    const virtual = sys.inotify_add_watch(fd, '/virtual', c.IN_CREATE);
    const names: string[] = [];
    const take = (): void => {
      const buffer = Buffer.alloc(4096);
      const n = sys.read(fd, buffer);
      for (let at = 0; at < n; at += 16 + buffer.readUInt32LE(at + 12)) {
        const whose = buffer.readInt32LE(at) === real ? 'real' : 'virtual';
        const end = at + 16 + buffer.readUInt32LE(at + 12);
        names.push(`${whose} ${buffer.toString('latin1', at + 16, end).replace(/\0+$/, '')}`);
      }
    };
    for (const name of ['a', 'b']) {
      writeFileSync(join(folder, name), '');
      tree.writeFile(`/virtual/${name}`, '');
    }
    take();
    const reader = create(take);
    const waiter = create(() => sys.poll([{ fd, events: c.POLLIN }], -1));
    setImmediate(() => tree.writeFile('/virtual/late', ''));
    reader.join();
    tree.writeFile('/virtual/later', '');
    waiter.join();
    take();
    sys.inotify_rm_watch(fd, virtual);
    sys.inotify_rm_watch(fd, real);
    const none = codeOf(() => sys.inotify_rm_watch(fd, virtual));
    sys.close(fd);
    return [...names, none];
  });
  expect(seen).toEqual([
    'real a',
    'virtual a',
    'real b',
    'virtual b',
    'virtual late',
    'virtual later',
    'EINVAL',
  ]);
});

/** Masks of what a descriptor of inotify's has to tell. */
function masksOf(fd: number): number[] {
  const list: number[] = [];
  const buffer = Buffer.alloc(1 << 16);
  while (isReady(fd)) {
    const n = sys.read(fd, buffer);
    for (let at = 0; at < n; at += 16 + buffer.readUInt32LE(at + 12)) list.push(buffer.readUInt32LE(at + 4));
  }
  return list;
}

test('a directory that has been removed is gone with the last file that lies in it, also one that never had a name', async () => {
  const tree = memfs({ '/virtual': { named: {}, unnamed: {} } });
  const told = await within(tree, () =>
    ['named', 'unnamed'].map((name) => {
      const directory = `/virtual/${name}`;
      const file = `${directory}/file`;
      const fd = sys.inotify_init1(c.IN_NONBLOCK);
      const flags = c.O_RDWR | (name === 'named' ? c.O_CREAT : c.O_TMPFILE);
      const open = sys.open(name === 'named' ? file : directory, flags, 0o600);
      if (name === 'named') sys.unlink(file);
      sys.inotify_add_watch(fd, directory, c.IN_DELETE_SELF);
      sys.rmdir(directory);
      const before = masksOf(fd);
      sys.close(open);
      const after = masksOf(fd);
      sys.close(fd);
      return [before, after];
    }),
  );
  const gone = [[], [c.IN_DELETE_SELF, c.IN_IGNORED]];
  expect(told).toEqual([gone, gone]);
});

test('more events than the kernel keeps: told as lost, and it goes on afterwards', async () => {
  const tree = memfs({ '/virtual': { a: '', b: '' } });
  const [lost, next] = await within(tree, () => {
    const fd = sys.inotify_init1(c.IN_NONBLOCK);
    sys.inotify_add_watch(fd, '/virtual', c.IN_MODIFY);
    for (let i = 0; i < 17_000; i++) tree.writeFile(`/virtual/${i % 2 === 0 ? 'a' : 'b'}`, '');
    const first = masksOf(fd);
    tree.writeFile('/virtual/a', '');
    const second = masksOf(fd);
    sys.close(fd);
    return [first.filter((mask) => mask === c.IN_Q_OVERFLOW).length, second];
  });
  expect(lost).toBe(1);
  expect(next).toEqual([c.IN_MODIFY]);
});

function isReady(fd: number): boolean {
  return sys.poll([{ fd, events: c.POLLIN }], 0) === 1;
}

test('errors, and no descriptor left', async () => {
  const tree = memfs({ '/virtual/file': '' });
  const codes = await within(tree, () => {
    const fd = sys.inotify_init1(0);
    const list = [
      codeOf(() => sys.inotify_add_watch(fd, '/virtual/missing', c.IN_ALL_EVENTS)),
      codeOf(() => sys.inotify_add_watch(fd, '/virtual/file', c.IN_ALL_EVENTS | c.IN_ONLYDIR)),
      codeOf(() => sys.inotify_add_watch(fd, '/virtual/file', 0)),
      codeOf(() => sys.inotify_add_watch(-1, '/virtual/file', c.IN_ALL_EVENTS)),
      codeOf(() => sys.inotify_add_watch(0, '/virtual/file', c.IN_ALL_EVENTS)),
    ];
    const before = fs.readdirSync('/proc/self/fd').length;
    const others = Array.from({ length: 5 }, () => sys.inotify_init1(0));
    for (const other of others) sys.inotify_add_watch(other, '/virtual', c.IN_ALL_EVENTS);
    for (const other of others) sys.close(other);
    const left = fs.readdirSync('/proc/self/fd').length - before;
    sys.close(fd);
    return [...list, left];
  });
  expect(codes).toEqual(['ENOENT', 'ENOTDIR', 'EINVAL', 'EBADF', 'EINVAL', 0]);
});
