/** integer.ts: checked integers on their way into structs. */
import { invalidType, outOfRange } from '@libcr/core/internal';
import { readBigI64 } from './words.ts';

/** An integer from min to max; TypeError or RangeError with its name otherwise. */
export function integer(name: string, value: unknown, min: number, max: number): number {
  if (typeof value !== 'number') throw invalidType(name, 'of type number', value);
  if (!Number.isInteger(value) || value < min || value > max)
    throw outOfRange(name, `an integer >= ${min} and <= ${max}`, value);
  return value;
}

/** One of 64 bits that is exact as a number. */
export const safe = (name: string, value: unknown, min: number = Number.MIN_SAFE_INTEGER): number =>
  integer(name, value, min, Number.MAX_SAFE_INTEGER);

export const uint32 = (name: string, value: unknown): number => integer(name, value, 0, 0xffffffff);
export const int32 = (name: string, value: unknown): number => integer(name, value, -0x80000000, 0x7fffffff);

/** An object; TypeError otherwise. */
export function object<T>(name: string, value: T, shape: string): NonNullable<T> {
  if (typeof value !== 'object' || value === null) throw invalidType(name, shape, value);
  return value;
}

/** 64 signed bits as a number: exact up to 2^53. */
export const readI64 = (struct: Buffer, at: number): number => Number(readBigI64(struct, at));

/** An int in a buffer of its own. */
export function encodeInt(value: number): Buffer {
  const buffer = Buffer.allocUnsafe(4);
  buffer.writeInt32LE(value);
  return buffer;
}
