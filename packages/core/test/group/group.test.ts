/**
 * group.test.ts: group(): what it returns, what happens at a failure or an abort wherever it comes from, that nobody outlives it, the limit.
 * The cases are in programs/group/group.mjs, one process for all.
 */
import { beforeAll, describe, expect, test } from 'vitest';
import { outcome } from '../run.ts';

let cases: Record<string, unknown>;
beforeAll(async () => {
  cases = await outcome('group/group.mjs');
}, 300_000);

/** Of the caller alone: it is the one userthread that there is. */
const left = 1;

function expectCase(name: string, expected: unknown): void {
  expect(cases).toHaveProperty(name);
  expect(cases[name]).toEqual(expected);
}

describe('what it returns', () => {
  test('the results of all children, in the order of their creation', () =>
    expectCase('resultsOfChildren', ['a', null, 'c']));

  test('what body returns, where userthreads stand for their results', () =>
    expectCase('resultsOfBody', {
      one: 1,
      several: ['slow', 'fast'],
      itself: 21,
      async: 'late',
      empty: [],
      nothing: [],
      nil: null,
    }));

  test('a promise of it on the event loop', () =>
    expectCase('onTheEventLoop', { promise: true, value: ['x'], failure: 'no' }));

  test('a child is a userthread like others', () => expectCase('finishedOfAChild', 'as a promise'));
});

describe('a failure', () => {
  test('of a child aborts the others, and is thrown as it is when they have gone', () =>
    expectCase('childFails', {
      same: true,
      log: ['a AbortError first', 'b AbortError first', 'a is gone', 'b is gone'],
      left,
      suppressed: false,
    }));

  test('of body does the same', () =>
    expectCase('bodyFails', { same: true, log: ['a AbortError of the body', 'a is gone'], left }));

  test('of body at once: nobody begins', () => expectCase('bodyFailsAtOnce', { thrown: true, log: [] }));

  test('of a child ends what body waits for', () =>
    expectCase('bodyIsInterrupted', {
      message: 'of a child',
      log: ['AbortError', 'of a child'],
      suppressed: null,
    }));

  test('of a child: a body that goes on can create no more', () =>
    expectCase('bodyCatchesAndGoesOn', { message: 'of a child', log: ['goes on', 'ERR_LWKT_GROUP_ENDED'] }));

  test('that body has joined counts once', () =>
    expectCase('bodyJoinsTheFailure', { message: 'once', times: 1, suppressed: null }));

  test('after the first is reachable through it', () =>
    expectCase('severalFail', {
      first: 'one',
      suppressed: ['two', 'three'],
      errors: ['one', 'two', 'three'],
      printed: true,
    }));

  test('may be any value', () => expectCase('thrownValues', [1, 'undefined', true]));

  test('is never an unhandled rejection', () => expectCase('handledWhateverHappens', []));

  test('of a native userthread or one in a preemptible region is the same', () =>
    expectCase('preemptibleFails', { message: 'first', left }));
});

describe('an abort', () => {
  const log = ['a AbortError enough', 'b AbortError enough', 'a is gone', 'b is gone'];

  test('of the caller while it waits for the children', () =>
    expectCase('callerIsAborted', { name: 'AbortError', cause: 'enough', log, left }));

  test('of the caller in its body', () =>
    expectCase('callerIsAbortedInBody', {
      name: 'AbortError',
      cause: 'enough',
      log: ['a AbortError enough', 'a is gone'],
      left,
    }));

  test('while it creates: no child begins', () =>
    expectCase('abortedWhileCreating', { name: 'AbortError', cause: 'while it creates', log: [], left }));

  test('that a child ignores: the group waits for it', () =>
    expectCase('ignoresAbort', {
      log: ['the stubborn one is done', 'the group has ended: AbortError'],
      left,
    }));

  test('by a signal, before and meanwhile', () =>
    expectCase('signal', {
      name: 'AbortError',
      cause: 'by the signal',
      again: 'by the signal',
      log: ['a AbortError by the signal', 'a is gone'],
    }));

  test('by a timeout', () =>
    expectCase('timeout', {
      name: 'TimeoutError',
      code: 'ERR_LWKT_TIMEOUT',
      message: 'group "short" took longer than 1 ms',
      log: ['a AbortError group "short" took longer than 1 ms', 'a is gone'],
    }));

  test('by g.abort()', () =>
    expectCase('abortByHandle', {
      name: 'AbortError',
      cause: 'found it',
      log: ['a AbortError found it', 'a is gone'],
    }));

  test('is told to g.signal', () =>
    expectCase('signalOfTheGroup', { same: true, aborted: true, reason: true }));

  test('of one child is no failure', () => expectCase('oneIsAborted', ['aborted', 'goes on']));

  test('terminate(), which runs no finally block of the caller, aborts the children', () =>
    expectCase('callerIsTerminated', {
      code: 'ERR_LWKT_TERMINATED',
      log: [expect.stringMatching(/^orphan AbortError userthread .* has been terminated$/), 'orphan is gone'],
      left,
    }));

  test('the servants of a group (daemon) go when all others have gone', () =>
    expectCase('daemon', { values: [null, 2], log: ['the servant is gone'] }));
});

describe('the limit', () => {
  test('is how many run at once; others follow in order', () =>
    expectCase('limit', {
      most: 3,
      order: ['Group "three" 3 running, 7 waiting', 0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
    }));

  test('of one is one after the other', () =>
    expectCase('limitOne', {
      values: ['a', 'b', 'c'],
      log: ['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends'],
    }));

  test('of one, with children that create into their group', () => expectCase('limitAndNesting', 15));

  test('who waits for a turn never begins after a failure', () =>
    expectCase('heldIsNeverBegun', {
      message: 'the first',
      log: [],
      states: ['blocked', 'its turn in group "narrow"'],
      left,
    }));

  test('who waits for a turn can be aborted and joined', () =>
    expectCase('heldIsAborted', { values: ['first', null, 'third'], log: ['gone while 2 are left'] }));
});

describe('groups and the rest', () => {
  test('nothing is created into one that is ending or has ended', () =>
    expectCase('intoAnEndingGroup', ['ERR_LWKT_GROUP_ENDED', 'the cause', 'ERR_LWKT_GROUP_ENDED', 1]));

  test('they nest: a failure outside ends what is inside', () =>
    expectCase('nested', {
      message: 'of the outer',
      log: ['inner AbortError of the outer', 'inner is gone'],
      suppressed: null,
      left,
    }));

  test('they nest: a failure inside is the caller’s to catch', () =>
    expectCase('nestedFailure', {
      value: 'of the inner',
      log: ['inner AbortError of the inner', 'inner is gone', 'the outer is unharmed'],
    }));

  test('AsyncLocalStorage: the stores are those of the creation, whenever it begins', () =>
    expectCase('asyncLocalStorage', ['outer', 'inner']));

  test('children may be preemptible', () => expectCase('preemptibleChildren', [true, true, true]));

  test('options pass through, wrong ones are refused', () =>
    expectCase('options', {
      names: [true, 'group', 1, 'named', 20],
      codes: [
        'ERR_INVALID_ARG_TYPE',
        'ERR_INVALID_ARG_TYPE',
        'ERR_OUT_OF_RANGE',
        'ERR_OUT_OF_RANGE',
        'ERR_INVALID_ARG_TYPE',
        'ERR_INVALID_ARG_TYPE',
        'ERR_INVALID_ARG_TYPE',
        'ERR_OUT_OF_RANGE',
        'ERR_INVALID_ARG_TYPE',
        'ERR_INVALID_ARG_TYPE',
      ],
    }));
});
