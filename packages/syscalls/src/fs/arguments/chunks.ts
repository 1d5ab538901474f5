/**
 * chunks.ts: what node:fs/promises' writeFile and appendFile take besides text and bytes: iterables, asynchronous ones and streams, gone through in
 * blocking style.
 *
 * Not here: the writing (files.ts).
 *
 * Invariant: who has begun an iteration ends it, also where it does not get to its end.
 */
import { types } from 'node:util';
import { curthread, wait } from '@libcr/core';
import { isAbortOf, throwIfAborted } from '@libcr/core/internal';

export type Chunks = AsyncIterable<unknown> | Iterable<unknown>;

type AnyIterator = Pick<AsyncIterator<unknown> | Iterator<unknown>, 'next' | 'return'>;

/** Text and bytes are iterable too, but are meant as a whole. */
export function isChunks(data: unknown): data is Chunks {
  if (typeof data !== 'object' || data === null || ArrayBuffer.isView(data)) return false;
  const { [Symbol.asyncIterator]: later, [Symbol.iterator]: now } = data as Record<symbol, unknown>;
  return typeof later === 'function' || typeof now === 'function';
}

/** What an iterator says to its end does not count beside the error that ended it. */
function end(iterator: AnyIterator, inTime: boolean): void {
  try {
    const ended: unknown = iterator.return?.();
    if (inTime) wait(ended);
    else if (types.isPromise(ended)) ended.catch(() => {});
  } catch {
    // told already: why it was ended
  }
}

/**
 * As `for await`: what an iterable that is not asynchronous gives is waited for. Blocks the running userthread only. An abort does not wait for what
 * the iterable is at; it is told to end.
 */
export function forEachChunk(chunks: Chunks, use: (chunk: unknown) => void): void {
  const { [Symbol.asyncIterator]: later, [Symbol.iterator]: now } = chunks as AsyncIterable<unknown> &
    Iterable<unknown>;
  const iterator: AnyIterator = (later ?? now).call(chunks);
  let itsOwn = false;
  try {
    for (;;) {
      throwIfAborted();
      itsOwn = true;
      const { done, value } = wait(iterator.next()) as IteratorResult<unknown>;
      itsOwn = false;
      if (done === true) return;
      use(later === undefined || later === null ? wait(value) : value);
    }
  } catch (error) {
    const aborted = isAbortOf(curthread(), error);
    if (aborted || !itsOwn) end(iterator, !aborted);
    throw error;
  }
}
