/** rows.ts: faults as rows in a program (supervisor/rows/): all but what a function decides, and cuts of what is no plain buffer. */
import { ROW_FAULT, ROW_FAULT_SIZE, ROW_IS_FAULT } from '../../generated/channel.ts';
import { rowOf } from '../../port/calls.ts';
import { aboutOf } from '../../supervisor/rows/about.ts';
import { headOf, mayBeAbout } from '../../supervisor/rows/matching.ts';
import type { RowMemory } from '../../supervisor/rows/row-memory.ts';
import type { RowAt, ShimRows } from '../../supervisor/rows/row-shim.ts';
import type { Fault } from './rule.ts';
import { canShorten } from './shorten.ts';

const EVER = 2 ** 32;
const NS = 1e6;
const NEVER_OUT = 2n ** 64n - 1n;

export class FaultRows implements ShimRows {
  private readonly faults: readonly Fault[];
  /** A row for each; undefined: it has to be asked. */
  private readonly rows: readonly (RowAt | undefined)[];

  /** undefined where another supervisor has them. */
  static in(memory: RowMemory, faults: readonly Fault[]): FaultRows | undefined {
    const all = faults.map(({ counting }) => counting.attach(memory));
    return all.includes(0) ? undefined : new FaultRows(memory, faults, all);
  }

  private constructor(memory: RowMemory, faults: readonly Fault[], counts: readonly number[]) {
    this.faults = faults;
    const shim = memory.newShim();
    this.rows = faults.map((fault, i) => {
      const head = headOf(memory, fault.rule);
      if (head === undefined) return undefined;
      const { nth = 0, after = 0, every = 1, times, probability = 1, short = 0, delay = 0 } = fault.rule;
      const at = memory.row(ROW_FAULT_SIZE, { kind: ROW_IS_FAULT, shim, ...head });
      memory.setLong(at + ROW_FAULT.nth, nth);
      memory.setLong(at + ROW_FAULT.after, after);
      memory.setLong(at + ROW_FAULT.every, every);
      memory.setLong(at + ROW_FAULT.times, times ?? NEVER_OUT);
      memory.setLong(at + ROW_FAULT.chance, Math.ceil(probability * EVER));
      memory.setLong(at + ROW_FAULT.delay, Math.round(delay * NS));
      memory.setWord(at + ROW_FAULT.errno, fault.errno ?? 0);
      memory.setWord(at + ROW_FAULT.short, Math.min(Math.floor(short), EVER - 1));
      memory.setWord(at + ROW_FAULT.counts, counts[i] as number);
      return { at, paths: fault.rule.path !== undefined, leaves: fault.errno !== undefined };
    });
  }

  of(number: number): readonly RowAt[] | undefined {
    const list: RowAt[] = [];
    for (const [i, { matcher, rule }] of this.faults.entries()) {
      if (matcher.wants[number] !== 1) continue;
      const may = mayBeAbout(rule, number);
      if (may === 'never') continue;
      const row = this.rows[i];
      if (row === undefined || may === 'unknown' || this.cuts(number, rule.short)) return undefined;
      list.push(row);
    }
    return list;
  }

  /** What a row can't cut. */
  private cuts(number: number, short: number | undefined): boolean {
    const name = rowOf(number)?.name;
    if (short === undefined || name === undefined || !canShorten(name)) return false;
    return short < 1 || aboutOf(number).size < 0;
  }

  close(): void {
    for (const { counting } of this.faults) counting.detach();
  }
}
