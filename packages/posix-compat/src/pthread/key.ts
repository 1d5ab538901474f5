/**
 * key.ts: values that each userthread has for itself, and what is done with them when it ends.
 *
 * Invariant: a thread's values are in one map, by key. Of a key that has been deleted they may still be there, and nobody sees them.
 */
import { curthread, type UserThread } from '@libcr/core';
import { thread0, whenFinished } from '@libcr/core/internal';
import { posixError } from '../errors.ts';
import { checkFunction } from '../options.ts';

/** How often destructors are called for values that destructors have set. */
export const PTHREAD_DESTRUCTOR_ITERATIONS = 4;

type Values = Map<Key<unknown>, unknown>;

const valuesOf = new WeakMap<UserThread, Values>();

/** A key of thread-specific data. (pthread_key_t) */
export class Key<T> {
  readonly #destructor: ((value: T) => void) | undefined;
  #deleted = false;

  /**
   * Makes one. The destructor is called with a thread's value, if that isn't undefined, when the thread ends: on it, after its cleanup handlers, and it may wait if the thread
   * is one of pthread.create(). Throws TypeError. (pthread_key_create)
   */
  constructor(destructor?: (value: T) => void) {
    if (destructor !== undefined) checkFunction('destructor', destructor);
    this.#destructor = destructor;
  }

  /** The running userthread's value, or the event loop's; undefined before the first set(). (pthread_getspecific) */
  get(): T | undefined {
    return this.#deleted
      ? undefined
      : (valuesOf.get(curthread())?.get(this as Key<unknown>) as T | undefined);
  }

  /** Throws EINVAL where the key has been deleted. (pthread_setspecific) */
  set(value: T | undefined): void {
    if (this.#deleted) throw posixError('EINVAL', 'pthread_setspecific');
    const td = curthread();
    let values = valuesOf.get(td);
    if (values === undefined) {
      values = new Map();
      valuesOf.set(td, values);
      if (td !== thread0) whenFinished(td, () => runDestructors(td, reportLater));
    }
    if (value === undefined) values.delete(this as Key<unknown>);
    else values.set(this as Key<unknown>, value);
  }

  /** No destructor is called for its values from now on, and get() answers undefined. Throws EINVAL the second time. (pthread_key_delete) */
  delete(): void {
    if (this.#deleted) throw posixError('EINVAL', 'pthread_key_delete');
    this.#deleted = true;
  }

  /** @internal */
  destroy(value: T): void {
    if (!this.#deleted) this.#destructor?.(value);
  }
}

/** td ends. onError is told what a destructor throws; the others are called all the same. */
export function runDestructors(td: UserThread, onError: (error: unknown) => void): void {
  const values = valuesOf.get(td);
  if (values === undefined) return;
  for (let round = 0; round < PTHREAD_DESTRUCTOR_ITERATIONS && values.size > 0; round++) {
    const all = [...values];
    for (const [key, value] of all) {
      values.delete(key); // before the destructor, which may set it again
      try {
        key.destroy(value);
      } catch (error) {
        onError(error);
      }
    }
  }
  values.clear();
}

/** Nobody joins what has ended already: as an uncaught exception, in a turn of its own. */
export function reportLater(error: unknown): void {
  process.nextTick(() => {
    throw error;
  });
}
