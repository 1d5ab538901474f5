/** descriptors.ts: operations on open files, a system call each: open, read, write, fstat and their like. */
import type { BigIntStats, Stats } from 'node:fs';
import { invalidType, outOfRange } from '@libcr/core/internal';
import { buffersAfter } from '../codec/bytes.ts';
import { encodeFileTimes } from '../codec/file-times.ts';
import { failure } from '../failure.ts';
import { constants as c } from '../generated/constants.ts';
import { send } from '../port/send.ts';
import {
  checkEncoding,
  checkFd,
  checkFlags,
  checkId,
  checkInteger,
  checkMode,
  checkObject,
  checkPath,
  checkTime,
} from './arguments.ts';
import { STATX_MASK, STATX_SIZE, statsOf } from './stats.ts';
import { Answer, Steps, SystemCall, type Work } from './work.ts';

/** An answer as it is, or the error of the call with that name. */
export const counted =
  (name: string) =>
  (reply: number): number => {
    if (reply < 0) throw failure(reply, name);
    return reply;
  };

const done =
  (name: string) =>
  (reply: number): void => {
    if (reply < 0) throw failure(reply, name);
  };

const wasRead = counted('read');
const wasWritten = counted('write');
const wasClosed = done('close');

export function open(path: unknown, flags?: unknown, mode?: unknown): Work<number> {
  const name = checkPath(path);
  return new SystemCall(
    (reply) => {
      if (reply < 0) throw failure(reply, 'open', name);
      return reply;
    },
    c.SYS_open,
    name,
    checkFlags(flags),
    checkMode(mode, 0o666),
  );
}

export function close(fd: unknown): Work<void> {
  return new SystemCall(wasClosed, c.SYS_close, checkFd(fd));
}

export function fstat(fd: unknown, options?: unknown): Work<Stats | BigIntStats> {
  const struct = Buffer.allocUnsafe(STATX_SIZE);
  const bigint = checkObject(options).bigint === true;
  return new SystemCall(
    (reply) => {
      if (reply < 0) throw failure(reply, 'fstat');
      return statsOf(struct, bigint);
    },
    c.SYS_statx,
    checkFd(fd),
    '',
    c.AT_EMPTY_PATH,
    STATX_MASK,
    struct,
  );
}

/** -1 where the file's own position counts. */
function checkPosition(position: unknown): number | bigint {
  if (position === undefined || position === null) return -1;
  if (typeof position === 'bigint') {
    if (BigInt.asIntN(64, position) !== position)
      throw outOfRange('position', '>= -9223372036854775808 && <= 9223372036854775807', position);
    return position < 0n ? -1 : position;
  }
  if (typeof position !== 'number') throw invalidType('position', 'of type bigint or integer', position);
  return checkInteger(position, 'position', -1);
}

function part(buffer: NodeJS.ArrayBufferView, offset: number, length: number): NodeJS.ArrayBufferView {
  return offset === 0 ? buffer : new Uint8Array(buffer.buffer, buffer.byteOffset + offset, length);
}

function checkView(buffer: unknown, expected: string): NodeJS.ArrayBufferView {
  if (!ArrayBuffer.isView(buffer)) throw invalidType('buffer', expected, buffer);
  return buffer as NodeJS.ArrayBufferView;
}

const isOptions = (value: unknown): boolean => typeof value === 'object' && value !== null;

export function read(
  fd: unknown,
  buffer: unknown,
  offset?: unknown,
  length?: unknown,
  position?: unknown,
): Work<number> {
  const number = checkFd(fd);
  const view = checkView(buffer, 'an instance of Buffer, TypedArray, or DataView');
  if (isOptions(offset)) {
    const { offset: at, length: size, position: where } = offset as Record<string, unknown>;
    return read(number, view, at, size, where);
  }
  const from = offset === undefined || offset === null ? 0 : checkInteger(offset, 'offset', 0);
  const count =
    length === undefined || length === null
      ? view.byteLength - from
      : checkInteger(length, 'length', -(2 ** 31), 2 ** 31 - 1);
  if (count === 0) return new Answer(0);
  if (count < 0) throw outOfRange('length', '>= 0', count);
  if (from > view.byteLength || count > view.byteLength - from)
    throw outOfRange('length', `<= ${view.byteLength - from}`, count);
  const where = checkPosition(position);
  if (where === -1) return new SystemCall(wasRead, c.SYS_read, number, part(view, from, count), count);
  return new SystemCall(wasRead, c.SYS_pread64, number, part(view, from, count), count, where);
}

export function write(
  fd: unknown,
  data: unknown,
  offset?: unknown,
  length?: unknown,
  position?: unknown,
): Work<number> {
  const number = checkFd(fd);
  let view: NodeJS.ArrayBufferView;
  let from = 0;
  let count: number;
  let where: unknown = position;
  if (typeof data === 'string') {
    // (fd, string, position, encoding)
    checkEncoding(length);
    view = Buffer.from(data, (length ?? 'utf8') as BufferEncoding);
    count = view.byteLength;
    where = offset;
  } else {
    view = checkView(data, 'of type string or an instance of Buffer, TypedArray, or DataView');
    if (isOptions(offset)) {
      const { offset: at, length: size, position: place } = offset as Record<string, unknown>;
      return write(number, view, at, size, place);
    }
    if (offset !== undefined && offset !== null) from = checkInteger(offset, 'offset', 0);
    if (from > view.byteLength) throw outOfRange('offset', `<= ${view.byteLength}`, from);
    count =
      length === undefined || length === null
        ? view.byteLength - from
        : checkInteger(length, 'length', 0, 2 ** 31 - 1);
    if (count > view.byteLength - from) throw outOfRange('length', `<= ${view.byteLength - from}`, count);
  }
  const bytes = part(view, from, count);
  if (typeof where !== 'number' && typeof where !== 'bigint')
    return new SystemCall(wasWritten, c.SYS_write, number, bytes, count);
  return new SystemCall(wasWritten, c.SYS_pwrite64, number, bytes, count, where);
}

function checkBuffers(buffers: unknown): NodeJS.ArrayBufferView[] {
  if (!Array.isArray(buffers) || !buffers.every((buffer) => ArrayBuffer.isView(buffer)))
    throw invalidType('buffers', 'an ArrayBufferView[]', buffers);
  return Array.from(buffers as NodeJS.ArrayBufferView[]);
}

/** More buffers than that are EINVAL to the kernel (IOV_MAX, readv(2)). */
const IOV_MAX = 1024;

/** Into the first 1,024 buffers, as node:fs: to read again might wait. */
export function readv(fd: unknown, buffers: unknown, position?: unknown): Work<number> {
  const number = checkFd(fd);
  const list = checkBuffers(buffers).slice(0, IOV_MAX);
  if (list.length === 0) return new SystemCall(wasRead, c.SYS_readv, number, list, 0);
  if (typeof position !== 'number') return new SystemCall(wasRead, c.SYS_readv, number, list, list.length);
  return new SystemCall(wasRead, c.SYS_preadv, number, list, list.length, position);
}

/** Whatever the number of buffers, which are used up. An error after a part has been written is left to the next call, as node:fs has it. */
function writeInBatches(fd: number, list: NodeJS.ArrayBufferView[], position: number | undefined): number {
  let done = 0;
  for (let at = 0; at < list.length; ) {
    const batch = list.slice(at, at + IOV_MAX);
    const reply =
      position === undefined
        ? send(c.SYS_writev, fd, batch, batch.length)
        : send(c.SYS_pwritev, fd, batch, batch.length, position + done);
    if (reply < 0) return done > 0 ? done : wasWritten(reply);
    done += reply;
    const rest = buffersAfter(batch, reply);
    if (rest.length === batch.length && reply === 0) return done;
    at += batch.length - rest.length;
    if (rest.length > 0) list[at] = rest[0] as NodeJS.ArrayBufferView;
  }
  return done;
}

export function writev(fd: unknown, buffers: unknown, position?: unknown): Work<number> {
  const number = checkFd(fd);
  const list = checkBuffers(buffers);
  const where = typeof position === 'number' ? position : undefined;
  if (list.length === 0) return new Answer(0);
  if (list.length > IOV_MAX) return new Steps('fs.writev', () => writeInBatches(number, list, where));
  if (where === undefined) return new SystemCall(wasWritten, c.SYS_writev, number, list, list.length);
  return new SystemCall(wasWritten, c.SYS_pwritev, number, list, list.length, where);
}

export function ftruncate(fd: unknown, length: unknown = 0): Work<void> {
  const number = checkFd(fd);
  const size = Math.max(0, checkInteger(length ?? 0, 'len'));
  return new SystemCall(done('ftruncate'), c.SYS_ftruncate, number, size);
}

export function fchmod(fd: unknown, mode: unknown): Work<void> {
  return new SystemCall(done('fchmod'), c.SYS_fchmod, checkFd(fd), checkMode(mode));
}

export function fchown(fd: unknown, uid: unknown, gid: unknown): Work<void> {
  const number = checkFd(fd);
  return new SystemCall(done('fchown'), c.SYS_fchown, number, checkId(uid, 'uid'), checkId(gid, 'gid'));
}

export function futimes(fd: unknown, atime: unknown, mtime: unknown): Work<void> {
  const number = checkFd(fd);
  const struct = encodeFileTimes('times', [checkTime(atime), checkTime(mtime)]);
  return new SystemCall(done('futime'), c.SYS_utimensat, number, null, struct, 0);
}

export function fsync(fd: unknown): Work<void> {
  return new SystemCall(done('fsync'), c.SYS_fsync, checkFd(fd));
}

export function fdatasync(fd: unknown): Work<void> {
  return new SystemCall(done('fdatasync'), c.SYS_fdatasync, checkFd(fd));
}
