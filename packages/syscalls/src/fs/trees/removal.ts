/** removal.ts: rm, and rmdir as the older versions of Node have it: what a directory has in it goes, too. */
import { invalidArgument } from '@libcr/core/internal';
import { failure } from '../../failure.ts';
import { constants as c } from '../../generated/constants.ts';
import { pauseForReal } from '../../pause.ts';
import { countStep } from '../../port/budget.ts';
import { send } from '../../port/send.ts';
import {
  type CheckedPath,
  checkBoolean,
  checkInteger,
  checkObject,
  checkPath,
  type Options,
} from '../arguments/arguments.ts';
import { below, textOf } from '../arguments/names.ts';
import { lstat } from '../arguments/paths.ts';
import { scan } from '../directories.ts';
import { Steps, SystemCall, type Work } from '../forms/work.ts';
import { systemError } from '../node/system-error.ts';
import { rmdirRecurses } from '../node/this-node.ts';

interface RmOptions {
  recursive: boolean;
  force: boolean;
  maxRetries: number;
  retryDelay: number;
}

function rmOptions(options: unknown): RmOptions {
  // Spread: what they inherit does not count.
  const { recursive, force, maxRetries = 0, retryDelay = 100 } = { ...checkObject(options, true) };
  return {
    recursive: checkBoolean(recursive, 'options.recursive', false, true),
    retryDelay: checkInteger(retryDelay, 'options.retryDelay', 0, 2 ** 31 - 1),
    maxRetries: checkInteger(maxRetries, 'options.maxRetries', 0, 2 ** 32 - 1),
    force: checkBoolean(force, 'options.force', false, true),
  };
}

/** What a try later may put right. (node:fs' list) */
const PASSING: readonly number[] = [c.EBUSY, c.EMFILE, c.ENFILE, c.ENOTEMPTY, c.EPERM];

/** A call, again while it may help; what is gone is gone. */
function persistently(
  { maxRetries, retryDelay }: RmOptions,
  name: string,
  path: CheckedPath,
  number: number,
): void {
  for (let tries = 0; ; tries++) {
    countStep();
    const reply = send(number, path);
    if (reply >= 0 || reply === -c.ENOENT) return;
    if (tries >= maxRetries || !PASSING.includes(-reply)) throw failure(reply, name, path);
    pauseForReal((tries + 1) * retryDelay);
  }
}

function remove(path: CheckedPath, isDirectory: boolean, options: RmOptions): void {
  if (!isDirectory) {
    persistently(options, 'unlink', path, c.SYS_unlink);
    return;
  }
  for (const { name, type } of scan(path)) {
    const inside = below(path, name as Buffer);
    const directory =
      type === c.DT_UNKNOWN
        ? lstat(inside, { throwIfNoEntry: false }).run()?.isDirectory() === true
        : type === c.DT_DIR;
    remove(inside, directory, options);
  }
  persistently(options, 'rmdir', path, c.SYS_rmdir);
}

/** node:fs' error for a directory without `recursive`, which is none of the kernel's. */
function isDirectoryError(path: CheckedPath): Error {
  return systemError('rm', {
    code: 'ERR_FS_EISDIR',
    summary: 'Path is a directory',
    errno: 'EISDIR',
    message: 'is a directory',
    path: textOf(path),
  });
}

export function rm(path: unknown, options?: unknown): Work<void> {
  const checked = checkPath(path);
  const given = rmOptions(options);
  return new Steps('fs.rm', () => {
    const stat = lstat(checked, { throwIfNoEntry: !given.force }).run();
    if (stat === undefined) return;
    if (stat.isDirectory() && !given.recursive) throw isDirectoryError(checked);
    remove(checked, stat.isDirectory(), given);
  });
}

/** Said once, unless nobody wants to hear it. */
let warned = false;

function warn(): void {
  if (warned || process.noDeprecation) return;
  warned = true;
  process.emitWarning(
    'In future versions of Node.js, fs.rmdir(path, { recursive: true }) will be removed. Use fs.rm(path, { recursive: true }) instead',
    'DeprecationWarning',
    'DEP0147',
  );
}

const justRmdir = (path: CheckedPath): Work<void> =>
  new SystemCall(
    (reply) => {
      if (reply < 0) throw failure(reply, 'rmdir', path);
    },
    c.SYS_rmdir,
    path,
  );

export function rmdir(path: unknown, options?: unknown): Work<void> {
  const checked = checkPath(path);
  const recursive = (options as Options | null | undefined)?.recursive;
  if (!rmdirRecurses) {
    if (recursive !== undefined)
      throw invalidArgument('options.recursive', recursive, 'is no longer supported');
    checkObject(options, true);
    return justRmdir(checked);
  }
  if (recursive) warn();
  const given = rmOptions({ ...checkObject(options, true), force: false });
  if (!recursive) return justRmdir(checked);
  return new Steps('fs.rmdir', () => {
    if (lstat(checked).run()?.isDirectory() !== true) justRmdir(checked).run();
    else if (!given.recursive) throw isDirectoryError(checked);
    else remove(checked, true, given);
  });
}
