/** files.ts: operations on whole files, of several system calls: readFile, writeFile, appendFile, copyFile, truncate. */
import { constants as fsConstants } from 'node:fs';
import { invalidType } from '@libcr/core/internal';
import { readU64 } from '../codec/words.ts';
import { failure } from '../failure.ts';
import { constants as c } from '../generated/constants.ts';
import { send } from '../port/send.ts';
import {
  type CheckedPath,
  checkBits,
  checkFd,
  checkFlags,
  checkInteger,
  checkMode,
  checkOptions,
  checkPath,
  encoded,
} from './arguments.ts';
import { forEachChunk, isChunks } from './chunks.ts';
import { close, fsync, ftruncate, open, read, write } from './descriptors.ts';
import { STATX_MASK, STATX_SIZE } from './stats.ts';
import { Steps, type Work } from './work.ts';

const CHUNK = 65536;
/** As much as node:fs reads at most. */
const SIZE_MAX = 2 ** 31 - 1;

interface Kind {
  type: number;
  mode: number;
  size: number;
  /** Which file it is. */
  id: string;
}

/** What fd is, without making a Stats of it. */
function kindOf(name: string, fd: number): Kind {
  const struct = Buffer.allocUnsafe(STATX_SIZE);
  const reply = send(c.SYS_statx, fd, '', c.AT_EMPTY_PATH, STATX_MASK, struct);
  if (reply < 0) throw failure(reply, name);
  const mode = struct.readUInt16LE(28);
  const size = readU64(struct, 40);
  return {
    type: mode & c.S_IFMT,
    mode,
    size,
    id: struct.toString('hex', 32, 40) + struct.toString('hex', 136, 144),
  };
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
      const n = read(fd, buffer, done, size - done, null).run();
      if (n === 0) break;
      done += n;
    }
    return done === size ? buffer : buffer.subarray(0, done);
  }
  const chunks: Buffer[] = [];
  for (;;) {
    const buffer = Buffer.allocUnsafeSlow(CHUNK);
    const n = read(fd, buffer, 0, CHUNK, null).run();
    if (n === 0) return Buffer.concat(chunks);
    chunks.push(buffer.subarray(0, n));
  }
}

export function writeAll(fd: number, data: NodeJS.ArrayBufferView): void {
  for (let done = 0; done < data.byteLength; )
    done += write(fd, data, done, data.byteLength - done, null).run();
}

const isFd = (path: unknown): path is number => Number.isInteger(path);

export function readFile(path: unknown, options?: unknown): Work<string | Buffer> {
  const { encoding, signal, flag } = checkOptions(options);
  const finish = (bytes: Buffer): string | Buffer =>
    encoding === undefined || encoding === null ? bytes : encoded(bytes, encoding);
  if (isFd(path)) {
    const fd = checkFd(path);
    return new Steps('fs.readFile', () => finish(readToEnd(fd)), signal);
  }
  const [checked, flags] = [checkPath(path), checkFlags(flag)];
  return new Steps('fs.readFile', () => finish(opened(checked, flags, 0o666, readToEnd)), signal);
}

function bytesOf(data: unknown, encoding: string | null | undefined): NodeJS.ArrayBufferView {
  if (ArrayBuffer.isView(data)) return data as NodeJS.ArrayBufferView;
  if (typeof data !== 'string')
    throw invalidType('data', 'of type string or an instance of Buffer, TypedArray, or DataView', data);
  return Buffer.from(data, (encoding ?? 'utf8') as BufferEncoding);
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
        : Buffer.from(chunk as string, (encoding ?? 'utf8') as BufferEncoding);
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
  const { encoding, signal, flag = absent, mode, flush } = checkOptions(options);
  if (flush !== undefined && flush !== null && typeof flush !== 'boolean')
    throw invalidType('flush', 'of type boolean', flush);
  const write = writerOf(data, encoding);
  const work = (fd: number): void => {
    write(fd);
    if (flush === true) fsync(fd).run();
  };
  if (isFd(path)) {
    const fd = checkFd(path);
    return new Steps('fs.writeFile', () => work(fd), signal);
  }
  const [checked, flags, bits] = [checkPath(path), checkFlags(flag), checkMode(mode, 0o666)];
  return new Steps('fs.writeFile', () => opened(checked, flags, bits, work), signal);
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

export function truncate(path: unknown, length: unknown = 0): Work<void> {
  const checked = checkPath(path);
  const size = checkInteger(length ?? 0, 'len');
  return new Steps('fs.truncate', () =>
    opened(checked, c.O_RDWR | c.O_CLOEXEC, 0o666, (fd) => ftruncate(fd, size).run()),
  );
}

/** Why copy_file_range does not copy what read and write can. */
const NOT_BY_THE_KERNEL: readonly number[] = [c.EXDEV, c.ENOSYS, c.EINVAL, c.EOPNOTSUPP, c.EBADF, c.EPERM];

/** Copies what is open, by the kernel where it can, else through memory. */
function copyOpen(from: number, to: number, told: (reply: number) => Error): void {
  let buffer: Buffer | undefined;
  for (;;) {
    const reply =
      buffer === undefined ? send(c.SYS_copy_file_range, from, null, to, null, 2 ** 30, 0) : -c.EXDEV;
    if (reply === 0 && buffer === undefined) {
      buffer = Buffer.allocUnsafeSlow(CHUNK); // the end; or a file of /proc, whose size is not known
      continue;
    }
    if (reply > 0) continue;
    if (!NOT_BY_THE_KERNEL.includes(-reply)) throw told(reply);
    buffer ??= Buffer.allocUnsafeSlow(CHUNK);
    const n = send(c.SYS_read, from, buffer, CHUNK);
    if (n === 0) return;
    if (n < 0) throw told(n);
    for (let done = 0; done < n; ) {
      const put = send(c.SYS_write, to, buffer.subarray(done, n), n - done);
      if (put < 0) throw told(put);
      done += put;
    }
  }
}

/** As libuv's: errors are copyfile's, and a copy that is not whole is removed. A reflink (COPYFILE_FICLONE) is what the kernel makes of it. */
export function copyFile(src: unknown, dest: unknown, mode?: unknown): Work<void> {
  const [from, to, bits] = [checkPath(src, 'src'), checkPath(dest, 'dest'), checkBits(mode)];
  const told = (reply: number): Error => failure(reply, 'copyfile', from, to);
  const opens = (path: CheckedPath, flags: number, permissions = 0): number => {
    const fd = send(c.SYS_open, path, flags | c.O_CLOEXEC, permissions);
    if (fd < 0) throw told(fd);
    return fd;
  };
  return new Steps('fs.copyFile', () => {
    if ((bits & fsConstants.COPYFILE_FICLONE_FORCE) !== 0) throw told(-c.ENOSYS);
    const source = opens(from, c.O_RDONLY);
    try {
      const { type, mode: permissions, id } = kindOf('copyfile', source);
      if (type === c.S_IFDIR) throw told(-c.EISDIR);
      const excl = (bits & fsConstants.COPYFILE_EXCL) !== 0 ? c.O_EXCL : 0;
      const target = opens(to, c.O_WRONLY | c.O_CREAT | excl, permissions & 0o7777);
      let whole = false;
      let same = false;
      try {
        same = kindOf('copyfile', target).id === id;
        if (!same) {
          const cut = send(c.SYS_ftruncate, target, 0);
          if (cut < 0) throw told(cut);
          send(c.SYS_fchmod, target, permissions & 0o7777);
          copyOpen(source, target, told);
        }
        whole = true;
      } finally {
        send(c.SYS_close, target);
        if (!whole) send(c.SYS_unlink, to);
      }
    } finally {
      send(c.SYS_close, source);
    }
  });
}
