/**
 * node-streams.ts: a Stream as streams of Node's. Each chunk is read and written by a userthread made for it, in blocking style, and only when
 * Node asks: so backpressure goes both ways.
 *
 * Not here: the other direction (node-channel.ts).
 */
import { Duplex, Readable, Writable } from 'node:stream';
import { create, curthread } from '@libcr/core';
import type { Stream } from './stream.ts';

/** What is read at most at once: as much as node:net does. */
const CHUNK = 65_536;

export interface DuplexStreamOptions {
  /** false: ends writing when the peer does. true if absent, as of stream.Duplex. */
  allowHalfOpen?: boolean | undefined;
}

type Done = (error?: Error | null) => void;

/** Runs blocking code on a userthread, by the system-call port of the thread that asked for the stream. */
function runner(): <R>(call: () => R, done: (error: Error | null, value?: R) => void) => void {
  const { syscallPort } = curthread();
  return (call, done) => {
    create(call as () => never, { name: 'stream', syscallPort }).finished.then(
      (value) => done(null, value),
      (error: Error) => done(error),
    );
  };
}

function readingOf(stream: Stream): { read(this: Readable): void } {
  const run = runner();
  return {
    read() {
      run(
        () => stream.read(CHUNK),
        (error, chunk) => {
          if (error === null) this.push(chunk ?? null);
          else this.destroy(error);
        },
      );
    },
  };
}

function writingOf(stream: Stream): {
  write(chunk: Uint8Array, encoding: BufferEncoding, done: Done): void;
  writev(chunks: { chunk: Uint8Array }[], done: Done): void;
} {
  const run = runner();
  return {
    write(chunk, _encoding, done) {
      run(() => stream.write(chunk), done);
    },
    writev(chunks, done) {
      run(() => stream.writev(chunks.map(({ chunk }) => chunk)), done);
    },
  };
}

function closingOf(stream: Stream): { destroy(error: Error | null, done: Done): void } {
  return {
    destroy(error, done) {
      try {
        stream.close();
      } catch (failure) {
        done(error ?? (failure as Error));
        return;
      }
      done(error);
    },
  };
}

export function toDuplex(stream: Stream, { allowHalfOpen = true }: DuplexStreamOptions = {}): Duplex {
  const run = runner();
  return new Duplex({
    allowHalfOpen,
    ...readingOf(stream),
    ...writingOf(stream),
    ...closingOf(stream),
    final: (done) => run(() => stream.closeWrite(), done),
  });
}

export function toReadable(stream: Stream): Readable {
  return new Readable({ ...readingOf(stream), ...closingOf(stream) });
}

export function toWritable(stream: Stream): Writable {
  const run = runner();
  return new Writable({
    ...writingOf(stream),
    ...closingOf(stream),
    final: (done) => run(() => stream.flush(), done),
  });
}
