/**
 * node-channel.ts: a stream of Node's as a channel: paused reading, so that nothing is received that nobody wants, and writing that waits
 * for 'drain'.
 *
 * An error of the stream is thrown by the next call, and by those that wait; it never becomes an 'error' that nobody listens to.
 */

import type { Duplex, Readable, Writable } from 'node:stream';
import { types } from 'node:util';
import { curthread, type UserThread } from '@libcr/core';
import { blockUntil, CodedError, invalidType, wake } from '@libcr/core/internal';
import type { Channel } from './channel.ts';

const EVENTS = ['readable', 'end', 'error', 'close', 'drain', 'finish'] as const;

function destroyed(what: string): Error {
  return new CodedError('ERR_STREAM_DESTROYED', `${what}: the stream is closed`);
}

/** A chunk's bytes. Text has the encoding that the stream was set to. */
function bytesOf(chunk: unknown, encoding: BufferEncoding | null): Uint8Array {
  if (types.isUint8Array(chunk)) return chunk;
  if (typeof chunk === 'string') return Buffer.from(chunk, encoding ?? 'utf8');
  throw invalidType('chunk', 'of type string or an instance of Uint8Array (not a stream of objects)', chunk);
}

export class NodeChannel implements Channel {
  private readonly readable: Readable | undefined;
  private readonly writable: Writable | undefined;
  private readonly waiting = new Set<UserThread>();
  private chunk: Uint8Array | undefined;
  private error: Error | undefined;
  /** Writes that Node has not called back for. */
  private pending = 0;

  constructor(readable: Readable | undefined, writable: Writable | undefined) {
    this.readable = readable;
    this.writable = writable;
    for (const stream of new Set<Readable | Writable | undefined>([readable, writable])) {
      if (stream === undefined) continue;
      for (const event of EVENTS) {
        if (event === 'readable' && stream !== readable) continue;
        (stream as Duplex).on(event, (error?: unknown) => {
          if (event === 'error') this.error ??= error as Error;
          this.stir();
        });
      }
      this.error ??= stream.errored ?? undefined;
    }
  }

  read(target: Uint8Array): number {
    const { readable } = this;
    if (readable === undefined) throw invalidType('stream', 'a Readable', this.writable);
    this.wait('read()', () => {
      if (this.chunk !== undefined) return true;
      const chunk: unknown = readable.read();
      if (chunk !== null) this.chunk = bytesOf(chunk, readable.readableEncoding);
      if (this.chunk?.byteLength === 0) this.chunk = undefined;
      return (
        this.chunk !== undefined || readable.readableEnded || this.error !== undefined || readable.destroyed
      );
    });
    if (this.chunk === undefined) {
      if (this.error !== undefined) throw this.error;
      if (readable.readableEnded) return 0;
      throw new CodedError('ERR_STREAM_PREMATURE_CLOSE', 'Premature close');
    }
    const taken = this.chunk.subarray(0, target.byteLength);
    target.set(taken);
    this.chunk = taken.byteLength < this.chunk.byteLength ? this.chunk.subarray(taken.byteLength) : undefined;
    return taken.byteLength;
  }

  write(data: Uint8Array): void {
    const writable = this.usable('write()');
    this.pending++;
    // A copy: Node keeps it, and the caller may use its buffer again.
    const room = writable.write(Buffer.from(data), () => {
      this.pending--;
      this.stir();
    });
    if (room) return;
    try {
      this.wait('write()', () => !writable.writableNeedDrain || this.broken(writable));
    } catch (error) {
      (error as { bytesTransferred?: number }).bytesTransferred = data.byteLength;
      throw error;
    }
    this.usable('write()');
  }

  flush(): void {
    const writable = this.usable('flush()');
    this.wait('flush()', () => this.pending === 0 || this.broken(writable));
    if (this.pending > 0) this.usable('flush()');
  }

  endWriting(): void {
    const writable = this.usable('closeWrite()');
    writable.end();
    this.wait('closeWrite()', () => writable.writableFinished || this.broken(writable));
    if (!writable.writableFinished) this.usable('closeWrite()');
  }

  close(): void {
    this.readable?.destroy();
    if ((this.writable as unknown) !== this.readable) this.writable?.destroy();
  }

  private usable(what: string): Writable {
    if (this.writable === undefined) throw invalidType('stream', 'a Writable', this.readable);
    if (this.error !== undefined) throw this.error;
    if (this.writable.destroyed) throw destroyed(what);
    return this.writable;
  }

  private broken(stream: Writable): boolean {
    return this.error !== undefined || stream.destroyed;
  }

  private wait(what: string, ready: () => boolean): void {
    const td = curthread();
    this.waiting.add(td);
    try {
      blockUntil(what, ready);
    } finally {
      this.waiting.delete(td);
    }
  }

  private stir(): void {
    for (const td of this.waiting) wake(td);
  }
}
