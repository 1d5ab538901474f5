/**
 * wait.ts: where promises and userthreads meet, and plain sleeping.
 */
import { blockUntil, checkMilliseconds, curthread, suspend, thread0, wake } from './block.ts';
import { wouldBlock } from './errors.ts';
import type { WaitOptions } from './userthread.ts';
import { describe } from './userthread.ts';

const shown = new WeakSet<object>();

/** Adds the waiter's own stack to a rejection reason, once: the reason's stack tells where it arose, not who waited. */
function addCallerStack(reason: unknown): void {
  if (!(reason instanceof Error) || shown.has(reason)) return;
  shown.add(reason);
  const { stack } = reason;
  if (typeof stack !== 'string' || !Object.isExtensible(reason)) return;
  const here: { stack?: string } = {};
  Error.captureStackTrace(here, wait);
  const frames = here.stack?.split('\n').slice(1).join('\n');
  try {
    reason.stack = `${stack}\n    at wait (userthread ${describe(curthread())})\n${frames}`;
  } catch {
    // its stack is read-only: the reason goes on as it is
  }
}

/**
 * Waits for a promise (or any thenable) in blocking style: returns its value, or throws its reason with the caller's stack added. A value
 * that is no thenable is returned at once. Blocks the running userthread only; on thread0 it throws ERR_LWKT_WOULD_BLOCK (use
 * await there). options.timeout is in milliseconds. Giving up does not cancel what the promise stands for.
 */
export function wait<T>(promise: T, options?: WaitOptions): Awaited<T> {
  const { then } = (promise ?? {}) as { then?: unknown };
  if (typeof then !== 'function') return promise as Awaited<T>;
  const td = curthread();
  if (td === thread0) throw wouldBlock('wait()');
  let state = 0;
  let result: unknown;
  then.call(
    promise,
    (value: unknown) => {
      if (state !== 0) return;
      state = 1;
      result = value;
      wake(td);
    },
    (reason: unknown) => {
      if (state !== 0) return;
      state = 2;
      result = reason;
      wake(td);
    },
  );
  // The plain case has a loop of its own: it is what thousands of threads stand in, and each frame counts (see suspend).
  if (options === undefined) while (state === 0) suspend('promise');
  else blockUntil('promise', () => state !== 0, options);
  // A foreign thenable may resolve to another one; a promise never does.
  if (state === 1) return wait(result, options) as Awaited<T>;
  addCallerStack(result);
  throw result;
}

/** Sleeps for ms milliseconds (0 to 2^31-1), at least; 0 waits for the loop's next turn of timers. Blocks the running userthread only. */
export function sleep(ms: number, options?: { signal?: AbortSignal | undefined }): void {
  checkMilliseconds('ms', ms);
  const td = curthread();
  if (td === thread0) throw wouldBlock('sleep()');
  let over = false;
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
