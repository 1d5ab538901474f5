/**
 * random.ts: numbers that are random and can be had again: the same seed, the same numbers. (mulberry32 by Tommy Ettinger, public domain)
 *
 * Not for secrets.
 */
import { randomInt } from 'node:crypto';
import { invalidType, outOfRange } from '@libcr/core/internal';

const RANGE = 2 ** 32;

/** A seed as options give it, or one from the system's randomness. Throws TypeError or RangeError. */
export function seedOf(name: string, seed: number | undefined): number {
  if (seed === undefined) return randomInt(RANGE);
  if (typeof seed !== 'number') throw invalidType(name, 'of type number', seed);
  if (!Number.isInteger(seed) || seed < 0 || seed >= RANGE)
    throw outOfRange(name, 'an integer >= 0 and < 2^32', seed);
  return seed;
}

/** By how much the state of a generator moves on. */
export const STEP = 0x6d2b79f5;

/** What is drawn in a state: 0 to 2^32-1. */
export function drawn(state: number): number {
  let t = Math.imul(state ^ (state >>> 15), state | 1);
  t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
  return (t ^ (t >>> 14)) >>> 0;
}

export class Random {
  /** 32 bits, which are all that there is. */
  state: number;

  /** stream: rules that share a seed each have numbers of their own. */
  constructor(seed: number, stream: number) {
    this.state = (seed + Math.imul(stream, 0x9e3779b9)) >>> 0;
  }

  /** From 0 up to 1, which it never is; 32 bits of it are random. */
  next(): number {
    this.state = (this.state + STEP) >>> 0;
    return drawn(this.state) / RANGE;
  }
}
