/**
 * fake-lwp.ts: a program's side of a supervisor's memory, in this process: for what no real program does at the time that a test wants. The real one is in
 * native/program/script/.
 */
import { writeSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import * as ch from '../src/generated/channel.ts';
import type { Desk } from '../src/supervisor/desk.ts';
import type { Supervisor } from '../src/supervisor/index.ts';

const PENDING = ch.CHANNEL.pending;

export type FakeArgument =
  | number
  | null
  | { path: string }
  | { in: string }
  | { out: number }
  | { inout: Buffer }
  | { parts: string[] }
  | { room: number[] }
  | { message: { name?: Buffer; parts?: string[]; room?: number[]; control?: number } };

/** What an lwp is told. */
export interface Told {
  command: 'pass' | 'done' | 'call';
  number: number;
  args: number[];
  result: number;
}

const COMMANDS = ['pass', 'done', 'call'] as const;

export class FakeLwp {
  readonly pid: number;
  readonly tid: number;
  slot = -1;
  private readonly desk: Desk;
  private readonly bell: number;
  private room = 0;
  private at = 0;

  constructor(supervisor: Supervisor, pid: number, tid: number = pid) {
    this.desk = (supervisor as unknown as { desk: Desk }).desk;
    this.bell = supervisor.descriptors[1];
    this.pid = pid;
    this.tid = tid;
  }

  private get slots() {
    return this.desk.slots;
  }

  private take(event: number): void {
    const { slots } = this;
    for (this.slot = 0; ; this.slot++) {
      if (this.slot === ch.SLOTS) throw new Error('all slots are taken');
      if (slots.owner(this.slot) !== 0) continue;
      slots.setWord(ch.CHANNEL.owners + 4 * this.slot, this.pid);
      break;
    }
    this.at = slots.at(this.slot);
    slots.bytes.fill(0, this.at, this.at + ch.SLOT_DATA);
    slots.setWord(this.at + ch.SLOT.state, 1);
    slots.setWord(this.at + ch.SLOT.pid, this.pid);
    slots.setWord(this.at + ch.SLOT.tid, this.tid);
    slots.setWord(this.at + ch.SLOT.ownPid, this.pid);
    slots.setWord(this.at + ch.SLOT.process, this.pid);
    slots.setWord(this.at + ch.SLOT.event, event);
    slots.bytes.write('fake\0', this.at + ch.SLOT.name);
    this.room = ch.SLOT_DATA;
  }

  private data(bytes: Buffer | number): [number, number] {
    const length = typeof bytes === 'number' ? bytes : bytes.length;
    const at = this.room;
    if (typeof bytes !== 'number') this.slots.bytes.set(bytes, this.at + at);
    this.room = (at + length + 7) & ~7;
    return [at, length];
  }

  private words(values: number[]): number {
    const [at] = this.data(values.length * 4);
    values.forEach((value, i) => {
      this.slots.setWord(this.at + at + i * 4, value);
    });
    return at;
  }

  private argument(i: number, kind: number, flags: number, at: number, length: number, parts = 0): void {
    const where = this.at + ch.SLOT.arguments + i * ch.ARGUMENT_SIZE;
    this.slots.setWord(where, kind | (flags << 8) | (parts << 16));
    this.slots.setWord(where + 4, at);
    this.slots.setWord(where + 8, length);
  }

  private stage(i: number, value: FakeArgument): void {
    if (typeof value === 'number') {
      this.slots.setLong(this.at + ch.SLOT.args + i * 8, value);
      return;
    }
    if (value === null) this.argument(i, ch.KIND_NULL, 0, 0, 0);
    else if ('path' in value)
      this.argument(i, ch.KIND_PATH, ch.FLAG_IN, ...this.data(Buffer.from(value.path)));
    else if ('in' in value) this.argument(i, ch.KIND_BUFFER, ch.FLAG_IN, ...this.data(Buffer.from(value.in)));
    else if ('out' in value) this.argument(i, ch.KIND_BUFFER, ch.FLAG_OUT, ...this.data(value.out));
    else if ('inout' in value)
      this.argument(i, ch.KIND_BUFFER, ch.FLAG_IN | ch.FLAG_OUT, ...this.data(value.inout));
    else if ('parts' in value || 'room' in value) {
      const list =
        'parts' in value
          ? value.parts.map((text) => this.data(Buffer.from(text)))
          : value.room.map((n) => this.data(n));
      const flags = 'parts' in value ? ch.FLAG_IN : ch.FLAG_OUT;
      this.argument(i, ch.KIND_BUFFERS, flags, this.words(list.flat()), list.length * 8, list.length);
    } else {
      const { name, parts, room, control } = value.message;
      const list = (parts ?? []).map((text) => this.data(Buffer.from(text)));
      list.push(...(room ?? []).map((n) => this.data(n)));
      const words = [
        name ? this.data(name) : [0, 0],
        control ? this.data(control) : [0, 0],
        0,
        list.length,
        0,
        0,
        ...list,
      ];
      this.argument(i, ch.KIND_MESSAGE, parts ? ch.FLAG_IN : ch.FLAG_OUT, this.words(words.flat()), 0);
    }
  }

  private async posted(): Promise<Told> {
    const { slots, at } = this;
    slots.setWord(at + ch.SLOT.used, this.room);
    slots.setWord(at + ch.SLOT.state, ch.SLOT_ASLEEP);
    this.ring();
    while (slots.word(at + ch.SLOT.state) !== 4) await setImmediate();
    slots.setWord(at + ch.SLOT.state, 1);
    const told: Told = {
      command: COMMANDS[slots.word(at + ch.SLOT.command)] as Told['command'],
      number: Number(slots.long(at + ch.SLOT.number)),
      args: Array.from({ length: 6 }, (_, i) => Number(slots.long(at + ch.SLOT.args + i * 8))),
      result: Number(slots.long(at + ch.SLOT.result)),
    };
    if (told.command !== 'call') this.free();
    return told;
  }

  /** Somebody has taken a slot, and was killed before he could say anything there. */
  static takeAndDie(supervisor: Supervisor, slot: number, pid: number): void {
    const { slots } = (supervisor as unknown as { desk: Desk }).desk;
    slots.setWord(ch.CHANNEL.owners + 4 * slot, pid);
  }

  ring(): void {
    const word = PENDING + (this.slot >> 5) * 4;
    this.slots.setWord(word, this.slots.word(word) | (1 << (this.slot & 31)));
    const one = Buffer.alloc(8);
    one.writeBigUInt64LE(1n);
    writeSync(this.bell, one);
  }

  free(): void {
    this.slots.setWord(this.at + ch.SLOT.pid, 0);
    this.slots.setWord(this.at + ch.SLOT.state, 0);
    this.slots.setWord(ch.CHANNEL.owners + 4 * this.slot, 0);
  }

  begin(program: string, event: number = ch.EVENT_BEGIN, parent: number = 0): Promise<Told> {
    this.take(event);
    this.slots.setWord(this.at + ch.SLOT.parent, parent);
    this.stage(0, { path: program });
    return this.posted();
  }

  call(number: number, ...args: FakeArgument[]): Promise<Told> {
    this.take(ch.EVENT_CALL);
    this.slots.setLong(this.at + ch.SLOT.number, number);
    this.slots.setWord(this.at + ch.SLOT.nargs, 6);
    args.forEach((value, i) => {
      this.stage(i, value);
    });
    return this.posted();
  }

  /** The call has been made. written: into the argument's bytes. */
  returns(result: number, written: Record<number, string> = {}): Promise<Told> {
    for (const [i, text] of Object.entries(written)) this.bytes(Number(i)).write(text);
    this.slots.setWord(this.at + ch.SLOT.event, ch.EVENT_RETURN);
    this.slots.setLong(this.at + ch.SLOT.result, result);
    return this.posted();
  }

  cancel(): void {
    this.slots.setWord(this.at + ch.SLOT.cancel, 1);
    this.ring();
  }

  /** An argument's bytes, as they are in the slot now, and its flags. */
  bytes(i: number): Buffer {
    const where = this.at + ch.SLOT.arguments + i * ch.ARGUMENT_SIZE;
    const from = this.at + this.slots.word(where + 4);
    return this.slots.bytes.subarray(from, from + this.slots.word(where + 8));
  }

  isChanged(i: number): boolean {
    const where = this.at + ch.SLOT.arguments + i * ch.ARGUMENT_SIZE;
    return ((this.slots.word(where) >> 8) & ch.FLAG_CHANGED) !== 0;
  }

  /** The parts of an argument of buffers. */
  parts(i: number): string[] {
    const where = this.at + ch.SLOT.arguments + i * ch.ARGUMENT_SIZE;
    const [count, at] = [this.slots.word(where) >>> 16, this.at + this.slots.word(where + 4)];
    return Array.from({ length: count }, (_, n) => {
      const from = this.at + this.slots.word(at + n * 8);
      return this.slots.bytes.toString('utf8', from, from + this.slots.word(at + n * 8 + 4));
    });
  }
}

/** How many slots are taken. */
export function usedSlots(supervisor: Supervisor): number {
  return [...(supervisor as unknown as { desk: Desk }).desk.slots.used()].length;
}
