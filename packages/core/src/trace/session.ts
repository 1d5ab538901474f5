/**
 * session.ts: tracing on this rfork, from its start to the record of it, which can travel to another rfork. Who wants the record, and what becomes of it, is
 * in trace-events.ts; the form of the file in chrome.ts.
 */
import { CodedError } from '../errors/errors.ts';
import { native } from '../node/native.ts';
import { self } from '../rfork/self.ts';
import { userthreads } from '../thread/scheduler.ts';
import { installHooks, removeHooks } from './hooks.ts';

/** What one rfork has recorded: plain data, for structured clone. */
export interface Chunk {
  rfork: number;
  name: string;
  /** When it ended: CLOCK_MONOTONIC ns. */
  end: number;
  /** Events that made room for later ones. */
  lost: number;
  /** Of EVENT_SIZE bytes each. */
  events: ArrayBuffer;
  /** Wait reasons, by their number less one. */
  reasons: string[];
  /** Of those that had not finished at the end: the record's number, and the name, which the record cuts. */
  threads: [td: number, name: string][];
}

const EBUSY = 16;

/** Throws ERR_LWKT_TRACING where this rfork is traced already. */
export function startSession(bufferSize: number): void {
  const error = native.traceStart(bufferSize);
  if (error === EBUSY)
    throw new CodedError(
      'ERR_LWKT_TRACING',
      `rfork ${self.id} "${self.name}" is traced already: stop() that trace first`,
    );
  if (error !== 0) throw new RangeError(`no memory for ${bufferSize} trace events`);
  installHooks();
}

export function endSession(): Chunk {
  const end = Number(process.hrtime.bigint());
  const [events, lost] = native.traceRead();
  native.traceStop();
  const reasons = removeHooks();
  const threads = userthreads().map(({ slot, name }): [number, string] => [native.traceId(slot), name]);
  return { rfork: self.id, name: self.name, end, lost, events, reasons, threads };
}
