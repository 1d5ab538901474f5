/**
 * join-cycle.test.ts: threads that wait while an array is being joined. V8 keeps one list of those arrays for all (native/node/state/join-stack.cc):
 * it used to end the process with three threads, and to give the second one that joins the same array an empty text.
 */
import { expect, test } from 'vitest';
import { outcome, stressed } from '../run.ts';

const join = <T>(name: string, flags: string[] = []): Promise<T> =>
  outcome<T>('faults/join-cycle.mjs', { args: [name], flags, timeout: 200_000 });

const timeout = 210_000;
const right = { known: true, two: [], three: [], many: [] };

test('each thread has its own text', { timeout }, async () => {
  expect(await join('own')).toEqual(right);
});

// V8 does not know that the list in its context is another one: collections must find it all the same.
for (const flags of [
  '--expose-gc --gc-interval=50 --stress-compaction',
  '--stress-scavenge=50',
  '--stress-incremental-marking',
])
  test.skipIf(stressed)(`the same with ${flags}`, { timeout }, async () => {
    expect(
      await outcome('faults/join-cycle.mjs', {
        args: ['own'],
        flags: flags.split(' '),
        env: { LIBCR_STRESSED: '1' },
        timeout: 200_000,
      }),
    ).toEqual(right);
  });

test('an array that another thread is joining is no cycle', async () => {
  expect(await join('sameArray')).toEqual(Array(5).fill('a+b'));
});

test('what the event loop joins meanwhile', async () => {
  expect(await join('besides')).toEqual({ value: 'a,x,', seen: ['x,'] });
});

test('joins that end by abort()', async () => {
  expect(await join('aborted')).toEqual([...Array(3).fill('AbortError'), ...Array(3).fill('a,a')]);
});

test('in contexts of node:vm', async () => {
  expect(await join('contexts')).toEqual(['n0,1', 'n1,1', 'n2,1', 'n3,1']);
});
