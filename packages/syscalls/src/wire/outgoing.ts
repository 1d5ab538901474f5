/**
 * outgoing.ts: a call of this process' that is made elsewhere: its bytes, and what becomes of the answer's.
 *
 * Invariant: a call is measured as it is written: by the same walk over its arguments, first without the bytes.
 */
import { invalidType, invalidValue, outOfRange } from '@libcr/core/internal';
import type { Memory, Row } from '../generated/rows.ts';
import { RESULT_MIN } from '../port/answers.ts';
import { rowOf } from '../port/calls.ts';
import { sizeOf } from '../shims/recording/argument.ts';
import { memoryOf } from '../shims/recording/bytes.ts';
import { ANSWER_HEAD, LENGTH, LIST_MAX, TAG, WIRE_VERSION } from './values.ts';

const ENTRY = 1 + LENGTH;
const TAG_OF = { in: TAG.bytes, out: TAG.room, inout: TAG.both } as const;

type Way = Memory['way'];

const isInt = (value: number): boolean => (value | 0) === value && !Object.is(value, -0);

export class OutgoingCall {
  /** `before` bytes for who carries it, and the call. */
  readonly bytes: Buffer;
  private readonly row: Row;
  /** What is written there is written here. */
  private readonly pieces: Buffer[] = [];
  private at = 0;

  /** Throws TypeError and RangeError for what can't be made elsewhere. */
  constructor(number: number, args: readonly unknown[], before: number) {
    const row = rowOf(number);
    if (row === undefined) throw outOfRange('number', "one of the table's", number);
    this.row = row;
    let count = row.args.length;
    while (count > 0 && args[count - 1] === undefined) count--;
    const values: unknown[] = [];
    let size = before + 3 + row.name.length;
    for (let i = 0; i < count; i++) {
      const value = this.shown(args, i);
      values.push(value);
      size += this.measure(value, row.args[i]?.memory?.way ?? 'in');
    }
    this.bytes = Buffer.allocUnsafe(size);
    this.at = before;
    this.byte(WIRE_VERSION);
    this.byte(row.name.length);
    this.at += this.bytes.write(row.name, this.at, 'latin1');
    this.byte(count);
    for (let i = 0; i < count; i++) this.write(values[i], row.args[i]?.memory?.way ?? 'in');
  }

  /** What of an argument counts: of memory, as much as the table says. */
  private shown(args: readonly unknown[], i: number): unknown {
    const value = args[i];
    const memory = this.row.args[i]?.memory;
    if (Array.isArray(value)) {
      if (memory?.by !== 'buffers')
        throw invalidValue(`${this.row.name} can not be made elsewhere with a list`);
      if (value.length > LIST_MAX)
        throw outOfRange('the number of buffers', `at most ${LIST_MAX}`, value.length);
      return value.map((part) => {
        if (!ArrayBuffer.isView(part)) throw invalidType('a buffer', 'a view of memory', part);
        return memoryOf(part, Number.POSITIVE_INFINITY);
      });
    }
    if (!ArrayBuffer.isView(value)) return value;
    return memoryOf(value, memory === undefined ? Number.POSITIVE_INFINITY : sizeOf(memory, args, i));
  }

  private measure(value: unknown, way: Way): number {
    switch (typeof value) {
      case 'number':
        return isInt(value) ? 5 : 9;
      case 'string':
        return ENTRY + Buffer.byteLength(value);
      case 'undefined':
        return 1;
      case 'bigint':
        return 9;
      case 'object':
        if (value === null) return 1;
        if (Buffer.isBuffer(value)) return ENTRY + (way === 'out' ? 0 : value.length);
        if (Array.isArray(value))
          return value.reduce<number>((sum, part) => sum + this.measure(part, way), 1 + 2);
    }
    throw invalidType('an argument', 'a number, text, memory or null', value);
  }

  // ---------------------------------------------------------------- writing

  private byte(value: number): void {
    this.bytes[this.at++] = value;
  }

  private length(tag: number, length: number): void {
    this.byte(tag);
    this.at = this.bytes.writeUInt32LE(length, this.at);
  }

  private write(value: unknown, way: Way): void {
    if (typeof value === 'number') this.number(value);
    else if (typeof value === 'string') {
      this.length(TAG.text, Buffer.byteLength(value));
      this.at += this.bytes.write(value, this.at);
    } else if (value === undefined) this.byte(TAG.absent);
    else if (value === null) this.byte(TAG.null);
    else if (typeof value === 'bigint') {
      this.byte(TAG.bigint);
      this.at = this.bytes.writeBigInt64LE(BigInt.asIntN(64, value), this.at);
    } else if (Array.isArray(value)) this.list(value as Buffer[], way);
    else this.memory(value as Buffer, way);
  }

  private number(value: number): void {
    if (isInt(value)) {
      this.byte(TAG.int);
      this.at = this.bytes.writeInt32LE(value, this.at);
    } else {
      this.byte(TAG.number);
      this.at = this.bytes.writeDoubleLE(value, this.at);
    }
  }

  private list(buffers: readonly Buffer[], way: Way): void {
    this.byte(TAG.list);
    this.at = this.bytes.writeUInt16LE(buffers.length, this.at);
    for (const buffer of buffers) this.memory(buffer, way);
  }

  private memory(memory: Buffer, way: Way): void {
    this.length(TAG_OF[way], memory.length);
    if (way !== 'in') this.pieces.push(memory);
    if (way !== 'out') this.at += memory.copy(this.bytes, this.at);
  }

  // ---------------------------------------------------------------- the answer

  /** What has been written there is written here: the reply. at: where the answer begins. Throws TypeError for what is none, and may have written a part of it then. */
  finish(answer: Buffer, at: number): number {
    if (answer.length < at + ANSWER_HEAD || answer[at] !== WIRE_VERSION) throw noAnswer(answer);
    const reply = answer.readDoubleLE(at + 1);
    if (!Number.isInteger(reply) || reply < RESULT_MIN) throw noAnswer(answer);
    let next = at + ANSWER_HEAD;
    for (const memory of this.pieces) {
      if (next + LENGTH > answer.length) break; // a call that was refused has none
      const from = next + LENGTH;
      next = from + answer.readUInt32LE(next);
      if (next > answer.length || next - from > memory.length) throw noAnswer(answer);
      answer.copy(memory, 0, from, next);
    }
    return reply;
  }
}

const noAnswer = (answer: Buffer): Error => invalidType('answer', 'the answer to a call', answer);
