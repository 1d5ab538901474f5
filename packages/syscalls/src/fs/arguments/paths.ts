/** paths.ts: operations on paths, a system call each: access, unlink, rename and their like. */
import type { BigIntStatsFs, StatsFs } from 'node:fs';
import { types } from 'node:util';
import { coded, invalidArgument, isUrl } from '@libcr/core/internal';
import { PATH_MAX } from '../../codec/file/path.ts';
import { failure } from '../../failure.ts';
import { constants as c } from '../../generated/constants.ts';
import { SystemCall, type Work } from '../forms/work.ts';
import { checksLinkTypes, namesOptions, warnsOfNoPaths } from '../node/this-node.ts';
import { STATFS_SIZE, statFsOf } from '../stat/stats.ts';
import {
  type CheckedPath,
  checkId,
  checkMode,
  checkNativeBits,
  checkOptions,
  checkPath,
  checkTime,
  encoded,
  encodeTimes,
  looseOptions,
} from './arguments.ts';

export { lstat, stat } from '../stat/stat.ts';

/** Nothing, or the call's error with its paths. */
const done =
  (name: string, path: CheckedPath, dest?: CheckedPath) =>
  (reply: number): void => {
    if (reply < 0) throw failure(reply, name, path, dest);
  };

export function statfs(path: unknown, options?: unknown): Work<StatsFs | BigIntStatsFs> {
  const checked = checkPath(path);
  const bigint = looseOptions(options).bigint === true;
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
  return new SystemCall(done('access', checked), c.SYS_access, checked, checkNativeBits(mode));
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

let warned = !warnsOfNoPaths;

/** existsSync's, which says so once where it is asked for what can be no path. */
export function existsAtOnce(path: unknown): Work<boolean> {
  if (!warned && typeof path !== 'string' && !isUrl(path) && !types.isUint8Array(path)) {
    warned = true;
    process.emitWarning(
      'Passing invalid argument types to fs.existsSync is deprecated',
      'DeprecationWarning',
      'DEP0187',
    );
  }
  return exists(path);
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

const LINK_TYPES = ['dir', 'file', 'junction'];

function checkLinkType(type: unknown): void {
  if (type === undefined || type === null || LINK_TYPES.includes(type as string)) return;
  throw invalidArgument('type', type, "must be one of: 'dir', 'file', 'junction', null, undefined");
}

/** type is Windows' and only checked. */
export function symlink(target: unknown, path: unknown, type?: unknown): Work<void> {
  if (checksLinkTypes) checkLinkType(type);
  const from = checkPath(target, 'target');
  const to = checkPath(path);
  if (!checksLinkTypes && typeof type === 'string' && !LINK_TYPES.includes(type))
    throw coded(
      new Error(`Symlink type must be one of "dir", "file", or "junction". Received "${type}"`),
      'ERR_FS_INVALID_SYMLINK_TYPE',
    );
  return new SystemCall(done('symlink', from, to), c.SYS_symlink, from, to);
}

export function readlink(path: unknown, options?: unknown): Work<string | Buffer> {
  return readlinkNamed(namesOptions ? 'path' : 'oldPath', path, options);
}

export function readlinkOfPromises(path: unknown, options?: unknown): Work<string | Buffer> {
  return readlinkNamed('oldPath', path, options);
}

function readlinkNamed(name: string, path: unknown, options: unknown): Work<string | Buffer> {
  const { encoding } = checkOptions(options);
  const checked = checkPath(path, name);
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
  const struct = encodeTimes(checkTime(atime), checkTime(mtime));
  return new SystemCall(done(name, checked), c.SYS_utimensat, c.AT_FDCWD, checked, struct, flags);
}

export function utimes(path: unknown, atime: unknown, mtime: unknown): Work<void> {
  return setTimes('utime', path, atime, mtime, 0);
}

export function lutimes(path: unknown, atime: unknown, mtime: unknown): Work<void> {
  return setTimes('lutime', path, atime, mtime, c.AT_SYMLINK_NOFOLLOW);
}
