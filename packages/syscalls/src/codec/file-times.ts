/** file-times.ts: the times that utimensat, utimes and utime set (utimensat(2), utime(2)). */
import { invalidType, outOfRange } from '@libcr/core/internal';
import { encodeTimespec, type Timespec } from './timespec.ts';

/** A time since 1970 ({ sec, nsec }, or milliseconds), the present, or the time as it is. */
export type FileTime = Timespec | number | 'now' | 'omit';

/** Of the last access, of the last modification. */
export type FileTimes = readonly [access: FileTime, modification: FileTime];

/** Seconds since 1970. */
export interface Utimbuf {
  actime: number;
  modtime: number;
}

const UTIME_NOW = 0x3fffffff;
const UTIME_OMIT = 0x3ffffffe;

function pair<T>(name: string, times: readonly [T, T]): readonly [T, T] {
  if (!Array.isArray(times) || times.length !== 2)
    throw invalidType(name, 'an array of two times, [access, modification]', times);
  return times;
}

export function encodeFileTimes(name: string, times: FileTimes): Buffer {
  const structs = pair<FileTime>(name, times).map((time, i) => {
    if (time !== 'now' && time !== 'omit') return encodeTimespec(`${name}[${i}]`, time);
    return encodeTimespec(name, { sec: 0, nsec: time === 'now' ? UTIME_NOW : UTIME_OMIT });
  });
  return Buffer.concat(structs);
}

/** struct timeval[2]: microseconds, rounded down. */
export function encodeTimevals(name: string, times: readonly [Timespec | number, Timespec | number]): Buffer {
  const structs = pair(name, times).map((time, i) => {
    const struct = encodeTimespec(`${name}[${i}]`, time);
    struct.writeBigInt64LE(struct.readBigInt64LE(8) / 1000n, 8);
    return struct;
  });
  return Buffer.concat(structs);
}

export function encodeUtimbuf(name: string, times: Utimbuf): Buffer {
  if (typeof times !== 'object' || times === null) throw invalidType(name, '{ actime, modtime }', times);
  const struct = Buffer.alloc(16);
  (['actime', 'modtime'] as const).forEach((key, i) => {
    const value = times[key];
    if (typeof value !== 'number') throw invalidType(`${name}.${key}`, 'of type number', value);
    if (!Number.isSafeInteger(value)) throw outOfRange(`${name}.${key}`, 'an integer', value);
    struct.writeBigInt64LE(BigInt(value), i * 8);
  });
  return struct;
}
