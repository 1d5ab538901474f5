/**
 * text.ts: bytes, numbers and values as text: C strings with their escapes, hexadecimal, octal, and what is
 * no argument of a system call at all.
 *
 * Not here: names (flags.ts), and what bytes mean (structs.ts, socket.ts, fcntl.ts).
 *
 * Invariant: other() takes anything and does not throw; customInspect is off, so that a value's own way of
 * being shown is not run. The rest takes bytes and numbers only.
 */
import { inspect } from 'node:util';
import { native } from '../../native.ts';

/** What stands for memory that the kernel has not written. */
export const ADDRESS = '0x…';

/** What is not what the call takes, in one line. */
export function other(value: unknown): string {
  const options = { depth: 0, breakLength: Number.POSITIVE_INFINITY, maxArrayLength: 3, maxStringLength: 32 };
  try {
    return inspect(value, { ...options, customInspect: false }).replace(/\s*\n\s*/g, ' ');
  } catch {
    return '?';
  }
}

/** Bytes as a C string, the first limit of them; anything that isn't printable ASCII in octal, as strace does. Throws where that is longer than a string can be. */
export function quote(bytes: Uint8Array, limit: number): string {
  const shown = Math.min(bytes.length, limit);
  const text = native.quote(bytes, shown);
  if (text === undefined) throw new RangeError('too long to be shown');
  return `"${text}"${bytes.length > shown ? '...' : ''}`;
}

/** Random bytes, which strace shows in hexadecimal. */
export function quoteHexadecimal(bytes: Uint8Array, limit: number): string {
  const shown = [...bytes.subarray(0, limit)].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`);
  return `"${shown.join('')}"${bytes.length > limit ? '...' : ''}`;
}

export const hexadecimal = (value: number): string => (value === 0 ? '0' : `0x${(value >>> 0).toString(16)}`);

/** Of 64 bits. */
export const wideHexadecimal = (value: number | bigint): string =>
  value === 0 ? '0' : `0x${BigInt.asUintN(64, BigInt(value)).toString(16)}`;

/** 0644; strace writes at least three digits. */
export const octal = (mode: number): string => `0${mode === 0 ? '' : mode.toString(8)}`.padStart(3, '0');

/** The memory that a view shows, at most length bytes of it. Nothing is copied. */
export function bytesOf(view: ArrayBufferView, length: number = Number.POSITIVE_INFINITY): Buffer {
  const { buffer, byteOffset, byteLength } = view;
  return Buffer.from(buffer as ArrayBuffer, byteOffset, Math.max(0, Math.min(byteLength, length)));
}
