/**
 * vm-timeout.test.ts: scripts of node:vm with a time limit on userthreads. When the time is up V8 terminates whatever runs: where the script could wait, that was
 * another thread, or the event loop. Now the wait is refused, and the limit hits the script.
 */
import { expect, test } from 'vitest';
import { outcome } from '../run.ts';

const limited = <T>(name: string): Promise<T> => outcome<T>('faults/vm-timeout.mjs', { args: [name] });

for (const [name, result] of Object.entries({
  refused: 'ERR_LWKT_VM_TIMEOUT',
  caught: 'ERR_SCRIPT_EXECUTION_TIMEOUT',
  yields: 'ERR_SCRIPT_EXECUTION_TIMEOUT',
  script: 'ERR_LWKT_VM_TIMEOUT',
  sigint: 'ERR_LWKT_VM_TIMEOUT',
  nested: 'ERR_SCRIPT_EXECUTION_TIMEOUT',
  computes: 'ERR_SCRIPT_EXECUTION_TIMEOUT',
  without: 42,
  returns: 43,
}))
  test(`${name}: ${result}, and the others go on`, async () => {
    expect(await limited(name)).toEqual({ result, spared: true, ticked: true });
  });

test('on the event loop, as ever', async () => {
  expect(await limited('onThread0')).toBe('ERR_SCRIPT_EXECUTION_TIMEOUT');
});
