/** pause.ts: waiting within a call: of the shims that make calls slow, and of fs.rm between its tries. */
import { curthread, sleep } from '@libcr/core';
import { invalidType, outOfRange, thread0 } from '@libcr/core/internal';

/** Longest delay: what sleep() takes. */
const MILLISECONDS_MAX = 2 ** 31 - 1;

/** A number of milliseconds in options, fractions too. Throws TypeError or RangeError. */
export function checkDelay(name: string, ms: unknown): number {
  if (typeof ms !== 'number') throw invalidType(name, 'of type number', ms);
  if (!(ms >= 0 && ms <= MILLISECONDS_MAX)) throw outOfRange(name, `>= 0 and <= ${MILLISECONDS_MAX}`, ms);
  return ms;
}

const never = new Int32Array(new SharedArrayBuffer(4));

/**
 * Waits. A userthread blocks, and nothing else; td.abort() ends it. On the event loop's own stack everything waits, as it does for fs.*Sync
 * on a slow disk.
 */
export function pause(ms: number): void {
  if (!(ms > 0)) return;
  if (curthread() === thread0) Atomics.wait(never, 0, 0, ms);
  else sleep(Math.min(ms, MILLISECONDS_MAX));
}
