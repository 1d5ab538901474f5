/** file-handle.ts: an open file, as fs.promises.open gives it. It is no instance of Node's class, which nobody else can make. */
import { EventEmitter } from 'node:events';
import type { Mode, ReadStream, TimeLike, WriteStream } from 'node:fs';
import { createInterface, type Interface } from 'node:readline';
import type { ReadableStream } from 'node:stream/web';
import { CodedError } from '@libcr/core/internal';
import { nodeFs } from '../node-fs.ts';
import { through } from '../port/syscall-port.ts';
import * as descriptors from './descriptors.ts';
import * as files from './files.ts';
import { boundTo, called, promised } from './forms.ts';
import { type WebStreamOptions, webStreamOf } from './web-stream.ts';
import type { Work } from './work.ts';

// biome-ignore lint/suspicious/noExplicitAny: as node:fs/promises' types have them
type Any = any;

const streamFs = (handle: FileHandle): object =>
  boundTo(handle.port, {
    read: called(descriptors.read, (n, [, buffer]) => [n, buffer]),
    write: called(descriptors.write, (n, [, buffer]) => [n, buffer]),
    writev: called(descriptors.writev, (n, [, buffers]) => [n, buffers]),
    fsync: called(descriptors.fsync),
    open: () => {
      throw new CodedError('ERR_INVALID_STATE', 'the file is open');
    },
    close: (_fd: number, callback: (error?: Error | null) => void) => {
      handle.close().then(() => callback(), callback);
    },
  });

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
  const { buffer = Buffer.alloc(16384), offset, length, position } = (first ?? {}) as Record<string, unknown>;
  return [buffer as NodeJS.ArrayBufferView, offset, length, position];
}

export class FileHandle extends EventEmitter {
  private number: number;
  private closing: Promise<void> | undefined;
  private hasWebStream = false;

  /** @internal Of where it was opened: its calls go there, whoever makes them. */
  readonly port: unknown;

  /** @internal */
  constructor(fd: number, port: unknown) {
    super();
    this.number = fd;
    Object.defineProperty(this, 'port', { value: port }); // not shown
  }

  /** -1 once it is closed. */
  get fd(): number {
    return this.number;
  }

  private async work<R>(make: (fd: number) => Work<R>): Promise<R> {
    if (this.number < 0)
      throw Object.assign(new Error('file closed'), { code: 'EBADF', syscall: 'FileHandle' });
    return through(this.port, () => make(this.number).promise());
  }

  async read(...args: unknown[]): Promise<{ bytesRead: number; buffer: Any }> {
    const [buffer, ...rest] = readArguments(args);
    const bytesRead = await this.work((fd) => descriptors.read(fd, buffer, ...rest));
    return { bytesRead, buffer };
  }

  async readv(buffers: readonly NodeJS.ArrayBufferView[], position?: number | null): Promise<Any> {
    const bytesRead = await this.work((fd) => descriptors.readv(fd, buffers, position));
    return { bytesRead, buffers };
  }

  async write(data: unknown, ...rest: unknown[]): Promise<{ bytesWritten: number; buffer: Any }> {
    const bytesWritten = await this.work((fd) => descriptors.write(fd, data, ...rest));
    return { bytesWritten, buffer: data };
  }

  async writev(buffers: readonly NodeJS.ArrayBufferView[], position?: number | null): Promise<Any> {
    const bytesWritten = await this.work((fd) => descriptors.writev(fd, buffers, position));
    return { bytesWritten, buffers };
  }

  readFile(options?: unknown): Promise<Any> {
    return this.work((fd) => files.readFile(fd, options));
  }

  /** data: text, bytes, or an iterable or stream of those. */
  writeFile(data: unknown, options?: unknown): Promise<void> {
    return this.work((fd) => files.writeFileInChunks(fd, data, options));
  }

  appendFile(data: unknown, options?: unknown): Promise<void> {
    return this.work((fd) => files.appendFileInChunks(fd, data, options));
  }

  stat(options?: unknown): Promise<Any> {
    return this.work((fd) => descriptors.fstat(fd, options));
  }

  truncate(length?: number | null): Promise<void> {
    return this.work((fd) => descriptors.ftruncate(fd, length));
  }

  sync(): Promise<void> {
    return this.work(descriptors.fsync);
  }

  datasync(): Promise<void> {
    return this.work(descriptors.fdatasync);
  }

  chmod(mode: Mode): Promise<void> {
    return this.work((fd) => descriptors.fchmod(fd, mode));
  }

  chown(uid: number, gid: number): Promise<void> {
    return this.work((fd) => descriptors.fchown(fd, uid, gid));
  }

  utimes(atime: TimeLike, mtime: TimeLike): Promise<void> {
    return this.work((fd) => descriptors.futimes(fd, atime, mtime));
  }

  createReadStream(options?: object): ReadStream {
    return nodeFs.createReadStream('', { ...options, fd: this.number, fs: streamFs(this) } as Any);
  }

  createWriteStream(options?: object): WriteStream {
    return nodeFs.createWriteStream('', { ...options, fd: this.number, fs: streamFs(this) } as Any);
  }

  /**
   * The bytes from where the file is at. It ends with the file, and where that is closed. Throws ERR_INVALID_STATE for a file that is closed, or that
   * has had one.
   */
  readableWebStream(options?: WebStreamOptions): ReadableStream {
    if (this.number < 0) throw new CodedError('ERR_INVALID_STATE', 'Invalid state: The FileHandle is closed');
    if (this.hasWebStream)
      throw new CodedError('ERR_INVALID_STATE', 'Invalid state: The FileHandle is locked');
    this.hasWebStream = true;
    return webStreamOf(this, options);
  }

  /** Its lines, as for await has them. */
  readLines(options?: object): Interface {
    return createInterface({ input: this.createReadStream(options), crlfDelay: Infinity });
  }

  /** Emits 'close'. Further calls answer the same. */
  close(): Promise<void> {
    if (this.closing === undefined) {
      const fd = this.number;
      this.number = -1;
      this.closing =
        fd < 0
          ? Promise.resolve()
          : through(this.port, () => promised(descriptors.close)(fd)).then(() => void this.emit('close'));
    }
    return this.closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
