/**
 * forms.ts: the three forms of an operation: blocking (readSync), with a callback (read), as a promise (promises.read). Each operation is written once, as
 * Work.
 */
import { promisify } from 'node:util';
import { invalidType } from '@libcr/core/internal';
import { nextTick } from '../loop.ts';
import { holdingLoop } from '../port/complete.ts';
import { through } from '../port/syscall-port.ts';
import type { Work } from './work.ts';

// biome-ignore lint/suspicious/noExplicitAny: arguments are checked by the operation; types are given where it is exported
type Args = any[];
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
  async (...args: Args): Promise<R> =>
    operation(...args).promise();

export function checkCallback(callback: unknown): Callback {
  if (typeof callback !== 'function') throw invalidType('cb', 'of type function', callback);
  return callback as Callback;
}

/** Tells a callback, in a tick of its own: what it throws is an uncaught exception and no rejection. */
export function tell(
  promise: Promise<unknown>,
  callback: Callback,
  results: (r: unknown) => unknown[],
): void {
  promise.then(
    (r) => nextTick(callback, null, ...results(r)),
    (error: Error) => nextTick(callback, error),
  );
}

const one = (r: unknown): unknown[] => (r === undefined ? [] : [r]);

/** The callback is the last argument. Wrong arguments throw. */
export const called =
  <R>(operation: Operation<R>, results: (r: R, args: Args) => unknown[] = one) =>
  (...args: Args): void => {
    const callback = checkCallback(args.pop());
    tell(operation(...args).promise(), callback, (r) => results(r as R, args));
  };

/** The same for util.promisify, which has names for several results. */
export function named<F extends (...args: Args) => void>(
  fn: F,
  custom: (...args: Args) => Promise<unknown>,
): F {
  Object.defineProperty(fn, promisify.custom, { value: custom, enumerable: false });
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
