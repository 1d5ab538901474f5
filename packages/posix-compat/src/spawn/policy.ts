/**
 * policy.ts: rules about a program's system calls, as the launcher reads them. They are those of @libcr/syscalls/shims/policy, without what needs JavaScript: paths,
 * addresses, descriptors, users and functions. The launcher knows the names of calls and errors.
 */
import { invalidType, invalidValue } from './errors.ts';

/** What a program may do. The first rule about a call decides; a call that no rule is about is allowed. */
export interface ProgramRule {
  action: 'allow' | 'deny';
  /** Names of system calls, each of which stands for its family ("open" for openat, openat2 and creat); all, if absent. */
  on?: readonly string[] | 'all' | undefined;
  /** What a denied call fails with; 'EACCES' if absent. */
  errno?: string | undefined;
}

const KEYS = ['action', 'on', 'errno'];

function ruleText(rule: unknown, name: string): string[] {
  if (typeof rule !== 'object' || rule === null) throw invalidType(name, 'of type object', rule);
  const wrong = Object.keys(rule).find((key) => !KEYS.includes(key));
  if (wrong !== undefined) {
    const message = `${name} has "${wrong}", which a program's rule can't have; it may have ${KEYS.join(', ')}`;
    throw invalidValue(message);
  }
  const { action, on = 'all', errno = 'EACCES' } = rule as ProgramRule;
  if (action !== 'allow' && action !== 'deny')
    throw invalidType(`${name}.action`, "'allow' or 'deny'", action);
  if (typeof errno !== 'string' || !/^E[A-Z0-9]+$/.test(errno))
    throw invalidType(`${name}.errno`, "an errno's name, as 'EACCES'", errno);
  const names: readonly unknown[] = on === 'all' ? ['*'] : Array.isArray(on) ? on : [undefined];
  return names.map((call) => {
    if (typeof call !== 'string' || !/^(\*|[a-z0-9_]{1,30})$/.test(call))
      throw invalidType(`${name}.on`, "'all' or an array of names", on);
    return action === 'deny' ? `deny:${call}:${errno}` : `allow:${call}`;
  });
}

/** The value of the launcher's --policy. Throws TypeError for rules that are none. */
export function policyText(rules: unknown): string {
  if (!Array.isArray(rules)) throw invalidType('policy', 'an array of rules', rules);
  return rules.flatMap((rule, i) => ruleText(rule, `policy[${i}]`)).join(',');
}
