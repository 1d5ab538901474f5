/**
 * argument.ts: a call's arguments as a recording has them, and the pieces of memory that the kernel writes for it. Which arguments those
 * are, and how long, says the table (generated/rows.ts, interface Memory); no call is named here.
 *
 * Not here: one call as a line (entry.ts).
 *
 * Invariant: arguments are read, not changed, and whatever they are, nothing is thrown: what is not what the call takes is shown as
 * inspect() shows it. Two calls of one form have the same pieces, of the same sizes.
 */
import type { Argument, Memory, Row } from '../../generated/rows.ts';
import { other } from '../format/text.ts';
import { decodeBytes, type EncodedBytes, encodeBytes, memoryOf } from './bytes.ts';

/**
 * A number, null and a string are themselves. room: memory that only the kernel writes, in bytes; both: what the program gave in memory that
 * the kernel writes, too.
 */
export type EncodedArgument =
  | number
  | string
  | null
  | (EncodedBytes & { both?: true })
  | { room: number }
  | { number: string }
  | { bigint: string }
  | { other: string }
  | EncodedArgument[];

/** Memory that the kernel writes. */
export interface Piece {
  memory: Buffer;
  /** Also written, in part, by a call that fails. */
  both: boolean;
  /** How many bytes are written by a call that has answered reply; asked after it. */
  written(reply: number): number;
}

export interface EncodedCall {
  args: EncodedArgument[];
  pieces: Piece[];
}

const PAGE = 4096;
const HANDLE_HEADER = 8;
const SIZED_MINIMUM = 64;
const MESSAGE_HEADER = 16;

const numeric = (value: unknown): number => (typeof value === 'number' && value > 0 ? value : 0);

/** A word of 32 bits in memory; 0 where there is none. */
function word(value: unknown, at = 0): number {
  if (!ArrayBuffer.isView(value) || value.byteLength < at + 4) return 0;
  return memoryOf(value, at + 4).readUInt32LE(at);
}

/** How many bytes of a buffer count. */
export function sizeOf({ by, unit = 1, head = 0 }: Memory, args: readonly unknown[], i: number): number {
  switch (by) {
    case 'next':
      return numeric(args[i + 1]) * unit + head;
    case 'bits':
      return Math.ceil(numeric(args[i + 1]) / 64) * 8;
    case 'pointer':
      return word(args[i + 1]);
    case 'before':
      return numeric(args[i - 1]) * unit;
    case 'unit':
      return unit;
    case 'pages':
      return Math.ceil(numeric(args[i - 1]) / PAGE);
    case 'sized':
      return Math.max(word(args[i], head), SIZED_MINIMUM);
    case 'handle':
      return HANDLE_HEADER + word(args[i]);
    default:
      return Number.POSITIVE_INFINITY;
  }
}

/** How many of them are written by a call that has answered reply (>= 0). next: the argument behind it. */
export function writtenBy({ by, unit = 1, head = 0, whole }: Memory, next: unknown, reply: number): number {
  if ((by === 'next' || by === 'before') && !whole) return reply * unit + head;
  return by === 'pointer' ? word(next) : Number.POSITIVE_INFINITY;
}

function plain(value: unknown): EncodedArgument {
  if (typeof value === 'string' || value === null) return value;
  if (typeof value === 'number') return Number.isFinite(value) ? value : { number: String(value) };
  if (typeof value === 'bigint') return { bigint: String(value) };
  if (ArrayBuffer.isView(value)) return encodeBytes(memoryOf(value, Number.POSITIVE_INFINITY));
  return { other: other(value) };
}

function view(call: EncodedCall, value: unknown, out: boolean, written: Piece['written']): EncodedArgument {
  if (!out || !ArrayBuffer.isView(value)) return plain(value);
  const memory = memoryOf(value, Number.POSITIVE_INFINITY);
  call.pieces.push({ memory, both: false, written });
  return { room: memory.length };
}

/** Buffers that are filled one after the other. */
function buffers(
  call: EncodedCall,
  list: unknown,
  out: boolean,
  total: Piece['written'] = (n) => n,
): EncodedArgument {
  if (!Array.isArray(list)) return plain(list);
  let before = 0;
  return list.map((value) => {
    const begin = before;
    if (ArrayBuffer.isView(value)) before += value.byteLength;
    return view(call, value, out, (reply) => total(reply) - begin);
  });
}

/** [address, buffers, control, header] (codec/message.ts). The header is the kernel's, whichever way the message goes. */
function message(call: EncodedCall, value: unknown, out: boolean, total?: Piece['written']): EncodedArgument {
  if (!Array.isArray(value) || value.length !== 4) return plain(value);
  const [address, data, control, header] = value as unknown[];
  return [
    view(call, address, out, () => word(header)),
    buffers(call, data, out, total),
    view(call, control, out, () => word(header, 4)),
    view(call, header, true, () => MESSAGE_HEADER),
  ];
}

function messages(call: EncodedCall, list: unknown, out: boolean): EncodedArgument {
  if (!Array.isArray(list)) return plain(list);
  return list.map((value, i) => {
    const header = Array.isArray(value) ? value[3] : undefined;
    return message(call, value, out, (reply) => (i < reply ? word(header, 12) : 0));
  });
}

function memoryArgument(
  call: EncodedCall,
  memory: Memory,
  args: readonly unknown[],
  i: number,
): EncodedArgument {
  const value = args[i];
  const out = memory.way === 'out';
  if (memory.by === 'buffers') return buffers(call, value, out);
  if (memory.by === 'message') return message(call, value, out);
  if (memory.by === 'messages') return messages(call, value, out);
  if (!ArrayBuffer.isView(value)) return plain(value);
  const bytes = memoryOf(value, sizeOf(memory, args, i));
  if (memory.way !== 'in')
    call.pieces.push({
      memory: bytes,
      both: !out,
      written: (reply) => writtenBy(memory, args[i + 1], reply),
    });
  if (out) return { room: bytes.length };
  return memory.way === 'in' ? encodeBytes(bytes) : { ...encodeBytes(bytes), both: true };
}

/** Before the call. row: undefined for a number that the table has not. */
export function encodeCall(row: Row | undefined, args: readonly unknown[]): EncodedCall {
  const call: EncodedCall = { args: [], pieces: [] };
  let count = row?.args.length ?? args.length;
  if (row === undefined) while (count > 0 && args[count - 1] === undefined) count--;
  for (let i = 0; i < count; i++) {
    const memory = (row?.args[i] as Argument | undefined)?.memory;
    call.args.push(memory === undefined ? plain(args[i]) : memoryArgument(call, memory, args, i));
  }
  return call;
}

/** Which pieces there is something in, and how much, once the call has answered reply. */
export function writtenPieces({ pieces }: EncodedCall, reply: number): Buffer[] {
  return pieces.map(({ memory, both, written }) =>
    memory.subarray(0, reply >= 0 ? Math.max(0, written(reply)) : both ? memory.length : 0),
  );
}

/** An argument as formatCall() shows it: filled takes, in order, what the kernel has written. */
export function decodeArgument(encoded: EncodedArgument, filled: Buffer[]): unknown {
  if (encoded === null || typeof encoded !== 'object') return encoded;
  if (Array.isArray(encoded)) return encoded.map((part) => decodeArgument(part, filled));
  const bytes = decodeBytes(encoded);
  if (bytes !== undefined) {
    if ('both' in encoded) filled.shift()?.copy(bytes);
    return bytes;
  }
  if ('room' in encoded) {
    const room = Buffer.alloc(encoded.room);
    filled.shift()?.copy(room);
    return room;
  }
  if ('bigint' in encoded) return BigInt(encoded.bigint);
  if ('number' in encoded) return Number(encoded.number);
  return (encoded as { other: string }).other;
}
