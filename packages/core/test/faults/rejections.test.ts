/**
 * rejections.test.ts: the failure of an rfork reaches whoever asks, also where it comes first; where nobody asks it is an unhandled rejection.
 */
import { expect, test } from 'vitest';
import { outcome, runProgram } from '../run.ts';

const failures = (name: string): Promise<unknown> =>
  outcome<unknown>('faults/early-failures.mjs', { args: [name] });

const message = 'from the module';

test('join() throws what a message to the rfork has told before', async () => {
  expect(await failures('afterMessage')).toEqual([expect.stringMatching(/^rfork 2 has ended/), message]);
});

test('rforks that have failed are joined one after the other', async () => {
  expect(await failures('inTurn')).toEqual([message, message, message]);
});

test('finished rejects for who asks afterwards', async () => {
  expect(await failures('awaited')).toEqual([message, true]);
});

for (const name of ['never', 'neverServing', 'unheard'])
  test(`${name}: an unhandled rejection`, async () => {
    const { status, stderr } = await runProgram('faults/early-failures.mjs', { args: [name] });
    expect(stderr).toContain(`Error: ${message}`);
    expect(status).toBe(1);
  });
