/**
 * sigset.ts: sets of signals. Two words of 32 bits, as the kernel's one of 64 is none of JavaScript's numbers.
 *
 * Invariant: a SigSet never changes.
 */
import { inspectAsString, invalidType } from '@libcr/core/internal';
import { checkCatchable, NSIG, nameOf, numberOf, type Signal } from './names.ts';

/** One signal, several, or a SigSet. */
export type Signals = Signal | Iterable<Signal> | SigSet;

export const lowBit = (signo: number): number => (signo <= 32 ? 1 << (signo - 1) : 0);
export const highBit = (signo: number): number => (signo > 32 ? 1 << (signo - 33) : 0);

/** Whether the two words have that signal. */
export const inWords = (low: number, high: number, signo: number): boolean =>
  ((low & lowBit(signo)) | (high & highBit(signo))) !== 0;

/** A set of signals. It can be iterated: names, lowest number first. */
export class SigSet {
  /** @internal */ readonly low: number;
  /** @internal */ readonly high: number;

  /** The signals; none if absent. Throws TypeError and RangeError, EINVAL for a number that is no signal's. (sigemptyset, sigaddset) */
  constructor(signals: Signals = []) {
    const { low, high } = setOf(signals, 'sigaddset', 'signals');
    this.low = low;
    this.high = high;
  }

  /** All signals. (sigfillset) */
  static all(): SigSet {
    return fromWords(-1, -1);
  }

  /** (sigismember) */
  has(signal: Signal): boolean {
    return inWords(this.low, this.high, numberOf(signal, 'sigismember'));
  }

  get size(): number {
    return [...this].length;
  }

  *[Symbol.iterator](): Generator<Signal, void, undefined> {
    for (let signo = 1; signo <= NSIG; signo++)
      if (inWords(this.low, this.high, signo)) yield nameOf(signo) as Signal;
  }

  toString(): string {
    return `SigSet { ${[...this].join(' ')} }`;
  }
}

inspectAsString(SigSet);

/** A set with these words. */
export function fromWords(low: number, high: number): SigSet {
  const set = Object.create(SigSet.prototype) as { low: number; high: number };
  set.low = low;
  set.high = high;
  return set as SigSet;
}

interface Words {
  readonly low: number;
  readonly high: number;
}

/** What a caller has given as its argument `name`. */
export function setOf(signals: unknown, what: string, name = 'set'): Words {
  if (signals instanceof SigSet) return signals;
  if (typeof signals === 'string' || typeof signals === 'number') {
    const signo = numberOf(signals, what);
    return { low: lowBit(signo), high: highBit(signo) };
  }
  if (typeof (signals as Iterable<unknown> | undefined)?.[Symbol.iterator] !== 'function')
    throw invalidType(name, 'a signal, an iterable of signals or an instance of SigSet', signals);
  let low = 0;
  let high = 0;
  for (const each of signals as Iterable<unknown>) {
    const signo = numberOf(each, what);
    low |= lowBit(signo);
    high |= highBit(signo);
  }
  return { low, high };
}

/** SIGKILL, SIGSTOP, SIGPROF and 32; 33. */
const UNCATCHABLE_LOW = (1 << 8) | (1 << 18) | (1 << 26) | (1 << 31);
const UNCATCHABLE_HIGH = 1;

/** The same for those that are to be waited for. Throws EINVAL and ERR_LIBCR_SIGNAL_RESERVED for those that can't be, and for none. */
export function setToTake(signals: unknown, what: string): Words {
  const set = setOf(signals, what);
  if ((set.low & UNCATCHABLE_LOW) !== 0 || (set.high & UNCATCHABLE_HIGH) !== 0)
    for (let signo = 1; signo <= NSIG; signo++)
      if (inWords(set.low, set.high, signo)) checkCatchable(signo, what);
  return set;
}
