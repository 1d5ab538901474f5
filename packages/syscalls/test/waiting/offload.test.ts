/** offload.test.ts: helper threads, and calls that keep one for good: each case in a process of its own. */
import { expect, test } from 'vitest';
import { runProgram } from '../support.ts';

test.each([
  ['a call right behind one that never ends has a helper of its own', 'rightBehind'],
  ['helpers that are stuck with what nobody waits for do not count', 'givenUp'],
  ['a Worker that ends leaves its stuck helper the code to come back to', 'onlyInWorker'],
])('%s', async (_what, name) => {
  const { status, signal, stdout, stderr } = await runProgram('offload.mjs', name);
  expect({ status, signal, stdout, stderr }).toEqual({
    status: 0,
    signal: null,
    stdout: 'fine\n',
    stderr: '',
  });
});

test("the process' locks on a file outlast calls that are made elsewhere", async () => {
  const { status, stdout, stderr } = await runProgram('locks.mjs');
  expect({ status, stdout, stderr }).toEqual({
    status: 0,
    stdout: 'none, a lock, a lock, none\n',
    stderr: '',
  });
});
