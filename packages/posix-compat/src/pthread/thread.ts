/**
 * thread.ts: the threads of pthread.create(): their end, joined, detached, by exit() and by cancel().
 *
 * A thread is a userthread of core's; what is its own here is in a Pthread.
 *
 * Invariant: when such a thread has ended its cleanup handlers and destructors have been called, on its own stack; but where V8 has ended it (asynchronous
 * cancellation), in the hook of its end.
 */
import { type CreateOptions, create as createUserthread, curthread, UserThread, wait } from '@libcr/core';
import { invalidType, isPreemptible, throwIfAborted, whenFinished } from '@libcr/core/internal';
import { Limit, type LockOptions } from '../clock.ts';
import { posixError } from '../errors.ts';
import { checkBoolean, checkFunction, checkOneOf } from '../options.ts';
import { type Cancellation, type CancelState, type CancelType, makeCancellable } from './cancel-state.ts';
import { forgetCleanups, runCleanups, startCleanups } from './cleanup.ts';
import { reportLater, runDestructors } from './key.ts';

/** What a thread that has been cancelled ends with. (PTHREAD_CANCELED) */
export const CANCELED: unique symbol = Symbol('PTHREAD_CANCELED');

export interface PthreadOptions extends CreateOptions {
  /** Nobody joins it. (PTHREAD_CREATE_DETACHED) */
  detached?: boolean | undefined;
}

/** Thrown by exit(): not an error, but it has to pass finally blocks. */
class Exit extends Error {
  readonly td: UserThread;
  readonly value: unknown;

  constructor(td: UserThread, value: unknown) {
    super('pthread.exit() ends this thread: let it pass');
    this.name = 'ThreadExit';
    this.td = td;
    this.value = value;
  }
}

type Joining = 'free' | 'joined' | 'detached' | { by: UserThread };

interface Pthread {
  joining: Joining;
  cancellation: Cancellation;
}

const pthreads = new WeakMap<UserThread, Pthread>();

function pthreadOf(td: unknown, name: string): Pthread {
  if (!(td instanceof UserThread)) throw invalidType('td', 'an instance of UserThread', td);
  const pthread = pthreads.get(td);
  if (pthread === undefined) throw posixError('ESRCH', name);
  return pthread;
}

/**
 * Creates a userthread that runs main, as core's create() does, with cleanup handlers, and which can be cancelled. Options are those of create(), and `detached`. Never
 * blocks. Throws TypeError and RangeError, ERR_LWKT_NO_STACK. (pthread_create)
 */
export function create<R>(
  main: () => R,
  options: PthreadOptions = {},
): UserThread<Awaited<R> | typeof CANCELED> {
  checkFunction('main', main);
  if (options?.detached !== undefined) checkBoolean('options.detached', options.detached);
  const td = createUserthread(() => runMain(td, main), options) as UserThread<Awaited<R> | typeof CANCELED>;
  const cancellation = makeCancellable(td);
  pthreads.set(td, { joining: options.detached ? 'detached' : 'free', cancellation });
  startCleanups(td);
  whenFinished(td, () => {
    // Only where V8 has ended it is there anything left.
    runCleanups(td, reportLater);
    runDestructors(td, reportLater);
  });
  return td;
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === 'function';
}

function runMain(td: UserThread, main: () => unknown): unknown {
  const { cancellation } = pthreads.get(td) as Pthread;
  let failed = false;
  let outcome: unknown;
  const fail = (error: unknown): void => {
    failed = true;
    outcome = error;
  };
  try {
    const value = main();
    outcome = isThenable(value) ? wait(value) : value;
    forgetCleanups(td);
  } catch (error) {
    if (error instanceof Exit && error.td === td) outcome = error.value;
    else if (cancellation.isCauseOf(error)) outcome = CANCELED;
    else fail(error);
  }
  cancellation.end();
  runCleanups(td, fail);
  runDestructors(td, fail);
  if (failed) throw outcome;
  return outcome;
}

/**
 * Waits for td's end: what main returned or exit() was given, CANCELED, or main's exception thrown. Blocks the running userthread; a cancellation point, and then td
 * can still be joined. Of threads of core's create() too, which have no EINVAL and ESRCH. Throws EDEADLK for oneself, EINVAL for a detached thread and where
 * another one joins it, ESRCH for one that has been joined, ETIMEDOUT and AbortError as options say, ERR_LWKT_WOULD_BLOCK on
 * thread0. (pthread_join)
 */
export function join<T>(td: UserThread<T>, options?: LockOptions): T | typeof CANCELED {
  if (!(td instanceof UserThread)) throw invalidType('td', 'an instance of UserThread', td);
  const me = curthread();
  if ((td as UserThread) === me) throw posixError('EDEADLK', 'pthread_join');
  if (options !== undefined) Limit.of(options);
  const pthread = pthreads.get(td as UserThread);
  if (pthread === undefined) return joinUntil(td, options);
  if (pthread.joining === 'joined') throw posixError('ESRCH', 'pthread_join');
  if (pthread.joining !== 'free') throw posixError('EINVAL', 'pthread_join');
  pthread.joining = { by: me };
  try {
    return joinUntil(td, options);
  } catch (error) {
    if (td.state === 'finished' && pthread.cancellation.isCauseOf(error)) return CANCELED;
    throw error;
  } finally {
    pthread.joining = td.state === 'finished' ? 'joined' : 'free';
  }
}

function joinUntil<T>(td: UserThread<T>, options: LockOptions | undefined): T {
  try {
    return td.join(options);
  } catch (error) {
    if (td.state !== 'finished' && (error as { code?: unknown })?.code === 'ERR_LWKT_TIMEOUT')
      throw posixError('ETIMEDOUT', 'pthread_join');
    throw error;
  }
}

/** Nobody will join td. What it throws is reported as an unhandled rejection. Throws EINVAL where it is detached or joined, ESRCH. Never blocks. (pthread_detach) */
export function detach(td: UserThread): void {
  const pthread = pthreadOf(td, 'pthread_detach');
  if (pthread.joining === 'joined') throw posixError('ESRCH', 'pthread_detach');
  if (pthread.joining !== 'free') throw posixError('EINVAL', 'pthread_detach');
  pthread.joining = 'detached';
}

/** The running userthread; thread0 on the event loop. (pthread_self) */
export function self(): UserThread {
  return curthread();
}

/** Whether they are the same thread. (pthread_equal) */
export function equal(a: UserThread, b: UserThread): boolean {
  return a === b;
}

/**
 * Ends the running userthread, one of pthread.create(), with that value for whoever joins it: finally blocks are run, then cleanup handlers and destructors. It throws, so a
 * catch block that catches everything must let it pass. Throws ESRCH on a thread of another making. (pthread_exit)
 */
export function exit(value?: unknown): never {
  const td = curthread();
  pthreadOf(td, 'pthread_exit');
  throw new Exit(td, value);
}

/**
 * Asks td, one of pthread.create(), to end. Where its type is 'deferred', its present or next cancellation point throws ECANCELED: waits of this package (but those for locks, once and
 * barriers), wait(), sleep(), ports and messages, join, system calls, testCancel(). Then finally blocks are run, cleanup handlers, destructors; who joins it gets CANCELED.
 * Where it is 'asynchronous', it is ended wherever it computes, and no finally block is run. Does nothing to a thread that has ended; callable from
 * anywhere on its rfork. Throws ESRCH. Never blocks. (pthread_cancel)
 */
export function cancel(td: UserThread): void {
  const { cancellation } = pthreadOf(td, 'pthread_cancel');
  if (td.state !== 'finished') cancellation.request();
}

/** Whether the running userthread acts on cancellation ('enable', at first) or keeps it for later ('disable'). Returns what it was. Throws ESRCH. (pthread_setcancelstate) */
export function setCancelState(state: CancelState): CancelState {
  checkOneOf('state', ['enable', 'disable'], state);
  const { cancellation } = pthreadOf(curthread(), 'pthread_setcancelstate');
  const before = cancellation.state;
  cancellation.setState(state);
  return before;
}

/**
 * When the running userthread acts on cancellation: at cancellation points ('deferred', at first), or at once ('asynchronous'), which only a thread in a preemptible region can: else
 * ENOTSUP. Returns what it was. Throws ESRCH. (pthread_setcanceltype)
 */
export function setCancelType(type: CancelType): CancelType {
  checkOneOf('type', ['deferred', 'asynchronous'], type);
  const td = curthread();
  const { cancellation } = pthreadOf(td, 'pthread_setcanceltype');
  if (type === 'asynchronous' && !isPreemptible(td)) throw posixError('ENOTSUP', 'pthread_setcanceltype');
  const before = cancellation.type;
  cancellation.setType(type);
  return before;
}

/** A cancellation point and nothing else: throws ECANCELED where the running userthread is to be cancelled, AbortError where it has been aborted. (pthread_testcancel) */
export function testCancel(): void {
  throwIfAborted();
}
