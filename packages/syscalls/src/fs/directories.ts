/** directories.ts: operations on directories: mkdir, mkdtemp, readdir, and the entries that they and opendir give. */
import fs from 'node:fs';
import { decodeDirents, type Dirent as Entry } from '../codec/file/dirent.ts';
import { failure } from '../failure.ts';
import { constants as c } from '../generated/constants.ts';
import { send } from '../port/send.ts';
import {
  type CheckedPath,
  checkBoolean,
  checkMode,
  checkOptions,
  checkPath,
  encoded,
  type Options,
} from './arguments/arguments.ts';
import { above, below, pathOf, textOf } from './arguments/names.ts';
import { Steps, type Work } from './forms/work.ts';
import {
  entriesEnterLinks,
  namesOptions,
  promisedEntriesEnterLinks,
  promisedTreesLastFirst,
} from './node/this-node.ts';
import { STATX_MASK, STATX_SIZE } from './stat/stats.ts';

export { textOf };

const ROOM = 32768;
const UV = fs.constants as unknown as Record<string, number>;

/** DT_* (readdir(3)) as Node's numbers. */
const TYPES: Readonly<Record<number, number | undefined>> = {
  [c.DT_FIFO]: UV.UV_DIRENT_FIFO,
  [c.DT_CHR]: UV.UV_DIRENT_CHAR,
  [c.DT_DIR]: UV.UV_DIRENT_DIR,
  [c.DT_BLK]: UV.UV_DIRENT_BLOCK,
  [c.DT_REG]: UV.UV_DIRENT_FILE,
  [c.DT_LNK]: UV.UV_DIRENT_LINK,
  [c.DT_SOCK]: UV.UV_DIRENT_SOCKET,
};

type Name = string | Buffer;

/** S_IFMT's bits of what a path is; 0 where it can't be asked. */
function typeOf(path: CheckedPath, follow = false): number {
  const struct = Buffer.allocUnsafe(STATX_SIZE);
  const flags = follow ? 0 : c.AT_SYMLINK_NOFOLLOW;
  const reply = send(c.SYS_statx, c.AT_FDCWD, path, flags, STATX_MASK, struct);
  return reply < 0 ? 0 : struct.readUInt16LE(28) & c.S_IFMT;
}

/** Node's own class; the type is asked for where the file system does not tell it. */
export function direntOf(entry: Entry, within: CheckedPath, encoding: Options['encoding']): fs.Dirent {
  const bytes = entry.name as Buffer;
  // A type has the same bits in a mode, 12 further up.
  const type = entry.type === c.DT_UNKNOWN ? typeOf(below(within, bytes)) >>> 12 : entry.type;
  const Dirent = fs.Dirent as unknown as new (name: Name, type: number | undefined, path: Name) => fs.Dirent;
  return new Dirent(encoded(bytes, encoding), TYPES[type] ?? UV.UV_DIRENT_UNKNOWN, within as Name);
}

/** The next entries of an open directory, without "." and ".."; none at its end, nor where it has been removed, as readdir(3) has it. */
export function nextEntries(fd: number, name: string, path: CheckedPath): Entry[] {
  for (;;) {
    const buffer = Buffer.allocUnsafe(ROOM);
    const reply = send(c.SYS_getdents64, fd, buffer, ROOM);
    if (reply === 0 || reply === -c.ENOENT) return [];
    if (reply < 0) throw failure(reply, name, path);
    const entries = decodeDirents(buffer, reply, 'buffer').filter(({ name: bytes }) => {
      const [first, second] = bytes as Buffer;
      return !(first === 0x2e && (bytes.length === 1 || (second === 0x2e && bytes.length === 2)));
    });
    if (entries.length > 0) return entries;
  }
}

export function openDirectory(name: string, path: CheckedPath): number {
  const fd = send(c.SYS_open, path, c.O_RDONLY | c.O_DIRECTORY | c.O_CLOEXEC, 0);
  if (fd < 0) throw failure(fd, name, path);
  return fd;
}

/** All entries, sorted by their bytes, as libuv's scandir does. name: whose error it is when the directory can't be opened or read. */
export function scan(path: CheckedPath, name = 'scandir'): Entry[] {
  const fd = openDirectory(name, path);
  try {
    const all: Entry[] = [];
    for (let some = nextEntries(fd, name, path); some.length > 0; some = nextEntries(fd, name, path))
      all.push(...some);
    return all.sort((a, b) => Buffer.compare(a.name as Buffer, b.name as Buffer));
  } finally {
    send(c.SYS_close, fd);
  }
}

interface Listing {
  withFileTypes: boolean;
  encoding: Options['encoding'];
  /** Links to directories are entered, too: round and round, until the kernel has had enough of them. */
  entersLinks: boolean;
  /** What is found last is entered first, as node:fs/promises has it. */
  lastFirst: boolean;
}

interface Branch {
  path: CheckedPath;
  /** From the top on. */
  prefix: CheckedPath;
}

/** Whether the tree goes on there. */
function isBranch({ type }: Entry, path: CheckedPath, entersLinks: boolean): boolean {
  if (type === c.DT_DIR) return true;
  if (type !== c.DT_UNKNOWN && (type !== c.DT_LNK || !entersLinks)) return false;
  return typeOf(path, entersLinks) === c.S_IFDIR;
}

/** Directory by directory, in the order in which node:fs lists them. */
function scanTree(top: CheckedPath, { withFileTypes, encoding, entersLinks, lastFirst }: Listing): unknown[] {
  const results: unknown[] = [];
  const queue: Branch[] = [{ path: top, prefix: '' }];
  let first = 0;
  while (first < queue.length) {
    const branch = (lastFirst ? queue.pop() : queue[first++]) as Branch;
    for (const entry of scan(branch.path)) {
      const name = entry.name as Buffer;
      const path = below(branch.path, name);
      const relative = branch.prefix === '' ? pathOf(name) : below(branch.prefix, name);
      results.push(
        withFileTypes
          ? direntOf(entry, branch.path, encoding)
          : encoded(Buffer.from(relative as Uint8Array), encoding),
      );
      if (isBranch(entry, path, entersLinks)) queue.push({ path, prefix: relative });
    }
  }
  return results;
}

function list(path: unknown, options: unknown, promised: boolean): Work<unknown[]> {
  const given = checkOptions(options);
  const { encoding } = given;
  const checked = checkPath(path);
  const recursive = promised ? Boolean(given.recursive) : checkBoolean(given.recursive, 'options.recursive');
  const withFileTypes = Boolean(given.withFileTypes);
  const listing: Listing = {
    withFileTypes,
    encoding,
    entersLinks: !withFileTypes || (promised ? promisedEntriesEnterLinks : entriesEnterLinks),
    lastFirst: promised && promisedTreesLastFirst,
  };
  return new Steps('fs.readdir', () => {
    if (recursive) return scanTree(checked, listing);
    return scan(checked).map((entry) =>
      withFileTypes ? direntOf(entry, checked, encoding) : encoded(entry.name as Buffer, encoding),
    );
  });
}

export function readdir(path: unknown, options?: unknown): Work<unknown[]> {
  return list(path, options, false);
}

/** As node:fs/promises has it, which lists trees in another order. */
export function readdirOfPromises(path: unknown, options?: unknown): Work<unknown[]> {
  return list(path, options, true);
}

/** Which form of mkdir it is: each has its own way with options, and with an error further up. */
interface Making {
  promised: boolean;
  blocking: boolean;
}

/** What stands in the way: nothing, if it is a directory. */
function checkThere(path: CheckedPath, reply: number, asked: CheckedPath, { blocking }: Making): void {
  if (reply !== -c.EEXIST && reply !== -c.EISDIR && reply !== -c.EPERM && reply !== -c.EROFS)
    throw failure(reply, 'mkdir', path);
  const struct = Buffer.allocUnsafe(STATX_SIZE);
  const there = send(c.SYS_statx, c.AT_FDCWD, path, 0, STATX_MASK, struct);
  if (there >= 0 && (struct.readUInt16LE(28) & c.S_IFMT) === c.S_IFDIR) return;
  if (there >= 0) throw failure(reply, 'mkdir', path);
  // A link that leads nowhere, say.
  if (path !== asked && !blocking) throw failure(-c.ENOTDIR, 'mkdir', path);
  throw failure(there, 'mkdir', asked);
}

/** The directory and those above it that are missing. The answer is the first that was made. */
function mkdirs(
  path: CheckedPath,
  mode: number,
  asked: CheckedPath,
  making: Making,
): CheckedPath | undefined {
  const reply = send(c.SYS_mkdir, path, mode);
  if (reply >= 0) return path;
  const parent = above(path);
  if (reply === -c.ENOENT && parent.length < path.length) {
    const first = mkdirs(parent, mode, asked, making);
    const again = send(c.SYS_mkdir, path, mode);
    if (again >= 0 || again === -c.EEXIST) return first ?? (again >= 0 ? path : undefined);
    throw failure(again, 'mkdir', path);
  }
  checkThere(path, reply, asked, making);
  return undefined;
}

/** Its options: a mode, or an object. What is none of them counts as none. */
function mkdirOptions(options: unknown, { promised }: Making): { recursive: boolean; mode: number } {
  if (typeof options === 'number' || typeof options === 'string')
    return { recursive: false, mode: checkMode(options) };
  const { recursive, mode = 0o777 } = (options || {}) as Options;
  return {
    recursive: checkBoolean(recursive, 'options.recursive', false, true),
    mode: promised
      ? checkMode(mode, 0o777)
      : checkMode(mode, undefined, namesOptions ? 'options.mode' : 'mode'),
  };
}

function makeDirectory(path: unknown, options: unknown, making: Making): Work<string | undefined> {
  if (making.promised || !namesOptions) checkPath(path);
  const { recursive, mode } = mkdirOptions(options, making);
  const checked = checkPath(path);
  return new Steps('fs.mkdir', () => {
    if (recursive) {
      const first = mkdirs(checked, mode, checked, making);
      return first === undefined ? undefined : textOf(first);
    }
    const reply = send(c.SYS_mkdir, checked, mode);
    if (reply < 0) throw failure(reply, 'mkdir', checked);
    return undefined;
  });
}

export function mkdir(path: unknown, options?: unknown): Work<string | undefined> {
  return makeDirectory(path, options, { promised: false, blocking: true });
}

/** With a callback. */
export function mkdirCalled(path: unknown, options?: unknown): Work<string | undefined> {
  return makeDirectory(path, options, { promised: false, blocking: false });
}

/** As node:fs/promises has it, whose options are checked otherwise. */
export function mkdirOfPromises(path: unknown, options?: unknown): Work<string | undefined> {
  return makeDirectory(path, options, { promised: true, blocking: false });
}

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const TRIES = 100;

let warnedOfTemplate = false;

function warnOfTemplate(): void {
  if (warnedOfTemplate) return;
  warnedOfTemplate = true;
  process.emitWarning(
    'mkdtemp() templates ending with X are not portable. For details see: https://nodejs.org/api/fs.html',
  );
}

export function mkdtemp(prefix: unknown, options?: unknown): Work<string | Buffer> {
  const { encoding } = checkOptions(options);
  const checked = textOf(checkPath(prefix, 'prefix'));
  if (checked.endsWith('X')) warnOfTemplate();
  return new Steps('fs.mkdtemp', () => {
    for (let left = TRIES; ; left--) {
      const end = Array.from(
        process.getBuiltinModule('node:crypto').randomBytes(6),
        (byte) => LETTERS[byte % LETTERS.length],
      ).join('');
      const path = `${checked}${end}`;
      const reply = send(c.SYS_mkdir, path, 0o700);
      if (reply >= 0) return encoded(Buffer.from(path), encoding);
      if (reply !== -c.EEXIST || left === 0) throw failure(reply, 'mkdtemp', `${checked}XXXXXX`);
    }
  });
}
