/** files.ts: operations on whole files, of several system calls: readFile, writeFile, appendFile, truncate. */
import { curthread, wait } from '@libcr/core';
import { invalidType, isAbortSignal, thread0 } from '@libcr/core/internal';
import { failure } from '../failure.ts';
import { constants as c } from '../generated/constants.ts';
import { send } from '../port/send.ts';
import {
  type CheckedPath,
  checkBoolean,
  checkFd,
  checkFlags,
  checkInteger,
  checkMode,
  checkOptions,
  checkPath,
  isFd,
} from './arguments/arguments.ts';
import { forEachChunk, isChunks } from './arguments/chunks.ts';
import { close, fsync, ftruncate, open } from './arguments/descriptors.ts';
import { Readiness } from './forms/ready.ts';
import { Steps, type Work } from './forms/work.ts';
import { replacement } from './node/replaced.ts';
import { readErrorsNameFiles, truncatesDescriptors } from './node/this-node.ts';
import { kindOf } from './stat/kind.ts';

const CHUNK = 65536;
/** As much as node:fs reads at most. */
const SIZE_MAX = 2 ** 31 - 1;

/** What only has the properties of a signal can be asked and not listened to: as a proxy, which Steps knows for that. */
function askable(signal: AbortSignal | undefined): AbortSignal | undefined {
  return signal === undefined || isAbortSignal(signal) ? signal : new Proxy(signal, {});
}

/** Opens, does, closes; whatever happens. */
function opened<R>(path: CheckedPath, flags: number, mode: number, work: (fd: number) => R): R {
  const fd = open(path, flags, mode).run();
  try {
    return work(fd);
  } finally {
    close(fd).run();
  }
}

/** What is read next. Of a pipe or terminal that does not wait, and has nothing yet, it is waited for: to the end is what has been asked for. */
function readSome(fd: number, buffer: Buffer, offset: number): number {
  const room = offset === 0 ? buffer : buffer.subarray(offset);
  let readiness: Readiness | undefined;
  for (;;) {
    const reply = send(c.SYS_read, fd, room, room.length);
    if (reply >= 0) return reply;
    if (reply !== -c.EAGAIN) throw failure(reply, 'read');
    readiness ??= new Readiness(fd, c.POLLIN);
    readiness.wait();
  }
}

/** From the position of fd to the end. */
export function readToEnd(fd: number): Buffer {
  const { type, size } = kindOf('fstat', fd);
  if (type === c.S_IFREG && size > 0) {
    if (size > SIZE_MAX)
      throw Object.assign(new RangeError(`File size (${size}) is greater than 2 GiB`), {
        code: 'ERR_FS_FILE_TOO_LARGE',
      });
    const buffer = Buffer.allocUnsafe(size);
    let done = 0;
    while (done < size) {
      const n = readSome(fd, buffer, done);
      if (n === 0) break;
      done += n;
    }
    return done === size ? buffer : buffer.subarray(0, done);
  }
  const chunks: Buffer[] = [];
  for (;;) {
    const buffer = Buffer.allocUnsafeSlow(CHUNK);
    const n = readSome(fd, buffer, 0);
    if (n === 0) return Buffer.concat(chunks);
    chunks.push(buffer.subarray(0, n));
  }
}

export function writeAll(fd: number, data: NodeJS.ArrayBufferView): void {
  let readiness: Readiness | undefined;
  for (let done = 0; done < data.byteLength; ) {
    const rest =
      done === 0 ? data : new Uint8Array(data.buffer, data.byteOffset + done, data.byteLength - done);
    const reply = send(c.SYS_write, fd, rest, rest.byteLength);
    if (reply >= 0) done += reply;
    else if (reply !== -c.EAGAIN) throw failure(reply, 'write');
    else {
      readiness ??= new Readiness(fd, c.POLLOUT);
      readiness.wait();
    }
  }
}

interface Reading {
  /** An empty flag is none. */
  anyFlag: boolean;
  /** An error of the reading, too, says which file. */
  namesFile: boolean;
}

/** read's error, with the path that has been opened. */
function withPath(error: unknown, path: CheckedPath): unknown {
  const { errno, syscall } = error as { errno?: number; syscall?: string };
  return syscall === 'read' && errno !== undefined ? failure(errno, 'read', path) : error;
}

function reading(path: unknown, options: unknown, { anyFlag, namesFile }: Reading): Work<string | Buffer> {
  const { encoding, signal, flag } = checkOptions(options);
  const finish = (bytes: Buffer): string | Buffer =>
    encoding ? bytes.toString(encoding as BufferEncoding) : bytes;
  if (isFd(path)) {
    const fd = checkFd(path);
    return new Steps('fs.readFile', () => finish(readToEnd(fd)), askable(signal));
  }
  const flags = checkFlags(anyFlag ? flag || 'r' : flag, 'r', 'options.flag');
  const checked = checkPath(path);
  const main = (): string | Buffer => {
    try {
      return finish(opened(checked, flags, 0o666, readToEnd));
    } catch (error) {
      throw namesFile ? withPath(error, checked) : error;
    }
  };
  return new Steps('fs.readFile', main, askable(signal));
}

export function readFile(path: unknown, options?: unknown): Work<string | Buffer> {
  return reading(path, options, { anyFlag: false, namesFile: false });
}

/** With a callback. */
export function readFileCalled(path: unknown, options?: unknown): Work<string | Buffer> {
  return reading(path, options, { anyFlag: false, namesFile: readErrorsNameFiles });
}

/** As node:fs/promises has it. */
export function readFileOfPromises(path: unknown, options?: unknown): Work<string | Buffer> {
  return reading(path, options, { anyFlag: true, namesFile: readErrorsNameFiles });
}

function bytesOf(data: unknown, encoding: string | null | undefined): NodeJS.ArrayBufferView {
  if (ArrayBuffer.isView(data)) return data as NodeJS.ArrayBufferView;
  if (typeof data !== 'string')
    throw invalidType('data', 'of type string or an instance of Buffer, TypedArray, or DataView', data);
  return Buffer.from(data, (encoding || 'utf8') as BufferEncoding);
}

/** Writes data to an open file, from its position. */
type Writer = (fd: number) => void;

function wholeWriter(data: unknown, encoding: string | null | undefined): Writer {
  const bytes = bytesOf(data, encoding);
  return (fd) => writeAll(fd, bytes);
}

function chunksWriter(data: unknown, encoding: string | null | undefined): Writer {
  if (!isChunks(data)) return wholeWriter(data, encoding);
  return (fd) =>
    forEachChunk(data, (chunk) => {
      // What is no chunk, Buffer.from refuses, with Node's error.
      const bytes = ArrayBuffer.isView(chunk)
        ? (chunk as NodeJS.ArrayBufferView)
        : Buffer.from(chunk as string, (encoding || 'utf8') as BufferEncoding);
      writeAll(fd, bytes);
    });
}

function put(
  path: unknown,
  data: unknown,
  options: unknown,
  absent: string,
  writerOf: typeof wholeWriter,
): Work<void> {
  const { encoding, signal, flag, mode, flush } = checkOptions(options);
  checkBoolean(flush, 'options.flush');
  const write = writerOf(data, encoding);
  const work = (fd: number): void => {
    write(fd);
    if (flush === true) flushed(fd);
  };
  if (isFd(path)) {
    const fd = checkFd(path);
    return new Steps('fs.writeFile', () => work(fd), askable(signal));
  }
  const [checked, flags, bits] = [checkPath(path), checkFlags(flag || absent), checkMode(mode, 0o666)];
  return new Steps('fs.writeFile', () => opened(checked, flags, bits, work), askable(signal));
}

/** Where the program has an fsync of its own, that is called. */
function flushed(fd: number): void {
  const [atOnce, later] = [replacement('fsyncSync'), replacement('fsync')];
  if (atOnce !== undefined && (later === undefined || curthread() === thread0)) atOnce(fd);
  else if (later === undefined) fsync(fd).run();
  else
    wait(
      new Promise<void>((resolve, reject) => {
        later(fd, (error: Error | null) => (error === null ? resolve() : reject(error)));
      }),
    );
}

export function writeFile(path: unknown, data: unknown, options?: unknown): Work<void> {
  return put(path, data, options, 'w', wholeWriter);
}

export function appendFile(path: unknown, data: unknown, options?: unknown): Work<void> {
  return put(path, data, options, 'a', wholeWriter);
}

/** writeFile as node:fs/promises has it: data may also come in chunks, which only a userthread can wait for. */
export function writeFileInChunks(path: unknown, data: unknown, options?: unknown): Work<void> {
  return put(path, data, options, 'w', chunksWriter);
}

/** appendFile as node:fs/promises has it. */
export function appendFileInChunks(path: unknown, data: unknown, options?: unknown): Work<void> {
  return put(path, data, options, 'a', chunksWriter);
}

let warned = false;

/** A descriptor in the place of a path: deprecated, and said once. */
function truncateDescriptor(fd: number, length: unknown): Work<void> {
  if (!warned)
    process.emitWarning(
      'Using fs.truncate with a file descriptor is deprecated. Please use fs.ftruncate with a file descriptor instead.',
      'DeprecationWarning',
      'DEP0081',
    );
  warned = true;
  return ftruncate(fd, length);
}

export function truncate(path: unknown, length: unknown = 0): Work<void> {
  if (typeof path === 'number' && truncatesDescriptors) return truncateDescriptor(path, length);
  return truncateOfPromises(path, length);
}

/** As node:fs/promises has it, which has never taken a descriptor there. */
export function truncateOfPromises(path: unknown, length: unknown = 0): Work<void> {
  const size = Math.max(0, checkInteger(length, 'len'));
  const checked = checkPath(path);
  return new Steps('fs.truncate', () =>
    opened(checked, c.O_RDWR | c.O_CLOEXEC, 0o666, (fd) => ftruncate(fd, size).run()),
  );
}
