/**
 * index.ts: the shim that makes system calls fail, come back short, or take longer, by rules: for the error handling that nothing else ever
 * runs. (The ideas are strace's -e inject= and Linux' fault injection.)
 *
 * Invariant: the same rules, the same seed and the same sequence of calls give the same faults. Each rule counts and draws by itself, so that
 * one more rule does not move the faults of the others.
 */
import '../../index.ts'; // for the bundle: see tsup.config.ts
import { invalidType } from '@libcr/core/internal';
import { constants as c } from '../../generated/constants.ts';
import { pause } from '../../pause.ts';
import { checkShim, type Shim } from '../../port/shim.ts';
import type { SysMsg } from '../../port/sysmsg.ts';
import { ROWS_OF, type RowShim } from '../../supervisor/rows/row-shim.ts';
import { checkKeys, onOf } from '../match.ts';
import { seedOf } from '../random.ts';
import { FaultRows } from './rows.ts';
import { Fault, type FaultRule } from './rule.ts';
import { canShorten, shortened } from './shorten.ts';

export type { Match } from '../match.ts';
export type { FaultRule } from './rule.ts';

export interface FaultOptions {
  /** For probability: 0 to 2^32-1; chosen at random, and to be found in the shim's seed, if absent. */
  seed?: number | undefined;
}

/** What a rule has done so far. */
export interface FaultCount {
  rule: FaultRule;
  /** Calls it was about. */
  matched: number;
  /** Calls it has struck. */
  injected: number;
}

/** The shim, and what it has done on all ports that it is on. */
export interface FaultShim extends Shim {
  /** With which the same calls get the same faults. */
  readonly seed: number;
  /** One for each rule. */
  readonly counts: readonly FaultCount[];
  /** Everything from the beginning: counts and random numbers. */
  reset(): void;
}

/**
 * Makes the shim. The rules are gone through in order, for each call: delays add up, shortened calls go on to the next rule, and the first errno
 * is the answer. Throws TypeError and RangeError for rules that make no sense.
 */
export function fault(rules: readonly FaultRule[], options: FaultOptions = {}): FaultShim {
  if (!Array.isArray(rules)) throw invalidType('rules', 'an array', rules);
  checkKeys('options', options, ['seed']);
  const seed = seedOf('options.seed', options.seed);
  const faults = rules.map((rule: FaultRule, i) => new Fault(rule, seed, i));
  const shim: FaultShim & RowShim = {
    name: 'fault',
    on: onOf(rules),
    shim: (next) => (first: SysMsg) => {
      let msg = first;
      for (const each of faults) {
        if (each.matcher.wants[msg.number] !== 1 || !each.strikes(msg)) continue;
        const { delay, short } = each.rule;
        if (delay !== undefined) pause(delay);
        if (each.errno !== undefined) {
          if (msg.number === c.SYS_close) next(msg); // as the kernel does: the descriptor is gone, whatever close says
          return -each.errno;
        }
        if (short !== undefined && canShorten(msg.name)) msg = shortened(msg, short);
      }
      return next(msg);
    },
    seed,
    get counts() {
      return faults.map(({ rule, counting: { matched, injected } }) => ({ rule, matched, injected }));
    },
    reset: () => {
      for (const each of faults) each.counting.reset();
    },
    [ROWS_OF]: (memory) => FaultRows.in(memory, faults),
  };
  checkShim(shim);
  return shim;
}
