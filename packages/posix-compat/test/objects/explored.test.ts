/** explored.test.ts: @libcr/core/explore interrupts userthreads before they take this package's locks: what is done with those in a wrong order is found. */
import { expect, test } from 'vitest';
import { runHere } from './run.ts';

const BEFORE_A_LOCK = ['"t1" (2) lets others run before pthread_mutex_lock'];

test.each([
  ['abba', { kind: 'deadlock', steps: BEFORE_A_LOCK }],
  ['lostSignal', { kind: 'deadlock', steps: BEFORE_A_LOCK }],
  ['readThenWrite', { kind: 'error', steps: ['"t1" (2) lets others run before pthread_rwlock_wrlock'] }],
  ['semaphores', { kind: 'deadlock', steps: ['"t1" (2) lets others run before sem_wait'] }],
  ['ordered', { kind: 'nothing', steps: [], runs: 200 }],
  ['signal', { kind: 'nothing', steps: [], runs: 200 }],
])('%s', async (name, found) => {
  const { stdout, stderr } = await runHere('explored.mjs', [name]);
  expect(stderr).toBe('');
  expect(JSON.parse(stdout)).toMatchObject(found);
});
