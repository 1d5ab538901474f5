/**
 * look.ts: where the working directory, a descriptor and a link under /proc are, by asking the level below: a file system in memory there answers for its own.
 *
 * Invariant: a path is answered only where the same file was found at it. What a link under /proc says is text: " (deleted)" may be the name's own end, or not;
 * a folder outside of the root, or of a mount that hangs nowhere, looks as if it were inside.
 */
import { curthread } from '@libcr/core';
import { PATH_MAX } from '../../codec/file/path.ts';
import { decodeStat, type Stat } from '../../codec/file/stat.ts';
import { constants as c } from '../../generated/constants.ts';
import type { CallName } from '../../generated/rows.ts';
import { rowNamed } from '../../port/calls.ts';
import { portOf } from '../../port/syscall-port.ts';
import { SysMsg } from '../../port/sysmsg.ts';
import { bytesOfText, textOfBytes } from './text.ts';

/** A path that can't be known, and why. */
export class Unknown {
  readonly reason: string;
  constructor(reason: string) {
    this.reason = reason;
  }
}

/** A call to the level below: 0 or more, or -errno. Only on the way of a message through a shim. */
export function below(name: CallName, ...args: unknown[]): number {
  const row = rowNamed(name);
  const td = curthread();
  return row === undefined ? -c.ENOSYS : portOf(td).dispatch(new SysMsg(row.number, args, td));
}

/** Where the process is. */
export function workingDirectory(): string | Unknown {
  const buffer = Buffer.allocUnsafe(PATH_MAX);
  const length = below('getcwd', buffer, PATH_MAX);
  const path = length > 0 ? textOfBytes(buffer.subarray(0, length - 1)) : '';
  return path.startsWith('/') ? path : new Unknown('the working directory is at no path');
}

/** What a link says, or -errno. */
export function linkText(dirfd: number, path: string): string | number {
  const buffer = Buffer.allocUnsafe(PATH_MAX);
  const length = below('readlinkat', dirfd, bytesOfText(path), buffer, PATH_MAX);
  if (length < 0) return length;
  return length === PATH_MAX ? -c.ENAMETOOLONG : textOfBytes(buffer.subarray(0, length));
}

/** What is at a path, or what a descriptor is; -errno. */
function statOf(dirfd: number, path: string, flags: number): Stat | number {
  const struct = Buffer.alloc(144);
  const reply = below('newfstatat', dirfd, bytesOfText(path), struct, flags);
  return reply < 0 ? reply : decodeStat(struct);
}

/** The path that a link's text is, if what the link leads to is there; undefined for what has no path: a pipe, a file whose last name is gone. */
function known(text: string | number, is: Stat | number): string | undefined | Unknown {
  if (typeof is === 'number') return is === -c.EBADF ? undefined : new Unknown('it cannot be looked at');
  if (typeof text === 'number') return new Unknown('/proc cannot be read');
  const isFolder = (is.mode & c.S_IFMT) === c.S_IFDIR;
  if (!text.startsWith('/')) return isFolder ? new Unknown('its folder is at no path') : undefined;
  const there = statOf(c.AT_FDCWD, text, c.AT_SYMLINK_NOFOLLOW);
  if (typeof there !== 'number' && there.dev === is.dev && there.ino === is.ino) return text;
  return is.nlink === 0 && !isFolder
    ? undefined
    : new Unknown('it has been moved or removed, or is out of reach');
}

/** Where a descriptor's file is; undefined where it is open no more, or has no path. */
export function placeOf(fd: number): string | undefined | Unknown {
  const is = statOf(fd, '', c.AT_EMPTY_PATH);
  return known(typeof is === 'number' ? -1 : linkText(c.AT_FDCWD, `/proc/self/fd/${fd}`), is);
}

/** Where a link of the kernel's own leads, as /proc/self/cwd. */
export function kernelLink(path: string, text: string): string | undefined | Unknown {
  const is = statOf(c.AT_FDCWD, path, 0);
  return known(text, is);
}
