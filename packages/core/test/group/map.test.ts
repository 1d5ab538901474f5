/**
 * map.test.ts: map() and race(): order, lazily taken items, failures, losers. The cases are in programs/group/map.mjs, one process for all.
 */
import { beforeAll, describe, expect, test } from 'vitest';
import { outcome } from '../run.ts';

let cases: Record<string, unknown>;
beforeAll(async () => {
  cases = await outcome('group/map.mjs');
}, 300_000);

function expectCase(name: string, expected: unknown): void {
  expect(cases).toHaveProperty(name);
  expect(cases[name]).toEqual(expected);
}

describe('map', () => {
  test('keeps the items’ order', () => expectCase('order', ['0: 30', '1: 20', '2: 10']));

  test('takes whatever is iterable', () => {
    expectCase('iterables', { set: ['A', 'B'], text: ['x0', 'y1', 'z2'], async: [2, 4], none: [] });
    expectCase('blockingGenerator', ['a', 'b', 'c']);
    expectCase('asyncIterableEnds', ['a', 'b']);
  });

  test('runs no more at once than its concurrency', () => expectCase('concurrency', 4));

  test('takes an item when somebody can begin with it, and none after a failure', () => {
    const log = ['item 0', 'done 0', 'item 1', 'done 1', 'item 2', 'done 2', 'returned'];
    expectCase('lazy', { message: 'at 2', log });
    expectCase('asyncIterable', { message: 'torn', log: ['page 0', 'page 1', 'page 2', 'closed'] });
  });

  test('does not wait for an iterator that owes an item', () =>
    expectCase('asyncIterableOwes', { message: 'of a child', calls: ['next', 'next', 'return'] }));

  test('a failure of the items aborts the children', () =>
    expectCase('itemsFail', { message: 'of items', log: ['aborted'], left: 1 }));

  test('ends by a signal, a timeout, an abort of the caller', () =>
    expectCase('aborts', {
      log: [1, 2, 'item 0', 'returned'],
      bySignal: 'signalled',
      byTime: 'ERR_LWKT_TIMEOUT',
      byCaller: 'the caller',
    }));

  test('passes its options on to the userthreads', () => expectCase('options', [['worker', 20]]));

  test('nests', () =>
    expectCase('mapWithinMap', [
      [10, 20],
      [20, 40],
    ]));
});

describe('race', () => {
  test('returns the first value; the others are aborted and waited for', () =>
    expectCase('raceValue', {
      log: ['AbortError: another one has won', 'the loser is gone', 'first'],
      left: 1,
    }));

  test('throws if a failure is first', () => expectCase('raceFailure', { message: 'first', left: 1 }));

  test('a value may be undefined, a single one wins', () => expectCase('raceUndefined', [true, true]));

  test('ends with its caller', () => expectCase('raceAborted', 'over'));

  test('nests', () => expectCase('raceWithItself', 'inner'));
});

test('on the event loop they are promises, and AsyncLocalStorage follows', () =>
  expectCase('onTheEventLoop', { map: ['kept1', 'kept2'], race: 'quick' }));

test('wrong arguments are refused', () =>
  expectCase('wrong', [
    'ERR_INVALID_ARG_TYPE',
    'ERR_INVALID_ARG_TYPE',
    'ERR_INVALID_ARG_TYPE',
    'ERR_OUT_OF_RANGE',
    'ERR_INVALID_ARG_TYPE',
    'ERR_INVALID_ARG_TYPE',
    'ERR_OUT_OF_RANGE',
    'ERR_INVALID_ARG_TYPE',
    'ERR_INVALID_ARG_VALUE',
    'ERR_INVALID_ARG_TYPE',
    'ERR_INVALID_ARG_TYPE',
  ]));
