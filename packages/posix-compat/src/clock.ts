/**
 * clock.ts: the clocks of deadlines, and how long a wait may last.
 *
 * Invariant: no wait is over for its deadline before that clock shows it. Node's timers may be a little early; then there is another one.
 */
import { types } from 'node:util';
import { curthread } from '@libcr/core';
import {
  abortError,
  checkMilliseconds,
  followSignal,
  invalidType,
  isAbortSignal,
  outOfRange,
  suspend,
  usersClock,
  wake,
} from '@libcr/core/internal';

/** The time of day, as Date.now() has it; it can be set. */
export const CLOCK_REALTIME = 0;
/** The time since the machine has started, the same for all processes; nobody can set it. */
export const CLOCK_MONOTONIC = 1;

export type Clock = typeof CLOCK_REALTIME | typeof CLOCK_MONOTONIC;

/** What a clock shows, in milliseconds with their fractions. Never blocks. (clock_gettime) */
export function clockNow(clock: Clock): number {
  checkClock('clock', clock);
  return read(clock);
}

function read(clock: Clock): number {
  return clock === CLOCK_REALTIME ? Date.now() : Number(process.hrtime.bigint()) / 1e6;
}

export function checkClock(name: string, clock: unknown): asserts clock is Clock {
  if (typeof clock !== 'number') throw invalidType(name, 'of type number', clock);
  if (clock !== CLOCK_REALTIME && clock !== CLOCK_MONOTONIC)
    throw outOfRange(name, 'CLOCK_REALTIME (0) or CLOCK_MONOTONIC (1)', clock);
}

/** A point in time: what the clock will show, in milliseconds; for CLOCK_REALTIME a Date, too. */
export type Deadline = number | Date;

/** How long, and until what, a wait may last. */
export interface LockOptions {
  /** Ends the wait with an AbortError whose cause is the signal's reason. */
  signal?: AbortSignal | undefined;
  /** Milliseconds, 0 to 2^31-1; ends the wait with ETIMEDOUT. Counted by CLOCK_MONOTONIC. */
  timeout?: number | undefined;
}

/** The longest timer that Node has, in milliseconds. */
const TIMER_MAX = 2 ** 31 - 1;

/** A wait's end, if nothing else ends it. */
export class Limit {
  readonly #clock: Clock;
  /** Infinity: none. */
  readonly #deadline: number;
  readonly #signal: AbortSignal | undefined;

  constructor(clock: Clock, deadline: number, signal: AbortSignal | undefined) {
    this.#clock = clock;
    this.#deadline = deadline;
    this.#signal = signal;
  }

  /** Of options that a caller has given. Throws TypeError and RangeError. */
  static of(options: LockOptions): Limit | undefined {
    if (typeof options !== 'object' || options === null)
      throw invalidType('options', 'of type object', options);
    const { signal, timeout } = options;
    if (signal !== undefined && !isAbortSignal(signal))
      throw invalidType('options.signal', 'an instance of AbortSignal', signal);
    if (timeout !== undefined) checkMilliseconds('options.timeout', timeout);
    if (signal === undefined && timeout === undefined) return undefined;
    const deadline = timeout === undefined ? Number.POSITIVE_INFINITY : read(CLOCK_MONOTONIC) + timeout;
    return new Limit(CLOCK_MONOTONIC, deadline, signal);
  }

  /** Of a deadline that a caller has given. Throws TypeError and RangeError. */
  static at(clock: Clock, deadline: Deadline): Limit {
    checkClock('clock', clock);
    const time = types.isDate(deadline) && clock === CLOCK_REALTIME ? deadline.getTime() : deadline;
    if (typeof time !== 'number')
      throw invalidType(
        'deadline',
        clock === CLOCK_REALTIME ? 'of type number or an instance of Date' : 'of type number',
        deadline,
      );
    if (Number.isNaN(time)) throw outOfRange('deadline', 'a point in time', deadline);
    return new Limit(clock, time, undefined);
  }

  /** Blocks until done(); false: the time is up. Throws on abort. reason is what the thread is shown to wait for. */
  wait(reason: string, done: () => boolean): boolean {
    const td = curthread();
    const again = (): void => wake(td);
    const { setTimeout, clearTimeout } = usersClock(); // the user's clock, which may be another when it is over
    const signal = this.#signal;
    let late = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const look = (): void => {
      const left = this.#deadline - read(this.#clock);
      if (left > 0) timer = setTimeout(look, Math.min(Math.ceil(left), TIMER_MAX));
      else {
        late = true;
        again();
      }
    };
    if (this.#deadline !== Number.POSITIVE_INFINITY) look();
    const unfollow = signal === undefined || signal.aborted ? undefined : followSignal(signal, again);
    try {
      for (;;) {
        if (done()) return true;
        if (signal?.aborted) throw abortError(signal.reason);
        if (late) return false;
        suspend(reason);
      }
    } finally {
      clearTimeout(timer);
      unfollow?.();
    }
  }
}
