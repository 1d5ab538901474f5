/**
 * policy.ts: the shim that allows and denies system calls, by call and by path: rules in order, the first that fits decides, and what no
 * rule fits is allowed.
 *
 * A guard against mistakes, for tests and for well-meaning code. **Not** a security boundary: code in the same process has other ways to the
 * kernel (node:fs, native addons). Paths are compared as they are written, made absolute; symbolic links are not followed, so a
 * link into a denied folder is not seen. For a boundary, add seccomp or namespaces.
 */

import { channel } from 'node:diagnostics_channel';
import { CodedError, invalidType } from '@libcr/core/internal';
import picomatch from 'picomatch';
import { type CallName, errnos } from '../generated/rows.ts';
import { numbersOf } from '../port/calls.ts';
import { defineShim, type Shim } from '../port/shim.ts';
import { absolutePaths } from './paths.ts';

export interface PolicyRule {
  /** 'log' only tells: the diagnostics channel "libcr:syscalls:policy" gets { rule, message, path }. 'deny' tells there, too. */
  action: 'allow' | 'deny' | 'log';
  /** The calls it is about; all, if absent. open and openat are one family. */
  on?: readonly CallName[] | 'all' | undefined;
  /** Globs (picomatch's; * stops at a slash, ** does not; names with a dot are matched). One of the call's absolute paths has to fit one
   *  of them. Absent: any call, also one without a path. */
  path?: string | readonly string[] | undefined;
  /** What a denied call fails with; 'EACCES' if absent. */
  errno?: string | undefined;
}

const decisions = channel('libcr:syscalls:policy');

interface Compiled {
  rule: PolicyRule;
  wants: (number: number) => boolean;
  fits: ((path: string) => boolean) | undefined;
  errno: number;
}

function compile(rule: PolicyRule, i: number): Compiled {
  const name = `rules[${i}]`;
  if (typeof rule !== 'object' || rule === null) throw invalidType(name, 'of type object', rule);
  const { action, on = 'all', path, errno = 'EACCES' } = rule;
  for (const key of Object.keys(rule)) {
    if (!['action', 'on', 'path', 'errno'].includes(key))
      throw new CodedError('ERR_INVALID_ARG_VALUE', `${name} has no "${key}"`);
  }
  if (action !== 'allow' && action !== 'deny' && action !== 'log')
    throw invalidType(`${name}.action`, "'allow', 'deny' or 'log'", action);
  const number = errnos.find(([, known]) => known === errno)?.[0];
  if (number === undefined) throw invalidType(`${name}.errno`, "an errno's name, as 'EACCES'", errno);
  const globs = path === undefined ? undefined : typeof path === 'string' ? [path] : [...path];
  for (const glob of globs ?? [])
    if (typeof glob !== 'string' || !glob.startsWith('/'))
      throw invalidType(`${name}.path`, 'a glob, or globs, that begin with "/"', glob);
  if (on !== 'all' && !Array.isArray(on)) throw invalidType(`${name}.on`, "'all' or an array of names", on);
  const numbers = new Set<number>();
  for (const call of on === 'all' ? [] : on) {
    const family = numbersOf(call);
    if (family === undefined) throw invalidType(`${name}.on`, 'names of system calls', call);
    for (const member of family) numbers.add(member);
  }
  return {
    rule,
    wants: on === 'all' ? () => true : (wanted) => numbers.has(wanted),
    fits: globs && picomatch(globs, { dot: true }),
    errno: number,
  };
}

/** A shim out of rules. Throws TypeError for a rule that cannot be understood. */
export function policy(rules: readonly PolicyRule[]): Shim {
  if (!Array.isArray(rules)) throw invalidType('rules', 'an array', rules);
  const compiled = rules.map(compile);
  const everything = compiled.some(({ rule }) => (rule.on ?? 'all') === 'all');
  return defineShim({
    name: 'policy',
    on: everything ? 'all' : [...new Set(compiled.flatMap(({ rule }) => rule.on as readonly CallName[]))],
    shim: (next) => (msg) => {
      let paths: string[] | undefined;
      for (const { rule, wants, fits, errno } of compiled) {
        if (!wants(msg.number)) continue;
        paths ??= absolutePaths(msg);
        const path = fits === undefined ? paths[0] : paths.find((candidate) => fits(candidate));
        if (fits !== undefined && path === undefined) continue;
        if (rule.action === 'allow') break;
        if (decisions.hasSubscribers) decisions.publish({ rule, message: msg, path });
        if (rule.action === 'deny') return -errno;
      }
      return next(msg);
    },
  });
}
