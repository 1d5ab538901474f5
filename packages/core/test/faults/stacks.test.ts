/**
 * stacks.test.ts: what is thrown arrives as it is, whatever reading or changing its stack would do.
 */
import { expect, test } from 'vitest';
import { outcome } from '../run.ts';

// Node itself reads the stacks of what it would warn of.
const flags = ['--unhandled-rejections=none'];
const stacks = (name: string): Promise<unknown> =>
  outcome<unknown>('faults/stacks.mjs', { args: [name], flags });

test('a reason arrives as it is by wait(), join() and domsg()', async () => {
  expect(await stacks('all')).toEqual({});
});

test('the stack of the waiter is still added', async () => {
  expect(await stacks('decorated')).toEqual([true, true]);
});

test('errors go to other rforks, less what of them can not be read', async () => {
  expect(await stacks('rfork')).toEqual(['TypeError t', 'Error e', 'RangeError r', 'Error f']);
});

test('a bad argument that cannot be looked at is a TypeError all the same', async () => {
  expect(await stacks('badArguments')).toEqual(['ERR_INVALID_ARG_TYPE', 'ERR_INVALID_ARG_TYPE']);
});
