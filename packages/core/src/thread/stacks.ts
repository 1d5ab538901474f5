/**
 * stacks.ts: reads the stacks of errors and adds to them. Both may run the program's own code: Error.prepareStackTrace (which may answer anything),
 * getters, the traps of proxies. What that throws ends here: to add a line is never worth an error.
 *
 * Only call addToStack where a thread may wait: that code may do so.
 */
import { isError } from '../errors/brands.ts';

const { captureStackTrace } = Error;

/** Adds lines to the stack of an error, if it has one that is a text and can be changed. Anything else stays as it is. */
export function addToStack(error: unknown, lines: string): void {
  try {
    if (!isError(error) || !Object.isExtensible(error)) return;
    const { stack } = error;
    if (typeof stack === 'string') error.stack = `${stack}\n${lines}`;
  } catch {
    // its stack can't be had, or is read-only
  }
}

/** The frames that called the function `above`, as lines of text; whatever way of its own the program has to format stacks. */
export function callersOf(above: (...args: never[]) => unknown): string | undefined {
  try {
    const { prepareStackTrace } = Error;
    const here: { stack?: unknown } = {};
    try {
      if (prepareStackTrace !== undefined) Error.prepareStackTrace = undefined as never;
      captureStackTrace(here, above);
      return typeof here.stack === 'string' ? here.stack.split('\n').slice(1).join('\n') : undefined;
    } finally {
      if (prepareStackTrace !== undefined) Error.prepareStackTrace = prepareStackTrace;
    }
  } catch {
    return undefined; // Error is frozen, say
  }
}
