/**
 * index.ts: what programs ask besides system calls: clocks and chance, asked through a function. docs/shims/record.md has the list, and what is not in it.
 *
 * Not here: timers, which run by the real clock.
 *
 * Invariant: after the function that is returned has been called, all is as it was.
 */
import { patchDates } from './date.ts';
import { patchKeys } from './keys.ts';
import { Patches, type Reading } from './patches.ts';
import { patchTimes } from './performance.ts';
import { patchRandom } from './random.ts';

export type { Reading } from './patches.ts';

/** Puts a function in front of clocks and chance; what is returned takes it away again. */
export function wrapClock(reading: Reading): () => void {
  const patches = new Patches();
  patchDates(patches, reading);
  patchTimes(patches, reading);
  patchRandom(patches, reading);
  patchKeys(patches, reading);
  return patches.done();
}
