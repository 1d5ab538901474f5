/**
 * block.ts: the one way in which JavaScript on a userthread stops running, and the bookkeeping around it. Whatever blocks in this package
 * and in others ends here.
 *
 * Invariant: between beforeSwitch and afterSwitch only native code runs on this thread; curthread() is right whenever JavaScript runs.
 */

import { isAbortSignal } from '../errors/brands.ts';
import {
  abortError,
  cannotWait,
  exitingError,
  invalidType,
  outOfRange,
  timeoutError,
  wouldBlock,
} from '../errors/errors.ts';
import { exiting, isExiting } from '../node/exiting.ts';
import { BLOCK_OK, BLOCK_REFUSED, native, RUNNING } from '../node/native.ts';
import { usersClock } from '../node/users-clock.ts';
import { afterSwitch, beforeSwitch, type SwitchState } from '../state/async-context.ts';
import { domainsAreUsed, enterDomains, leaveDomains } from '../state/domains.ts';
import type { Hold } from '../token/lock.ts';
import { followSignal } from './abort-signal.ts';
import { hasAst, takeAst } from './ast.ts';
import type { Interruption } from './interruption.ts';
import { UserThread, type WaitOptions } from './userthread.ts';

/** The event loop's own stack. Never blocks. */
export const thread0: UserThread = new UserThread(0, 'thread0', undefined, 0);
thread0.running = 'running';

/** By slot: the threads that the native side knows. */
export const threads: (UserThread | undefined)[] = [];

// The native side says who runs, as a thread may be switched away from where no JavaScript of ours runs.
const { shared } = native;

/** The running userthread; thread0 on the event loop's own stack. Costs two loads. (DragonFly: curthread) */
export function curthread(): UserThread {
  const slot = shared[RUNNING] as number;
  return slot < 0 ? thread0 : (threads[slot] as UserThread);
}

/** The thread that the native side means by slot. */
export function threadAt(slot: number): UserThread | undefined {
  return threads[slot];
}

interface Tokens {
  letGo(td: UserThread): Hold[] | undefined;
  regain(td: UserThread, holds: Hold[]): void;
}

let tokens: Tokens;

/** Called once, by index.ts: breaks the circle between what blocks and what blocking lets go of. */
export function provideTokens(t: Tokens): void {
  tokens = t;
}

/** Before a switch. A thread that can't be switched out keeps what it holds: it could not wait for it. */
function letGo(td: UserThread): Hold[] | undefined {
  const refusal = native.refusal();
  if (refusal >= BLOCK_REFUSED) throw cannotWait(refusal);
  return tokens.letGo(td);
}

/** Takes what is to be thrown on the running thread: its abort before interruptions, of those the innermost. */
function takeAbort(td: UserThread): Error {
  const error = td.pendingAbort;
  if (error !== undefined) {
    td.pendingAbort = undefined;
    td.lastAbort = error;
    return error;
  }
  const due = td.interruptions as readonly Interruption[];
  const innermost = due.reduce((one, other) => (other.order > one.order ? other : one));
  uninterrupt(td, innermost);
  const made = innermost.error();
  td.lastInterruption = made;
  return made;
}

/** Whether error is what td has been interrupted by last (abort(), a deadline): where errors are caught that are not one's own, that one passes. */
export function isAbortOf(td: UserThread, error: unknown): boolean {
  return error !== undefined && (error === td.lastAbort || error === td.lastInterruption);
}

/** Whether td's next blocking call, or its present one, is to throw: throwIfAborted. */
export function isInterrupted(td: UserThread): boolean {
  return td.pendingAbort !== undefined || td.interruptions !== undefined;
}

/** Throws the AbortError if an abort of the running userthread is pending, or the error of an interruption. */
export function throwIfAborted(): void {
  const td = curthread();
  if (isInterrupted(td)) throw takeAbort(td);
}

/**
 * As abort(), for a part of what a thread does: its present blocking call, or else its next, throws the interruption's error. Who calls this
 * takes it back with uninterrupt when that part is over.
 */
export function interrupt(td: UserThread, interruption: Interruption): void {
  td.interruptions = [...(td.interruptions ?? []), interruption];
  wake(td);
}

/** If it hasn't been thrown yet, it won't be. Harmless otherwise. */
export function uninterrupt(td: UserThread, interruption: Interruption): void {
  if (td.interruptions === undefined) return;
  const rest = td.interruptions.filter((other) => other !== interruption);
  td.interruptions = rest.length === 0 ? undefined : rest;
}

/** beforeSwitch, where tokens have been let go of: if the switch is refused td has them again. */
function beforeSwitchWithout(td: UserThread, held: Hold[]): SwitchState {
  try {
    return beforeSwitch(td.scope);
  } catch (error) {
    tokens.regain(td, held);
    throw error;
  }
}

/**
 * Sleeps until wake(td). reason is what the thread is shown to wait for. Returns also for no reason at all: loop on a condition. Throws
 * ERR_LWKT_WOULD_BLOCK on thread0, and the AbortError where an abort is pending already. (tsleep)
 *
 * The frames from here to native code stay on the stack of every suspended thread, and it is pages that count: so there are few of them.
 */
export function suspend(reason: string): void {
  const td = curthread();
  if (td === thread0) throw wouldBlock(reason);
  // Before anything is changed: where V8 may terminate the thread, it may do so between any two lines.
  if (td.refusal !== 0) throw cannotWait(td.refusal);
  if (exiting && isExiting()) throw exitingError(reason);
  throwIfAborted();
  if (td.ast !== undefined && hasAst(td)) {
    takeAst(td);
    return;
  }
  const held = td.holds === undefined ? undefined : letGo(td);
  const saved = held === undefined ? beforeSwitch(td.scope) : beforeSwitchWithout(td, held);
  if (domainsAreUsed) leaveDomains(td);
  let result = BLOCK_OK;
  td.reason = reason;
  td.running = 'blocked';
  try {
    result = native.block();
  } finally {
    td.running = 'running';
    td.reason = undefined;
    afterSwitch(td.scope, saved);
    if (td.domains !== undefined) enterDomains(td);
  }
  if (held !== undefined) tokens.regain(td, held);
  if (result >= BLOCK_REFUSED) throw cannotWait(result);
  if (td.ast !== undefined && hasAst(td)) takeAst(td);
}

/** Sleeps until ready() says true, whatever is asked of the thread meanwhile: an abort, or an interruption, is thrown by its next wait. */
export function blockUninterruptibly(reason: string, ready: () => boolean): void {
  const td = curthread();
  while (!ready()) {
    const { pendingAbort, interruptions } = td;
    td.pendingAbort = undefined;
    td.interruptions = undefined;
    td.deaf++;
    try {
      suspend(reason);
    } finally {
      td.deaf--;
      td.pendingAbort ??= pendingAbort;
      if (interruptions !== undefined) td.interruptions = [...interruptions, ...(td.interruptions ?? [])];
    }
  }
}

/** Whether one of this rfork's userthreads that have not finished is such a one. */
export function someThread(test: (td: UserThread) => boolean): boolean {
  for (const td of threads) if (td !== undefined && test(td)) return true;
  return false;
}

/** Makes a blocked thread look at its condition again. Harmless at any time. */
export function wake(td: UserThread): void {
  if (td.slot >= 0) native.schedule(td.slot);
}

/** Lets the other runnable userthreads of this or a higher priority run first; on thread0 it throws ERR_LWKT_WOULD_BLOCK. (lwkt_yield) */
export function yieldNow(): void {
  const td = curthread();
  if (td === thread0) throw wouldBlock('yieldNow()');
  // Before anything is changed: where V8 may terminate the thread, it may do so between any two lines.
  if (td.refusal !== 0) throw cannotWait(td.refusal);
  if (exiting && isExiting()) throw exitingError('yieldNow()');
  throwIfAborted();
  const held = td.holds === undefined ? undefined : letGo(td);
  const saved = held === undefined ? beforeSwitch(td.scope) : beforeSwitchWithout(td, held);
  if (domainsAreUsed) leaveDomains(td);
  td.running = 'runnable';
  const result = native.yield();
  td.running = 'running';
  afterSwitch(td.scope, saved);
  if (td.domains !== undefined) enterDomains(td);
  if (held !== undefined) tokens.regain(td, held);
  if (result >= BLOCK_REFUSED) throw cannotWait(result);
  if (td.ast !== undefined && hasAst(td)) takeAst(td);
  throwIfAborted();
}

/** The longest timer that Node has, in milliseconds. */
export const TIMEOUT_MAX: number = 2 ** 31 - 1;

export function checkMilliseconds(name: string, ms: number): void {
  if (typeof ms !== 'number') throw invalidType(name, 'of type number', ms);
  if (!(ms >= 0 && ms <= TIMEOUT_MAX)) throw outOfRange(name, `>= 0 and <= ${TIMEOUT_MAX}`, ms);
}

/** Throws TypeError and RangeError. What blocks checks before it changes anything. */
export function checkWaitOptions(options: WaitOptions): void {
  if (typeof options !== 'object' || options === null)
    throw invalidType('options', 'of type object', options);
  if (options.signal !== undefined && !isAbortSignal(options.signal))
    throw invalidType('options.signal', 'an instance of AbortSignal', options.signal);
  if (options.timeout !== undefined) checkMilliseconds('options.timeout', options.timeout);
}

/**
 * Sleeps until ready() says true: called once before the first sleep and once after each wake(), never again after it said true, so it may
 * take what it finds. Throws on abort (in suspend, which is where a wait that isn't over goes on), signal and timeout.
 */
export function blockUntil(reason: string, ready: () => boolean, options?: WaitOptions): void {
  if (options === undefined) while (!ready()) suspend(reason);
  else blockUntilOr(reason, ready, options);
}

function blockUntilOr(reason: string, ready: () => boolean, options: WaitOptions): void {
  checkWaitOptions(options);
  const td = curthread();
  const { signal, timeout } = options;
  const { setTimeout, clearTimeout } = usersClock(); // the user's clock, which may be another when it is over
  let late = false;
  const timer =
    timeout === undefined
      ? undefined
      : setTimeout(() => {
          late = true;
          wake(td);
        }, timeout);
  const unfollow = signal === undefined || signal.aborted ? undefined : followSignal(signal, () => wake(td));
  try {
    for (;;) {
      if (ready()) return;
      if (signal?.aborted) throw abortError(signal.reason);
      if (late) throw timeoutError(reason, timeout as number);
      suspend(reason);
    }
  } finally {
    clearTimeout(timer);
    unfollow?.();
  }
}
