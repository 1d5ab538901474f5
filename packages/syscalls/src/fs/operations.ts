/** operations.ts: which operation each function of node:fs is, in all its forms. */

import * as descriptors from './arguments/descriptors.ts';
import * as paths from './arguments/paths.ts';
import { opendir } from './dir.ts';
import * as directories from './directories.ts';
import * as files from './files.ts';
import type { Operation } from './forms/forms.ts';
import * as stats from './stat/stat.ts';
import { cp } from './trees/copy.ts';
import { copyFile } from './trees/copy-file.ts';
import { rm, rmdir } from './trees/removal.ts';
import * as trees from './trees/trees.ts';

type PathName =
  | 'access'
  | 'appendFile'
  | 'chmod'
  | 'chown'
  | 'copyFile'
  | 'cp'
  | 'lchown'
  | 'link'
  | 'lstat'
  | 'lutimes'
  | 'mkdir'
  | 'mkdtemp'
  | 'opendir'
  | 'readFile'
  | 'readdir'
  | 'readlink'
  | 'realpath'
  | 'rename'
  | 'rm'
  | 'rmdir'
  | 'stat'
  | 'statfs'
  | 'symlink'
  | 'truncate'
  | 'unlink'
  | 'utimes'
  | 'writeFile';

/** With a path: blocking, with a callback, and as a promise. */
export const onPaths: Readonly<Record<PathName, Operation<unknown>>> = {
  access: paths.access,
  appendFile: files.appendFile,
  chmod: paths.chmod,
  chown: paths.chown,
  copyFile,
  cp,
  lchown: paths.lchown,
  link: paths.link,
  lstat: stats.lstat,
  lutimes: paths.lutimes,
  mkdir: directories.mkdir,
  mkdtemp: directories.mkdtemp,
  opendir,
  readFile: files.readFile,
  readdir: directories.readdir,
  readlink: paths.readlink,
  realpath: trees.realpath,
  rename: paths.rename,
  rm,
  rmdir,
  stat: stats.stat,
  statfs: paths.statfs,
  symlink: paths.symlink,
  truncate: files.truncate,
  unlink: paths.unlink,
  utimes: paths.utimes,
  writeFile: files.writeFile,
};

/** What node:fs/promises has in a way of its own. */
export const onPathsPromised: Readonly<Record<PathName, Operation<unknown>>> = {
  ...onPaths,
  lstat: stats.lstatPromised,
  mkdir: directories.mkdirOfPromises,
  readdir: directories.readdirOfPromises,
  readlink: paths.readlinkOfPromises,
  realpath: trees.realpathOfKernel,
  stat: stats.statPromised,
  truncate: files.truncateOfPromises,
};

type DescriptorName =
  | 'close'
  | 'exists'
  | 'fchmod'
  | 'fchown'
  | 'fdatasync'
  | 'fstat'
  | 'fsync'
  | 'ftruncate'
  | 'futimes'
  | 'open'
  | 'read'
  | 'readv'
  | 'write'
  | 'writev';

/** With a descriptor, or giving one: as a promise they are FileHandle's. */
export const onDescriptors: Readonly<Record<DescriptorName, Operation<unknown>>> = {
  close: descriptors.close,
  exists: paths.existsAtOnce,
  fchmod: descriptors.fchmod,
  fchown: descriptors.fchown,
  fdatasync: descriptors.fdatasync,
  fstat: stats.fstat,
  fsync: descriptors.fsync,
  ftruncate: descriptors.ftruncate,
  futimes: descriptors.futimes,
  open: descriptors.open,
  read: descriptors.readAtOnce,
  readv: descriptors.readv,
  write: descriptors.write,
  writev: descriptors.writev,
};
