/**
 * thread-local.test.ts: threadLocal(), by itself and with React, whose renderer keeps much of where it is in properties.
 */
import { describe, expect, test } from 'vitest';
import { outcome } from '../run.ts';

const local = (name: string, flags: string[] = []): Promise<unknown> =>
  outcome<unknown>('faults/thread-local.mjs', { args: [name], flags });

test('each userthread has a value of its own, and begins with the first', async () => {
  expect(await local('own')).toEqual({
    mixed: true,
    withIt: ['ann ann nobody ann', 'bob bob nobody bob', 'cat cat nobody cat'],
    onLoop: 'nobody',
    seen: 'nobody',
    after: { value: 'the loop', writable: true, enumerable: true, configurable: true },
  });
});

test('to everybody else it is the property that it was', async () => {
  expect(await local('shape')).toEqual([
    ['a'],
    true,
    2,
    { value: 3, writable: true, enumerable: false, configurable: true },
    'own',
    ['a'],
  ]);
});

test('what has no such property, or one that cannot be changed, is refused', async () => {
  const type = { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' };
  const frozen =
    'cannot be replaced by an accessor: its object is frozen or sealed, or is the namespace of an ES module';
  const absent = 'is not there: objects have it themselves, or not at all';
  expect(await local('refused')).toMatchObject([
    type,
    type,
    type,
    absent,
    absent,
    'is thread-local already',
    'is an accessor: it has no value that could go with a userthread',
    'is read-only',
    frozen,
    frozen,
  ]);
});

test('a value goes when its thread ends', async () => {
  expect(await local('ends', ['--expose-gc'])).toEqual([3, 3]);
});

describe('React, rendering three pages at once', () => {
  const react = (name: string): Promise<unknown> =>
    outcome<unknown>('faults/react.mjs', { args: [name], env: { NODE_ENV: 'production' } });

  test('mixes them up without', async () => {
    expect(await react('without')).toBe(false);
  });

  test('does not with its dispatcher and its contexts thread-local', async () => {
    expect(await react('withThem')).toBe(true);
  });
});
