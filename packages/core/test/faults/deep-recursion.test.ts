/**
 * deep-recursion.test.ts: inputs nested thousands of times, on a default stack: they work, or throw. V8's compiler of regular expressions, for one, does not look at the stack's
 * limit everywhere; there is room for what it does (stack_to_map in native/node/resident.cc).
 */
import { expect, test } from 'vitest';
import { outcome } from '../run.ts';

test('nested 9,000 times', { timeout: 120_000 }, async () => {
  const seen = await outcome('faults/deep-recursion.mjs', { args: ['all'] });
  expect(Object.entries(seen).filter(([, fine]) => !fine)).toEqual([]);
  expect(Object.keys(seen).length).toBe(8);
});
