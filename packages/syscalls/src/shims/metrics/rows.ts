/**
 * rows.ts: measurements that programs make themselves (supervisor/rows/): counted in the supervisor's memory, and read from there.
 *
 * Invariant: what was counted there is in the CallMetrics that the shim has, while the memory is there and after.
 */
import {
  ROW_FIGURES,
  ROW_IS_METRICS,
  ROW_METRICS,
  ROW_METRICS_SIZE,
  ROWS_ERRORS,
  ROWS_RESTART,
  ROWS_RESTARTS,
} from '../../generated/channel.ts';
import type { Flights } from '../../supervisor/rows/flights.ts';
import type { RowMemory } from '../../supervisor/rows/row-memory.ts';
import type { RowAt, ShimRows } from '../../supervisor/rows/row-shim.ts';
import type { CallMetrics, Measured } from './call-metrics.ts';

const NS = 1e9;

/** The figures of one call, in memory. */
class Figures implements Measured {
  private readonly memory: RowMemory;
  private readonly at: number;
  private readonly row: number;
  private readonly nbounds: number;

  constructor(memory: RowMemory, at: number, row: number, nbounds: number) {
    this.memory = memory;
    this.at = at;
    this.row = row;
    this.nbounds = nbounds;
  }

  private long(place: number): number {
    return Number(Atomics.load(this.memory.longs, (this.at + place) / 8));
  }

  get succeeded(): number {
    return this.long(ROW_FIGURES.ok);
  }

  get bytes(): number {
    return this.long(ROW_FIGURES.bytes);
  }

  get seconds(): number {
    return this.long(ROW_FIGURES.ns) / NS;
  }

  get inFlight(): number {
    return this.memory.flights.count(this.row);
  }

  durations(): number[] {
    return Array.from({ length: this.nbounds + 1 }, (_, i) => this.long(ROW_FIGURES.took + 8 * i));
  }

  failures(): [errno: number, count: number][] {
    const list: [number, number][] = [];
    for (let cell = 0; cell < ROWS_ERRORS; cell++) {
      const count = this.long(ROW_FIGURES.errors + 8 * cell);
      const errno = cell < ROWS_RESTARTS ? cell : ROWS_RESTART + cell - ROWS_RESTARTS;
      if (count > 0) list.push([errno, count]);
    }
    return list;
  }

  clear(): void {
    for (let place = 0; place < figuresSize(this.nbounds); place += 8)
      Atomics.store(this.memory.longs, (this.at + place) / 8, 0n);
  }
}

const figuresSize = (nbounds: number): number => ROW_FIGURES.took + 8 * (nbounds + 1);

export class MetricsRows implements ShimRows {
  private readonly memory: RowMemory;
  private readonly shim: number;
  private readonly bounds: number;
  private readonly nbounds: number;
  private readonly callOf: (number: number) => CallMetrics;
  private readonly rows = new Map<number, RowAt>();
  private readonly calls: CallMetrics[] = [];

  constructor(memory: RowMemory, bounds: Float64Array, callOf: (number: number) => CallMetrics) {
    this.memory = memory;
    this.shim = memory.newShim();
    this.nbounds = bounds.length;
    this.callOf = callOf;
    this.bounds = memory.allocate(8 * bounds.length);
    bounds.forEach((bound, i) => {
      memory.setLong(this.bounds + 8 * i, Math.min(Math.round(bound * NS), Number.MAX_SAFE_INTEGER));
    });
  }

  of(number: number): readonly RowAt[] | undefined {
    const call = this.callOf(number);
    let row = this.rows.get(number);
    if (row === undefined) {
      if (call.elsewhere !== undefined) return undefined; // another supervisor's
      row = { at: this.row(number, call), leaves: true };
      this.rows.set(number, row);
    }
    return [row];
  }

  private row(number: number, call: CallMetrics): number {
    const { memory, shim, nbounds } = this;
    const figures = memory.allocate(figuresSize(nbounds));
    const at = memory.row(ROW_METRICS_SIZE, { kind: ROW_IS_METRICS, shim });
    memory.setWord(at + ROW_METRICS.bounds, this.bounds);
    memory.setWord(at + ROW_METRICS.nbounds, nbounds);
    memory.setWord(at + ROW_METRICS.figures, figures);
    memory.setWord(at + ROW_METRICS.moves, call.direction === undefined ? 0 : 1);
    call.elsewhere = new Figures(memory, figures, at, nbounds);
    this.calls.push(call);
    const flights: Flights = memory.flights;
    flights.follow(at, number, (succeeded, ns) => {
      if (succeeded) call.ended(0, ns / NS);
      else call.threw(ns / NS);
    });
    return at;
  }

  close(): void {
    for (const call of this.calls) call.takeOver();
  }
}
