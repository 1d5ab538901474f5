/**
 * format.ts: a system call as strace(1) prints it. Names of flags and the arguments' shapes come from the table; names that only strace
 * shows, and no program here can use by name, stand below. test/trace.test.ts compares with strace itself.
 *
 * Invariant: nothing in here throws, whatever the arguments are, and no code of theirs is run: formatting happens after the call, and must
 * not change what the caller gets. What an argument is not meant to be is shown as util.inspect shows it.
 *
 * Not here: when it is printed, and where (trace.ts).
 */

import { constants as system } from 'node:os';
import { inspect } from 'node:util';
import { decodeDirents } from '../codec/dirent.ts';
import { decodeEpollEvents } from '../codec/epoll.ts';
import { decodeSockaddr, type SockAddr } from '../codec/sockaddr.ts';
import { decodeStat } from '../codec/stat.ts';
import { decodeStatx } from '../codec/statx.ts';
import { decodeTimespec } from '../codec/timespec.ts';
import { constants as c } from '../generated/constants.ts';
import { type CallName, errnos, flagSets, type Row } from '../generated/rows.ts';

type Names = readonly (readonly [string, number])[];

/** What stands for memory that the kernel has not written. */
const ADDRESS = '0x…';
const ESCAPES: Record<number, string> = {
  9: '\\t',
  10: '\\n',
  11: '\\v',
  12: '\\f',
  13: '\\r',
  34: '\\"',
  92: '\\\\',
};

/** Names of bits that the kernel sets, over those of the table. */
const MORE_NAMES: Readonly<Record<string, Names>> = {
  open: [['O_ASYNC', 0o20000]],
  statx: [
    ['STATX_MNT_ID', 0x1000],
    ['STATX_DIOALIGN', 0x2000],
  ],
};

/** strace has an order of its own for these: they come last, in this order. */
const LAST = ['O_NOFOLLOW', 'O_NOATIME', 'O_CLOEXEC', 'O_PATH', 'O_TMPFILE', 'O_DIRECTORY', 'SOCK_NONBLOCK'];

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
const STATX_ATTRIBUTES: Names = [
  ['STATX_ATTR_COMPRESSED', 4],
  ['STATX_ATTR_IMMUTABLE', 0x10],
  ['STATX_ATTR_APPEND', 0x20],
  ['STATX_ATTR_NODUMP', 0x40],
  ['STATX_ATTR_ENCRYPTED', 0x800],
  ['STATX_ATTR_AUTOMOUNT', 0x1000],
  ['STATX_ATTR_MOUNT_ROOT', 0x2000],
  ['STATX_ATTR_VERITY', 0x100000],
  ['STATX_ATTR_DAX', 0x200000],
];
const LOCK_TYPES = ['F_RDLCK', 'F_WRLCK', 'F_UNLCK'];
const OWNER_TYPES = ['F_OWNER_TID', 'F_OWNER_PID', 'F_OWNER_PGRP'];
const PROTOCOLS: Readonly<Record<number, string>> = {
  0: 'IPPROTO_IP',
  1: 'IPPROTO_ICMP',
  6: 'IPPROTO_TCP',
  17: 'IPPROTO_UDP',
  33: 'IPPROTO_DCCP',
  41: 'IPPROTO_IPV6',
  58: 'IPPROTO_ICMPV6',
  132: 'IPPROTO_SCTP',
  136: 'IPPROTO_UDPLITE',
  255: 'IPPROTO_RAW',
};
const LEVELS: Readonly<Record<number, string>> = {
  0: 'SOL_IP',
  1: 'SOL_SOCKET',
  6: 'SOL_TCP',
  17: 'SOL_UDP',
  41: 'SOL_IPV6',
};
const SO_LINGER = 13;
/** The options of a level; the place in the array is the number. */
const OPTIONS: Readonly<Record<number, readonly (string | undefined)[]>> = {
  0: [undefined, 'IP_TOS', 'IP_TTL', 'IP_HDRINCL', 'IP_OPTIONS'],
  1: [
    undefined,
    ...['SO_DEBUG', 'SO_REUSEADDR', 'SO_TYPE', 'SO_ERROR', 'SO_DONTROUTE', 'SO_BROADCAST', 'SO_SNDBUF'],
    ...['SO_RCVBUF', 'SO_KEEPALIVE', 'SO_OOBINLINE', 'SO_NO_CHECK', 'SO_PRIORITY', 'SO_LINGER'],
    ...['SO_BSDCOMPAT', 'SO_REUSEPORT', 'SO_PASSCRED', 'SO_PEERCRED', 'SO_RCVLOWAT', 'SO_SNDLOWAT'],
    ...['SO_RCVTIMEO_OLD', 'SO_SNDTIMEO_OLD'],
  ],
  6: [
    undefined,
    ...['TCP_NODELAY', 'TCP_MAXSEG', 'TCP_CORK', 'TCP_KEEPIDLE', 'TCP_KEEPINTVL', 'TCP_KEEPCNT'],
    ...['TCP_SYNCNT', 'TCP_LINGER2', 'TCP_DEFER_ACCEPT', 'TCP_WINDOW_CLAMP', 'TCP_INFO', 'TCP_QUICKACK'],
  ],
  41: [...Array<undefined>(c.IPV6_V6ONLY), 'IPV6_V6ONLY'],
};

/** What is not what the call takes, in one line. */
function other(value: unknown): string {
  const options = { depth: 0, breakLength: Number.POSITIVE_INFINITY, maxArrayLength: 3, maxStringLength: 32 };
  try {
    return inspect(value, { ...options, customInspect: false }).replace(/\s*\n\s*/g, ' ');
  } catch {
    return '?';
  }
}

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
      const octalFollows = i + 1 < shown && next !== undefined && next >= 48 && next <= 55;
      text += `\\${byte.toString(8).padStart(octalFollows ? 3 : 1, '0')}`;
    }
  }
  return `${text}"${bytes.length > shown ? '...' : ''}`;
}

/** Random bytes, which strace shows in hexadecimal. */
function quoteHexadecimal(bytes: Uint8Array, limit: number): string {
  const shown = [...bytes.subarray(0, limit)].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`);
  return `"${shown.join('')}"${bytes.length > limit ? '...' : ''}`;
}

const hexadecimal = (value: number): string => (value === 0 ? '0' : `0x${(value >>> 0).toString(16)}`);

/** 0644; strace writes at least three digits. */
const octal = (mode: number): string => `0${mode === 0 ? '' : mode.toString(8)}`.padStart(3, '0');

/** The name of a number, or 0x63 with strace's remark. */
function oneOf(names: Names, value: number, prefix: string): string {
  return names.find(([, number]) => number >>> 0 === value)?.[0] ?? `${hexadecimal(value)} /* ${prefix} */`;
}

/** The names in value's bits, in the order of names, and what is left. Names of several bits go before those of one. */
function bitNames(names: Names, value: number): string[] {
  let rest = value >>> 0;
  const found: string[] = [];
  for (const [name, bits] of [...names].sort((a, b) => popcount(b[1]) - popcount(a[1]))) {
    if (bits === 0 || (rest & bits) >>> 0 !== bits >>> 0) continue;
    found.push(name);
    rest = (rest & ~bits) >>> 0;
  }
  const place = (name: string): number => LAST.indexOf(name) * names.length + rank(names, name);
  found.sort((a, b) => place(a) - place(b));
  if (rest !== 0) found.push(hexadecimal(rest));
  return found;
}

const rank = (names: Names, name: string): number => names.findIndex(([known]) => known === name);

/** A|B|0x8, or 0. */
const joined = (names: Names, value: number): string => bitNames(names, value).join('|') || '0';

/** A|B|0x8, as the set names them. */
export function flagNames(set: string, value: number): string {
  const { mask, names } = flagSets[set] as (typeof flagSets)[string];
  const all = value >>> 0;
  if (mask === -1) {
    const [first] = names[0] as Names[number];
    return oneOf(names, all, `${first.slice(0, first.lastIndexOf('_'))}_???`);
  }
  const more = [...names, ...(MORE_NAMES[set] ?? [])];
  if (mask === 0) return joined(more, all);
  // A small number first, then bits.
  const low = (all & mask) >>> 0;
  const name = names.find(([, number]) => number === low)?.[0] ?? hexadecimal(low);
  const bits = more.filter(([, number]) => (number & mask) === 0);
  return [name, ...bitNames(bits, (all & ~mask) >>> 0)].join('|');
}

function popcount(value: number): number {
  let count = 0;
  for (let rest = value >>> 0; rest !== 0; rest = (rest & (rest - 1)) >>> 0) count++;
  return count;
}

function bytesOf(view: ArrayBufferView, length = Number.POSITIVE_INFINITY): Buffer {
  const { buffer, byteOffset, byteLength } = view;
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
  const data = address.data.length === 0 ? '' : `, sa_data=${quote(address.data, 32)}`;
  return `{sa_family=${flagNames('family', address.family)}${data}}`;
}

const socklen = (length: number): Buffer => {
  const buffer = Buffer.alloc(4);
  buffer.writeInt32LE(length);
  return buffer;
};

/** S_IFREG|0644, S_IFDIR|S_ISVTX|0777 */
function fileMode(mode: number): string {
  const type = mode & c.S_IFMT;
  const parts = type === 0 ? [] : [flagNames('fileType', type)];
  for (const name of ['S_ISUID', 'S_ISGID', 'S_ISVTX'] as const) if ((mode & c[name]) !== 0) parts.push(name);
  return [...parts, octal(mode & 0o777)].join('|');
}

/** A call that has returned. */
interface Call {
  row: Row;
  args: readonly unknown[];
  /** Below 0 where it has failed, or thrown. */
  reply: number;
  /** How many bytes of data are shown. */
  limit: number;
  /** What lengthsOf() has answered before the call. */
  lengths: readonly (number | undefined)[];
}

/** What the arguments that the call may change were before it: socklen_t, which strace shows as [128 => 16]. */
export function lengthsOf(row: Row | undefined, args: readonly unknown[]): (number | undefined)[] {
  if (row === undefined || !row.args.some(({ format }) => format === 'intPointer')) return [];
  return row.args.map(({ format }, i) => {
    const value = args[i];
    if (format !== 'intPointer' || !ArrayBuffer.isView(value) || value.byteLength < 4) return undefined;
    return bytesOf(value).readInt32LE(0);
  });
}

/** What one argument is shown as. */
function argument(call: Call, i: number): string {
  const value = call.args[i];
  try {
    if (value === null) return 'NULL';
    if (value === undefined) return '?';
    if (typeof value === 'number' || typeof value === 'bigint') return number(call, i, value);
    if (ArrayBuffer.isView(value)) return memory(call, i, value);
    const { format } = call.row.args[i] as Row['args'][number];
    if (format === 'path' && typeof value === 'string') return quote(Buffer.from(value), 4096);
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
    case 'flags':
      return flags === 'at' ? statxFlags(value) : flagNames(flags as string, value);
    case 'fcntlArgument':
      return fcntlNumber(args[1], value);
    default:
      if (row.name === 'socket' && name === 'protocol') return protocol(args[0], value);
      if (row.name === 'setsockopt' && name === 'level')
        return LEVELS[value] ?? `${hexadecimal(value)} /* SOL_?? */`;
      if (row.name === 'setsockopt' && name === 'name')
        return OPTIONS[args[1] as number]?.[value] ?? String(value);
      return String(value);
  }
}

const STATX_SYNC = c.AT_STATX_FORCE_SYNC | c.AT_STATX_DONT_SYNC;

/** How to synchronise comes first, and not to say it has a name too. */
function statxFlags(value: number): string {
  const sync = value & STATX_SYNC;
  const rest = value & ~STATX_SYNC;
  const first = sync === 0 ? 'AT_STATX_SYNC_AS_STAT' : flagNames('at', sync);
  return rest === 0 ? first : `${first}|${flagNames('at', rest)}`;
}

function protocol(family: unknown, value: number): string {
  if (family === c.AF_INET || family === c.AF_INET6) return PROTOCOLS[value] ?? String(value);
  return family === c.AF_NETLINK && value === 0 ? 'NETLINK_ROUTE' : String(value);
}

/** A buffer, in any place. */
function memory(call: Call, i: number, view: ArrayBufferView): string {
  const { row, args, reply, limit } = call;
  const { format } = row.args[i] as Row['args'][number];
  const failed = reply < 0;
  switch (format) {
    case 'path':
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
    case 'timespec': {
      const { sec, nsec } = decodeTimespec(bytesOf(view));
      return `{tv_sec=${sec}, tv_nsec=${nsec}}`;
    }
    case 'sockaddr':
      return sockaddrArgument(bytesOf(view), args[i + 1], failed);
    case 'pollfds':
      return pollfds(bytesOf(view), Number(args[i + 1]), 'events');
    case 'epollEvent':
      return epollEvents(bytesOf(view), 1).slice(1, -1);
    default:
      return failed ? ADDRESS : struct(format, bytesOf(view), reply, other(view));
  }
}

/** setsockopt's value: an int, mostly. */
function option(args: readonly unknown[], bytes: Buffer, limit: number): string {
  if (bytes.length === 4) return `[${bytes.readInt32LE(0)}]`;
  if (args[1] === c.SOL_SOCKET && args[2] === SO_LINGER && bytes.length === 8)
    return `{l_onoff=${bytes.readInt32LE(0)}, l_linger=${bytes.readInt32LE(4)}}`;
  return quote(bytes, limit);
}

/** SIGUSR1 */
function signal(value: number): string {
  return Object.entries(system.signals).find(([, number]) => number === value)?.[0] ?? String(value);
}

function fcntlNumber(command: unknown, value: number): string {
  switch (command) {
    case c.F_SETFD:
      return joined([['FD_CLOEXEC', c.FD_CLOEXEC]], value);
    case c.F_SETFL:
      return flagNames('open', value);
    case c.F_SETSIG:
      return value === 0 ? '0' : signal(value);
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
const NO_ARGUMENT: readonly unknown[] = [
  ...[c.F_GETFD, c.F_GETFL, c.F_GETOWN, c.F_GETSIG, c.F_GETLEASE, c.F_GETPIPE_SZ, c.F_GET_SEALS],
];
const LOCKS: readonly unknown[] = [c.F_SETLK, c.F_SETLKW, c.F_OFD_SETLK, c.F_OFD_SETLKW];
/** Those that the kernel fills in. */
const LOCKS_OUT: readonly unknown[] = [c.F_GETLK, c.F_OFD_GETLK];

function fcntlStruct(command: unknown, bytes: Buffer, failed: boolean): string {
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

function sockaddrArgument(bytes: Buffer, length: unknown, failed: boolean): string {
  // The decoder reads a port, also where there is none.
  if (typeof length === 'number')
    return sockaddr(
      decodeSockaddr(Buffer.concat([bytes, Buffer.alloc(2)]), socklen(Math.min(length, bytes.length))),
    );
  if (failed || !ArrayBuffer.isView(length)) return ADDRESS;
  const address = decodeSockaddr(bytes, bytesOf(length));
  return address === undefined ? ADDRESS : sockaddr(address);
}

function iov(buffers: readonly unknown[], length: number, limit: number): string {
  if (length < 0) return ADDRESS;
  let left = length;
  const parts = buffers.map((buffer) => {
    if (!ArrayBuffer.isView(buffer)) return other(buffer);
    const bytes = bytesOf(buffer, left);
    left -= bytes.length;
    return `{iov_base=${quote(bytes, limit)}, iov_len=${buffer.byteLength}}`;
  });
  return `[${parts.join(', ')}]`;
}

function epollEvents(bytes: Buffer, count: number): string {
  const events = decodeEpollEvents(bytes, count).map(({ events: bits, data }) => {
    const u64 = BigInt.asUintN(64, BigInt(data));
    return `{events=${flagNames('epollEvent', bits)}, data={u32=${BigInt.asUintN(32, u64)}, u64=${u64}}}`;
  });
  return `[${events.join(', ')}]`;
}

/** What was asked: [{fd=3, events=POLLIN}]. What has happened: [{fd=3, revents=POLLIN}]. */
function pollfds(bytes: Buffer, count: number, shown: 'events' | 'revents'): string {
  const list: string[] = [];
  for (let at = 0; at < Math.min(count * 8, bytes.length - 7); at += 8) {
    const fd = bytes.readInt32LE(at);
    const bits = bytes.readUInt16LE(at + (shown === 'events' ? 4 : 6));
    if (shown === 'events' && fd < 0) list.push(`{fd=${fd}}`);
    else if (shown === 'events' || bits !== 0) list.push(`{fd=${fd}, ${shown}=${flagNames('poll', bits)}}`);
  }
  return `[${list.join(', ')}]`;
}

/** makedev(0x1, 0x3), as the kernel packs it. */
function device(number: number): string {
  const bits = BigInt(number);
  const major = ((bits >> 8n) & 0xfffn) | ((bits >> 32n) & 0xfffff000n);
  const minor = (bits & 0xffn) | ((bits >> 12n) & 0xffffff00n);
  return `makedev(0x${major.toString(16)}, 0x${minor.toString(16)})`;
}

/** What the kernel has written. */
function struct(format: string, bytes: Buffer, reply: number, otherwise: string): string {
  switch (format) {
    case 'stat': {
      const stat = decodeStat(bytes);
      const type = stat.mode & c.S_IFMT;
      const what =
        type === c.S_IFCHR || type === c.S_IFBLK ? `st_rdev=${device(stat.rdev)}` : `st_size=${stat.size}`;
      return `{st_mode=${fileMode(stat.mode)}, ${what}, ...}`;
    }
    case 'statx': {
      const { mask, attributes, mode, size } = decodeStatx(bytes);
      const bits = joined(STATX_ATTRIBUTES, Number(BigInt.asUintN(32, attributes)));
      return `{stx_mask=${flagNames('statx', mask)}, stx_attributes=${bits}, stx_mode=${fileMode(mode)}, stx_size=${size}, ...}`;
    }
    case 'pair':
      return `[${bytes.readInt32LE(0)}, ${bytes.readInt32LE(4)}]`;
    case 'dirents':
      return `${ADDRESS} /* ${decodeDirents(bytes, reply, 'buffer').length} entries */`;
    case 'epollEvents':
      return epollEvents(bytes, reply);
    default:
      return otherwise;
  }
}

/** openat(AT_FDCWD, "/etc/hosts", O_RDONLY): the call with what it was given and what the kernel has written. */
export function formatCall(
  row: Row,
  args: readonly unknown[],
  reply: number,
  limit: number,
  lengths: readonly (number | undefined)[] = [],
): string {
  const call: Call = { row, args, reply, limit, lengths };
  const shown = row.args.map((_, i) => argument(call, i));
  if (isOpen(row.name) && !makesFile(args[shown.length - 2])) shown.pop();
  if (row.name === 'fcntl' && NO_ARGUMENT.includes(args[1])) shown.pop();
  return `${row.name}(${shown.join(', ')})`;
}

/** A call that is not in the table. */
export function formatUnknown(number: number, args: readonly unknown[]): string {
  const given = args.filter((value) => value !== undefined);
  const shown = given.map((value) => (Number.isInteger(value) ? hexadecimal(value as number) : other(value)));
  return `syscall_${hexadecimal(number)}(${shown.join(', ')})`;
}

const isOpen = (name: CallName): boolean => name === 'open' || name === 'openat';

/** A mode is an argument of open only where a file may be made. */
function makesFile(flags: unknown): boolean {
  if (typeof flags !== 'number') return true; // what it is meant to be, nobody knows
  return (flags & c.O_CREAT) !== 0 || (flags & c.O_TMPFILE) === c.O_TMPFILE;
}

/** "= 3", "= 0 (Timeout)", "= -1 ENOENT (No such file or directory)"; the texts are the C library's, not libuv's. */
export function formatReply(row: Row | undefined, args: readonly unknown[], reply: number): string {
  if (reply < 0) {
    const [, name, text] = errnos.find(([errno]) => errno === -reply) ?? [];
    return name === undefined ? `= -1 (errno ${-reply})` : `= -1 ${name} (${text})`;
  }
  if (row?.name === 'poll') return `= ${reply} (${pollReply(args, reply)})`;
  return row?.name === 'fcntl' ? `= ${fcntlReply(args[1], reply)}` : `= ${reply}`;
}

function pollReply([fds, count]: readonly unknown[], reply: number): string {
  if (reply === 0) return 'Timeout';
  return ArrayBuffer.isView(fds) ? pollfds(bytesOf(fds), Number(count), 'revents') : ADDRESS;
}

function fcntlReply(command: unknown, reply: number): string {
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
      return reply === 0 ? '0' : `${reply} (${signal(reply)})`;
    default:
      return String(reply);
  }
}
