/**
 * row-memory.ts: the part of the channel's memory that rows lie in (native/program/script/rows.h): written once, piece by piece, and never given back before the supervisor
 * is closed.
 *
 * Invariant: a piece is a multiple of 8 from the part's beginning, and what a call's lists lead to is whole before the call has them.
 */
import {
  CHANNEL_ROWS_AT,
  CHANNEL_ROWS_SIZE,
  ROW,
  ROW_ABOUT,
  ROW_ABOUT_SIZE,
  ROWS,
  ROWS_FREE,
} from '../../generated/channel.ts';
import { CALL_COUNT } from '../../port/calls.ts';
import { aboutOf } from './about.ts';
import { Flights } from './flights.ts';

/** No piece is longer, or lies nearer to the end: rows.c. */
const PIECE_MAX = 65536;

/** What a row is about. */
export interface RowHead {
  kind: number;
  flags?: number;
  shim: number;
  /** A descriptor. */
  fd?: number | undefined;
  /** Of globs(), uids(). */
  globs?: number;
  uids?: number;
}

/** There is no room for more rows: the supervisor decides all calls. */
export class NoRoom extends Error {}

export class RowMemory {
  readonly view: DataView;
  /** 64-bit words of the part, for atomic operations; and 32-bit ones. */
  readonly longs: BigUint64Array;
  readonly words: Int32Array;
  readonly flights: Flights;
  private free = ROWS_FREE;
  private shims = 0;
  /** Lists that are there, by what they say. */
  private readonly lists = new Map<string, number>();

  /** now: ns, as rows measure them. */
  constructor(memory: ArrayBuffer, now: () => number) {
    this.view = new DataView(memory, CHANNEL_ROWS_AT, CHANNEL_ROWS_SIZE);
    this.longs = new BigUint64Array(memory, CHANNEL_ROWS_AT, CHANNEL_ROWS_SIZE / 8);
    this.words = new Int32Array(memory, CHANNEL_ROWS_AT, CHANNEL_ROWS_SIZE / 4);
    this.flights = new Flights(this.words, this.longs, now);
    for (let number = 0; number < CALL_COUNT; number++) this.putAbout(number);
  }

  /** A number that no other shim's rows have. */
  newShim(): number {
    if (++this.shims > 0xffff) throw new NoRoom();
    return this.shims;
  }

  /** Bytes that are 0. Throws NoRoom. */
  allocate(size: number): number {
    const at = this.free;
    if (size > PIECE_MAX || at + size > CHANNEL_ROWS_SIZE - PIECE_MAX) throw new NoRoom();
    this.free += Math.ceil(size / 8) * 8;
    return at;
  }

  setLong(at: number, value: number | bigint): void {
    this.view.setBigUint64(at, BigInt(value), true);
  }

  setWord(at: number, value: number): void {
    this.view.setUint32(at, value, true);
  }

  /** A row, of which the head is written. */
  row(size: number, { kind, flags = 0, shim, fd = -1, globs = 0, uids = 0 }: RowHead): number {
    const at = this.allocate(size);
    this.view.setUint8(at + ROW.kind, kind);
    this.view.setUint8(at + ROW.flags, flags);
    this.view.setUint16(at + ROW.shim, shim, true);
    this.view.setInt32(at + ROW.fd, fd, true);
    this.setWord(at + ROW.globs, globs);
    this.setWord(at + ROW.uids, uids);
    return at;
  }

  /** How many numbers, and they. */
  numbers(values: readonly number[]): number {
    return this.piece(`n${values}`, 4 + 4 * values.length, (at) =>
      [values.length, ...values].forEach((value, i) => {
        this.setWord(at + 4 * i, value);
      }),
    );
  }

  /** Globs as globs.ts has them. */
  globs(globs: readonly Uint8Array[]): number {
    return this.numbers(
      globs.map((bytes) =>
        this.piece(`g${bytes}`, bytes.length, (at) =>
          new Uint8Array(this.view.buffer, this.view.byteOffset + at, bytes.length).set(bytes),
        ),
      ),
    );
  }

  /** struct row_list. 0 for none. */
  list(flags: number, rows: readonly number[]): number {
    if (rows.length === 0) return 0;
    return this.piece(`l${flags},${rows}`, 8 + 4 * rows.length, (at) =>
      [flags, rows.length, ...rows].forEach((value, i) => {
        this.setWord(at + 4 * i, value);
      }),
    );
  }

  /** What becomes of a call, from now on. */
  setCall(number: number, own: number, below: number): void {
    Atomics.store(this.longs, ROWS.calls / 8 + number, BigInt(own) | (BigInt(below) << 32n));
  }

  /** The file that programs write their trace to; undefined: they write none. all: also what is no call. */
  setTrace(file: string | undefined, all: boolean): void {
    const bytes = file === undefined ? undefined : Buffer.from(`${file}\0`);
    const at =
      bytes &&
      this.piece(`t${file}`, bytes.length, (place) =>
        new Uint8Array(this.view.buffer, this.view.byteOffset + place, bytes.length).set(bytes),
      );
    this.setWord(ROWS.traceAll, all && at !== undefined ? 1 : 0);
    if (at !== undefined) this.setWord(ROWS.trace, at); // a program that has it open keeps it
  }

  get isTraceRefused(): boolean {
    return this.words[ROWS.traceRefused / 4] !== 0;
  }

  private piece(key: string, size: number, write: (at: number) => void): number {
    const known = this.lists.get(key);
    if (known !== undefined) return known;
    const at = this.allocate(size);
    write(at);
    this.lists.set(key, at);
    return at;
  }

  private putAbout(number: number): void {
    const at = ROWS.about + number * ROW_ABOUT_SIZE;
    const { fd, size, paths } = aboutOf(number);
    this.view.setInt8(at + ROW_ABOUT.fd, fd);
    this.view.setInt8(at + ROW_ABOUT.size, size);
    this.view.setUint8(at + ROW_ABOUT.npaths, paths?.length ?? 0);
    paths?.forEach(({ argument, dirfd }, i) => {
      this.view.setInt8(at + ROW_ABOUT.paths + i, argument);
      this.view.setInt8(at + ROW_ABOUT.dirfds + i, dirfd);
    });
  }
}
