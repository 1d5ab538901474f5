/** serve.ts: a userthread for each connection of a listener, and what becomes of failures. */
import { create, curthread, sleep } from '@libcr/core';
import { blockUntil, invalidType, wake } from '@libcr/core/internal';
import type { Conn } from './conn.ts';
import type { Listener } from './listener.ts';

export type Handler = (conn: Conn) => void;

export interface ServeOptions {
  /**
   * Is told of what a handler has thrown, with its connection, and of failures to accept, without one. If absent: a peer that has gone away is
   * nobody's affair; other failures of handlers count as unhandled rejections; a failure to accept is a process warning, once in a row.
   */
  onError?: ((error: Error, conn: Conn | undefined) => void) | undefined;
}

/** There is nothing left for another connection now: that may change. */
const EXHAUSTED: ReadonlySet<unknown> = new Set(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM']);
/** Milliseconds until accepting is tried again. */
const PAUSE = 50;
/** What a peer's going away looks like. */
const GONE: ReadonlySet<unknown> = new Set(['ECONNRESET', 'EPIPE', 'ETIMEDOUT']);

const codeOf = (error: unknown): unknown => (error as NodeJS.ErrnoException | undefined)?.code;

export function serve(listener: Listener, handler: Handler, { onError }: ServeOptions = {}): void {
  if (typeof handler !== 'function') throw invalidType('handler', 'of type function', handler);
  const me = curthread();
  let handlers = 0;
  let warned = false;

  const handle = (conn: Conn): void => {
    try {
      handler(conn);
    } catch (error) {
      if (onError !== undefined) onError(error as Error, conn);
      else if (!GONE.has(codeOf(error))) throw error;
    } finally {
      conn.close();
      handlers--;
      if (handlers === 0) wake(me);
    }
  };

  for (;;) {
    try {
      for (const conn of listener) {
        warned = false;
        handlers++;
        create(() => handle(conn), { name: String(conn) });
      }
      break;
    } catch (error) {
      if (!EXHAUSTED.has(codeOf(error))) throw error;
      if (onError !== undefined) onError(error as Error, undefined);
      else if (!warned) process.emitWarning(error as Error);
      warned = true;
    }
    sleep(PAUSE);
  }
  blockUntil('serve(): its handlers', () => handlers === 0);
}
