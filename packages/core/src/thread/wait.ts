/**
 * wait.ts: where promises and userthreads meet, and plain sleeping.
 */

import { isError } from '../errors/brands.ts';
import { wouldBlock } from '../errors/errors.ts';
import { ownTimers } from '../node/own-timers.ts';
import { usersClock } from '../node/users-clock.ts';
import { blockUntil, checkMilliseconds, curthread, suspend, thread0, wake } from './block.ts';
import { addToStack, callersOf } from './stacks.ts';
import type { WaitOptions } from './userthread.ts';
import { describe } from './userthread.ts';

const shown = new WeakSet<object>();

/** Adds the waiter's own stack to a rejection reason, once: the reason's stack tells where it arose, not who waited. */
function addCallerStack(reason: unknown): void {
  if (!isError(reason) || shown.has(reason)) return;
  shown.add(reason);
  addToStack(reason, `    at wait (userthread ${describe(curthread())})\n${callersOf(wait) ?? ''}`);
}

type Settle = (value: unknown) => void;
type Then = (this: unknown, onFulfilled: Settle, onRejected: Settle) => unknown;

/** Whom a thenable settles, and whether that one has given up. */
interface Waiter {
  fulfil: Settle;
  reject: Settle;
  over: boolean;
}

const promiseThen: unknown = Promise.prototype.then;

/** The then of a thenable, read once: it may be a getter. For the language only objects and functions have one. */
function thenOf(value: unknown): Then | undefined {
  if ((typeof value !== 'object' || value === null) && typeof value !== 'function') return undefined;
  const { then } = value as { then?: unknown };
  return typeof then === 'function' ? (then as Then) : undefined;
}

/**
 * Settles the waiter as the thenable says, which is called here and now. Its first word counts; a throw is a
 * rejection unless it said something before.
 */
function follow(thenable: unknown, then: Then, waiter: Waiter): void {
  let settled = false;
  const once =
    (settle: Settle): Settle =>
    (value) => {
      if (settled) return;
      settled = true;
      settle(value);
    };
  const reject = once(waiter.reject);
  try {
    then.call(
      thenable,
      once((value) => resolve(value, waiter)),
      reject,
    );
  } catch (error) {
    reject(error);
  }
}

/** A thenable said that this is its value: it may be another one. */
function resolve(value: unknown, waiter: Waiter): void {
  let then: Then | undefined;
  try {
    then = thenOf(value);
  } catch (error) {
    waiter.reject(error);
    return;
  }
  if (then === undefined) waiter.fulfil(value);
  else if (then === promiseThen) follow(value, then, waiter);
  else {
    // In a later turn of the loop, not in a microtask: thenables without end (one that resolves to itself) must
    // not keep timers, signals and other threads from running.
    const turn = ownTimers.setImmediate(follow, value, then, waiter);
    // Somebody must still hear what is rejected after the wait was given up, but the process need not stay.
    if (waiter.over) turn.unref();
  }
}

/**
 * Waits for a promise (or any thenable) in blocking style: returns its value, or throws its reason with the caller's stack added. A value
 * that is no thenable is returned at once. Blocks the running userthread only; on thread0 it throws ERR_LWKT_WOULD_BLOCK (use
 * await there). options.timeout is in milliseconds, for all thenables that one resolves to together. Giving up
 * does not cancel what the promise stands for.
 */
export function wait<T>(promise: T, options?: WaitOptions): Awaited<T> {
  const then = thenOf(promise);
  if (then === undefined) return promise as Awaited<T>;
  const td = curthread();
  if (td === thread0) throw wouldBlock('wait()');
  let state = 0;
  let result: unknown;
  const fulfil = (value: unknown): void => {
    state = 1;
    result = value;
    wake(td);
  };
  const reject = (reason: unknown): void => {
    state = 2;
    result = reason;
    wake(td);
  };
  let waiter: Waiter | undefined;
  // A promise needs none of the care: it settles once, and never with another thenable.
  if (then === promiseThen) then.call(promise, fulfil, reject);
  else {
    waiter = { fulfil, reject, over: false };
    follow(promise, then, waiter);
  }
  try {
    // The plain case has a loop of its own: it is what thousands of threads stand in, and each frame counts (see suspend).
    if (options === undefined) while (state === 0) suspend('promise');
    else blockUntil('promise', () => state !== 0, options);
  } finally {
    if (waiter !== undefined) waiter.over = true;
  }
  if (state === 1) return result as Awaited<T>;
  addCallerStack(result);
  throw result;
}

/** Sleeps for ms milliseconds (0 to 2^31-1), at least; 0 waits for the loop's next turn of timers. Blocks the running userthread only. */
export function sleep(ms: number, options?: { signal?: AbortSignal | undefined }): void {
  checkMilliseconds('ms', ms);
  const td = curthread();
  if (td === thread0) throw wouldBlock('sleep()');
  let over = false;
  const { setTimeout, clearTimeout } = usersClock(); // the user's clock, which may be another when it is over
  const timer = setTimeout(() => {
    over = true;
    wake(td);
  }, ms);
  try {
    blockUntil(`sleep ${ms} ms`, () => over, options);
  } finally {
    clearTimeout(timer);
  }
}
