/** call.ts: a system call under way: the message, what lies below, and the volume; and what its arguments are. */

import { constants as c } from '../../generated/constants.ts';
import { rowNamed } from '../../port/calls.ts';
import type { Next } from '../../port/shim.ts';
import { SysMsg } from '../../port/sysmsg.ts';
import type { Volume } from './volume.ts';

export interface Call {
  readonly volume: Volume;
  readonly msg: SysMsg;
  readonly next: Next;
}

/** Answers a call: a result, or -errno. */
export type Handler = (call: Call) => number;

/** By the calls' names. There may be names that this version's table has not. */
export type Handlers = Readonly<Record<string, Handler>>;

/** Passes the message on as it is. It is also what is done with arguments that are none: the level below says what is wrong with them. */
export function pass({ msg, next }: Call): number {
  return next(msg);
}

/** Another call, to the level below. */
export function below({ msg, next }: Call, name: string, ...args: unknown[]): number {
  const row = rowNamed(name);
  return row === undefined ? -c.ENOSYS : next(new SysMsg(row.number, args, msg.td));
}

/** The first length bytes of a buffer; undefined where it is none, or is too small. */
export function bytesOf(view: unknown, length: unknown): Uint8Array | undefined {
  if (!ArrayBuffer.isView(view)) return undefined;
  if (!(Number.isInteger(length) && (length as number) >= 0 && (length as number) <= view.byteLength))
    return undefined;
  return new Uint8Array(view.buffer as ArrayBuffer, view.byteOffset, length as number);
}

/** The first count of a list of buffers, without empty ones. */
export function vectorOf(list: unknown, count: unknown): Uint8Array[] | undefined {
  if (
    !Array.isArray(list) ||
    !(Number.isInteger(count) && (count as number) >= 0 && (count as number) <= list.length)
  )
    return undefined;
  const views: Uint8Array[] = [];
  for (const view of list.slice(0, count as number)) {
    const bytes = ArrayBuffer.isView(view) ? bytesOf(view, view.byteLength) : undefined;
    if (bytes === undefined) return undefined;
    if (bytes.length > 0) views.push(bytes);
  }
  return views;
}

/** An integer of 64 bits as a number, which beyond 2^53 is near it; undefined where it is none. */
export function longOf(value: unknown): number | undefined {
  if (typeof value === 'bigint') return BigInt.asIntN(64, value) === value ? Number(value) : undefined;
  return Number.isSafeInteger(value) ? (value as number) + 0 : undefined; // + 0: -0 is 0
}

/** An integer of 32 bits. */
export function intOf(value: unknown): number | undefined {
  return Number.isSafeInteger(value) && (value as number) >= -(2 ** 31) && (value as number) < 2 ** 32
    ? (value as number) | 0
    : undefined;
}
