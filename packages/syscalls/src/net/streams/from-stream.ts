/** from-stream.ts: streams of Node's, and of the web, in blocking style. */
import { Duplex, Readable, Writable } from 'node:stream';
import type { ReadableStream, WritableStream } from 'node:stream/web';
import { invalidType } from '@libcr/core/internal';
import { NodeChannel } from './node-channel.ts';
import { Stream } from './stream.ts';

type WebPair = { readable: ReadableStream; writable: WritableStream };

function isReadable(value: unknown): value is Readable {
  return (
    typeof (value as Partial<Readable>).read === 'function' && typeof (value as Readable).on === 'function'
  );
}

function isWritable(value: unknown): value is Writable {
  return (
    typeof (value as Partial<Writable>).write === 'function' && typeof (value as Writable).on === 'function'
  );
}

const has = (value: unknown, ...methods: string[]): boolean =>
  typeof value === 'object' &&
  value !== null &&
  methods.every((name) => typeof (value as Record<string, unknown>)[name] === 'function');

const isWebReadable = (value: unknown): value is ReadableStream =>
  has(value, 'getReader', 'pipeThrough', 'cancel');
const isWebWritable = (value: unknown): value is WritableStream => has(value, 'getWriter', 'abort');

function isWebPair(value: object): value is WebPair {
  const { readable, writable } = value as Partial<WebPair>;
  return isWebReadable(readable) && isWebWritable(writable);
}

/**
 * A stream of bytes of Node's (a Readable, a Writable, or both: net.Socket, process.stdin, zlib, a child's stdout) or of the web (a fetch's body,
 * a TransformStream) as a Stream in blocking style. It is the Stream's from now on: it reads in paused mode, and close() destroys it. write()
 * returns when the stream wants more, flush() when all has been passed on. Does not block. Throws TypeError for what is no stream.
 */
export function fromStream(source: Readable | Writable | ReadableStream | WritableStream | WebPair): Stream {
  if (typeof source !== 'object' || source === null) throw invalidType('source', 'a stream', source);
  if (isWebReadable(source)) return new Stream(new NodeChannel(Readable.fromWeb(source), undefined));
  if (isWebWritable(source)) return new Stream(new NodeChannel(undefined, Writable.fromWeb(source)));
  if (isWebPair(source)) {
    const duplex = Duplex.fromWeb(source);
    return new Stream(new NodeChannel(duplex, duplex));
  }
  const readable = isReadable(source) ? source : undefined;
  const writable = isWritable(source) ? source : undefined;
  if (readable === undefined && writable === undefined) throw invalidType('source', 'a stream', source);
  return new Stream(new NodeChannel(readable, writable));
}
