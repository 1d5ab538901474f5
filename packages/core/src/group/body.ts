/**
 * body.ts: group(), and what map() and race() have in common with it: the body runs on the caller's userthread, the children are waited for whatever has happened, and the
 * outcome is a result or the first failure.
 *
 * Invariant: runGroup() returns or throws when no child is left. (Where the caller can't wait at all nothing has begun; if V8 ends the caller, by terminate(), the children are aborted.)
 */

import { isError } from '../errors/brands.ts';
import { abortError, cannotWait, exitingError, invalidType, outOfRange } from '../errors/errors.ts';
import { isExiting } from '../node/exiting.ts';
import { BLOCK_REFUSED, native } from '../node/native.ts';
import {
  blockUninterruptibly,
  checkWaitOptions,
  curthread,
  isAbortOf,
  thread0,
  throwIfAborted,
} from '../thread/block.ts';
import { isThenable, run } from '../thread/scheduler.ts';
import { UserThread } from '../thread/userthread.ts';
import { wait } from '../thread/wait.ts';
import { Group, type GroupOptions } from './group.ts';

/** A userthread stands for its result, and so does each in an array of them. */
export type GroupResult<R> =
  R extends UserThread<infer T>
    ? T
    : R extends readonly UserThread[]
      ? { -readonly [K in keyof R]: R[K] extends UserThread<infer T> ? T : never }
      : R;

export function checkFunction(name: string, value: unknown): void {
  if (typeof value !== 'function') throw invalidType(name, 'of type function', value);
}

/** Of limit and concurrency. */
export function checkLimit(name: string, value: unknown): void {
  if (value === undefined || value === Number.POSITIVE_INFINITY) return;
  if (typeof value !== 'number') throw invalidType(name, 'of type number', value);
  if (!Number.isInteger(value) || value < 1) throw outOfRange(name, 'an integer >= 1, or Infinity', value);
}

export function checkGroupOptions(options: GroupOptions): void {
  checkWaitOptions(options);
  checkLimit('options.limit', options.limit);
  if (options.name !== undefined && typeof options.name !== 'string')
    throw invalidType('options.name', 'of type string', options.name);
}

/** Throws before anything has begun where the caller could not wait for what it begins. */
function checkCaller(td: UserThread): void {
  if (td.refusal !== 0) throw cannotWait(td.refusal);
  const refusal = native.refusal();
  if (refusal >= BLOCK_REFUSED) throw cannotWait(refusal);
  if (isExiting()) throw exitingError('group()');
  throwIfAborted();
}

/** What children find as the cause of their AbortErrors when the body has thrown error. */
function reasonOf(td: UserThread, error: unknown): unknown {
  return isAbortOf(td, error) ? (error as Error).cause : error;
}

/** The others of a group's failures go with the first, as `suppressed`. */
function suppress([first, ...rest]: readonly unknown[]): unknown {
  if (rest.length === 0) return first;
  try {
    if (!isError(first) || !Object.isExtensible(first)) return first;
    const { suppressed } = first as { suppressed?: unknown };
    const value = suppressed === undefined ? rest : [suppressed, rest].flat();
    Object.defineProperty(first, 'suppressed', {
      value,
      enumerable: true,
      configurable: true,
      writable: true,
    });
  } catch {
    // a proxy, or a getter that throws: they are in group.errors
  }
  return first;
}

/** Runs body in a new group on the running userthread. options have been checked. Returns what body returns. */
function runGroup<R>(body: (g: Group) => R, options: GroupOptions): { g: Group; value: Awaited<R> } {
  const td = curthread();
  checkCaller(td);
  const { signal } = options;
  if (signal?.aborted) throw abortError(signal.reason);
  const g = new Group(td, options);
  const waiting = `group ${JSON.stringify(g.name)}`;
  let value: unknown;
  g.begins(options);
  try {
    try {
      value = body(g);
      if (isThenable(value)) value = wait(value);
    } finally {
      g.bodyEnds();
    }
    g.block(waiting, () => g.isIdle || g.isEnding);
  } catch (error) {
    g.bodyFails(error, reasonOf(td, error));
  }
  g.finish(false);
  try {
    blockUninterruptibly(waiting, () => g.size === 0);
  } finally {
    g.ends();
  }
  if (g.errors.length > 0) throw suppress(g.errors);
  return { g, value: value as Awaited<R> };
}

/** runGroup() for whoever calls: on the event loop on a userthread of its own, of which this is the promise. */
export function inGroup<R, T>(
  body: (g: Group) => R,
  options: GroupOptions,
  result: (g: Group, value: Awaited<R>) => T,
): T {
  const here = (): T => {
    const { g, value } = runGroup(body, options);
    return result(g, value);
  };
  if (curthread() !== thread0) return here();
  return run(here, { name: options.name ?? 'group' }) as T;
}

/** Of a child, undefined where it was aborted by itself. */
const resultOfChild = (td: UserThread): unknown => (td.failed ? undefined : td.value);

function resultOf(g: Group, value: unknown): unknown {
  if (value === undefined) return g.results;
  if (value instanceof UserThread) return resultOfChild(value);
  if (Array.isArray(value) && value.length > 0 && value.every((one) => one instanceof UserThread))
    return value.map(resultOfChild);
  return value;
}

/**
 * Calls body with a new Group and returns when all userthreads that have been created into it have finished: nobody outlives the group. What it returns is what body
 * returns (of an async function: what that resolves to), where a userthread, or each in an array of them, stands for its result; if body returns undefined, the results of all
 * children in the order of their creation.
 *
 * The first failure, of a child or of body, aborts the others, as by td.abort() with the failure as its reason; body's present or next blocking call throws an AbortError too. When all have
 * finished, group() throws the very error that was first. What has failed after it is its `suppressed`, an array (if it is an object), and in `g.errors`. An abort of
 * the caller, of `signal`, and `timeout` (milliseconds, 0 to 2^31-1) end it in the same way; a further abort of the caller, meanwhile, is thrown by its next wait.
 *
 * On a userthread it blocks that one; body runs on it. On the event loop it returns a promise of the same (TypeScript's type is that of a userthread: await it), and body runs on a
 * userthread of its own. Groups nest. Throws TypeError and RangeError for bad arguments. If the caller is ended by terminate() while it computes, its children are aborted, but nobody
 * waits for them. (Sources of the idea: nurseries of Trio, Java's StructuredTaskScope, Kotlin's coroutineScope)
 */
export function group<R>(
  body: (g: Group) => R,
  options?: GroupOptions,
  // biome-ignore lint/suspicious/noConfusingVoidType: what a function without return has
): [Awaited<R>] extends [void] ? unknown[] : GroupResult<Awaited<R>>;
export function group(body: (g: Group) => unknown, options: GroupOptions = {}): unknown {
  checkFunction('body', body);
  checkGroupOptions(options);
  return inGroup(body, options, resultOf);
}
