/**
 * limit.ts: how many real-time signals may be pending for threads: as many as the kernel has for the process (RLIMIT_SIGPENDING).
 *
 * Invariant: `queued` is how many are.
 */
import { readFileSync } from 'node:fs';
import { SIGRTMIN } from './names.ts';

let queued = 0;
let limit = -1;

function limitOfQueued(): number {
  if (limit < 0) {
    const line = /^Max pending signals\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'));
    limit = line === null ? Number.POSITIVE_INFINITY : Number(line[1]);
  }
  return limit;
}

/** One more is to be queued; false: there are too many. */
export function mayQueue(signo: number): boolean {
  if (signo < SIGRTMIN) return true;
  if (queued >= limitOfQueued()) return false;
  queued++;
  return true;
}

/** So many are queued no more. */
export function unqueued(signo: number, count: number): void {
  if (signo >= SIGRTMIN) queued -= count;
}
