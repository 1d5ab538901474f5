/**
 * read.ts: a configuration file: where it is found, and the shims that it lists.
 *
 * Invariant: nothing is installed here. A file with one error installs nothing at all.
 */
import { dirname, join, resolve } from 'node:path';
import { nodeFs } from '../node-fs.ts';
import { checkShim, type Shim } from '../port/shim.ts';
import { configError, textOf } from './error.ts';
import { exportOf, isFile, load, ownShims } from './own.ts';
import { readyMadeShim } from './ready-made.ts';

const NAMES = ['libcr.config.json', 'libcr.config.mjs', 'libcr.config.js', 'libcr.config.cjs'];
const KEYS = ['$schema', 'shims', 'fs'];

/** What a configuration asks for. */
export interface Config {
  /** Outermost first. */
  readonly shims: readonly Shim[];
  /** The port under node:fs itself (installFs). */
  readonly fs: boolean;
}

/** The configuration file of a folder, or of the next one above that has one; undefined where there is none. */
export function findConfig(folder: string): string | undefined {
  for (let at = resolve(folder); ; at = dirname(at)) {
    const file = NAMES.map((name) => join(at, name)).find((path) => nodeFs.existsSync(path));
    if (file !== undefined || at === dirname(at)) return file;
  }
}

function parse(file: string): unknown {
  if (!file.endsWith('.json')) {
    try {
      return exportOf(load(file), 'config');
    } catch (error) {
      throw configError(file, `cannot be loaded: ${textOf(error)}`, error);
    }
  }
  let text: string;
  try {
    text = nodeFs.readFileSync(file, 'utf8');
  } catch (error) {
    throw configError(file, `cannot be read: ${textOf(error)}`, error);
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw configError(file, `is no JSON: ${textOf(error)}`, error);
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** One entry of the list: a name, a file, { name: options }, or a shim (of a module). */
function entryShims(entry: unknown, place: string, folder: string): Shim[] {
  if (typeof entry === 'string')
    return isFile(entry) ? ownShims(entry, place, folder) : [readyMadeShim(entry, undefined, place, folder)];
  if (!isObject(entry))
    throw configError(place, 'must be a name, a path that begins with "./", or { name: options }');
  if (typeof entry.shim === 'function') {
    try {
      checkShim(entry);
    } catch (error) {
      throw configError(place, textOf(error), error);
    }
    return [entry];
  }
  const [name, ...more] = Object.keys(entry);
  if (name === undefined || more.length > 0)
    throw configError(place, `must have one name, and has ${Object.keys(entry).length}`);
  return [readyMadeShim(name, entry[name], `${place}.${name}`, folder)];
}

function shimsOf(shims: unknown, file: string): Shim[] {
  const folder = dirname(file);
  if (Array.isArray(shims))
    return shims.flatMap((entry, i) => entryShims(entry, `${file}: shims[${i}]`, folder));
  if (!isObject(shims))
    throw configError(`${file}: shims`, 'must be an array, or an object of names and options');
  return Object.entries(shims).map(([name, value]) =>
    readyMadeShim(name, value, `${file}: shims.${name}`, folder),
  );
}

/** Reads a configuration file. Throws ERR_LIBCR_CONFIG, with the file and the place in it. */
export function readConfig(path: string): Config {
  const file = resolve(path);
  if (!nodeFs.existsSync(file)) throw configError(file, 'there is no such file');
  const config = parse(file);
  if (!isObject(config)) throw configError(file, 'must be an object');
  for (const key of Object.keys(config))
    if (!KEYS.includes(key)) throw configError(file, `has "${key}", and may have ${KEYS.join(', ')}`);
  const { shims = [], fs = false } = config;
  if (typeof fs !== 'boolean') throw configError(`${file}: fs`, 'must be true or false');
  return { shims: shimsOf(shims, file), fs };
}
