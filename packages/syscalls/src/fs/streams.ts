/**
 * streams.ts: Node's own file streams over the port: their option `fs` is for that. Of a FileHandle they call its methods.
 *
 * Invariant: what a stream does on the event loop goes through the port of where it was made.
 */
import type fs from 'node:fs';
import { curthread } from '@libcr/core';
import { nodeFs } from '../node-fs.ts';
import { through } from '../port/syscall-port.ts';
import { isFileHandle } from './handles/node-class.ts';
import { current } from './node/replaced.ts';

type Options = Record<string, unknown>;

/** What the streams call. Looked up at each call, as in node:fs: a program may replace it. */
const NAMES = ['open', 'close', 'read', 'write', 'writev', 'fsync'];

function own(): Options {
  const port = curthread().syscallPort;
  return Object.fromEntries(
    NAMES.map((name) => [name, (...args: unknown[]) => through(port, () => current(name)(...args))]),
  );
}

/** Options may be inherited, too. What can't be options Node refuses. */
function withFs(options: unknown): unknown {
  if (typeof options === 'string') return { encoding: options, fs: own() };
  if (options === undefined || options === null || typeof options === 'function') return { fs: own() };
  if (typeof options !== 'object') return options;
  const given: Options = {};
  for (const name in options) given[name] = (options as Options)[name];
  if (!isFileHandle(given.fd)) given.fs ||= own();
  return given;
}

type StreamClass = typeof fs.ReadStream | typeof fs.WriteStream;

/** Node's class, with the port where no other `fs` is given: its instances are this one's, and the other way round. Called without `new` it works, too. */
function overPort<C extends StreamClass>(Class: C): C {
  const callable = Class as unknown as (...args: unknown[]) => unknown;
  function Stream(this: unknown, path: unknown, options: unknown): unknown {
    if (new.target === undefined && this instanceof Class)
      return Reflect.apply(callable, this, [path, withFs(options)]);
    return Reflect.construct(Class, [path, withFs(options)], new.target ?? Class);
  }
  Object.setPrototypeOf(Stream, Class);
  Object.defineProperty(Stream, 'name', { value: Class.name });
  Stream.prototype = Class.prototype;
  return Stream as unknown as C;
}

export const ReadStream: typeof fs.ReadStream = overPort(nodeFs.ReadStream);
export const WriteStream: typeof fs.WriteStream = overPort(nodeFs.WriteStream);

// Functions, as in node:fs: some call them with `new`.
export const createReadStream: typeof fs.createReadStream = function createReadStream(path, options) {
  return Reflect.construct(ReadStream, [path, options]);
};

export const createWriteStream: typeof fs.createWriteStream = function createWriteStream(path, options) {
  return Reflect.construct(WriteStream, [path, options]);
};
