/**
 * place.ts: where processes that can be looked at have their sockets: a directory of their user's, which nobody else can enter, and in it one socket for each
 * process. Knows nothing of userthreads: who only looks need not load the native half.
 */
import { lstatSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CodedError } from '../errors/errors.ts';

export function directoryOf(uid: number): string {
  return join(tmpdir(), `lwkt-${uid}`);
}

export function socketIn(directory: string, pid: number): string {
  return join(directory, `${pid}.sock`);
}

/** Throws ERR_LWKT_TOP_DIRECTORY where somebody else could have put things there, and what lstat throws. */
export function checkDirectory(directory: string, uid: number): void {
  const stat = lstatSync(directory);
  const problem = !stat.isDirectory()
    ? 'is not a directory'
    : stat.uid !== uid
      ? `belongs to user ${stat.uid}, not to ${uid}`
      : (stat.mode & 0o077) !== 0
        ? 'can be entered by others (chmod 700 it)'
        : undefined;
  if (problem !== undefined) throw new CodedError('ERR_LWKT_TOP_DIRECTORY', `${directory} ${problem}`);
}

/** Makes it if need be. Throws as checkDirectory, and what mkdir throws. */
export function makeDirectory(directory: string, uid: number): void {
  try {
    mkdirSync(directory, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  checkDirectory(directory, uid);
}
