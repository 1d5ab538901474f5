/**
 * trace-format.ts: what is true of every trace that startTraceEvents() makes, checked. The checks are the test's own: nothing of src/trace/ is used.
 */
import { expect } from 'vitest';

export interface TraceEvent {
  name: string;
  ph: string;
  ts: number;
  pid: number;
  tid: number;
  cat?: string;
  dur?: number;
  id?: string;
  args?: Record<string, unknown>;
}

export interface Trace {
  traceEvents: TraceEvent[];
  otherData: { lost: Record<string, number>; missing: string[] };
}

/** Nanoseconds, as a double of microseconds rounds them. */
const ns = (us: number): number => Math.round(us * 1000);
const endOf = (e: TraceEvent): number => ns(e.ts) + ns(e.dur as number);
/** What rounding leaves: a double of 10^10 µs or more has no exact ns. */
const ROUNDING = 4;

function groupBy<K>(events: TraceEvent[], key: (event: TraceEvent) => K): TraceEvent[][] {
  const groups = new Map<K, TraceEvent[]>();
  for (const event of events) {
    const group = groups.get(key(event));
    if (group === undefined) groups.set(key(event), [event]);
    else group.push(event);
  }
  return [...groups.values()];
}

function expectInTurn(slices: TraceEvent[]): void {
  slices.forEach((slice, i) => {
    const before = slices[i - 1];
    if (before !== undefined) expect(ns(slice.ts)).toBeGreaterThanOrEqual(endOf(before) - ROUNDING);
  });
}

/** Each message's events, in their order. */
export function flowsOf({ traceEvents }: Trace): TraceEvent[][] {
  return groupBy(
    traceEvents.filter((e) => 'stf'.includes(e.ph)),
    (e) => e.id,
  );
}

/** The values of the metadata events of that name. */
export function named({ traceEvents }: Trace, what: string): unknown[] {
  return traceEvents.filter((e) => e.ph === 'M' && e.name === what).map((e) => e.args?.name);
}

/** Throws where something is not as it must be. lost: slices may be missing that flows would lie in. */
export function checkTrace(trace: Trace, { lost = false }: { lost?: boolean } = {}): void {
  const { traceEvents } = trace;
  for (const event of traceEvents) {
    expect('XstfiM'.includes(event.ph) && event.ph.length === 1).toBe(true);
    expect(typeof event.name).toBe('string');
    for (const field of [event.ts, event.pid, event.tid]) expect(Number.isFinite(field)).toBe(true);
    if (event.ph === 'X') expect(event.dur).toBeGreaterThanOrEqual(0);
    if (event.ph !== 'M' && Object.keys(trace.otherData).length > 0)
      expect(Math.floor(event.tid / 1_000_000)).toBe(event.pid);
  }
  const slices = traceEvents.filter((e) => e.ph === 'X').sort((a, b) => a.ts - b.ts || endOf(a) - endOf(b));
  for (const runs of groupBy(
    slices.filter((e) => e.cat === 'run'),
    (e) => e.pid,
  ))
    expectInTurn(runs);
  const threads = new Map(groupBy(slices, (e) => e.tid).map((list) => [list[0]?.tid, list]));
  for (const list of threads.values()) expectInTurn(list);
  for (const flow of flowsOf(trace)) {
    expect(flow.map((e) => e.ph).join('')).toMatch(/^st*f$/);
    for (const { tid, ts } of flow) {
      const within = threads
        .get(tid)
        ?.some((e) => e.cat === 'run' && ns(e.ts) <= ns(ts) + ROUNDING && ns(ts) <= endOf(e) + ROUNDING);
      if (!lost) expect(within).toBe(true);
    }
  }
}
