/** paths.ts: operations on paths, a system call each: stat, access, unlink, rename and their like. */
import type { BigIntStats, BigIntStatsFs, Stats, StatsFs } from 'node:fs';
import { CodedError } from '@libcr/core/internal';
import { encodeFileTimes } from '../codec/file-times.ts';
import { PATH_MAX } from '../codec/path.ts';
import { failure } from '../failure.ts';
import { constants as c } from '../generated/constants.ts';
import {
  type CheckedPath,
  checkBits,
  checkId,
  checkMode,
  checkObject,
  checkOptions,
  checkPath,
  checkTime,
  encoded,
} from './arguments.ts';
import { STATFS_SIZE, STATX_MASK, STATX_SIZE, statFsOf, statsOf } from './stats.ts';
import { SystemCall, type Work } from './work.ts';

/** Nothing, or the call's error with its paths. */
const done =
  (name: string, path: CheckedPath, dest?: CheckedPath) =>
  (reply: number): void => {
    if (reply < 0) throw failure(reply, name, path, dest);
  };

function statx(
  name: string,
  path: unknown,
  options: unknown,
  flags: number,
): Work<Stats | BigIntStats | undefined> {
  const checked = checkPath(path);
  const { bigint, throwIfNoEntry } = checkObject(options);
  const struct = Buffer.allocUnsafe(STATX_SIZE);
  return new SystemCall(
    (reply) => {
      if (reply >= 0) return statsOf(struct, bigint === true);
      if (reply === -c.ENOENT && throwIfNoEntry === false) return undefined;
      throw failure(reply, name, checked);
    },
    c.SYS_statx,
    c.AT_FDCWD,
    checked,
    flags,
    STATX_MASK,
    struct,
  );
}

export function stat(path: unknown, options?: unknown): Work<Stats | BigIntStats | undefined> {
  return statx('stat', path, options, 0);
}

export function lstat(path: unknown, options?: unknown): Work<Stats | BigIntStats | undefined> {
  return statx('lstat', path, options, c.AT_SYMLINK_NOFOLLOW);
}

export function statfs(path: unknown, options?: unknown): Work<StatsFs | BigIntStatsFs> {
  const checked = checkPath(path);
  const bigint = checkObject(options).bigint === true;
  const struct = Buffer.allocUnsafe(STATFS_SIZE);
  return new SystemCall(
    (reply) => {
      if (reply < 0) throw failure(reply, 'statfs', checked);
      return statFsOf(struct, bigint);
    },
    c.SYS_statfs,
    checked,
    struct,
  );
}

export function access(path: unknown, mode?: unknown): Work<void> {
  const checked = checkPath(path);
  return new SystemCall(done('access', checked), c.SYS_access, checked, checkBits(mode));
}

/** Never throws for a path that is none: that is not there either. */
export function exists(path: unknown): Work<boolean> {
  let checked: CheckedPath;
  try {
    checked = checkPath(path);
  } catch {
    checked = '';
  }
  return new SystemCall((reply) => reply === 0, c.SYS_access, checked, 0);
}

export function rmdir(path: unknown, options?: unknown): Work<void> {
  const checked = checkPath(path);
  if (checkObject(options).recursive)
    throw new CodedError(
      'ERR_INVALID_ARG_VALUE',
      "The property 'options.recursive' is not supported any more: use rm",
    );
  return new SystemCall(done('rmdir', checked), c.SYS_rmdir, checked);
}

export function unlink(path: unknown): Work<void> {
  const checked = checkPath(path);
  return new SystemCall(done('unlink', checked), c.SYS_unlink, checked);
}

export function rename(oldPath: unknown, newPath: unknown): Work<void> {
  const from = checkPath(oldPath, 'oldPath');
  const to = checkPath(newPath, 'newPath');
  return new SystemCall(done('rename', from, to), c.SYS_rename, from, to);
}

export function link(existingPath: unknown, newPath: unknown): Work<void> {
  const from = checkPath(existingPath, 'existingPath');
  const to = checkPath(newPath, 'newPath');
  return new SystemCall(done('link', from, to), c.SYS_link, from, to);
}

/** type is Windows' and only checked. */
export function symlink(target: unknown, path: unknown, type?: unknown): Work<void> {
  if (type !== undefined && type !== null && !['dir', 'file', 'junction'].includes(type as string))
    throw new CodedError(
      'ERR_FS_INVALID_SYMLINK_TYPE',
      `Symlink type must be one of "dir", "file", or "junction". Received "${String(type)}"`,
    );
  const from = checkPath(target, 'target');
  const to = checkPath(path);
  return new SystemCall(done('symlink', from, to), c.SYS_symlink, from, to);
}

export function readlink(path: unknown, options?: unknown): Work<string | Buffer> {
  const { encoding } = checkOptions(options);
  const checked = checkPath(path);
  const bytes = Buffer.allocUnsafe(PATH_MAX);
  return new SystemCall(
    (reply) => {
      if (reply < 0) throw failure(reply, 'readlink', checked);
      return encoded(Buffer.from(bytes.subarray(0, reply)), encoding);
    },
    c.SYS_readlink,
    checked,
    bytes,
    PATH_MAX,
  );
}

export function chmod(path: unknown, mode: unknown): Work<void> {
  const checked = checkPath(path);
  return new SystemCall(done('chmod', checked), c.SYS_chmod, checked, checkMode(mode));
}

export function chown(path: unknown, uid: unknown, gid: unknown): Work<void> {
  const checked = checkPath(path);
  return new SystemCall(
    done('chown', checked),
    c.SYS_chown,
    checked,
    checkId(uid, 'uid'),
    checkId(gid, 'gid'),
  );
}

export function lchown(path: unknown, uid: unknown, gid: unknown): Work<void> {
  const checked = checkPath(path);
  return new SystemCall(
    done('lchown', checked),
    c.SYS_lchown,
    checked,
    checkId(uid, 'uid'),
    checkId(gid, 'gid'),
  );
}

function setTimes(name: string, path: unknown, atime: unknown, mtime: unknown, flags: number): Work<void> {
  const checked = checkPath(path);
  const struct = encodeFileTimes('times', [checkTime(atime), checkTime(mtime)]);
  return new SystemCall(done(name, checked), c.SYS_utimensat, c.AT_FDCWD, checked, struct, flags);
}

export function utimes(path: unknown, atime: unknown, mtime: unknown): Work<void> {
  return setTimes('utime', path, atime, mtime, 0);
}

export function lutimes(path: unknown, atime: unknown, mtime: unknown): Work<void> {
  return setTimes('lutime', path, atime, mtime, c.AT_SYMLINK_NOFOLLOW);
}
