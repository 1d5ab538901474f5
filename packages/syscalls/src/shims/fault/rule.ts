/** rule.ts: one rule of the fault shim, checked: which calls it is about, which of them it strikes, and what happens to those. */
import { invalidType, invalidValue, outOfRange } from '@libcr/core/internal';
import { errnos } from '../../generated/rows.ts';
import { checkDelay } from '../../pause.ts';
import type { SysMsg } from '../../port/sysmsg.ts';
import { Counting } from '../counting.ts';
import { checkKeys, MATCH_KEYS, type Match, type Matcher, matcherOf } from '../match.ts';
import { canShorten } from './shorten.ts';

/** Which calls (Match), which of those, and what happens. The calls that match are counted from 1, for each rule by itself. */
export interface FaultRule extends Match {
  /** Only the nth call that matches, from 1. */
  nth?: number | undefined;
  /** Not the first so many. */
  after?: number | undefined;
  /** Of those that are left, the first and then each so many: 2 is every second. */
  every?: number | undefined;
  /** At most so many faults. */
  times?: number | undefined;
  /** Each of those that are left with this probability, 0 to 1. */
  probability?: number | undefined;
  /** The call is not made, and fails with this: a name ('EIO') or a number. */
  errno?: string | number | undefined;
  /** Reads and writes only: at most so many bytes, from 1 on; below 1, that part of them. At least 1 byte is asked for. */
  short?: number | undefined;
  /** Milliseconds before it. */
  delay?: number | undefined;
}

const KEYS = [
  ...MATCH_KEYS,
  'nth',
  'after',
  'every',
  'times',
  'probability',
  'errno',
  'short',
  'delay',
] as const;

const ERRNO_MAX = 4095;

function errnoOf(name: string, errno: unknown): number | undefined {
  if (errno === undefined) return undefined;
  if (typeof errno === 'number') {
    if (!Number.isInteger(errno) || errno < 1 || errno > ERRNO_MAX)
      throw outOfRange(`${name}.errno`, `an integer >= 1 and <= ${ERRNO_MAX}`, errno);
    return errno;
  }
  const value = errnos.find(([, known]) => known === errno)?.[0];
  if (value === undefined) throw invalidType(`${name}.errno`, "an errno's name, as 'EIO', or number", errno);
  return value;
}

function checkCount(name: string, value: unknown, min: number): void {
  if (value === undefined) return;
  if (typeof value !== 'number') throw invalidType(name, 'of type number', value);
  if (!Number.isSafeInteger(value) || value < min) throw outOfRange(name, `an integer >= ${min}`, value);
}

function checkShort(name: string, { short, on = 'all' }: FaultRule): void {
  if (short === undefined) return;
  if (typeof short !== 'number') throw invalidType(`${name}.short`, 'of type number', short);
  if (!(short > 0) || (short >= 1 && !Number.isSafeInteger(short)))
    throw outOfRange(`${name}.short`, 'bytes from 1 on, or a part of them between 0 and 1', short);
  const whole = on === 'all' ? undefined : on.find((call) => !canShorten(call));
  if (whole !== undefined)
    throw invalidValue(`${name}.short: ${whole} moves no data, or none that can be cut`);
}

/** A rule at work. */
export class Fault {
  readonly rule: FaultRule;
  readonly matcher: Matcher;
  readonly errno: number | undefined;
  readonly counting: Counting;

  /** stream: the rule's place in the list. Throws TypeError and RangeError. */
  constructor(rule: FaultRule, seed: number, stream: number) {
    const name = `rules[${stream}]`;
    checkKeys(name, rule, KEYS);
    this.rule = { ...rule };
    this.matcher = matcherOf(name, rule);
    this.errno = errnoOf(name, rule.errno);
    checkCount(`${name}.nth`, rule.nth, 1);
    checkCount(`${name}.after`, rule.after, 0);
    checkCount(`${name}.every`, rule.every, 1);
    checkCount(`${name}.times`, rule.times, 0);
    const { probability } = rule;
    if (probability !== undefined && typeof probability !== 'number')
      throw invalidType(`${name}.probability`, 'of type number', probability);
    if (probability !== undefined && !(probability >= 0 && probability <= 1))
      throw outOfRange(`${name}.probability`, '>= 0 and <= 1', probability);
    checkShort(name, rule);
    if (rule.delay !== undefined) checkDelay(`${name}.delay`, rule.delay);
    if (rule.errno === undefined && rule.short === undefined && rule.delay === undefined)
      throw invalidValue(`${name} does nothing: it needs errno, short or delay`);
    this.counting = new Counting(seed, stream);
  }

  /** Counts a call that matches; whether it is struck. */
  strikes(msg: SysMsg): boolean {
    if (!this.matcher.fits(msg)) return false;
    const { nth, after = 0, every = 1, times = Infinity, probability = 1 } = this.rule;
    const { counting } = this;
    const n = counting.match();
    if (nth !== undefined && n !== nth) return false;
    if (n <= after || (n - after - 1) % every !== 0 || counting.injected >= times) return false;
    if (probability < 1 && counting.draw() >= probability) return false;
    counting.inject();
    return true;
  }
}
