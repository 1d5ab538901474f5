/**
 * argument.ts: one argument of a call, by its place in the table and by what was given there.
 *
 * Not here: which arguments are shown at all (call.ts), and the text of a struct (structs.ts, socket.ts,
 * fcntl.ts).
 *
 * Invariant: argument() does not throw. This is where what the files below throw on a buffer that is too
 * short ends: its bytes are shown instead. What is neither number, text nor memory is left to other().
 */
import { constants as c } from '../../generated/constants.ts';
import type { Row } from '../../generated/rows.ts';
import { fcntlNumber, fcntlStruct } from './fcntl.ts';
import { flagNames } from './flags.ts';
import { ioctlStruct } from './ioctl.ts';
import { message, messages, optionOut } from './messages.ts';
import { record } from './records.ts';
import { signalName } from './signals.ts';
import { LEVELS, OPTIONS, option, protocol, sockaddrArgument } from './socket.ts';
import { device, epollEvents, fileMode, iov, pollfds, struct } from './structs.ts';
import {
  ADDRESS,
  bytesOf,
  hexadecimal,
  octal,
  other,
  quote,
  quoteHexadecimal,
  wideHexadecimal,
} from './text.ts';

/** A call that has returned. */
export interface Call {
  row: Row;
  args: readonly unknown[];
  /** Below 0 where it has failed, or thrown. */
  reply: number;
  /** How many bytes of data are shown. */
  limit: number;
  /** What lengthsOf() has answered before the call. */
  lengths: readonly (number | undefined)[];
}

/** What one argument is shown as. */
export function argument(call: Call, i: number): string {
  const value = call.args[i];
  try {
    if (value === null) return 'NULL';
    if (value === undefined) return '?';
    if (typeof value === 'number' || typeof value === 'bigint') return number(call, i, value);
    if (ArrayBuffer.isView(value)) return memory(call, i, value);
    const { format, out = false } = call.row.args[i] as Row['args'][number];
    if (format === 'message') return message(value, call.reply, call.limit, out);
    if (format === 'messages' && Array.isArray(value)) return messages(value, call.reply, call.limit, out);
    if ((format === 'path' || format === 'text') && typeof value === 'string')
      return quote(Buffer.from(value), 4096);
    if (format === 'dataIn' && typeof value === 'string') return quote(Buffer.from(value), call.limit);
    if ((format === 'iovIn' || format === 'iovOut') && Array.isArray(value))
      return iov(value, format === 'iovIn' ? Number.POSITIVE_INFINITY : call.reply, call.limit);
    return other(value);
  } catch {
    return unreadable(value, call.limit);
  }
}

/** A buffer that is too short for its struct, for one: its bytes. */
function unreadable(value: unknown, limit: number): string {
  try {
    return ArrayBuffer.isView(value) ? quote(bytesOf(value), limit) : other(value);
  } catch {
    return '?';
  }
}

/** A number, in any place. */
function number({ row, args }: Call, i: number, value: number | bigint): string {
  const { name, format, flags } = row.args[i] as Row['args'][number];
  if (typeof value === 'bigint' || !Number.isInteger(value)) return String(value);
  switch (format) {
    case 'fd':
      return value === c.AT_FDCWD ? 'AT_FDCWD' : String(value);
    case 'octal':
      return octal(value);
    case 'address':
      return value === 0 ? 'NULL' : wideHexadecimal(value);
    case 'hex':
      return wideHexadecimal(value);
    case 'id':
      return value === 0xffffffff ? '-1' : String(value);
    case 'fileMode':
      return fileMode(value);
    case 'device':
      return device(value);
    case 'flags':
      return row.name === 'statx' && name === 'flags' ? statxFlags(value) : flagNames(flags as string, value);
    case 'fcntlArgument':
      return fcntlNumber(args[1], value);
    case 'signal':
      return value === 0 ? '0' : signalName(value);
    default:
      if ((row.name === 'socket' || row.name === 'socketpair') && name === 'protocol')
        return protocol(args[0], value);
      if (isOption(row) && name === 'level') return LEVELS[value] ?? `${hexadecimal(value)} /* SOL_?? */`;
      if (isOption(row) && name === 'name') return OPTIONS[args[1] as number]?.[value] ?? String(value);
      return String(value);
  }
}

const isOption = ({ name }: Row): boolean => name === 'setsockopt' || name === 'getsockopt';

const STATX_SYNC = c.AT_STATX_FORCE_SYNC | c.AT_STATX_DONT_SYNC;

/** How to synchronise comes first, and not to say it has a name too. */
function statxFlags(value: number): string {
  const sync = value & STATX_SYNC;
  const rest = value & ~STATX_SYNC;
  const first = sync === 0 ? 'AT_STATX_SYNC_AS_STAT' : flagNames('at', sync);
  return rest === 0 ? first : `${first}|${flagNames('at', rest)}`;
}

/** A buffer, in any place. */
function memory(call: Call, i: number, view: ArrayBufferView): string {
  const { row, args, reply, limit } = call;
  const { format, out = false } = row.args[i] as Row['args'][number];
  const failed = reply < 0;
  switch (format) {
    case 'path':
    case 'text':
      return quote(bytesOf(view), 4096);
    case 'dataIn': {
      if (row.name === 'setsockopt') return option(args, bytesOf(view), limit);
      const length = args[i + 1];
      return quote(bytesOf(view, typeof length === 'number' ? length : undefined), limit);
    }
    case 'dataOut':
      if (failed) return ADDRESS;
      return (row.name === 'getrandom' ? quoteHexadecimal : quote)(bytesOf(view, reply), limit);
    case 'intPointer': {
      const [before, now] = [call.lengths[i], bytesOf(view).readInt32LE(0)];
      return before === undefined || before === now ? `[${now}]` : `[${before} => ${now}]`;
    }
    case 'fcntlArgument':
      return fcntlStruct(args[1], bytesOf(view), failed);
    case 'null':
      return 'NULL';
    case 'sockaddr':
      return sockaddrArgument(bytesOf(view), args[i + 1], failed);
    case 'pollfds':
      return pollfds(bytesOf(view), Number(args[i + 1]), 'events');
    case 'epollEvent':
      return epollEvents(bytesOf(view), 1).slice(1, -1);
    case 'optionOut':
      return failed ? ADDRESS : optionOut(bytesOf(view), args[i + 1], limit, args);
    case 'ioctlArgument':
      return ioctlStruct(args[1], bytesOf(view), failed);
    default:
      if (failed && out) return ADDRESS;
      return record(format, bytesOf(view), reply, args) ?? struct(format, bytesOf(view), reply, other(view));
  }
}
