/**
 * thread.ts: what a userthread has of signals: its mask, and what has been sent to it alone. Threads that have neither have no such object.
 *
 * Invariants:
 *  - A thread whose mask is not empty is in `masked` until it finishes.
 *  - pendingLow and pendingHigh have a signal exactly while its queue is not empty.
 */
import type { UserThread } from '@libcr/core';
import {
  type Inherited,
  isDaemon,
  setSignals,
  signalsOf,
  someThread,
  thread0,
  whenFinished,
} from '@libcr/core/internal';
import { unqueued } from './limit.ts';
import { SIGRTMIN } from './names.ts';
import type { SignalInfo } from './siginfo.ts';
import { highBit, inWords, lowBit } from './sigset.ts';

/** Threads that block something, or have. */
export const masked: Set<ThreadSignals> = new Set();
/** Those that have something pending. */
export const withPending: Set<ThreadSignals> = new Set();
/** Those in sigsuspend(), the one that is in it longest first. */
export const suspended: Set<ThreadSignals> = new Set();

let lookAgain: () => void;

/** Called by deliver.ts: what is done where a thread has begun, or ended, by which a signal may have somebody to take it. */
export function onThreads(look: () => void): void {
  lookAgain = look;
}

let forsaken: (info: SignalInfo, again: boolean) => void;

/** Called by deliver.ts: what is done with each signal that was pending for a thread which has finished (again), or that is ignored now. */
export function onForsaken(then: (info: SignalInfo, again: boolean) => void): void {
  forsaken = then;
}

/** The lowest signal of these words; 0: none. */
export function lowest(low: number, high: number): number {
  if (low !== 0) return 32 - Math.clz32(low & -low);
  return high === 0 ? 0 : 64 - Math.clz32(high & -high);
}

export class ThreadSignals implements Inherited {
  readonly td: UserThread;
  /** The mask. */
  low = 0;
  high = 0;
  pendingLow = 0;
  pendingHigh = 0;
  readonly #queues = new Map<number, SignalInfo[]>();
  /** Its innermost sigsuspend(). */
  suspension: { over: boolean } | undefined;
  /** When it has last blocked something, in ms. */
  blockedAt = 0;
  /** Its end will be noted. */
  watched = false;
  /** Who has called us looks for what is pending by itself. */
  looking = false;
  /** A userthread that was made for it runs its handlers. */
  hasStandIn = false;
  /** It was made for handlers: what they create does not inherit what is blocked for their time. */
  servant = false;

  constructor(td: UserThread) {
    this.td = td;
  }

  inherit(child: UserThread): Inherited | undefined {
    const { low, high } = this.servant ? stateOf(thread0) : this;
    if ((low | high) === 0) {
      lookAgain();
      return undefined;
    }
    const state = new ThreadSignals(child);
    setMask(state, low, high);
    return state;
  }

  blocks(signo: number): boolean {
    return inWords(this.low, this.high, signo);
  }

  /** Something is pending that it does not block. */
  get deliverable(): boolean {
    return (this.pendingLow & ~this.low) !== 0 || (this.pendingHigh & ~this.high) !== 0;
  }

  /** Queues it; false: it is a standard signal, and pending already. */
  add(info: SignalInfo): boolean {
    const { signo } = info;
    const queue = this.#queues.get(signo);
    if (queue === undefined) this.#queues.set(signo, [info]);
    else if (queue.length > 0 && signo < SIGRTMIN) return false;
    else queue.push(info);
    this.pendingLow |= lowBit(signo);
    this.pendingHigh |= highBit(signo);
    withPending.add(this);
    watch(this);
    return true;
  }

  /** The first of the lowest signal that is pending, and in these words. */
  take(low: number, high: number): SignalInfo | undefined {
    const signo = lowest(this.pendingLow & low, this.pendingHigh & high);
    if (signo === 0) return undefined;
    const queue = this.#queues.get(signo) as SignalInfo[];
    const info = queue.shift();
    if (queue.length === 0) this.#none(signo);
    unqueued(signo, 1);
    return info;
  }

  /** It is ignored from now on. */
  discard(signo: number): void {
    const infos = this.#queues.get(signo)?.splice(0) ?? [];
    unqueued(signo, infos.length);
    this.#none(signo);
    for (const info of infos) forsaken(info, false);
  }

  /** Its thread has finished: what is pending for it never comes. */
  forsake(): void {
    for (const [signo, queue] of this.#queues) {
      const infos = queue.splice(0);
      unqueued(signo, infos.length);
      this.#none(signo);
      for (const info of infos) forsaken(info, true);
    }
  }

  #none(signo: number): void {
    this.pendingLow &= ~lowBit(signo);
    this.pendingHigh &= ~highBit(signo);
    if ((this.pendingLow | this.pendingHigh) === 0) withPending.delete(this);
  }
}

/** td's; it has one from now on. */
export function stateOf(td: UserThread): ThreadSignals {
  const state = signalsOf(td) as ThreadSignals | undefined;
  if (state !== undefined) return state;
  const made = new ThreadSignals(td);
  setSignals(td, made);
  return made;
}

/** Sets the words, and no more. */
export function setMask(state: ThreadSignals, low: number, high: number): void {
  state.low = low;
  state.high = high;
  if ((low | high) === 0 || masked.has(state)) return;
  masked.add(state);
  watch(state);
}

/** Its end is noted. */
function watch(state: ThreadSignals): void {
  if (state.watched || state.td === thread0) return;
  state.watched = true;
  whenFinished(state.td, () => ended(state));
}

function ended(state: ThreadSignals): void {
  masked.delete(state);
  suspended.delete(state);
  state.forsake();
  lookAgain();
}

/** Whether td blocks it. */
export const blocks = (td: UserThread, signo: number): boolean =>
  (signalsOf(td) as ThreadSignals | undefined)?.blocks(signo) === true;

/**
 * Whether somebody here can take a signal that is for the process: a userthread that does not block it, but for daemons, which are servants. The event loop's own
 * stack is one of the threads where the action was set on it, or where there is no userthread.
 */
export function somebodyTakes(signo: number, setter: UserThread | undefined): boolean {
  let blocked = false;
  for (const state of masked) blocked ||= state.blocks(signo);
  if (!blocked) return true;
  const zero = !blocks(thread0, signo);
  if (zero && setter === thread0) return true;
  let others = false;
  const open = someThread((td) => {
    if (isDaemon(td)) return false;
    others = true;
    return !blocks(td, signo);
  });
  return open || (zero && !others);
}

setSignals(thread0, new ThreadSignals(thread0));
