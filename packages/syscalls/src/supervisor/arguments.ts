/**
 * arguments.ts: a call's arguments, from a slot as messages have them, and back: for a call that a shim has changed, and for an answer.
 *
 * Buffers of a message lie in the slot: they are read and written in place. What a shim has put in their stead is copied into the slot's free part, and what the kernel
 * writes is copied back.
 *
 * Invariant: what can't be said in a slot is an error of the shim's that asks for it, and no call is made.
 */
import { invalidType, outOfRange } from '@libcr/core/internal';
import { viewBytes } from '../codec/bytes.ts';
import {
  ARGUMENT,
  ARGUMENT_SIZE,
  ARGUMENTS,
  FLAG_CHANGED,
  FLAG_IN,
  FLAG_OUT,
  KIND_BUFFER,
  KIND_BUFFERS,
  KIND_MESSAGE,
  KIND_MESSAGES,
  KIND_NULL,
  KIND_NUMBER,
  KIND_PATH,
  MESSAGE,
  MESSAGE_SIZE,
  PART_SIZE,
  SLOT,
  SLOT_SIZE,
} from '../generated/channel.ts';
import { constants as c } from '../generated/constants.ts';
import type { Argument, Row } from '../generated/rows.ts';
import { rowOf } from '../port/calls.ts';
import { writtenBy } from '../shims/recording/argument.ts';
import type { Slots } from './slots.ts';

const HEADER_SIZE = 16;
/** Of one call, as in script/stage.h. */
const MESSAGES_MAX = 64;
/** What a message's header has: bytes of the address, of control messages, MSG_*; and of one of several, bytes of data. */
const HEADER = { name: 0, control: 4, flags: 8, length: 12 } as const;

/** Flags of sets that are signed numbers. */
const SIGNED_SETS: ReadonlySet<string> = new Set(['clock', 'whence']);
const UNSIGNED: ReadonlySet<string> = new Set(['flags', 'octal', 'id', 'fileMode', 'device']);

/** A number as the kernel takes it: an int is the lower half of its register, whatever is in the upper one. */
function numberOf(value: number | bigint, argument: Argument | undefined): number | bigint {
  if (argument === undefined || argument.wide || argument.memory !== undefined) return value;
  const { format, flags } = argument;
  if (format === 'path' || format === 'text' || format === 'null') return value;
  const low = typeof value === 'bigint' ? Number(BigInt.asIntN(32, value)) : value | 0;
  return UNSIGNED.has(format) && !SIGNED_SETS.has(flags ?? '') ? low >>> 0 : low;
}

/** Text where it is UTF-8, or else the bytes. */
function textOf(bytes: Buffer): string | Buffer {
  const text = bytes.toString('latin1');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: what is ASCII, is UTF-8
  if (/^[\x00-\x7f]*$/.test(text)) return text;
  const decoded = bytes.toString('utf8');
  return Buffer.from(decoded).equals(bytes) ? decoded : Buffer.from(bytes);
}

/** A message's array, and where its struct slot_message lies. */
type Message = [Buffer | null, Buffer[], Buffer | null, Buffer];

export class CallArguments {
  private readonly slots: Slots;
  private readonly slot: number;
  private readonly number: number;
  /** As the message came. */
  readonly args: readonly unknown[];
  /** The slot's arguments and their numbers, as they came. */
  private readonly given: readonly number[];
  private readonly numbers: readonly number[];
  private readonly used: number;
  private free: number;
  /** Buffers that are not the slot's, and where in the slot the kernel writes for them. */
  private copies: { to: Uint8Array; at: number }[] = [];

  /** slot: where it begins. */
  constructor(slots: Slots, slot: number) {
    this.slots = slots;
    this.slot = slot;
    this.number = Number(slots.long(slot + SLOT.number));
    this.used = Math.min(Math.max(slots.word(slot + SLOT.used), 0), SLOT_SIZE);
    this.free = this.used;
    this.given = slots.copyWords(slot + SLOT.arguments, ARGUMENTS * ARGUMENT_SIZE);
    this.numbers = slots.copyWords(slot + SLOT.args, ARGUMENTS * 8);
    const row = rowOf(this.number);
    const count = row === undefined || row.args.length === 0 ? ARGUMENTS : row.args.length;
    const args: unknown[] = [];
    for (let i = 0; i < count; i++) args.push(this.decode(i, row?.args[i]));
    while (args.length < ARGUMENTS) args.push(undefined);
    this.args = args;
  }

  // ---------------------------------------------------------------- what came

  private argumentAt(i: number): number {
    return this.slot + SLOT.arguments + i * ARGUMENT_SIZE;
  }

  private kindOf(i: number): number {
    return ((this.given[i * 3] as number) & 0xff) >>> 0;
  }

  private flagsOf(i: number): number {
    return ((this.given[i * 3] as number) >>> 8) & 0xff;
  }

  private decode(i: number, argument: Argument | undefined): unknown {
    const [at, length] = [this.given[i * 3 + 1] as number, this.given[i * 3 + 2] as number];
    switch (this.kindOf(i)) {
      case KIND_NULL:
        return null;
      case KIND_PATH: {
        const bytes = this.part(at, length);
        return bytes === undefined ? null : textOf(bytes);
      }
      case KIND_BUFFER:
        return this.part(at, length) ?? null;
      case KIND_BUFFERS:
        return this.parts(at, (this.given[i * 3] as number) >>> 16);
      case KIND_MESSAGE:
        return this.message(at);
      case KIND_MESSAGES:
        return this.messages(at, (this.given[i * 3] as number) >>> 16);
      default:
        return numberOf(this.slots.long(this.slot + SLOT.args + i * 8), argument);
    }
  }

  private part(at: number, length: number): Buffer | undefined {
    return this.slots.part(this.slot, at, length);
  }

  private partAt(at: number): Buffer | undefined {
    return this.part(this.slots.word(this.slot + at), this.slots.word(this.slot + at + 4));
  }

  private parts(at: number, count: number): Buffer[] {
    if (this.part(at, count * PART_SIZE) === undefined) return [];
    return Array.from({ length: count }, (_, i) => this.partAt(at + i * PART_SIZE) ?? Buffer.alloc(0));
  }

  private message(at: number): Message | null {
    if (this.part(at, MESSAGE_SIZE) === undefined) return null;
    const header = Buffer.alloc(HEADER_SIZE);
    const has = (field: number): Buffer | null =>
      this.slots.word(this.slot + at + field) === 0 ? null : (this.partAt(at + field) ?? null);
    const count = this.slots.word(this.slot + at + MESSAGE.parts);
    return [has(MESSAGE.name), this.parts(at + MESSAGE_SIZE, count), has(MESSAGE.control), header];
  }

  /** Where each of several messages lies. */
  private messagePlaces(at: number, count: number): number[] {
    if (this.part(at, count * PART_SIZE) === undefined) return [];
    return Array.from({ length: count }, (_, n) => this.slots.word(this.slot + at + n * PART_SIZE));
  }

  private messages(at: number, count: number): (Message | null)[] {
    return this.messagePlaces(at, count).map((place) => this.message(place));
  }

  // ---------------------------------------------------------------- a call

  /** Writes the call into the slot. Throws TypeError and RangeError for arguments that no program's call can have. */
  write(number: number, args: readonly unknown[]): void {
    const { slots, slot } = this;
    this.free = this.used;
    this.copies = [];
    slots.setLong(slot + SLOT.number, number);
    const row = rowOf(number);
    for (let i = 0; i < ARGUMENTS; i++) {
      const value = args[i];
      const argument = row?.args[i];
      if (number === this.number && value === this.args[i]) this.keep(i, argument);
      else this.change(i, value, argument, number);
    }
    slots.setWord(slot + SLOT.used, this.free);
  }

  /** As it came. What names something is taken from the slot, where a shim has seen it; the program may have changed its own meanwhile. */
  private keep(i: number, argument: Argument | undefined): void {
    this.restore(i);
    const format = argument?.format;
    const named = this.kindOf(i) === KIND_PATH || format === 'openHow' || format === 'sockaddr';
    if (
      named &&
      (this.flagsOf(i) & FLAG_OUT) === 0 &&
      this.kindOf(i) !== KIND_NULL &&
      this.kindOf(i) !== KIND_NUMBER
    )
      this.setFlags(i, this.flagsOf(i) | FLAG_CHANGED);
  }

  private restore(i: number): void {
    const { slots, slot, given, numbers } = this;
    slots.putWords(this.argumentAt(i), given, i * 3, i * 3 + 3);
    slots.putWords(slot + SLOT.args + i * 8, numbers, i * 2, i * 2 + 2);
  }

  private setFlags(i: number, flags: number): void {
    this.slots.bytes[this.argumentAt(i) + ARGUMENT.flags] = flags;
  }

  private put(i: number, kind: number, flags: number, at: number, length: number, parts = 0): void {
    const argument = this.argumentAt(i);
    this.slots.setWord(argument, kind | (flags << 8) | (parts << 16));
    this.slots.setWord(argument + ARGUMENT.at, at);
    this.slots.setWord(argument + ARGUMENT.length, length);
  }

  private change(i: number, value: unknown, argument: Argument | undefined, number: number): void {
    const name = argument?.name ?? `argument ${i + 1}`;
    const numberAt = this.slot + SLOT.args + i * 8;
    if (value === undefined || value === null) {
      this.slots.setLong(numberAt, 0);
      this.put(i, value === null ? KIND_NULL : KIND_NUMBER, value === null ? FLAG_CHANGED : 0, 0, 0);
      return;
    }
    if (typeof value === 'number' || typeof value === 'bigint') {
      if (typeof value === 'number' && !Number.isInteger(value)) throw invalidType(name, 'an integer', value);
      this.slots.setLong(numberAt, value);
      this.put(i, KIND_NUMBER, 0, 0, 0);
      return;
    }
    const memory = argument?.memory;
    const isText = argument?.format === 'path' || argument?.format === 'text';
    const flags =
      FLAG_CHANGED |
      (memory?.way === 'out' ? FLAG_OUT : memory?.way === 'inout' ? FLAG_IN | FLAG_OUT : FLAG_IN);
    if (typeof value === 'string' || (isText && ArrayBuffer.isView(value))) {
      const bytes = typeof value === 'string' ? Buffer.from(value) : viewBytes(value as ArrayBufferView);
      const at = this.copyIn(name, bytes, isText ? 1 : 0);
      this.put(i, isText ? KIND_PATH : KIND_BUFFER, flags, at, bytes.length);
      return;
    }
    if (ArrayBuffer.isView(value)) {
      const [at, length] = this.place(name, value, flags);
      this.put(i, KIND_BUFFER, flags, at, length);
      return;
    }
    if (Array.isArray(value) && memory?.by === 'message' && value.length === 4) {
      this.changeMessage(i, name, value as unknown[], flags);
      return;
    }
    if (Array.isArray(value) && memory?.by === 'messages') {
      this.changeMessages(i, name, value, flags);
      return;
    }
    if (!Array.isArray(value) || memory?.by !== 'buffers')
      throw invalidType(name, `what ${rowOf(number)?.name ?? number} of a program takes`, value);
    const parts = this.placeParts(name, value, flags);
    this.put(i, KIND_BUFFERS, flags, this.putParts(name, parts), parts.length * PART_SIZE, parts.length);
  }

  /** Room in the slot's free part. */
  private allocate(name: string, size: number): number {
    const at = (this.free + 7) & ~7;
    if (at + size > SLOT_SIZE)
      throw outOfRange(name, `of ${SLOT_SIZE - at} bytes at most here`, `${size} bytes`);
    this.free = at + size;
    return at;
  }

  /** behind: bytes that are kept free behind it, for a path's NUL. */
  private copyIn(name: string, bytes: Uint8Array, behind = 0): number {
    const at = this.allocate(name, bytes.length + behind);
    this.slots.bytes.set(bytes, this.slot + at);
    return at;
  }

  /** Where a buffer's bytes are in the slot: where it lies there itself, or a copy. */
  private place(name: string, view: ArrayBufferView, flags: number): [at: number, length: number] {
    const bytes = viewBytes(view);
    const at = bytes.byteOffset - this.slot;
    if (bytes.buffer === this.slots.memory && at >= 0 && at + bytes.length <= SLOT_SIZE && at % 8 === 0)
      return [at, bytes.length];
    if ((flags & FLAG_IN) !== 0) {
      const to = this.copyIn(name, bytes);
      if ((flags & FLAG_OUT) !== 0) this.copies.push({ to: bytes, at: to });
      return [to, bytes.length];
    }
    const to = this.allocate(name, bytes.length);
    this.copies.push({ to: bytes, at: to });
    return [to, bytes.length];
  }

  private placeParts(name: string, list: readonly unknown[], flags: number): [number, number][] {
    return list.map((view, i) => {
      if (!ArrayBuffer.isView(view))
        throw invalidType(`${name}[${i}]`, 'a Buffer, TypedArray or DataView', view);
      return this.place(name, view, flags);
    });
  }

  private putParts(name: string, parts: readonly [number, number][]): number {
    const at = this.allocate(name, parts.length * PART_SIZE);
    parts.forEach(([from, length], i) => {
      this.slots.setWord(this.slot + at + i * PART_SIZE, from);
      this.slots.setWord(this.slot + at + i * PART_SIZE + 4, length);
    });
    return at;
  }

  private changeMessage(i: number, name: string, message: readonly unknown[], flags: number): void {
    const [at, length] = this.putMessage(name, message, flags);
    this.put(i, KIND_MESSAGE, flags, at, length);
    this.messagesAt = [at];
  }

  private changeMessages(i: number, name: string, list: readonly unknown[], flags: number): void {
    if (list.length > MESSAGES_MAX) throw outOfRange(`${name}.length`, `<= ${MESSAGES_MAX}`, list.length);
    const parts = list.map((message, n) => this.putMessage(`${name}[${n}]`, message, flags));
    this.put(i, KIND_MESSAGES, flags, this.putParts(name, parts), parts.length * PART_SIZE, parts.length);
    this.messagesAt = parts.map(([at]) => at);
  }

  /** Where it is, and how long with its list of buffers. */
  private putMessage(name: string, message: unknown, flags: number): [number, number] {
    const [address, buffers, control] = Array.isArray(message) ? message : [];
    if (!Array.isArray(buffers)) throw invalidType(name, 'a message', message);
    const place = (view: unknown): [number, number] =>
      ArrayBuffer.isView(view) ? this.place(name, view, flags) : [0, 0];
    const [addressPart, controlPart] = [place(address), place(control)];
    const parts = this.placeParts(name, buffers, flags);
    const size = MESSAGE_SIZE + parts.length * PART_SIZE;
    const at = this.allocate(name, size);
    const words = [...addressPart, ...controlPart, 0, parts.length, 0, 0, ...parts.flat()];
    words.forEach((word, n) => {
      this.slots.setWord(this.slot + at + n * 4, word);
    });
    return [at, size];
  }

  /** Where the messages of the present call lie, if a shim has changed them. */
  private messagesAt: readonly number[] = [];

  // ---------------------------------------------------------------- its return

  /** Whether what the kernel writes is where the program's answer is taken from. */
  get isInPlace(): boolean {
    return this.copies.length === 0;
  }

  /** What the kernel has written goes to the buffers of the call's arguments. */
  read(number: number, args: readonly unknown[]): void {
    for (const { to, at } of this.copies)
      to.set(this.slots.bytes.subarray(this.slot + at, this.slot + at + to.length));
    const changed = this.messagesAt;
    this.messagesAt = [];
    const i = rowOf(number)?.args.findIndex(({ format }) => /^messages?$/.test(format)) ?? -1;
    const value = args[i];
    if (i < 0 || !Array.isArray(value)) return;
    const at = this.slots.word(this.argumentAt(i) + ARGUMENT.at);
    const isOne = rowOf(number)?.args[i]?.format === 'message';
    const places =
      changed.length > 0
        ? changed
        : isOne
          ? [at]
          : this.messagePlaces(at, (this.slots.word(this.argumentAt(i)) >>> 16) & 0xffff);
    places.forEach((place, n) => {
      this.readHeader(place, isOne ? value : value[n]);
    });
  }

  /** What the kernel has said of a message goes to its header. */
  private readHeader(at: number, message: unknown): void {
    const view: unknown = Array.isArray(message) ? message[3] : undefined;
    if (!ArrayBuffer.isView(view) || this.part(at, MESSAGE_SIZE) === undefined) return;
    const header = viewBytes(view);
    if (header.length < HEADER_SIZE) return;
    header.writeInt32LE(this.slots.word(this.slot + at + MESSAGE.name + 4), HEADER.name);
    header.writeInt32LE(this.slots.word(this.slot + at + MESSAGE.control + 4), HEADER.control);
    header.writeInt32LE(this.slots.word(this.slot + at + MESSAGE.flags), HEADER.flags);
    header.writeInt32LE(this.slots.word(this.slot + at + MESSAGE.length), HEADER.length);
  }

  // ---------------------------------------------------------------- an answer

  /** Says what of the message's own buffers goes to the program with this reply. */
  answer(reply: number): void {
    const row = rowOf(this.number);
    for (let i = 0; i < ARGUMENTS; i++) {
      this.restore(i);
      const flags = this.flagsOf(i);
      if (this.kindOf(i) === KIND_MESSAGES) {
        this.giveMessages(i, flags, reply);
        continue;
      }
      if ((flags & FLAG_OUT) === 0) continue;
      const written = this.written(row, i, reply);
      if (written > 0) this.give(i, flags, written);
    }
  }

  /** How many bytes of an argument the program gets. */
  private written(row: Row | undefined, i: number, reply: number): number {
    const memory = row?.args[i]?.memory;
    if (reply < 0) return memory?.way === 'inout' ? Number.MAX_SAFE_INTEGER : 0;
    if (memory === undefined) return Number.MAX_SAFE_INTEGER;
    if (memory.by === 'buffers' || memory.by === 'message') return reply;
    return writtenBy(memory, this.args[i + 1], reply);
  }

  private give(i: number, flags: number, written: number): void {
    const argument = this.argumentAt(i);
    const value = this.args[i];
    this.setFlags(i, flags | FLAG_CHANGED);
    if (Array.isArray(value)) {
      const at = this.given[i * 3 + 1] as number;
      if (this.kindOf(i) === KIND_MESSAGE) this.giveMessage(at, value as Message, written);
      else this.giveParts(at, value as Buffer[], written);
    } else if (ArrayBuffer.isView(value)) {
      this.slots.setWord(argument + ARGUMENT.length, Math.min(value.byteLength, written));
    }
  }

  private giveParts(at: number, parts: readonly Buffer[], written: number): void {
    let left = written;
    parts.forEach(({ length }, i) => {
      this.slots.setWord(this.slot + at + i * PART_SIZE + 4, Math.min(length, left));
      left -= Math.min(length, left);
    });
  }

  /** Of several: how many bytes each has had, whichever way they went. */
  private giveMessages(i: number, flags: number, reply: number): void {
    const places = this.messagePlaces(this.given[i * 3 + 1] as number, (this.given[i * 3] as number) >>> 16);
    this.setFlags(i, flags | FLAG_CHANGED);
    const list = this.args[i] as (Message | null)[];
    list.slice(0, Math.max(0, reply)).forEach((message, n) => {
      const at = places[n] as number;
      if (message === null) return;
      const length = message[3].readInt32LE(HEADER.length);
      this.slots.setWord(this.slot + at + MESSAGE.length, length);
      if ((flags & FLAG_OUT) !== 0) this.giveMessage(at, message, length);
    });
  }

  private giveMessage(at: number, [address, buffers, control, header]: Message, written: number): void {
    const put = (field: number, value: number): void => this.slots.setWord(this.slot + at + field, value);
    if (address !== null) put(MESSAGE.name + 4, header.readInt32LE(HEADER.name));
    if (control !== null) put(MESSAGE.control + 4, header.readInt32LE(HEADER.control));
    put(MESSAGE.flags, header.readInt32LE(HEADER.flags));
    this.giveParts(at + MESSAGE_SIZE, buffers, written);
  }
}

/** Calls of which nothing comes back to their lwp. */
export const NO_RETURN: ReadonlySet<number> = new Set([c.SYS_exit, c.SYS_exit_group, c.SYS_rt_sigreturn]);
/** Calls after which, where they succeed, another program runs. */
export const BECOMES: ReadonlySet<number> = new Set([c.SYS_execve, c.SYS_execveat]);
