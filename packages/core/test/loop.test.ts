/**
 * loop.test.ts: userthreads beside the event loop: nobody starves, ticks and microtasks keep their order,
 * stores stay with their thread.
 */
import { describe, expect, test } from 'vitest';
import { outcome } from './run.ts';

const loop = <T = Record<string, unknown>>(name: string): Promise<T> =>
  outcome<T>('loop.mjs', { args: [name] });

describe('threads that yield for ever', () => {
  test('do not starve timers, files, sockets and immediates', async () => {
    expect(await loop('starvation')).toEqual({
      ticks: 10,
      read: true,
      text: 'there and back',
      immediate: 'immediate',
      yields: true,
    });
  });

  test('with a high priority keep lower threads waiting, not the loop', async () => {
    expect(await loop('priorityStarvation')).toEqual({
      ticks: 5,
      text: 'there and back',
      before: 0,
      after: 1,
    });
  });

  test('let immediates through, each pass', async () => {
    expect(await loop('immediatesBetween')).toBe(50);
  });

  test('one that computes for long loses no wake-up', async () => {
    expect(await loop('longPass')).toEqual(['busy', 'sleeper']);
  });
});

describe('order', () => {
  test('ticks and microtasks of a thread run when it first waits, in the order of Node', async () => {
    expect(await loop('order')).toEqual([
      'thread',
      'after yieldNow',
      'tick',
      'microtask',
      'microtask 2',
      'tick 2',
      'after sleep',
    ]);
  });

  test('microtasks that were queued before a wait() come first', async () => {
    expect(await loop('microtasksFirst')).toEqual([0, 1, 2, 'waited']);
  });

  test('an async function runs on the thread up to its first await', async () => {
    expect(await loop('asyncFunctions')).toEqual({ value: 'value', ids: [true, false] });
  });

  test('an async iterator can be drawn from in blocking style', async () => {
    expect(await loop('streams')).toBe('abc');
  });
});

describe('what stays with a thread', () => {
  test('the stores of AsyncLocalStorage', async () => {
    expect(await loop('storePerThread')).toEqual({ each: true, outside: 'none' });
  });

  test('a message takes no store along', async () => {
    expect(await loop('storeInPort')).toEqual(['server', 'client']);
  });

  test('AbortSignal.timeout() and AbortSignal.any() end waits', async () => {
    expect(await loop('signals')).toEqual({ timeout: ['AbortError', 'TimeoutError'], all: true });
  });

  test('a hundred threads cause no MaxListeners warning', async () => {
    expect(await loop('noWarnings')).toEqual({ warnings: [], listeners: 1 });
  });
});
