/**
 * loop.test.ts: system calls that complete in place, one after the other without end: the event loop has its turn all the same. Each loop here has an end of
 * its own, so that a loop that is starved shows as a timer that has not come.
 */
import nodeFs from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { create, run } from '@libcr/core';
import { afterEach, describe, expect, test, vi } from 'vitest';
import fs from '../../src/fs/index.ts';
import { defineShim, sys } from '../../src/index.ts';
import { memfs } from '../../src/shims/memfs/index.ts';
import { temporaryFolder } from '../support.ts';

const folder = temporaryFolder();
const at = (name: string): string => join(folder, name);
const STEPS_MAX = 400_000;

nodeFs.writeFileSync(at('file'), Buffer.alloc(65_536, 'x'));

/** Whether a timer comes before a chain of steps, each begun by the end of the one before, is given up. */
async function timerComes(step: () => Promise<unknown>, chains = 1): Promise<boolean> {
  let come = false;
  let left = STEPS_MAX;
  setTimeout(() => {
    come = true;
  }, 5);
  const chain = async (): Promise<void> => {
    while (!come && left-- > 0) await step();
  };
  await Promise.all(Array.from({ length: chains }, chain));
  return come;
}

/** The same with callbacks. */
function timerComesToCallbacks(step: (callback: () => void) => void): Promise<boolean> {
  return new Promise((resolve) => {
    let come = false;
    let left = STEPS_MAX;
    setTimeout(() => {
      come = true;
    }, 5);
    const next = (): void => {
      if (come || left-- <= 0) resolve(come);
      else step(next);
    };
    next();
  });
}

describe('a timer comes beside a chain of', () => {
  const fd = nodeFs.openSync(at('file'), 'r');
  const buffer = Buffer.alloc(64);
  const nothing = Buffer.alloc(0);

  test.each<[string, () => Promise<unknown>]>([
    ['promises.stat', () => fs.promises.stat('/')],
    ['promises.stat that fail', () => fs.promises.stat('/none').catch(() => {})],
    ['promises.readFile', () => fs.promises.readFile(at('file'))],
    ['promises.readdir', () => fs.promises.readdir(folder)],
    ['sys.promises.fstat', () => sys.promises.fstat(fd)],
    ['sys.promises.pread64', () => sys.promises.pread64(fd, buffer, 64, 0)],
    ['sys.promises.nanosleep of nothing', () => sys.promises.nanosleep(0)],
    ['sys.promises.poll of nothing', () => sys.promises.poll([], 0)],
  ])('%s', async (_name, step) => {
    expect(await timerComes(step)).toBe(true);
    expect(await timerComes(step, 100)).toBe(true);
  });

  test('FileHandle.read and .stat', async () => {
    const handle = await fs.promises.open(at('file'));
    expect(await timerComes(() => handle.read(buffer, 0, 64, 0))).toBe(true);
    expect(await timerComes(() => handle.read(nothing, 0, 0, 0))).toBe(true);
    expect(await timerComes(() => handle.stat())).toBe(true);
    await handle.close();
  });

  test.each<[string, (callback: () => void) => void]>([
    ['stat', (callback) => fs.stat('/', callback)],
    ['exists', (callback) => fs.exists('/', callback)],
    ['read', (callback) => fs.read(fd, buffer, 0, 64, 0, callback)],
    ['read of nothing', (callback) => fs.read(fd, nothing, 0, 0, 0, callback)],
    ['open and close', (callback) => fs.open('/', (_error, own) => fs.close(own, callback))],
    ['readFile', (callback) => fs.readFile(at('file'), callback)],
  ])('%s with callbacks', async (_name, step) => {
    expect(await timerComesToCallbacks(step)).toBe(true);
  });

  test("a directory's entries", async () => {
    const dir = await fs.promises.opendir(folder);
    expect(await timerComes(() => dir.read())).toBe(true);
    await dir.close();
  });

  test('reads on a userthread', async () => {
    const zero = nodeFs.openSync('/dev/zero', 'r');
    let come = false;
    setTimeout(() => {
      come = true;
    }, 5);
    await run(() => {
      for (let left = STEPS_MAX; left > 0 && !come; left--) sys.read(zero, buffer);
    });
    nodeFs.closeSync(zero);
    expect(come).toBe(true);
  });

  test('unlinks by rm', async () => {
    const FILES = 20_000;
    let unlinked = 0;
    const counting = defineShim({
      name: 'counting',
      on: ['unlink'],
      shim: (next) => (msg) => {
        unlinked++;
        return next(msg);
      },
    });
    const many = Object.fromEntries(Array.from({ length: FILES }, (_, i) => [`n${i}`, '']));
    const syscallPort = sys.with(counting, memfs({ '/many': { below: many } }));
    const seen = new Set<number>();
    const interval = setInterval(() => seen.add(unlinked), 1);
    await create(() => fs.promises.rm('/many/below', { recursive: true }), { syscallPort }).finished;
    clearInterval(interval);
    expect(unlinked).toBe(FILES);
    expect([...seen].some((n) => n > 0 && n < FILES)).toBe(true);
  });
});

test('streams of 32 MB let timers come meanwhile', async () => {
  const SIZE = 32 << 20;
  nodeFs.writeFileSync(at('large'), Buffer.alloc(SIZE, 'large'));
  const copy = fs.createWriteStream(at('copy'));
  const seen = new Set<number>();
  const interval = setInterval(() => seen.add(copy.bytesWritten), 1);
  await pipeline(fs.createReadStream(at('large')), copy);
  clearInterval(interval);
  expect([...seen].some((written) => written > 0 && written < SIZE)).toBe(true);
  expect(nodeFs.readFileSync(at('copy')).equals(nodeFs.readFileSync(at('large')))).toBe(true);
});

test('many chains go on side by side, and what has completed first is told first', async () => {
  const told: number[] = [];
  const CHAINS = 600;
  const chain = async (n: number): Promise<void> => {
    for (let i = 0; i < 50; i++) {
      await sys.promises.getppid();
      told.push(n);
    }
  };
  await Promise.all(Array.from({ length: CHAINS }, (_, n) => chain(n)));
  const counts = new Array(CHAINS).fill(0);
  const ahead = told.map((n) => {
    counts[n]++;
    return counts[n] - Math.min(...counts);
  });
  expect(Math.max(...ahead)).toBeLessThanOrEqual(2);
});

test('a signal and its handler come', async () => {
  let come = 0;
  const listener = (): void => {
    come++;
  };
  process.once('SIGUSR2', listener);
  process.kill(process.pid, 'SIGUSR2');
  for (let left = STEPS_MAX; left > 0 && come === 0; left--) await fs.promises.stat('/');
  process.off('SIGUSR2', listener);
  expect(come).toBe(1);
});

describe('a file without end', () => {
  const READS_MAX = 20_000;

  /** Its end, where nobody stops before. */
  function ending(): { reads: number; shim: Parameters<typeof sys.with>[0] } {
    const state = { reads: 0 } as ReturnType<typeof ending>;
    state.shim = defineShim({
      name: 'ending',
      on: ['read'],
      shim: (next) => (msg) => (++state.reads > READS_MAX ? 0 : next(msg.with({ length: 512 }))),
    });
    return state;
  }

  test.each(['promises', 'callback'])('readFile (%s) is aborted', async (form) => {
    const end = ending();
    const signal = AbortSignal.timeout(5);
    const read = (): Promise<unknown> =>
      form === 'promises'
        ? fs.promises.readFile('/dev/zero', { signal })
        : new Promise((_resolve, reject) => fs.readFile('/dev/zero', { signal }, reject));
    const outcome = await create(read, { syscallPort: sys.with(end.shim) }).finished.catch((error) => error);
    expect(outcome).toMatchObject({ name: 'AbortError' });
    expect(end.reads).toBeLessThan(READS_MAX);
  });
});

test('a thread that holds a token, or must not be switched, keeps its turn', async () => {
  const { AsyncResource } = await import('node:async_hooks');
  const { Token } = await import('@libcr/core');
  const zero = nodeFs.openSync('/dev/zero', 'r');
  const buffer = Buffer.alloc(4096);
  const others: number[] = [];
  /** For some milliseconds. */
  const readOn = (): void => {
    const until = performance.now() + 5;
    for (let n = 0; n < 100 || performance.now() < until; n++) expect(sys.read(zero, buffer)).toBe(4096);
  };
  await run(() => {
    const token = new Token('t');
    {
      using _held = token.get();
      create(() => others.push(1));
      readOn();
      expect(others).toEqual([]);
    }
    create(() => others.push(2));
    if (Number(process.versions.node.split('.')[0]) >= 24) new AsyncResource('test').runInAsyncScope(readOn);
    readOn();
    expect(others).toEqual([1, 2]);
  });
  nodeFs.closeSync(zero);
});

describe('where fake timers are', () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  test('what has completed is told', async () => {
    vi.useFakeTimers({ toFake: ['setImmediate', 'setTimeout', 'queueMicrotask', 'performance'] });
    const faked = vi.spyOn(process, 'nextTick'); // passes on: the test runner uses it
    let stats = 0;
    for (let i = 0; i < 3000; i++) stats += (await fs.promises.stat('/')).isDirectory() ? 1 : 0;
    let callback = (): void => {};
    await new Promise<void>((resolve) => {
      callback = resolve;
      fs.access('/', callback);
    });
    expect(faked.mock.calls.some(([called]) => called === callback)).toBe(false);
    expect(await sys.promises.poll([], 1)).toBe(0);
    faked.mockRestore();
    expect(stats).toBe(3000);
  });
});
