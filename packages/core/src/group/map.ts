/**
 * map.ts: map() and race(), groups of one kind of child each.
 *
 * Invariant: map() takes an item only when a child may begin with it.
 */

import { invalidType, invalidValue } from '../errors/errors.ts';
import { throwIfAborted } from '../thread/block.ts';
import { type CreateOptions, isThenable } from '../thread/scheduler.ts';
import type { WaitOptions } from '../thread/userthread.ts';
import { wait } from '../thread/wait.ts';
import { checkFunction, checkGroupOptions, checkLimit, inGroup } from './body.ts';
import type { Group, GroupOptions } from './group.ts';

/** What the userthreads of race() are created with (create()); signal and timeout are the whole's. */
export interface RaceOptions extends Omit<CreateOptions, 'signal' | 'daemon'>, WaitOptions {}

export interface MapOptions extends RaceOptions {
  /** How many run at once, an integer >= 1 or Infinity, which it is if absent. */
  concurrency?: number | undefined;
}

/** The group's part of the options, checked, and the children's. */
function split(options: RaceOptions, name: string): [GroupOptions, CreateOptions] {
  checkGroupOptions(options);
  const { signal, timeout, ...children } = options;
  return [
    { signal, timeout, name: options.name ?? name },
    { ...children, name: options.name ?? name },
  ];
}

/** Calls begin with each item, when the one before has come back. Where that throws, or next(), the iterator is told, as for await does. */
function pull<T>(items: AsyncIterable<T>, begin: (item: T) => void): void {
  const iterator = items[Symbol.asyncIterator]();
  let asked = false;
  let done = false;
  try {
    for (;;) {
      asked = true;
      const next = wait(iterator.next());
      asked = false;
      if (next.done) {
        done = true;
        return;
      }
      begin(next.value);
    }
  } finally {
    if (!done) {
      const returned = iterator.return?.();
      // While it owes an item its end comes after that, if ever.
      if (asked) Promise.resolve(returned).catch(() => {});
      else wait(returned);
    }
  }
}

/**
 * Calls fn(item, index) for each item, on a userthread each, and returns the results in the items' order. Items are taken one by one, as a userthread may begin with them: an endless
 * generator, or one that blocks, is fine with a concurrency. The first failure, of fn or of items, aborts the others and is thrown when they have finished, as in
 * group(), which says the rest: what blocks, aborts, and what it is on the event loop (a promise). What else options has is for create(). Throws TypeError and RangeError.
 * (p-map, of Ruby's and Go's kin)
 */
export function map<T, R>(
  items: Iterable<T> | AsyncIterable<T>,
  fn: (item: T, index: number) => R,
  options: MapOptions = {},
): Awaited<R>[] {
  const some = items as Partial<Iterable<T> & AsyncIterable<T>> | null | undefined;
  const comesLater = typeof some?.[Symbol.asyncIterator] === 'function';
  if (!comesLater && typeof some?.[Symbol.iterator] !== 'function')
    throw invalidType('items', 'an iterable or an async iterable', items);
  checkFunction('fn', fn);
  const [whole, each] = split(options, 'map');
  checkLimit('options.concurrency', options.concurrency);
  const body = (g: Group): void => {
    let count = 0;
    const begin = (item: T): void => {
      const index = count++;
      g.create(() => fn(item, index), each);
      g.block('a turn of map()', () => !g.isFull);
      if (g.isEnding) throwIfAborted(); // takes no further item
    };
    if (comesLater) pull(items as AsyncIterable<T>, begin);
    else for (const item of items as Iterable<T>) begin(item);
  };
  return inGroup(body, { ...whole, limit: options.concurrency }, (g) => g.results as Awaited<R>[]);
}

/**
 * Runs each of fns on a userthread, and returns or throws what the first that ends returns or throws. The others are aborted and waited for; what those throw is nobody's affair. Blocks,
 * aborts, and is a promise on the event loop, as group(). What else options has is for create(). Throws TypeError, also for no functions at all: nobody would ever win.
 */
export function race<F extends () => unknown>(
  fns: Iterable<F>,
  options: RaceOptions = {},
): Awaited<ReturnType<F>> {
  if (typeof (fns as Partial<Iterable<unknown>> | null | undefined)?.[Symbol.iterator] !== 'function')
    throw invalidType('fns', 'an iterable of functions', fns);
  const list = [...fns];
  for (const [i, fn] of list.entries()) checkFunction(`fns[${i}]`, fn);
  if (list.length === 0) throw invalidValue('race() needs a function: of none nobody can win');
  const [whole, each] = split(options, 'race');
  let winner: { value: unknown } | undefined;
  const body = (g: Group): void => {
    for (const fn of list)
      g.create(() => {
        const value = fn();
        const outcome = { value: isThenable(value) ? wait(value) : value };
        if (g.isEnding) return;
        winner = outcome;
        g.finish(true, 'another one has won');
      }, each);
    g.block('the winner of race()', () => winner !== undefined);
  };
  return inGroup(body, whole, () => (winner as { value: unknown }).value as Awaited<ReturnType<F>>);
}
