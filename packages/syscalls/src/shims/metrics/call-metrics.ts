/** call-metrics.ts: what has been measured of one system call. */

import { describeErrno } from '../../failure.ts';
import type { Row } from '../../generated/rows.ts';

/** The figures of one call, as a program sees them. */
export interface CallSnapshot {
  call: string;
  /** How often it has ended; by its outcome: 'ok', an errno's name, or 'thrown' (an abort, or arguments that no call takes). */
  count: number;
  outcomes: Record<string, number>;
  /** Under way now. */
  inFlight: number;
  /** All together, waiting included. */
  seconds: number;
  /** How many took at most so many seconds: [upper bound, count], the last bound Infinity. Each has those before it, as in Prometheus. */
  buckets: [upTo: number, count: number][];
  /** What it has moved; absent for calls that move no data. */
  bytes?: number;
  /** Absent for calls that move no data. */
  direction?: 'read' | 'written';
}

/** What a reply counts: bytes, of these classes of calls; the calls below count something else. */
const READS = new Set(['read', 'recv', 'recvmsg']);
const WRITES = new Set(['write', 'send', 'sendmsg']);
const MESSAGES = new Set(['recvmmsg', 'sendmmsg']);

function directionOf(row: Row | undefined): 'read' | 'written' | undefined {
  if (row === undefined || MESSAGES.has(row.name)) return undefined;
  if (READS.has(row.block)) return 'read';
  return WRITES.has(row.block) ? 'written' : undefined;
}

/** What others have counted of the same call: programs, of theirs. */
export interface Measured {
  readonly inFlight: number;
  readonly bytes: number;
  readonly seconds: number;
  readonly succeeded: number;
  /** As CallMetrics' own. */
  durations(): number[];
  failures(): [errno: number, count: number][];
  clear(): void;
}

export class CallMetrics {
  readonly name: string;
  readonly direction: 'read' | 'written' | undefined;
  /** Here; elsewhere there may be more. */
  begun = 0;
  elsewhere: Measured | undefined;
  private ownBytes = 0;
  private ownSeconds = 0;
  /** By bound, not added up; the last is above all bounds. */
  private readonly durations: Float64Array;
  private readonly bounds: Float64Array;
  private succeeded = 0;
  private thrown = 0;
  /** By errno. */
  private readonly failures = new Map<number, number>();

  constructor(row: Row | undefined, bounds: Float64Array) {
    this.name = row?.name ?? 'unknown';
    this.direction = directionOf(row);
    this.bounds = bounds;
    this.durations = new Float64Array(bounds.length + 1);
  }

  ended(reply: number, seconds: number): void {
    this.took(seconds);
    if (reply < 0) {
      this.failures.set(-reply, (this.failures.get(-reply) ?? 0) + 1);
      return;
    }
    this.succeeded++;
    if (this.direction !== undefined) this.ownBytes += reply;
  }

  threw(seconds: number): void {
    this.took(seconds);
    this.thrown++;
  }

  private took(seconds: number): void {
    const { bounds } = this;
    let i = 0;
    while (i < bounds.length && seconds > (bounds[i] as number)) i++;
    (this.durations[i] as number)++;
    this.ownSeconds += seconds;
  }

  get inFlight(): number {
    return this.begun + (this.elsewhere?.inFlight ?? 0);
  }

  get bytes(): number {
    return this.ownBytes + (this.elsewhere?.bytes ?? 0);
  }

  get seconds(): number {
    return this.ownSeconds + (this.elsewhere?.seconds ?? 0);
  }

  /** By bound, not added up: all. */
  private get all(): number[] {
    const others = this.elsewhere?.durations();
    return Array.from(this.durations, (n, i) => n + (others?.[i] ?? 0));
  }

  /** Whether there is anything to be shown. */
  get seen(): boolean {
    return this.inFlight > 0 || this.count > 0;
  }

  get count(): number {
    return this.all.reduce((sum, n) => sum + n, 0);
  }

  /** [outcome, how often], 'ok' first. */
  get outcomes(): [string, number][] {
    const { elsewhere } = this;
    const list: [string, number][] = [['ok', this.succeeded + (elsewhere?.succeeded ?? 0)]];
    const failures = new Map(this.failures);
    for (const [errno, n] of elsewhere?.failures() ?? []) failures.set(errno, (failures.get(errno) ?? 0) + n);
    for (const [errno, n] of failures) list.push([describeErrno(errno)[0], n]);
    list.push(['thrown', this.thrown]);
    return list.filter(([, n]) => n > 0);
  }

  /** Added up, bound by bound. */
  get cumulative(): number[] {
    let sum = 0;
    return this.all.map((n) => {
      sum += n;
      return sum;
    });
  }

  snapshot(): CallSnapshot {
    const { name, count, outcomes, inFlight, seconds, cumulative, bytes, direction } = this;
    return {
      call: name,
      count,
      outcomes: Object.fromEntries(outcomes),
      inFlight,
      seconds,
      buckets: cumulative.map((n, i) => [this.bounds[i] ?? Infinity, n]),
      ...(direction === undefined ? {} : { bytes, direction }),
    };
  }

  reset(): void {
    this.ownBytes = this.ownSeconds = this.succeeded = this.thrown = 0;
    this.failures.clear();
    this.durations.fill(0);
    this.elsewhere?.clear();
  }

  /** What others have counted is its own from now on. */
  takeOver(): void {
    const { elsewhere } = this;
    if (elsewhere === undefined) return;
    this.ownBytes += elsewhere.bytes;
    this.ownSeconds += elsewhere.seconds;
    this.succeeded += elsewhere.succeeded;
    for (const [errno, n] of elsewhere.failures())
      this.failures.set(errno, (this.failures.get(errno) ?? 0) + n);
    elsewhere.durations().forEach((n, i) => {
      (this.durations[i] as number) += n;
    });
    this.elsewhere = undefined;
  }
}
