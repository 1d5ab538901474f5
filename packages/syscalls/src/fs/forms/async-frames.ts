/**
 * async-frames.ts: who has awaited what failed: errors that are made elsewhere (on a userthread, or when the kernel has answered) get the frames of the
 * asynchronous functions that wait for them, as node:fs/promises' have.
 *
 * Invariant: what an error has in its stack stays there; an error that is not the kernel's is left as it is.
 */

const ASYNC = '    at async ';

/** Who was on the stack when it was made has a frame already: of the same line. */
function isThere(frame: string, stack: string): boolean {
  const place = frame.slice(ASYNC.length).replace(/:\d+\)?$/, ':');
  return stack.includes(place.slice(place.indexOf('(') + 1));
}

/** Called in the async function that has awaited: its callers are on the stack then. */
export function withAsyncFrames(error: unknown): unknown {
  if (!(error instanceof Error) || typeof (error as { errno?: unknown }).errno !== 'number') return error;
  const { stack } = error;
  if (typeof stack !== 'string' || Error.stackTraceLimit === 0) return error;
  const holder: { stack?: string } = {};
  Error.captureStackTrace(holder, withAsyncFrames);
  const frames = String(holder.stack)
    .split('\n')
    .filter((line) => line.startsWith(ASYNC) && !isThere(line, stack));
  if (frames.length > 0) error.stack = [stack, ...frames].join('\n');
  return error;
}
