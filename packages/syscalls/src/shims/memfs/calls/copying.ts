/** copying.ts: from descriptor to descriptor: sendfile, copy_file_range. (sendfile(2), copy_file_range(2)) */
import { constants as c } from '../../../generated/constants.ts';
import { below, bytesOf, type Call, type Handlers, longOf, pass } from '../call.ts';
import { Directory } from '../inodes/directory.ts';
import { RegularFile } from '../inodes/file.ts';
import type { OpenFile } from '../open-files/open-file.ts';
import { readFrom, writeTo } from './read-write.ts';

/** Bytes that are moved at once; more are asked for again, as the kernel does with more than 2 GiB. */
const CHUNK = 1 << 20;

/** A loff_t that an argument points to; undefined for NULL, null for what is neither. */
function offsetAt(pointer: unknown): DataView | undefined | null {
  if (pointer === null || pointer === undefined) return undefined;
  const bytes = ArrayBuffer.isView(pointer) ? bytesOf(pointer, 8) : undefined;
  return bytes === undefined ? null : new DataView(bytes.buffer, bytes.byteOffset, 8);
}

const offsetOf = (view: DataView): number => Number(view.getBigInt64(0, true));

/** Whether both ends are descriptors at all, and not of O_PATH. */
function areOpen(call: Call, ...fds: unknown[]): boolean {
  return fds.every((fd) => {
    const file = call.volume.descriptors.get(fd);
    return file === undefined ? below(call, 'fcntl', fd, c.F_GETFD, 0) >= 0 : !file.pathOnly;
  });
}

/** sendfile(out, in, offset, count), where at least one is in memory. */
function sendfile(call: Call): number {
  const { volume, msg } = call;
  const [outFd, inFd, pointer, count] = msg.args;
  const [output, input] = [volume.descriptors.get(outFd), volume.descriptors.get(inFd)];
  if (output === undefined && input === undefined) return pass(call);
  const [offset, length] = [offsetAt(pointer), longOf(count)];
  if (offset === null || length === undefined) return pass(call);
  if (!areOpen(call, outFd, inFd)) return -c.EBADF;
  const refused = refusal(input, output, offset === undefined ? 0 : offsetOf(offset), length);
  if (refused < 0) return refused;
  const held = [input, output].filter((file) => file !== undefined);
  for (const file of held) volume.descriptors.hold(file); // the other end may block
  try {
    return send(call, input, output, offset, length);
  } finally {
    for (const file of held) volume.descriptors.release(file);
  }
}

function send(
  call: Call,
  input: OpenFile | undefined,
  output: OpenFile | undefined,
  offset: DataView | undefined,
  length: number,
): number {
  const [outFd, inFd] = call.msg.args;
  if (input?.inode instanceof Directory) return 0;
  const buffer = Buffer.allocUnsafe(Math.max(0, Math.min(length, CHUNK)));
  const at = offset === undefined ? input?.position : offsetOf(offset);
  const got = input !== undefined ? readFrom(input, [buffer], at) : readBelow(call, inFd, buffer, at);
  if (got <= 0) return got;
  const data = buffer.subarray(0, got);
  const sent =
    output !== undefined ? writeTo(call.volume, output, [data]) : below(call, 'write', outFd, data, got);
  const moved = Math.max(0, sent);
  if (offset !== undefined) offset.setBigInt64(0, BigInt((at as number) + moved), true);
  else if (input !== undefined) input.position = (at as number) + moved;
  else if (moved < got) below(call, 'lseek', inFd, moved - got, c.SEEK_CUR); // to be read again
  return sent;
}

/** What the kernel refuses before anything is moved. */
function refusal(
  input: OpenFile | undefined,
  output: OpenFile | undefined,
  offset: number,
  length: number,
): number {
  if (input !== undefined && !input.readable) return -c.EBADF;
  if (output !== undefined && !output.writable) return -c.EBADF;
  if (offset < 0) return -c.EINVAL;
  if (output !== undefined && (output.flags & c.O_APPEND) !== 0) return -c.EINVAL;
  if (input?.inode instanceof Directory && length > 0) return -c.EINVAL; // nothing of a directory is 0 bytes to Linux, since 6.4
  return 0;
}

function readBelow(call: Call, fd: unknown, buffer: Buffer, at: number | undefined): number {
  return at === undefined
    ? below(call, 'read', fd, buffer, buffer.length)
    : below(call, 'pread64', fd, buffer, buffer.length, at);
}

/** copy_file_range(in, offset, out, offset, count, flags): within the tree; to and from it EXDEV, as between any two file systems. */
function copyFileRange(call: Call): number {
  const { volume, msg } = call;
  const [inFd, inPointer, outFd, outPointer, count, flags] = msg.args;
  const [input, output] = [volume.descriptors.get(inFd), volume.descriptors.get(outFd)];
  if (input === undefined && output === undefined) return pass(call);
  const [from, to, length] = [offsetAt(inPointer), offsetAt(outPointer), longOf(count)];
  if (from === null || to === null || length === undefined) return pass(call);
  if (!areOpen(call, inFd, outFd)) return -c.EBADF;
  if (flags !== 0) return -c.EINVAL;
  if (input === undefined || output === undefined) return -c.EXDEV;
  for (const { inode } of [input, output]) {
    if (inode instanceof Directory) return -c.EISDIR;
    if (!(inode instanceof RegularFile)) return -c.EINVAL;
  }
  if (!input.readable || !output.writable || (output.flags & c.O_APPEND) !== 0) return -c.EBADF;
  const [source, target] = [from ? offsetOf(from) : input.position, to ? offsetOf(to) : output.position];
  if (source < 0 || target < 0) return -c.EINVAL;
  const wanted = Math.min(length, Math.max(0, input.inode.size - source));
  if (input.inode === output.inode && source < target + wanted && target < source + wanted) return -c.EINVAL;
  const buffer = Buffer.allocUnsafe(Math.min(wanted, CHUNK));
  const got = readFrom(input, [buffer], source);
  const moved = writeTo(volume, output, [buffer.subarray(0, got)], target);
  if (moved <= 0) return moved;
  if (from) from.setBigInt64(0, BigInt(source + moved), true);
  else input.position = source + moved;
  if (to) to.setBigInt64(0, BigInt(target + moved), true);
  else output.position = target + moved;
  return moved;
}

export const copyingCalls: Handlers = { sendfile, copy_file_range: copyFileRange };
