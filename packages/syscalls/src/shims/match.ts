/** match.ts: which calls a rule of a shim is about: by name, path, descriptor, and a function for the rest. */
import { invalidType, invalidValue } from '@libcr/core/internal';
import picomatch from 'picomatch';
import type { CallName } from '../generated/rows.ts';
import { CALL_COUNT, numbersOf } from '../port/calls.ts';
import type { SysMsg } from '../port/sysmsg.ts';
import { type Named, pathsOf } from './paths/index.ts';

/** What a call has to be for a rule to be about it: all that is given. */
export interface Match {
  /** Its name is one of these, or of the family of one; any, if absent. */
  on?: readonly CallName[] | 'all' | undefined;
  /**
   * Globs (picomatch's; * stops at a slash, ** does not; names with a dot are matched): one of its absolute paths fits one of them, as it is written, or where
   * a link of the kernel's own (/proc/self/cwd) leads it.
   */
  path?: string | readonly string[] | undefined;
  /** Its descriptor. */
  fd?: number | undefined;
  /** Called with the message when all else fits; must not block. What it throws fails the call with EIO. */
  when?: ((msg: SysMsg) => boolean) | undefined;
}

/** Names with a dot are matched, and ** passes over a newline, which a name may have (flag s). */
export const GLOB_OPTIONS: { dot: true; flags: string } = { dot: true, flags: 's' };

export const MATCH_KEYS: readonly (keyof Match)[] = ['on', 'path', 'fd', 'when'];

export interface Matcher {
  /** 1 or 0 by number: what the shim has to see. */
  readonly wants: Uint8Array;
  readonly fits: (msg: SysMsg) => boolean;
  /** All but path and when. */
  readonly fitsCall: (msg: SysMsg) => boolean;
  /** Whether a path fits; undefined where the rule asks for none. */
  readonly isPath: ((path: string) => boolean) | undefined;
}

/** Whether a path fits, as it is written or where it leads. One that can't be known does not. */
export function oneFits(isPath: (path: string) => boolean, { written, leads }: Named): boolean {
  return (written !== undefined && isPath(written)) || (leads !== undefined && isPath(leads));
}

/** Throws TypeError for a key that a rule doesn't have: a name that was misspelt would do nothing, silently. */
export function checkKeys(name: string, rule: unknown, keys: readonly string[]): asserts rule is object {
  if (typeof rule !== 'object' || rule === null || Array.isArray(rule))
    throw invalidType(name, 'of type object', rule);
  for (const key of Object.keys(rule))
    if (!keys.includes(key)) throw invalidValue(`${name} has no "${key}"; it may have ${keys.join(', ')}`);
}

function wantsOf(name: string, on: Match['on'] = 'all'): Uint8Array {
  const wants = new Uint8Array(CALL_COUNT);
  if (on === 'all') return wants.fill(1);
  if (!Array.isArray(on)) throw invalidType(`${name}.on`, "'all' or an array of names", on);
  for (const call of on as readonly unknown[]) {
    const numbers = typeof call === 'string' ? numbersOf(call) : undefined;
    if (numbers === undefined)
      throw invalidValue(`${name}.on has "${String(call)}", which is not a system call of @libcr/syscalls`);
    for (const number of numbers) wants[number] = 1;
  }
  return wants;
}

function globsOf(name: string, path: Match['path']): ((path: string) => boolean) | undefined {
  if (path === undefined) return undefined;
  const globs = typeof path === 'string' ? [path] : path;
  if (!Array.isArray(globs)) throw invalidType(`${name}.path`, 'a glob, or globs', path);
  for (const glob of globs) {
    if (typeof glob !== 'string' || !glob.startsWith('/'))
      throw invalidType(`${name}.path`, 'a glob, or globs, that begin with "/"', glob);
    // What is compared has no such names: the rule would be about nothing, silently.
    if (
      glob !== '/' &&
      glob
        .slice(1)
        .split('/')
        .some((part) => part === '' || part === '.' || part === '..')
    )
      throw invalidValue(
        `${name}.path has "${glob}": no path ends in "/" or has "//", "." or ".." once it is absolute`,
      );
  }
  return picomatch(globs, GLOB_OPTIONS);
}

/** Reads the part of a rule that says which calls. name is the rule's, for errors: "rules[0]". Throws TypeError. */
export function matcherOf(name: string, { on, path, fd, when }: Match): Matcher {
  const wants = wantsOf(name, on);
  const globs = globsOf(name, path);
  if (fd !== undefined && !(Number.isInteger(fd) && fd >= 0))
    throw invalidType(`${name}.fd`, 'an integer >= 0', fd);
  if (when !== undefined && typeof when !== 'function')
    throw invalidType(`${name}.when`, 'of type function', when);
  const fitsCall = (msg: SysMsg): boolean => wants[msg.number] === 1 && (fd === undefined || msg.fd === fd);
  const fits = (msg: SysMsg): boolean =>
    fitsCall(msg) &&
    (globs === undefined || pathsOf(msg).some((each) => oneFits(globs, each))) &&
    (when === undefined || when(msg));
  return { wants, fits, fitsCall, isPath: globs };
}

/** What a shim with these rules asks for in `on`. */
export function onOf(rules: readonly Match[]): readonly CallName[] | 'all' {
  if (rules.some(({ on = 'all' }) => on === 'all')) return 'all';
  return [...new Set(rules.flatMap(({ on }) => on as readonly CallName[]))];
}
