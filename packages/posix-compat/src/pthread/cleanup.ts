/**
 * cleanup.ts: cleanup handlers: what is to be done when a thread is cancelled, or calls pthread.exit(). (A finally block is run then as well, and
 * when a function returns or throws, too: it is the usual choice.)
 *
 * Invariant: each handler is called once at most: by its pop(), or when its thread ends.
 */
import { curthread, type UserThread } from '@libcr/core';
import { thread0 } from '@libcr/core/internal';
import { posixError } from '../errors.ts';
import { checkFunction } from '../options.ts';

const stacks = new WeakMap<UserThread, Cleanup[]>();

/** A handler that has been pushed. */
export class Cleanup {
  readonly #td: UserThread;
  readonly #handler: () => void;

  /** @internal */
  constructor(td: UserThread, handler: () => void) {
    this.#td = td;
    this.#handler = handler;
  }

  /**
   * Takes it back, which must be the last that the running thread has pushed: else EINVAL. With `execute` it is called. (pthread_cleanup_pop)
   */
  pop(execute = false): void {
    const stack = stacks.get(curthread());
    if (stack === undefined || stack.at(-1) !== this) throw posixError('EINVAL', 'pthread_cleanup_pop');
    stack.pop();
    if (execute) this.#handler();
  }

  /** pop(true), unless it has been called already: for `using`, which calls it however the block ends. */
  [Symbol.dispose](): void {
    if (stacks.get(this.#td)?.includes(this)) this.pop(true);
  }

  /** @internal */
  run(): void {
    this.#handler();
  }
}

/**
 * From now on handler is called when the running userthread, one of pthread.create(), is cancelled or calls pthread.exit(), or ends by an exception: after the finally blocks
 * of what it was in, the last pushed first. It may wait, but where the thread is ended asynchronously. Throws TypeError, ESRCH
 * on a thread of another making. (pthread_cleanup_push)
 */
export function cleanupPush(handler: () => void): Cleanup {
  checkFunction('handler', handler);
  const td = curthread();
  const stack = stacks.get(td);
  if (td === thread0 || stack === undefined) throw posixError('ESRCH', 'pthread_cleanup_push');
  const cleanup = new Cleanup(td, handler);
  stack.push(cleanup);
  return cleanup;
}

/** td may push handlers. */
export function startCleanups(td: UserThread): void {
  stacks.set(td, []);
}

/** td ends: calls them all, the last first. onError is told what one throws; the others are called all the same. */
export function runCleanups(td: UserThread, onError: (error: unknown) => void): void {
  const stack = stacks.get(td);
  for (let last = stack?.pop(); last !== undefined; last = stack?.pop()) {
    try {
      last.run();
    } catch (error) {
      onError(error);
    }
  }
}

/** td has returned: what it has pushed is forgotten. */
export function forgetCleanups(td: UserThread): void {
  const stack = stacks.get(td);
  if (stack !== undefined) stack.length = 0;
}
