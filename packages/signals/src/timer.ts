/**
 * timer.ts: POSIX' timers, and alarm(). They are the kernel's: they count also while the event loop does not turn, and expiries that nobody has taken yet are one signal
 * with a count.
 *
 * Invariant: a timer has its number in the kernel from its creation until it is deleted, or its rfork ends.
 */
import { inspectAsString, invalidType, outOfRange } from '@libcr/core/internal';
import { checked, posixError } from './errors.ts';
import { Reference } from './hold.ts';
import { checkSendable, nameOf, numberOf, type Signal } from './names.ts';
import { native } from './native.ts';

/** The time of day; it can be set. */
export const CLOCK_REALTIME = 0;
/** The time since the machine has started. */
export const CLOCK_MONOTONIC = 1;
/** CPU time of the process. */
export const CLOCK_PROCESS_CPUTIME_ID = 2;
/** CPU time of the rfork's kernel thread, that of its event loop and all its userthreads. */
export const CLOCK_THREAD_CPUTIME_ID = 3;
/** CLOCK_MONOTONIC, with the time that the machine was suspended. */
export const CLOCK_BOOTTIME = 7;
/** International atomic time: no leap seconds. */
export const CLOCK_TAI = 11;

/** When a timer expires. */
export interface TimerSetting {
  /** Milliseconds until it expires first, with fractions; 0 disarms it. With `absolute`: what the clock shows then. `interval` if absent. */
  first?: number | undefined;
  /** Milliseconds between further expiries, with fractions; 0, or absent: there are none. */
  interval?: number | undefined;
  /** `first` is a point in time. (TIMER_ABSTIME) */
  absolute?: boolean | undefined;
}

export interface TimerOptions extends TimerSetting {
  /** What it sends to the process; SIGALRM if absent. */
  signal?: Signal | undefined;
  /** Comes along as info.value, an integer of 32 bits; 0 if absent. */
  value?: number | undefined;
  /** Keeps the program alive until it is deleted. */
  ref?: boolean | undefined;
}

const MILLISECONDS_MAX = 2 ** 43;
const NS = 1e6; // in a millisecond

function checkMs(name: string, ms: unknown): asserts ms is number {
  if (typeof ms !== 'number') throw invalidType(name, 'of type number', ms);
  if (!(ms >= 0 && ms <= MILLISECONDS_MAX)) throw outOfRange(name, `>= 0 and <= ${MILLISECONDS_MAX}`, ms);
}

/** In ns; what is not 0 stays so. */
const nanoseconds = (ms: number): number => (ms > 0 ? Math.max(1, Math.round(ms * NS)) : 0);

/** A timer of the kernel's. Made by timer(). */
export class Timer {
  /** Its number in the kernel: info.timer of its signals. */
  readonly id: number;
  readonly signal: Signal;
  #deleted = false;
  readonly #reference = new Reference();

  /** @internal */
  constructor(id: number, signal: Signal) {
    this.id = id;
    this.signal = signal;
  }

  #use(name: string): number {
    if (this.#deleted) throw posixError('EINVAL', name);
    return this.id;
  }

  /** Arms it anew, or disarms it. Never blocks. Throws TypeError and RangeError, EINVAL where it has been deleted. (timer_settime) */
  set(setting: TimerSetting): this {
    if (typeof setting !== 'object' || setting === null)
      throw invalidType('setting', 'of type object', setting);
    const { interval = 0, first = interval, absolute = false } = setting;
    checkMs('setting.first', first);
    checkMs('setting.interval', interval);
    if (typeof absolute !== 'boolean') throw invalidType('setting.absolute', 'of type boolean', absolute);
    const id = this.#use('timer_settime');
    checked(
      native.timerSet(id, absolute ? 1 : 0, nanoseconds(first), nanoseconds(interval)),
      'timer_settime',
    );
    return this;
  }

  /** Milliseconds until it expires; 0: it is not armed. EINVAL where it has been deleted. (timer_gettime) */
  get left(): number {
    return checked(native.timerLeft(this.#use('timer_gettime')), 'timer_gettime') / NS;
  }

  /** Milliseconds between expiries; 0: it expires once. EINVAL where it has been deleted. */
  get interval(): number {
    return checked(native.timerInterval(this.#use('timer_gettime')), 'timer_gettime') / NS;
  }

  /**
   * How often it had expired besides when the kernel last gave its signal to this process, which reads signals before somebody takes them: info.overrun counts what
   * belongs to one signal. EINVAL where it has been deleted. (timer_getoverrun)
   */
  get overrun(): number {
    return checked(native.timerOverrun(this.#use('timer_getoverrun')), 'timer_getoverrun');
  }

  ref(): this {
    if (!this.#deleted) this.#reference.held = true;
    return this;
  }

  unref(): this {
    this.#reference.held = false;
    return this;
  }

  hasRef(): boolean {
    return this.#reference.held;
  }

  /** It expires no more, and is gone. A signal of its that is pending stays. Idempotent. (timer_delete) */
  delete(): void {
    if (this.#deleted) return;
    this.unref();
    this.#deleted = true;
    checked(native.timerEnd(this.id), 'timer_delete');
  }

  [Symbol.dispose](): void {
    this.delete();
  }

  toString(): string {
    return `Timer ${this.id} ${this.signal}${this.#deleted ? ' deleted' : ''}`;
  }
}

inspectAsString(Timer);

/**
 * Creates a timer of that clock, which sends a signal to the process when it expires; it is armed if `first` or `interval` is above 0. While its signal is pending, further expiries are
 * counted: info.overrun. It does not keep the program alive unless options.ref, and ends with its rfork. Never blocks. Throws TypeError and RangeError, EINVAL for a clock that
 * there is not and for signals that nobody can handle, ERR_LIBCR_SIGNAL_RESERVED for SIGPROF and for SIGSEGV and its like, EAGAIN where there are too many. (timer_create)
 */
export function timer(clock: number, options: TimerOptions = {}): Timer {
  if (typeof clock !== 'number') throw invalidType('clock', 'of type number', clock);
  if (!Number.isInteger(clock)) throw outOfRange('clock', 'an integer', clock);
  if (typeof options !== 'object' || options === null)
    throw invalidType('options', 'of type object', options);
  const { signal = 'SIGALRM', value = 0, ref = false, interval = 0, first = interval } = options;
  const signo = numberOf(signal, 'timer_create');
  checkSendable(signo, 'timer_create');
  if (typeof value !== 'number') throw invalidType('options.value', 'of type number', value);
  if ((value | 0) !== value) throw outOfRange('options.value', 'an integer of 32 bits', value);
  if (typeof ref !== 'boolean') throw invalidType('options.ref', 'of type boolean', ref);
  checkMs('options.first', first);
  checkMs('options.interval', interval);
  const id = checked(native.timerCreate(clock, signo, value), 'timer_create');
  const made = new Timer(id, nameOf(signo) as Signal);
  try {
    made.set(options);
  } catch (error) {
    made.delete();
    throw error;
  }
  return ref ? made.ref() : made;
}

/**
 * Sends SIGALRM to the process in ms milliseconds, 0 to 2^43 with fractions; 0: it is not sent. A process has one such clock. Returns how many milliseconds were left of the
 * time before, 0 where there was none. Never blocks. Throws TypeError and RangeError. (alarm)
 */
export function alarm(ms: number): number {
  checkMs('ms', ms);
  return checked(native.alarm(ms), 'alarm');
}
