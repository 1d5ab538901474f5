/**
 * paths.ts: the paths of a call as shims compare them: absolute, without "." and "..", as text.
 *
 * Not here: symbolic links, which are not followed. What a path leads to only the kernel knows, and only when it makes the call.
 */

import { resolve } from 'node:path';
import { viewBytes } from '../codec/bytes.ts';
import { constants } from '../generated/constants.ts';
import { nodeFs } from '../node-fs.ts';
import { rowOf } from '../port/calls.ts';
import type { SysMsg } from '../port/sysmsg.ts';

/** Calls whose first path is text for a link, and looked up by nobody. */
const TARGET_FIRST = new Set(['symlink', 'symlinkat']);
/** Calls whose descriptor is none that the path begins at. */
const OTHER_DESCRIPTOR = new Set(['inotify_add_watch', 'fsconfig']);

const DELETED = ' (deleted)';

/** Where a relative path begins: the directory that the argument before it names, or the working directory; undefined for no directory. */
function base(dirfd: unknown): string | undefined {
  // A descriptor is an int: 4294967196 is AT_FDCWD, too. process.cwd() would not do: Node remembers it, and does not see sys.chdir().
  const fd = Number.isInteger(dirfd) ? (dirfd as number) | 0 : dirfd;
  try {
    const path = nodeFs.readlinkSync(fd === constants.AT_FDCWD ? '/proc/self/cwd' : `/proc/self/fd/${fd}`);
    if (!path.startsWith('/')) return undefined; // a pipe, a socket
    return path.endsWith(DELETED) ? path.slice(0, -DELETED.length) : path;
  } catch {
    return undefined; // no such descriptor: the kernel will say so
  }
}

const isPath = (name: string, format: string | undefined, i: number): boolean =>
  format === 'path' && !(i === 0 && TARGET_FIRST.has(name));

/** Whether a call can name a path. */
export function hasPath(number: number): boolean {
  const row = rowOf(number);
  return row?.args.some(({ format }, i) => isPath(row.name, format, i)) ?? false;
}

/** A path from where `dirfd` is, made absolute; undefined where that is no directory. */
export function absolutePath(path: string, dirfd: unknown = constants.AT_FDCWD): string | undefined {
  const from = path.startsWith('/') ? '/' : base(dirfd);
  return from === undefined ? undefined : resolve(from, path);
}

/** The absolute paths that a call names, in order. */
export function absolutePaths(msg: SysMsg): string[] {
  const row = rowOf(msg.number);
  if (row === undefined) return [];
  const paths: string[] = [];
  row.args.forEach(({ format }, i) => {
    if (!isPath(row.name, format, i)) return;
    const value = msg.args[i];
    const path =
      typeof value === 'string' ? value : ArrayBuffer.isView(value) ? viewBytes(value).toString() : '';
    if (path === '') return;
    const at = row.args[i - 1]?.format === 'fd' && !OTHER_DESCRIPTOR.has(row.name);
    const absolute = absolutePath(path, at ? msg.args[i - 1] : constants.AT_FDCWD);
    if (absolute !== undefined) paths.push(absolute);
  });
  return paths;
}
