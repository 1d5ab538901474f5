/**
 * chrome.ts: from records to Chrome's trace event format, which Perfetto and chrome://tracing show: JSON, times in microseconds. An rfork is a "process", a
 * userthread a "thread" of it. Pure: it neither starts nor stops anything.
 *
 * Invariants of what it makes:
 *  - Of the slices ('X') of one rfork with category "run" no two overlap; of one thread no two slices do.
 *  - A flow begins with one 's', ends with one 'f', and has 't' between; each lies in a slice of the thread that it names, unless that one was lost.
 */
import * as kinds from './kinds.ts';
import type { Chunk } from './session.ts';

/** One event of the format, in the fields that are used here. */
export interface TraceEvent {
  name: string;
  /** X: a slice; s, t, f: a flow; i: an instant; M: a name. */
  ph: 'X' | 's' | 't' | 'f' | 'i' | 'M';
  /** Microseconds, of CLOCK_MONOTONIC. */
  ts: number;
  /** The rfork's id. */
  pid: number;
  /** The rfork's id times 1,000,000, and the userthread's. */
  tid: number;
  cat?: string;
  dur?: number;
  id?: string;
  s?: 't';
  bp?: 'e';
  args?: Record<string, unknown>;
}

interface Event {
  time: number;
  td: number;
  number: number;
  kind: number;
  cpu: number;
  text: string;
}

const TIDS = 1_000_000;

function readEvents(chunk: Chunk): Event[] {
  const view = new DataView(chunk.events);
  const bytes = Buffer.from(chunk.events);
  const events: Event[] = [];
  for (let at = 0; at < bytes.length; at += kinds.EVENT_SIZE) {
    const end = bytes.indexOf(0, at + 32);
    events.push({
      time: Number(view.getBigUint64(at, true)),
      td: Number(view.getBigUint64(at + 8, true)),
      number: Number(view.getBigUint64(at + 16, true)),
      kind: view.getUint32(at + 24, true),
      cpu: view.getUint32(at + 28, true),
      text: bytes.toString('utf8', at + 32, end),
    });
  }
  return events.sort((a, b) => a.time - b.time); // messages have the time of before they were sent
}

/** A step of a message, to be made a flow when all are known. */
interface Step {
  kind: number;
  time: number;
  pid: number;
  tid: number;
}

interface Slice {
  since: number;
  name: string;
}

/** Follows one rfork's record. */
class Track {
  readonly #out: TraceEvent[];
  readonly #steps: Map<string, Step[]>;
  readonly #chunk: Chunk;
  readonly #names: Map<number, string> = new Map();
  readonly #waits: Map<number, Slice> = new Map();
  #running: { td: number; since: number } | undefined;

  constructor(chunk: Chunk, out: TraceEvent[], steps: Map<string, Step[]>) {
    this.#chunk = chunk;
    this.#out = out;
    this.#steps = steps;
    for (const [td, name] of chunk.threads) this.#names.set(td, name);
    this.#names.set(0, 'thread0');
  }

  follow(): void {
    for (const event of readEvents(this.#chunk)) this.#event(event);
    const { end } = this.#chunk;
    if (this.#running !== undefined) this.#stopped(this.#running.td, end, 'end of the trace');
    for (const [td, { since, name }] of this.#waits)
      this.#slice('wait', name, td, since, end, { unfinished: true });
    this.#meta('process_name', 0, `rfork ${this.#chunk.rfork} "${this.#chunk.name}"`);
    for (const [td, name] of this.#names) this.#meta('thread_name', td, td === 0 ? name : `#${td} ${name}`);
  }

  #event(event: Event): void {
    const { kind, td, time } = event;
    switch (kind) {
      case kinds.NAME:
        this.#names.set(td, event.text);
        break;
      case kinds.BEGIN:
        this.#names.set(td, event.text);
        this.#runs(td, time);
        break;
      case kinds.RUN:
        this.#runs(td, time);
        break;
      case kinds.LEAVE: {
        const reason = td === 0 ? 'userthreads run' : this.#reason(event);
        this.#stopped(td, time, reason);
        this.#waits.set(td, { since: time, name: reason });
        break;
      }
      case kinds.END:
        this.#names.set(td, event.text);
        this.#stopped(td, time, 'finished');
        break;
      case kinds.SLEEP:
        this.#sleeps(td, time, 'sleeps');
        break;
      case kinds.WAKE:
        this.#runs(td, time);
        break;
      case kinds.POLL:
        if (event.number === 1) this.#sleeps(td, time, 'event loop polls');
        else this.#runs(td, time);
        break;
      case kinds.IPI_SEND:
        this.#instant('ipi', 'IPI message sent', td, time, { to_cpu: event.cpu });
        break;
      case kinds.IPI_RUN:
        this.#instant('ipi', 'IPI message run', td, time, { from_cpu: event.cpu });
        break;
      case kinds.PREEMPTED:
        this.#instant('run', 'preempted', td, time, { count: event.number });
        break;
      default:
        if (kind in kinds.MESSAGE_STEPS) this.#step(event);
    }
  }

  #reason({ text, number }: Event): string {
    return this.#chunk.reasons[number - 1] ?? (text === '' ? 'runnable' : text);
  }

  #runs(td: number, time: number): void {
    const wait = this.#waits.get(td);
    if (wait !== undefined) this.#slice('wait', wait.name, td, wait.since, time);
    this.#waits.delete(td);
    this.#running ??= { td, since: time };
  }

  /** Where its beginning was lost there is nothing to show. */
  #stopped(td: number, time: number, stopped: string): void {
    if (this.#running?.td === td) this.#slice('run', 'run', td, this.#running.since, time, { stopped });
    this.#running = undefined;
  }

  #sleeps(td: number, time: number, name: string): void {
    this.#stopped(td, time, name);
    this.#waits.set(td, { since: time, name });
  }

  #step({ kind, cpu, number, time, td }: Event): void {
    const id = `${cpu}:${number}`;
    const step = { kind, time, pid: this.#chunk.rfork, tid: this.#tid(td) };
    const steps = this.#steps.get(id);
    if (steps === undefined) this.#steps.set(id, [step]);
    else steps.push(step);
  }

  #tid(td: number): number {
    return this.#chunk.rfork * TIDS + td;
  }

  #slice(
    cat: string,
    name: string,
    td: number,
    since: number,
    until: number,
    args?: Record<string, unknown>,
  ): void {
    const slice: TraceEvent = {
      name,
      cat,
      ph: 'X',
      ts: since / 1000,
      dur: (until - since) / 1000,
      pid: this.#chunk.rfork,
      tid: this.#tid(td),
    };
    if (args !== undefined) slice.args = args;
    this.#out.push(slice);
  }

  #instant(cat: string, name: string, td: number, time: number, args: Record<string, unknown>): void {
    const { rfork: pid } = this.#chunk;
    this.#out.push({ name, cat, ph: 'i', s: 't', ts: time / 1000, pid, tid: this.#tid(td), args });
  }

  #meta(name: string, td: number, value: string): void {
    const { rfork: pid } = this.#chunk;
    this.#out.push({ name, ph: 'M', ts: 0, pid, tid: this.#tid(td), args: { name: value } });
  }
}

/** A message of which only one step is known, as the others were lost or it never got further, is no flow. */
function flow(id: string, steps: Step[], out: TraceEvent[]): void {
  if (steps.length < 2) return;
  steps.sort((a, b) => a.time - b.time);
  steps.forEach(({ kind, time, pid, tid }, i) => {
    const ph = i === 0 ? 's' : i === steps.length - 1 ? 'f' : 't';
    const args = { step: kinds.MESSAGE_STEPS[kind] };
    out.push({
      name: 'message',
      cat: 'msg',
      ph,
      id,
      ts: time / 1000,
      pid,
      tid,
      ...(ph !== 's' && { bp: 'e' }),
      args,
    });
  });
}

/** All events of all records, in the order of their times. */
export function chromeEvents(chunks: readonly Chunk[]): TraceEvent[] {
  const out: TraceEvent[] = [];
  const steps = new Map<string, Step[]>();
  for (const chunk of chunks) new Track(chunk, out, steps).follow();
  for (const [id, list] of steps) flow(id, list, out);
  return out.sort((a, b) => a.ts - b.ts);
}
