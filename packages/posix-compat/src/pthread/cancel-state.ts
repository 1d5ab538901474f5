/**
 * cancel-state.ts: whether a userthread is to be cancelled, and when. What a thread that is cancelled does then is in thread.ts.
 *
 * A cancellation is an interruption of core's: the next blocking call, or the present one, throws. The standard has waits that are no cancellation
 * points (a mutex, a barrier): for their time it is masked. An asynchronous one is core's terminate().
 *
 * Invariant: the interruption is posted exactly while the cancellation is pending, enabled and not masked, and has not been thrown.
 */
import { curthread, type UserThread } from '@libcr/core';
import { Interruption, interrupt, uninterrupt } from '@libcr/core/internal';
import { posixError } from '../errors.ts';

export type CancelState = 'enable' | 'disable';
export type CancelType = 'deferred' | 'asynchronous';

const canceledError = (): Error => posixError('ECANCELED', 'pthread_cancel');

export class Cancellation {
  state: CancelState = 'enable';
  type: CancelType = 'deferred';
  readonly #td: UserThread;
  /** Somebody wants it cancelled, and it has not been told. */
  #pending = false;
  /** It acts on it already, or ends in another way. */
  #over = false;
  /** What its wait has thrown, or what terminate() has been given as the reason. */
  #error: Error | undefined;
  #masked = 0;
  #posted = false;
  readonly #interruption = new Interruption(() => {
    this.#pending = false;
    this.#posted = false;
    this.#over = true;
    this.#error = canceledError();
    return this.#error;
  });

  constructor(td: UserThread) {
    this.#td = td;
  }

  /** pthread.cancel(). */
  request(): void {
    if (this.#over) return;
    this.#pending = true;
    this.#update();
  }

  setState(state: CancelState): void {
    this.state = state;
    this.#update();
  }

  setType(type: CancelType): void {
    this.type = type;
    this.#update();
  }

  /** Its thread's main function is over, whatever has ended it. */
  end(): void {
    this.#over = true;
    this.#pending = false;
    this.#update();
  }

  /** Whether error is what its thread has been cancelled by. */
  isCauseOf(error: unknown): boolean {
    return (
      this.#error !== undefined &&
      (error === this.#error || (error as Error | undefined)?.cause === this.#error)
    );
  }

  mask(): void {
    this.#masked++;
    this.#update();
  }

  unmask(): void {
    this.#masked--;
    this.#update();
  }

  /** Something of what the invariant is about has changed. */
  #update(): void {
    const wanted = this.#pending && this.state === 'enable' && this.#masked === 0;
    if (wanted && this.type === 'asynchronous') {
      this.#now();
      return;
    }
    if (wanted === this.#posted) return;
    this.#posted = wanted;
    if (!wanted) uninterrupt(this.#td, this.#interruption);
    else {
      this.#interruption.begin();
      interrupt(this.#td, this.#interruption);
    }
  }

  /** Asynchronously: wherever it stands. */
  #now(): void {
    this.#pending = false;
    this.#over = true;
    if (this.#posted) uninterrupt(this.#td, this.#interruption);
    this.#posted = false;
    this.#error = canceledError();
    if (curthread() === this.#td) throw this.#error;
    this.#td.terminate(this.#error);
  }
}

const cancellations = new WeakMap<UserThread, Cancellation>();

/** td may be cancelled from now on. */
export function makeCancellable(td: UserThread): Cancellation {
  const cancellation = new Cancellation(td);
  cancellations.set(td, cancellation);
  return cancellation;
}

/** Calls fn, in which waits are no cancellation points. */
export function withoutCancellation<R>(td: UserThread, fn: () => R): R {
  const cancellation = cancellations.get(td);
  if (cancellation === undefined) return fn();
  cancellation.mask();
  try {
    return fn();
  } finally {
    cancellation.unmask();
  }
}
