/**
 * worker.test.ts: userthreads in Workers, each with a CPU of its own; and import beside require() of the
 * package.
 */
import { describe, expect, test } from 'vitest';
import { outcome } from '../run.ts';

const workers = <T = Record<string, unknown>>(name: string): Promise<T> =>
  outcome<T>('workers.mjs', { args: [name] });

/** Cases that say the same on every run. */
const elsewhere: [string, string[]][] = [
  [
    'api.mjs',
    ['createAndFinish', 'roundRobin', 'priorities', 'joinSeveral', 'falsyOutcomes', 'nestedCreates'],
  ],
  ['wait.mjs', ['values', 'thenables', 'manyWaitOnOne', 'signalCreate', 'abortInFinally', 'thread0']],
  ['ports/ports.mjs', ['domsg', 'sendmsg', 'forwardmsg']],
  ['ports/port-aborts.mjs', ['abortHeld', 'domsgGivesUp']],
  ['ports/port-owners.mjs', ['close', 'misuse']],
  ['loop.mjs', ['order', 'storePerThread', 'signals']],
  ['traps.mjs', ['asyncLocalStorage', 'nestedScope', 'wasmCodeGc', 'fetchUsesWasm', 'abortRunsFinally']],
  ['survive.mjs', ['workload']],
];

describe('in a Worker as on the main thread', () => {
  for (const [program, names] of elsewhere)
    for (const name of names)
      test(`${program} ${name}`, async () => {
        const [here, there] = await Promise.all([
          outcome(program, { args: [name] }),
          outcome('in-worker.mjs', { args: [program, name] }),
        ]);
        expect(there).toEqual(here);
      });

  test('in four Workers at once', async () => {
    expect(await outcome('in-worker.mjs', { args: ['survive.mjs', 'small', '4'] })).toEqual([]);
  });
});

describe('Workers', () => {
  test('several at once, beside the main thread', async () => {
    expect(await workers('atOnce')).toEqual({ codes: [0, 0, 0, 0], counts: [1, 1, 1, 1, 1] });
  });

  test('have ids, counters and lists of their own', async () => {
    expect(await workers('separate')).toEqual({
      seen: { zero: 0, first: 2, created: 2 },
      mine: { alive: 1, state: 'blocked' },
    });
  });

  test('exchange messages in blocking style', async () => {
    expect(await workers('parentPort')).toEqual([2, 4, 6]);
  });

  test('start Workers in their turn', async () => {
    expect(await workers('nested')).toBe('2 1 deepest');
  });

  test('can be started and awaited on a userthread', async () => {
    expect(await workers('fromThread')).toBe(0);
  });

  test('told to end while it loads this', async () => {
    expect(await workers('endsAsItLoads')).toEqual({ code: 'ok', terminated: 1 });
  });

  test('one after another, with nothing left over', async () => {
    expect(await workers('oneAfterAnother')).toEqual([0]);
  });
});

describe('import and require()', () => {
  const same = { names: true, same: [], thread: true, instance: true, stats: true, warnings: [] };

  test('in one process share classes and the native half', async () => {
    expect(await outcome('both-ways.mjs', { args: ['importFirst'] })).toEqual(same);
  });

  test('require() first, import() after', async () => {
    expect(await outcome('require-first.cjs')).toEqual({ answer: true, same: true, thread: true });
  });

  test('in a Worker', async () => {
    expect(await outcome('in-worker.mjs', { args: ['both-ways.mjs', 'importFirst'] })).toEqual(same);
    expect(await outcome('in-worker.mjs', { args: ['require-first.cjs', ''] })).toMatchObject({ same: true });
    expect(await workers('required')).toEqual({ same: true, thread0: true });
  });
});
