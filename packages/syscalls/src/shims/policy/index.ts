/**
 * index.ts: the shim that allows and denies system calls by rules in order: the first that fits decides, and what no rule fits is allowed.
 *
 * A guard against mistakes, for tests and for well-meaning code. **Not** a security boundary: code in the same process has other ways to the
 * kernel (node:fs, native addons). Paths are those that the kernel would begin with; links are followed only with `follow`, and what is looked at may change
 * until the call is made. For a boundary, add seccomp or namespaces.
 *
 * Invariants: which rules can be about a call at all is found out once, for each number; a call that is allowed by its number alone does not
 * come here, and costs what it costs without a policy. What can't be known is denied where a rule denies what it might be, and never allowed by a rule.
 */
import '../../index.ts'; // for the bundle: see tsup.config.ts
import { channel } from 'node:diagnostics_channel';
import { invalidType } from '@libcr/core/internal';
import { constants as c } from '../../generated/constants.ts';
import { CALL_COUNT, numbersOf, rowOf } from '../../port/calls.ts';
import { checkShim, type Shim } from '../../port/shim.ts';
import type { SysMsg } from '../../port/sysmsg.ts';
import { ROWS_OF, type RowShim } from '../../supervisor/rows/row-shim.ts';
import { Counting } from '../counting.ts';
import { checkKeys } from '../match.ts';
import { Question, type Sight } from './question.ts';
import { PolicyRows } from './rows.ts';
import { Compiled, type PolicyRule } from './rule.ts';

export type { PolicyRule } from './rule.ts';

export interface PolicyOptions {
  /**
   * Symbolic links are followed before a call is judged, by the kernel's own lookup: 'deny' and 'log' are about a path as it is written and where it leads,
   * 'allow' about where it leads. A link that is changed between the look and the call is not seen. false, if absent.
   */
  follow?: boolean | undefined;
}

/** How many calls. */
export interface PolicyCounts {
  /** Denied. */
  readonly denied: number;
  /** Told of by 'log' rules. */
  readonly logged: number;
  /** Held against a rule about paths or addresses, though one of theirs could not be known. */
  readonly unknown: number;
}

export interface PolicyShim extends Shim {
  /** Since it was made; moves on with each call. */
  readonly counts: PolicyCounts;
}

const decisions = channel('libcr:syscalls:policy');
const unknowns = channel('libcr:syscalls:policy-unknown');

/** Calls after which names mean something else. */
const MOVES = ['chroot', 'pivot_root', 'setns'] as const;
const isMove = new Uint8Array(CALL_COUNT);
for (const name of MOVES) for (const number of numbersOf(name) ?? []) isMove[number] = 1;

function moves(msg: SysMsg): boolean {
  const type = msg.name === 'setns' ? (msg.get('type') as number) : 0;
  return type === 0 || (type & c.CLONE_NEWNS) !== 0;
}

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

/**
 * A shim out of rules: the first that fits a call decides. Throws TypeError for a rule that cannot be understood.
 */
export function policy(rules: readonly PolicyRule[], options: PolicyOptions = {}): PolicyShim {
  if (!Array.isArray(rules)) throw invalidType('rules', 'an array', rules);
  checkKeys('options', options, ['follow']);
  const { follow = false } = options;
  if (typeof follow !== 'boolean') throw invalidType('options.follow', 'of type boolean', follow);
  const compiled = rules.map((rule: PolicyRule, i) => new Compiled(rule, i));
  const byNumber = Array.from({ length: CALL_COUNT }, (_, number) => candidates(compiled, number));
  const looks = byNumber.map((list) => list.some(({ always }) => !always));
  const asksForPaths = compiled.some(({ rule }) => rule.path !== undefined || rule.address !== undefined);
  const sight: Sight = { follow, lost: undefined };
  const denied = new Counting(0, 0);
  const counts = {
    get denied() {
      return denied.injected;
    },
    logged: 0,
    unknown: 0,
  };
  const lostSight = new Set<() => void>();

  const decide = (question: Question): number | undefined => {
    const { message } = question;
    for (const each of byNumber[message.number] as Compiled[]) {
      if (!each.fits(question)) continue;
      const { rule } = each;
      if (rule.action === 'allow') return undefined;
      if (decisions.hasSubscribers)
        decisions.publish({ rule, message, path: each.pathOf(question), unknown: question.unknown });
      if (rule.action === 'deny') return -each.errno;
      counts.logged++;
    }
    return undefined;
  };

  const shim: PolicyShim & RowShim = {
    name: 'policy',
    on: byNumber.flatMap((list, number) => {
      const row = rowOf(number);
      const wanted = list.length > 0 || (asksForPaths && isMove[number] === 1);
      return wanted && row !== undefined ? [row.name] : [];
    }),
    shim: (next) => (given) => {
      const question = new Question(given, sight, looks[given.number] as boolean);
      const { message } = question;
      const errno = decide(question);
      if (question.unknown !== undefined) {
        counts.unknown++;
        if (unknowns.hasSubscribers) unknowns.publish({ message, ...question.unknown });
      }
      if (errno !== undefined) {
        denied.inject();
        return errno;
      }
      const reply = next(message);
      if (reply >= 0 && isMove[message.number] === 1 && moves(message)) {
        sight.lost = 'names mean something else since the root has changed';
        for (const tell of lostSight) tell();
      }
      return reply;
    },
    counts,
    [ROWS_OF]: (memory, changed) => {
      lostSight.add(changed);
      return PolicyRows.in(memory, {
        byNumber,
        denied,
        isAsked: (number) => asksForPaths && isMove[number] === 1,
        knowsPaths: () => !follow && sight.lost === undefined,
        tells: () => decisions.hasSubscribers,
      });
    },
  };
  checkShim(shim);
  return shim;
}
