/** pause.ts: waiting within a call: of the shims that make calls slow, and of fs.rm between its tries. */
import { curthread, sleep, wait } from '@libcr/core';
import { invalidType, outOfRange, thread0 } from '@libcr/core/internal';
import { clearTimeout, setTimeout } from './loop.ts';

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

/** The same by the real clock, whatever a program's tests have put in the place of timers: where node:fs has waits of its own. */
export function pauseForReal(ms: number): void {
  if (!(ms > 0) || curthread() === thread0) {
    pause(ms);
    return;
  }
  let timer: NodeJS.Timeout | undefined;
  try {
    wait(
      new Promise<void>((resolve) => {
        timer = setTimeout(resolve, Math.min(ms, MILLISECONDS_MAX));
      }),
    );
  } finally {
    clearTimeout(timer);
  }
}
