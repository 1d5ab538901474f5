/**
 * incoming.ts: a call that is made here for somebody elsewhere.
 *
 * Invariants:
 *  - Whatever bytes come, it is a call of the table's with arguments of its forms, or TypeError or RangeError is thrown, and nothing was allocated that is larger than `room` then.
 *  - The kernel writes into memory of the answer's, and nowhere else: what it writes by the table is room or both, and what it only reads is neither. So no message is changed, and no other memory of this process' goes out
 *    with an answer: the answer's was empty.
 */
import { invalidType, outOfRange } from '@libcr/core/internal';
import type { Argument, Memory, Row } from '../generated/rows.ts';
import { rowNamed } from '../port/calls.ts';
import { writtenBy } from '../shims/recording/argument.ts';
import { ANSWER_HEAD, LENGTH, LIST_MAX, TAG, WIRE_VERSION } from './values.ts';

/** Memory that the kernel may write: where in the answer, and which argument it belongs to. */
interface Piece {
  readonly at: number;
  readonly size: number;
  readonly argument: number;
  /** Its place in a list, and how many bytes of that list are before it; -1: it is in none. */
  readonly place: number;
  readonly behind: number;
  /** What the program gave in it; undefined: nothing. */
  readonly given: Buffer | undefined;
}

/** One that is only refused. before: bytes for who carries it. */
export function failure(errno: number, before: number): Buffer {
  const bytes = Buffer.allocUnsafe(before + ANSWER_HEAD);
  bytes[before] = WIRE_VERSION;
  bytes.writeDoubleLE(-errno, before + 1);
  return bytes;
}

export class IncomingCall {
  readonly name: string;
  readonly number: number;
  readonly args: unknown[] = [];
  /** What the table says of its arguments. */
  readonly formats: readonly Argument[];
  private readonly row: Row;
  private readonly bytes: Buffer;
  private readonly before: number;
  private readonly pieces: Piece[] = [];
  /** What the kernel writes into, and the answer: `before`, its head and the pieces. */
  private readonly memory: Buffer;
  private at: number;
  private end: number;

  /** at: where it begins. room: bytes that the kernel may write. before: bytes that the answer has in front for who carries it. */
  constructor(bytes: Buffer, at: number, room: number, before: number) {
    this.bytes = bytes;
    this.at = at;
    this.before = before;
    this.end = before + ANSWER_HEAD;
    if (this.byte() !== WIRE_VERSION) throw invalidType('call', 'a system call of this version', bytes[at]);
    const name = this.text('latin1', this.byte());
    const row = rowNamed(name);
    if (row === undefined) throw invalidType('call', 'a system call', name);
    this.row = row;
    this.name = name;
    this.number = row.number;
    this.formats = row.args;
    const count = this.byte();
    if (count > row.args.length) throw outOfRange('args', `at most ${row.args.length}`, count);
    const most = this.end + room;
    for (let i = 0; i < count; i++) {
      this.args.push(this.argument(i));
      const wanted = this.end - this.pieces.length * LENGTH;
      if (wanted > most) throw outOfRange('args', `buffers of ${room} bytes at most`, wanted);
    }
    this.memory = Buffer.alloc(this.end);
    for (const piece of this.pieces) this.give(piece);
  }

  /** After it has been made: the answer. */
  answer(reply: number): Buffer {
    const { memory, before, pieces } = this;
    memory[before] = WIRE_VERSION;
    memory.writeDoubleLE(reply, before + 1);
    let to = before + ANSWER_HEAD;
    for (const piece of pieces) {
      const size = Math.max(0, Math.min(piece.size, this.written(piece, reply)));
      memory.copyWithin(to + LENGTH, piece.at, piece.at + size);
      to = memory.writeUInt32LE(size, to) + size;
    }
    return to === memory.length ? memory : memory.subarray(0, to);
  }

  private written({ argument, place, behind, given }: Piece, reply: number): number {
    if (reply < 0) return given === undefined ? 0 : Number.POSITIVE_INFINITY;
    if (place >= 0) return reply - behind;
    return writtenBy(this.row.args[argument]?.memory as Memory, this.args[argument + 1], reply);
  }

  // ---------------------------------------------------------------- reading

  private byte(): number {
    const value = this.bytes[this.at++];
    if (value === undefined) throw tooShort();
    return value;
  }

  /** That many bytes from here on: where they begin. */
  private skip(length: number): number {
    const from = this.at;
    this.at += length;
    if (this.at > this.bytes.length) throw tooShort();
    return from;
  }

  private text(encoding: BufferEncoding, length: number): string {
    const from = this.skip(length);
    return this.bytes.toString(encoding, from, from + length);
  }

  private length(): number {
    return this.bytes.readUInt32LE(this.skip(LENGTH));
  }

  private argument(i: number): unknown {
    const tag = this.byte();
    const { bytes } = this;
    switch (tag) {
      case TAG.absent:
        return undefined;
      case TAG.null:
        return null;
      case TAG.int:
        return bytes.readInt32LE(this.skip(4));
      case TAG.number:
        return bytes.readDoubleLE(this.skip(8));
      case TAG.bigint:
        return bytes.readBigInt64LE(this.skip(8));
      case TAG.text:
        return this.text('utf8', this.length());
      case TAG.list:
        return this.list(i);
      default:
        return this.memoryOf(tag, i, -1, 0);
    }
  }

  private list(i: number): unknown[] {
    if (this.row.args[i]?.memory?.by !== 'buffers') throw invalidType('argument', 'no list', i);
    const count = this.bytes.readUInt16LE(this.skip(2));
    if (count > LIST_MAX) throw outOfRange('the number of buffers', `at most ${LIST_MAX}`, count);
    const list: unknown[] = [];
    for (let place = 0, behind = 0; place < count; place++) {
      const { length } = this.pieces;
      list.push(this.memoryOf(this.byte(), i, place, behind));
      if (this.pieces.length > length) behind += (this.pieces[length] as Piece).size;
    }
    return list;
  }

  /** Memory that the kernel reads, which is here; undefined: it will be the answer's. */
  private memoryOf(tag: number, i: number, place: number, behind: number): Buffer | undefined {
    const memory = this.row.args[i]?.memory;
    const way = memory?.way ?? 'in';
    const ofLists = memory?.by === 'buffers' || memory?.by === 'message' || memory?.by === 'messages';
    if (ofLists !== place >= 0) throw invalidType('argument', 'of its form', tag);
    if (tag === TAG.bytes && way === 'in') return this.given();
    if (tag === TAG.room && way === 'out') this.piece(this.length(), undefined, i, place, behind);
    else if (tag === TAG.both && way === 'inout') {
      const given = this.given();
      this.piece(given.length, given, i, place, behind);
    } else throw invalidType('argument', 'of its form', tag);
    return undefined;
  }

  private given(): Buffer {
    const length = this.length();
    const from = this.skip(length);
    return this.bytes.subarray(from, from + length);
  }

  private piece(
    size: number,
    given: Buffer | undefined,
    argument: number,
    place: number,
    behind: number,
  ): void {
    this.pieces.push({ at: this.end + LENGTH, size, argument, place, behind, given });
    this.end += LENGTH + size;
  }

  /** The memory where the argument says. */
  private give({ at, size, argument, place, given }: Piece): void {
    const memory = this.memory.subarray(at, at + size);
    given?.copy(memory);
    if (place < 0) this.args[argument] = memory;
    else (this.args[argument] as unknown[])[place] = memory;
  }
}

const tooShort = (): Error => outOfRange('call', 'a whole one', 'less');
