/**
 * arguments.ts: the paths among a call's arguments, as the kernel takes them: text, where it begins, how its last name is looked up. Paths are arguments of
 * format "path", addresses of unix sockets, and some texts of mount and fsconfig.
 *
 * Not here: where they lead (resolve.ts). Invariant: what names a file and cannot be read is said to be hidden, never left out.
 */
import { viewBytes } from '../../codec/bytes.ts';
import { constants as c } from '../../generated/constants.ts';
import type { CallName, Row } from '../../generated/rows.ts';
import { rowOf } from '../../port/calls.ts';
import type { SysMsg } from '../../port/sysmsg.ts';
import { hidden, type Last, looksUp, lookupOf, openLast } from './lookups.ts';
import { givenText, textOfBytes } from './text.ts';

export interface PathArgument {
  /** The argument's name. */
  readonly argument: string;
  /** '' stands for the descriptor itself. */
  readonly path: string;
  readonly dirfd: number;
  readonly last: Last;
  /** RESOLVE_* of openat2. */
  readonly resolve: number;
}

/** One that can't be read. */
export interface HiddenPath {
  readonly argument: string;
  readonly hidden: string;
}

/** Calls whose descriptor is none that the path begins at. */
const OTHER_DESCRIPTOR: ReadonlySet<CallName> = new Set(['inotify_add_watch']);
const SOCKET_CALLS: ReadonlySet<CallName> = new Set(['connect', 'bind', 'sendto', 'sendmsg', 'sendmmsg']);
/** struct open_how as it was first: what comes after it is not known here. */
const OPEN_HOW = 24;
const RESOLVES =
  c.RESOLVE_NO_XDEV |
  c.RESOLVE_NO_MAGICLINKS |
  c.RESOLVE_NO_SYMLINKS |
  c.RESOLVE_BENEATH |
  c.RESOLVE_IN_ROOT |
  c.RESOLVE_CACHED;
/** Of mount's flags, those with which its source names nothing: MS_REMOUNT, MS_UNBINDABLE, MS_PRIVATE, MS_SLAVE, MS_SHARED. */
const WITHOUT_SOURCE = c.MS_REMOUNT | 0x20000 | 0x40000 | 0x80000 | c.MS_SHARED;
/** File systems of which neither source nor options name a file. */
const WITHOUT_FILES = new Set([
  'tmpfs',
  'ramfs',
  'proc',
  'sysfs',
  'devtmpfs',
  'devpts',
  'mqueue',
  'cgroup',
  'cgroup2',
]);

/** Whether a call can name a path. */
export function hasPath(number: number): boolean {
  const name = rowOf(number)?.name;
  return (
    name !== undefined && (looksUp(name) || SOCKET_CALLS.has(name) || name === 'fsconfig' || hidden.has(name))
  );
}

/** Calls whose paths are not all plain arguments. */
const NOT_PLAIN: ReadonlySet<CallName> = new Set([
  ...SOCKET_CALLS,
  ...hidden.keys(),
  'openat2',
  'mount',
  'fsconfig',
]);
const PLAIN_MAX = 2;

/** Which arguments of a call are its paths, and where those begin (-1: at the working directory); undefined where more than that says what they are. */
export function plainPaths(number: number): { argument: number; dirfd: number }[] | undefined {
  const row = rowOf(number);
  if (row === undefined) return [];
  if (NOT_PLAIN.has(row.name)) return undefined;
  const found = row.args.flatMap(({ name }, argument) =>
    lookupOf(row.name, name) === undefined
      ? []
      : [{ argument, dirfd: beginsAtDescriptor(row, argument) ? argument - 1 : -1 }],
  );
  return found.length > PLAIN_MAX ? undefined : found;
}

const beginsAtDescriptor = (row: Row, i: number): boolean =>
  row.args[i - 1]?.format === 'fd' && !OTHER_DESCRIPTOR.has(row.name);

/** Text or bytes up to the first NUL, as text; undefined for what is neither: the kernel is never given that. */
function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return givenText(value);
  return ArrayBuffer.isView(value) ? textOfBytes(viewBytes(value)) : undefined;
}

const bits = (value: unknown): number => (typeof value === 'number' ? value : 0);

/** How an opening's last name is looked up, and RESOLVE_*; a reason where that can't be known. */
function opening(row: Row, msg: SysMsg): { last: Last; resolve: number } | string {
  if (row.name !== 'openat2') return { last: openLast(bits(msg.get('flags'))), resolve: 0 };
  const how = msg.get('how');
  if (!ArrayBuffer.isView(how)) return { last: 'follow', resolve: 0 };
  const struct = viewBytes(how);
  if (struct.length < OPEN_HOW) return { last: 'follow', resolve: 0 };
  const resolve = struct.readBigUInt64LE(16);
  const later = bits(msg.args[3]) > OPEN_HOW && struct.subarray(OPEN_HOW).some((byte) => byte !== 0);
  if (later || (resolve & ~BigInt(RESOLVES)) !== 0n) return 'open_how has fields or flags that are not known';
  return { last: openLast(struct.readUInt32LE(0)), resolve: Number(resolve) };
}

function pathArgument(row: Row, msg: SysMsg, i: number): PathArgument | HiddenPath | undefined {
  const { name: argument } = row.args[i] as Row['args'][number];
  const lookup = lookupOf(row.name, argument);
  if (lookup === undefined) return undefined;
  const given = msg.args[i];
  const at = beginsAtDescriptor(row, i);
  const path = given === null || given === undefined ? '' : textOf(given);
  // "" names nothing, or the descriptor, with flags or without: which of them depends on the kernel's age.
  if (path === undefined || (path === '' && !at)) return undefined;
  const dirfd = at ? msg.args[i - 1] : c.AT_FDCWD;
  if (typeof dirfd !== 'number') return undefined;
  const place = { argument, path, dirfd: dirfd | 0 };
  if (lookup.last === 'open') {
    const how = opening(row, msg);
    return typeof how === 'string' ? { argument, hidden: how } : { ...place, ...how };
  }
  const turned =
    lookup.flags !== undefined && (bits(msg.get(lookup.flags)) & (lookup.turned as number)) !== 0;
  const last = turned ? (lookup.last === 'follow' ? 'itself' : 'follow') : lookup.last;
  return { ...place, last, resolve: 0 };
}

/** What an address of a unix socket names: a path from the working directory on; undefined where it is abstract, or none. */
function socketPath(value: unknown, length: number, last: Last, argument: string): PathArgument | undefined {
  if (!ArrayBuffer.isView(value)) return undefined;
  const struct = viewBytes(value).subarray(0, Math.max(0, length));
  if (struct.length <= 2 || struct.readUInt16LE(0) !== c.AF_UNIX || struct[2] === 0) return undefined;
  const end = struct.indexOf(0, 2);
  const path = textOfBytes(struct.subarray(2, end < 0 ? struct.length : end));
  return { argument, path, dirfd: c.AT_FDCWD, last, resolve: 0 };
}

function socketPaths(row: Row, msg: SysMsg): (PathArgument | undefined)[] {
  const last = row.name === 'bind' ? 'name' : 'follow';
  const i = row.args.findIndex(({ format }) => /^(sockaddr|message)/.test(format));
  const value = msg.args[i];
  if (row.args[i]?.format === 'sockaddr') return [socketPath(value, bits(msg.args[i + 1]), last, 'address')];
  const messages = row.name === 'sendmmsg' && Array.isArray(value) ? value : [value];
  return messages.map((message) =>
    Array.isArray(message) ? socketPath(message[0], Number.MAX_SAFE_INTEGER, last, 'address') : undefined,
  );
}

function mountPaths(msg: SysMsg): (PathArgument | HiddenPath | undefined)[] {
  const row = rowOf(msg.number) as Row;
  const target = pathArgument(row, msg, 1);
  const flags = bits(msg.args[3]);
  const type = textOf(msg.args[2]) ?? '';
  const moves = (flags & (c.MS_BIND | c.MS_MOVE)) !== 0;
  const plain = WITHOUT_FILES.has(type) && !moves;
  const source = plain || ((flags & WITHOUT_SOURCE) !== 0 && !moves) ? undefined : pathArgument(row, msg, 0);
  const data = textOf(msg.args[4]) ?? '';
  const options =
    data !== '' && !plain && !moves ? { argument: 'data', hidden: 'it is for the file system' } : undefined;
  return [source, target, options];
}

function configured(msg: SysMsg): PathArgument | HiddenPath | undefined {
  const [, command, , value, aux] = msg.args;
  const argument = 'value';
  if (command === c.FSCONFIG_SET_STRING) return { argument, hidden: 'it is for the file system' };
  if (command !== c.FSCONFIG_SET_PATH && command !== c.FSCONFIG_SET_PATH_EMPTY) return undefined;
  const path = textOf(value) ?? '';
  return { argument, path, dirfd: bits(aux) | 0, last: 'follow', resolve: 0 };
}

/** The paths that a call names, in order. */
export function pathArguments(msg: SysMsg): (PathArgument | HiddenPath)[] {
  const row = rowOf(msg.number);
  if (row === undefined) return [];
  const why = hidden.get(row.name);
  if (why !== undefined) return [{ argument: row.args[0]?.name ?? 'path', hidden: why }];
  const found =
    row.name === 'mount'
      ? mountPaths(msg)
      : row.name === 'fsconfig'
        ? [configured(msg)]
        : SOCKET_CALLS.has(row.name)
          ? socketPaths(row, msg)
          : row.args.map((_, i) => pathArgument(row, msg, i));
  return found.filter((each) => each !== undefined);
}
