/**
 * forms.ts: the three forms of an operation: blocking (readSync), with a callback (read), as a promise (promises.read). Each operation is written once, as
 * Work.
 *
 * Not here: which function has its callback where (callbacks.ts).
 */
import { promisify } from 'node:util';
import { invalidType } from '@libcr/core/internal';
import { holdingLoop } from '../../port/complete.ts';
import { through } from '../../port/syscall-port.ts';
import { withAsyncFrames } from './async-frames.ts';
import { callInTurn } from './callbacks-in-turn.ts';
import type { Work } from './work.ts';

// biome-ignore lint/suspicious/noExplicitAny: arguments are checked by the operation; types are given where it is exported
export type Args = any[];
export type Operation<R> = (...args: Args) => Work<R>;
type Callback = (error: Error | null, ...results: unknown[]) => void;

/** On a userthread it blocks that; on the event loop's own stack it does what node:fs' function does. */
export const sync =
  <R>(operation: Operation<R>) =>
  (...args: Args): R =>
    holdingLoop(() => operation(...args).run());

/** Wrong arguments reject, too. */
export const promised =
  <R>(operation: Operation<R>) =>
  async (...args: Args): Promise<R> => {
    try {
      return await operation(...args).promise();
    } catch (error) {
      throw withAsyncFrames(error);
    }
  };

export function checkCallback(callback: unknown, name = 'cb'): Callback {
  if (typeof callback !== 'function') throw invalidType(name, 'of type function', callback);
  return callback as Callback;
}

/** Tells a callback when it is its turn. none: what stands beside an error. */
export function tell(
  promise: Promise<unknown>,
  callback: Callback,
  results: (r: unknown) => unknown[],
  none: readonly unknown[] = [],
): void {
  promise.then(
    (r) => callInTurn(callback, null, ...results(r)),
    (error: Error) => callInTurn(callback, error, ...none),
  );
}

const one = (r: unknown): unknown[] => (r === undefined ? [] : [r]);

/** Where a function has its callback, and what is left for the operation. */
export type Places = (args: Args) => readonly [callback: unknown, operands: Args];

/** The callback is argument n; those behind it do not count. */
export const at =
  (n: number): Places =>
  (args) => [args[n], args.slice(0, n)];

/** Argument n; n - 1 where that is a function: options, or a mode, may be left out. */
export const afterOptional =
  (n: number): Places =>
  (args) =>
    typeof args[n - 1] === 'function' ? [args[n - 1], args.slice(0, n - 1)] : [args[n], args.slice(0, n)];

/** Argument n, or n - 1 where there is nothing. */
export const either =
  (n: number): Places =>
  (args) => [args[n] || args[n - 1], args.slice(0, args[n] ? n : n - 1)];

/** The last argument, whatever there is. */
export const last: Places = (args) => [args.at(-1), args.slice(0, -1)];

interface CalledOptions<R> {
  /** What the callback gets behind null. */
  results?: (r: R, operands: Args) => unknown[];
  /** The callback is what is checked last, as node:fs has it in some functions. */
  callbackLast?: boolean;
  /** What the callback is called in an error. */
  name?: string;
}

/** Wrong arguments throw. */
export function called<R>(
  operation: Operation<R>,
  places: Places = last,
  { results = one, callbackLast = false, name }: CalledOptions<R> = {},
): (...args: Args) => void {
  return (...args) => {
    const [callback, operands] = places(args);
    if (!callbackLast) checkCallback(callback, name);
    const work = operation(...operands);
    const checked = checkCallback(callback, name);
    tell(work.promise(), checked, (r) => results(r as R, operands));
  };
}

/** The same for util.promisify, whose promises have names for several results. */
export function named<F extends (...args: Args) => void>(fn: F, names: readonly string[]): F {
  const value = (...args: Args): Promise<unknown> =>
    new Promise((resolve, reject) => {
      fn(...args, (error: Error | null, ...results: unknown[]) => {
        if (error === null) resolve(Object.fromEntries(names.map((name, i) => [name, results[i]])));
        else reject(error);
      });
    });
  Object.defineProperty(fn, promisify.custom, { value, enumerable: false });
  return fn;
}

/** The functions, each through that port. */
export function boundTo(port: unknown, functions: Record<string, (...args: Args) => unknown>): object {
  const bound = Object.entries(functions).map(([name, fn]) => [
    name,
    (...args: Args) => through(port, () => fn(...args)),
  ]);
  return Object.fromEntries(bound);
}
