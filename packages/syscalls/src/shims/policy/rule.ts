/** rule.ts: one rule of a policy, checked: which calls it is about, and what it says of them. */
import { invalidType } from '@libcr/core/internal';
import { errnos } from '../../generated/rows.ts';
import { rowOf } from '../../port/calls.ts';
import { checkKeys, MATCH_KEYS, type Match, type Matcher, matcherOf, oneFits } from '../match.ts';
import { hasPath } from '../paths/index.ts';
import { addressTest } from './address.ts';
import { hasAddress } from './addresses.ts';
import type { Question } from './question.ts';

/** Which calls (all of what is given has to fit), and what about them. */
export interface PolicyRule extends Match {
  /**
   * 'deny' and 'log' are about a call if one of its paths (or addresses) fits, or can't be known; 'allow' if all of them fit, and are known. 'log' only tells:
   * the diagnostics channel "libcr:syscalls:policy" gets { rule, message, path, unknown }. 'deny' tells there, too.
   */
  action: 'allow' | 'deny' | 'log';
  /**
   * Where the call connects, binds or sends to: one of these. "10.0.0.0/8", "::1", "[2001:db8::]:443", ":25", ":1024-65535", "/run/*.sock",
   * "@abstract". Calls that name no address do not fit.
   */
  address?: string | readonly string[] | undefined;
  /** The process' effective user id is one of these. */
  uid?: number | readonly number[] | undefined;
  /** What a denied call fails with; 'EACCES' if absent. */
  errno?: string | undefined;
}

const KEYS = [...MATCH_KEYS, 'action', 'address', 'uid', 'errno'] as const;

export class Compiled {
  readonly rule: PolicyRule;
  readonly errno: number;
  /** Whether it fits every call of those that it wants. */
  readonly always: boolean;
  private readonly matcher: Matcher;
  private readonly address: ReturnType<typeof addressTest> | undefined;
  private readonly uids: readonly number[] | undefined;

  /** Throws TypeError for a rule that cannot be understood. */
  constructor(rule: PolicyRule, i: number) {
    const name = `rules[${i}]`;
    checkKeys(name, rule, KEYS);
    const { action, errno = 'EACCES', address, uid, path, fd, when } = rule;
    if (action !== 'allow' && action !== 'deny' && action !== 'log')
      throw invalidType(`${name}.action`, "'allow', 'deny' or 'log'", action);
    const number = errnos.find(([, known]) => known === errno)?.[0];
    if (number === undefined) throw invalidType(`${name}.errno`, "an errno's name, as 'EACCES'", errno);
    const uids = uid === undefined ? undefined : typeof uid === 'number' ? [uid] : uid;
    if (
      uids !== undefined &&
      !(Array.isArray(uids) && uids.every((each) => Number.isInteger(each) && each >= 0))
    )
      throw invalidType(`${name}.uid`, 'a user id, or an array of them', uid);
    this.rule = { ...rule };
    this.errno = number;
    this.matcher = matcherOf(name, rule);
    this.address = address === undefined ? undefined : addressTest(`${name}.address`, address);
    this.uids = uids;
    this.always = [address, uid, path, fd, when].every((condition) => condition === undefined);
  }

  /** Whether a call of this number may fit: a call without a path fits no rule that has one. */
  mayFit(number: number): boolean {
    const { path, fd, address } = this.rule;
    if (this.matcher.wants[number] !== 1) return false;
    if (path !== undefined && !hasPath(number)) return false;
    if (fd !== undefined && !rowOf(number)?.args.some(({ format }) => format === 'fd')) return false;
    return address === undefined || hasAddress(number);
  }

  /** Of the paths of a call that fits, the one that it is about. */
  pathOf(question: Question): string | undefined {
    const { isPath } = this.matcher;
    const { paths } = question;
    const one = isPath === undefined ? paths[0] : paths.find((each) => oneFits(isPath, each));
    return one?.leads !== undefined && isPath?.(one.leads) ? one.leads : one?.written;
  }

  fits(question: Question): boolean {
    if (this.always) return true;
    const { uids, matcher } = this;
    const { message } = question;
    if (uids !== undefined && !uids.includes(question.uid)) return false;
    return (
      matcher.fitsCall(message) &&
      this.fitsAddress(question) &&
      this.fitsPath(question) &&
      (this.rule.when === undefined || this.rule.when(message))
    );
  }

  private fitsPath(question: Question): boolean {
    const { isPath } = this.matcher;
    if (isPath === undefined) return true;
    const { paths } = question;
    if (this.rule.action !== 'allow')
      return paths.some((each) => each.unknown !== undefined || oneFits(isPath, each));
    return (
      paths.length > 0 &&
      paths.every(({ written, leads = written, unknown }) => unknown === undefined && isPath(leads as string))
    );
  }

  private fitsAddress(question: Question): boolean {
    const { address: fits } = this;
    if (fits === undefined) return true;
    const { addresses } = question;
    if (this.rule.action !== 'allow')
      return addresses.some(
        ({ written, leads = [], unknown }) => unknown !== undefined || [...written, ...leads].some(fits),
      );
    return (
      addresses.length > 0 &&
      addresses.every(({ written, leads = written, unknown }) => unknown === undefined && leads.every(fits))
    );
  }
}
