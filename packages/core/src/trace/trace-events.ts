/**
 * trace-events.ts: startTraceEvents(), what a program sees of tracing; and how the records of several rforks come together. (@libcr/syscalls/shims/trace is
 * something else: it prints system calls.)
 *
 * Invariants:
 *  - An rfork is traced at most once at a time: as the root, or following one. A root's `waiting` has every rfork that follows it and has not sent its record.
 *  - A follower sends its record once: when it is told to stop, when its root has ended, or when it exits.
 */
import { closeSync, openSync, writeSync } from 'node:fs';
import { CodedError, invalidType, outOfRange } from '../errors/errors.ts';
import { native } from '../node/native.ts';
import { deliver, onEnded, onKind } from '../rfork/messages.ts';
import { orders, self, type TraceOrders } from '../rfork/self.ts';
import * as wire from '../rfork/wire.ts';
import { chromeEvents, type TraceEvent } from './chrome.ts';
import { type Chunk, endSession, startSession } from './session.ts';

export interface TraceEventsOptions {
  /** Where the JSON is written when the trace ends; absent: nowhere, stop() has it. */
  file?: string | undefined;
  /** Events that are kept for each rfork, 16 to 16,777,216, of 64 bytes each; 65,536 if absent. */
  bufferSize?: number | undefined;
}

/** What the file has: Chrome's trace event format. */
export interface TraceEventsFile {
  traceEvents: TraceEvent[];
  displayTimeUnit: 'ns';
  otherData: {
    /** For each rfork: how many of its events are not here, as later ones needed their place. */
    lost: Record<string, number>;
    /** Rforks whose events are not here at all: they were terminated, or had not ended when the program exited. */
    missing: string[];
  };
}

const SIZE_MIN = 16;
const SIZE_MAX = 2 ** 24;
const SIZE_DEFAULT = 65_536;

/** What this rfork is traced for. */
let root: EventTrace | undefined;
let following: TraceOrders | undefined;

/** A trace under way. */
export class EventTrace {
  readonly #fd: number | undefined;
  readonly #bufferSize: number;
  readonly #chunks: Chunk[] = [];
  readonly #waiting: Set<number> = new Set();
  readonly #missing: string[] = [];
  #recording = true;
  #stopped: Promise<TraceEventsFile> | undefined;
  #file: TraceEventsFile | undefined;
  #allHere: (() => void) | undefined;

  /** @internal */
  constructor(fd: number | undefined, bufferSize: number) {
    this.#fd = fd;
    this.#bufferSize = bufferSize;
    process.on('exit', this.#onExit);
  }

  /**
   * Ends the trace on this rfork and on those that were started since, waits for what those have recorded, and writes the file. Each call answers the same:
   * what the file has. Rejects where it can't be written. On a userthread: wait(trace.stop()).
   */
  stop(): Promise<TraceEventsFile> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<TraceEventsFile> {
    this.#end();
    if (this.#waiting.size > 0) {
      native.hold(true);
      await new Promise<void>((resolve) => {
        this.#allHere = resolve;
      });
      native.hold(false);
    }
    return this.#finish();
  }

  /** stop(), without waiting for other rforks: those that still run are `missing`. */
  [Symbol.dispose](): void {
    this.#end();
    this.#finish();
  }

  /** stop(). */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  /** @internal For an rfork that is started now. */
  get orders(): TraceOrders | undefined {
    return this.#recording ? { root: self.id, bufferSize: this.#bufferSize } : undefined;
  }

  /** @internal An rfork is traced for this. */
  began(rfork: number): void {
    if (this.#file !== undefined) tellToStop(rfork);
    else {
      if (!this.#recording) tellToStop(rfork);
      this.#waiting.add(rfork);
    }
  }

  /** @internal */
  arrived(chunk: Chunk): void {
    if (this.#file === undefined) this.#chunks.push(chunk);
    this.#gone(chunk.rfork);
  }

  /** @internal */
  ended(rfork: number): void {
    if (!this.#waiting.has(rfork)) return;
    this.#missing.push(`rfork ${rfork}`);
    this.#gone(rfork);
  }

  #gone(rfork: number): void {
    this.#waiting.delete(rfork);
    if (this.#waiting.size === 0) this.#allHere?.();
  }

  /** On this rfork; the others are told. */
  #end(): void {
    if (!this.#recording) return;
    this.#recording = false;
    this.#chunks.push(endSession());
    for (const rfork of this.#waiting) tellToStop(rfork);
  }

  #finish(): TraceEventsFile {
    if (this.#file !== undefined) return this.#file;
    process.off('exit', this.#onExit);
    if (root === this) root = undefined;
    for (const rfork of this.#waiting) this.#missing.push(`rfork ${rfork}`);
    const lost = Object.fromEntries(this.#chunks.map((chunk) => [`rfork ${chunk.rfork}`, chunk.lost]));
    this.#file = {
      traceEvents: chromeEvents(this.#chunks),
      displayTimeUnit: 'ns',
      otherData: { lost, missing: this.#missing },
    };
    this.#chunks.length = 0;
    if (this.#fd !== undefined) writeFile(this.#fd, this.#file);
    return this.#file;
  }

  readonly #onExit = (): void => {
    try {
      deliver(false); // what rforks have sent that have ended
      this.#end();
      this.#finish();
    } catch (error) {
      // emitWarning() waits for the next tick, and none comes.
      const warning = new Error(`cannot write the trace events: ${(error as Error).message}`);
      process.emit('warning', Object.assign(warning, { name: 'Warning', code: 'LWKT_TRACE_EVENTS' }));
    }
  };
}

function tellToStop(rfork: number): void {
  native.send(rfork, wire.TRACE_STOP, 0, 0, 0, undefined);
}

/** One event a line, and never all of them as one string. */
function writeFile(fd: number, { traceEvents, ...rest }: TraceEventsFile): void {
  try {
    let text = '{"traceEvents":[\n';
    traceEvents.forEach((event, i) => {
      text += `${JSON.stringify(event)}${i === traceEvents.length - 1 ? '' : ','}\n`;
      if (text.length < 65_536) return;
      writeAll(fd, text);
      text = '';
    });
    writeAll(fd, `${text}],${JSON.stringify(rest).slice(1)}\n`);
  } finally {
    closeSync(fd);
  }
}

function writeAll(fd: number, text: string): void {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
}

/**
 * Begins to record when each userthread of this rfork runs, what it waits for, where messages go, and IPI messages; also of rforks that are started from now on.
 * The record is JSON in Chrome's trace event format, for https://ui.perfetto.dev. It is written by stop(), or when the program exits, whichever comes first;
 * a signal leaves an empty file. Throws what opening the file throws, TypeError and RangeError for bad arguments, ERR_LWKT_TRACING where this rfork is
 * traced already.
 */
export function startTraceEvents(options: TraceEventsOptions = {}): EventTrace {
  if (typeof options !== 'object' || options === null)
    throw invalidType('options', 'of type object', options);
  const { file, bufferSize = SIZE_DEFAULT } = options;
  if (file !== undefined && typeof file !== 'string')
    throw invalidType('options.file', 'of type string', file);
  if (typeof bufferSize !== 'number') throw invalidType('options.bufferSize', 'of type number', bufferSize);
  if (!Number.isInteger(bufferSize) || bufferSize < SIZE_MIN || bufferSize > SIZE_MAX)
    throw outOfRange('options.bufferSize', `an integer >= ${SIZE_MIN} and <= ${SIZE_MAX}`, bufferSize);
  // Before the file is opened: it may be the other trace's.
  if (root !== undefined || following !== undefined)
    throw new CodedError(
      'ERR_LWKT_TRACING',
      `rfork ${self.id} "${self.name}" is traced already: stop() that trace first`,
    );
  const fd = file === undefined ? undefined : openSync(file, 'w');
  try {
    startSession(bufferSize);
  } catch (error) {
    if (fd !== undefined) closeSync(fd);
    throw error;
  }
  root = new EventTrace(fd, bufferSize);
  return root;
}

/** What an rfork that is started now has to know; undefined: it is not traced. */
export function traceOrders(rfork: number): TraceOrders | undefined {
  const trace = root?.orders ?? following;
  if (trace?.root === self.id) root?.began(rfork);
  return trace;
}

function sendRecord(): void {
  if (following === undefined) return;
  const { root: to } = following;
  following = undefined;
  process.off('exit', sendRecord);
  const chunk = endSession();
  native.send(to, wire.TRACE_RECORD, 0, 0, 0, chunk, [chunk.events]);
}

/** In an rfork of new Rfork()'s: it is traced if the one that started it was. */
export function followTrace(): void {
  const trace = orders?.trace;
  if (trace === undefined || native.send(trace.root, wire.TRACE_BEGUN, 0, 0, 0, undefined) !== 0) return;
  startSession(trace.bufferSize);
  following = trace;
  process.on('exit', sendRecord);
}

onKind.set(wire.TRACE_STOP, sendRecord);
onKind.set(wire.TRACE_BEGUN, (from) => (root === undefined ? tellToStop(from) : root.began(from)));
onKind.set(wire.TRACE_RECORD, (_from, value) => root?.arrived(value as Chunk));
onEnded.add((rfork) => {
  root?.ended(rfork);
  if (following?.root === rfork) sendRecord();
});
