/** timespec.ts: struct timespec (16 bytes). */
import { invalidType, outOfRange } from '@libcr/core/internal';
import { readBigI64 } from '../words.ts';

/** A time: whole seconds, and 0 to 999,999,999 nanoseconds. */
export interface Timespec {
  sec: number;
  nsec: number;
}

/** A number stands for milliseconds (fractions count). */
export function encodeTimespec(name: string, time: Timespec | number): Buffer {
  let sec: number;
  let nsec: number;
  if (typeof time === 'number') {
    if (!(time >= 0 && time <= Number.MAX_SAFE_INTEGER)) throw outOfRange(name, '>= 0 and <= 2^53 - 1', time);
    sec = Math.floor(time / 1000);
    nsec = Math.min(999_999_999, Math.round((time - sec * 1000) * 1e6));
  } else {
    if (typeof time !== 'object' || time === null)
      throw invalidType(name, 'of type number or { sec, nsec }', time);
    ({ sec, nsec } = time);
    for (const [key, value] of [
      ['sec', sec],
      ['nsec', nsec],
    ] as const) {
      if (typeof value !== 'number') throw invalidType(`${name}.${key}`, 'of type number', value);
      if (!Number.isSafeInteger(value)) throw outOfRange(`${name}.${key}`, 'an integer', value);
    }
  }
  const struct = Buffer.allocUnsafe(16);
  struct.writeBigInt64LE(BigInt(sec), 0);
  struct.writeBigInt64LE(BigInt(nsec), 8);
  return struct;
}

export function decodeTimespec(struct: Buffer): { sec: bigint; nsec: bigint } {
  return { sec: readBigI64(struct, 0), nsec: readBigI64(struct, 8) };
}

export const readTimespec = (struct: Buffer, at: number): Timespec => ({
  sec: Number(readBigI64(struct, at)),
  nsec: Number(readBigI64(struct, at + 8)),
});

/** A time: whole seconds, and 0 to 999,999 microseconds. */
export interface Timeval {
  sec: number;
  usec: number;
}

/** struct timeval (16 bytes): nanoseconds are rounded down to microseconds. */
export function encodeTimeval(name: string, time: Timespec | number): Buffer {
  const struct = encodeTimespec(name, time);
  struct.writeBigInt64LE(readBigI64(struct, 8) / 1000n, 8);
  return struct;
}

export const readTimeval = (struct: Buffer, at: number): Timeval => ({
  sec: Number(readBigI64(struct, at)),
  usec: Number(readBigI64(struct, at + 8)),
});
