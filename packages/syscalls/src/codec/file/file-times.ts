/** file-times.ts: the times that utimensat, utimes and utime set (utimensat(2), utime(2)). */
import { invalidType } from '@libcr/core/internal';
import { object, safe } from '../integer.ts';
import { encodeTimespec, encodeTimeval, type Timespec } from '../signal/timespec.ts';

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
export const UTIME_OMIT = 0x3ffffffe;

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

/** struct timeval[2] */
export function encodeTimevals(name: string, times: readonly [Timespec | number, Timespec | number]): Buffer {
  return Buffer.concat(pair(name, times).map((time, i) => encodeTimeval(`${name}[${i}]`, time)));
}

export function encodeUtimbuf(name: string, times: Utimbuf): Buffer {
  object(name, times, '{ actime, modtime }');
  const struct = Buffer.alloc(16);
  (['actime', 'modtime'] as const).forEach((key, i) => {
    struct.writeBigInt64LE(BigInt(safe(`${name}.${key}`, times[key])), i * 8);
  });
  return struct;
}
