/**
 * teardown-frames.test.ts: an environment ends while a userthread is suspended inside a function of an object of Node's. The object used to go first, and the thread then
 * came back into it: SIGSEGV.
 */
import { expect, test } from 'vitest';
import { outcome } from '../run.ts';

const ends = <T>(name: string): Promise<T> => outcome<T>('faults/teardown-frames.mjs', { args: [name] });

// DatabaseSync.function() came with 22.13 and 23.5.
const [major] = process.versions.node.split('.').map(Number);
const inDatabase = test.runIf((major as number) >= 24);

inDatabase('a Worker that is terminated', async () => {
  expect(await ends('terminate')).toEqual([1, 1, 1]);
});

inDatabase('a Worker that exits', async () => {
  expect(await ends('exits')).toBe(3);
});

inDatabase('the main thread, whose daemon is left', async () => {
  expect(await ends('main')).toBe('ends');
});
