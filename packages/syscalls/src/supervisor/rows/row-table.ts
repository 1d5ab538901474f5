/**
 * row-table.ts: which of the shims before programs are asked, and what is done in the program by rows (row-shim.ts). The order of the shims is kept:
 *
 *   outer    shims that are rows for all of their calls, above all that are asked: gone through before the supervisor is asked
 *   middle   from the outermost that is asked to the innermost. A call for which all of these are rows is not asked about either
 *   inner    below those; not those that look at paths, which may have to be asked about: gone through when a shim has made a call, by next() or by itself
 *
 * Invariant: for each call either all shims are gone through as rows or by being asked, or the outer and inner ones are rows and the middle ones are asked (sl_rows).
 */
import {
  ROWS_ASK,
  ROWS_LEAVING,
  ROWS_LIST,
  ROWS_PATHS,
  WANTS_CALL,
  WANTS_ROWS,
  WANTS_TRACE,
} from '../../generated/channel.ts';
import { CALL_COUNT } from '../../port/calls.ts';
import { type Shim, wantsOf } from '../../port/shim.ts';
import { NoRoom, type RowMemory } from './row-memory.ts';
import { ROWS_OF, type RowAt, type RowShim, type ShimRows, TRACE_OF, type TraceShim } from './row-shim.ts';
import { TracePipe } from './trace-pipe.ts';

const NONE: ReadonlySet<Shim> = new Set();

/** A shim, with its rows by number; undefined: asked. */
interface Level {
  readonly shim: Shim;
  readonly wants: Uint8Array;
  readonly rows: readonly (readonly RowAt[] | undefined)[];
  /** All of its calls are rows; some look at paths. */
  readonly isRows: boolean;
  readonly paths: boolean;
}

interface Lists {
  readonly own: readonly RowAt[];
  readonly below: readonly RowAt[];
  readonly asks: boolean;
}

export class RowTable {
  /** The shims that are rows where sl_rows says so; and where it does not. */
  skipped: ReadonlySet<Shim> = NONE;
  always: ReadonlySet<Shim> = NONE;
  private readonly memory: RowMemory;
  private readonly changed: () => void;
  private readonly shims = new Map<Shim, ShimRows | undefined>();
  /** Of traces that are for a function. */
  private readonly pipes = new Map<Shim, TracePipe | undefined>();

  constructor(memory: RowMemory, changed: () => void) {
    this.memory = memory;
    this.changed = changed;
  }

  /** Has programs go by these shims from now on, the outermost first. Answers what they are to want: WANTS_ by number. */
  set(all: readonly Shim[]): Uint8Array {
    const traced = this.trace(all[0]);
    this.always = traced === undefined ? NONE : new Set(all.slice(0, 1));
    const wants = this.setRows(traced === undefined ? all : all.slice(1));
    this.skipped = new Set([...this.skipped, ...this.always]);
    return wants.map((want, number) => (traced?.[number] === 1 ? want | WANTS_TRACE : want));
  }

  /** Whether a program can't write the trace. */
  get isTraceRefused(): boolean {
    return this.always.size > 0 && this.memory.isTraceRefused;
  }

  /** Which calls programs trace: those of the outermost shim, if it is a trace to a file. */
  private trace(shim: Shim | undefined): Uint8Array | undefined {
    const file = this.traceFile(shim);
    const isOne = file !== undefined && !this.memory.isTraceRefused;
    this.memory.setTrace(isOne ? file : undefined, shim?.on === 'all');
    return isOne ? wantsOf(shim as Shim) : undefined;
  }

  private traceFile(shim: Shim | undefined): string | undefined {
    const to = (shim as Partial<TraceShim> | undefined)?.[TRACE_OF]?.();
    if (shim === undefined || typeof to !== 'function') return to as string | undefined;
    if (!this.pipes.has(shim)) {
      let more = true;
      const take = (line: string): void => {
        if (!more) return;
        more = to(line);
        if (!more) this.changed();
      };
      this.pipes.set(shim, TracePipe.make(take));
    }
    return this.pipes.get(shim)?.file;
  }

  /** What programs have written of their trace by now is where it belongs. */
  drain(): void {
    for (const pipe of this.pipes.values()) pipe?.drain();
  }

  private setRows(shims: readonly Shim[]): Uint8Array {
    const wanted = shims.map(wantsOf);
    const wants = new Uint8Array(CALL_COUNT).map((_, number) =>
      wanted.some((each) => each[number] === 1) ? WANTS_CALL : 0,
    );
    const asked = wants.slice();
    this.skipped = NONE;
    if (new Set(shims).size < shims.length) return wants; // one twice: each would have to count
    try {
      const levels = shims.map((shim) => this.levelOf(shim));
      const [first, last] = middleOf(levels);
      const lists = [...wants.keys()].map((number) =>
        wants[number] === 0 ? undefined : listsOf(levels, first, last, number),
      );
      if (lists.some((each) => each !== undefined && isLong(each))) return wants;
      const offsets = lists.map(
        (each) => each && { asks: each.asks, own: this.list(each.own), below: this.list(each.below) },
      );
      for (const [number, each] of offsets.entries()) {
        if (each === undefined || (each.asks && each.own === 0 && each.below === 0)) continue;
        this.memory.setCall(number, each.own | (each.asks ? ROWS_ASK : 0), each.below);
        wants[number] = each.asks || each.own !== 0 ? WANTS_ROWS | (each.asks ? WANTS_CALL : 0) : 0;
      }
      this.skipped = new Set([...shims.slice(0, first), ...shims.slice(last)]);
    } catch (error) {
      if (!(error instanceof NoRoom)) throw error;
      return asked;
    }
    return wants;
  }

  close(): void {
    for (const pipe of this.pipes.values()) pipe?.close();
    this.pipes.clear();
    for (const rows of this.shims.values()) rows?.close();
    this.shims.clear();
  }

  private list(rows: readonly RowAt[]): number {
    const flags = rows.some(({ paths }) => paths) ? ROWS_PATHS : 0;
    return this.memory.list(
      flags,
      rows.map(({ at }) => at),
    );
  }

  private levelOf(shim: Shim): Level {
    if (!this.shims.has(shim))
      this.shims.set(shim, (shim as Partial<RowShim>)[ROWS_OF]?.(this.memory, this.changed));
    const known = this.shims.get(shim);
    const wants = wantsOf(shim);
    const rows = Array.from({ length: CALL_COUNT }, (_, number) =>
      wants[number] === 1 ? known?.of(number) : undefined,
    );
    const isRows = rows.every((each, number) => wants[number] === 0 || each !== undefined);
    return { shim, wants, rows, isRows, paths: rows.some((each) => each?.some(({ paths }) => paths)) };
  }
}

/** Where the middle begins, and where it ends. */
function middleOf(levels: readonly Level[]): [first: number, last: number] {
  let first = 0;
  while (first < levels.length && levels[first]?.isRows) first++;
  let last = levels.length;
  while (last > first && levels[last - 1]?.isRows && !levels[last - 1]?.paths) last--;
  return [first, last];
}

function listsOf(levels: readonly Level[], first: number, last: number, number: number): Lists {
  const wanting = (from: number, to: number): Level[] =>
    levels.slice(from, to).filter(({ wants }) => wants[number] === 1);
  const rowsOf = (list: readonly Level[]): RowAt[] => list.flatMap(({ rows }) => rows[number] ?? []);
  const middle = wanting(first, last);
  const outer = rowsOf(wanting(0, first));
  const inner = rowsOf(wanting(last, levels.length));
  const asks = middle.some(({ rows }) => rows[number] === undefined);
  return { own: asks ? outer : [...outer, ...rowsOf(middle), ...inner], below: inner, asks };
}

function isLong({ own, below }: Lists): boolean {
  return [own, below].some(
    (list) => list.length > ROWS_LIST || list.filter(({ leaves }) => leaves).length > ROWS_LEAVING,
  );
}
