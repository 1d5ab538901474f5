/**
 * copy.ts: cp: files, links and whole directories copied, as node:fs copies them, with its options, its errors, and its order of checks.
 *
 * Not here: the copying of one file's bytes (copyFile, files.ts).
 *
 * Invariant: a directory is closed again before what is in it is copied, so that a deep tree needs no more descriptors than a flat one.
 */
import type { BigIntStats } from 'node:fs';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { types } from 'node:util';
import { create, wait } from '@libcr/core';
import { invalidType } from '@libcr/core/internal';
import { PATH_MAX } from '../../codec/file/path.ts';
import { failure } from '../../failure.ts';
import { constants as c } from '../../generated/constants.ts';
import { send } from '../../port/send.ts';
import { type CheckedPath, checkBits, checkPath } from '../arguments/arguments.ts';
import { below, pathOf, textOf } from '../arguments/names.ts';
import { chmod, exists, lstat, readlink, stat, symlink, unlink, utimes } from '../arguments/paths.ts';
import { mkdir, scan } from '../directories.ts';
import type { Work } from '../forms/work.ts';
import { type Refusal, systemError } from '../node/system-error.ts';
import { refusesDirectories, refusesLinks, refusesLinksSync } from '../node/this-node.ts';
import { copyFile } from './copy-file.ts';
import { realpath } from './trees.ts';

const BOOLEANS = {
  dereference: false,
  errorOnExist: false,
  force: true,
  preserveTimestamps: false,
  recursive: false,
  verbatimSymlinks: false,
};
type Filter = (source: CheckedPath, destination: CheckedPath) => unknown;

type CopyOptions = typeof BOOLEANS & {
  mode: number;
  filter: Filter | undefined;
};

/** node:fs is stricter here than with other options: what is there must be of its type, also where it is undefined or null. */
function checkCopyOptions(options: unknown): CopyOptions {
  if (options !== undefined && (typeof options !== 'object' || options === null))
    throw invalidType('options', 'of type object', options);
  const given: CopyOptions = { mode: 0, filter: undefined, ...BOOLEANS, ...options };
  for (const name of Object.keys(BOOLEANS) as (keyof typeof BOOLEANS)[])
    if (typeof given[name] !== 'boolean')
      throw invalidType(`options.${name}`, 'of type boolean', given[name]);
  given.mode = checkBits(given.mode);
  if (given.dereference && given.verbatimSymlinks)
    throw Object.assign(
      new TypeError('Option "dereference" cannot be used in combination with option "verbatimSymlinks"'),
      { code: 'ERR_INCOMPATIBLE_OPTION_PAIR' },
    );
  if (given.filter !== undefined && typeof given.filter !== 'function')
    throw invalidType('options.filter', 'of type function', given.filter);
  return given;
}

/** Path functions of Node's take no bytes, so neither does its cp, which has no use for a path before it has looked at it. */
function checkText(path: CheckedPath): string {
  if (typeof path !== 'string') throw invalidType('path', 'of type string', path);
  return path;
}

/** Where relative paths begin, as the kernel has it: Node's process.cwd() remembers it, and does not see sys.chdir(). */
function workingDirectory(): string {
  const bytes = Buffer.allocUnsafe(PATH_MAX);
  const reply = send(c.SYS_getcwd, bytes, PATH_MAX);
  if (reply < 0) throw failure(reply, 'getcwd');
  return bytes.toString('utf8', 0, reply - 1); // without the NUL at its end
}

/** By their names alone, both absolute: the directory itself counts as within. */
const isWithin = (directory: string, path: string): boolean =>
  path === directory || path.startsWith(directory === '/' ? '/' : `${directory}/`);

const isSame = (a: BigIntStats, b: BigIntStats): boolean => a.ino === b.ino && a.dev === b.dev;

/** Permissions, set-user-ID and sticky bits. */
const permissions = (stats: BigIntStats): number => Number(stats.mode) & 0o7777;

const refusal = (
  code: string,
  summary: string,
  errno: Refusal['errno'],
  message: string,
  path: string,
): Error => systemError('cp', { code, summary, errno, message, path });

const invalid = (message: string, destination: string): Error =>
  refusal('ERR_FS_CP_EINVAL', 'Invalid src or dest', 'EINVAL', message, destination);

const isInItself = (source: string, destination: string, told = destination): Error =>
  invalid(`cannot copy ${source} to a subdirectory of self ${destination}`, told);

/** For what is neither file nor directory nor link. */
function cannotCopy(stats: BigIntStats, destination: string): Error {
  const [code, what] = stats.isSocket()
    ? ['ERR_FS_CP_SOCKET', 'a socket file']
    : stats.isFIFO()
      ? ['ERR_FS_CP_FIFO_PIPE', 'a FIFO pipe']
      : ['ERR_FS_CP_UNKNOWN', 'an unknown file type'];
  return refusal(code, `Cannot copy ${what}`, 'EINVAL', `cannot copy ${what}: ${destination}`, destination);
}

/** One run of cp. Blocks the running userthread only. */
class Copier {
  private readonly options: CopyOptions;
  /** Whether a source is copied; asked before it is looked at. */
  private readonly wants: Filter;
  private directory: string | undefined;
  /** A link to a file over one to the same file: into itself, or just again. */
  private readonly refusesLinks: boolean;
  /** Whether it is the old link whose target must be no directory. */
  private readonly looksAtOldLinks: boolean;

  constructor(options: CopyOptions, wants: Filter, blocking: boolean) {
    this.options = options;
    this.wants = wants;
    this.refusesLinks = blocking ? refusesLinksSync : refusesLinks;
    this.looksAtOldLinks = blocking && refusesLinksSync;
  }

  private absolute(path: CheckedPath): string {
    const text = textOf(path);
    if (isAbsolute(text)) return resolve(text);
    this.directory ??= workingDirectory();
    return resolve(this.directory, text);
  }

  /** Copies what the caller of cp has named, and makes the directories that are missing above it. */
  top(source: CheckedPath, destination: CheckedPath): void {
    if (!this.wants(source, destination)) return;
    this.one(source, destination, {
      check: (stats, from, to) => {
        checkText(source);
        checkText(destination);
        if (stats.isDirectory()) this.checkAbove(stats, from, to);
      },
      prepare: (to) => {
        const above = dirname(to);
        if (!exists(above).run()) mkdir(above, { recursive: true }).run();
      },
    });
  }

  /** top: what else there is to do for what the caller has named: before a directory is refused that is not to be copied, and before the copying. */
  private one(
    source: CheckedPath,
    destination: CheckedPath,
    top?: { check(stats: BigIntStats, from: string, to: string): void; prepare(to: string): void },
  ): void {
    const look = this.options.dereference ? stat : lstat;
    const stats = look(source, { bigint: true }).run() as BigIntStats;
    const there = look(destination, { bigint: true, throwIfNoEntry: false }).run() as BigIntStats | undefined;
    const [from, to] = [textOf(source), textOf(destination)];
    if (there !== undefined) this.checkPair(stats, there, from, to);
    if (stats.isDirectory() && isWithin(this.absolute(from), this.absolute(to))) throw isInItself(from, to);
    top?.check(stats, from, to);
    if (stats.isDirectory() && !this.options.recursive)
      throw refusal(
        'ERR_FS_EISDIR',
        'Path is a directory',
        'EISDIR',
        `${from} is a directory (not copied)`,
        from,
      );
    top?.prepare(to);
    if (stats.isDirectory()) this.tree(stats, there, source, destination);
    else if (stats.isSymbolicLink()) this.link(there, source, destination);
    else if (stats.isFile() || stats.isCharacterDevice() || stats.isBlockDevice())
      this.file(stats, there, source, destination);
    else throw cannotCopy(stats, to);
  }

  private checkPair(stats: BigIntStats, there: BigIntStats, from: string, to: string): void {
    if (isSame(stats, there)) throw invalid('src and dest cannot be the same', to);
    if (stats.isDirectory() && !there.isDirectory())
      throw refusal(
        'ERR_FS_CP_DIR_TO_NON_DIR',
        'Cannot overwrite non-directory with directory',
        'EISDIR',
        `cannot overwrite non-directory ${to} with directory ${from}`,
        to,
      );
    if (!stats.isDirectory() && there.isDirectory())
      throw refusal(
        'ERR_FS_CP_NON_DIR_TO_DIR',
        'Cannot overwrite directory with non-directory',
        'ENOTDIR',
        `cannot overwrite directory ${to} with non-directory ${from}`,
        to,
      );
  }

  /**
   * A directory must not be copied into itself, which would never end, by whatever way its destination is named: that one, or where it is
   * missing the first above it that is there, and all above are compared as they are named, and as they are without links.
   */
  private checkAbove(stats: BigIntStats, from: string, to: string): void {
    let named = this.absolute(to);
    while (named !== '/' && stat(named, { throwIfNoEntry: false }).run() === undefined)
      named = dirname(named);
    const real = realpath(named).run() as string;
    for (const start of real === named ? [named] : [named, real])
      for (let path = start; ; path = dirname(path)) {
        const directory = stat(path, { bigint: true }).run() as BigIntStats;
        if (isSame(stats, directory)) throw isInItself(from, to);
        if (path === '/') break;
      }
  }

  private taken(path: CheckedPath): Error {
    const to = textOf(path);
    return refusal('ERR_FS_CP_EEXIST', 'Target already exists', 'EEXIST', `${to} already exists`, to);
  }

  private tree(stats: BigIntStats, there: BigIntStats | undefined, from: CheckedPath, to: CheckedPath): void {
    const { force, errorOnExist } = this.options;
    if (there === undefined) mkdir(to).run();
    else if (refusesDirectories && errorOnExist && !force) throw this.taken(to);
    for (const { name } of scan(from, 'opendir')) {
      const [source, destination] = [below(from, name as Buffer), below(to, name as Buffer)];
      // A filter is asked with text, also where the names are none.
      if (this.wants(textOf(source), textOf(destination))) this.one(source, destination);
    }
    // At the end: nothing could be put into a directory that is copied as read-only.
    if (there === undefined) chmod(to, permissions(stats)).run();
  }

  private file(stats: BigIntStats, there: BigIntStats | undefined, from: CheckedPath, to: CheckedPath): void {
    const { force, errorOnExist, mode, preserveTimestamps } = this.options;
    if (there !== undefined) {
      if (!force) {
        if (errorOnExist) throw this.taken(to);
        return;
      }
      // A new file: other names of the old one, and who has it open, keep what they have.
      unlink(to).run();
    }
    copyFile(from, to, mode).run();
    if (preserveTimestamps) {
      // The source is looked at again: reading it may have changed its time of access.
      const { atime, mtime } = stat(from).run() as { atime: Date; mtime: Date };
      utimes(to, atime, mtime).run();
    }
    chmod(to, permissions(stats)).run();
  }

  private link(there: BigIntStats | undefined, from: CheckedPath, to: CheckedPath): void {
    const told = linkOf(from);
    const target = this.target(from, told);
    if (there?.isSymbolicLink() === true) {
      const old = this.target(to, linkOf(to));
      if (isWithin(target, old) && (this.refusesLinks || isDirectory(from)))
        throw isInItself(target, old, textOf(to));
      if (isWithin(old, target) && isDirectory(this.looksAtOldLinks ? to : from))
        throw refusal(
          'ERR_FS_CP_SYMLINK_TO_SUBDIRECTORY',
          'Cannot overwrite symlink in subdirectory of self',
          'EINVAL',
          `cannot overwrite ${old} with ${target}`,
          textOf(to),
        );
      unlink(to).run();
    }
    const isAsTold = this.options.verbatimSymlinks || typeof told !== 'string' || isAbsolute(told);
    symlink(isAsTold ? told : target, to).run();
  }

  /** Where a link leads to, which is told from where it is. */
  private target(link: CheckedPath, told: CheckedPath): string {
    const text = textOf(told);
    return this.absolute(isAbsolute(text) ? text : join(dirname(textOf(link)), text));
  }
}

const linkOf = (path: CheckedPath): CheckedPath => pathOf(readlink(path, 'buffer').run() as Buffer);

const isDirectory = (path: CheckedPath): boolean =>
  stat(path, { throwIfNoEntry: false }).run()?.isDirectory() === true;

/** A filter that answers at once; that of cpSync, which can't wait. */
const atOnce =
  (filter: Filter): Filter =>
  (source, destination) => {
    const answer = filter(source, destination);
    if (types.isPromise(answer))
      throw Object.assign(
        new TypeError(
          'Expected boolean to be returned from the "filter" function but got an instance of Promise.',
        ),
        { code: 'ERR_INVALID_RETURN_VALUE' },
      );
    return answer;
  };

/** A filter that may answer with a promise, for which the running userthread waits. */
const inTime =
  (filter: Filter): Filter =>
  (source, destination) =>
    wait(filter(source, destination));

class Copy implements Work<void> {
  private readonly source: CheckedPath;
  private readonly destination: CheckedPath;
  private readonly options: CopyOptions;

  constructor(source: CheckedPath, destination: CheckedPath, options: CopyOptions) {
    this.source = source;
    this.destination = destination;
    this.options = options;
  }

  private copy(form: (filter: Filter) => Filter, blocking: boolean): void {
    const { filter } = this.options;
    const wants = filter === undefined ? () => true : form(filter);
    new Copier(this.options, wants, blocking).top(this.source, this.destination);
  }

  run(): void {
    this.copy(atOnce, true);
  }

  /** On a userthread of its own, as Steps. */
  promise(): Promise<void> {
    return create(() => this.copy(inTime, false), { name: 'fs.cp' }).finished;
  }
}

/**
 * Copies a file, a link, or with `recursive` a directory and all that is in it. Throws for wrong arguments; the work throws node:fs' errors
 * (ERR_FS_EISDIR, ERR_FS_CP_…) and the kernel's, and what the filter throws. What had been copied by then stays.
 */
export function cp(src: unknown, dest: unknown, options?: unknown): Work<void> {
  const given = checkCopyOptions(options);
  return new Copy(checkPath(src, 'src'), checkPath(dest, 'dest'), given);
}
