/**
 * options.ts: checks of what callers give, and waits that nothing may end. The errors are core's.
 */
import { blockUninterruptibly, invalidType, outOfRange } from '@libcr/core/internal';

/** The largest value of a semaphore. */
export const SEM_VALUE_MAX = 2147483647;

/** One of these words. */
export function checkOneOf<T extends string>(
  name: string,
  words: readonly T[],
  value: unknown,
): asserts value is T {
  const all = words.map((word) => `'${word}'`).join(' or ');
  if (typeof value !== 'string') throw invalidType(name, 'of type string', value);
  if (!(words as readonly string[]).includes(value)) throw outOfRange(name, all, value);
}

export function checkBoolean(name: string, value: unknown): asserts value is boolean {
  if (typeof value !== 'boolean') throw invalidType(name, 'of type boolean', value);
}

export function checkInteger(
  name: string,
  value: unknown,
  least: number,
  most: number,
): asserts value is number {
  if (typeof value !== 'number') throw invalidType(name, 'of type number', value);
  if (!Number.isInteger(value) || value < least || value > most)
    throw outOfRange(name, `an integer >= ${least} and <= ${most}`, value);
}

export function checkFunction(name: string, value: unknown): void {
  if (typeof value !== 'function') throw invalidType(name, 'of type function', value);
}

/** What ends a wait besides its condition. wait() answers false where the time is up. */
export interface Limited {
  wait(reason: string, done: () => boolean): boolean;
}

/** Nothing does: whoever is aborted meanwhile hears of it at its next wait. */
export const uninterruptible: Limited = {
  wait(reason, done) {
    blockUninterruptibly(reason, done);
    return true;
  },
};
