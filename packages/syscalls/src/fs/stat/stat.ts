/**
 * stat.ts: stat, lstat, fstat: a statx(2) each. Their forms look at options in ways of their own, and not on all versions of Node in the same.
 *
 * Not here: Stats, and how one is made (stats.ts).
 */
import type { BigIntStats, Stats } from 'node:fs';
import { abortError, invalidType } from '@libcr/core/internal';
import { failure } from '../../failure.ts';
import { constants as c } from '../../generated/constants.ts';
import {
  checkFd,
  checkObject,
  checkOptions,
  checkPath,
  isSignal,
  looseOptions,
  type Options,
} from '../arguments/arguments.ts';
import { SystemCall, type Work } from '../forms/work.ts';
import { statIsStrict, statsTakeSignals, statTakesFilesForNoEntry } from '../node/this-node.ts';
import { STATX_MASK, STATX_SIZE, statsOf } from './stats.ts';

type Stat = Stats | BigIntStats | undefined;
type Operation = (subject: unknown, options?: unknown) => Work<Stat>;

/** How the forms of a function look at its options. */
type Reader = (options: unknown) => Options;

/** ENOTDIR: something above it is a file. stat takes that for no entry, too. */
const isNoEntry = (name: string, reply: number): boolean =>
  reply === -c.ENOENT || (reply === -c.ENOTDIR && name === 'stat' && statTakesFilesForNoEntry);

/** A signal that has been aborted already is why nothing is asked. */
function orAborted<R>({ signal }: Options, work: Work<R>): Work<R> {
  if (signal?.aborted !== true) return work;
  const refuse = (): never => {
    throw abortError(signal.reason);
  };
  return { run: refuse, promise: async () => refuse() };
}

function statx(name: string, path: unknown, flags: number, given: Options, mayMiss: boolean): Work<Stat> {
  const checked = checkPath(path);
  const bigint = given.bigint === true;
  const { throwIfNoEntry } = given;
  const struct = Buffer.allocUnsafe(STATX_SIZE);
  return new SystemCall(
    (reply) => {
      if (reply >= 0) return statsOf(struct, bigint);
      if (mayMiss && throwIfNoEntry === false && isNoEntry(name, reply)) return undefined;
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

function fstatx(fd: unknown, given: Options): Work<Stat> {
  const bigint = given.bigint === true;
  const number = checkFd(fd);
  const struct = Buffer.allocUnsafe(STATX_SIZE);
  return new SystemCall(
    (reply) => {
      if (reply < 0) throw failure(reply, 'fstat');
      return statsOf(struct, bigint);
    },
    c.SYS_statx,
    number,
    '',
    c.AT_EMPTY_PATH,
    STATX_MASK,
    struct,
  );
}

const NONE: Options = {};

/** Of callbacks: what is no object is none. */
const checked: Reader = (options) =>
  typeof options === 'object' && options !== null ? checkOptions(options) : NONE;

function withSignal(options: Options): Options {
  if (options.signal !== undefined && !isSignal(options.signal))
    throw invalidType('options.signal', 'an instance of AbortSignal', options.signal);
  return options;
}

/** What nobody checks has no signal that counts. */
const loose: Reader = (options) => {
  const given = looseOptions(options);
  // Not taken apart at once: null is the error that node:fs has.
  const bigint = given.bigint;
  return { bigint, throwIfNoEntry: given.throwIfNoEntry };
};

const readStat: Reader = statIsStrict ? checked : loose;
const readLstat: Reader = statsTakeSignals ? checked : loose;
const readFstat: Reader = statsTakeSignals
  ? (options) => withSignal(typeof options === 'object' && options !== null ? (options as Options) : NONE)
  : loose;
const readPromised: Reader = statsTakeSignals ? (options) => withSignal(checkObject(options, true)) : loose;

const LINKS_TOO = c.AT_SYMLINK_NOFOLLOW;

export const stat = (path: unknown, options?: unknown): Work<Stat> =>
  statx('stat', path, 0, looseOptions(options), true);

export const lstat = (path: unknown, options?: unknown): Work<Stat> =>
  statx('lstat', path, LINKS_TOO, looseOptions(options), true);

export const fstat = (fd: unknown, options?: unknown): Work<Stat> => fstatx(fd, looseOptions(options));

const later =
  (name: string, flags: number, read: Reader, mayMiss: boolean): Operation =>
  (path, options) => {
    const given = read(options);
    return orAborted(given, statx(name, path, flags, given, mayMiss));
  };

/** With a callback. */
export const statCalled: Operation = later('stat', 0, readStat, statIsStrict);
export const lstatCalled: Operation = later('lstat', LINKS_TOO, readLstat, false);

export function fstatCalled(fd: unknown, options?: unknown): Work<Stat> {
  const given = readFstat(options);
  return orAborted(given, fstatx(fd, given));
}

/** As a promise. */
export const statPromised: Operation = later('stat', 0, readPromised, statIsStrict);
export const lstatPromised: Operation = later('lstat', LINKS_TOO, readPromised, false);
