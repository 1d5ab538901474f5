/**
 * explore.ts: @libcr/core/explore: runs a function under one order of its userthreads after the other, each from a seed, until one goes wrong; finds the least that makes it
 * go wrong, and says how to have it again. For programs that run as processes there is `lwkt explore`.
 */

import { CodedError, invalidArgument, invalidType, outOfRange } from '../errors/errors.ts';
import { curthread, thread0 } from '../thread/block.ts';
import { Choices, readSchedule, writeSchedule } from './choices.ts';
import { exploring } from './exploring.ts';
import { type Finding, type FindingKind, type Limits, type Ran, runOnce } from './run.ts';
import { shrink } from './shrink.ts';

export type { FindingKind } from './run.ts';

export interface ExploreOptions {
  /** How many seeds at most, 1 to 2^53-1; 200 if absent. */
  runs?: number | undefined;
  /** The first, 0 to 2^53-1; 1 if absent. With `runs: 1` that one alone. */
  seed?: number | undefined;
  /** What ExploreError's `schedule` says: that run, and no seeds. */
  schedule?: string | undefined;
  /** Runs that looking for the least may take, 0 to 2^53-1, twice; 300 if absent. */
  shrink?: number | undefined;
  /** Turns of userthreads in one run after which it is taken to go on for ever, 1 to 2^53-1; 100,000 if absent. */
  steps?: number | undefined;
  /** Milliseconds of real time, 1 to 2^31-1, for what comes from outside (files, connections, Node's timers); 30,000 if absent. */
  timeout?: number | undefined;
}

export interface Explored {
  /** How many runs there were; none went wrong. */
  runs: number;
}

/** A run has gone wrong: what explore() rejects with. cause is the error of a userthread, where it was one. */
export class ExploreError extends CodedError {
  readonly kind: FindingKind;
  /** undefined where options.schedule was given. */
  readonly seed: number | undefined;
  /** The least that makes it go wrong, for options.schedule: "place:decision,…". */
  readonly schedule: string;
  /** The same in words: what happens otherwise than it would by itself. */
  readonly steps: readonly string[];
  /** How many runs there were, those for the least not counted. */
  readonly runs: number;

  /** @internal */
  constructor(
    finding: Finding,
    seed: number | undefined,
    last: Ran,
    schedule: string,
    runs: number,
    isSame: boolean,
  ) {
    super('ERR_LWKT_EXPLORED', describeFinding(finding, seed, last, schedule, isSame), {
      cause: finding.error,
    });
    this.kind = finding.kind;
    this.seed = seed;
    this.schedule = schedule;
    this.steps = last.steps;
    this.runs = runs;
  }
}

function describeFinding(
  { what, where }: Finding,
  seed: number | undefined,
  { steps }: Ran,
  schedule: string,
  isSame: boolean,
): string {
  const lines = [`${seed === undefined ? 'this schedule' : `seed ${seed}`}: ${what}`];
  if (steps.length === 0) lines.push('  in the order that it has by itself');
  lines.push(...steps.map((step, i) => `  ${i + 1}. ${step}`));
  if (where !== undefined) lines.push(where);
  const again = seed === undefined ? '' : ` or explore(…, { seed: ${seed}, runs: 1 })`;
  lines.push(`again: explore(…, { schedule: '${schedule}' })${again}`);
  if (!isSame)
    lines.push(
      'It has not gone wrong a second time: it does not depend on the order of its userthreads alone.',
    );
  return lines.join('\n');
}

function checkWhole(name: string, value: unknown, least: number, most: number): void {
  if (typeof value !== 'number') throw invalidType(`options.${name}`, 'of type number', value);
  if (!Number.isInteger(value) || value < least || value > most)
    throw outOfRange(`options.${name}`, `an integer >= ${least} and <= ${most}`, value);
}

interface Exploration extends Limits {
  runs: number;
  seed: number;
  shrink: number;
  list: number[] | undefined;
}

function check(options: ExploreOptions): Exploration {
  if (typeof options !== 'object' || options === null)
    throw invalidType('options', 'of type object', options);
  const { runs = 200, seed = 1, schedule, shrink = 300, steps = 100_000, timeout = 30_000 } = options;
  checkWhole('runs', runs, 1, Number.MAX_SAFE_INTEGER);
  checkWhole('seed', seed, 0, Number.MAX_SAFE_INTEGER);
  checkWhole('shrink', shrink, 0, Number.MAX_SAFE_INTEGER);
  checkWhole('steps', steps, 1, Number.MAX_SAFE_INTEGER);
  checkWhole('timeout', timeout, 1, 2 ** 31 - 1);
  if (schedule !== undefined && typeof schedule !== 'string')
    throw invalidType('options.schedule', 'of type string', schedule);
  const list = schedule === undefined ? undefined : readSchedule(schedule);
  if (schedule !== undefined && list === undefined)
    throw invalidArgument('options.schedule', schedule, 'must be what an ExploreError has as its schedule');
  return { runs, seed, shrink, steps, timeout, list };
}

/** What went wrong, with as few decisions as can be. */
async function reportOf(
  main: () => unknown,
  exploration: Exploration,
  seed: number | undefined,
  first: Ran,
  runs: number,
): Promise<ExploreError> {
  const { kind } = first.finding as Finding;
  let last = first;
  let isSame = false;
  const fails = async (decisions: readonly number[]): Promise<boolean> => {
    const ran = await runOnce(main, Choices.ofList(decisions), exploration);
    if (ran.finding?.kind !== kind) return false;
    last = ran;
    isSame = true;
    return true;
  };
  await fails(first.decisions);
  const least = isSame ? await shrink(first.decisions, fails, exploration.shrink) : first.decisions;
  return new ExploreError(last.finding as Finding, seed, last, writeSchedule(least), runs, isSame);
}

/**
 * Runs main as a userthread, again and again, each time with another order of the userthreads that it and they create, from the seeds options.seed, options.seed + 1, …;
 * rejects with an ExploreError as soon as a run goes wrong: main throws, or another userthread whose failure nobody sees; a deadlock (all wait for what can no longer
 * happen); or it goes on without end. The promise's value, if none does, is how many runs there were.
 *
 * What is decided: who is next, at each switch; and whether others run before a call that may wait, though it need not this time (a port, a lock, a join). Code between two such calls
 * is never interrupted, as nothing interrupts it otherwise on one rfork; preemptible threads are not preempted in time. sleep() and timeouts take no time: when nobody can run the first
 * timer goes off. So the same seed is the same run, unless main depends on what comes from outside, which is waited for, on real time, or on what an earlier run has left:
 * it must make anew what it uses.
 *
 * On the event loop only, one at a time. Throws TypeError and RangeError; ERR_LWKT_EXPLORING where somebody explores already. Userthreads that do not end when they are
 * aborted, and those of daemons, are left behind.
 */
export async function explore(main: () => unknown, options: ExploreOptions = {}): Promise<Explored> {
  if (typeof main !== 'function') throw invalidType('main', 'of type function', main);
  const exploration = check(options);
  if (exploring.explorer !== undefined || curthread() !== thread0)
    throw new CodedError(
      'ERR_LWKT_EXPLORING',
      'explore() must be called on the event loop, and one at a time: await the one before',
    );
  if (exploration.list !== undefined) {
    const ran = await runOnce(main, Choices.ofList(exploration.list), exploration);
    if (ran.finding !== undefined) throw await reportOf(main, exploration, undefined, ran, 1);
    return { runs: 1 };
  }
  for (let i = 0; i < exploration.runs; i++) {
    const seed = exploration.seed + i;
    const ran = await runOnce(main, Choices.ofSeed(seed), exploration);
    if (ran.finding !== undefined) throw await reportOf(main, exploration, seed, ran, i + 1);
  }
  return { runs: exploration.runs };
}
