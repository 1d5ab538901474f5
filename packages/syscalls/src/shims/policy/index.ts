/**
 * index.ts: the shim that allows and denies system calls by rules in order: the first that fits decides, and what no rule fits is allowed.
 *
 * A guard against mistakes, for tests and for well-meaning code. **Not** a security boundary: code in the same process has other ways to the
 * kernel (node:fs, native addons). Paths are compared as they are written, made absolute; symbolic links are not followed, so a
 * link into a denied folder is not seen. For a boundary, add seccomp or namespaces.
 *
 * Invariant: which rules can be about a call at all is found out once, for each number. A call that is allowed by its number alone does not
 * come here, and costs what it costs without a policy.
 */
import { channel } from 'node:diagnostics_channel';
import { invalidType } from '@libcr/core/internal';
import { CALL_COUNT, rowOf } from '../../port/calls.ts';
import { defineShim, type Shim } from '../../port/shim.ts';
import { absolutePaths } from '../paths.ts';
import { Compiled, type PolicyRule } from './rule.ts';

export type { PolicyRule } from './rule.ts';

const decisions = channel('libcr:syscalls:policy');

/** The rules that a call of this number has to be held against: up to the first that fits in any case; [] where it is allowed. */
function candidates(rules: readonly Compiled[], number: number): Compiled[] {
  const list: Compiled[] = [];
  for (const each of rules) {
    if (!each.mayFit(number)) continue;
    list.push(each);
    if (each.always && each.rule.action !== 'log') break;
  }
  while (list.at(-1)?.rule.action === 'allow') list.pop(); // which is what happens anyway
  return list;
}

/** A shim out of rules. Throws TypeError for a rule that cannot be understood. */
export function policy(rules: readonly PolicyRule[]): Shim {
  if (!Array.isArray(rules)) throw invalidType('rules', 'an array', rules);
  const compiled = rules.map((rule: PolicyRule, i) => new Compiled(rule, i));
  const byNumber = Array.from({ length: CALL_COUNT }, (_, number) => candidates(compiled, number));
  return defineShim({
    name: 'policy',
    on: byNumber.flatMap((list, number) => {
      const row = rowOf(number);
      return list.length > 0 && row !== undefined ? [row.name] : [];
    }),
    shim: (next) => (msg) => {
      for (const each of byNumber[msg.number] as Compiled[]) {
        if (!each.fits(msg)) continue;
        const { rule } = each;
        if (rule.action === 'allow') break;
        if (decisions.hasSubscribers) {
          const paths = absolutePaths(msg);
          decisions.publish({ rule, message: msg, path: each.pathOf(paths) });
        }
        if (rule.action === 'deny') return -each.errno;
      }
      return next(msg);
    },
  });
}
