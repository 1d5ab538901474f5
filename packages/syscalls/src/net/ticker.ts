/** ticker.ts: a loop in time with the clock. */
import { curthread, type WaitOptions } from '@libcr/core';
import { checkMilliseconds, outOfRange, thread0, wouldBlock } from '@libcr/core/internal';
import { constants } from '../generated/constants.ts';
import { sys } from '../index.ts';
import { within } from './deadline.ts';

const { CLOCK_MONOTONIC, TIMER_ABSTIME } = constants;
const BILLION = 1_000_000_000n;

export interface TickerOptions {
  /** Ends the loop with an AbortError. */
  signal?: AbortSignal | undefined;
}

/**
 * For `for (const n of ticker(ms))`: each step sleeps until the next multiple of ms milliseconds (1 to 2^31-1) after the first one began, and
 * gives that multiple: 1, 2, 3, … Ticks are never early and do not drift. One that passes while the loop's body runs is left out: n says
 * so. Leaving the loop ends it. Blocks the running userthread; throws ERR_LWKT_WOULD_BLOCK on thread0. (clock_nanosleep(2), Go's
 * time.Ticker)
 */
export function* ticker(ms: number, { signal }: TickerOptions = {}): Generator<number, void, void> {
  checkMilliseconds('ms', ms);
  if (ms < 1) throw outOfRange('ms', '>= 1', ms);
  if (curthread() === thread0) throw wouldBlock('ticker()');
  const options: WaitOptions | undefined = signal === undefined ? undefined : { signal };
  const period = BigInt(Math.round(ms * 1e6));
  const start = process.hrtime.bigint();
  let n = 0n;
  for (;;) {
    const passed = (process.hrtime.bigint() - start) / period;
    n = passed > n ? passed + 1n : n + 1n;
    const at = start + n * period;
    const request = { sec: Number(at / BILLION), nsec: Number(at % BILLION) };
    within(options, 'ticker()', () => sys.clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, request));
    yield Number(n);
  }
}
