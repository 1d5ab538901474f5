/**
 * rows.ts: a policy as rows in a program (supervisor/rows/): rules about names, descriptors, user ids and paths as they are written. Rules that tell ('log'), those that ask a
 * function, those about addresses, and links that are to be followed are asked about here; and so is whatever would be denied, while somebody wants to be told.
 */
import {
  ROW_ALL_PATHS,
  ROW_ALLOWS,
  ROW_IS_POLICY,
  ROW_POLICY,
  ROW_POLICY_SIZE,
} from '../../generated/channel.ts';
import { headOf, mayBeAbout } from '../../supervisor/rows/matching.ts';
import type { RowMemory } from '../../supervisor/rows/row-memory.ts';
import type { RowAt, ShimRows } from '../../supervisor/rows/row-shim.ts';
import type { Counting } from '../counting.ts';
import type { Compiled } from './rule.ts';

/** Of the policy: what rows have to know. */
export interface Judged {
  /** The rules that a call has to be held against, by number. */
  readonly byNumber: readonly (readonly Compiled[])[];
  /** Denied by rows. */
  readonly denied: Counting;
  /** Whether a number has to be asked about in any case, as what it does counts; whether names can be known; whether somebody is to be told. */
  isAsked(number: number): boolean;
  knowsPaths(): boolean;
  tells(): boolean;
}

export class PolicyRows implements ShimRows {
  private readonly judged: Judged;
  private readonly rows = new Map<Compiled, RowAt | undefined>();

  /** undefined where another supervisor has it. */
  static in(memory: RowMemory, judged: Judged): PolicyRows | undefined {
    const counts = judged.denied.attach(memory);
    return counts === 0 ? undefined : new PolicyRows(memory, judged, counts);
  }

  private constructor(memory: RowMemory, judged: Judged, counts: number) {
    this.judged = judged;
    const shim = memory.newShim();
    for (const rule of new Set(judged.byNumber.flat()))
      this.rows.set(rule, rowOf(memory, rule, shim, counts));
  }

  of(number: number): readonly RowAt[] | undefined {
    const { judged } = this;
    if (judged.isAsked(number)) return undefined;
    const list: RowAt[] = [];
    for (const each of judged.byNumber[number] as readonly Compiled[]) {
      const row = this.rows.get(each);
      const may = mayBeAbout(each.rule, number);
      if (may === 'never') continue;
      if (row === undefined || may === 'unknown' || (row.paths === true && !judged.knowsPaths()))
        return undefined;
      if (each.rule.action === 'deny' && judged.tells()) return undefined;
      list.push(row);
    }
    return list;
  }

  close(): void {
    this.judged.denied.detach();
  }
}

function rowOf(memory: RowMemory, compiled: Compiled, shim: number, counts: number): RowAt | undefined {
  const { action, address, uid, path } = compiled.rule;
  const head = headOf(memory, compiled.rule);
  if (head === undefined || address !== undefined || action === 'log') return undefined;
  const uids = uid === undefined ? [] : typeof uid === 'number' ? [uid] : uid;
  if (uids.length > 1000 || (uid !== undefined && uids.length === 0)) return undefined;
  const at = memory.row(ROW_POLICY_SIZE, {
    kind: ROW_IS_POLICY,
    flags: action === 'allow' ? ROW_ALLOWS | ROW_ALL_PATHS : 0,
    shim,
    ...head,
    uids: uids.length === 0 ? 0 : memory.numbers(uids),
  });
  memory.setWord(at + ROW_POLICY.errno, compiled.errno);
  memory.setWord(at + ROW_POLICY.counts, counts);
  return { at, paths: path !== undefined };
}
