/**
 * preemption.ts: userthreads from which the CPU may be taken while they compute, by region. How it is taken is native (native/node/preempt/preempt.cc).
 *
 * Invariant: between native.preempt and native.preemptEnd a thread is in a region; its slice there is that of the innermost preemptible(), and 0 while it is
 * in a critical section. Nothing of that is on the path of a thread that never was in one.
 */

import { CodedError, invalidType, outOfRange, systemError, wouldBlock } from '../errors/errors.ts';
import { native } from '../node/native.ts';
import { orders } from '../rfork/self.ts';
import { curthread, thread0 } from '../thread/block.ts';
import type { UserThread } from '../thread/userthread.ts';

export interface PreemptibleOptions {
  /** How long it may compute before others have their turn, in milliseconds, 0.1 to 10,000; the rfork's if absent (setSlice). */
  slice?: number | undefined;
}

const SLICE_DEFAULT = 10;
const SLICE_MIN = 0.1;
const SLICE_MAX = 10_000;

let rforkSlice = orders?.slice ?? SLICE_DEFAULT;

export function checkSlice(name: string, slice: unknown): asserts slice is number {
  if (typeof slice !== 'number') throw invalidType(name, 'of type number', slice);
  if (!(slice >= SLICE_MIN && slice <= SLICE_MAX))
    throw outOfRange(name, `>= ${SLICE_MIN} and <= ${SLICE_MAX}`, slice);
}

/**
 * Sets this rfork's slice, in milliseconds, 0.1 to 10,000: how long a preemptible userthread computes before others have their turn, where it
 * does not say otherwise itself. 10 at first, or what new Rfork() has been given. Regions that have begun keep theirs. Returns what it was.
 * Throws TypeError and RangeError. Never blocks.
 */
export function setSlice(slice: number): number {
  checkSlice('slice', slice);
  const before = rforkSlice;
  rforkSlice = slice;
  return before;
}

let missing: string | undefined | null = null;

/** Throws ERR_LWKT_NO_PREEMPTION where this Node can't be preempted. */
export function requirePreemption(): void {
  if (missing === null) missing = native.preemptionMissing();
  if (missing !== undefined)
    throw new CodedError('ERR_LWKT_NO_PREEMPTION', `userthreads cannot be preempted here: ${missing}`);
}

/** The slice of td's innermost region as the native side is to have it. What td has computed already counts. */
function setRegion(td: UserThread): void {
  const errno = native.preempt(td.critical > 0 ? 0 : td.slice);
  if (errno !== 0) throw systemError(errno, 'preempt');
}

/** Runs fn in a region of td's, the running thread. slice has been checked. */
export function runPreemptible<R>(td: UserThread, fn: () => R, slice: number): R {
  const outer = td.slice;
  td.slice = slice;
  try {
    setRegion(td); // may be refused, or find the stack full
    if (outer === 0 && td.termination !== undefined) native.terminate(td.slot); // it has caught that error, and computes on
    return fn();
  } finally {
    td.slice = outer;
    if (outer > 0) setRegion(td);
    else td.preempted += native.preemptEnd();
  }
}

/** Whether td is in a preemptible region. */
export function isPreemptible(td: UserThread): boolean {
  return td.slice > 0;
}

/** The slice that options ask for. Throws TypeError, RangeError and ERR_LWKT_NO_PREEMPTION. */
export function sliceOf(options: PreemptibleOptions): number {
  requirePreemption();
  const { slice = rforkSlice } = options;
  checkSlice('options.slice', slice);
  return slice;
}

/**
 * Calls fn, and lets others have their turn while it computes: whenever it has run for a slice and somebody waits (a userthread, a timer, I/O, another
 * rfork), the event loop and all other userthreads go first. For the extent of the call, on the running userthread; what fn calls is
 * included. Returns what fn returns, throws what it throws; fn may wait, abort and nest such regions (the inner slice holds inside).
 *
 * Inside, JavaScript's promise that nothing else runs between two statements no longer holds: what fn shares with others needs a Token, a
 * Serializer, or uninterrupted(). Not interrupted are: builtins while they run (JSON.parse, sort without a comparator), a regular
 * expression while it matches, C++, Node's own JavaScript.
 *
 * Throws TypeError and RangeError, ERR_LWKT_WOULD_BLOCK on thread0 (the event loop can't be preempted), ERR_LWKT_NO_PREEMPTION where this Node has no symbol table.
 */
export function preemptible<R>(fn: () => R, options: PreemptibleOptions = {}): R {
  if (typeof fn !== 'function') throw invalidType('fn', 'of type function', fn);
  if (typeof options !== 'object' || options === null)
    throw invalidType('options', 'of type object', options);
  const slice = sliceOf(options);
  const td = curthread();
  if (td === thread0) throw wouldBlock('preemptible()');
  return runPreemptible(td, fn, slice);
}

/**
 * Calls fn as a critical section: the running userthread isn't preempted in it, whatever region it is in, or begins inside. It may still wait, and then others
 * run. Returns what fn returns, throws what it throws. On thread0, and on a userthread that isn't preemptible, it just calls fn. (crit_enter)
 */
export function uninterrupted<R>(fn: () => R): R {
  if (typeof fn !== 'function') throw invalidType('fn', 'of type function', fn);
  const td = curthread();
  td.critical++;
  try {
    if (td.critical === 1 && td.slice > 0) setRegion(td);
    return fn();
  } finally {
    td.critical--;
    if (td.critical === 0 && td.slice > 0) setRegion(td);
  }
}
