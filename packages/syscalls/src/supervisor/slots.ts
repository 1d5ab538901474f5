/**
 * slots.ts: the memory that programs share with their supervisor, read and written: a slot's words, its bytes, and the calls that are wanted.
 *
 * Not here: what a call's arguments are (arguments.ts), and who waits for whom (native/node/supervisor.c).
 *
 * Invariant: nothing that a program may have written there leads out of its slot.
 */

import {
  CALLS,
  CHANNEL,
  NAME_SIZE,
  SLOT,
  SLOT_DATA,
  SLOT_SIZE,
  SLOTS,
  SLOTS_AT,
} from '../generated/channel.ts';
import { CALL_COUNT } from '../port/calls.ts';

const TWO_32 = 2 ** 32;

/** A number of 64 bits: as a number where that is exact. */
function join(low: number, high: number): number | bigint {
  const value = high * TWO_32 + (low >>> 0);
  return Number.isSafeInteger(value) ? value : (BigInt(high) << 32n) | BigInt(low >>> 0);
}

export class Slots {
  readonly memory: ArrayBuffer;
  readonly bytes: Buffer;
  private readonly words: Int32Array;

  constructor(memory: ArrayBuffer) {
    this.memory = memory;
    this.bytes = Buffer.from(memory);
    this.words = new Int32Array(memory);
  }

  /** Where a slot begins. */
  at(slot: number): number {
    return SLOTS_AT + slot * SLOT_SIZE;
  }

  word(at: number): number {
    return this.words[at >> 2] as number;
  }

  setWord(at: number, value: number): void {
    this.words[at >> 2] = value;
  }

  long(at: number): number | bigint {
    return join(this.words[at >> 2] as number, this.words[(at >> 2) + 1] as number);
  }

  setLong(at: number, value: number | bigint): void {
    if (typeof value === 'bigint') {
      this.words[at >> 2] = Number(BigInt.asIntN(32, value));
      this.words[(at >> 2) + 1] = Number(BigInt.asIntN(32, value >> 32n));
      return;
    }
    this.words[at >> 2] = value | 0; // modulo 2^32, whatever it is
    this.words[(at >> 2) + 1] = Math.floor(value / TWO_32) | 0;
  }

  /** A copy of words, and some of it back: a list, as a typed array costs more than what it holds here. */
  copyWords(at: number, bytes: number): number[] {
    const words: number[] = [];
    for (let i = at >> 2; i < (at + bytes) >> 2; i++) words.push(this.words[i] as number);
    return words;
  }

  putWords(at: number, words: readonly number[], from: number, to: number): void {
    for (let i = from; i < to; i++) this.words[(at >> 2) + i - from] = words[i] as number;
  }

  /** Bytes of a slot; undefined where they would lie outside of its data. */
  part(slotAt: number, from: number, length: number): Buffer | undefined {
    const [at, size] = [from >>> 0, length >>> 0];
    if (at < SLOT_DATA || at + size > SLOT_SIZE) return undefined;
    return this.bytes.subarray(slotAt + at, slotAt + at + size);
  }

  /** The lwp's name. */
  name(slotAt: number): string {
    const from = slotAt + SLOT.name;
    const end = this.bytes.indexOf(0, from);
    return this.bytes.toString('utf8', from, end < 0 ? from + NAME_SIZE : Math.min(end, from + NAME_SIZE));
  }

  /** The same undecoded. */
  nameWords(slotAt: number): number[] {
    return this.copyWords(slotAt + SLOT.name, NAME_SIZE);
  }

  isNamed(slotAt: number, words: readonly number[]): boolean {
    const at = (slotAt + SLOT.name) >> 2;
    for (let i = 0; i < NAME_SIZE >> 2; i++) if (this.words[at + i] !== words[i]) return false;
    return true;
  }

  setWanted(wants: Uint8Array): void {
    for (let i = 0; i < Math.min(CALL_COUNT, CALLS); i++) this.bytes[CHANNEL.wants + i] = wants[i] as number;
  }

  /** The process that has a slot: its pid; 0: nobody; -1: one in another namespace of pids. */
  owner(slot: number): number {
    return this.word(CHANNEL.owners + 4 * slot);
  }

  /** Those that are taken. */
  *used(): Iterable<number> {
    for (let slot = 0; slot < SLOTS; slot++) if (this.owner(slot) !== 0) yield slot;
  }
}
