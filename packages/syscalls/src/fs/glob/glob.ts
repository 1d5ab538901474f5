/**
 * glob.ts: node:fs' glob: the paths that fit a pattern. Its arguments, and its forms, of which one is an asynchronous iterator.
 *
 * Not here: the walk (walk.ts).
 *
 * Invariant: every system call goes through the port of the userthread that asked, also where an asynchronous iteration goes on elsewhere.
 */
import type { Dirent } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { create, curthread } from '@libcr/core';
import { invalidType, isUrl } from '@libcr/core/internal';
import { checkBoolean, checkInteger, type Options } from '../arguments/arguments.ts';
import { Steps, type Work } from '../forms/work.ts';
import { matcherOf, Pattern } from './pattern.ts';
import { type GlobResult, type GlobSearch, GlobWalk } from './walk.ts';

/** As Node 26 has them, on every Node. E: what `exclude` is asked about, if it is a function. */
export interface GlobOptions<E = string> {
  /** Where relative patterns begin. The working directory, if it is not given. */
  cwd?: string | URL | undefined;
  /** Patterns of what is no result and is not entered; or a function that says whether an entry is neither, which may block. */
  exclude?: readonly string[] | ((entry: E) => boolean) | undefined;
  /** Entries (Dirent) instead of paths. */
  withFileTypes?: boolean | undefined;
  /** "**" enters directories behind links, too. */
  followSymlinks?: boolean | undefined;
  /** How many names down from `cwd` results may be; no limit, if it is not given. */
  maxDepth?: number | undefined;
}

const isStrings = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((item) => typeof item === 'string');

function checkPatterns(pattern: unknown): readonly string[] {
  if (typeof pattern === 'string') return [pattern];
  if (!isStrings(pattern)) throw invalidType('patterns', 'of type string or an array of strings', pattern);
  return pattern;
}

function checkExclude(exclude: unknown, root: string): Pick<GlobSearch, 'exclude' | 'isExcluded'> {
  if (typeof exclude === 'function')
    return { exclude: exclude as GlobSearch['exclude'], isExcluded: () => false };
  if (exclude === undefined || exclude === null) return { exclude: undefined, isExcluded: () => false };
  if (!isStrings(exclude))
    throw invalidType('options.exclude', 'an array of strings or of type function', exclude);
  const matchers = exclude.map((pattern) => matcherOf(resolve(root, pattern)));
  return { exclude: undefined, isExcluded: (path) => matchers.some((matcher) => matcher.match(path)) };
}

function checkGlob(pattern: unknown, options: unknown = {}): GlobSearch {
  if (typeof options !== 'object' || options === null || Array.isArray(options))
    throw invalidType('options', 'of type object', options);
  const { cwd, exclude, withFileTypes, followSymlinks, maxDepth } = options as Options;
  const root = isUrl(cwd) ? fileURLToPath(cwd) : (cwd ?? '.');
  if (typeof root !== 'string') throw invalidType('options.cwd', 'of type string or an instance of URL', cwd);
  return {
    root,
    withFileTypes: Boolean(withFileTypes),
    followSymlinks: checkBoolean(followSymlinks, 'options.followSymlinks'),
    maxDepth:
      maxDepth === undefined || maxDepth === null || maxDepth === Infinity
        ? Infinity
        : checkInteger(maxDepth, 'options.maxDepth', 0),
    ...checkExclude(exclude, root),
    patterns: checkPatterns(pattern).flatMap((text) => Pattern.all(text)),
  };
}

function* resultsOf(walk: GlobWalk): Generator<GlobResult> {
  for (let some = walk.next(); some !== undefined; some = walk.next()) yield* some;
}

type Found = string | Dirent | null;

type Patterns = string | readonly string[];
type WithFileTypes = GlobOptions<Dirent> & { withFileTypes: true };

export interface Glob {
  (pattern: Patterns, callback: (error: Error | null, paths: string[]) => void): void;
  (
    pattern: Patterns,
    options: WithFileTypes,
    callback: (error: Error | null, entries: Dirent[]) => void,
  ): void;
  (
    pattern: Patterns,
    options: GlobOptions | undefined,
    callback: (error: Error | null, paths: string[]) => void,
  ): void;
}

export interface GlobSync {
  (pattern: Patterns, options: WithFileTypes): Dirent[];
  (pattern: Patterns, options?: GlobOptions): string[];
}

export interface GlobAsync {
  (pattern: Patterns, options: WithFileTypes): AsyncGenerator<Dirent, void>;
  (pattern: Patterns, options?: GlobOptions): AsyncGenerator<string, void>;
}

/** With a callback. */
export function glob(pattern: unknown, options?: unknown): Work<Found[]> {
  const search = checkGlob(pattern, options);
  return new Steps('fs.glob', () =>
    Array.from(resultsOf(new GlobWalk(search)), ({ path, entry }) => (search.withFileTypes ? entry : path)),
  );
}

/** globSync: its entries are those that it finds in the end, as node:fs has it. */
export function globAtOnce(pattern: unknown, options?: unknown): Work<Found[]> {
  const search = checkGlob(pattern, options);
  return new Steps('fs.glob', () => {
    const walk = new GlobWalk(search);
    const paths = Array.from(resultsOf(walk), ({ path }) => path);
    return search.withFileTypes ? paths.map((path) => walk.entry(path)) : paths;
  });
}

async function* iterate(pattern: unknown, options: unknown, port: unknown): AsyncGenerator<Found, void> {
  const search = checkGlob(pattern, options);
  const walk = new GlobWalk(search);
  for (;;) {
    const some = await create(() => walk.next(), { name: 'fs.glob', syscallPort: port }).finished;
    if (some === undefined) return;
    for (const { path, entry } of some) yield search.withFileTypes ? entry : path;
  }
}

/** As node:fs/promises' glob: it begins with the first next(), where wrong arguments reject, and reads no further than it is asked to. */
export function globAsync(pattern: unknown, options?: unknown): AsyncGenerator<Found, void> {
  return iterate(pattern, options, curthread().syscallPort);
}
