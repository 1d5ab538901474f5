/**
 * deadline.ts: blocking code that has to end in time. The running userthread is interrupted as by td.abort(), but for one piece of its code,
 * after which it goes on.
 *
 * Not here: deadlines that belong to a stream, whoever uses it (turn.ts).
 */
import { curthread, type WaitOptions, wait } from '@libcr/core';
import {
  abortError,
  checkWaitOptions,
  followSignal,
  Interruption,
  interrupt,
  thread0,
  timeoutError,
  uninterrupt,
  wouldBlock,
} from '@libcr/core/internal';

/** Runs fn, and interrupts it as the options say; what is the name of fn in errors. Without options it costs nothing. */
export function within<R>(options: WaitOptions | undefined, what: string, fn: () => R): R {
  if (options === undefined) return fn();
  checkWaitOptions(options);
  const { signal, timeout } = options;
  const td = curthread();
  if (td === thread0) throw wouldBlock(what);
  if (signal?.aborted) throw abortError(signal.reason);
  const late = new Interruption(() => timeoutError(what, timeout as number));
  const aborted = new Interruption(() => abortError(signal?.reason));
  const timer = timeout === undefined ? undefined : setTimeout(() => interrupt(td, late), timeout);
  const unfollow = signal === undefined ? undefined : followSignal(signal, () => interrupt(td, aborted));
  try {
    return fn();
  } finally {
    clearTimeout(timer);
    unfollow?.();
    uninterrupt(td, late);
    uninterrupt(td, aborted);
  }
}

/**
 * Runs fn in blocking style and returns what it returns (if that is a promise, what it resolves to). When ms milliseconds (0 to 2^31-1) have
 * passed, fn's present blocking call, or else its next, throws a TimeoutError (ERR_LWKT_TIMEOUT); that happens once, so that `finally` blocks
 * may wait. fn that ends without another blocking call is not late. Of deadlines one inside of another, each holds. With a signal it also
 * ends with an AbortError. Blocks the running userthread; throws ERR_LWKT_WOULD_BLOCK on thread0. (Go's context.WithTimeout)
 */
export function withDeadline<R>(
  ms: number,
  fn: () => R,
  options?: { signal?: AbortSignal | undefined },
): Awaited<R> {
  return within({ ...options, timeout: ms }, 'withDeadline()', () => wait(fn()));
}
