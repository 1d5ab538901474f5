/**
 * wire: a system call as plain data, for who has it made elsewhere (@libcr/nats): what the kernel reads goes along as bytes, what it writes comes back as bytes. Which arguments those are says the table.
 *
 * Not here: how the data travel, and who may make which call. Not for programs: it may change with any release, together with its users.
 *
 * Invariant: whatever data come, unpackCall() gives a call of the table's with arguments of its forms, or throws TypeError or RangeError.
 */
import '../index.ts'; // for the bundle: see tsup.config.ts
import { invalidType, outOfRange } from '@libcr/core/internal';
import type { Argument } from '../generated/rows.ts';
import { rowNamed, rowOf } from '../port/calls.ts';
import type { SysMsg } from '../port/sysmsg.ts';
import {
  decodeArgument,
  type EncodedArgument,
  type EncodedCall,
  encodeCall,
  writtenPieces,
} from '../shims/recording/argument.ts';

/** What goes there. */
export interface PackedCall {
  /** Its name: numbers are an architecture's. */
  call: string;
  /** Bytes are { piece }: which of `pieces`. */
  args: EncodedArgument[];
  pieces: Uint8Array[];
}

/** What comes back. */
export interface PackedReply {
  /** >= 0, or -errno. */
  reply: number;
  /** What the kernel has written, in the order of the arguments. */
  filled: Uint8Array[];
}

/** Bytes go beside the arguments, so that nothing is made of them on the way. */
const beside =
  (pieces: Uint8Array[]) =>
  (bytes: Buffer): { piece: number } => ({ piece: pieces.push(bytes) - 1 });

/** The same with the bytes where they belong. */
function withPieces(argument: unknown, pieces: readonly unknown[]): EncodedArgument {
  if (Array.isArray(argument)) return argument.map((part) => withPieces(part, pieces));
  const { piece, ...rest } = Object(argument) as { piece?: unknown };
  if (piece === undefined) return argument as EncodedArgument;
  const bytes = pieces[piece as number];
  if (!(bytes instanceof Uint8Array)) throw invalidType('piece', 'the number of a piece', piece);
  return { ...rest, bytes };
}

/** A call of this process' that is made elsewhere. */
export class OutgoingCall {
  readonly data: PackedCall;
  private readonly encoded: EncodedCall;

  /** args: the message's, or others in their stead. */
  constructor(msg: SysMsg, args: readonly unknown[] = msg.args) {
    const pieces: Uint8Array[] = [];
    this.encoded = encodeCall(rowOf(msg.number), args, beside(pieces));
    this.data = { call: msg.name, args: this.encoded.args, pieces };
  }

  /** What has been written there is written here: the reply. Throws TypeError for data that are no reply. */
  finish(answer: unknown): number {
    const { reply, filled } = Object(answer) as Partial<PackedReply>;
    if (!Number.isInteger(reply) || !Array.isArray(filled))
      throw invalidType('answer', 'the answer to a call', answer);
    this.encoded.pieces.forEach(({ memory }, i) => {
      const bytes: unknown = filled[i];
      if (bytes instanceof Uint8Array) memory.set(bytes.subarray(0, memory.length));
    });
    return reply as number;
  }
}

/** A call that is made here for somebody elsewhere. */
export interface IncomingCall {
  readonly name: string;
  readonly number: number;
  readonly args: unknown[];
  /** What the table says of its arguments. */
  readonly formats: readonly Argument[];
  /** After it has been made. */
  answer(reply: number): PackedReply;
}

/** room: bytes that its buffers may have together. */
export function unpackCall(data: unknown, room: number): IncomingCall {
  const { call, args, pieces } = Object(data) as Partial<PackedCall>;
  const row = typeof call === 'string' ? rowNamed(call) : undefined;
  if (row === undefined || !Array.isArray(args) || !Array.isArray(pieces))
    throw invalidType('call', 'a system call', data);
  if (args.length > row.args.length) throw outOfRange('args', `at most ${row.args.length}`, args.length);
  checkRoom(args, room);
  const decoded = args.map((argument) => decodeArgument(withPieces(argument, pieces), []));
  const encoded = encodeCall(row, decoded, beside([]));
  return {
    name: row.name,
    number: row.number,
    args: decoded,
    formats: row.args,
    answer: (reply) => ({ reply, filled: writtenPieces(encoded, reply) }),
  };
}

/** Before anything is allocated. */
function checkRoom(args: readonly unknown[], most: number): number {
  let left = most;
  for (const argument of args) {
    if (Array.isArray(argument)) left = checkRoom(argument, left);
    const { room = 0 } = Object(argument) as { room?: unknown };
    if (!Number.isInteger(room) || (room as number) < 0) throw invalidType('room', 'a number of bytes', room);
    left -= room as number;
    if (left < 0) throw outOfRange('args', `buffers of ${most} bytes at most`, args.length);
  }
  return left;
}

/** What the table says of a message's arguments. */
export function argumentsOf({ number }: SysMsg): readonly Argument[] {
  return rowOf(number)?.args ?? [];
}
