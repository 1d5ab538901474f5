/** watch.test.ts: watch, promises.watch and watchFile of @libcr/syscalls/fs beside node:fs': they see the same, and end as they do. */
import { once } from 'node:events';
import nodeFs from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { create, run } from '@libcr/core';
import { expect, test } from 'vitest';
import ownFs from '../../src/fs/index.ts';
import { defineShim, sys } from '../../src/index.ts';
import { errorOf, runProgram, temporaryFolder } from '../support.ts';

type Fs = typeof nodeFs;
const own = ownFs as unknown as Fs;
const folder = temporaryFolder();
let folders = 0;

function newFolder(): string {
  const path = join(folder, `f${folders++}`);
  nodeFs.mkdirSync(path);
  return path;
}

/** Waits until it holds; the test's own time limit is the end. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await pause(2);
}

/** Without repetitions, of which the kernel makes one while nobody has read the first. */
const distinct = (events: string[]): string[] => events.filter((event, i) => event !== events[i - 1]);

/** What both tell of the same, up to a last file called "end". */
async function told(
  path: string,
  options: nodeFs.WatchOptions | string,
  act: () => void,
): Promise<string[][]> {
  const lists = [nodeFs, own].map((fs) => {
    const events: string[] = [];
    const watcher = fs.watch(path, options as nodeFs.WatchOptions, (type, name) => {
      events.push(`${type} ${Buffer.isBuffer(name) ? name.toString('hex') : name}`);
    });
    return { events, watcher };
  });
  act();
  await until(() => lists.every(({ events }) => /(end|656e64|ZW5k)$/.test(events.at(-1) ?? '')));
  for (const { watcher } of lists) watcher.close();
  return lists.map(({ events }) => distinct(events));
}

test.each<[string, nodeFs.WatchOptions | string]>([
  ['names as text', {}],
  ['names as bytes', { encoding: 'buffer' }],
  ['names in base64', 'base64'],
])('a directory: %s', async (_name, options) => {
  const path = newFolder();
  const at = (name: string): string => join(path, name);
  nodeFs.writeFileSync(at('old'), '');
  const [theirs, ours] = await told(path, options, () => {
    nodeFs.writeFileSync(at('new'), 'x');
    nodeFs.appendFileSync(at('new'), 'y');
    nodeFs.renameSync(at('new'), at('ä'));
    nodeFs.chmodSync(at('ä'), 0o600);
    nodeFs.mkdirSync(at('sub'));
    nodeFs.chmodSync(at('sub'), 0o700);
    nodeFs.writeFileSync(at('sub/unseen'), '');
    nodeFs.rmSync(at('sub'), { recursive: true });
    nodeFs.unlinkSync(at('old'));
    nodeFs.chmodSync(path, 0o700);
    nodeFs.writeFileSync(Buffer.concat([Buffer.from(`${path}/`), Buffer.from([0xff, 0xfe])]), '');
    nodeFs.writeFileSync(at('end'), '');
  });
  expect(ours).toEqual(theirs);
  expect(ours?.length).toBeGreaterThan(8);
});

test.each<[string, (path: string) => nodeFs.PathLike]>([
  ['text', (path) => path],
  ['bytes', (path) => Buffer.from(path)],
  ['a URL', (path) => pathToFileURL(path)],
])('a file, its path as %s', async (_name, form) => {
  const path = join(newFolder(), 'file');
  nodeFs.writeFileSync(path, '');
  const events: string[][] = [[], []];
  const watchers = [nodeFs, own].map((fs, i) =>
    fs.watch(form(path), (type, name) => void events[i]?.push(`${type} ${name}`)),
  );
  nodeFs.appendFileSync(path, 'x');
  nodeFs.chmodSync(path, 0o600);
  nodeFs.unlinkSync(path);
  await until(() => events.every((list) => list.includes('rename file')));
  for (const watcher of watchers) watcher.close();
  expect(distinct(events[1] as string[])).toEqual(distinct(events[0] as string[]));
});

test('what can not be watched', async () => {
  const outcome = (fs: Fs, ...args: unknown[]): unknown => {
    const { message, name, ...rest } = errorOf(() => (fs.watch as (...args: unknown[]) => unknown)(...args));
    return String(rest.code).startsWith('ERR_') ? { name, code: rest.code } : { message, name, ...rest };
  };
  const path = newFolder();
  for (const args of [
    [join(path, 'missing')],
    [Buffer.from(join(path, 'missing'))],
    [1],
    ['a\0b'],
    [path, { recursive: 'yes' }],
    [path, { encoding: 'no' }],
    [path, { signal: {} }],
    [path, 1],
    [path, {}, 'no function'],
  ])
    expect(outcome(own, ...args)).toEqual(outcome(nodeFs, ...args));
  const descriptors = nodeFs.readdirSync('/proc/self/fd').length;
  for (let i = 0; i < 20; i++) errorOf(() => own.watch(join(path, 'missing')));
  expect(nodeFs.readdirSync('/proc/self/fd').length).toBe(descriptors);
});

test('close(): once, and nothing is told afterwards', async () => {
  const path = newFolder();
  const descriptors = nodeFs.readdirSync('/proc/self/fd').length;
  const events: string[] = [];
  const first = own.watch(path).on('change', () => events.push('change'));
  first.on('close', () => events.push('close'));
  first.close(); // before it has ever waited
  nodeFs.writeFileSync(join(path, 'a'), '');
  const second = own.watch(path).on('change', () => events.push('second'));
  nodeFs.writeFileSync(join(path, 'b'), '');
  await until(() => events.includes('second'));
  first.close();
  second.close();
  second.close();
  second.ref().unref();
  await once(second, 'close');
  nodeFs.writeFileSync(join(path, 'c'), '');
  await pause(20);
  expect(distinct(events)).toEqual(['close', 'second']);
  expect(nodeFs.readdirSync('/proc/self/fd').length).toBe(descriptors);
});

test('a signal closes it', async () => {
  const path = newFolder();
  const controller = new AbortController();
  const watcher = own.watch(path, { signal: controller.signal });
  const closed = once(watcher, 'close');
  controller.abort();
  await closed;
  await once(own.watch(path, { signal: controller.signal }), 'close'); // which is over already
});

test('recursive: the whole tree, as it becomes', async () => {
  const path = newFolder();
  const at = (name: string): string => join(path, name);
  nodeFs.mkdirSync(at('a/b'), { recursive: true });
  nodeFs.symlinkSync('/', at('a/everything')); // is not followed
  const events = new Set<string>();
  const watcher = own.watch(path, { recursive: true }, (type, name) => events.add(`${type} ${name}`));
  const seen = (event: string): Promise<void> => until(() => events.has(event));
  nodeFs.writeFileSync(at('a/b/file'), 'x');
  await seen('rename a/b/file');
  await seen('change a/b/file');
  nodeFs.mkdirSync(at('new/deep/er'), { recursive: true }); // faster than it can be watched
  nodeFs.writeFileSync(at('new/deep/er/file'), '');
  await seen('rename new/deep/er/file');
  nodeFs.renameSync(at('new'), at('moved'));
  await seen('rename moved');
  nodeFs.writeFileSync(at('moved/deep/later'), '');
  await seen('rename moved/deep/later');
  expect(events.has('rename new/deep/later')).toBe(false);
  const outside = join(newFolder(), 'away');
  nodeFs.renameSync(at('moved'), outside);
  nodeFs.writeFileSync(join(outside, 'deep/unseen'), '');
  nodeFs.rmSync(at('a'), { recursive: true });
  await seen('rename a');
  nodeFs.mkdirSync(at('a'));
  nodeFs.writeFileSync(at('a/again'), '');
  await seen('rename a/again');
  watcher.close();
  expect([...events].filter((event) => /unseen|everything\//.test(event))).toEqual([]);
});

test('promises.watch: a loop, and how it ends', async () => {
  const path = newFolder();
  const controller = new AbortController();
  const events: unknown[] = [];
  const loop = (async () => {
    for await (const { eventType, filename } of own.promises.watch(path, { signal: controller.signal })) {
      events.push([eventType, filename]);
      if (filename === 'last') controller.abort('enough');
    }
  })();
  await pause(0); // it has begun
  for (const name of ['one', 'last']) nodeFs.writeFileSync(join(path, name), '');
  await expect(loop).rejects.toMatchObject({ name: 'AbortError', code: 'ABORT_ERR', cause: 'enough' });
  expect(events).toContainEqual(['rename', 'one']);
  expect(events).toContainEqual(['rename', 'last']);
  const descriptors = nodeFs.readdirSync('/proc/self/fd').length;
  const rest = (async () => {
    for await (const { filename } of own.promises.watch(path)) return filename;
  })();
  await pause(0);
  nodeFs.writeFileSync(join(path, 'left'), '');
  expect(await rest).toBe('left');
  expect(nodeFs.readdirSync('/proc/self/fd').length).toBe(descriptors);
  const fails = async (options: object, file = path): Promise<unknown> =>
    own.promises.watch(file, options)[Symbol.asyncIterator]().next();
  await expect(fails({}, join(path, 'missing'))).rejects.toMatchObject({ code: 'ENOENT', syscall: 'watch' });
  await expect(fails({ signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'ABORT_ERR' });
  await expect(fails({ recursive: 1 })).rejects.toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' });
});

test('its calls go through the port', async () => {
  const path = newFolder();
  const calls: string[] = [];
  const noting = defineShim({
    name: 'noting',
    on: 'all',
    shim: (next) => (msg) => {
      calls.push(msg.name);
      return next(msg);
    },
  });
  const events: unknown[] = [];
  const watcher = await run(() =>
    create(() => own.watch(path, (type, name) => events.push(type, name)), {
      syscallPort: sys.with(noting),
    }).join(),
  );
  nodeFs.writeFileSync(join(path, 'file'), '');
  await until(() => events.length > 0);
  expect(events.slice(0, 2)).toEqual(['rename', 'file']);
  watcher.close();
  await once(watcher, 'close');
  expect(calls.slice(0, 3)).toEqual(['inotify_init1', 'inotify_add_watch', 'read']);
});

const shown = ({ size, mode, mtimeMs }: nodeFs.StatsBase<number | bigint>): string =>
  mtimeMs > 0 ? `${size} ${mode}` : 'nothing';

test('watchFile sees what node:fs sees', async () => {
  const path = join(newFolder(), 'file');
  const events: string[][] = [[], []];
  [nodeFs, own].forEach((fs, i) => {
    fs.watchFile(path, { interval: 5 }, (now, before) => {
      expect(now).toBeInstanceOf(nodeFs.Stats);
      events[i]?.push(`${shown(before)} -> ${shown(now)}`);
    });
  });
  const both = (last: RegExp): Promise<void> =>
    until(() => events.every((list) => last.test(list.at(-1) ?? '')));
  await both(/-> nothing/);
  nodeFs.writeFileSync(path, 'three', { mode: 0o600 });
  await both(/-> 5 /);
  nodeFs.chmodSync(path, 0o644);
  await both(/-> 5 33188$/);
  nodeFs.unlinkSync(path);
  await both(/-> nothing/);
  for (const fs of [nodeFs, own]) fs.unwatchFile(path);
  expect(events[1]?.[0]).toBe('nothing -> nothing');
  // Who looks between the making of a file and its first byte sees it empty; and a change may be seen in two steps, as the clock of files is coarse.
  for (const list of events)
    expect(
      distinct(list.map((event) => event.replace(/^.* -> /, '')).filter((now) => !/^0 /.test(now))),
    ).toEqual(['nothing', '5 33152', '5 33188', 'nothing']);
});

test('watchFile: several listeners, bigint, and misuse', async () => {
  const path = join(newFolder(), 'file');
  nodeFs.writeFileSync(path, '');
  const events: string[] = [];
  const first = (now: nodeFs.BigIntStats): void => void events.push(`first ${typeof now.size}`);
  const second = (): void => void events.push('second');
  const watcher = own.watchFile(path, { interval: 5, bigint: true }, first);
  expect(own.watchFile(join(path, '..', 'file'), { interval: 5 }, second)).toBe(watcher);
  await until(() => {
    nodeFs.appendFileSync(path, 'x'); // again: it may not have looked for the first time
    return events.includes('second');
  });
  expect(events).toContain('first bigint');
  own.unwatchFile(path, second);
  events.length = 0;
  nodeFs.appendFileSync(path, 'y');
  await until(() => events.length > 0);
  own.unwatchFile(path, first as never);
  events.length = 0;
  nodeFs.appendFileSync(path, 'z');
  await pause(30);
  expect(events).toEqual([]);
  own.unwatchFile(path);
  own.unwatchFile(join(path, 'nobody watches'));
  for (const args of [[1, second], [path], [path, {}, 1], [path, { interval: 'x' }, second]]) {
    const call = (fs: Fs) => errorOf(() => (fs.watchFile as (...args: unknown[]) => unknown)(...args)).code;
    expect([args.length, call(own)]).toEqual([args.length, 'ERR_INVALID_ARG_TYPE']);
  }
});

for (const path of ['chosen', 'readiness'])
  test.each([
    ['persistent: false', ['began']],
    ['unref()', ['began']],
    ['unref(), while it waits', ['began']],
    ['watchFile, persistent: false', ['began']],
    ['watchFile, unref()', ['began']],
    ['until close()', ['began', 'told']],
    ['ref(), until close()', ['began', 'told']],
    ['ref(), while it waits, until close()', ['began', 'told']],
    ['watchFile, until unwatchFile()', ['began', 'told']],
  ])(`the program stays alive for it, or not (${path}): %s`, async (what, lines) => {
    const before = process.env.LIBCR_SYSCALLS_PATH;
    if (path === 'readiness') process.env.LIBCR_SYSCALLS_PATH = path;
    const at = newFolder();
    nodeFs.writeFileSync(join(at, 'file'), '');
    const outcome = runProgram('watching.mjs', what, at);
    if (before === undefined) delete process.env.LIBCR_SYSCALLS_PATH;
    else process.env.LIBCR_SYSCALLS_PATH = before;
    const { stdout, stderr, status } = await outcome;
    expect({
      lines: stdout.split('\n').filter((line, i, all) => line !== '' && line !== all[i - 1]),
      stderr,
      status,
    }).toEqual({
      lines,
      stderr: '',
      status: 0,
    });
  });

const hasQueue = !process.versions.node.startsWith('20.');

/** What comes of promises.watch when more happens than it is asked for. */
async function overflown(fs: Fs, overflow: 'ignore' | 'error'): Promise<unknown> {
  const path = newFolder();
  const warnings: string[] = [];
  const warned = (warning: Error): void => void warnings.push(`${warning.name}: ${warning.message}`);
  process.on('warning', warned);
  const options = { maxQueue: 2, overflow } as object;
  const events = fs.promises.watch(path, options)[Symbol.asyncIterator]();
  let files = 0;
  const error: unknown = await (async () => {
    while (warnings.length === 0) {
      const next = events.next();
      for (let i = 0; i < 5; i++) nodeFs.mkdirSync(join(path, `${files++}`));
      if ((await next).done) return 'ended';
      await new Promise(setImmediate); // a next() that answers at once must not keep the events from coming
    }
    return undefined;
  })().catch(({ name, code, message }) => [name, code, message]);
  await events.return?.();
  process.off('warning', warned);
  return [error, [...new Set(warnings)]];
}

test.each<['ignore' | 'error', unknown]>([
  ['ignore', [undefined, ['Warning: fs.watch maxQueue exceeded']]],
  ['error', [['Error', 'ERR_FS_WATCH_QUEUE_OVERFLOW', 'fs.watch() queued more than 2 events'], []]],
])('promises.watch: more events than maxQueue: %s', async (overflow, expected) => {
  expect(await overflown(own, overflow)).toEqual(expected);
  if (hasQueue) expect(await overflown(nodeFs, overflow)).toEqual(expected);
});

test.each([{ maxQueue: '1' }, { maxQueue: 1.5 }, { overflow: 'no' }, { overflow: null }, { maxQueue: null }])(
  'promises.watch: wrong options: %j',
  async (options) => {
    const error = (fs: Fs): Promise<unknown> =>
      fs.promises
        .watch(folder, options as object)
        [Symbol.asyncIterator]()
        .next()
        .catch(({ name, code }) => [name, code]);
    const ours = await error(own);
    expect(ours).toMatchObject([expect.any(String), expect.stringMatching(/^ERR_/)]);
    if (hasQueue) expect(ours).toEqual(await error(nodeFs));
  },
);
