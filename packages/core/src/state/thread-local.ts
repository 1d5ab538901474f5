/**
 * thread-local.ts: threadLocal(), for libraries that keep "the current something" in a property of an object, as if there were one thread: each
 * userthread then has its own.
 *
 * The property becomes an accessor that looks at curthread(). So a switch has nothing to do, and who uses none pays nothing.
 */

import { invalidType, invalidValue } from '../errors/errors.ts';
import { curthread, thread0 } from '../thread/block.ts';

/** What ends it: `using`, or restore(). */
export interface ThreadLocal {
  /** Makes it a plain property again, with the value that it has on thread0. Does nothing the second time, or where somebody has replaced the property. */
  restore(): void;
  /** restore(). */
  [Symbol.dispose](): void;
}

const getters = new WeakSet<object>();

function checkProperty(object: unknown, key: unknown): PropertyDescriptor {
  if ((typeof object !== 'object' && typeof object !== 'function') || object === null)
    throw invalidType('object', 'of type object or function', object);
  if (typeof key !== 'string' && typeof key !== 'symbol')
    throw invalidType('key', 'of type string or symbol', key);
  const refuse = (why: string): never => {
    throw invalidValue(`threadLocal(): the property ${String(key)} ${why}`);
  };
  const before =
    Object.getOwnPropertyDescriptor(object, key) ??
    refuse('is not there: objects have it themselves, or not at all');
  if (before.get !== undefined && getters.has(before.get)) refuse('is thread-local already');
  if (!('value' in before)) refuse('is an accessor: it has no value that could go with a userthread');
  if (!before.configurable)
    refuse(
      'cannot be replaced by an accessor: its object is frozen or sealed, or is the namespace of an ES module',
    );
  if (!before.writable) refuse('is read-only');
  return before;
}

/**
 * From now on `object[key]` has a value for each userthread, and one for thread0, the event loop: what one of them writes there, only that one reads.
 * Each begins with the value that the property has now; a thread does not inherit its creator's (AsyncLocalStorage does). A thread's value goes when
 * the thread ends. It is one rfork's: others have objects of their own.
 *
 * Never blocks; callable from anywhere. Throws TypeError: ERR_INVALID_ARG_TYPE; ERR_INVALID_ARG_VALUE for a property that is not there, that is an
 * accessor or thread-local already, or that can't be changed. (C11: thread_local)
 */
export function threadLocal<T extends object>(object: T, key: keyof T & (string | symbol)): ThreadLocal {
  const { value: initial, enumerable } = checkProperty(object, key);
  const name = {}; // by which threads know their values; no thread keeps one after restore()

  function get(): unknown {
    const { locals } = curthread();
    return locals?.has(name) ? locals.get(name) : initial;
  }
  function set(this: unknown, value: unknown): void {
    if (this !== object && typeof this === 'object' && this !== null) {
      // An object that inherits from it: it gets a property of its own, as from a plain one.
      Object.defineProperty(this, key, { value, writable: true, enumerable: true, configurable: true });
      return;
    }
    const td = curthread();
    td.locals ??= new WeakMap();
    td.locals.set(name, value);
  }
  getters.add(get);
  Object.defineProperty(object, key, { get, set, enumerable: enumerable === true, configurable: true });

  function restore(): void {
    if (Object.getOwnPropertyDescriptor(object, key)?.get !== get) return;
    const { locals } = thread0;
    const value = locals?.has(name) ? locals.get(name) : initial;
    Object.defineProperty(object, key, {
      value,
      writable: true,
      enumerable: enumerable === true,
      configurable: true,
    });
  }
  return { restore, [Symbol.dispose]: restore };
}
