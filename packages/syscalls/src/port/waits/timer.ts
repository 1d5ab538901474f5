/**
 * timer.ts: nanosleep and clock_nanosleep where there is no ring: on the event loop's timers, which have a resolution of a millisecond and are
 * never early here.
 */
import { nanoseconds, today } from '../../clock.ts';
import { constants as c } from '../../generated/constants.ts';
import { clearTimeout, setTimeout } from '../../loop.ts';
import type { Pending } from './pending.ts';

const CLOCK_MONOTONIC = 1;
const CLOCK_BOOTTIME = 7;
const TIMER_ABSTIME = 1;
const TIMEOUT_MAX = 2 ** 31 - 1;
const MILLION = 1_000_000n;

function timespec(buffer: unknown): bigint {
  const { buffer: memory, byteOffset } = buffer as NodeJS.ArrayBufferView;
  const view = new DataView(memory, byteOffset, 16);
  return view.getBigInt64(0, true) * 1_000_000_000n + view.getBigInt64(8, true);
}

/** The clock in nanoseconds. CLOCK_BOOTTIME differs from CLOCK_MONOTONIC by the time the machine was suspended, which is not seen here. */
function clockNow(clock: number): bigint {
  return clock === CLOCK_MONOTONIC || clock === CLOCK_BOOTTIME ? nanoseconds() : BigInt(today()) * MILLION;
}

export class Timer implements Pending {
  readonly reason: string;
  done = false;
  private timer: NodeJS.Timeout | undefined;
  private readonly clock: number;
  private readonly until: bigint;

  constructor(number: number, args: readonly unknown[]) {
    if (number === c.SYS_nanosleep) {
      this.clock = CLOCK_MONOTONIC;
      this.until = nanoseconds() + timespec(args[0]);
      this.reason = 'nanosleep()';
      return;
    }
    const absolute = ((args[1] as number) & TIMER_ABSTIME) !== 0;
    this.clock = absolute ? (args[0] as number) : CLOCK_MONOTONIC; // a relative sleep doesn't follow a clock that is set
    this.until = absolute ? timespec(args[2]) : nanoseconds() + timespec(args[2]);
    this.reason = 'clock_nanosleep()';
  }

  begin(notify: () => void): void {
    const left = this.until - clockNow(this.clock);
    if (left <= 0n) {
      this.done = true;
      return;
    }
    const ms = Number((left + MILLION - 1n) / MILLION);
    this.timer = setTimeout(
      () => {
        this.begin(notify);
        if (this.done) notify();
      },
      Math.min(ms, TIMEOUT_MAX),
    );
  }

  cancel(): void {
    clearTimeout(this.timer);
    this.done = true;
  }
}
