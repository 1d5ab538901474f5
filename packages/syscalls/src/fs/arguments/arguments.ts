/** arguments.ts: the arguments that node:fs' functions have in common, checked as Node checks them, with its codes. */
import { fileURLToPath } from 'node:url';
import { types } from 'node:util';
import { coded, invalidArgument, invalidType, isUrl, outOfRange } from '@libcr/core/internal';
import { UTIME_OMIT } from '../../codec/file/file-times.ts';
import { constants as c } from '../../generated/constants.ts';
import { omitsInvalidTimes, timesHaveNanoseconds } from '../node/this-node.ts';

export type CheckedPath = string | Uint8Array;

const UINT32_MAX = 2 ** 32 - 1;
const INT32_MAX = 2 ** 31 - 1;

export function checkPath(path: unknown, name = 'path'): CheckedPath {
  if (typeof path === 'string') {
    if (!path.includes('\0')) return path;
  } else if (isUrl(path)) {
    return checkPath(fileURLToPath(path), name);
  } else if (types.isUint8Array(path)) {
    if (!path.includes(0)) return path;
  } else throw invalidType(name, 'of type string or an instance of Buffer or URL', path);
  throw invalidArgument(name, path, 'must be a string, Uint8Array, or URL without null bytes');
}

export function checkInteger(
  value: unknown,
  name: string,
  min: number = Number.MIN_SAFE_INTEGER,
  max: number = Number.MAX_SAFE_INTEGER,
): number {
  if (typeof value !== 'number') throw invalidType(name, 'of type number', value);
  if (!Number.isInteger(value)) throw outOfRange(name, 'an integer', value);
  if (value < min || value > max) throw outOfRange(name, `>= ${min} && <= ${max}`, value);
  return value;
}

export function checkFd(fd: unknown): number {
  return checkInteger(fd, 'fd', 0, INT32_MAX) + 0; // -0 is 0
}

/** Whether readFile and its like take it for a descriptor; what is none is told by the kernel. */
export const isFd = (path: unknown): path is number => typeof path === 'number' && path === (path | 0);

/** Permissions: a number, or a string of octal digits. */
export function checkMode(mode: unknown, fallback?: number, name = 'mode'): number {
  const value = mode ?? fallback;
  if (typeof value !== 'string') return checkInteger(value, name, 0, UINT32_MAX) + 0;
  if (!/^[0-7]+$/.test(value))
    throw invalidArgument(name, value, 'must be a 32-bit unsigned integer or an octal string');
  return checkInteger(Number.parseInt(value, 8), name, 0, UINT32_MAX);
}

/** cp's mode. */
export function checkBits(mode: unknown): number {
  if (mode === undefined || mode === null) return 0;
  return checkInteger(mode, 'mode', 0, 7);
}

/** The modes of access and copyFile: it is Node's native half that looks at them, with words of its own. */
export function checkNativeBits(mode: unknown): number {
  if (mode === undefined || mode === null) return 0;
  if (typeof mode !== 'number')
    throw coded(new TypeError('mode must be int32 or null/undefined'), 'ERR_INVALID_ARG_TYPE');
  if (Number.isNaN(mode)) throw coded(new RangeError('mode is out of range'), 'ERR_OUT_OF_RANGE');
  const bits = Math.trunc(mode) + 0;
  if (bits < 0 || bits > 7)
    throw coded(new RangeError('mode is out of range: >= 0 && <= 7'), 'ERR_OUT_OF_RANGE');
  return bits;
}

export function checkId(id: unknown, name: string): number {
  return checkInteger(id, name, -1, UINT32_MAX);
}

const READ_FLAGS: Record<string, number> = { r: c.O_RDONLY, 'r+': c.O_RDWR };
const WRITE_FLAGS: Record<string, number> = { w: c.O_TRUNC | c.O_CREAT, a: c.O_APPEND | c.O_CREAT };

/** Letters as of fopen(3), as Node has them: "r", "rs+", "wx", "ax+", "as" … */
const FLAGS = new Map<string, number>();
for (const [letter, bits] of Object.entries(READ_FLAGS)) {
  FLAGS.set(letter, bits);
  FLAGS.set(letter.replace('r', 'rs'), bits | c.O_SYNC);
  FLAGS.set(letter.replace('r', 'sr'), bits | c.O_SYNC);
}
for (const [letter, bits] of Object.entries(WRITE_FLAGS))
  for (const [plus, access] of [
    ['', c.O_WRONLY],
    ['+', c.O_RDWR],
  ] as const) {
    FLAGS.set(letter + plus, bits | access);
    for (const name of [`${letter}x${plus}`, `x${letter}${plus}`]) FLAGS.set(name, bits | access | c.O_EXCL);
    if (letter === 'a')
      for (const name of [`as${plus}`, `sa${plus}`]) FLAGS.set(name, bits | access | c.O_SYNC);
  }

/** open's flags. O_CLOEXEC is always among them, as in Node. */
export function checkFlags(flags: unknown, fallback = 'r', name = 'flags'): number {
  const value = flags ?? fallback;
  if (typeof value === 'number') return checkInteger(value, name, -(2 ** 31), INT32_MAX) | c.O_CLOEXEC;
  const bits = typeof value === 'string' ? FLAGS.get(value) : undefined;
  if (bits === undefined) throw invalidArgument('flags', value);
  return bits | c.O_CLOEXEC;
}

export interface Options {
  readonly [name: string]: unknown;
  readonly encoding?: BufferEncoding | 'buffer' | null | undefined;
  readonly signal?: AbortSignal | undefined;
}

const NO_OPTIONS: Options = {};

/** As Node knows a signal: by having the property, whatever it is. */
export const isSignal = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && 'aborted' in value;

/** Options with an encoding, which may stand for itself: 'utf8', { encoding: 'utf8' }, null. */
export function checkOptions(options: unknown): Options {
  if (options === undefined || options === null || typeof options === 'function') return NO_OPTIONS;
  if (typeof options !== 'object' && typeof options !== 'string')
    throw invalidType('options', 'one of type string or object', options);
  const given = (typeof options === 'string' ? { encoding: options } : options) as Options;
  checkEncoding(given.encoding);
  if (given.signal !== undefined && !isSignal(given.signal))
    throw invalidType('options.signal', 'an instance of AbortSignal', given.signal);
  return given;
}

export function checkEncoding(encoding: unknown): void {
  if (encoding && encoding !== 'buffer' && !Buffer.isEncoding(encoding as string))
    throw invalidArgument('encoding', encoding, 'is invalid encoding');
}

/** An encoding that text is written in: what is unknown counts as UTF-8, but digits have to be whole bytes. */
export function encodingOf(data: string, encoding: unknown): BufferEncoding {
  if (typeof encoding !== 'string' || !Buffer.isEncoding(encoding)) return 'utf8';
  if (encoding.toLowerCase() === 'hex' && data.length % 2 !== 0)
    throw invalidArgument('encoding', encoding, `is invalid for data of length ${data.length}`);
  return encoding;
}

/** Options that must be an object, if there are any. strict: null is none. */
export function checkObject(options: unknown, strict = false): Options {
  if (options === undefined || (options === null && !strict)) return NO_OPTIONS;
  if (typeof options !== 'object' || options === null || Array.isArray(options))
    throw invalidType('options', 'of type object', options);
  return options as Options;
}

/** Options of stat and its like, which nobody checks: whatever has properties. */
export function looseOptions(options: unknown): Options {
  return options === undefined || typeof options === 'function' ? NO_OPTIONS : (options as Options);
}

/** strict: null is none. */
export function checkBoolean(value: unknown, name: string, fallback = false, strict = false): boolean {
  if (value === undefined || (value === null && !strict)) return fallback;
  if (typeof value !== 'boolean') throw invalidType(name, 'of type boolean', value);
  return value;
}

/** A name or path that the kernel has told, in the encoding that was asked for; UTF-8 without. */
export function encoded(bytes: Buffer, encoding: Options['encoding']): string | Buffer {
  return encoding === 'buffer' ? bytes : bytes.toString(encoding || 'utf8');
}

/** A time in seconds since 1970, a string of digits, or a Date, as seconds. */
function toSeconds(time: unknown, name: string): number {
  // biome-ignore lint/suspicious/noDoubleEquals: as Node: what is a number when it is read as one
  if (typeof time === 'string' && +time == (time as unknown)) return +time;
  if (Number.isFinite(time)) return (time as number) < 0 ? Date.now() / 1000 : (time as number);
  if (types.isDate(time)) return time.getTime() / 1000;
  throw invalidType(name, 'an instance of Date or an Time in seconds', time);
}

/** As libuv does it: in microseconds, or nanoseconds. */
export function checkTime(time: unknown, name = 'time'): { sec: number; nsec: number } {
  const seconds = toSeconds(time, name);
  // An invalid Date is EINVAL, or leaves what there is.
  if (Number.isNaN(seconds)) return { sec: 0, nsec: omitsInvalidTimes ? UTIME_OMIT : -1 };
  const sec = Math.floor(seconds);
  if (!timesHaveNanoseconds) return { sec, nsec: Math.trunc((seconds - sec) * 1e6) * 1000 };
  const rest = Math.trunc((seconds - Math.trunc(seconds)) * 1e9);
  return { sec, nsec: rest < 0 ? rest + 1e9 : rest };
}

/** struct timespec[2], for utimensat. */
export function encodeTimes(...times: { sec: number; nsec: number }[]): Buffer {
  const struct = Buffer.alloc(32);
  times.forEach(({ sec, nsec }, i) => {
    struct.writeBigInt64LE(BigInt(sec), i * 16);
    struct.writeBigInt64LE(BigInt(nsec), i * 16 + 8);
  });
  return struct;
}
