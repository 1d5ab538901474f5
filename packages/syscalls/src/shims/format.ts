/**
 * format.ts: a system call as strace(1) prints it. Names of flags and the arguments' shapes come from the table.
 *
 * Not here: when it is printed, and where (trace.ts).
 */

import { decodeDirents } from '../codec/dirent.ts';
import { decodeEpollEvents } from '../codec/epoll.ts';
import { decodeSockaddr, type SockAddr } from '../codec/sockaddr.ts';
import { decodeStat } from '../codec/stat.ts';
import { decodeStatx } from '../codec/statx.ts';
import { decodeTimespec } from '../codec/timespec.ts';
import { describeErrno } from '../failure.ts';
import { type CallName, flagSets, type Row } from '../generated/rows.ts';

const AT_FDCWD = -100;
const F_GETFD = 1;
const F_SETFD = 2;
const F_GETFL = 3;
const F_SETFL = 4;
const ESCAPES: Record<number, string> = {
  9: '\\t',
  10: '\\n',
  11: '\\v',
  12: '\\f',
  13: '\\r',
  34: '\\"',
  92: '\\\\',
};

/** Bytes as a C string, the first limit of them; anything that isn't printable ASCII in octal, as strace does. */
export function quote(bytes: Uint8Array, limit: number): string {
  const shown = Math.min(bytes.length, limit);
  let text = '"';
  for (let i = 0; i < shown; i++) {
    const byte = bytes[i] as number;
    const short = ESCAPES[byte];
    if (short !== undefined) text += short;
    else if (byte >= 32 && byte < 127) text += String.fromCharCode(byte);
    else {
      const next = bytes[i + 1];
      const digitFollows = i + 1 < shown && next !== undefined && next >= 48 && next <= 57;
      text += `\\${byte.toString(8).padStart(digitFollows ? 3 : 1, '0')}`;
    }
  }
  return `${text}"${bytes.length > shown ? '...' : ''}`;
}

/** A|B|0x8, as the set names them. */
export function flagNames(set: string, value: number): string {
  const { mask, names } = flagSets[set] as (typeof flagSets)[string];
  let rest = value >>> 0;
  const found: string[] = [];
  if (mask !== 0) {
    const low = mask === -1 ? rest : (rest & mask) >>> 0;
    const name = names.find(([, number]) => number >>> 0 === low)?.[0];
    if (mask === -1) return name ?? `0x${rest.toString(16)}`;
    found.push(name ?? `0x${low.toString(16)}`);
    rest = (rest & ~mask) >>> 0;
  }
  // Names of several bits before those of one.
  const bits = names
    .map(([name, number]) => [name, number >>> 0] as const)
    .filter(([, number]) => number !== 0 && (mask === 0 || (number & mask) === 0))
    .sort((a, b) => popcount(b[1]) - popcount(a[1]));
  for (const [name, number] of bits) {
    if ((rest & number) >>> 0 !== number) continue;
    found.push(name);
    rest = (rest & ~number) >>> 0;
  }
  if (rest !== 0) found.push(`0x${rest.toString(16)}`);
  return found.length === 0 ? '0' : found.join('|');
}

function popcount(value: number): number {
  let count = 0;
  for (let rest = value; rest !== 0; rest = (rest & (rest - 1)) >>> 0) count++;
  return count;
}

function bytesOf(value: unknown, length = Number.POSITIVE_INFINITY): Buffer {
  const { buffer, byteOffset, byteLength } = value as NodeJS.ArrayBufferView;
  return Buffer.from(buffer as ArrayBuffer, byteOffset, Math.max(0, Math.min(byteLength, length)));
}

function sockaddr(address: SockAddr | undefined): string {
  if (address === undefined) return 'NULL';
  if (!('data' in address)) {
    if (address.family === 'inet')
      return `{sa_family=AF_INET, sin_port=htons(${address.port}), sin_addr=inet_addr("${address.address}")}`;
    if (address.family === 'inet6') {
      const { port, flowinfo, address: text, scopeId } = address;
      return `{sa_family=AF_INET6, sin6_port=htons(${port}), sin6_flowinfo=htonl(${flowinfo ?? 0}), inet_pton(AF_INET6, "${text}", &sin6_addr), sin6_scope_id=${scopeId ?? 0}}`;
    }
    const path = Buffer.from(address.path as string);
    if (path.length === 0) return '{sa_family=AF_UNIX}';
    return path[0] === 0
      ? `{sa_family=AF_UNIX, sun_path=@${quote(path.subarray(1), 108)}}`
      : `{sa_family=AF_UNIX, sun_path=${quote(path, 108)}}`;
  }
  return `{sa_family=${flagNames('family', address.family)}, sa_data=${quote(address.data, 32)}}`;
}

const socklen = (length: number): Buffer => {
  const buffer = Buffer.alloc(4);
  buffer.writeInt32LE(length);
  return buffer;
};

/** S_IFREG|0644 */
function fileMode(mode: number): string {
  return `${flagNames('fileType', mode & 0o170000)}|0${(mode & 0o7777).toString(8)}`;
}

/** What one argument is shown as; args and reply for those that depend on them. */
function argument(row: Row, i: number, args: readonly unknown[], reply: number, limit: number): string {
  const { format, flags } = row.args[i] as Row['args'][number];
  const value = args[i];
  if (value === null || value === undefined) return 'NULL';
  const failed = reply < 0;
  switch (format) {
    case 'fd':
      return value === AT_FDCWD ? 'AT_FDCWD' : String(value);
    case 'octal':
      return `0${Number(value).toString(8)}`;
    case 'flags':
      return flagNames(flags as string, Number(value));
    case 'path':
      return quote(typeof value === 'string' ? Buffer.from(value) : bytesOf(value), 4096);
    case 'dataIn':
      return quote(bytesOf(value, Number(args[i + 1])), limit);
    case 'dataOut':
      return failed ? '0x…' : quote(bytesOf(value, reply), limit);
    case 'iovIn':
    case 'iovOut':
      return iov(
        value as NodeJS.ArrayBufferView[],
        format === 'iovIn' ? Number.POSITIVE_INFINITY : reply,
        limit,
      );
    case 'intPointer':
      return `[${bytesOf(value).readInt32LE(0)}]`;
    case 'fcntlArgument':
      return typeof value === 'object' ? `{${bytesOf(value, 32).toString('hex')}}` : fcntlNumber(args, value);
    case 'null':
      return 'NULL';
    case 'timespec': {
      const { sec, nsec } = decodeTimespec(bytesOf(value));
      return `{tv_sec=${sec}, tv_nsec=${nsec}}`;
    }
    case 'sockaddr':
      return sockaddrArgument(bytesOf(value), args[i + 1], failed);
    case 'pollfds':
      return pollfds(bytesOf(value), Number(args[i + 1]), reply);
    case 'epollEvent':
      return epollEvents(bytesOf(value), 1).slice(1, -1);
    default:
      return failed ? '0x…' : struct(format, bytesOf(value), reply, String(value));
  }
}

function fcntlNumber(args: readonly unknown[], value: unknown): string {
  if (args[1] === F_SETFD) return value === 1 ? 'FD_CLOEXEC' : String(value);
  return args[1] === F_SETFL ? flagNames('open', Number(value)) : String(value);
}

function sockaddrArgument(bytes: Buffer, length: unknown, failed: boolean): string {
  if (typeof length === 'number') return sockaddr(decodeSockaddr(bytes, socklen(length)));
  return failed ? '0x…' : sockaddr(decodeSockaddr(bytes, bytesOf(length)));
}

function iov(buffers: readonly NodeJS.ArrayBufferView[], length: number, limit: number): string {
  if (length < 0) return '0x…';
  let left = length;
  const parts = buffers.map((buffer) => {
    const bytes = bytesOf(buffer, left);
    left -= bytes.length;
    return `{iov_base=${quote(bytes, limit)}, iov_len=${buffer.byteLength}}`;
  });
  return `[${parts.join(', ')}]`;
}

function epollEvents(bytes: Buffer, count: number): string {
  const events = decodeEpollEvents(bytes, count).map(
    ({ events: bits, data }) => `{events=${flagNames('epollEvent', bits)}, data={u64=${data}}}`,
  );
  return `[${events.join(', ')}]`;
}

function pollfds(bytes: Buffer, count: number, reply: number): string {
  const list = Array.from({ length: Math.min(count, bytes.length / 8) }, (_, i) => {
    const revents = bytes.readUInt16LE(i * 8 + 6);
    const happened = reply > 0 && revents !== 0 ? `, revents=${flagNames('poll', revents)}` : '';
    return `{fd=${bytes.readInt32LE(i * 8)}, events=${flagNames('poll', bytes.readUInt16LE(i * 8 + 4))}${happened}}`;
  });
  return `[${list.join(', ')}]`;
}

/** What the kernel has written. */
function struct(format: string, bytes: Buffer, reply: number, otherwise: string): string {
  switch (format) {
    case 'stat': {
      const stat = decodeStat(bytes);
      return `{st_mode=${fileMode(stat.mode)}, st_size=${stat.size}, ...}`;
    }
    case 'statx': {
      const statx = decodeStatx(bytes);
      return `{stx_mask=${flagNames('statx', statx.mask)}, stx_mode=${fileMode(statx.mode)}, stx_size=${statx.size}, ...}`;
    }
    case 'pair':
      return `[${bytes.readInt32LE(0)}, ${bytes.readInt32LE(4)}]`;
    case 'dirents':
      return `0x… /* ${decodeDirents(bytes, reply, 'buffer').length} entries */`;
    case 'epollEvents':
      return epollEvents(bytes, reply);
    default:
      return otherwise;
  }
}

/** "openat(AT_FDCWD, "/etc/hosts", O_RDONLY)" */
export function formatCall(row: Row, args: readonly unknown[], reply: number, limit: number): string {
  const shown = row.args.map((_, i) => {
    const { format } = row.args[i] as Row['args'][number];
    return format === 'int' ? String(args[i]) : argument(row, i, args, reply, limit);
  });
  // A mode is an argument of open only where a file may be made.
  if (isOpen(row.name) && (Number(args[shown.length - 2]) & 0o100) === 0) shown.pop();
  if (row.name === 'fcntl' && (args[1] === F_GETFD || args[1] === F_GETFL)) shown.pop();
  return `${row.name}(${shown.join(', ')})`;
}

const isOpen = (name: CallName): boolean => name === 'open' || name === 'openat';

/** "= 3", "= -1 ENOENT (No such file or directory)" */
export function formatReply(reply: number): string {
  if (reply >= 0) return `= ${reply}`;
  const [name, text] = describeErrno(-reply);
  return `= -1 ${name} (${text[0]?.toUpperCase()}${text.slice(1)})`;
}
