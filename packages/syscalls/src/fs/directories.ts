/** directories.ts: operations on directories: mkdir, mkdtemp, readdir, and the entries that they and opendir give. */
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { decodeDirents, type Dirent as Entry } from '../codec/dirent.ts';
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
} from './arguments.ts';
import { STATX_MASK, STATX_SIZE } from './stats.ts';
import { Steps, type Work } from './work.ts';

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
/** As Node reads what the kernel calls a path: as UTF-8. */
export const textOf = (path: CheckedPath): string =>
  typeof path === 'string' ? path : Buffer.from(path).toString();

/** S_IFMT's bits of what a path is, links not followed; 0 where it can't be asked. */
function typeOf(path: CheckedPath): number {
  const struct = Buffer.allocUnsafe(STATX_SIZE);
  const reply = send(c.SYS_statx, c.AT_FDCWD, path, c.AT_SYMLINK_NOFOLLOW, STATX_MASK, struct);
  return reply < 0 ? 0 : struct.readUInt16LE(28) & c.S_IFMT;
}

/** Node's own class; the type is asked for where the file system does not tell it. */
export function direntOf(entry: Entry, within: CheckedPath, encoding: Options['encoding']): fs.Dirent {
  const bytes = entry.name as Buffer;
  const parent = textOf(within);
  // A type has the same bits in a mode, 12 further up.
  const type = entry.type === c.DT_UNKNOWN ? typeOf(join(parent, bytes.toString())) >>> 12 : entry.type;
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

/** Level by level, as Node's; directories behind links are not entered. */
function scanTree(top: CheckedPath, withFileTypes: boolean, encoding: Options['encoding']): unknown[] {
  const base = textOf(top);
  const results: unknown[] = [];
  const queue = [base];
  for (const path of queue) {
    for (const entry of scan(path)) {
      const dirent = direntOf(entry, path, undefined);
      const below = join(path, dirent.name);
      if (withFileTypes) results.push(encoding === undefined ? dirent : direntOf(entry, path, encoding));
      else {
        const name = relative(base, below);
        results.push(
          encoding === undefined || encoding === null ? name : encoded(Buffer.from(name), encoding),
        );
      }
      if (dirent.isDirectory()) queue.push(below);
    }
  }
  return results;
}

export function readdir(path: unknown, options?: unknown): Work<unknown[]> {
  const given = checkOptions(options);
  const { encoding } = given;
  const checked = checkPath(path);
  const recursive = checkBoolean(given.recursive, 'options.recursive');
  const withFileTypes = Boolean(given.withFileTypes);
  return new Steps('fs.readdir', () => {
    if (recursive) return scanTree(checked, withFileTypes, encoding);
    return scan(checked).map((entry) =>
      withFileTypes ? direntOf(entry, checked, encoding) : encoded(entry.name as Buffer, encoding),
    );
  });
}

/** The directory and those above it that are missing. The answer is the first that was made. */
function mkdirs(path: string, mode: number): string | undefined {
  const reply = send(c.SYS_mkdir, path, mode);
  if (reply >= 0) return path;
  const above = dirname(path);
  if (reply === -c.ENOENT && above !== path) {
    const first = mkdirs(above, mode);
    const again = send(c.SYS_mkdir, path, mode);
    if (again >= 0 || again === -c.EEXIST) return first ?? (again >= 0 ? path : undefined);
    throw failure(again, 'mkdir', path);
  }
  if (reply === -c.EEXIST || reply === -c.EISDIR || reply === -c.EPERM || reply === -c.EROFS) {
    const struct = Buffer.allocUnsafe(STATX_SIZE);
    const there = send(c.SYS_statx, c.AT_FDCWD, path, 0, STATX_MASK, struct);
    if (there >= 0 && (struct.readUInt16LE(28) & c.S_IFMT) === c.S_IFDIR) return undefined;
  }
  throw failure(reply, 'mkdir', path);
}

export function mkdir(path: unknown, options?: unknown): Work<string | undefined> {
  const given = typeof options === 'object' && options !== null ? (options as Options) : { mode: options };
  const recursive = checkBoolean((given as Options).recursive, 'options.recursive');
  const mode = checkMode((given as Options).mode, 0o777);
  const checked = checkPath(path);
  return new Steps('fs.mkdir', () => {
    if (recursive) return mkdirs(textOf(checked), mode);
    const reply = send(c.SYS_mkdir, checked, mode);
    if (reply < 0) throw failure(reply, 'mkdir', checked);
    return undefined;
  });
}

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const TRIES = 100;

export function mkdtemp(prefix: unknown, options?: unknown): Work<string | Buffer> {
  const { encoding } = checkOptions(options);
  const checked = textOf(checkPath(prefix, 'prefix'));
  return new Steps('fs.mkdtemp', () => {
    for (let left = TRIES; ; left--) {
      const end = Array.from(randomBytes(6), (byte) => LETTERS[byte % LETTERS.length]).join('');
      const path = `${checked}${end}`;
      const reply = send(c.SYS_mkdir, path, 0o700);
      if (reply >= 0) return encoded(Buffer.from(path), encoding);
      if (reply !== -c.EEXIST || left === 0) throw failure(reply, 'mkdtemp', `${checked}XXXXXX`);
    }
  });
}
