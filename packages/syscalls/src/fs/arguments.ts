/** arguments.ts: the arguments that node:fs' functions have in common, checked as Node checks them, with its codes. */
import { fileURLToPath } from 'node:url';
import { inspect, types } from 'node:util';
import { invalidType, invalidValue, isAbortSignal, isUrl, outOfRange } from '@libcr/core/internal';
import { constants as c } from '../generated/constants.ts';

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
  throw invalidValue(
    `The argument '${name}' must be a string, Uint8Array, or URL without null bytes. Received ${inspect(path)}`,
  );
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
  return checkInteger(fd, 'fd', 0, INT32_MAX);
}

/** Permissions: a number, or a string of octal digits. */
export function checkMode(mode: unknown, fallback?: number): number {
  const value = mode ?? fallback;
  if (typeof value !== 'string') return checkInteger(value, 'mode', 0, UINT32_MAX);
  if (!/^[0-7]+$/.test(value))
    throw invalidValue(
      `The argument 'mode' must be a 32-bit unsigned integer or an octal string. Received '${value}'`,
    );
  return checkInteger(Number.parseInt(value, 8), 'mode', 0, UINT32_MAX);
}

/** The modes of access, copyFile and cp. */
export function checkBits(mode: unknown): number {
  if (mode === undefined || mode === null) return 0;
  return checkInteger(mode, 'mode', 0, 7);
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
export function checkFlags(flags: unknown, fallback = 'r'): number {
  const value = flags ?? fallback;
  if (typeof value === 'number') return checkInteger(value, 'flags', -(2 ** 31), INT32_MAX) | c.O_CLOEXEC;
  const bits = typeof value === 'string' ? FLAGS.get(value) : undefined;
  if (bits === undefined) throw invalidValue(`The argument 'flags' is invalid. Received ${inspect(value)}`);
  return bits | c.O_CLOEXEC;
}

export interface Options {
  readonly [name: string]: unknown;
  readonly encoding?: BufferEncoding | 'buffer' | null | undefined;
  readonly signal?: AbortSignal | undefined;
}

const NO_OPTIONS: Options = {};

/** Options with an encoding, which may stand for itself: 'utf8', { encoding: 'utf8' }, null. */
export function checkOptions(options: unknown): Options {
  if (options === undefined || options === null || typeof options === 'function') return NO_OPTIONS;
  if (typeof options !== 'object' && typeof options !== 'string')
    throw invalidType('options', 'one of type string or object', options);
  const given = (typeof options === 'string' ? { encoding: options } : options) as Options;
  checkEncoding(given.encoding);
  if (given.signal !== undefined && !isAbortSignal(given.signal))
    throw invalidType('options.signal', 'an instance of AbortSignal', given.signal);
  return given;
}

export function checkEncoding(encoding: unknown): void {
  if (encoding === undefined || encoding === null || encoding === 'buffer' || encoding === '') return;
  if (!Buffer.isEncoding(encoding as string))
    throw invalidValue(`The argument 'encoding' is invalid encoding. Received ${inspect(encoding)}`);
}

/** Options that must be an object, if there are any. */
export function checkObject(options: unknown): Options {
  if (options === undefined || options === null) return NO_OPTIONS;
  if (typeof options !== 'object') throw invalidType('options', 'of type object', options);
  return options as Options;
}

export function checkBoolean(value: unknown, name: string, fallback = false): boolean {
  if (value === undefined || value === null) return fallback;
  if (typeof value !== 'boolean') throw invalidType(name, 'of type boolean', value);
  return value;
}

/** A name or path that the kernel has told, in the encoding that was asked for; UTF-8 without. */
export function encoded(bytes: Buffer, encoding: Options['encoding']): string | Buffer {
  return encoding === 'buffer' ? bytes : bytes.toString(encoding || 'utf8');
}

/** A time in seconds since 1970, a string of digits, or a Date, as seconds. */
function toSeconds(time: unknown): number {
  // biome-ignore lint/suspicious/noDoubleEquals: as Node: what is a number when it is read as one
  if (typeof time === 'string' && +time == (time as unknown)) return +time;
  if (Number.isFinite(time)) return (time as number) < 0 ? Date.now() / 1000 : (time as number);
  if (types.isDate(time)) return time.getTime() / 1000;
  throw invalidType('time', 'an instance of Date or an Time in seconds', time);
}

/** As libuv does it: in microseconds. */
export function checkTime(time: unknown): { sec: number; nsec: number } {
  const seconds = toSeconds(time);
  const sec = Math.floor(seconds);
  return { sec, nsec: Math.trunc((seconds - sec) * 1e6) * 1000 };
}
