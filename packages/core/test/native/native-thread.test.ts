/**
 * native-thread.test.ts: createNative(): C functions on userthreads, beside JavaScript's. The library is built here from programs/native-thread.c.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { outcome, programPath, type RunResult, runProgram } from '../run.ts';

const include = fileURLToPath(new URL('../../native/include', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'libcr-native-thread-'));
const env: Record<string, string> = {
  NATIVE_THREADS: join(folder, 'threads.node'),
  OTHER_VERSION: join(folder, 'other-version.so'),
  OUTSIDE_TABLE: join(folder, 'outside-table.so'),
};

function compile(to: string, ...flags: string[]): void {
  const args = [...flags, '-Wall', '-Wextra', '-Werror', '-shared', '-fPIC', '-O1', `-I${include}`, '-o', to];
  const { status, stderr, error } = spawnSync('cc', [...args, programPath('native-thread.c')], {
    encoding: 'utf8',
  });
  if (status !== 0) throw error ?? new Error(stderr);
}

beforeAll(() => {
  compile(env.NATIVE_THREADS as string, '-std=c11');
  compile(env.OTHER_VERSION as string, '-DOTHER_VERSION');
  compile(env.OUTSIDE_TABLE as string, '-DOUTSIDE_TABLE');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const native = <T = Record<string, unknown>>(name: string, flags: string[] = []): Promise<T> =>
  outcome<T>('native-thread.mjs', { args: [name], env, flags });
const end = (...args: string[]): Promise<RunResult> => runProgram('native-thread.mjs', { args, env });

const aborted = { name: 'AbortError', code: 'ABORT_ERR' };

test('in a group: with a limit, among JavaScript, aborted by a failure', async () => {
  expect(await native('inGroup')).toEqual({
    values: ['aborted', 'JavaScript', '5'],
    failure: 'EIO',
    left: 0,
  });
});

describe('the outcome', () => {
  test('is what the function left as its result, all 64 bits', async () => {
    expect(await native('results')).toEqual({
      values: ['42', '-1', String(2n ** 62n + 1n), String(-(2n ** 63n) + 1n), '0'],
      onLoop: '1',
      path: '1',
    });
  });

  test('is a system error where it answered an errno', async () => {
    expect(await native('errors')).toMatchObject({
      none: '0',
      io: { name: 'Error', code: 'EIO', errno: -5, syscall: 'answers', message: 'EIO: i/o error, answers' },
      unknown: { code: 'Unknown system error -4000', errno: -4000 },
    });
  });

  test('that nobody asks for, and that is an error, is an unhandled rejection', async () => {
    const { status, stderr } = await end('unhandled');
    expect(status).toBe(1);
    expect(stderr).toContain('EIO: i/o error, answers');
    expect(stderr).toMatch(/in userthread #\d+ "culprit"/);
  });

  test('may be joined by several, after a timeout too', async () => {
    expect(await native('joins')).toEqual(['ERR_LWKT_TIMEOUT', '7', '7']);
  });
});

describe('arg', () => {
  test('a buffer: the function has its bytes', async () => {
    expect(await native('buffers')).toEqual({
      bytes: [0, 0, 1, 2, 3, 0, 0, 0, 0, 0],
      small: [1, 2, 3, 4],
      shared: [1, 2, 3],
      empty: '0',
    });
  });

  test('a buffer that is transferred and collected meanwhile', async () => {
    expect(await native('transferred', ['--expose-gc'])).toEqual([0, '1000']);
  });
});

test('wrong arguments and wrong libraries', async () => {
  const type = { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' };
  const range = { name: 'RangeError', code: 'ERR_OUT_OF_RANGE' };
  expect(await native('arguments')).toMatchObject({
    nothing: type,
    noLibrary: type,
    noSymbol: type,
    emptySymbol: range,
    nulSymbol: range,
    name: type,
    priority: range,
    stackSmall: range,
    argNumber: type,
    argObject: type,
    argBig: range,
    argResizable: type,
    missing: {
      name: 'Error',
      code: 'ERR_DLOPEN_FAILED',
      message: expect.stringContaining('/nowhere/at-all.so'),
    },
    noFunction: { code: 'ERR_LWKT_NO_SYMBOL', message: expect.stringContaining('LWKT_NATIVE(subtract_one)') },
    otherVersion: { code: 'ERR_LWKT_VERSION', message: expect.stringContaining('version 99 of lwkt.h') },
    outsideTable: { code: 'ERR_DLOPEN_FAILED', message: expect.stringContaining('lwkt_cpu_init') },
  });
});

describe('beside JavaScript', () => {
  test('takes turns with its threads, by priority', async () => {
    expect(await native('priorities')).toEqual([11, 111, 11, 111, 11, 111, 110, 10, 110, 10, 110, 10]);
  });

  test('has a handle as they have', async () => {
    expect(await native('handle')).toMatchObject({
      before: ['runnable', null],
      after: ['blocked', 'waitport', 20, 1, 'n'],
      text: ['UserThread #1 "n" blocked: waitport', 'UserThread #1 "n" blocked: waitport'],
      listed: true,
      stack: null,
      port: { code: 'ERR_LWKT_NOT_OWNER' },
      alive: 1,
      unnamed: 'add_one',
    });
  });

  test('has an errno of its own', async () => {
    expect(await native('errnos')).toBe('kept');
  });

  test('by thousands, of both kinds', async () => {
    expect(await native('many')).toEqual({ right: 2, alive: 0 });
  });

  test('while garbage is collected', async () => {
    expect(await native('garbage', ['--expose-gc'])).toEqual([true, expect.any(String)]);
  });

  test('in Workers', async () => {
    expect(await native('workers')).toEqual(Array(4).fill(String((50 * 51 * 101) / 6)));
  });
});

describe('in C', () => {
  test('creates threads, exchanges messages with them and joins them', async () => {
    expect(await native('ownThreads')).toBe(String((100 * 101 * 201) / 6));
  });

  test('is woken by an addon on thread0', async () => {
    expect(await native('signalled')).toBe('7');
  });

  test('sleeps; the event loop sleeps meanwhile, and comes back', async () => {
    const { processors, ...rest } = await native<{ processors: number }>('sleeps');
    expect(rest).toEqual({ order: [10, 25, 40], slept: true });
    expect(processors).toBeLessThan(0.5); // a loop that spins would use a whole one
  });

  test('can not end but by returning', async () => {
    expect(await native('exits')).toBe('1'); // EPERM
  });

  test('an overrun of the stack hits the guard page, and the message names the thread', async () => {
    const { signal, stdout, stderr } = await end('overrun');
    expect({ signal, stdout }).toEqual({ signal: 'SIGSEGV', stdout: 'fits 1\n' });
    expect(stderr).toMatch(/^libcr: userthread \d+ "grünspan" overran its C stack of 256 KiB/m);
  });
});

test('abort(): waits answer EINTR, and the outcome is the AbortError', async () => {
  const { own, ...rest } = await native('aborts');
  expect(rest).toMatchObject({
    early: { ...aborted, cause: 'early' },
    sleeper: { ...aborted, cause: 'sleeper' },
    waiter: { ...aborted, cause: 'waiter' },
    bySignal: { ...aborted, cause: 'signal' },
  });
  expect(own).toMatchObject({ code: 'EINTR' });
});

describe('trace events', () => {
  test('have native userthreads, threads of C and JavaScript under their own names', async () => {
    const waits = await native<string[]>('traced');
    expect(waits).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^#\d+ sum_of_squares: waitmsg$/),
        expect.stringMatching(/^#\d+ squarer: waitport$/),
        expect.stringMatching(/^#\d+ sleeper: nanosleep$/),
        expect.stringMatching(/^#\d+ late: sleep 60000 ms$/),
      ]),
    );
  });
});

describe('the program ends', () => {
  test('with one that waits for ever: the deadlock report names it', async () => {
    const { status, stderr } = await end('deadlock');
    expect(status).toBe(13);
    expect(stderr).toMatch(/userthread #1 "estragon" waits for: waitport\n/);
  });

  test('by process.exit(), which no thread hears of', async () => {
    expect(await end('exitWithThreads')).toEqual({ status: 4, signal: null, stdout: 'null\n', stderr: '' });
  });

  const afterTerminate = `${'cleaned up\n'.repeat(40)}terminated 1\ngoes on 1\nnull\n`;

  test('worker.terminate(): it may clean up', async () => {
    expect(await end('terminate')).toEqual({
      status: 0,
      signal: null,
      stdout: afterTerminate,
      stderr: '',
    });
  });

  test('worker.terminate() with one that does not end: it is abandoned', async () => {
    const { status, stdout, stderr } = await end('terminate', 'refuse_to_end');
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toBe(afterTerminate);
  });
});
