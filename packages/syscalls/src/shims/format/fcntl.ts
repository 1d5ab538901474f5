/**
 * fcntl.ts: fcntl's third argument and its reply: what they are depends on the command.
 *
 * Not here: the command's own name (the table has it), and dup, open and close, which are calls like others.
 *
 * Invariant: a command may be anything, and is only compared; a number always has a text. fcntlStruct()
 * throws a RangeError where the buffer is shorter than the struct: argument.ts catches it, and shows the
 * bytes.
 */
import { constants as c } from '../../generated/constants.ts';
import { flagNames, joined, type Names } from './flags.ts';
import { signalName } from './signals.ts';
import { ADDRESS, hexadecimal } from './text.ts';

const SEALS: Names = [
  ['F_SEAL_SEAL', 1],
  ['F_SEAL_SHRINK', 2],
  ['F_SEAL_GROW', 4],
  ['F_SEAL_WRITE', 8],
  ['F_SEAL_FUTURE_WRITE', 0x10],
];
const NOTIFICATIONS: Names = [
  ['DN_ACCESS', 1],
  ['DN_MODIFY', 2],
  ['DN_CREATE', 4],
  ['DN_DELETE', 8],
  ['DN_RENAME', 0x10],
  ['DN_ATTRIB', 0x20],
  ['DN_MULTISHOT', 0x80000000],
];

const LOCK_TYPES = ['F_RDLCK', 'F_WRLCK', 'F_UNLCK'];
const OWNER_TYPES = ['F_OWNER_TID', 'F_OWNER_PID', 'F_OWNER_PGRP'];

export function fcntlNumber(command: unknown, value: number): string {
  switch (command) {
    case c.F_SETFD:
      return joined([['FD_CLOEXEC', c.FD_CLOEXEC]], value);
    case c.F_SETFL:
      return flagNames('open', value);
    case c.F_SETSIG:
      return value === 0 ? '0' : signalName(value);
    case c.F_SETLEASE:
      return LOCK_TYPES[value] ?? hexadecimal(value);
    case c.F_ADD_SEALS:
      return joined(SEALS, value);
    case c.F_NOTIFY:
      return joined(NOTIFICATIONS, value);
    case c.F_DUPFD:
    case c.F_DUPFD_CLOEXEC:
    case c.F_SETOWN:
    case c.F_SETPIPE_SZ:
      return String(value);
    default:
      return hexadecimal(value);
  }
}

/** fcntl's commands that take no third argument. */
export const NO_ARGUMENT: readonly unknown[] = [
  ...[c.F_GETFD, c.F_GETFL, c.F_GETOWN, c.F_GETSIG, c.F_GETLEASE, c.F_GETPIPE_SZ, c.F_GET_SEALS],
];
const LOCKS: readonly unknown[] = [c.F_SETLK, c.F_SETLKW, c.F_OFD_SETLK, c.F_OFD_SETLKW];
/** Those that the kernel fills in. */
const LOCKS_OUT: readonly unknown[] = [c.F_GETLK, c.F_OFD_GETLK];

export function fcntlStruct(command: unknown, bytes: Buffer, failed: boolean): string {
  const out = LOCKS_OUT.includes(command);
  if (failed && (out || command === c.F_GETOWN_EX)) return ADDRESS;
  if (out || LOCKS.includes(command)) {
    const type = LOCK_TYPES[bytes.readInt16LE(0)] ?? hexadecimal(bytes.readUInt16LE(0));
    const whence = flagNames('whence', bytes.readInt16LE(2));
    const pid = out ? `, l_pid=${bytes.readInt32LE(24)}` : '';
    return `{l_type=${type}, l_whence=${whence}, l_start=${bytes.readBigInt64LE(8)}, l_len=${bytes.readBigInt64LE(16)}${pid}}`;
  }
  if (command === c.F_SETOWN_EX || command === c.F_GETOWN_EX)
    return `{type=${OWNER_TYPES[bytes.readInt32LE(0)] ?? bytes.readInt32LE(0)}, pid=${bytes.readInt32LE(4)}}`;
  return `{${bytes.subarray(0, 32).toString('hex')}}`;
}

export function fcntlReply(command: unknown, reply: number): string {
  switch (command) {
    case c.F_GETFL:
      return `${hexadecimal(reply)} (flags ${flagNames('open', reply)})`;
    case c.F_GETFD:
      return reply === 0 ? '0' : `${hexadecimal(reply)} (flags ${joined([['FD_CLOEXEC', 1]], reply)})`;
    case c.F_GETLEASE:
      return `${hexadecimal(reply)} (${LOCK_TYPES[reply] ?? hexadecimal(reply)})`;
    case c.F_GET_SEALS:
      return reply === 0 ? '0' : `${hexadecimal(reply)} (seals ${joined(SEALS, reply)})`;
    case c.F_GETSIG:
      return reply === 0 ? '0' : `${reply} (${signalName(reply)})`;
    default:
      return String(reply);
  }
}
