/**
 * globs.ts: globs as rows have them: bytes, and three signs; of braces, {a,b}, a glob for each choice. What is more than that, names, *, ? and ** (classes, braces in braces or with
 * slashes, ranges) is left to picomatch, and so to the supervisor.
 *
 * Invariant: a glob that is answered here fits what picomatch says it fits.
 */
import { GLOB_NAMES, GLOB_ONE, GLOB_STAR } from '../../generated/channel.ts';

const NAME = /^[\w.,:=%*?-]+$/;
const LENGTH_MAX = 1024;
/** Each may have to be tried at each name. */
const NAMES_MAX = 3;
/** Of a rule. */
const CHOICES_MAX = 256;

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
    name === '**'
      ? String.fromCharCode(GLOB_NAMES)
      : name.replaceAll('*', String.fromCharCode(GLOB_STAR)).replaceAll('?', String.fromCharCode(GLOB_ONE)),
  );
  return Buffer.from(`/${text.join('/')}\0`, 'latin1');
}

/** Braces with names, and * and ? in them. */
const CHOICE = /[\w.:=%?-]+(?:\*[\w.:=%?-]+)*/.source;
const BRACES = new RegExp(`^([^{}]*)\\{(${CHOICE}(?:,${CHOICE})+)\\}(.*)$`, 's');

/** A glob for each choice of its braces; those that can't be taken apart stay in it. */
function choices(glob: string): string[] {
  let all = [glob];
  for (;;) {
    const first = BRACES.exec(all[0] as string);
    if (first === null || all.length > CHOICES_MAX) return all;
    all = all.flatMap((each) => {
      const [, before, list, after] = BRACES.exec(each) as unknown as [string, string, string, string];
      return list.split(',').map((choice) => `${before}${choice}${after}`);
    });
  }
}

/** All of a rule's; undefined where one of them can't be said. */
export function globsBytes(path: string | readonly string[]): Uint8Array[] | undefined {
  const all = (typeof path === 'string' ? [path] : path).flatMap(choices).map(globBytes);
  return all.includes(undefined) || all.length > CHOICES_MAX ? undefined : (all as Uint8Array[]);
}
