/**
 * traps.test.ts: one test for each thing that V8 and Node are known to need besides a stack of its own and V8's thread words,
 * named after it. A program of its own for each, as most of these used to end the process.
 */
import { describe, expect, test } from 'vitest';
import { outcome, type RunOptions } from './run.ts';

const major = Number(process.versions.node.split('.')[0]);

const trap = <T = Record<string, unknown>>(name: string, options: RunOptions = {}): Promise<T> =>
  outcome<T>('traps.mjs', { args: [name], ...options });

describe('wasm code GC', () => {
  const flagSets = [[], ['--expose-gc'], ['--wasm-code-gc', '--stress-wasm-code-gc']];
  for (const flags of flagSets) {
    test(`wasm that calls back and waits ${flags.join(' ')}`, async () => {
      expect(await trap('wasmCodeGc', { flags })).toBe(true);
    });

    test(`fetch, whose HTTP parser is wasm ${flags.join(' ')}`, async () => {
      expect(await trap('fetchUsesWasm', { flags })).toBe(true);
    });
  }
});

// Which of the two a Node does by default, and which flag makes it do the other, where it can.
const contextFrame = major >= 24 ? [] : major === 22 ? ['--experimental-async-context-frame'] : undefined;

test.runIf(contextFrame)('AsyncLocalStorage, Node 24 and later (AsyncContextFrame)', async () => {
  const flags = contextFrame ?? [];
  expect(await trap('asyncLocalStorage', { flags })).toEqual([]);
  expect(await trap('asyncLocalStorageExit', { flags })).toBe(true);
});

test.runIf(major < 24)('AsyncLocalStorage, Node 20 and 22 (async_hooks)', async () => {
  expect(await trap('asyncLocalStorage')).toEqual([]);
});

test('a yield inside a nested runInAsyncScope', async () => {
  expect(await trap('nestedScope')).toEqual({ bad: [], values: true, after: true, deep: 'fine' });
});

test('a yield with async_hooks watching', async () => {
  expect(await trap('hooksEnabled')).toEqual({ before: true, after: true });
});

test('blocking on the main stack', async () => {
  const refused = await outcome<Record<string, unknown>>('wait.mjs', { args: ['thread0'] });
  expect(refused).toMatchObject({
    sleep: { code: 'ERR_LWKT_WOULD_BLOCK', message: expect.stringContaining('create(() => …)') },
  });
});

describe('suspended threads at exit', () => {
  test('the program ends: exit code 0, their finally blocks do not run', async () => {
    expect(await trap('exitWithSuspended')).toBe('ends with them');
  });

  test('process.exit(): no finally block runs', async () => {
    expect(await trap('processExitWithSuspended')).toBe('exit 0');
  });

  test('a Worker that ends, exits, throws, is terminated: exit codes, no finally block', async () => {
    expect(await trap('workersWithSuspended')).toEqual({
      ends: 0,
      exits: 7,
      terminated: 1,
      throws: [1, 'from the worker'],
    });
  });

  test('abort() is another thing: finally blocks run, below C++ and wasm frames too', async () => {
    expect(await trap('abortRunsFinally')).toEqual({ finallies: 10, errors: true });
  });
});

test('debugger stepping across a yield', async () => {
  const { value, seen } = await outcome<{ value: string; seen: string[] }>('debugger.mjs', {
    args: ['stepOverSwitch'],
  });
  expect(value).toBe('stepped');
  expect(seen[2]).toBe('stepped +2');
});
