/**
 * deferred.test.ts: what goes on later, or elsewhere, than where it was made: its system calls go through the port of the userthread that made it. Each
 * kind is used on the event loop, which has the program's port, and is seen by the thread's shim, and finds what only the thread's memfs has.
 */
import nodeFs from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { create, run, sleep } from '@libcr/core';
import { describe, expect, test } from 'vitest';
import fs from '../../src/fs/index.ts';
import { defineShim, type SyscallPort, sys, syscallPort } from '../../src/index.ts';
import { datagram, dial, listen, stream } from '../../src/net/index.ts';
import { memfs } from '../../src/shims/memfs/index.ts';
import { temporaryFolder } from '../support.ts';

const folder = temporaryFolder();
const at = (name: string): string => join(folder, name);
nodeFs.writeFileSync(at('real'), 'of the kernel\n');

/** A port that records the names of the calls, over a tree that nobody else sees. */
function recorder(): { port: SyscallPort; calls: string[]; take(): string[] } {
  const calls: string[] = [];
  const recording = defineShim({
    name: 'recording',
    on: 'all',
    shim: (next) => (msg) => {
      calls.push(msg.name);
      return next(msg);
    },
  });
  const tree = memfs({ '/only/here': { file: 'in memory\nonly\n', below: { other: '' } } });
  return { port: sys.with(recording, tree), calls, take: () => calls.splice(0) };
}

/** What make makes on a thread with that port, for use on the event loop. */
const madeOn = <R>(port: SyscallPort, make: () => R): Promise<Awaited<R>> =>
  create(make, { syscallPort: port }).finished;

/** In a box: what is thenable or iterable is not to be waited for. */
const box = <T>(value: T): { value: T } => ({ value });

describe('made on a thread with a port of its own, used on the event loop:', () => {
  test('ReadStream and WriteStream', async () => {
    const { port, take } = recorder();
    const { value: reading } = await madeOn(port, () => box(fs.createReadStream('/only/here/file')));
    expect(await text(reading)).toBe('in memory\nonly\n');
    expect(take()).toEqual(expect.arrayContaining(['open', 'read', 'close']));
    const { value: writing } = await madeOn(port, () => box(fs.createWriteStream('/only/here/new')));
    for (let i = 0; i < 3; i++) writing.write('x');
    await new Promise<void>((resolve) => {
      writing.end('y').on('close', resolve);
    });
    expect(take()).toEqual(expect.arrayContaining(['open', 'writev', 'close']));
    expect(await madeOn(port, () => fs.readFileSync('/only/here/new', 'utf8'))).toBe('xxxy');
  });

  test('FileHandle, what it makes, and what takes it', async () => {
    const { port, take } = recorder();
    const open = (): Promise<ReturnType<typeof box<Awaited<ReturnType<typeof fs.promises.open>>>>> =>
      madeOn(port, async () => box(await fs.promises.open('/only/here/file', 'r+')));
    const { value: handle } = await open();
    take();
    expect((await handle.read(Buffer.alloc(9), 0, 9, 0)).bytesRead).toBe(9);
    expect(take()).toEqual(['pread64']);
    expect((await handle.stat()).size).toBe(15);
    expect(await fs.promises.readFile(handle, 'utf8')).toBe('in memory\nonly\n');
    expect(take()).toContain('read');
    await handle.close();
    expect(take()).toEqual(['close']);
    const lines: string[] = [];
    for await (const line of (await open()).value.readLines()) lines.push(line);
    expect(lines).toEqual(['in memory', 'only']);
    expect(await text((await open()).value.createReadStream())).toBe('in memory\nonly\n');
    const { value: third } = await open();
    const stream = fs.createReadStream('', { fd: third as never });
    expect(await text(stream)).toBe('in memory\nonly\n');
    const { value: web } = await open();
    take();
    expect(await text(web.readableWebStream() as never)).toBe('in memory\nonly\n');
    expect(take()).toContain('read');
    await web.close();
  });

  test('Dir', async () => {
    const { port, take } = recorder();
    const names: string[] = [];
    const { value: dir } = await madeOn(port, async () =>
      box(await fs.promises.opendir('/only/here', { recursive: true })),
    );
    take();
    for await (const { name } of dir) names.push(name);
    expect(names.sort()).toEqual(['below', 'file', 'other']);
    expect(take()).toEqual(expect.arrayContaining(['getdents64', 'close']));
    const { value: second } = await madeOn(port, () => box(fs.opendirSync('/only/here')));
    expect(second.readSync()).not.toBe(null);
    take();
    second.closeSync();
    expect(take()).toEqual(['close']);
  });

  test('glob', async () => {
    const { port, take } = recorder();
    const { value: found } = await madeOn(port, () => box(fs.promises.glob('/only/here/*')));
    expect(await all(found)).toHaveLength(2);
    expect(take()).toContain('getdents64');
  });

  test('mkdtempDisposable', async () => {
    const { port } = recorder();
    const { value: one } = await madeOn(port, async () =>
      box(await fs.promises.mkdtempDisposable('/only/here/d-')),
    );
    const { value: two } = await madeOn(port, () => box(fs.mkdtempDisposableSync('/only/here/d-')));
    await one.remove();
    two.remove();
    expect(await madeOn(port, () => fs.readdirSync('/only/here'))).toEqual(['below', 'file']);
  });

  test('watchers', async () => {
    const { port, take } = recorder();
    const { value: watcher } = await madeOn(port, () => box(fs.watch(folder)));
    take();
    watcher.close();
    expect(take()).toContain('close');
    const abort = new AbortController();
    const { value: events } = await madeOn(port, () =>
      box(fs.promises.watch(folder, { signal: abort.signal })),
    );
    take();
    const next = events[Symbol.asyncIterator]().next();
    expect(take()).toEqual(expect.arrayContaining(['inotify_init1', 'inotify_add_watch']));
    abort.abort();
    await next.catch(() => {});
    expect(take()).toContain('close');
  });

  test('watchFile: two ports have two watchers of a path', async () => {
    const { port, take } = recorder();
    const there: boolean[] = [];
    const path = '/only/here/file';
    const own = await new Promise<number>((resolve) => {
      fs.watchFile(path, { interval: 5 }, (now) => resolve(now.size)); // missing: told at once
    });
    expect(own).toBe(0);
    await madeOn(port, () => {
      fs.watchFile(path, { interval: 5 }, (now) => there.push(now.size === 3));
      do {
        fs.writeFileSync(path, 'new'); // again: it may not have looked for the first time
        sleep(20);
      } while (!there.includes(true));
    });
    fs.unwatchFile(path);
    expect(there).toContain(true);
    expect(take()).toContain('statx');
  });

  test('net: what is closed by somebody else', async () => {
    const { port, take } = recorder();
    const made = await madeOn(port, () => {
      const listener = listen({ host: '127.0.0.1' });
      const conn = dial({ host: '127.0.0.1', port: (listener.address() as { port: number }).port });
      const socket = datagram({ host: '127.0.0.1' });
      return [conn, conn.toDuplex(), listener, socket, stream(sys.open(at('real'))).toReadable()] as const;
    });
    const [conn, duplex, listener, socket, readable] = made;
    take();
    expect(await text(readable)).toBe('of the kernel\n');
    expect(take()).toEqual(expect.arrayContaining(['read', 'close']));
    duplex.write('x');
    await new Promise((resolve) => duplex.destroy().on('close', resolve));
    expect(conn.closed).toBe(true);
    expect(take()).toContain('close');
    listener.close();
    socket.close();
    expect(take()).toEqual(['close', 'close']);
  });
});

test("what was made on the event loop does not go through a thread's port", async () => {
  const { port, calls } = recorder();
  const handle = await fs.promises.open(at('real'));
  const reading = fs.createReadStream(at('real'));
  const dir = fs.opendirSync(folder);
  calls.length = 0;
  await madeOn(port, async () => {
    await handle.stat();
    await handle.close();
    dir.readSync();
    dir.closeSync();
    await text(reading);
  });
  expect(calls).toEqual([]);
});

test('a shim that reads a file by a stream does not meet itself', async () => {
  const seen: string[] = [];
  const shim = defineShim({
    name: 'reading',
    on: ['open'],
    shim: (next) => (msg) => {
      if (seen.push(msg.path as string) < 3) fs.createReadStream(at('real')).resume();
      return next(msg);
    },
  });
  await create(() => sys.close(sys.open(at('real'))), { syscallPort: sys.with(shim) }).finished;
  await run(() => sleep(10));
  expect(seen).toHaveLength(1);
  expect(syscallPort.shims).toEqual([]);
});

async function all<T>(list: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of list) found.push(item);
  return found;
}
