/**
 * stream.ts: reading and writing in blocking style: one class for sockets, pipes, terminals, files and streams of Node's.
 *
 * Reading is buffered where it must be (lines), writing never is. Each call is whole, also where several userthreads use one stream:
 * readers take turns, and so do writers (turn.ts).
 *
 * Invariant: a read that fails has taken nothing: what it had received is there for the next one.
 */

import type { Duplex, Readable, Writable } from 'node:stream';
import { types } from 'node:util';
import type { WaitOptions } from '@libcr/core';
import { CodedError, inspectAsString, invalidType, outOfRange } from '@libcr/core/internal';
import { within } from '../deadline.ts';
import { Usage } from '../usage.ts';
import { type Channel, moved } from './channel.ts';
import { LineFinder, type LineOptions } from './lines.ts';
import { type DuplexStreamOptions, toDuplex, toReadable, toWritable } from './node-streams.ts';
import { ReadAhead } from './read-ahead.ts';
import { Turn } from './turn.ts';

/** What iteration reads at most at once. */
const CHUNK = 16_384;
/** So much is copied together into one write, rather than written piece by piece. */
const GATHER = 65_536;

/** So many lines that are there are taken before a call counts as one that might have waited. */
const LINES_AHEAD = 256;

function endedEarly(wanted: number, got: number): Error {
  return new CodedError(
    'ERR_STREAM_PREMATURE_CLOSE',
    `Premature close: the stream ended after ${got} of ${wanted} bytes`,
  );
}

function bytesOf(data: string | Uint8Array): Uint8Array {
  if (typeof data === 'string') return Buffer.from(data);
  if (!types.isUint8Array(data))
    throw invalidType('data', 'of type string or an instance of Uint8Array', data);
  return data;
}

function checkSize(size: number): void {
  if (!Number.isInteger(size) || size < 1) throw outOfRange('size', 'an integer >= 1', size);
}

/** How long, and until what, readAll may go on. */
export interface ReadAllOptions extends WaitOptions {
  /** Bytes; more are ERR_OUT_OF_RANGE. No limit if absent. */
  maxLength?: number | undefined;
}

export class Stream {
  /** @internal */ readonly channel: Channel;
  private readonly ahead = new ReadAhead();
  private readonly reading = new Turn('read');
  private readonly writing = new Turn('write');
  /** A buffer that read(size) has used only a small part of. */
  private spare: Buffer | undefined;
  private readonly usage: Usage;
  private writingEnded = false;
  private linesAhead = 0;

  /** @internal Made by stream(), dial(), accept(), fromStream(). */
  constructor(channel: Channel) {
    this.channel = channel;
    this.usage = new Usage(
      () => new CodedError('ERR_STREAM_DESTROYED', 'the stream is closed'),
      () => channel.close(),
    );
  }

  /** Whether close() has been called. */
  get closed(): boolean {
    return this.usage.over;
  }

  /**
   * Reads what is there: into a buffer (how many bytes; 0 at the end), or up to size bytes (a Buffer of its own; undefined at the end). Blocks
   * the running userthread until there is at least a byte. Two readers are served one after the other. Throws the socket's error as node:net has
   * it (ECONNRESET), ERR_STREAM_DESTROYED when the stream is or has been closed, AbortError, TimeoutError. (read(2), Go's net.Conn.Read)
   */
  read(buffer: Uint8Array, options?: WaitOptions): number;
  read(size?: number, options?: WaitOptions): Buffer | undefined;
  read(target: Uint8Array | number = CHUNK, options?: WaitOptions): number | Buffer | undefined {
    if (typeof target === 'number') {
      checkSize(target);
      return this.input('read()', options, () => this.readChunk(target));
    }
    if (!types.isUint8Array(target))
      throw invalidType('buffer', 'of type number or an instance of Uint8Array', target);
    return this.input('read()', options, () => this.readSome(target));
  }

  /**
   * Reads exactly so many bytes: fills a buffer (its length; 0 at the end), or answers a Buffer of size bytes (undefined at the end). Throws
   * ERR_STREAM_PREMATURE_CLOSE where the stream ends in between. Blocks and throws as read(). (Go's io.ReadFull)
   */
  readFull(buffer: Uint8Array, options?: WaitOptions): number;
  readFull(size: number, options?: WaitOptions): Buffer | undefined;
  readFull(target: Uint8Array | number, options?: WaitOptions): number | Buffer | undefined {
    if (typeof target !== 'number') {
      if (!types.isUint8Array(target))
        throw invalidType('buffer', 'of type number or an instance of Uint8Array', target);
      return this.input('readFull()', options, () => this.fill(target));
    }
    checkSize(target);
    const buffer = Buffer.allocUnsafe(target);
    return this.input('readFull()', options, () => this.fill(buffer)) === 0 ? undefined : buffer;
  }

  /** Reads a line, without its end; the last one needs none. undefined at the end. Throws ERR_LWKT_LINE_TOO_LONG; otherwise as read(). */
  readLine(options?: LineOptions & WaitOptions): string | undefined {
    const finder = new LineFinder(options);
    return this.lineAhead(finder, options) ?? this.input('readLine()', options, () => this.line(finder));
  }

  /** The lines until the end, for `for … of`. Each step blocks as readLine(); leaving the loop leaves the stream open. */
  *lines(options?: LineOptions & WaitOptions): Generator<string, void, void> {
    const finder = new LineFinder(options);
    for (;;) {
      const line = this.lineAhead(finder, options) ?? this.input('lines()', options, () => this.line(finder));
      if (line === undefined) return;
      yield line;
    }
  }

  /** What comes, as it comes, until the end. Each step blocks as read(); leaving the loop leaves the stream open. */
  *[Symbol.iterator](): Generator<Buffer, void, void> {
    for (;;) {
      const chunk = this.read();
      if (chunk === undefined) return;
      yield chunk;
    }
  }

  /** All that comes until the end. Blocks and throws as read(). (Go's io.ReadAll) */
  readAll(options?: ReadAllOptions): Buffer {
    const maxLength = options?.maxLength ?? Infinity;
    return this.input('readAll()', options, () => {
      for (;;) {
        if (this.ahead.length > maxLength)
          throw outOfRange('the stream', `at most ${maxLength} bytes`, 'more');
        if (!this.more()) return this.ahead.take(this.ahead.length);
      }
    });
  }

  /**
   * Writes all of data, text as UTF-8. Blocks the running userthread until the kernel (or the stream of Node's) has taken it; writes of
   * several userthreads are not mixed. Throws the socket's error as node:net has it (EPIPE, ECONNRESET; there is no SIGPIPE),
   * ERR_STREAM_DESTROYED, AbortError, TimeoutError, each with bytesTransferred where a part has been written. (Go's net.Conn.Write)
   */
  write(data: string | Uint8Array, options?: WaitOptions): void {
    const bytes = bytesOf(data);
    this.output('write()', options, () => this.channel.write(bytes));
  }

  /** Writes several pieces, with nothing of other writers in between. Blocks and throws as write(). (writev(2)) */
  writev(list: readonly (string | Uint8Array)[], options?: WaitOptions): void {
    if (!Array.isArray(list)) throw invalidType('list', 'an array', list);
    const pieces = list.map(bytesOf);
    const total = pieces.reduce((sum, piece) => sum + piece.byteLength, 0);
    const writes = total <= GATHER ? [Buffer.concat(pieces)] : pieces;
    this.output('writev()', options, () => {
      let done = 0;
      try {
        for (const piece of writes) {
          this.channel.write(piece);
          done += piece.byteLength;
        }
      } catch (error) {
        if (done > 0) (error as { bytesTransferred?: number }).bytesTransferred = done + moved(error);
        throw error;
      }
    });
  }

  /** Waits until what has been written has been passed on. Only a stream of Node's keeps anything back: for descriptors it does nothing. */
  flush(options?: WaitOptions): void {
    this.output('flush()', options, () => this.channel.flush());
  }

  /**
   * Ends writing, after the writes that are under way: the peer reads to the end, and can still be read from. Afterwards, writes throw
   * ERR_STREAM_WRITE_AFTER_END. Harmless when that has been done. A descriptor has to be a socket's (ENOTSOCK). (shutdown(2), Go's CloseWrite)
   */
  closeWrite(options?: WaitOptions): void {
    if (this.writingEnded && !this.closed) return;
    this.output('closeWrite()', options, () => {
      this.channel.endWriting();
      this.writingEnded = true;
    });
  }

  /**
   * Userthreads that read or write throw ERR_STREAM_DESTROYED, and when the last of them has, the descriptor is closed; if there are none, at once.
   * Does not block, also callable on thread0; harmless when it is closed. (close(2), Go's net.Conn.Close)
   */
  close(): void {
    this.setDeadline(undefined);
    this.usage.end();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /**
   * Reading and writing fail with a TimeoutError ms milliseconds (0 to 2^31-1) from now: calls that wait then, and all later ones, until another
   * deadline is set. 0 is at once; undefined is never. Callable from any userthread, and on thread0. (Go's net.Conn.SetDeadline)
   */
  setDeadline(ms: number | undefined): void {
    this.reading.setDeadline(ms);
    this.writing.setDeadline(ms);
  }

  /** As setDeadline, for reading only. */
  setReadDeadline(ms: number | undefined): void {
    this.reading.setDeadline(ms);
  }

  /** As setDeadline, for writing only. */
  setWriteDeadline(ms: number | undefined): void {
    this.writing.setDeadline(ms);
  }

  /**
   * The same as a Duplex of Node's, with backpressure both ways: it is read when the Duplex is, by a userthread on the running one's system-call
   * port. Destroying it closes this stream. Don't read or write both. For what wants a socket: node:tls, node:http's createConnection, pipeline().
   */
  toDuplex(options?: DuplexStreamOptions): Duplex {
    return toDuplex(this, options);
  }

  /** The reading side as a Readable of Node's; destroying it, or reading to its end, closes this stream. */
  toReadable(): Readable {
    return toReadable(this);
  }

  /** The writing side as a Writable of Node's; ending or destroying it closes this stream. */
  toWritable(): Writable {
    return toWritable(this);
  }

  toString(): string {
    return `${this.constructor.name} ${this.closed ? 'closed' : 'open'}`;
  }

  /** One call of a reader's. */
  private input<R>(what: string, options: WaitOptions | undefined, call: () => R): R {
    return this.inTurn(this.reading, what, options, call);
  }

  /** One call of a writer's. */
  private output<R>(what: string, options: WaitOptions | undefined, call: () => R): R {
    return this.inTurn(this.writing, what, options, () => {
      if (this.writingEnded) throw new CodedError('ERR_STREAM_WRITE_AFTER_END', 'write after end');
      return call();
    });
  }

  private inTurn<R>(turn: Turn, what: string, options: WaitOptions | undefined, call: () => R): R {
    return within(options, what, () =>
      this.usage.use(() => {
        turn.enter(what);
        try {
          return call();
        } finally {
          turn.leave();
        }
      }),
    );
  }

  /** @internal Throws where it is closed. */
  checkOpen(): void {
    this.usage.check();
  }

  private readSome(target: Uint8Array): number {
    if (target.byteLength === 0) return 0;
    return this.ahead.length > 0 ? this.ahead.takeInto(target) : this.channel.read(target);
  }

  private readChunk(size: number): Buffer | undefined {
    if (this.ahead.length > 0) return this.ahead.take(Math.min(size, this.ahead.length));
    const buffer = this.spare?.length === size ? this.spare : Buffer.allocUnsafeSlow(size);
    this.spare = undefined;
    const n = this.channel.read(buffer);
    if (n > size / 2) return buffer.subarray(0, n);
    this.spare = buffer;
    return n === 0 ? undefined : Buffer.from(buffer.subarray(0, n));
  }

  private fill(target: Uint8Array): number {
    let got = 0;
    try {
      while (got < target.byteLength) {
        const n = this.readSome(target.subarray(got));
        if (n === 0 && got === 0) return 0;
        if (n === 0) throw endedEarly(target.byteLength, got);
        got += n;
      }
      return got;
    } catch (error) {
      this.ahead.unread(target.subarray(0, got));
      throw error;
    }
  }

  /** A line that is there already, without all that goes with waiting; not for ever, as the others have to have their turn. */
  private lineAhead(finder: LineFinder, options: WaitOptions | undefined): string | undefined {
    if (options?.signal !== undefined || options?.timeout !== undefined) return undefined;
    if (this.ahead.length === 0 || !this.reading.free || this.closed || ++this.linesAhead % LINES_AHEAD === 0)
      return undefined;
    finder.restart();
    return finder.next(this.ahead);
  }

  private line(finder: LineFinder): string | undefined {
    finder.restart();
    for (;;) {
      const line = finder.next(this.ahead);
      if (line !== undefined) return line;
      if (!this.more()) return finder.last(this.ahead);
    }
  }

  /** Receives more into what is ahead; false at the end. */
  private more(): boolean {
    const n = this.channel.read(this.ahead.room());
    this.ahead.added(n);
    return n > 0;
  }
}

inspectAsString(Stream);
