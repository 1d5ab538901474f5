/**
 * index.ts: the shim that counts system calls and measures how long they take, for Prometheus (text) and for programs (snapshot).
 *
 * Not here: percentiles. A histogram has counts by upper bounds, from which whoever reads it makes them.
 *
 * Invariant: what a call costs here is two looks at the clock and additions; nothing is allocated once each of its outcomes has been seen.
 */

import '../../index.ts'; // for the bundle: see tsup.config.ts
import { invalidType, outOfRange } from '@libcr/core/internal';
import { milliseconds } from '../../clock.ts';
import type { CallName } from '../../generated/rows.ts';
import { rowOf } from '../../port/calls.ts';
import { checkShim, type Shim } from '../../port/shim.ts';
import type { SysMsg } from '../../port/sysmsg.ts';
import { ROWS_OF, type RowShim } from '../../supervisor/rows/row-shim.ts';
import { checkKeys } from '../match.ts';
import { CallMetrics, type CallSnapshot } from './call-metrics.ts';
import { MetricsRows } from './rows.ts';
import { tableOf } from './table.ts';
import { format } from './text.ts';

export type { CallSnapshot } from './call-metrics.ts';

export interface MetricsOptions {
  /** The calls that are measured; 'all' if absent. */
  on?: readonly CallName[] | 'all' | undefined;
  /** Upper bounds of the histogram, in seconds: above 0, each above the one before; 100 at most. 15 from 1 microsecond to 10 seconds if absent. */
  buckets?: readonly number[] | undefined;
}

/** The shim, and what it has measured on all ports that it is on. Its methods block nothing and may be called from everywhere. */
export interface Metrics extends Shim {
  /** In Prometheus' text format, version 0.0.4: the body of what it asks for (Content-Type: text/plain; version=0.0.4). */
  text(): string;
  /** As a table for people, what took longest first: seconds and microseconds each, waiting included, how many calls, how many that failed. */
  table(): string;
  /** A copy of the figures, one entry for each call that has been made, by name. */
  snapshot(): CallSnapshot[];
  /** Forgets everything but the calls that are under way. */
  reset(): void;
}

const BUCKETS = [1e-6, 5e-6, 1e-5, 5e-5, 1e-4, 5e-4, 1e-3, 5e-3, 0.01, 0.05, 0.1, 0.5, 1, 5, 10];
const BUCKETS_MAX = 100;

function boundsOf(buckets: unknown): Float64Array {
  if (!Array.isArray(buckets)) throw invalidType('buckets', 'an array of seconds', buckets);
  if (buckets.length === 0 || buckets.length > BUCKETS_MAX)
    throw outOfRange('buckets.length', `>= 1 and <= ${BUCKETS_MAX}`, buckets.length);
  buckets.forEach((bound, i) => {
    if (typeof bound !== 'number') throw invalidType(`buckets[${i}]`, 'of type number', bound);
    const above = i === 0 ? 0 : buckets[i - 1];
    if (!(bound > above && bound < Infinity))
      throw outOfRange(`buckets[${i}]`, `finite and > ${above}`, bound);
  });
  return Float64Array.from(buckets);
}

/** Makes the shim. Throws TypeError or RangeError for options that make no sense. */
export function metrics(options: MetricsOptions = {}): Metrics {
  checkKeys('options', options, ['on', 'buckets']);
  const { on = 'all', buckets = BUCKETS } = options;
  const bounds = boundsOf(buckets);
  const calls: (CallMetrics | undefined)[] = [];

  const measured = (): CallMetrics[] =>
    calls
      .filter((call) => call !== undefined)
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .filter((call) => call.seen);

  const callOf = (number: number): CallMetrics => {
    let call = calls[number];
    if (call === undefined) {
      call = new CallMetrics(rowOf(number), bounds);
      calls[number] = call;
    }
    return call;
  };

  const shim: Metrics & RowShim = {
    name: 'metrics',
    on,
    shim: (next) => (msg: SysMsg) => {
      const call = callOf(msg.number);
      call.begun++;
      const begin = milliseconds();
      try {
        const reply = next(msg);
        call.ended(reply, (milliseconds() - begin) / 1000);
        return reply;
      } catch (error) {
        call.threw((milliseconds() - begin) / 1000);
        throw error;
      } finally {
        call.begun--;
      }
    },
    text: () => format(measured(), bounds),
    table: () => tableOf(measured()),
    snapshot: () => measured().map((call) => call.snapshot()),
    reset: () => {
      for (const call of calls) call?.reset();
    },
    [ROWS_OF]: (memory) => new MetricsRows(memory, bounds, callOf),
  };
  checkShim(shim);
  return shim;
}
