/**
 * budget.ts: how long what completes at once may go on before the event loop has its turn. A chain of promises or callbacks whose system calls are all
 * made in place never leaves its microtasks, and a thread that reads what is there never waits: timers, signals and I/O would wait for their ends.
 *
 * Time is looked at once in so many calls, as the clock costs a good part of a call.
 *
 * Invariant: what has completed on the event loop is told in the order in which it has completed, and at most one way to the loop is under way.
 */
import { curthread, type UserThread, yieldNow } from '@libcr/core';
import { isAbortOf, thread0 } from '@libcr/core/internal';
import { milliseconds } from '../clock.ts';
import { queueMicrotask, setImmediate } from '../loop.ts';

/** Milliseconds that completions go on for: timers of a millisecond come in time, and a turn of the loop costs a hundredth of it. */
const PROMISES_MS = 0.5;
/** Milliseconds that a userthread goes on for: as long as the scheduler's passes. */
const THREADS_MS = 1;
/** So many calls until the clock is looked at. */
const CALLS = 16;
/** A call that has moved more bytes than these counts as that many. */
const BYTES = 65_536;
/** So many are told until the clock is looked at. */
const TOLD_AT_ONCE = 256;

/** When completions have last been told by the loop. */
let turned = 0;
let calls = CALLS;
/** The budget is spent, or those in `queue` come first. */
let queued = false;
/** What has completed and not been told, from `next` on. */
let queue: (() => void)[] = [];
let next = 0;

function tell(): void {
  for (let left = TOLD_AT_ONCE; left > 0; left--) {
    const resolve = queue[next++];
    if (resolve === undefined) {
      queue = [];
      next = 0;
      calls = CALLS;
      queued = false;
      return;
    }
    resolve();
  }
  // After those who have been told: they may have used up the time.
  queueMicrotask(goOn);
}

function goOn(): void {
  if (milliseconds() - turned < PROMISES_MS) tell();
  else setImmediate(turn);
}

/** The loop has had its turn. */
function turn(): void {
  turned = milliseconds();
  queue.splice(0, next);
  next = 0;
  tell();
}

/** What a call that was made in place answers on the event loop: its reply, or a promise of it where the loop has to have its turn first. */
export function inTurn(reply: number): number | Promise<number> {
  if (!queued) {
    calls -= reply > BYTES ? CALLS : 1;
    if (calls > 0) return reply;
    calls = CALLS;
    if (milliseconds() - turned < PROMISES_MS) return reply;
    queued = true;
    setImmediate(turn);
  }
  return new Promise((resolve) => queue.push(() => resolve(reply)));
}

/** Who has made the last calls that count, and how many more until the clock is looked at. */
let caller: UserThread | undefined;
let callerCalls = CALLS;
/** When the caller was first looked at; -1: not yet. */
let begun = -1;

/** Time is looked at, and perhaps the others run. */
function giveWay(td: UserThread): void {
  callerCalls = CALLS;
  const now = milliseconds();
  if (begun < 0) begun = now;
  if (now - begun < THREADS_MS) return;
  begun = -1;
  try {
    yieldNow();
  } catch (error) {
    // Else it is a place where no thread can be switched: one that would not have waited goes on there.
    if (isAbortOf(td, error)) throw error;
  }
}

/**
 * A call that may block is about to be made: a userthread that makes many, one after the other, lets the others run now and then, and the event loop. Throws
 * its abort. One that holds tokens does not: it would let go of them where it need not.
 */
export function countCall(td: UserThread): void {
  if (td !== caller) {
    caller = td;
    callerCalls = CALLS;
    begun = -1;
    return;
  }
  if (--callerCalls <= 0 && td !== thread0 && (td as { holds?: unknown }).holds === undefined) giveWay(td);
}

/** The same for what takes long and is made of calls that never block. Harmless on the event loop's own stack. */
export function countStep(): void {
  countCall(curthread());
}
