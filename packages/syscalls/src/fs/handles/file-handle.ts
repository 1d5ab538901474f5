/**
 * file-handle.ts: an open file, as fs.promises.open gives it: an instance of Node's own class, so that what knows that class takes it, too (its streams, http2,
 * postMessage). Opening, counting and closing are Node's; every operation goes through the port.
 *
 * Invariant: Node's class is above this one before there is an instance.
 */
import { EventEmitter } from 'node:events';
import type { Mode, TimeLike } from 'node:fs';
import { curthread } from '@libcr/core';
import { CodedError, invalidType } from '@libcr/core/internal';
import { through } from '../../port/syscall-port.ts';
import * as descriptors from '../arguments/descriptors.ts';
import * as files from '../files.ts';
import { withAsyncFrames } from '../forms/async-frames.ts';
import type { Work } from '../forms/work.ts';
import { hasOtherWebStreams } from '../node/this-node.ts';
import { type NativeHandle, type NodeClass, type NodeKeys, nodeClass } from './node-class.ts';
import { OpenFile } from './open-file.ts';

// biome-ignore lint/suspicious/noExplicitAny: as node:fs/promises' types have them
type Any = any;

let keys: NodeKeys | undefined;

const fileOf = (handle: FileHandle): OpenFile => (handle as Any)[(keys as NodeKeys).handle];

/** How read may be called: (buffer, offset, length, position), (buffer, options), (options). */
function readArguments(args: unknown[]): [buffer: NodeJS.ArrayBufferView, ...rest: unknown[]] {
  const [first, second, ...rest] = args;
  if (ArrayBuffer.isView(first)) {
    if (typeof second === 'object' && second !== null) {
      const { offset, length, position } = second as Record<string, unknown>;
      return [first as NodeJS.ArrayBufferView, offset, length, position];
    }
    return [first as NodeJS.ArrayBufferView, second, ...rest];
  }
  if (first !== undefined && (typeof first !== 'object' || Array.isArray(first)))
    throw invalidType('options', 'of type object', first);
  const { buffer = Buffer.alloc(16384), offset, length, position } = (first ?? {}) as Record<string, unknown>;
  return [buffer as NodeJS.ArrayBufferView, offset, length, position];
}

/** Since Node 24 it says why it is closed. */
function closedError(handle: FileHandle, syscall: string): Error {
  const key = Object.getOwnPropertySymbols(handle).find(({ description }) => description === 'kCloseReason');
  const reason = key === undefined ? undefined : (handle as Any)[key];
  return Object.assign(new Error(reason ?? 'file closed'), { code: 'EBADF', syscall });
}

/** What a method does, while close() waits. name: which call a closed one is an error of. */
async function use<R>(handle: FileHandle, name: string, make: (fd: number) => Work<R>): Promise<R> {
  if (!(handle instanceof FileHandle))
    throw new CodedError('ERR_INTERNAL_ASSERTION', 'handle must be an instance of FileHandle');
  const { fd } = handle;
  if (fd < 0) throw closedError(handle, name);
  (handle as Any)[(keys as NodeKeys).ref]();
  try {
    return await through(fileOf(handle).port, () => make(fd).promise());
  } catch (error) {
    throw withAsyncFrames(error);
  } finally {
    (handle as Any)[(keys as NodeKeys).unref]();
  }
}

/** Further methods (close, createReadStream, readLines, …) and `fd`, -1 once it is closed, are Node's. */
export class FileHandle extends EventEmitter {
  declare readonly fd: number;

  /** @internal */
  constructor(file: OpenFile) {
    super(file as Any);
    file.belongsTo(this);
  }

  async read(...args: unknown[]): Promise<{ bytesRead: number; buffer: Any }> {
    const [buffer, ...rest] = readArguments(args);
    const bytesRead = await use(this, 'read', (fd) => descriptors.read(fd, buffer, ...rest));
    return { bytesRead, buffer };
  }

  async readv(buffers: readonly NodeJS.ArrayBufferView[], position?: number | null): Promise<Any> {
    const bytesRead = await use(this, 'readv', (fd) => descriptors.readv(fd, buffers, position));
    return { bytesRead, buffers };
  }

  async write(data: unknown, ...rest: unknown[]): Promise<{ bytesWritten: number; buffer: Any }> {
    // Nothing is written from nothing, wherever to.
    const isEmpty = (data as { byteLength?: unknown } | null | undefined)?.byteLength === 0;
    if (isEmpty && this.fd >= 0) return { bytesWritten: 0, buffer: data };
    const bytesWritten = await use(this, 'write', (fd) => descriptors.write(fd, data, ...rest));
    return { bytesWritten, buffer: data };
  }

  async writev(buffers: readonly NodeJS.ArrayBufferView[], position?: number | null): Promise<Any> {
    const bytesWritten = await use(this, 'writev', (fd) => descriptors.writev(fd, buffers, position));
    return { bytesWritten, buffers };
  }

  readFile(options?: unknown): Promise<Any> {
    return use(this, 'readFile', (fd) => files.readFileOfPromises(fd, options));
  }

  /** data: text, bytes, or an iterable or stream of those. */
  writeFile(data: unknown, options?: unknown): Promise<void> {
    return use(this, 'writeFile', (fd) => files.writeFileInChunks(fd, data, options));
  }

  appendFile(data: unknown, options?: unknown): Promise<void> {
    return use(this, 'writeFile', (fd) => files.appendFileInChunks(fd, data, options));
  }

  stat(options?: unknown): Promise<Any> {
    return use(this, 'fstat', (fd) => descriptors.fstat(fd, options));
  }

  truncate(length?: number | null): Promise<void> {
    return use(this, 'ftruncate', (fd) => descriptors.ftruncate(fd, length));
  }

  sync(): Promise<void> {
    return use(this, 'fsync', descriptors.fsync);
  }

  datasync(): Promise<void> {
    return use(this, 'fdatasync', descriptors.fdatasync);
  }

  chmod(mode: Mode): Promise<void> {
    return use(this, 'fchmod', (fd) => descriptors.fchmod(fd, mode));
  }

  chown(uid: number, gid: number): Promise<void> {
    return use(this, 'fchown', (fd) => descriptors.fchown(fd, uid, gid));
  }

  utimes(atime: TimeLike, mtime: TimeLike): Promise<void> {
    return use(this, 'futimes', (fd) => descriptors.futimes(fd, atime, mtime));
  }
}

/** For postMessage: the object that goes along, and then what stays. Node's class refuses while the file is in use. */
function carry({ FileHandle: OfNode, Native, keys: { transfer, transferList } }: NodeClass): void {
  const methods: Record<symbol, (this: FileHandle) => unknown> = {
    [transferList]() {
      return this.fd < 0 ? [] : [fileOf(this).native(Native)];
    },
    [transfer]() {
      const file = fileOf(this);
      const answer = OfNode.prototype[transfer].call(this);
      return { ...answer, data: { handle: file.carried() } };
    },
  };
  for (const key of [transfer, transferList])
    Object.defineProperty(FileHandle.prototype, key, { value: methods[key] });
}

/** Node 20's other kind of web stream, the default there, reads past the port. One of bytes can be used as that. */
function onlyBytes({ FileHandle: OfNode }: NodeClass): void {
  const { readableWebStream } = OfNode.prototype;
  Object.defineProperty(FileHandle.prototype, 'readableWebStream', {
    configurable: true,
    writable: true,
    value(this: FileHandle, options?: { type?: unknown }) {
      return readableWebStream.call(this, { ...options, type: options?.type ?? 'bytes' });
    },
  });
}

/** What a port has brought becomes one of ours, while ours are node:fs'. */
function receive(
  { FileHandle: { prototype } }: NodeClass,
  { deserialize, handle, fd }: NodeKeys,
): () => void {
  const before = Object.getOwnPropertyDescriptor(prototype, deserialize) as PropertyDescriptor;
  Object.defineProperty(prototype, deserialize, {
    ...before,
    value(this: Any, { handle: brought }: { handle: NativeHandle }) {
      const file = new OpenFile(brought.fd, curthread().syscallPort, undefined);
      brought.releaseFD();
      this[handle] = file;
      this[fd] = file.fd;
      Object.setPrototypeOf(this, FileHandle.prototype);
      file.belongsTo(this);
    },
  });
  return () => void Object.defineProperty(prototype, deserialize, before);
}

async function adopt(): Promise<NodeClass> {
  const found = await nodeClass();
  if (keys !== undefined) return found;
  keys = found.keys;
  Object.setPrototypeOf(FileHandle, found.FileHandle);
  Object.setPrototypeOf(FileHandle.prototype, found.FileHandle.prototype);
  carry(found);
  if (hasOtherWebStreams) onlyBytes(found);
  return found;
}

/** For installFs(): begins to receive, as soon as that can be; the answer ends it. */
export function receiveHandles(): { ready: Promise<void>; end: () => void } {
  let ended = false;
  let end = (): void => {};
  const ready = adopt().then(
    (found) => {
      if (!ended) end = receive(found, found.keys);
    },
    () => {}, // said by who opens a file
  );
  return {
    ready,
    end: () => {
      ended = true;
      end();
    },
  };
}

/** The handle of a file that is being opened. */
export async function handleOf(opening: Promise<number>, port: unknown, path: unknown): Promise<FileHandle> {
  const [, ready] = keys === undefined ? await Promise.allSettled([opening, adopt()]) : [];
  const file = new OpenFile(await opening, port, path);
  if (ready?.status === 'rejected') {
    await file.close();
    throw ready.reason;
  }
  return new FileHandle(file);
}
