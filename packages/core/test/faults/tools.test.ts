/**
 * tools.test.ts: what test runners and their kind put in the place of Node's own things does not reach into this package.
 */
import { describe, expect, test } from 'vitest';
import { outcome, runProgram } from '../run.ts';

test('a copy of process as the global one: nothing is printed about how Node is asked', async () => {
  expect(await runProgram('faults/copied-process.mjs')).toMatchObject({ stdout: '"runs"\n', stderr: '' });
});

describe('fake timers:', () => {
  const fake = (name: string): Promise<unknown> =>
    outcome<unknown>('faults/fake-timers.mjs', { args: [name], timeout: 20_000 });

  test('thenables that resolve to thenables still come, and so do looks at other rforks', async () => {
    expect(await fake('goesOn')).toEqual(['the end', 1]);
  });

  test('sleep() and timeouts follow the clock of the test', async () => {
    expect(await fake('follows')).toEqual([
      'blocked',
      'blocked',
      'ERR_LWKT_TIMEOUT',
      'blocked',
      'slept for an hour',
    ]);
  });

  test('a wait that began by one clock ends by it, and leaves no timer', async () => {
    expect(await fake('changes')).toEqual(['slept', 'ABORT_ERR', 1, 0]);
  });
});
