/**
 * latency.ts: the shim that makes system calls take as long as they would elsewhere: a distribution of delays for each kind of call. fault has
 * delays, too, of one length, for calls that are picked out; here every call has one.
 */
import '../index.ts'; // for the bundle: see tsup.config.ts
import { invalidType, invalidValue, outOfRange } from '@libcr/core/internal';
import { checkDelay, pause } from '../pause.ts';
import { checkShim, type Shim } from '../port/shim.ts';
import type { SysMsg } from '../port/sysmsg.ts';
import { ROWS_OF, type RowShim } from '../supervisor/rows/row-shim.ts';
import { Counting } from './counting.ts';
import { type Delayed, LatencyRows } from './latency-rows.ts';
import { checkKeys, MATCH_KEYS, type Match, matcherOf, onOf } from './match.ts';
import { seedOf } from './random.ts';

/** Milliseconds. A normal or exponential one has no upper end; below 0 it is 0. */
export type Delay =
  | number
  | { uniform: readonly [min: number, max: number] }
  | { normal: { mean: number; deviation: number } }
  | { exponential: { mean: number } };

/** Which calls, and how much longer they take. */
export interface LatencyRule extends Match {
  ms: Delay;
  /** 'after': the answer is late; 'before', if absent: the call is made late. */
  at?: 'before' | 'after' | undefined;
}

export interface LatencyOptions {
  /** 0 to 2^32-1; chosen at random, and to be found in the shim's seed, if absent. */
  seed?: number | undefined;
}

export interface LatencyShim extends Shim {
  /** With which the same calls take the same time. */
  readonly seed: number;
}

function pair(name: string, value: unknown, keys: readonly [string, string]): [number, number] {
  checkKeys(name, value, keys);
  const object = value as Record<string, unknown>;
  return [
    checkDelay(`${name}.${keys[0]}`, object[keys[0]]),
    checkDelay(`${name}.${keys[1]}`, object[keys[1]]),
  ];
}

/** A function that draws a delay. Throws TypeError and RangeError. */
function drawOf(name: string, delay: unknown, random: Counting): () => number {
  if (typeof delay === 'number') {
    checkDelay(name, delay);
    return () => delay;
  }
  if (typeof delay !== 'object')
    throw invalidType(name, 'a number of milliseconds, or a distribution', delay);
  checkKeys(name, delay, ['uniform', 'normal', 'exponential']);
  const { uniform, normal, exponential } = delay as Record<string, unknown>;
  if (Object.keys(delay).length !== 1) throw invalidValue(`${name} must be one distribution`);
  if (uniform !== undefined) {
    if (!Array.isArray(uniform) || uniform.length !== 2)
      throw invalidType(`${name}.uniform`, '[min, max]', uniform);
    const [min, max] = [
      checkDelay(`${name}.uniform[0]`, uniform[0]),
      checkDelay(`${name}.uniform[1]`, uniform[1]),
    ];
    if (max < min) throw outOfRange(`${name}.uniform[1]`, `>= ${min}`, max);
    return () => min + random.draw() * (max - min);
  }
  if (normal !== undefined) {
    const [mean, deviation] = pair(`${name}.normal`, normal, ['mean', 'deviation']);
    // Box and Muller's; 1 - next() is never 0.
    return () =>
      mean + deviation * Math.sqrt(-2 * Math.log(1 - random.draw())) * Math.cos(2 * Math.PI * random.draw());
  }
  checkKeys(`${name}.exponential`, exponential, ['mean']);
  const mean = checkDelay(`${name}.exponential.mean`, (exponential as { mean?: unknown }).mean);
  return () => -mean * Math.log(1 - random.draw());
}

/**
 * Makes the shim; the first rule that fits decides, and a call that none fits is as fast as it is. A number, or a distribution, is one rule for all calls.
 * Throws TypeError and RangeError for what makes no sense. A userthread that is delayed blocks, and nothing else; on the event
 * loop's own stack everything waits.
 */
export function latency(rules: readonly LatencyRule[] | Delay, options: LatencyOptions = {}): LatencyShim {
  checkKeys('options', options, ['seed']);
  const seed = seedOf('options.seed', options.seed);
  const list: readonly LatencyRule[] = Array.isArray(rules) ? rules : [{ ms: rules as Delay }];
  const compiled = list.map((rule, i): Delayed => {
    const name = `rules[${i}]`;
    checkKeys(name, rule, [...MATCH_KEYS, 'ms', 'at']);
    const { at = 'before' } = rule;
    if (at !== 'before' && at !== 'after') throw invalidType(`${name}.at`, "'before' or 'after'", at);
    const counting = new Counting(seed, i);
    const draw = drawOf(`${name}.ms`, rule.ms, counting);
    return { ...matcherOf(name, rule), rule, counting, draw, before: at === 'before' };
  });
  const shim: LatencyShim & RowShim = {
    name: 'latency',
    on: onOf(list),
    shim: (next) => (msg: SysMsg) => {
      const rule = compiled.find(({ fits }) => fits(msg));
      if (rule === undefined) return next(msg);
      const ms = rule.draw();
      if (rule.before) pause(ms);
      const reply = next(msg);
      if (!rule.before) pause(ms);
      return reply;
    },
    seed,
    [ROWS_OF]: (memory) => LatencyRows.in(memory, compiled),
  };
  checkShim(shim);
  return shim;
}
