/**
 * shrink.ts: the shortest schedule with which a program goes wrong as it has with a seed: the run's decisions, as the launcher wrote them, without those that are not
 * needed for it.
 *
 * Invariant: a schedule that is returned has been run, and went wrong in the same way.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Decision, readDecisions } from './decisions.ts';
import { minimize } from './minimize.ts';
import { type Outcome, runOnce, type Subject } from './run.ts';

/** As long as the launcher takes. */
const DECISIONS_MAX = 20_000;

/** A run with fewer decisions may hang where the first did not: s, and how much longer than that it may take. */
const PATIENCE = 3;
const LONGER = 10;

export interface Shrinking {
  seed: number;
  /** Behind the seed: `,STRATEGY`, or nothing. */
  strategy: string;
  what: string;
  /** Runs at most. */
  most: number;
  jobs: number;
  folder: string;
}

export interface Shrunk {
  decisions: Decision[];
  /** How many the seed's run had. */
  of: number;
  tries: number;
  isLeast: boolean;
  outcome: Outcome;
}

const textOf = (decisions: Decision[]): string => decisions.map(({ text }) => text).join('\n');

/** The shrunk schedule; or why there is none. */
export async function shrink(subject: Subject, shrinking: Shrinking): Promise<Shrunk | string> {
  const { seed, strategy, what, most, jobs, folder } = shrinking;
  if (what.startsWith('hangs')) return 'a run that hangs is not shrunk';
  const log = join(folder, 'log');
  const output = join(folder, 'again');
  const began = performance.now();
  const again = await runOnce(subject, seed, strategy, { output, log });
  const seconds = (performance.now() - began) / 1000;
  if (again.what !== what) return `not shrunk: with the same seed, ${again.what ?? 'nothing is wrong'} now`;
  const all = readDecisions(readFileSync(log, 'utf8'));
  if (all.length > DECISIONS_MAX) return `not shrunk: ${all.length} decisions are too many`;
  const impatient = {
    ...subject,
    timeout: Math.min(subject.timeout, Math.max(PATIENCE, seconds * LONGER)),
  };
  const run = async (decisions: Decision[], name: string, written?: string): Promise<Outcome> => {
    const list = join(folder, `list-${name}`);
    writeFileSync(list, textOf(decisions));
    const files = {
      output: join(folder, `shrunk-${name}`),
      ...(written === undefined ? {} : { log: written }),
    };
    return runOnce(impatient, seed, `,list:${list}`, files);
  };
  const whole = await run(all, 'all');
  if (whole.what !== what)
    return `not shrunk: by the list of its decisions, ${whole.what ?? 'nothing is wrong'}`;
  const { items, tries, isLeast } = await minimize(
    all,
    async (decisions, index) => (await run(decisions, String(index))).what === what,
    { most, atOnce: jobs },
  );
  // What is listed and does not happen is not there; what happens is said as it is in this run.
  const outcome = await run(items, 'least', log);
  if (outcome.what !== what)
    return `not shrunk: the same schedule ends otherwise now, ${outcome.what ?? 'and nothing is wrong'}`;
  const happened = readDecisions(readFileSync(log, 'utf8'));
  return { decisions: happened, of: all.length, tries, isLeast, outcome };
}
