/**
 * from-fibers.test.ts: what users of node-fibers rely on, said with userthreads: docs/from-fibers.md names it. What can't be had is here as well: as it is instead.
 * The cases are in programs/from-fibers.mjs, one process for all.
 */
import { beforeAll, expect, test } from 'vitest';
import { outcome, runProgram } from './run.ts';

let cases: Record<string, unknown>;
beforeAll(async () => {
  cases = await outcome('from-fibers.mjs');
}, 300_000);

test.each<[what: string, name: string, expected: unknown]>([
  [
    'values go in and out at each yield, and the result at the end',
    'valuesGoBothWays',
    [
      { value: 'got a', done: false },
      { value: 'got b', done: false },
      { value: 'ends with c', done: true },
    ],
  ],
  ['an exception comes out where it is waited for', 'exceptionsGoOut', 'out'],
  ['an exception can be thrown into one', 'exceptionsGoIn', true],
  ['one can be unwound from outside', 'unwoundFromOutside', ['unwound', 'finished']],
  ['one that is not needed never begins', 'neverStarted', ['AbortError']],
  ['the current one is right at any depth', 'currentIsRight', [true, true]],
  ['recursion without end is its own affair', 'overflowIsItsOwn', ['RangeError', 'unharmed']],
  ['thousands at once', 'thousandsAtOnce', [4_498_500, 1]],
  ['stacks are used again', 'stacksAreUsedAgain', 0],
  [
    'getters, conversions, generators, constructors, comparators, traps may wait',
    'anywhereInTheLanguage',
    ['getter', 'text', 'generator', 'constructor', [1, 2, 3], 'replacer', 'trap'],
  ],
  ['finally blocks may wait', 'finallyAndReturn', ['value', 'finally']],
  ['futures are promises', 'futures', [6, 'negative']],
  ['several futures are waited for at once', 'waitingForSeveral', ['a', 'b']],
  ['they are made in callbacks, and outlive them', 'insideCallbacks', true],
  ['AsyncLocalStorage goes along', 'storesGoAlong', ['one', 'two', 'none']],
  ['nothing waits on the event loop', 'notOnTheEventLoop', 'ERR_LWKT_WOULD_BLOCK'],
  ['not to be had: one that is run by hand, inside of the call', 'notRunByHand', ['created', 'inside']],
])('%s', (_, name, expected) => {
  expect(cases).toHaveProperty(name);
  expect(cases[name]).toEqual(expected);
});

test('not to be had: one that nobody can wake is not collected, but reported at the end', async () => {
  const { status, stderr } = await runProgram('from-fibers-forgotten.mjs');
  expect(status).toBe(13);
  expect(stderr).toMatch(/DeadlockWarning: 1 userthread waits[\s\S]*"forgotten" waits for: promise/);
});
