/** options.ts: what overlay() is given. Throws TypeError for what cannot be understood, and Node-shaped errors for layers that are no directories. */
import { resolve } from 'node:path';
import { invalidType, invalidValue } from '@libcr/core/internal';
import { failure } from '../../failure.ts';
import { constants as c } from '../../generated/constants.ts';
import { nodeFs } from '../../node-fs.ts';
import { checkKeys } from '../match.ts';
import { checkOptions, KNOWN, type MemfsOptions } from '../memfs/options.ts';
import { toByteString } from '../memfs/paths/byte-string.ts';
import type { OverlayContent } from './upper.ts';

export interface OverlayOptions extends MemfsOptions {
  /** The real directory that is read, or several, the uppermost first. Nothing is ever written to them. */
  lower: string | readonly string[];
  /** Where it is seen; at the first of the lower directories if absent, in whose place it then is. */
  at?: string | undefined;
  /** What is there already, over the lower directories: names, or paths, and contents as of memfs(), or false for what is not there; none if absent. */
  upper?: OverlayDirectory | undefined;
}

/** Names, or paths, and what lies there. A plain object is laid over the directory of its name, a directory() replaces it. */
export interface OverlayDirectory {
  readonly [name: string]: OverlayContent;
}

export interface Layers {
  lower: string[];
  at: string;
  upper: OverlayDirectory;
  options: MemfsOptions;
}

function pathOf(name: string, value: unknown): string {
  if (typeof value !== 'string' || value === '') throw invalidType(name, 'a path', value);
  if (value.includes('\0')) throw invalidValue(`The property '${name}' must be a path without NUL`);
  return resolve(value);
}

function checkDirectory(path: string): string {
  const stat = nodeFs.statSync(path);
  if (!stat.isDirectory()) throw failure(-c.ENOTDIR, 'overlay', path);
  return toByteString(nodeFs.realpathSync(path));
}

export function checkLayers(given: OverlayOptions): Layers {
  checkKeys('options', given, ['lower', 'at', 'upper', ...KNOWN]);
  const { lower, at, upper = {}, ...options } = given;
  checkOptions(options);
  const paths = Array.isArray(lower) ? lower : [lower];
  if (paths.length === 0) throw invalidValue("The property 'options.lower' must name a directory");
  const named = paths.map((path, i) =>
    pathOf(Array.isArray(lower) ? `options.lower[${i}]` : 'options.lower', path),
  );
  const where = at === undefined ? (named[0] as string) : pathOf('options.at', at);
  if (where === '/') throw invalidValue('an overlay cannot be at "/": name the directories that it is for');
  if (typeof upper === 'string')
    throw invalidValue(
      'the upper layer is in memory: tree.save() writes it into a real directory, which may be the first of options.lower then',
    );
  if (typeof upper !== 'object' || upper === null || Array.isArray(upper) || !isPlain(upper))
    throw invalidType('options.upper', 'an object of names and contents', upper);
  return { lower: named.map(checkDirectory), at: where, upper, options };
}

const isPlain = (value: object): boolean => {
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
};
