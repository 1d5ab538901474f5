/**
 * top.test.ts: snapshot(): that every column is right for programs of which it is known, and that nobody waits for an rfork that does not answer; then the socket of
 * @libcr/core/top, and its other end.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TopPort, TopRforkRunning, TopSnapshot, TopThread } from '@libcr/core';
import { servedProcesses, TopConnection } from '@libcr/core/top/client';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { outcome, programPath, runProgram, stressFlags } from '../run.ts';

const folder = mkdtempSync(join(tmpdir(), 'libcr-top-'));
const env: Record<string, string> = { NATIVE_THREADS: join(folder, 'threads.node') };

beforeAll(() => {
  const include = fileURLToPath(new URL('../../native/include', import.meta.url));
  const flags = ['-std=c11', '-shared', '-fPIC', '-O1', `-I${include}`, '-o', env.NATIVE_THREADS as string];
  const { status, stderr, error } = spawnSync('cc', [...flags, programPath('native-thread.c')], {
    encoding: 'utf8',
  });
  if (status !== 0) throw error ?? new Error(stderr);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const looked = <T = TopSnapshot>(name: string, flags: string[] = []): Promise<T> =>
  outcome<T>('trace/top.mjs', { args: [name], env, flags });
type Threads = Record<string, TopThread>;
const threadsOf = ({ rforks: [rfork] }: TopSnapshot): Threads =>
  Object.fromEntries((rfork as TopRforkRunning).threads.map((td) => [td.name, td]));

describe('the columns', () => {
  test('say how each thread stands and what it waits for', async () => {
    const { seen, same } = await looked<{ seen: TopSnapshot; same: boolean }>('states');
    expect(same).toBe(true);
    expect(seen.process).toMatchObject({ script: programPath('trace/top.mjs'), node: process.version });
    const threads = threadsOf(seen);
    expect(threads.thread0).toMatchObject({ id: 0, rfork: 1, state: 'running', waitReason: null });
    expect(threads.thread0).toMatchObject({ stackUsed: null, stackSize: null, native: false });
    expect(threads.sleeper).toMatchObject({ id: 1, state: 'blocked', waitReason: 'sleep 1000000 ms' });
    expect(threads.sleeper).toMatchObject({ priority: 20, stackSize: 524_288, switches: 1, queued: 0 });
    expect(threads.waiter).toMatchObject({ state: 'blocked', waitReason: 'promise', priority: 12 });
    expect(threads.receiver).toMatchObject({ state: 'blocked', waitReason: 'port "inbox"' });
    expect(threads.joiner).toMatchObject({ state: 'blocked', waitReason: 'join #1 "sleeper"' });
    expect(threads.holder).toMatchObject({ state: 'blocked', waitReason: 'sleep 1000000 ms' });
    expect(threads.wanter).toMatchObject({ state: 'blocked', waitReason: 'serializer "printer"' });
    expect(threads.yielder).toMatchObject({ state: 'runnable', waitReason: null, priority: 0 });
    expect(threads.fresh).toMatchObject({ state: 'runnable', switches: 0, cpuTime: 0, stackUsed: 0 });
    const [rfork] = seen.rforks as [TopRforkRunning];
    expect(rfork).toMatchObject({ id: 1, name: 'main', state: 'running', runnable: 2 });
    expect(rfork.userthreads).toBe(rfork.threads.length - 1);
    expect(rfork.threads.map(({ id }) => id)).toEqual(rfork.threads.map((_, i) => i).sort((a, b) => a - b));
    expect(rfork.passes).toBeGreaterThan(0);
    expect(rfork.loop.active).toBeGreaterThan(0);
    expect(rfork.ports).toEqual([{ name: 'inbox', owner: 3, queued: 0, waiting: 1 }]);
  });

  test('where a userthread looks, it runs', async () => {
    const threads = threadsOf(await looked('onUserthread'));
    expect(threads.looks).toMatchObject({ state: 'running', waitReason: null });
    expect(threads.thread0).toMatchObject({ state: 'runnable' });
  });

  test('a token', async () => {
    const threads = await looked<Threads>('token');
    expect(threads.wanter).toMatchObject({ state: 'blocked', waitReason: 'token "accounts"' });
  });

  test('a native userthread', async () => {
    const threads = await looked<Threads>('native');
    expect(threads.wait_for_signal).toMatchObject({
      native: true,
      state: 'blocked',
      waitReason: 'the signal',
      priority: 9,
      switches: 1,
      queued: 0,
    });
    expect(threads.wait_for_signal?.stackUsed).toBeGreaterThan(0);
    expect(threads.wait_for_signal?.stackUsed).toBeLessThan(threads.wait_for_signal?.stackSize as number);
    expect(threads.count_bytes).toBeUndefined();
  });

  test('switches', async () => {
    const seen = await looked('switches');
    const { a, b } = threadsOf(seen);
    expect([a?.switches, b?.switches]).toEqual([6, 6]);
    expect((seen.rforks[0] as TopRforkRunning).switches).toBeGreaterThanOrEqual(12);
  });

  test('CPU time', async () => {
    const { first, seen } = await looked<{ first: TopSnapshot; seen: TopSnapshot }>('cpu');
    expect((first.rforks[0] as TopRforkRunning).cpuCounted).toBe(0);
    const { spinner, sleeper } = threadsOf(seen);
    expect(sleeper?.cpuTime).toBeGreaterThan(0);
    expect(spinner?.cpuTime).toBeGreaterThan(sleeper?.cpuTime as number);
    const { cpuCounted } = seen.rforks[0] as TopRforkRunning;
    expect((spinner?.cpuTime as number) + (sleeper?.cpuTime as number)).toBeLessThanOrEqual(cpuCounted);
  });

  test('CPU time is counted while somebody looks, and no switch knows of it otherwise', async () => {
    expect(await looked('counting')).toEqual({
      counted: [false, true, false],
      hooked: [false, true, true, false, true],
    });
  });

  test('stack', async () => {
    const { shallow, deep } = await looked<Threads>('stack');
    expect(shallow?.stackUsed).toBeGreaterThan(0);
    expect(deep?.stackUsed).toBeGreaterThan(shallow?.stackUsed as number);
    expect(deep?.stackUsed).toBeLessThanOrEqual(deep?.stackSize as number);
  });

  test('queues', async () => {
    type Queues = { owner: number; threads: Threads; ports: TopPort[] };
    const { owner, threads, ports } = await looked<Queues>('queues');
    expect(threads.sender?.queued).toBe(3); // two answers, and what came back from the closed port
    expect(threads.owner?.queued).toBe(0);
    expect(ports.sort((a, b) => (a.name < b.name ? -1 : 1))).toEqual([
      { name: 'jobs', owner, queued: 3, waiting: 0 },
      { name: 'on the loop', owner: 0, queued: 0, waiting: 1 },
      { name: 'shared', owner: null, queued: 0, waiting: 2 },
    ]);
  });

  test('of more than 1,000 threads some are left out', async () => {
    expect(await looked('many')).toEqual({ userthreads: 1100, listed: 1001, first: 'thread0' });
  });

  test('a port that is listed is garbage like any other', async () => {
    expect(await looked('garbage', ['--expose-gc'])).toEqual({ before: 1000, after: 0 });
  });

  test('misuse', async () => {
    const type = { code: 'ERR_INVALID_ARG_TYPE', class: 'TypeError' };
    const range = { code: 'ERR_OUT_OF_RANGE', class: 'RangeError' };
    expect(await looked('misuse')).toMatchObject([type, type, type, range, range]);
  });
});

describe('several rforks', () => {
  test('answer, but for one that is busy', async () => {
    type Rforks = { first: TopSnapshot; atOnce: string; later: string[]; last: string[] };
    const { first, atOnce, later, last } = await looked<Rforks>('rforks');
    const [main, serves, spins] = first.rforks;
    expect(main).toMatchObject({ name: 'main', state: 'running' });
    expect(serves).toMatchObject({ id: 2, name: 'serves', state: 'running', userthreads: 1, runnable: 0 });
    expect((serves as TopRforkRunning).threads).toMatchObject([
      { id: 0, rfork: 2, state: 'running' },
      { id: 1, rfork: 2, name: 'main', state: 'blocked', waitReason: 'port "serves"' },
    ]);
    expect((serves as TopRforkRunning).ports).toMatchObject([{ name: 'serves', queued: 0, waiting: 1 }]);
    expect((serves as TopRforkRunning).ipisReceived).toBeGreaterThan(0);
    expect((main as TopRforkRunning).ipisSent).toBeGreaterThan(0);
    expect(spins).toEqual({ id: 3, name: 'spins', state: 'busy', threads: [], ports: [] });
    expect(atOnce).toBe('3 spins busy');
    expect(later).toEqual(['1 main running', '2 serves running', '3 spins running']);
    expect(last).toEqual(['1 main running', '2 serves running']);
  });

  test('nobody waits for one that ends', async () => {
    const rest = ['1 main running'];
    expect(await looked('endsMeanwhile')).toEqual([rest, rest]);
  });

  test('one that is to come', async () => {
    expect(await looked('starting')).toEqual([['1 main running', '2 to come starting'], ['1 main running']]);
  });

  test('any may ask, also a Worker of one’s own', async () => {
    expect(await looked('askedBothWays')).toEqual(['1 main running', '2 worker N running']);
  });
});

describe('@libcr/core/top', () => {
  const flags = ['--import', '@libcr/core/top'];
  const { TMPDIR } = process.env;
  let place: string;
  let directory: string;
  let children: ChildProcess[] = [];

  beforeEach(() => {
    place = mkdtempSync(join(folder, 't'));
    process.env.TMPDIR = place;
    directory = join(place, `lwkt-${process.getuid?.()}`);
  });
  afterEach(() => {
    for (const child of children) child.kill('SIGKILL');
    children = [];
    if (TMPDIR === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = TMPDIR;
  });

  /** Starts a program that is served, and waits until it says that it is ready. */
  function start(name: string): Promise<ChildProcess & { pid: number }> {
    const args = [...stressFlags, ...flags, programPath('trace/top.mjs'), name];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    children.push(child);
    return new Promise((resolve, reject) => {
      child.once('exit', () => reject(new Error(`${name} has ended`)));
      child.stdout.once('data', () => resolve(child as ChildProcess & { pid: number }));
    });
  }

  function kill(child: ChildProcess): Promise<void> {
    return new Promise((resolve) => {
      child.removeAllListeners('exit').once('exit', () => resolve());
      child.kill('SIGKILL');
    });
  }

  const run = (args: string[]) => runProgram('trace/top.mjs', { args, flags, env: { TMPDIR: place } });

  test('the program ends when it has nothing left to do, and its socket is gone', async () => {
    expect(await run(['ends'])).toMatchObject({ status: 0, stdout: '"main"\n', stderr: '' });
    expect(readdirSync(directory)).toEqual([]);
    expect(statSync(directory).mode & 0o777).toBe(0o700);
  });

  test('processes are found and looked at', async () => {
    expect(await servedProcesses()).toEqual([]);
    const [one, two] = await Promise.all([start('serves'), start('serves')]);
    expect(await servedProcesses()).toEqual([one.pid, two.pid].sort((a, b) => a - b));
    const connection = await TopConnection.open(one.pid);
    const [first, second] = await Promise.all([connection.look(), connection.look({ timeout: 0 })]);
    expect(first.process.pid).toBe(one.pid);
    expect(threadsOf(second).sleeper).toMatchObject({ state: 'blocked', waitReason: 'sleep 2147483647 ms' });
    await expect(connection.look({ timeout: -1 })).rejects.toMatchObject({ code: 'ERR_OUT_OF_RANGE' });
    expect((await connection.look()).process.pid).toBe(one.pid);
    connection.close();
    await expect(connection.look()).rejects.toMatchObject({ code: 'ESRCH' });
  });

  test('what is no request is answered as such', async () => {
    const { pid } = await start('serves');
    const socket = connect(join(directory, `${pid}.sock`));
    socket.end('nonsense\n[\n\n');
    let text = '';
    for await (const piece of socket) text += piece;
    const [first, second, third] = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(first.error.code).toBe('ERR_INVALID_ARG_VALUE');
    expect(second.error.code).toBe('ERR_INVALID_ARG_VALUE');
    expect(third.snapshot.process.pid).toBe(pid);
  });

  test('one that ends while it is looked at', async () => {
    const child = await start('isBusy');
    const connection = await TopConnection.open(child.pid);
    const message = `process ${child.pid} has ended`;
    const ended = expect(connection.look()).rejects.toMatchObject({ code: 'ESRCH', message });
    await kill(child);
    await ended;
  });

  test('a socket whose process is gone is removed', async () => {
    const child = await start('serves');
    await kill(child);
    expect(readdirSync(directory)).toEqual([`${child.pid}.sock`]);
    await expect(TopConnection.open(child.pid)).rejects.toMatchObject({ code: 'ESRCH' });
    expect(await servedProcesses()).toEqual([]);
    expect(readdirSync(directory)).toEqual([]);
  });

  test('processes that can’t be looked at', async () => {
    await expect(TopConnection.open(2 ** 31 - 1)).rejects.toMatchObject({ code: 'ESRCH' });
    await expect(TopConnection.open(process.pid)).rejects.toMatchObject({ code: 'ERR_LWKT_TOP_NOT_SERVED' });
  });

  test.each([
    ['can be entered by others', () => mkdirSync(directory), 0o750],
    ['is not a directory', () => writeFileSync(directory, ''), 0o600],
  ])('a directory that %s is refused, and the program runs', async (what, make, mode) => {
    make();
    chmodSync(directory, mode); // whatever the umask
    const { status, stdout, stderr } = await run(['ends']);
    expect([status, stdout]).toEqual([0, '"main"\n']);
    expect(stderr).toContain(`[LWKT_TOP] Warning: lwkt top can't look at this process: ${directory} ${what}`);
    await expect(servedProcesses()).rejects.toMatchObject({ code: 'ERR_LWKT_TOP_DIRECTORY' });
  });

  test.each([
    ['what is left of an earlier process makes room', 'by nobody', 'served'],
    ['a socket that somebody listens at stays his', 'by another', 'LWKT_TOP'],
  ])('%s', async (_what, by, result) => {
    const options = { args: ['occupied', by], env: { TMPDIR: place } };
    expect(await outcome('trace/top.mjs', options)).toBe(result);
  });

  test('a Worker does not serve, and is seen', async () => {
    const { pid } = await start('workers');
    expect(readdirSync(directory)).toEqual([`${pid}.sock`]);
    const { rforks } = await (await TopConnection.open(pid)).look({ timeout: 100_000 });
    expect(rforks.map(({ id, state }) => [id, state])).toEqual([
      [1, 'running'],
      [2, 'running'],
    ]);
    expect(existsSync(join(directory, `${pid}.sock`))).toBe(true);
  });
});
