/** descriptors.ts: operations on open files, a system call each: open, read, write and their like. */
import { invalidArgument, invalidType, outOfRange } from '@libcr/core/internal';
import { buffersAfter } from '../../codec/bytes.ts';
import { failure } from '../../failure.ts';
import { constants as c } from '../../generated/constants.ts';
import { send } from '../../port/send.ts';
import { Answer, Steps, SystemCall, type Work } from '../forms/work.ts';
import { checksDescriptorsLast, checksPositionsFirst, handlesCheckPositions } from '../node/this-node.ts';
import {
  checkFd,
  checkFlags,
  checkId,
  checkInteger,
  checkMode,
  checkObject,
  checkPath,
  checkTime,
  encodeTimes,
  encodingOf,
} from './arguments.ts';
import { checkPosition, positionOf } from './positions.ts';

export { fstat } from '../stat/stat.ts';

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

const isOptions = (value: unknown): boolean => typeof value === 'object' && value !== null;

function checkView(buffer: unknown, expected: string): NodeJS.ArrayBufferView {
  if (!ArrayBuffer.isView(buffer)) throw invalidType('buffer', expected, buffer);
  return buffer as NodeJS.ArrayBufferView;
}

/** What read reads into. */
export const checkRoom = (buffer: unknown): NodeJS.ArrayBufferView =>
  checkView(buffer, 'an instance of Buffer, TypedArray, or DataView');

function part(buffer: NodeJS.ArrayBufferView, offset: number, length: number): NodeJS.ArrayBufferView {
  return offset === 0 ? buffer : new Uint8Array(buffer.buffer, buffer.byteOffset + offset, length);
}

const checkOffset = (offset: unknown): number =>
  offset === undefined || offset === null ? 0 : checkInteger(offset, 'offset', 0);

const readTo = (fd: number, bytes: NodeJS.ArrayBufferView, count: number, where: number | bigint) =>
  where === -1
    ? new SystemCall(wasRead, c.SYS_read, fd, bytes, count)
    : new SystemCall(wasRead, c.SYS_pread64, fd, bytes, count, where);

/** A part of a buffer: offset and length are numbers already. */
export function readPart(
  number: number,
  view: NodeJS.ArrayBufferView,
  from: number,
  count: number,
  position: unknown,
): Work<number> {
  const early = checksPositionsFirst ? checkPosition(position, count) : -1;
  if (count === 0) return new Answer(0);
  if (view.byteLength === 0) throw invalidArgument('buffer', view, 'is empty and cannot be written');
  if (count < 0) throw outOfRange('length', '>= 0', count);
  if (count > view.byteLength - from) throw outOfRange('length', `<= ${view.byteLength - from}`, count);
  const where = checksPositionsFirst ? early : checkPosition(position, count);
  return readTo(number, part(view, from, count), count, where);
}

/** As FileHandle.read has its arguments: (fd, buffer, offset, length, position), (fd, buffer, options). */
export function read(
  fd: unknown,
  buffer: unknown,
  offset?: unknown,
  length?: unknown,
  position?: unknown,
): Work<number> {
  const number = checkFd(fd);
  const view = checkRoom(buffer);
  if (isOptions(offset)) {
    const { offset: at, length: size, position: where } = offset as Record<string, unknown>;
    return read(number, view, at, size, where);
  }
  const from = checkOffset(offset);
  const count = length === undefined || length === null ? view.byteLength - from : (length as number) | 0;
  return readPart(number, view, from, count, handlesCheckPositions ? position : positionOf(position));
}

/** readSync's: (fd, buffer, options) where there are no more, else all in their places; what is no length is 0. */
export function readAtOnce(fd: unknown, buffer: unknown, ...rest: unknown[]): Work<number> {
  if (!checksDescriptorsLast) checkFd(fd);
  const view = checkRoom(buffer);
  let [offset, length, position] = rest;
  if (rest.length <= 1 || typeof offset === 'object') {
    const given = checkObject(offset);
    ({ offset = 0, position = null } = given);
    length = given.length === undefined ? view.byteLength - (offset as number) : given.length;
  }
  const from = offset === undefined ? 0 : checkInteger(offset, 'offset', 0);
  const count = (length as number) | 0;
  return readPart(checkFd(fd), view, from, count, position);
}

/** As FileHandle.write and writeSync have their arguments: (fd, buffer, offset, length, position), (fd, buffer, options), (fd, text, position, encoding). */
export function write(
  fd: unknown,
  data: unknown,
  offset?: unknown,
  length?: unknown,
  position?: unknown,
): Work<number> {
  if (!checksDescriptorsLast) checkFd(fd);
  if (typeof data === 'string') {
    const bytes = Buffer.from(data, encodingOf(data, length));
    return writeTo(checkFd(fd), bytes, bytes.byteLength, offset);
  }
  const view = checkView(data, 'of type string or an instance of Buffer, TypedArray, or DataView');
  if (typeof offset === 'object') {
    // null, too: what stands behind it does not count then
    const { offset: at = 0, length: size, position: where } = (offset ?? {}) as Record<string, unknown>;
    return write(fd, view, at ?? undefined, size, where);
  }
  const from = checkOffset(offset);
  const room = view.byteLength - from;
  const count = typeof length === 'number' ? length : room;
  if (room < 0) throw outOfRange('offset', `<= ${view.byteLength}`, from);
  if (count > room) throw outOfRange('length', `<= ${room}`, count);
  if (count < 0) throw outOfRange('length', '>= 0', count);
  checkInteger(count, 'length', 0, 2 ** 31 - 1);
  return writeTo(checkFd(fd), part(view, from, count), count, position);
}

function writeTo(fd: number, bytes: NodeJS.ArrayBufferView, count: number, position: unknown): Work<number> {
  const where = positionOf(position);
  if (where === -1) return new SystemCall(wasWritten, c.SYS_write, fd, bytes, count);
  return new SystemCall(wasWritten, c.SYS_pwrite64, fd, bytes, count, where);
}

function checkBuffers(buffers: unknown): NodeJS.ArrayBufferView[] {
  // Array.from: holes are no buffers
  const list = Array.isArray(buffers) ? Array.from(buffers as unknown[]) : [undefined];
  if (!list.every((buffer) => ArrayBuffer.isView(buffer)))
    throw invalidType('buffers', 'an ArrayBufferView[]', buffers);
  return list as NodeJS.ArrayBufferView[];
}

/** More buffers than that are EINVAL to the kernel (IOV_MAX, readv(2)). */
const IOV_MAX = 1024;

/** Into the first 1,024 buffers, as node:fs: to read again might wait. */
export function readv(fd: unknown, buffers: unknown, position?: unknown): Work<number> {
  if (!checksDescriptorsLast) checkFd(fd);
  const list = checkBuffers(buffers).slice(0, IOV_MAX);
  const number = checkFd(fd);
  const where = positionOf(position);
  // As libuv has it, which asks the kernel for more than nothing.
  if (list.length === 0) return new Steps('fs.readv', () => wasRead(-c.EINVAL));
  if (where === -1) return new SystemCall(wasRead, c.SYS_readv, number, list, list.length);
  return new SystemCall(wasRead, c.SYS_preadv, number, list, list.length, where);
}

/** Whatever the number of buffers, which are used up. An error after a part has been written is left to the next call, as node:fs has it. */
function writeInBatches(fd: number, list: NodeJS.ArrayBufferView[], position: number): number {
  let done = 0;
  for (let at = 0; at < list.length; ) {
    const batch = list.slice(at, at + IOV_MAX);
    const reply =
      position === -1
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
  if (!checksDescriptorsLast) checkFd(fd);
  const list = checkBuffers(buffers);
  const where = positionOf(position);
  if (list.length === 0) return new Answer(0);
  const number = checkFd(fd);
  if (list.length > IOV_MAX) return new Steps('fs.writev', () => writeInBatches(number, list, where));
  if (where === -1) return new SystemCall(wasWritten, c.SYS_writev, number, list, list.length);
  return new SystemCall(wasWritten, c.SYS_pwritev, number, list, list.length, where);
}

export function ftruncate(fd: unknown, length: unknown = 0): Work<void> {
  const size = Math.max(0, checkInteger(length, 'len'));
  return new SystemCall(done('ftruncate'), c.SYS_ftruncate, checkFd(fd), size);
}

export function fchmod(fd: unknown, mode: unknown): Work<void> {
  const bits = checkMode(mode);
  return new SystemCall(done('fchmod'), c.SYS_fchmod, checkFd(fd), bits);
}

export function fchown(fd: unknown, uid: unknown, gid: unknown): Work<void> {
  const ids = [checkId(uid, 'uid'), checkId(gid, 'gid')] as const;
  return new SystemCall(done('fchown'), c.SYS_fchown, checkFd(fd), ...ids);
}

export function futimes(fd: unknown, atime: unknown, mtime: unknown): Work<void> {
  const struct = encodeTimes(checkTime(atime, 'atime'), checkTime(mtime, 'mtime'));
  return new SystemCall(done('futime'), c.SYS_utimensat, checkFd(fd), null, struct, 0);
}

export function fsync(fd: unknown): Work<void> {
  return new SystemCall(done('fsync'), c.SYS_fsync, checkFd(fd));
}

export function fdatasync(fd: unknown): Work<void> {
  return new SystemCall(done('fdatasync'), c.SYS_fdatasync, checkFd(fd));
}
