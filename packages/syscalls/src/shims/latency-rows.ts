/** latency-rows.ts: delays as rows in a program (supervisor/rows/): those of one length, and uniform ones. */
import { ROW_AFTER, ROW_IS_LATENCY, ROW_LATENCY, ROW_LATENCY_SIZE } from '../generated/channel.ts';
import { headOf, mayBeAbout } from '../supervisor/rows/matching.ts';
import type { RowMemory } from '../supervisor/rows/row-memory.ts';
import type { RowAt, ShimRows } from '../supervisor/rows/row-shim.ts';
import type { Counting } from './counting.ts';
import type { LatencyRule } from './latency.ts';
import type { Matcher } from './match.ts';

/** A rule at work. */
export interface Delayed extends Matcher {
  readonly rule: LatencyRule;
  readonly counting: Counting;
  readonly draw: () => number;
  readonly before: boolean;
}

const NS = 1e6;

/** From how many milliseconds on, and how many more at random; undefined where that is no even distribution. */
function rangeOf({ ms }: LatencyRule): readonly [number, number] | undefined {
  if (typeof ms === 'number') return [ms, 0];
  return 'uniform' in ms ? [ms.uniform[0], ms.uniform[1] - ms.uniform[0]] : undefined;
}

export class LatencyRows implements ShimRows {
  private readonly rules: readonly Delayed[];
  private readonly rows: readonly (RowAt | undefined)[];

  /** undefined where another supervisor has them. */
  static in(memory: RowMemory, rules: readonly Delayed[]): LatencyRows | undefined {
    const all = rules.map(({ counting }) => counting.attach(memory));
    return all.includes(0) ? undefined : new LatencyRows(memory, rules, all);
  }

  private constructor(memory: RowMemory, rules: readonly Delayed[], counts: readonly number[]) {
    this.rules = rules;
    const shim = memory.newShim();
    this.rows = rules.map(({ rule, before }, i) => {
      const head = headOf(memory, rule);
      const range = rangeOf(rule);
      if (head === undefined || range === undefined) return undefined;
      const flags = before ? 0 : ROW_AFTER;
      const at = memory.row(ROW_LATENCY_SIZE, { kind: ROW_IS_LATENCY, flags, shim, ...head });
      memory.setLong(at + ROW_LATENCY.least, Math.round(range[0] * NS));
      memory.setLong(at + ROW_LATENCY.more, Math.round(range[1] * NS));
      memory.setWord(at + ROW_LATENCY.counts, counts[i] as number);
      return { at, paths: rule.path !== undefined, leaves: !before };
    });
  }

  of(number: number): readonly RowAt[] | undefined {
    const list: RowAt[] = [];
    for (const [i, { wants, rule }] of this.rules.entries()) {
      if (wants[number] !== 1) continue;
      const may = mayBeAbout(rule, number);
      if (may === 'never') continue;
      const row = this.rows[i];
      if (row === undefined || may === 'unknown') return undefined;
      list.push(row);
    }
    return list;
  }

  close(): void {
    for (const { counting } of this.rules) counting.detach();
  }
}
