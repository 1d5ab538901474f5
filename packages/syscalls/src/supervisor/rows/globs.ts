/**
 * globs.ts: globs as rows have them: bytes, and two signs. What is more than names, * and ** (classes, braces, ?) is left to picomatch, and so to the supervisor.
 *
 * Invariant: a glob that is answered here fits what picomatch says it fits.
 */
import { GLOB_NAMES, GLOB_STAR } from '../../generated/channel.ts';

const NAME = /^[\w.,:=%*-]+$/;
const LENGTH_MAX = 1024;
/** Each may have to be tried at each name. */
const NAMES_MAX = 3;

/** A glob that begins with a slash; undefined for one that rows can't say. */
export function globBytes(glob: string): Uint8Array | undefined {
  const names = glob.slice(1).split('/');
  if (glob === '/' || glob.length > LENGTH_MAX) return undefined;
  if (names.some((name) => !NAME.test(name) || (name !== '**' && name.includes('**')))) return undefined;
  if (names.filter((name) => name === '**').length > NAMES_MAX) return undefined;
  // At the beginning, and behind a *, it is at least one name to picomatch, or not, depending on what follows.
  if (names.length > 1 && names.some((name, i) => name === '**' && (names[i - 1] ?? '*').includes('*')))
    return undefined;
  const text = names.map((name) =>
    name === '**' ? String.fromCharCode(GLOB_NAMES) : name.replaceAll('*', String.fromCharCode(GLOB_STAR)),
  );
  return Buffer.from(`/${text.join('/')}\0`, 'latin1');
}

/** All of a rule's; undefined where one of them can't be said. */
export function globsBytes(path: string | readonly string[]): Uint8Array[] | undefined {
  const all = (typeof path === 'string' ? [path] : path).map(globBytes);
  return all.includes(undefined) ? undefined : (all as Uint8Array[]);
}
