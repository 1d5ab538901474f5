/**
 * watch-loop.test.ts: the watchdog of the event loop. How long somebody keeps the loop is a multiple of the limit; nothing here asks how soon that is told.
 */
import { expect, test } from 'vitest';
import { outcome } from '../run.ts';

const watch = <T = unknown>(name: string): Promise<T> =>
  outcome<T>('preempt/watch-loop.mjs', { args: [name] });

test('a userthread is named, with its handle while it is there, and its stack', async () => {
  expect(await watch('userthread')).toEqual([
    { name: 'goes on', td: '1 blocked', hogs: true, beyond: true },
    { name: 'ends', td: 'ended', hogs: true, beyond: true },
  ]);
});

test('what the event loop does itself is told as well: callbacks, microtasks, builtins', async () => {
  const thread0 = { name: 'thread0', td: '0 running', hogs: true, beyond: true };
  expect(await watch('thread0')).toEqual([thread0, thread0, 'thread0 0 running']);
});

test('a critical section in a preemptible region is', async () => {
  expect(await watch('critical')).toMatchObject({ name: 'critical', hogs: true });
});

test('a loop that has nothing to do is not', async () => {
  expect(await watch('idle')).toEqual([]);
});

test('one watch at a time, until it is stopped', async () => {
  const code = 'ERR_LWKT_WATCHED';
  expect(await watch('stopped')).toEqual({ again: code, watched: code, blocks: [] });
});

test('what onBlock throws is an uncaught exception', async () => {
  expect(await watch('throws')).toBe('of onBlock');
});

test('it keeps no program alive', async () => {
  expect(await watch('forgotten')).toBe('ends');
});

for (const where of ['worker', 'rfork'])
  test(`it watches the loop of the ${where} that asks`, async () => {
    expect(await watch(where)).toEqual(['in there', true]);
  });

test('misuse', async () => {
  const type = 'ERR_INVALID_ARG_TYPE';
  const range = 'ERR_OUT_OF_RANGE';
  expect(await watch('misuse')).toEqual([type, type, type, type, range, range, range, type, type]);
});
