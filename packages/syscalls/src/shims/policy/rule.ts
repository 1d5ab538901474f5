/** rule.ts: one rule of a policy, checked: which calls it is about, and what it says of them. */
import { invalidType } from '@libcr/core/internal';
import { errnos } from '../../generated/rows.ts';
import { rowOf } from '../../port/calls.ts';
import type { SysMsg } from '../../port/sysmsg.ts';
import { checkKeys, MATCH_KEYS, type Match, type Matcher, matcherOf } from '../match.ts';
import { hasPath } from '../paths.ts';
import { addressesOf, addressTest, hasAddress } from './address.ts';

/** Which calls (all of what is given has to fit), and what about them. */
export interface PolicyRule extends Match {
  /** 'log' only tells: the diagnostics channel "libcr:syscalls:policy" gets { rule, message, path }. 'deny' tells there, too. */
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
  pathOf(paths: readonly string[]): string | undefined {
    const { isPath } = this.matcher;
    return isPath === undefined ? paths[0] : paths.find(isPath);
  }

  fits(msg: SysMsg): boolean {
    if (this.always) return true;
    const { uids, address } = this;
    if (uids !== undefined && !uids.includes(process.geteuid?.() as number)) return false;
    if (address !== undefined && !addressesOf(msg).some(address)) return false;
    return this.matcher.fits(msg);
  }
}
