/**
 * index.ts: node:fs over the system-call port: the same names, arguments, results and errors, and every call a message that shims see. Blocking
 * functions (readFileSync) block the running userthread only; on the event loop's own stack they do what node:fs' do.
 *
 * What is not here is not in node:fs' names either, so that a program that needs it does not start: docs/fs.md has the list.
 */
import '../index.ts'; // for the bundle: see tsup.config.ts
import nodeFs from 'node:fs';
import { nodeFs as nodesOwn } from '../node-fs.ts';
import { holdingLoop } from '../port/complete.ts';
import { Dir } from './dir.ts';
import * as callbacks from './forms/callbacks.ts';
import { sync } from './forms/forms.ts';
import { promises } from './forms/promises.ts';
import { type Glob, type GlobSync, globAtOnce } from './glob/glob.ts';
import { type FsGuard, install } from './node/install.ts';
import { setExported } from './node/replaced.ts';
import { completeAs, shapeAs } from './node/shape.ts';
import { onDescriptors, onPaths } from './operations.ts';
import { createReadStream, createWriteStream, ReadStream, WriteStream } from './streams.ts';
import { type DisposableDirectory, mkdtempDisposableSync as makeDisposable } from './trees/temporary.ts';
import { realpathOfKernel } from './trees/trees.ts';
import * as watching from './watch/watch.ts';
import * as watchingFiles from './watch/watch-file.ts';

export type { GlobOptions } from './glob/glob.ts';
export { FileHandle } from './handles/file-handle.ts';
export type { FsGuard } from './node/install.ts';
export { createReadStream, createWriteStream, Dir, promises, ReadStream, WriteStream };
export const constants: typeof nodeFs.constants = nodeFs.constants;
export const Stats: typeof nodeFs.Stats = nodeFs.Stats;
export const Dirent: typeof nodeFs.Dirent = nodeFs.Dirent;
/** Their older names. */
export const FileReadStream: typeof nodeFs.ReadStream = ReadStream;
export const FileWriteStream: typeof nodeFs.WriteStream = WriteStream;

export const accessSync: typeof nodeFs.accessSync = sync(onPaths.access) as never;
export const appendFileSync: typeof nodeFs.appendFileSync = sync(onPaths.appendFile) as never;
export const chmodSync: typeof nodeFs.chmodSync = sync(onPaths.chmod) as never;
export const chownSync: typeof nodeFs.chownSync = sync(onPaths.chown) as never;
export const copyFileSync: typeof nodeFs.copyFileSync = sync(onPaths.copyFile) as never;
export const cpSync: typeof nodeFs.cpSync = sync(onPaths.cp) as never;
export const globSync: GlobSync = sync(globAtOnce) as never;
export const lchownSync: typeof nodeFs.lchownSync = sync(onPaths.lchown) as never;
export const linkSync: typeof nodeFs.linkSync = sync(onPaths.link) as never;
export const lstatSync: typeof nodeFs.lstatSync = sync(onPaths.lstat) as never;
export const lutimesSync: typeof nodeFs.lutimesSync = sync(onPaths.lutimes) as never;
export const mkdirSync: typeof nodeFs.mkdirSync = sync(onPaths.mkdir) as never;
export const mkdtempSync: typeof nodeFs.mkdtempSync = sync(onPaths.mkdtemp) as never;
export const mkdtempDisposableSync: (
  prefix: string | Buffer | URL,
  options?: object | string,
) => DisposableDirectory = (...args) => holdingLoop(() => makeDisposable(...args));
export const opendirSync: typeof nodeFs.opendirSync = sync(onPaths.opendir) as never;
export const readFileSync: typeof nodeFs.readFileSync = sync(onPaths.readFile) as never;
export const readdirSync: typeof nodeFs.readdirSync = sync(onPaths.readdir) as never;
export const readlinkSync: typeof nodeFs.readlinkSync = sync(onPaths.readlink) as never;
export const realpathSync: typeof nodeFs.realpathSync = Object.assign(sync(onPaths.realpath), {
  native: sync(realpathOfKernel),
}) as never;
export const renameSync: typeof nodeFs.renameSync = sync(onPaths.rename) as never;
export const rmSync: typeof nodeFs.rmSync = sync(onPaths.rm) as never;
export const rmdirSync: typeof nodeFs.rmdirSync = sync(onPaths.rmdir) as never;
export const statSync: typeof nodeFs.statSync = sync(onPaths.stat) as never;
export const statfsSync: typeof nodeFs.statfsSync = sync(onPaths.statfs) as never;
export const symlinkSync: typeof nodeFs.symlinkSync = sync(onPaths.symlink) as never;
export const truncateSync: typeof nodeFs.truncateSync = sync(onPaths.truncate) as never;
export const unlinkSync: typeof nodeFs.unlinkSync = sync(onPaths.unlink) as never;
export const utimesSync: typeof nodeFs.utimesSync = sync(onPaths.utimes) as never;
export const writeFileSync: typeof nodeFs.writeFileSync = sync(onPaths.writeFile) as never;
export const closeSync: typeof nodeFs.closeSync = sync(onDescriptors.close) as never;
export const existsSync: typeof nodeFs.existsSync = sync(onDescriptors.exists) as never;
export const fchmodSync: typeof nodeFs.fchmodSync = sync(onDescriptors.fchmod) as never;
export const fchownSync: typeof nodeFs.fchownSync = sync(onDescriptors.fchown) as never;
export const fdatasyncSync: typeof nodeFs.fdatasyncSync = sync(onDescriptors.fdatasync) as never;
export const fstatSync: typeof nodeFs.fstatSync = sync(onDescriptors.fstat) as never;
export const fsyncSync: typeof nodeFs.fsyncSync = sync(onDescriptors.fsync) as never;
export const ftruncateSync: typeof nodeFs.ftruncateSync = sync(onDescriptors.ftruncate) as never;
export const futimesSync: typeof nodeFs.futimesSync = sync(onDescriptors.futimes) as never;
export const openSync: typeof nodeFs.openSync = sync(onDescriptors.open) as never;
export const readSync: typeof nodeFs.readSync = sync(onDescriptors.read) as never;
export const readvSync: typeof nodeFs.readvSync = sync(onDescriptors.readv) as never;
export const writeSync: typeof nodeFs.writeSync = sync(onDescriptors.write) as never;
export const writevSync: typeof nodeFs.writevSync = sync(onDescriptors.writev) as never;

export const access: typeof nodeFs.access = callbacks.access as never;
export const appendFile: typeof nodeFs.appendFile = callbacks.appendFile as never;
export const chmod: typeof nodeFs.chmod = callbacks.chmod as never;
export const chown: typeof nodeFs.chown = callbacks.chown as never;
export const copyFile: typeof nodeFs.copyFile = callbacks.copyFile as never;
export const cp: typeof nodeFs.cp = callbacks.cp as never;
export const glob: Glob = callbacks.glob as never;
export const lchown: typeof nodeFs.lchown = callbacks.lchown as never;
export const link: typeof nodeFs.link = callbacks.link as never;
export const lstat: typeof nodeFs.lstat = callbacks.lstat as never;
export const lutimes: typeof nodeFs.lutimes = callbacks.lutimes as never;
export const mkdir: typeof nodeFs.mkdir = callbacks.mkdir as never;
export const mkdtemp: typeof nodeFs.mkdtemp = callbacks.mkdtemp as never;
export const opendir: typeof nodeFs.opendir = callbacks.opendir as never;
export const readFile: typeof nodeFs.readFile = callbacks.readFile as never;
export const readdir: typeof nodeFs.readdir = callbacks.readdir as never;
export const readlink: typeof nodeFs.readlink = callbacks.readlink as never;
export const realpath: typeof nodeFs.realpath = callbacks.realpath as never;
export const rename: typeof nodeFs.rename = callbacks.rename as never;
export const rm: typeof nodeFs.rm = callbacks.rm as never;
export const rmdir: typeof nodeFs.rmdir = callbacks.rmdir as never;
export const stat: typeof nodeFs.stat = callbacks.stat as never;
export const statfs: typeof nodeFs.statfs = callbacks.statfs as never;
export const symlink: typeof nodeFs.symlink = callbacks.symlink as never;
export const truncate: typeof nodeFs.truncate = callbacks.truncate as never;
export const unlink: typeof nodeFs.unlink = callbacks.unlink as never;
export const utimes: typeof nodeFs.utimes = callbacks.utimes as never;
export const writeFile: typeof nodeFs.writeFile = callbacks.writeFile as never;
export const close: typeof nodeFs.close = callbacks.close as never;
export const exists: typeof nodeFs.exists = callbacks.exists as never;
export const fchmod: typeof nodeFs.fchmod = callbacks.fchmod as never;
export const fchown: typeof nodeFs.fchown = callbacks.fchown as never;
export const fdatasync: typeof nodeFs.fdatasync = callbacks.fdatasync as never;
export const fstat: typeof nodeFs.fstat = callbacks.fstat as never;
export const fsync: typeof nodeFs.fsync = callbacks.fsync as never;
export const ftruncate: typeof nodeFs.ftruncate = callbacks.ftruncate as never;
export const futimes: typeof nodeFs.futimes = callbacks.futimes as never;
export const open: typeof nodeFs.open = callbacks.open as never;
export const read: typeof nodeFs.read = callbacks.read as never;
export const readv: typeof nodeFs.readv = callbacks.readv as never;
export const write: typeof nodeFs.write = callbacks.write as never;
export const writev: typeof nodeFs.writev = callbacks.writev as never;

export const watch: typeof nodeFs.watch = watching.watch as never;
export const watchFile: typeof nodeFs.watchFile = watchingFiles.watchFile as never;
export const unwatchFile: typeof nodeFs.unwatchFile = watchingFiles.unwatchFile as never;

/**
 * Puts the port under node:fs itself: the functions above replace its own, on the module, in fs.promises, and in what has been imported by name. Does not
 * block. May be called several times: the last guard that is removed puts everything back.
 */
export function installFs(): FsGuard {
  return install(all as unknown as Record<string, unknown>);
}

type Names =
  | 'Dirent'
  | 'ReadStream'
  | 'Stats'
  | 'WriteStream'
  | 'constants'
  | 'access'
  | 'accessSync'
  | 'appendFile'
  | 'appendFileSync'
  | 'chmod'
  | 'chmodSync'
  | 'chown'
  | 'chownSync'
  | 'close'
  | 'closeSync'
  | 'copyFile'
  | 'copyFileSync'
  | 'cp'
  | 'cpSync'
  | 'createReadStream'
  | 'createWriteStream'
  | 'exists'
  | 'existsSync'
  | 'fchmod'
  | 'fchmodSync'
  | 'fchown'
  | 'fchownSync'
  | 'fdatasync'
  | 'fdatasyncSync'
  | 'fstat'
  | 'fstatSync'
  | 'fsync'
  | 'fsyncSync'
  | 'ftruncate'
  | 'ftruncateSync'
  | 'futimes'
  | 'futimesSync'
  | 'lchown'
  | 'lchownSync'
  | 'link'
  | 'linkSync'
  | 'lstat'
  | 'lstatSync'
  | 'lutimes'
  | 'lutimesSync'
  | 'mkdir'
  | 'mkdirSync'
  | 'mkdtemp'
  | 'mkdtempSync'
  | 'open'
  | 'openSync'
  | 'opendir'
  | 'opendirSync'
  | 'read'
  | 'readFile'
  | 'readFileSync'
  | 'readSync'
  | 'readdir'
  | 'readdirSync'
  | 'readlink'
  | 'readlinkSync'
  | 'readv'
  | 'readvSync'
  | 'realpath'
  | 'realpathSync'
  | 'rename'
  | 'renameSync'
  | 'rm'
  | 'rmSync'
  | 'rmdir'
  | 'rmdirSync'
  | 'stat'
  | 'statSync'
  | 'statfs'
  | 'statfsSync'
  | 'symlink'
  | 'symlinkSync'
  | 'truncate'
  | 'truncateSync'
  | 'unlink'
  | 'unlinkSync'
  | 'unwatchFile'
  | 'utimes'
  | 'utimesSync'
  | 'watch'
  | 'watchFile'
  | 'write'
  | 'writeFile'
  | 'writeFileSync'
  | 'writeSync'
  | 'writev'
  | 'writevSync';

/** What not every Node's node:fs has. */
interface OfNewerNodes {
  glob: Glob;
  globSync: GlobSync;
  mkdtempDisposableSync: typeof mkdtempDisposableSync;
}

/** By name, as node:fs' default export is. */
const all: Pick<typeof nodeFs, Names> & OfNewerNodes & { Dir: typeof Dir; promises: typeof promises } = {
  Dir,
  Dirent,
  ReadStream,
  Stats,
  WriteStream,
  access,
  accessSync,
  appendFile,
  appendFileSync,
  chmod,
  chmodSync,
  chown,
  chownSync,
  close,
  closeSync,
  constants,
  copyFile,
  copyFileSync,
  cp,
  cpSync,
  createReadStream,
  createWriteStream,
  exists,
  existsSync,
  fchmod,
  fchmodSync,
  fchown,
  fchownSync,
  fdatasync,
  fdatasyncSync,
  fstat,
  fstatSync,
  fsync,
  fsyncSync,
  ftruncate,
  ftruncateSync,
  futimes,
  futimesSync,
  glob,
  globSync,
  lchown,
  lchownSync,
  link,
  linkSync,
  lstat,
  lstatSync,
  lutimes,
  lutimesSync,
  mkdir,
  mkdirSync,
  mkdtemp,
  mkdtempDisposableSync,
  mkdtempSync,
  open,
  openSync,
  opendir,
  opendirSync,
  promises,
  read,
  readFile,
  readFileSync,
  readSync,
  readdir,
  readdirSync,
  readlink,
  readlinkSync,
  readv,
  readvSync,
  realpath,
  realpathSync,
  rename,
  renameSync,
  rm,
  rmSync,
  rmdir,
  rmdirSync,
  stat,
  statSync,
  statfs,
  statfsSync,
  symlink,
  symlinkSync,
  truncate,
  truncateSync,
  unlink,
  unlinkSync,
  unwatchFile,
  utimes,
  utimesSync,
  watch,
  watchFile,
  write,
  writeFile,
  writeFileSync,
  writeSync,
  writev,
  writevSync,
};

setExported(all);

shapeAs(all, nodesOwn);
shapeAs(promises, nodesOwn.promises);
completeAs(all, nodeFs);

export default all;
