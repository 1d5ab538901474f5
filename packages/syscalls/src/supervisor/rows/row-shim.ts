/**
 * row-shim.ts: shims that can say in advance what becomes of calls, as rows (native/program/script/rows.h): a program's call that is decided by them does not come to the
 * supervisor. A shim says so by a method of this name; one that has none is asked about each call that it wants.
 */
import type { Shim } from '../../port/shim.ts';
import type { RowMemory } from './row-memory.ts';

/** shim[ROWS](memory) is what it has to say there. */
export const ROWS_OF: unique symbol = Symbol.for('libcr.rowsOf');

/** A row in memory. */
export interface RowAt {
  readonly at: number;
  /** It looks at paths. */
  readonly paths?: boolean;
  /** It has something to do when the call is over. */
  readonly leaves?: boolean;
}

/** What a shim has in one supervisor's memory. */
export interface ShimRows {
  /** What becomes of a call that the shim wants; undefined where it has to be asked. Comes again when anything has changed. */
  of(number: number): readonly RowAt[] | undefined;
  /** The memory is about to go: what was counted there is the shim's own again. */
  close(): void;
}

/**
 * shim[TRACE_OF]() is where programs may write their lines to, if they are all that the shim does: the path of a file, or a function that takes a line each time and answers
 * whether it wants more; undefined where it has to be asked.
 */
export const TRACE_OF: unique symbol = Symbol.for('libcr.traceOf');

export interface TraceShim extends Shim {
  [TRACE_OF](): string | ((line: string) => boolean) | undefined;
}

export interface RowShim extends Shim {
  /** changed: to be called when what of() answers is another. undefined: it is in another supervisor's memory. */
  [ROWS_OF](memory: RowMemory, changed: () => void): ShimRows | undefined;
}
