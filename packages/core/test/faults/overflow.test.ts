/**
 * overflow.test.ts: stacks that overflow, of threads of several sizes and of the event loop, in any order.
 */
import { expect, test } from 'vitest';
import { outcome } from '../run.ts';

test.each(['oneByOne', 'inTurns', 'inside'])('endless recursion is a RangeError: %s', async (name) => {
  const seen = await outcome<[boolean, string][]>('faults/overflow.mjs', { args: [name] });
  expect(seen.length).toBeGreaterThan(10);
  expect(new Set(seen.map(String))).toEqual(new Set(['true,RangeError']));
});
