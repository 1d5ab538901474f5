/** resolve.ts: a call's path arguments: what they name in the tree, or that they are none of its. */

import { viewBytes } from '../../../codec/bytes.ts';
import { PATH_MAX } from '../../../codec/file/path.ts';
import { constants as c } from '../../../generated/constants.ts';
import { SysMsg } from '../../../port/sysmsg.ts';
import { workingDirectory as kernelsDirectory } from '../../../working-directory.ts';
import { below, type Call, intOf } from '../call.ts';
import type { Volume } from '../volume.ts';
import { toByteString, toPathArgument } from './byte-string.ts';
import { type Start, walk } from './path-walk.ts';
import { Outside, Target } from './target.ts';

/** Which arguments are a path and the directory it begins at; dirfd is -1 for calls that take none. */
export interface Where {
  readonly dirfd: number;
  readonly path: number;
}

/** The path is the first argument. */
export const PATH: Where = { dirfd: -1, path: 0 };
/** A directory and a path are the first two. */
export const AT: Where = { dirfd: 0, path: 1 };

/** undefined: the call goes on as it is. */
export type Resolved = Target | Outside | number | undefined;

const DESCRIPTOR_PATH = new RegExp(
  `^/(?:proc/(?:self|thread-self|${process.pid})/fd|dev/fd)/(\\d+)(/.*)?$`,
  's',
);

/** The first component that is not ".". */
const FIRST_NAME = /^(?:\/|\.(?=\/|$))*([^/]*)/;

/** The kernel's answer to where fd is, or a directory by its path. */
function linkOf(call: Call, fd: number): string | number {
  const target = Buffer.allocUnsafe(PATH_MAX);
  const length = below(call, 'readlink', `/proc/self/fd/${fd}`, target, PATH_MAX);
  return length < 0 ? length : target.toString('latin1', 0, length);
}

function realPath(call: Call, path: string): string | number {
  const flags = c.O_PATH | c.O_DIRECTORY | c.O_CLOEXEC;
  const fd = below(call, 'openat', c.AT_FDCWD, toPathArgument(path), flags, 0);
  if (fd < 0) return fd;
  const known = linkOf(call, fd);
  below(call, 'close', fd);
  return known;
}

/** Whether an absolute path can have to do with the tree at all. */
function isOurs({ root }: Volume, path: string): boolean {
  if (root.root !== undefined || path.includes('..')) return true;
  const first = FIRST_NAME.exec(path)?.[1];
  return first === '' || root.children.has(first as string);
}

/** Where a relative path begins. undefined: not in the tree, and cannot lead there. */
function startOf(call: Call, fd: number, path: string): Start | number | undefined {
  const { descriptors, workingDirectory } = call.volume;
  if (fd === c.AT_FDCWD) return workingDirectory?.entry ?? toByteString(kernelsDirectory());
  const file = descriptors.get(fd);
  if (file !== undefined) return file.entry;
  const real = descriptors.realDirectory(fd);
  if (real !== undefined) return real.mount.path;
  if (!path.includes('..')) return undefined;
  const known = linkOf(call, fd);
  return typeof known === 'number' || !known.startsWith('/') ? undefined : known;
}

/** What a call's path names. emptyPath: AT_EMPTY_PATH is given. */
export function resolve(call: Call, where: Where, how: number, emptyPath = false): Resolved {
  const { volume, msg } = call;
  const given = msg.args[where.path];
  if (typeof given !== 'string' && !ArrayBuffer.isView(given)) return undefined;
  const path = toByteString(typeof given === 'string' ? given : viewBytes(given));
  if (path.includes('\0') || path.length >= PATH_MAX) return undefined;
  const fd = where.dirfd < 0 ? c.AT_FDCWD : intOf(msg.args[where.dirfd]);
  if (fd === undefined) return undefined;
  if (path === '') return resolveEmpty(volume, fd, emptyPath);
  return resolvePath(call, fd, path, how);
}

/** Two paths: as they lead at one time, though asking the kernel about one of them may have let others change the other. */
export function resolveBoth(call: Call, one: () => Resolved, other: () => Resolved): [Resolved, Resolved] {
  for (;;) {
    const before = call.volume.changes;
    const both: [Resolved, Resolved] = [one(), other()];
    if (call.volume.changes === before) return both;
  }
}

/** An empty path is none (ENOENT, whatever else is wrong), or stands for fd itself. */
function resolveEmpty({ descriptors, workingDirectory }: Volume, fd: number, emptyPath: boolean): Resolved {
  if (!emptyPath) return -c.ENOENT;
  const entry = fd === c.AT_FDCWD ? workingDirectory?.entry : descriptors.get(fd)?.entry;
  return entry === undefined ? undefined : new Target(undefined, '', entry, false);
}

/** A path from fd on. */
export function resolvePath(call: Call, fd: number, path: string, how: number): Resolved {
  const { volume } = call;
  const { root, credentials, descriptors } = volume;
  let start: Start | number | undefined = '/';
  let rest = path;
  if (path.startsWith('/')) {
    const [, number, after] = DESCRIPTOR_PATH.exec(path) ?? [];
    const file = number === undefined ? undefined : descriptors.get(Number(number));
    if (file !== undefined) {
      if (after === undefined) return how & 1 ? new Target(undefined, '', file.entry, false) : undefined;
      start = file.entry;
      rest = after.replace(/^\/+/, '') || '.';
    } else if (!isOurs(volume, path)) return undefined;
  } else {
    start = startOf(call, fd, path);
    if (start === undefined) return undefined;
    if (typeof start === 'number') return start;
  }
  const found = walk({ root, credentials, realPath: (known) => realPath(call, known) }, start, rest, how);
  return found instanceof Outside && !found.rewritten && found.mount === undefined ? undefined : found;
}

/** Passes on a call that is not the tree's after all, with the paths where they have led to; or answers its error. */
export function elsewhere(call: Call, ...paths: [where: Where, resolved: Resolved][]): number {
  let { msg } = call;
  for (const [where, resolved] of paths) {
    if (typeof resolved === 'number') return resolved;
    if (!(resolved instanceof Outside) || !resolved.rewritten) continue;
    const args = [...msg.args];
    args[where.path] = toPathArgument(resolved.path);
    if (where.dirfd >= 0) args[where.dirfd] = c.AT_FDCWD;
    msg = new SysMsg(msg.number, args, msg.td);
  }
  return call.next(msg);
}
