/**
 * explore.ts: `lwkt explore`: runs a program with one schedule after the other, each from a seed, until one goes wrong; says which, the shortest schedule that does the
 * same, and how to have that run again. The launcher does what a seed means (packages/posix-compat/native/schedule).
 *
 * Invariant: the seed that is reported is the lowest that goes wrong, however many run at once: whoever looks again finds the same.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Parsed, values } from '../arguments.ts';
import { UsageError } from '../errors.ts';
import { givenFiles } from './given.ts';
import { type Finding, reportDifference, reportFinding, reportShrunk } from './report.ts';
import { endAll, runOnce, type Subject } from './run.ts';
import { shrink } from './shrink.ts';
import { type Difference, verify } from './verify.ts';

const RUNS = 1000;
const TIMEOUT = 30;
const JOBS_MAX = 1024;
const SHRINK_RUNS = 500;

interface Exploration extends Subject {
  runs: number;
  jobs: number;
  first: number;
  /** Behind the seed: `,STRATEGY`, or nothing. */
  strategy: string;
  shrinkRuns: number;
  verify: boolean;
}

function wholeNumber(parsed: Parsed, name: string, absent: number, least: number, most: number): number {
  const given = values(parsed, name).at(-1);
  if (given === undefined) return absent;
  if (!/^\d+$/.test(given) || Number(given) < least || Number(given) > most)
    throw new UsageError(`--${name} must be ${least} to ${most}, not ${given}`);
  return Number(given);
}

function timeoutOf(parsed: Parsed): number {
  const given = values(parsed, 'timeout').at(-1) ?? String(TIMEOUT);
  if (!/^\d+(\.\d+)?$/.test(given) || Number(given) === 0 || Number(given) > 86_400)
    throw new UsageError(`--timeout must be more than 0, and 86400 seconds at most, not ${given}`);
  return Number(given);
}

function read(parsed: Parsed): Exploration {
  if (parsed.rest.length === 0) throw new UsageError('PROGRAM is missing');
  const unused = ['check', 'shrink-runs'].find((name) => parsed.options.has(name));
  if (parsed.options.has('verify') && unused !== undefined)
    throw new UsageError(`option --${unused} is not for --verify, which compares runs and judges none`);
  const strategy = values(parsed, 'strategy').at(-1);
  return {
    program: parsed.rest,
    given: givenFiles(parsed.rest, (line) => void process.stderr.write(`lwkt: ${line}\n`)),
    runs: wholeNumber(parsed, 'runs', RUNS, 1, Number.MAX_SAFE_INTEGER),
    jobs: wholeNumber(parsed, 'jobs', availableParallelism(), 1, JOBS_MAX),
    first: wholeNumber(parsed, 'seed', 1, 0, Number.MAX_SAFE_INTEGER),
    strategy: strategy === undefined ? '' : `,${strategy}`,
    timeout: timeoutOf(parsed),
    check: values(parsed, 'check').at(-1),
    preemptIn: values(parsed, 'preempt-in').join(','),
    shrinkRuns: wholeNumber(parsed, 'shrink-runs', SHRINK_RUNS, 0, Number.MAX_SAFE_INTEGER),
    verify: parsed.options.has('verify'),
  };
}

/** Asks for each seed, several at once, until one has an answer. The answer to the lowest that has one; and for how many seeds that was asked. */
async function search<Answer>(
  { first, runs, jobs }: Exploration,
  ask: (seed: number, worker: number) => Promise<Answer | undefined>,
): Promise<{ answer: Answer | undefined; asked: number }> {
  const end = first + runs;
  let next = first;
  let found: { seed: number; answer: Answer } | undefined;
  let asked = 0;
  const worker = async (_: unknown, index: number) => {
    while (next < end && (found === undefined || next < found.seed)) {
      const seed = next++;
      const answer = await ask(seed, index);
      asked++;
      if (answer !== undefined && (found === undefined || seed < found.seed)) found = { seed, answer };
    }
  };
  await Promise.all(Array.from({ length: jobs }, worker));
  return { answer: found?.answer, asked };
}

const rate = (runs: number, began: number): string =>
  `${runs} runs, ${((runs * 1000) / (performance.now() - began)).toFixed(0)} a second`;

async function find(exploration: Exploration, folder: string): Promise<boolean> {
  const began = performance.now();
  const { answer: finding, asked } = await search(exploration, async (seed, worker) => {
    const files = { output: join(folder, String(worker)) };
    const { what, output } = await runOnce(exploration, seed, exploration.strategy, files);
    return what === undefined ? undefined : ({ seed, what, output } satisfies Finding);
  });
  const runs = rate(asked, began);
  if (finding === undefined) {
    process.stdout.write(`${runs}: nothing found\n`);
    return true;
  }
  reportFinding(exploration, exploration.strategy, finding);
  if (exploration.shrinkRuns > 0) {
    const { seed, what } = finding;
    const { strategy, shrinkRuns: most, jobs } = exploration;
    const shrunk = await shrink(exploration, { seed, strategy, what, most, jobs, folder });
    reportShrunk(exploration, seed, shrunk);
  }
  process.stdout.write(`${runs}\n`);
  return false;
}

async function compare(exploration: Exploration, folder: string): Promise<boolean> {
  const began = performance.now();
  const { answer, asked } = await search<Difference>(exploration, (seed, worker) =>
    verify(exploration, seed, exploration.strategy, folder, worker),
  );
  if (answer !== undefined) reportDifference(answer);
  process.stdout.write(
    `${rate(2 * asked, began)}${answer === undefined ? ': each seed is the same run again' : ''}\n`,
  );
  return answer === undefined;
}

/** Whether nothing was found. */
export async function explore(parsed: Parsed): Promise<boolean> {
  const exploration = read(parsed);
  const folder = mkdtempSync(join(tmpdir(), 'lwkt-explore-'));
  const interrupted = (signal: NodeJS.Signals) => {
    endAll();
    rmSync(folder, { recursive: true, force: true });
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, interrupted);
  try {
    return await (exploration.verify ? compare : find)(exploration, folder);
  } finally {
    endAll();
    rmSync(folder, { recursive: true, force: true });
  }
}
