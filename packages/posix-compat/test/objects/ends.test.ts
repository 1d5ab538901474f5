/**
 * ends.test.ts: how a program ends in which threads still wait.
 */
import { expect, test } from 'vitest';
import { runHere } from './run.ts';

test('two threads that wait for each other are reported, with what they wait for', async () => {
  const { status, stderr } = await runHere('ends.mjs', ['deadlock']);
  expect(status).toBe(13);
  for (const name of ['a, then b', 'b, then a']) expect(stderr).toContain(`"${name}" waits for: mutex`);
});

test('a daemon that waits for other rforks, or other programs, keeps no program alive', async () => {
  expect(await runHere('ends.mjs', ['daemon'])).toEqual({ status: 0, signal: null, stdout: '', stderr: '' });
});

test('process.exit() waits for nobody', async () => {
  expect(await runHere('ends.mjs', ['exit'])).toEqual({ status: 3, signal: null, stdout: '', stderr: '' });
});
