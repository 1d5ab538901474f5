/**
 * flights.ts: calls that rows measure and that are under way: how many there are of each, and what becomes of those whose process ends, or runs another program.
 *
 * Invariant: a flight is its lwp's while its process runs, and the supervisor's from when that has ended.
 */
import { ROW_FLIGHT, ROW_FLIGHT_SIZE, ROWS, ROWS_FLIGHTS } from '../../generated/channel.ts';
import { BECOMES } from '../arguments.ts';

/** A call has ended with its process; or with that program, as another runs now: it has succeeded. ns: how long it took. */
export type Ended = (succeeded: boolean, ns: number) => void;

export class Flights {
  private readonly words: Int32Array;
  private readonly longs: BigUint64Array;
  /** By row. */
  private readonly followed = new Map<number, { number: number; ended: Ended }>();
  /** In ns, as rows have it. */
  private readonly now: () => number;

  constructor(words: Int32Array, longs: BigUint64Array, now: () => number) {
    this.words = words;
    this.longs = longs;
    this.now = now;
  }

  /** number: of the row's call. */
  follow(row: number, number: number, ended: Ended): void {
    this.followed.set(row, { number, ended });
  }

  count(row: number): number {
    let count = 0;
    for (const at of this.taken()) if (this.words[at + ROW_FLIGHT.row / 4] === row) count++;
    return count;
  }

  /** becomes: it runs another program. */
  over(process: number, becomes: boolean): void {
    if (this.followed.size === 0) return;
    for (const at of this.taken()) {
      if (this.words[at] !== process) continue;
      const row = this.words[at + ROW_FLIGHT.row / 4] as number;
      const began = Number(Atomics.load(this.longs, at / 2 + ROW_FLIGHT.began / 8));
      Atomics.store(this.words, at + ROW_FLIGHT.row / 4, 0);
      Atomics.store(this.words, at, 0);
      const one = this.followed.get(row);
      one?.ended(becomes && BECOMES.has(one.number), Math.max(0, this.now() - began));
    }
  }

  /** Where those are that somebody has, among the words. */
  private *taken(): Iterable<number> {
    for (let i = 0; i < ROWS_FLIGHTS; i++) {
      const at = (ROWS.flights + i * ROW_FLIGHT_SIZE) / 4;
      if (this.words[at] !== 0) yield at;
    }
  }
}
