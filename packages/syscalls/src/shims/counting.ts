/**
 * counting.ts: what a rule has counted and drawn. While a supervisor has the rule as a row (supervisor/rows/) the numbers are in its memory, where programs count, too.
 *
 * Invariant: each number is in one place at a time, and nothing is lost when it moves.
 */
import { ROW_COUNTS, ROW_COUNTS_SIZE } from '../generated/channel.ts';
import type { RowMemory } from '../supervisor/rows/row-memory.ts';
import { drawn, Random, STEP } from './random.ts';

const RANGE = 2 ** 32;

export class Counting {
  private readonly seed: number;
  private readonly stream: number;
  private random: Random;
  private ownMatched = 0;
  private ownInjected = 0;
  private memory: RowMemory | undefined;
  private at = 0;

  constructor(seed: number, stream: number) {
    this.seed = seed;
    this.stream = stream;
    this.random = new Random(seed, stream);
  }

  /** Calls that have matched, and those that were struck. */
  get matched(): number {
    return this.memory === undefined ? this.ownMatched : this.read(ROW_COUNTS.matched);
  }

  get injected(): number {
    return this.memory === undefined ? this.ownInjected : this.read(ROW_COUNTS.injected);
  }

  /** Counts one that matches: which it is, from 1. */
  match(): number {
    return this.memory === undefined ? ++this.ownMatched : this.add(ROW_COUNTS.matched);
  }

  inject(): void {
    if (this.memory === undefined) this.ownInjected++;
    else this.add(ROW_COUNTS.injected);
  }

  /** From 0 up to 1, which it never is. */
  draw(): number {
    if (this.memory === undefined) return this.random.next();
    const before = Atomics.add(this.memory.words, (this.at + ROW_COUNTS.random) / 4, STEP);
    return drawn((before + STEP) >>> 0) / RANGE;
  }

  reset(): void {
    this.random = new Random(this.seed, this.stream);
    this.ownMatched = this.ownInjected = 0;
    if (this.memory !== undefined) this.put(this.memory);
  }

  /** Goes into a supervisor's memory: where; 0: it is in another's. */
  attach(memory: RowMemory): number {
    if (this.memory !== undefined) return this.memory === memory ? this.at : 0;
    this.at = memory.allocate(ROW_COUNTS_SIZE);
    this.put(memory);
    this.memory = memory;
    return this.at;
  }

  detach(): void {
    const { memory, matched, injected } = this;
    if (memory === undefined) return;
    this.random.state = memory.words[(this.at + ROW_COUNTS.random) / 4] as number;
    [this.ownMatched, this.ownInjected] = [matched, injected];
    this.memory = undefined;
  }

  private put(memory: RowMemory): void {
    memory.setLong(this.at + ROW_COUNTS.matched, this.ownMatched);
    memory.setLong(this.at + ROW_COUNTS.injected, this.ownInjected);
    memory.setWord(this.at + ROW_COUNTS.random, this.random.state);
  }

  private read(field: number): number {
    return Number(Atomics.load((this.memory as RowMemory).longs, (this.at + field) / 8));
  }

  private add(field: number): number {
    return Number(Atomics.add((this.memory as RowMemory).longs, (this.at + field) / 8, 1n)) + 1;
  }
}
