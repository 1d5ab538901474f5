/**
 * callbacks-in-turn.ts: one callback at a time. What node:fs tells comes from libuv, callback after callback, and between two of them Node does what the first
 * has left to do: its ticks, then its microtasks. Here several may be ready in the same tick.
 *
 * Invariant: callbacks are called in the order in which they have become ready, each in its own async context.
 */
import { nextTick } from '../../loop.ts';

/** What a callback has left to do may have left something itself: so many times all ticks and microtasks are gone through before the next one. */
const ROUNDS = 2;

/** A callback has been called, or is about to be, and what it leaves to do has not been done. */
let busy = false;
/** Those behind it, from `next` on. */
let waiting: (() => void)[] = [];
let next = 0;

function goOn(): void {
  const resolve = waiting[next++];
  if (resolve !== undefined) {
    resolve();
    return;
  }
  waiting = [];
  next = 0;
  busy = false;
}

function afterRound(left: number): void {
  if (left === 0 || next === waiting.length) goOn();
  else nextTick(endOfRound, left - 1);
}

/** Its microtask is behind those that are there. */
function endOfRound(left: number): void {
  Promise.resolve(left).then(afterRound);
}

function call<Args extends unknown[]>(callback: (...args: Args) => void, args: Args): void {
  try {
    callback(...args);
  } finally {
    endOfRound(ROUNDS - 1);
  }
}

/** Calls it in a tick of its own, so that what it throws is an uncaught exception and no rejection. */
export function callInTurn<Args extends unknown[]>(callback: (...args: Args) => void, ...args: Args): void {
  if (busy) {
    new Promise<void>((resolve) => waiting.push(resolve)).then(() => nextTick(call, callback, args));
    return;
  }
  busy = true;
  nextTick(call, callback, args);
}
