/**
 * watch-options.ts: the options of watch and promises.watch, checked as node:fs checks them, and what `ignore` leaves out.
 *
 * Not here: watchFile's (watch-file.ts).
 */
import path, { basename } from 'node:path';
import { inspect, types } from 'node:util';
import { invalidType, invalidValue, isAbortSignal } from '@libcr/core/internal';
import {
  checkBoolean,
  checkEncoding,
  checkInteger,
  checkOptions,
  type Options,
} from '../arguments/arguments.ts';
import { watchesIgnore, watchesWhatIsMissing } from '../node/this-node.ts';

export interface WatchOptions {
  persistent: boolean;
  recursive: boolean;
  encoding: Options['encoding'];
  signal: AbortSignal | undefined;
  /** Whether nothing is told of an entry: by its path from the watched one on. */
  ignores: (name: string) => boolean;
  throwIfNoEntry: boolean;
}

type Test = (name: string) => unknown;

/** A pattern without a slash is for names wherever they are. */
const globTest = (pattern: string): Test => {
  const { matchesGlob } = path as unknown as { matchesGlob(path: string, pattern: string): boolean };
  return (name) => matchesGlob(pattern.includes('/') ? name : basename(name), pattern);
};

function testOf(value: unknown, name: string): Test {
  if (typeof value === 'function') return value as Test;
  if (types.isRegExp(value)) return (text) => value.exec(text) !== null;
  if (typeof value !== 'string')
    throw invalidType(name, 'one of type string or function or an instance of RegExp', value);
  if (value === '')
    throw invalidValue(`The property '${name}' must be a non-empty string. Received ${inspect(value)}`);
  return globTest(value);
}

function ignoresOf(ignore: unknown): WatchOptions['ignores'] {
  if (!watchesIgnore || ignore === undefined || ignore === null) return () => false;
  const tests = Array.isArray(ignore)
    ? ignore.map((value, i) => testOf(value, `options.ignore[${i}]`))
    : [testOf(ignore, 'options.ignore')];
  return (name) => tests.some((test) => test(name));
}

function wantsBoolean(value: unknown, name: string): void {
  if (value !== undefined && typeof value !== 'boolean') throw invalidType(name, 'of type boolean', value);
}

const others = (given: Options): Pick<WatchOptions, 'ignores' | 'throwIfNoEntry'> => ({
  ignores: ignoresOf(given.ignore),
  throwIfNoEntry: !watchesWhatIsMissing || given.throwIfNoEntry !== false,
});

export function checkWatchOptions(options: unknown): WatchOptions {
  const given = checkOptions(options);
  const { persistent, encoding, signal } = given;
  const recursive = checkBoolean(given.recursive, 'options.recursive');
  if (recursive) wantsBoolean(persistent, 'options.persistent');
  // Else whatever it is, as in node:fs.
  return { persistent: Boolean(persistent ?? true), recursive, encoding, signal, ...others(given) };
}

/** promises.watch is stricter: options must be an object, and what is there of its type. */
export function checkStrictly(options: unknown = {}): WatchOptions {
  if (typeof options !== 'object' || options === null || Array.isArray(options))
    throw invalidType('options', 'of type object', options);
  const { persistent, recursive, encoding, signal } = options as Options;
  wantsBoolean(persistent, 'options.persistent');
  wantsBoolean(recursive, 'options.recursive');
  if (signal !== undefined && !isAbortSignal(signal))
    throw invalidType('options.signal', 'an instance of AbortSignal', signal);
  checkEncoding(encoding);
  return {
    ...{ persistent: persistent !== false, recursive: recursive === true, encoding, signal },
    ...others(options as Options),
  };
}

const MAX_QUEUE = 2048;

/** What of promises.watch's events is kept for who does not ask yet. */
export function checkQueue(options: unknown): { maxQueue: number; overflow: 'ignore' | 'error' } {
  const { maxQueue, overflow } = (options ?? {}) as Options;
  if (overflow !== undefined && overflow !== 'ignore' && overflow !== 'error')
    throw invalidValue(
      `The property 'options.overflow' must be one of: 'ignore', 'error'. Received ${inspect(overflow)}`,
    );
  return {
    maxQueue: maxQueue === undefined ? MAX_QUEUE : checkInteger(maxQueue, 'options.maxQueue'),
    overflow: overflow ?? 'ignore',
  };
}
