/** trees.ts: operations that go along a path, or down a directory: realpath, rm. */
import { dirname, join, resolve } from 'node:path';
import { failure } from '../failure.ts';
import { constants as c } from '../generated/constants.ts';
import { pause } from '../pause.ts';
import { countStep } from '../port/budget.ts';
import { send } from '../port/send.ts';
import { checkBoolean, checkInteger, checkObject, checkOptions, checkPath, encoded } from './arguments.ts';
import { scan } from './directories.ts';
import { lstat, readlink } from './paths.ts';
import { systemError } from './system-error.ts';
import { Steps, type Work } from './work.ts';

const LINKS_MAX = 40;

/** Without links, and absolute; what is missing is lstat's error, as node:fs' realpath has it. */
function real(path: string): string {
  let links = 0;
  let done = '/';
  const todo = resolve(path).split('/').filter(Boolean).reverse();
  while (todo.length > 0) {
    const next = join(done, todo.pop() as string);
    const stat = lstat(next).run();
    if (stat?.isSymbolicLink() !== true) {
      done = next;
      continue;
    }
    if (++links > LINKS_MAX) throw failure(-c.ELOOP, 'stat', path);
    const target = resolve(dirname(next), readlink(next).run() as string);
    todo.push(...target.split('/').filter(Boolean).reverse());
    done = '/';
  }
  return done;
}

export function realpath(path: unknown, options?: unknown): Work<string | Buffer> {
  const { encoding } = checkOptions(options);
  const checked = checkPath(path);
  return new Steps('fs.realpath', () =>
    encoded(Buffer.from(real(Buffer.from(checked).toString())), encoding),
  );
}

interface RmOptions {
  recursive: boolean;
  force: boolean;
  maxRetries: number;
  retryDelay: number;
}

/** What a try later may put right. (node:fs' list) */
const PASSING: readonly number[] = [c.EBUSY, c.EMFILE, c.ENFILE, c.ENOTEMPTY, c.EPERM];

/** A call, again while it may help; what is gone is gone. */
function persistently(
  { maxRetries, retryDelay }: RmOptions,
  name: string,
  path: string,
  number: number,
): void {
  for (let tries = 0; ; tries++) {
    countStep();
    const reply = send(number, path);
    if (reply >= 0 || reply === -c.ENOENT) return;
    if (tries >= maxRetries || !PASSING.includes(-reply)) throw failure(reply, name, path);
    pause((tries + 1) * retryDelay);
  }
}

function remove(path: string, isDirectory: boolean, options: RmOptions): void {
  if (!isDirectory) {
    persistently(options, 'unlink', path, c.SYS_unlink);
    return;
  }
  for (const { name, type } of scan(path)) {
    const below = join(path, (name as Buffer).toString());
    const directory =
      type === c.DT_UNKNOWN
        ? lstat(below, { throwIfNoEntry: false }).run()?.isDirectory() === true
        : type === c.DT_DIR;
    remove(below, directory, options);
  }
  persistently(options, 'rmdir', path, c.SYS_rmdir);
}

/** node:fs' error for a directory without `recursive`, which is none of the kernel's. */
function isDirectoryError(path: string): Error {
  return systemError('rm', {
    code: 'ERR_FS_EISDIR',
    summary: 'Path is a directory',
    errno: 'EISDIR',
    message: 'is a directory',
    path,
  });
}

export function rm(path: unknown, options?: unknown): Work<void> {
  const { recursive, force, maxRetries = 0, retryDelay = 100 } = checkObject(options);
  const given: RmOptions = {
    recursive: checkBoolean(recursive, 'options.recursive'),
    force: checkBoolean(force, 'options.force'),
    maxRetries: checkInteger(maxRetries, 'options.maxRetries', 0, 2 ** 32 - 1),
    retryDelay: checkInteger(retryDelay, 'options.retryDelay', 0, 2 ** 31 - 1),
  };
  const checked = Buffer.from(checkPath(path)).toString();
  return new Steps('fs.rm', () => {
    const stat = lstat(checked, { throwIfNoEntry: !given.force }).run();
    if (stat === undefined) return;
    if (stat.isDirectory() && !given.recursive) throw isDirectoryError(checked);
    remove(checked, stat.isDirectory(), given);
  });
}
